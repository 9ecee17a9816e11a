/**
 * Which scopes may be asked for, RFC 6749 section 3.3.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

function fail(why: string): never {
  refuse("invalid_scopes", "scopes", why);
}

/**
 * Checks the `scopes` of an app token. Entra takes one `<API>/.default` and nothing else; other issuers decide themselves.
 *
 * @param scopes What the caller gave.
 * @param isEntra Whether the authority is Entra's.
 * @throws {ClientConfigurationError} `invalid_scopes` for anything but an array of scope tokens, and for the scopes that
 * the library adds where they belong.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow | Client credentials}
 */
export function requireScopes(scopes: unknown, isEntra: boolean): asserts scopes is readonly string[] {
  if (!Array.isArray(scopes)) fail('they must be an array, such as ["<API>/.default"]');
  for (const scope of scopes) {
    if (typeof scope !== "string" || !SCOPE_TOKEN.test(scope)) {
      fail("each must be one scope, without spaces or quotes");
    }
    if (scope === "openid" || scope === "profile" || scope === "offline_access") {
      fail(`${scope} is reserved: leave it out`);
    }
  }
  if (isEntra && !(scopes.length === 1 && /.\/\.default$/.test(scopes[0]))) {
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
  const [first, second] = scopes;
  // The common case needs no sorting.
  return second === undefined
    ? (first ?? "").toLowerCase()
    : joinScopes(scopes.map((scope) => scope.toLowerCase()));
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
