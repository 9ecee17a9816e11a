/**
 * A scripted OpenID Connect authority with the endpoints that Microsoft's does not have.
 *
 * @module
 */
import {
  type ClientApplicationOptions,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  PublicClientApplication,
} from "../../mod.ts";
import { failure, ISSUER, settle } from "./app_fixture.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Answer, jsonResponse, type RecordedRequest, scriptedFetch } from "./scripted_fetch.ts";

export { ISSUER };
export const CLIENT_ID = "web";
export const SECRET = "the web app's secret";

/** A document that offers everything. */
export const DOCUMENT: Readonly<Record<string, unknown>> = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth?policy=one`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks`,
  pushed_authorization_request_endpoint: `${ISSUER}/par`,
  introspection_endpoint: `${ISSUER}/introspect`,
  revocation_endpoint: `${ISSUER}/revoke`,
};

/** The double. */
export interface OidcDouble {
  readonly clock: FakeClock;
  /** The forms that came. */
  readonly posts: readonly RecordedRequest[];
  readonly gets: readonly RecordedRequest[];
  /** Answers the next forms; a plain object is a success. */
  next(...answers: (Answer | Readonly<Record<string, unknown>>)[]): void;
  confidential(options?: Partial<ConfidentialClientOptions>): ConfidentialClientApplication;
  public(options?: Partial<ClientApplicationOptions>): PublicClientApplication;
  settle<T>(promise: Promise<T>): Promise<T>;
  refused(promise: Promise<unknown>): ReturnType<typeof failure>;
}

/** Makes a double; `members` go over those of {@linkcode DOCUMENT}. */
export function oidcDouble(
  members: Readonly<Record<string, unknown>> = {},
  jwks: unknown = { keys: [] },
): OidcDouble {
  const clock = new FakeClock();
  const posts: RecordedRequest[] = [];
  const gets: RecordedRequest[] = [];
  const queue: (Answer | Readonly<Record<string, unknown>>)[] = [];
  const { fetch } = scriptedFetch((request) => {
    if (request.method === "GET") {
      gets.push(request);
      return jsonResponse(request.url.endsWith("/jwks") ? jwks : { ...DOCUMENT, ...members });
    }
    posts.push(request);
    const answer = queue.shift() ?? new TypeError("no answer left");
    const isAnswer = answer instanceof Response || answer instanceof Error || typeof answer === "function";
    return isAnswer ? answer as Answer : jsonResponse(answer);
  });
  const options = { clientId: CLIENT_ID, oidcAuthority: ISSUER, clock, fetch };
  return {
    clock,
    posts,
    gets,
    next: (...answers) => void queue.push(...answers),
    confidential: (more) =>
      new ConfidentialClientApplication({ ...options, clientCredential: SECRET, ...more }),
    public: (more) => new PublicClientApplication({ ...options, ...more }),
    settle: (promise) => settle(clock, promise),
    refused: (promise) => failure(settle(clock, promise)),
  };
}
