/**
 * An access token as MSAL's JSON spells it.
 *
 * @module
 */

import { joinScopes, scopeKey, splitScopes } from "../request/scopes.ts";
import { type CachedToken, extendedKeyText } from "./cached_token.ts";

/** An entry of MSAL's JSON. */
export type JsonEntry = Readonly<Record<string, unknown>>;

const OIDC_SCOPES = ["openid", "profile", "offline_access", "email"];

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Epoch seconds, which MSAL writes as strings. */
function epochSeconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** What a token may do: without the scopes of the sign-in itself, unless there are no others. */
function scopesOf(target: string): readonly string[] {
  const scopes = splitScopes(target);
  const own = scopes.filter((scope) => !OIDC_SCOPES.includes(scope.toLowerCase()));
  return Object.freeze(own.length > 0 ? own : scopes);
}

/** An extended end that is no later than the end says nothing. */
function later(extended: number | undefined, expiresOn: number): number | undefined {
  return extended !== undefined && extended > expiresOn ? extended : undefined;
}

/** Extra components by name, as MSAL Node and MSAL.NET keep them. */
function componentsOf(entry: JsonEntry): Record<string, string> | undefined {
  const map = entry.additionalCacheKeyComponents ?? entry.ext;
  return typeof map === "object" && map !== null ? map as Record<string, string> : undefined;
}

/**
 * Reads an entry by its fields; its key is not believed.
 *
 * @param key The key it was found under, kept for writing.
 * @param entry The entry.
 * @returns The token, or `undefined` for an entry that is none.
 */
export function readTokenEntry(key: string, entry: JsonEntry): CachedToken | undefined {
  const expiresOn = epochSeconds(entry.expires_on);
  const [environment, clientId, target] = [
    text(entry.environment),
    text(entry.client_id),
    text(entry.target),
  ];
  if (text(entry.secret) === "" || environment === "" || expiresOn === undefined) return undefined;
  const components = componentsOf(entry);
  const extHash = text(entry.ext_cache_key);
  const extText = components === undefined ? "" : extendedKeyText(components);
  const token: CachedToken = {
    environment,
    clientId,
    realm: text(entry.realm),
    homeAccountId: text(entry.home_account_id),
    scopes: scopesOf(target),
    requestedKey: text(entry.requested_target) || undefined,
    tokenType: text(entry.token_type) || "Bearer",
    keyId: text(entry.key_id ?? entry.keyid ?? entry.kid),
    ext: extText !== "" ? `=${extText}` : extHash !== "" ? `#${extHash}` : "",
    extHash,
    secret: text(entry.secret),
    cachedAt: epochSeconds(entry.cached_at) ?? 0,
    // A day is the longest that we believe; a clock that is wrong makes no token for ever.
    expiresOn: Math.min(expiresOn, (epochSeconds(entry.cached_at) ?? 0) + 86_400),
    extendedExpiresOn: later(epochSeconds(entry.extended_expires_on), expiresOn),
    refreshOn: epochSeconds(entry.refresh_on),
    origin: { key, entry, bytes: 2 * JSON.stringify(entry).length },
  };
  // A control character separates the parts of identities, so nobody else may bring one.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const unfit = /[\u0000-\u001f]/.test(
    [environment, clientId, token.realm, token.homeAccountId, target].join(""),
  );
  return unfit || userAssertionHash(entry) !== "" ? undefined : token;
}

/** On-behalf-of tokens belong to an assertion; without one they must not be found. */
function userAssertionHash(entry: JsonEntry): string {
  return text(entry.userAssertionHash ?? entry.user_assertion_hash);
}

/** The key of an entry in MSAL Python's dialect. */
function entryKey(token: CachedToken, target: string): string {
  const type = token.extHash === "" ? "accesstoken" : "atext";
  const parts = [token.homeAccountId, token.environment, type, token.clientId, token.realm, target];
  return [...parts, ...(token.extHash === "" ? [] : [token.extHash])].join("-").toLowerCase();
}

/**
 * Writes an entry: in MSAL Python's dialect, or in the spelling it was read in.
 *
 * @param token The token.
 * @returns The entry's key and the entry.
 */
export function writeTokenEntry(token: CachedToken): [string, JsonEntry] {
  const { extendedExpiresOn, refreshOn, origin } = token;
  const { refresh_on: _refreshOn, requested_target: _requested, ...kept } = origin?.entry ?? {};
  // The spelling of others stays, with the scopes of the sign-in in it, as long as it says the same.
  const spelled = text(kept.target);
  const target = scopeKey(scopesOf(spelled)) === scopeKey(token.scopes) ? spelled : joinScopes(token.scopes);
  const entry = {
    credential_type: "AccessToken",
    home_account_id: token.homeAccountId || null,
    environment: token.environment,
    client_id: token.clientId,
    realm: token.realm,
    token_type: token.tokenType,
    ...(token.keyId !== "" && { key_id: token.keyId }),
    ...(token.extHash !== "" && { ext_cache_key: token.extHash }),
    ...kept,
    target,
    secret: token.secret,
    cached_at: String(token.cachedAt),
    expires_on: String(token.expiresOn),
    extended_expires_on: String(extendedExpiresOn ?? token.expiresOn),
    ...(refreshOn !== undefined && { refresh_on: String(refreshOn) }),
    ...(token.requestedKey !== undefined && { requested_target: token.requestedKey }),
  };
  return [origin?.key ?? entryKey(token, target), entry];
}
