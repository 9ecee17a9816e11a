/**
 * Which scopes may be asked for, RFC 6749 section 3.3.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const RESERVED = /^(?:openid|profile|offline_access)$/;

function fail(why: string): never {
  refuse("invalid_scopes", "scopes", why);
}

/**
 * Checks the `scopes` of a request.
 *
 * @param scopes What the caller gave.
 * @throws {ClientConfigurationError} `invalid_scopes` for anything but an array of scope tokens, and for the scopes that
 * the library adds where they belong.
 */
export function requireScopes(scopes: unknown): asserts scopes is readonly string[] {
  if (!Array.isArray(scopes)) fail('they must be an array, such as ["<API>/.default"]');
  for (const scope of scopes) {
    if (typeof scope !== "string" || !SCOPE_TOKEN.test(scope)) {
      fail("each must be one scope, without spaces or quotes");
    }
    if (RESERVED.test(scope)) {
      fail(`${scope} is reserved: leave it out`);
    }
  }
}

/**
 * Checks the scopes of an app token: Entra takes one `<API>/.default` and nothing else; other issuers decide themselves.
 *
 * @param scopes Scopes that {@linkcode requireScopes} passed.
 * @param isEntra Whether the authority is Entra's.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow | Client credentials}
 */
export function requireDefaultScope(scopes: readonly string[], isEntra: boolean): void {
  if (isEntra && !(scopes.length === 1 && scopes[0]?.endsWith("/.default"))) {
    fail('an app token takes exactly one, "<API>/.default"');
  }
}

/**
 * Makes the text under which a scope set is looked up: neither order nor case matter.
 *
 * @param scopes The scopes.
 * @returns The scopes in lower case, sorted by code point, joined by one space.
 */
export function scopeKey(scopes: readonly string[]): string {
  return joinScopes(scopes.map((scope) => scope.toLowerCase()));
}

/**
 * Writes scopes as `scope` of a request and as `target` of a cache entry.
 *
 * @param scopes The scopes.
 * @returns The distinct scopes, sorted by code point, joined by one space.
 */
export function joinScopes(scopes: readonly string[]): string {
  return [...new Set(scopes)].sort().join(" ");
}

/** Splits a `scope` or `target` text. */
export function splitScopes(text: string): string[] {
  return text.split(" ").filter(Boolean);
}
