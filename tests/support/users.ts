/**
 * Users for tests of the cache: what an answer brings for one, and a cache to put it into.
 *
 * @module
 */
import { type CacheError, type Store, TokenCache, type TokenCacheOptions } from "../../mod.ts";
import { type CacheCore, openerOf } from "../../src/cache/cache_core.ts";
import type { CachedToken } from "../../src/cache/cached_token.ts";
import type {
  CachedAccount,
  CachedIdToken,
  CachedRefreshToken,
  UserKey,
  UserTokens,
} from "../../src/cache/cached_user.ts";
import { ownerKey } from "../../src/cache/token_index.ts";
import type { IdTokenClaims } from "../../src/request/id_token_claims.ts";
import { type Entry, NOW } from "./documents.ts";
import { FakeClock } from "./fake_clock.ts";

/** The home account of most tests, as Entra names them. */
export const HOME = "1d5b8b4c-7d0c-4c43-8b5c-0f0c1b0e5a01.9f3c0de0-55ad-4b5f-9f0a-3b1d2c4e6f02";
/** Its tenant. */
export const UTID: string = HOME.split(".")[1]!;
/** Whose tokens {@linkcode userTokens} makes. */
export const USER: UserKey = {
  environment: "login.microsoftonline.com",
  clientId: "my_client",
  homeAccountId: HOME,
};

/** The owner of a user's entries. */
export function ownerOf({ environment, clientId, homeAccountId }: UserKey): string {
  return ownerKey(environment, clientId, homeAccountId);
}

/** The claims of an ID token. */
export function claims(over: Entry = {}): IdTokenClaims {
  return { iss: "issuer", sub: "subject", aud: "my_client", exp: NOW + 3600, iat: NOW, ...over };
}

/** An ID token with these claims; its signature is none. */
export function jwt(payload: unknown): string {
  return `header.${btoa(JSON.stringify(payload))}.signature`;
}

/** What a test changes of {@linkcode userTokens}. */
export interface UserTokensOver {
  readonly key?: Partial<UserKey>;
  readonly realm?: string;
  readonly accessToken?: Partial<CachedToken>;
  readonly refreshToken?: Partial<CachedRefreshToken> | null;
  readonly redeemed?: CachedRefreshToken;
  readonly claims?: Entry | null;
  readonly account?: Partial<CachedAccount> | null;
  readonly familyId?: string;
}

/** What an answer brings for a user; `null` leaves a part of it out. */
export function userTokens(over: UserTokensOver = {}): UserTokens {
  const key = { ...USER, ...over.key };
  const { realm = UTID } = over;
  const about = claims({ oid: "object1234", preferred_username: "John Doe", ...over.claims });
  const idToken: CachedIdToken = { ...key, realm, secret: jwt(about), claims: about };
  return {
    accessToken: {
      ...key,
      realm,
      scopes: ["s1", "s2", "s3"],
      tokenType: "Bearer",
      keyId: "",
      ext: "",
      extHash: "",
      secret: "an access token",
      cachedAt: NOW,
      expiresOn: NOW + 3600,
      ...over.accessToken,
    },
    refreshToken: over.refreshToken === null
      ? undefined
      : { ...key, secret: "a refresh token", target: "s1 s2 s3", lastModified: NOW, ...over.refreshToken },
    redeemed: over.redeemed,
    idToken: over.claims === null ? undefined : idToken,
    account: over.account === null ? undefined : {
      environment: key.environment,
      homeAccountId: key.homeAccountId,
      realm,
      localAccountId: "object1234",
      username: "John Doe",
      authorityType: "MSSTS",
      ...over.account,
    },
    familyId: over.familyId,
  };
}

/** A cache, opened as an application does. */
export interface OpenedCache {
  readonly tokenCache: TokenCache;
  readonly cache: CacheCore;
  readonly clock: FakeClock;
  readonly errors: CacheError[];
  /** Saves what an answer brought that was asked for now. */
  save(over?: UserTokensOver): Promise<void>;
  /** The secrets of a user's refresh tokens in memory, newest first. */
  secrets(key?: Partial<UserKey>): string[];
  /** What is in memory, as JSON. */
  sections(): Record<string, Record<string, Entry>>;
}

/** Opens a cache. */
export function openCache(
  options: TokenCacheOptions & { clock?: FakeClock; listUsers?: boolean; text?: string } = {},
): OpenedCache {
  const { clock = new FakeClock(), listUsers, text, ...rest } = options;
  const tokenCache = new TokenCache(rest);
  if (text !== undefined) tokenCache.deserialize(text);
  const errors: CacheError[] = [];
  const cache = openerOf(tokenCache)!(clock, (error) => errors.push(error), listUsers);
  return {
    tokenCache,
    cache,
    clock,
    errors,
    save: (over) => cache.users.save(userTokens(over), cache.users.removals, clock.now()),
    secrets: (key) =>
      cache.users.user(ownerOf({ ...USER, ...key }))?.refreshTokens.map(({ secret }) => secret) ?? [],
    sections: () => JSON.parse(tokenCache.serialize()),
  };
}

/** Several isolates over one store. */
export function isolates(store: Store, clock: FakeClock, listUsers = false): () => OpenedCache {
  return () => openCache({ store, clock, listUsers });
}
