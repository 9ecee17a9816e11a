/**
 * An access token as the cache knows it, and as MSAL's JSON spells it.
 *
 * @module
 */

import { splitScopes } from "../request/scopes.ts";

/** An entry of MSAL's JSON. */
export type JsonEntry = Readonly<Record<string, unknown>>;

/** A cached access token. Times are epoch seconds; absent texts are empty. */
export interface CachedToken {
  /** The authority's host as it was configured. */
  readonly environment: string;
  /** The client id, in its own case. */
  readonly clientId: string;
  /** The tenant. */
  readonly realm: string;
  /** The user's home account; empty for an app token. */
  readonly homeAccountId: string;
  /** The scopes granted. */
  readonly scopes: readonly string[];
  /** The scope key that was asked for, where the grant differs from it. */
  readonly requestedKey?: string | undefined;
  /** The token type. */
  readonly tokenType: string;
  /** The id of the key that the token is bound to. */
  readonly keyId: string;
  /** Extra components: `=` and their text where it is known, `#` and its hash where only that is. */
  readonly ext: string;
  /** The hash of the extra components. */
  readonly extHash: string;
  /** The token. */
  readonly secret: string;
  /** When it was asked for. */
  readonly cachedAt: number;
  /** When it ends. */
  readonly expiresOn: number;
  /** Until when it may serve in an outage. */
  readonly extendedExpiresOn?: number | undefined;
  /** When a new one should be asked for. */
  readonly refreshOn?: number | undefined;
  /** The entry it was read from: its key and spelling are kept. */
  readonly origin?: { readonly key: string; readonly entry: JsonEntry } | undefined;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Epoch seconds, which MSAL writes as strings. */
function epochSeconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
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
 * Joins extra components as MSAL Python and MSAL Go do before hashing.
 *
 * @param components The components by name; empty ones do not count.
 * @returns Name and value of each, sorted by name, each preceded by its length in UTF-8 bytes; empty for none.
 */
export function extendedKeyText(components: Readonly<Record<string, unknown>>): string {
  const length = (part: string): number => new TextEncoder().encode(part).length;
  return Object.entries(components)
    .filter((pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "")
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => `${length(name)}:${name}${length(value)}:${value}`)
    .join("");
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
    scopes: splitScopes(target),
    requestedKey: text(entry.requested_target) || undefined,
    tokenType: text(entry.token_type) || "Bearer",
    keyId: text(entry.key_id ?? entry.keyid ?? entry.kid),
    ext: extText !== "" ? `=${extText}` : extHash !== "" ? `#${extHash}` : "",
    extHash,
    secret: text(entry.secret),
    cachedAt: epochSeconds(entry.cached_at) ?? 0,
    expiresOn,
    extendedExpiresOn: later(epochSeconds(entry.extended_expires_on), expiresOn),
    refreshOn: epochSeconds(entry.refresh_on),
    origin: { key, entry },
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
  const target = [...token.scopes].sort().join(" ");
  const { extendedExpiresOn, refreshOn } = token;
  const { refresh_on: _refreshOn, requested_target: _requested, ...kept } = token.origin?.entry ?? {};
  const entry = {
    credential_type: "AccessToken",
    home_account_id: token.homeAccountId || null,
    environment: token.environment,
    client_id: token.clientId,
    realm: token.realm,
    target,
    token_type: token.tokenType,
    ...(token.keyId !== "" && { key_id: token.keyId }),
    ...(token.extHash !== "" && { ext_cache_key: token.extHash }),
    ...kept,
    secret: token.secret,
    cached_at: String(token.cachedAt),
    expires_on: String(token.expiresOn),
    extended_expires_on: String(extendedExpiresOn ?? token.expiresOn),
    ...(refreshOn !== undefined && { refresh_on: String(refreshOn) }),
    ...(token.requestedKey !== undefined && { requested_target: token.requestedKey }),
  };
  return [token.origin?.key ?? entryKey(token, target), entry];
}
