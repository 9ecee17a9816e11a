/**
 * An access token as MSAL's JSON spells it.
 *
 * @module
 */

import { cacheHostOf, foldEnvironment } from "../authority/known_clouds.ts";
import { joinScopes, scopeKey, splitScopes } from "../request/scopes.ts";
import { type CachedToken, type EntryOrigin, extendedKeyText } from "./cached_token.ts";
import { componentsOf } from "./extended_key.ts";
import { realmKey } from "./token_index.ts";

/** An entry of MSAL's JSON. */
export type JsonEntry = Readonly<Record<string, unknown>>;

/** Whose spelling new entries get: MSAL Python's, MSAL Node's, or for app tokens both. */
export type Dialect = "python" | "node" | "both";

/** An entry and its key. */
export type KeyedEntry = [key: string, entry: JsonEntry];

/** Extra components that nobody can tell. */
export const UNKNOWN_EXT = "#unknown";

const OIDC_SCOPES = ["openid", "profile", "offline_access", "email"];

/** The text, or an empty one for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Epoch seconds, which MSAL writes as strings; none that no date can have. */
export function epochSeconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  const fits = typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 1e12;
  return fits ? number : undefined;
}

/** What a token may do: without the scopes of the sign-in itself, unless there are no others. */
function scopesOf(target: string): readonly string[] {
  const scopes = splitScopes(target);
  const own = scopes.filter((scope) => !OIDC_SCOPES.includes(scope.toLowerCase()));
  return Object.freeze(own.length > 0 ? own : scopes);
}

/** Texts that are part of an identity: where one is of another type, nothing is known of the entry's identity. */
const IDENTITY = /* @__PURE__ */
  "environment client_id realm home_account_id target token_type credential_type key_id keyid kid ext_cache_key"
    .split(" ");

/**
 * Whether nothing but texts stands in some places of an entry, if anything does.
 *
 * @param entry The entry.
 * @param names The places. They are part of an identity, so a control character, which separates its parts, is no text.
 */
export function areTexts(entry: JsonEntry, names: readonly string[]): boolean {
  return names.every((name) => {
    const text = entry[name] ?? "";
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    return typeof text === "string" && !/[\u0000-\u001f]/.test(text);
  });
}

/** Where an entry was read from. */
export function originOf(key: string, entry: JsonEntry): EntryOrigin {
  return { key, entry, bytes: 2 * (key.length + JSON.stringify(entry).length) };
}

/** The extra components, as MSAL Node and MSAL.NET keep them; a text of another MSAL's hash counts, too. */
function extOf(entry: JsonEntry): string {
  const maps = [entry.additionalCacheKeyComponents, entry.ext].filter((map) =>
    map !== undefined && map !== null
  );
  const text = extendedKeyText(Object.fromEntries(maps.flatMap((map) => Object.entries(map as object))));
  if (
    maps.some((map) =>
      typeof map !== "object" || Object.values(map).some((value) => typeof value !== "string")
    )
  ) {
    return UNKNOWN_EXT;
  }
  const hash = textOf(entry.ext_cache_key);
  if (text !== "") return `=${text}`;
  return maps.some((map) => Object.keys(map as object).length > 0) ? UNKNOWN_EXT : hash && `#${hash}`;
}

/** Whether MSAL Node wrote an entry, whose extended end is later by the whole life of the token. */
function isNodes(
  key: string,
  { target, additionalCacheKeyComponents: map, key_id: bound }: JsonEntry,
): boolean {
  // A key's id may end in anything.
  return !bound && (Boolean(map) || key.endsWith(textOf(target) === "" ? "--" : "-"));
}

/**
 * Reads an entry by its fields; its key is not believed.
 *
 * @param key The key it was found under, kept for writing.
 * @param entry The entry.
 * @returns The token; `"foreign"` for an entry that only others can use; `undefined` for one that is no token.
 */
export function readTokenEntry(key: string, entry: JsonEntry): CachedToken | "foreign" | undefined {
  const expiresOn = epochSeconds(entry.expires_on);
  const [environment, target, type] = [
    textOf(entry.environment),
    textOf(entry.target),
    textOf(entry.credential_type),
  ];
  if (
    !areTexts(entry, IDENTITY) || textOf(entry.secret) === "" || environment === "" || expiresOn === undefined
  ) return undefined;
  if (type !== "" && !type.startsWith("AccessToken")) return undefined;
  // On-behalf-of tokens belong to an assertion; without one they must not be found.
  if (entry.userAssertionHash || entry.user_assertion_hash) return "foreign";
  const cachedAt = epochSeconds(entry.cached_at);
  const sum = isNodes(key, entry) && cachedAt ? expiresOn - cachedAt : 0;
  const extendedExpiresOn = (epochSeconds(entry.extended_expires_on) ?? 0) - sum;
  return {
    environment,
    clientId: textOf(entry.client_id),
    realm: textOf(entry.realm),
    homeAccountId: textOf(entry.home_account_id),
    scopes: scopesOf(target),
    question: typeof entry.requested_target === "string" ? entry.requested_target : undefined,
    tokenType: textOf(entry.token_type) || "Bearer",
    keyId: textOf(entry.key_id) || textOf(entry.keyid) || textOf(entry.kid),
    ext: extOf(entry),
    extHash: textOf(entry.ext_cache_key),
    secret: textOf(entry.secret),
    cachedAt: cachedAt ?? 0,
    // A day is the longest that we believe; without a beginning it is judged when it is looked up.
    expiresOn: cachedAt ? Math.min(expiresOn, cachedAt + 86_400) : expiresOn,
    // An extended end that is no later than the end says nothing.
    extendedExpiresOn: extendedExpiresOn > expiresOn ? extendedExpiresOn : undefined,
    refreshOn: epochSeconds(entry.refresh_on),
    origin: originOf(key, entry),
  };
}

