/** The part of oidc-provider that the tests use: the package brings no types. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** An OpenID Connect server. */
export declare class Provider {
  constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
  /** The request listener. */
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}
