/**
 * What the cache knows of a user as MSAL's JSON spells it, beside access tokens.
 *
 * @module
 */

import { cacheHostOf } from "../authority/known_clouds.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import type { EntryOrigin } from "./cached_token.ts";
import type { CachedAccount, CachedApp, CachedIdToken, CachedRefreshToken } from "./cached_user.ts";
import {
  areTexts,
  type Dialect,
  epochSeconds,
  type JsonEntry,
  type KeyedEntry,
  originOf,
  textOf,
} from "./msal_entry.ts";

const IDENTITY = /* @__PURE__ */ "credential_type home_account_id environment client_id realm family_id"
  .split(" ");

/** What an entry says that is of this type and has these texts; anything else is for others to understand. */
function readTexts(entry: JsonEntry, type: string, required: string): Record<string, string> | undefined {
  const isOurs = ["", type].includes(textOf(entry.credential_type)) && areTexts(entry, IDENTITY) &&
    required.split(" ").every((name) => textOf(entry[name]) !== "");
  // What came on behalf of a user belongs to an assertion; without one it must not be found.
  if (!isOurs || entry.userAssertionHash || entry.user_assertion_hash) return undefined;
  return {
    environment: textOf(entry.environment),
    clientId: textOf(entry.client_id),
    homeAccountId: textOf(entry.home_account_id),
    realm: textOf(entry.realm),
    secret: textOf(entry.secret),
  };
}

