/**
 * What the tokens of one request are bound to.
 *
 * @module
 */
import type { Json } from "./token_parts.ts";

/** How the tokens of a request are bound. */
export interface TokenBinding {
  readonly tokenType: "Bearer" | "DPoP" | "pop";
  /** The `cnf` claim, if they are bound. */
  readonly confirmation?: Json;
  /** The thumbprint of the DPoP key. */
  readonly jkt?: string;
  /** Whether the client proved itself with an assertion and not with a secret. */
  readonly byAssertion: boolean;
}

/** What tokens are bound to that no request asks for. */
export const UNBOUND: TokenBinding = { tokenType: "Bearer", byAssertion: false };