/** The path of a federated managed identity, for which a token may be removed though the rest is known by hash alone. */
function pathOf({ ext }: CachedToken): string | undefined {
  return ext.startsWith("=") ? Object.fromEntries(componentsOf(ext.slice(1))).fmi_path : undefined;
}

/** The key of a new entry, and its members that say whose token it is. */
function identityIn(token: CachedToken, dialect: Dialect, target: string): KeyedEntry {
  const { homeAccountId, clientId, realm, tokenType, keyId, ext, extHash } = token;
  const isNode = dialect === "node";
  const environment = isNode ? cacheHostOf(token.environment) : token.environment;
  const tenant = isNode ? realmKey(token) : realm;
  const scheme = tokenType.toLowerCase();
  const isBound = keyId !== "";
  const credentialType = isNode && isBound ? "AccessToken_With_AuthScheme" : "AccessToken";
  const type = isNode || extHash === "" ? credentialType : "atext";
  const ends = [...(isNode ? [scheme === "bearer" ? "" : scheme] : []), ...(extHash === "" ? [] : [extHash])];
  const key = [homeAccountId, environment, type, clientId, tenant, target, ...ends].join("-").toLowerCase();
  return [
    // The case of a key's id counts.
    isBound ? `${key}-${keyId}` : key,
    {
      credential_type: credentialType,
      home_account_id: homeAccountId || (isNode ? "" : null),
      environment,
      client_id: clientId,
      realm: tenant,
      token_type: tokenType,
      ...(isBound && { key_id: keyId }),
      ...(extHash !== "" && { ext_cache_key: extHash }),
      ...(isNode && ext && { additionalCacheKeyComponents: Object.fromEntries(componentsOf(ext.slice(1))) }),
      ...(!isNode && pathOf(token) !== undefined && { fmi_path: pathOf(token) }),
    },
  ];
}

/** Writes a token as a new entry, or in the spelling of one that there is. */
function spell(token: CachedToken, origin: EntryOrigin | undefined, dialect: Dialect): KeyedEntry {
  const { cachedAt, expiresOn, extendedExpiresOn = expiresOn, refreshOn } = token;
  const { refresh_on: _refreshOn, requested_target: _question, ...kept } = origin?.entry ?? {};
  // The spelling of others stays, with the scopes of the sign-in in it, as long as it says the same.
  const spelled = textOf(kept.target);
  const target = scopeKey(scopesOf(spelled)) === scopeKey(token.scopes) ? spelled : joinScopes(token.scopes);
  const [key, identity] = identityIn(token, dialect, target);
  const isNode = origin ? isNodes(origin.key, kept) : dialect === "node" && token.keyId === "";
  const sum = isNode && cachedAt && extendedExpiresOn > expiresOn ? expiresOn - cachedAt : 0;
  const isSame = kept.secret === token.secret && epochSeconds(kept.expires_on) === expiresOn;
  const known = isSame ? epochSeconds(kept.extended_expires_on) : undefined;
  const extended = String(known ?? extendedExpiresOn + sum);
  const entry = {
    ...(origin ? kept : identity),
    target,
    secret: token.secret,
    cached_at: String(cachedAt),
    expires_on: String(expiresOn),
    extended_expires_on: extended,
    // MSAL.NET says it twice.
    ...(kept.ext_expires_on !== undefined && { ext_expires_on: extended }),
    ...(refreshOn !== undefined && { refresh_on: String(refreshOn) }),
    ...(token.question !== undefined && { requested_target: token.question }),
  };
  return [origin?.key ?? key, entry];
}

/**
 * Writes a token: in a dialect, or in the spelling it was read in.
 *
 * @param token The token.
 * @param dialect The dialect of new entries.
 * @returns The entry and its key; two where MSAL Python and MSAL Node would each miss the other's.
 */
export function writeTokenEntry(token: CachedToken, dialect: Dialect): KeyedEntry[] {
  const { origin, ext, extHash, homeAccountId } = token;
  const places = origin ? [origin, ...origin.twins ?? []] : [];
  // Without the components MSAL Node would take a token for a plain one, and MSAL Python without their hash.
  const isKnown = ext === "" || ext.startsWith("=") && extHash !== "";
  const isTwofold = dialect === "both" && homeAccountId === "" && isKnown;
  const placeOf = (one: Dialect): EntryOrigin | undefined =>
    places.find(({ entry }) => (entry.home_account_id === "") === (one === "node"));
  if (!isTwofold) {
    const one = isKnown ? dialect : "python";
    return [spell(token, placeOf(one) ?? origin, one)];
  }
  return (["python", "node"] as const).map((one) => {
    const place = placeOf(one);
    // What was read from MSAL Node's entry has the host of that.
    const environment = place === undefined && origin
      ? foldEnvironment(token.environment)
      : token.environment;
    return spell({ ...token, environment }, place, one);
  });
}
