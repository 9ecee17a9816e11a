/**
 * Which scopes may be asked for, RFC 6749 section 3.3.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const RESERVED: readonly string[] = ["openid", "profile", "offline_access"];
/** The names of Microsoft Graph, in every cloud; a scope without a resource is Graph's, too. */
const GRAPH =
  /^https:\/\/(?:(?:dod-)?graph\.microsoft\.\w+|microsoftgraph\.chinacloudapi\.cn)$|^00000003-0000-0000-c000-000000000000$|^$/;

function fail(why: string, option = "scopes"): never {
  refuse("invalid_scopes", option, why);
}

/**
 * Checks a list of scopes: the library adds the reserved ones where they belong.
 *
 * @param scopes What the caller gave.
 * @param option The request member's name, for the error.
 * @param reserved The scopes that must not be among them.
 * @throws {ClientConfigurationError} `invalid_scopes`.
 */
export function requireScopeTokens(
  scopes: unknown,
  option = "scopes",
  reserved: readonly string[] = RESERVED,
): asserts scopes is readonly string[] {
  if (!Array.isArray(scopes)) fail('they must be an array, such as ["<API>/.default"]', option);
  for (const scope of scopes) {
    if (typeof scope !== "string" || !SCOPE_TOKEN.test(scope)) {
      fail("each must be one scope, without spaces or quotes", option);
    }
    if (reserved.includes(scope)) fail(`${scope} is reserved: leave it out`, option);
  }
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
  requireScopeTokens(scopes);
  if (isEntra && !(scopes.length === 1 && /.\/\.default$/.test(scopes[0] ?? ""))) {
    fail('an app token takes exactly one, "<API>/.default"');
  }
}

/** The resource that a scope of Entra's belongs to, such as `api://<id>`; empty for Graph. A client id is its own. */
function resourceOf(scope: string): string {
  const resource = scope.slice(0, Math.max(scope.lastIndexOf("/"), 0)).toLowerCase();
  const own = resource === "" && /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(scope) ? scope.toLowerCase() : resource;
  const name = own.replace(/^api:\/\//, "").replace(/(.)\/$/, "$1");
  return GRAPH.test(name) ? "" : name;
}

/**
 * Checks the `scopes` of a user's token. Other issuers than Entra decide themselves which go together.
 *
 * @param scopes What the caller gave; possibly none.
 * @param isEntra Whether the authority is Entra's, where a token is for one resource.
 * @throws {ClientConfigurationError} `invalid_scopes`.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc | Scopes}
 */
export function requireUserScopes(scopes: unknown, isEntra: boolean): asserts scopes is readonly string[] {
  requireScopeTokens(scopes);
  // One scope is the common case, and the hit path.
  if (!isEntra || scopes.length < 2) return;
  if (new Set(scopes.map(resourceOf)).size > 1) {
    fail("a token is for one API: put other APIs' into extraScopesToConsent");
  }
  const keys = new Set(scopes.map((scope) => scope.toLowerCase()));
  if (keys.size > 1 && [...keys].some((key) => /(?:^|\/)\.default$/.test(key))) {
    fail(".default stands for all of an API's: ask for it alone");
  }
}

/**
 * Takes the scopes of the sign-in away: what is left tells what an access token may do.
 *
 * @param scopes The scopes granted.
 * @returns The others; all of them where there are no others.
 */
export function withoutSignInScopes(scopes: readonly string[]): readonly string[] {
  const others = scopes.filter((scope) => !/^(?:openid|profile|offline_access|email)$/i.test(scope));
  return others.length > 0 ? others : scopes;
}

/**
 * Adds what a sign-in needs: an ID token, the profile, and a refresh token.
 *
 * @param scopes The scopes, checked.
 * @param exclude Which of the added ones to leave out: the `excludeScopes` option.
 * @returns The distinct scopes, case ignored, sorted by code point.
 */
export function decorateScopes(scopes: readonly string[], exclude: readonly string[] = []): string[] {
  // The reserved ones come first, and the first spelling is kept.
  const distinct = new Map<string, string>();
  for (const scope of [...RESERVED, ...scopes]) {
    const key = scope.toLowerCase();
    if (!distinct.has(key)) distinct.set(key, scope);
  }
  return [...distinct.values()].filter((scope) => !exclude.includes(scope)).sort();
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
