/**
 * Cold calls over a store: a new application and a new cache for each, as in an isolate that has just begun.
 *
 * @module
 */
import {
  ConfidentialClientApplication,
  type GetOptions,
  type Store,
  systemClock,
  TokenCache,
  type TokenCacheOptions,
} from "../mod.ts";
import { openerOf } from "../src/cache/cache_core.ts";
import type { UserTokens } from "../src/cache/cached_user.ts";

export const CLIENT_ID = "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924";
export const TENANT = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
export const AUTHORITY: string = `https://login.microsoftonline.com/${TENANT}`;
export const SCOPES: string[] = ["user.read"];
const ENVIRONMENT = "login.microsoftonline.com";
/** What a store that others can read asks for. */
const SEAL = "7Yw2rM9kQx4vTnB6sHj3Lp8dZc5fGa1E";

/** What calls cost the store. */
export interface StoreTraffic {
  readonly reads: number;
  /** Of the values read, about: characters. */
  readonly bytes: number;
}

function userId(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
}

/** The home account id of a user of the measurement. */
export function homeId(index: number): string {
  return `${userId(index)}.${TENANT}`;
}

/** What an answer for a user brings: texts as long as Entra's. */
export function tokensOf(index: number): UserTokens {
  const now = Math.floor(Date.now() / 1000);
  const key = { environment: ENVIRONMENT, clientId: CLIENT_ID, homeAccountId: homeId(index) };
  const realm = TENANT;
  const username = `user${index}@contoso.example`;
  const claims = {
    iss: `${AUTHORITY}/v2.0`,
    aud: CLIENT_ID,
    sub: `subject ${index}`,
    oid: userId(index),
    tid: TENANT,
    preferred_username: username,
    iat: now,
    exp: now + 86_000,
  };
  const part = (value: unknown): string => btoa(JSON.stringify(value)).replaceAll("=", "");
  const rest = {
    tokenType: "Bearer",
    keyId: "",
    ext: "",
    extHash: "",
    cachedAt: now,
    expiresOn: now + 86_000,
  };
  return {
    accessToken: { ...key, ...rest, realm, scopes: SCOPES, secret: `${index}.${"x".repeat(1_300)}` },
    refreshToken: { ...key, secret: `${index}.${"r".repeat(1_000)}`, target: "user.read", lastModified: now },
    idToken: {
      ...key,
      realm,
      secret: `${part({ alg: "RS256" })}.${part(claims)}.${"s".repeat(342)}`,
      claims,
    },
    account: {
      ...key,
      realm,
      localAccountId: userId(index),
      username,
      authorityType: "MSSTS",
      clientInfo: part({ uid: userId(index), utid: TENANT }),
    },
  };
}

function cacheOver(store: Store): TokenCache {
  const options: TokenCacheOptions = {
    store,
    ...(store.requiresSeal === true && { seal: SEAL }),
  };
  return new TokenCache(options);
}

/** Signs users in, as far as the store can tell. */
export async function fillStore(store: Store, from: number, to: number): Promise<void> {
  const { users } = openerOf(cacheOver(store))!(systemClock, (error) => {
    throw error;
  });
  for (let index = from; index < to; index++) await users.save(tokensOf(index), users.removals, Date.now());
}

function counted(store: Store): { store: Store; traffic: { reads: number; bytes: number } } {
  const traffic = { reads: 0, bytes: 0 };
  const get = async (key: string, options?: GetOptions) => {
    const stored = await store.get(key, options);
    traffic.reads++;
    traffic.bytes += stored?.value.length ?? 0;
    return stored;
  };
  const { cas, requiresSeal = false } = store;
  const [set, remove] = [store.set.bind(store), store.delete.bind(store)];
  return { store: { cas, requiresSeal, get, set, delete: remove }, traffic };
}

/**
 * Asks for the tokens of users who signed in elsewhere.
 *
 * @param over The store.
 * @param accounts How many users there are: one after the other is asked for.
 * @param calls How often.
 * @returns What that cost the store.
 */
export async function coldHits(over: Store, accounts: number, calls: number): Promise<StoreTraffic> {
  const { store, traffic } = counted(over);
  for (let call = 0; call < calls; call++) {
    const app = new ConfidentialClientApplication({
      clientId: CLIENT_ID,
      authority: AUTHORITY,
      clientCredential: "not-used",
      tokenCache: cacheOver(store),
      fetch: () => Promise.reject(new Error("A hit must not send anything")),
    });
    const account = homeId((call * 7) % accounts);
    const { accessToken } = await app.acquireTokenSilent({ account, scopes: SCOPES });
    if (!accessToken.startsWith(`${(call * 7) % accounts}.`)) throw new Error("somebody else's token");
  }
  return traffic;
}