/** The claims of an ID token that was validated before it was stored; `undefined` where they are none. */
function claimsOf(idToken: string): IdTokenClaims | undefined {
  try {
    const binary = atob((idToken.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Frozen to the ground: callers get it, and must not change what others get.
    const claims = JSON.parse(text, (_, inner) => Object.freeze(inner));
    const { aud, exp, iat } = claims;
    const audience: unknown[] = Array.isArray(aud) ? aud : [aud];
    const texts = [claims.iss, claims.sub, ...audience];
    const shown = ["tid", "oid", "name", "preferred_username"].map((name) => claims[name] ?? "");
    const fits = texts.every((text) => typeof text === "string" && text !== "") &&
      shown.every((text) => typeof text === "string") && Number.isFinite(exp) && Number.isFinite(iat);
    return fits ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a new entry; or the one it was read from, with what is new in it. */
function spell(
  origin: EntryOrigin | undefined,
  identity: JsonEntry,
  fresh: Readonly<Record<string, string | undefined>>,
): JsonEntry {
  const entry: Record<string, unknown> = { ...(origin?.entry ?? identity) };
  for (const [name, value] of Object.entries(fresh)) {
    const old = entry[name];
    const same = value === (typeof old === "number" ? `${old}` : textOf(old));
    if (value !== undefined && (!same || origin === undefined)) entry[name] = value;
  }
  return entry;
}

/** The host, and how a key ends. */
function placeIn(
  dialect: Dialect,
  environment: string,
  python: string[],
  node: string[],
): [environment: string, end: string[]] {
  return dialect === "node" ? [cacheHostOf(environment), node] : [environment, python];
}

function keyOf(...parts: string[]): string {
  return parts.join("-").toLowerCase();
}

/** Reads an `Account` entry by its fields. */
export function readAccount(key: string, entry: JsonEntry): CachedAccount | "foreign" {
  const texts = readTexts(entry, "", "home_account_id environment");
  if (texts === undefined) return "foreign";
  const { environment = "", homeAccountId = "", realm = "" } = texts;
  return {
    environment,
    homeAccountId,
    realm,
    localAccountId: textOf(entry.local_account_id),
    username: textOf(entry.username),
    name: textOf(entry.name) || undefined,
    authorityType: textOf(entry.authority_type),
    accountSource: textOf(entry.account_source) || undefined,
    clientInfo: textOf(entry.client_info) || undefined,
    onBehalfOf: textOf(entry.on_behalf_of) || undefined,
    origin: originOf(key, entry),
  };
}

/** Writes an `Account` entry. */
export function writeAccount(account: CachedAccount): KeyedEntry {
  const { homeAccountId, environment, realm, authorityType, origin } = account;
  const entry = spell(origin, {
    home_account_id: homeAccountId,
    environment,
    realm,
    authority_type: authorityType,
  }, {
    local_account_id: account.localAccountId,
    username: account.username,
    name: account.name,
    account_source: account.accountSource,
    client_info: account.clientInfo,
    on_behalf_of: account.onBehalfOf,
  });
  return [origin?.key ?? keyOf(homeAccountId, environment, realm), entry];
}

/** Reads an `IdToken` entry by its fields. */
export function readIdToken(key: string, entry: JsonEntry): CachedIdToken | "foreign" {
  const texts = readTexts(entry, "IdToken", "home_account_id environment client_id secret");
  const claims = texts && claimsOf(textOf(texts.secret));
  if (claims === undefined) return "foreign";
  const { environment = "", clientId = "", homeAccountId = "", realm = "", secret = "" } = texts ?? {};
  return { environment, clientId, homeAccountId, realm, secret, claims, origin: originOf(key, entry) };
}

/** Writes an `IdToken` entry. */
export function writeIdToken(token: CachedIdToken, dialect: Dialect): KeyedEntry[] {
  const { homeAccountId, clientId, realm, secret, origin } = token;
  const [environment, end] = placeIn(dialect, token.environment, [""], ["", ""]);
  const entry = spell(origin, {
    credential_type: "IdToken",
    home_account_id: homeAccountId,
    environment,
    client_id: clientId,
    realm,
  }, { secret });
  return [[origin?.key ?? keyOf(homeAccountId, environment, "idtoken", clientId, realm, ...end), entry]];
}

/** Reads a `RefreshToken` entry by its fields. */
export function readRefreshToken(key: string, entry: JsonEntry): CachedRefreshToken | "foreign" {
  const texts = readTexts(entry, "RefreshToken", "home_account_id environment client_id secret");
  if (texts === undefined) return "foreign";
  const { environment = "", clientId = "", homeAccountId = "", secret = "" } = texts;
  return {
    environment,
    clientId,
    homeAccountId,
    secret,
    target: textOf(entry.target),
    familyId: textOf(entry.family_id) || undefined,
    lastModified: epochSeconds(entry.last_modification_time) ?? 0,
    expiresOn: epochSeconds(entry.expires_on),
    origin: originOf(key, entry),
  };
}

/** Writes a `RefreshToken` entry. MSAL Node's have no target; the time is ours there, to know which one is newer. */
export function writeRefreshToken(token: CachedRefreshToken, dialect: Dialect): KeyedEntry[] {
  const { homeAccountId, clientId, target, familyId, lastModified, expiresOn } = token;
  const isNode = dialect === "node";
  const [environment, end] = placeIn(dialect, token.environment, ["", target], ["", "", ""]);
  const { expires_on: _, ...kept } = token.origin?.entry ?? {};
  const origin = token.origin &&
    { ...token.origin, entry: expiresOn === undefined ? kept : token.origin.entry };
  const entry = spell(origin, {
    credential_type: "RefreshToken",
    home_account_id: homeAccountId,
    environment,
    client_id: clientId,
    ...(!isNode && { target }),
  }, {
    secret: token.secret,
    last_modification_time: lastModified ? `${lastModified}` : undefined,
    expires_on: expiresOn?.toString(),
    family_id: familyId,
  });
  const holder = isNode && familyId || clientId;
  return [[origin?.key ?? keyOf(homeAccountId, environment, "refreshtoken", holder, ...end), entry]];
}

/** Reads an `AppMetadata` entry by its fields. */
export function readApp(key: string, entry: JsonEntry): CachedApp | "foreign" {
  const texts = readTexts(entry, "", "environment client_id");
  if (texts === undefined) return "foreign";
  const { environment = "", clientId = "" } = texts;
  return { environment, clientId, familyId: textOf(entry.family_id), origin: originOf(key, entry) };
}

/** Writes an `AppMetadata` entry: in MSAL Python's dialect the key keeps the client id's case, in MSAL Node's it is a family's. */
export function writeApp(app: CachedApp, dialect: Dialect): KeyedEntry[] {
  const { clientId, familyId, origin } = app;
  const isNode = dialect === "node";
  if (isNode && familyId === "" && origin === undefined) return [];
  const [environment] = placeIn(dialect, app.environment, [], []);
  const entry = spell(origin, { client_id: clientId, environment }, { family_id: familyId || undefined });
  const key = `appmetadata-${environment}-${clientId}`;
  return [[origin?.key ?? (isNode ? key.toLowerCase() : key), entry]];
}
