/**
 * Claims of the application's own, in an assertion.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

const RESERVED = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];

/**
 * Checks the claims, and keeps them as they are now.
 *
 * @param claims The `clientClaims` option.
 * @returns Their JSON.
 * @throws {ClientConfigurationError} `invalid_client_credential` for one that the library sets itself; MSAL Python lets it win.
 */
export function readClientClaims(claims: unknown): string {
  const fail = (why: string): never => refuse("invalid_client_credential", "clientClaims", why);
  if (claims === undefined) return "{}";
  let json: string | undefined;
  try {
    json = JSON.stringify(claims);
  } catch {
    // A cycle, or a bigint.
  }
  if (json?.[0] !== "{") return fail("it must be an object that JSON can hold");
  const taken = RESERVED.filter((name) => Object.hasOwn(JSON.parse(json), name));
  return taken.length > 0 ? fail(`leave out what the library sets: ${taken}`) : json;
}
