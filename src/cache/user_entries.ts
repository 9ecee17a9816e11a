/**
 * How what is new of a user takes the place of what is known.
 *
 * @module
 */

import type { CachedAccount, CachedIdToken, CachedRefreshToken, UserKey, UserTokens } from "./cached_user.ts";
import { ownerKey, realmKey } from "./token_index.ts";

/** Somebody else's clock may be ahead by this; what claims to be newer than that is not believed. */
const CLOCK_SKEW_SECONDS = 300;

/** Lists of what is known of one user. */
export interface UserChange {
  /** Accounts, each in the place of the one of its realm. */
  readonly accounts?: readonly CachedAccount[];
  /** ID tokens, each in the place of the one of its realm. */
  readonly idTokens?: readonly CachedIdToken[];
  /** The refresh tokens, in the place of all that are known. */
  readonly refreshTokens?: readonly CachedRefreshToken[];
}

/** What is known of one user. */
export interface UserEntries {
  /** The accounts by realm. */
  readonly accounts: ReadonlyMap<string, CachedAccount>;
  /** The ID tokens by realm. */
  readonly idTokens: ReadonlyMap<string, CachedIdToken>;
  /** The refresh tokens, newest first. */
  readonly refreshTokens: readonly CachedRefreshToken[];
}

/** A client id that no client has, for accounts of which no client is known; with a family's id behind it, for that. */
export const NO_CLIENT = "\t";

/** The owner of a user's entries. */
export function ownerOf({ environment, clientId, homeAccountId }: UserKey): string {
  return ownerKey(environment, clientId, homeAccountId);
}

/** The same user for another client. */
export function withClient(
  { environment, homeAccountId }: Omit<UserKey, "clientId">,
  clientId: string,
): UserKey {
  return { environment, clientId, homeAccountId };
}

/** Who keeps a refresh token: its client, or the whole family, which is kept like a client. */
export function holderOf(token: CachedRefreshToken): UserKey {
  return withClient(token, token.familyId ? NO_CLIENT + token.familyId : token.clientId);
}

/** Puts a change on top of what is known. */
export function mergeEntries(
  old: UserEntries | undefined,
  { accounts = [], idTokens = [], refreshTokens = old?.refreshTokens ?? [] }: UserChange,
): UserEntries {
  const merged = { accounts: new Map(old?.accounts), idTokens: new Map(old?.idTokens) };
  for (const account of accounts) {
    const realm = realmKey(account);
    const known = merged.accounts.get(realm);
    merged.accounts.set(realm, {
      ...account,
      accountSource: account.accountSource ?? known?.accountSource,
      clientInfo: account.clientInfo ?? known?.clientInfo,
      origin: account.origin ?? known?.origin,
    });
  }
  for (const token of idTokens) {
    const realm = realmKey(token);
    merged.idTokens.set(realm, { ...token, origin: token.origin ?? merged.idTokens.get(realm)?.origin });
  }
  return { ...merged, refreshTokens: [...refreshTokens].sort((a, b) => b.lastModified - a.lastModified) };
}

/** The refresh token that an answer leaves behind: its own in the place of the redeemed one, or that one. */
function savedToken({ refreshToken, redeemed }: UserTokens): CachedRefreshToken | undefined {
  return refreshToken && redeemed
    ? {
      ...refreshToken,
      // Another client of the family may have brought the redeemed one: it stays that client's.
      clientId: redeemed.clientId,
      target: redeemed.target,
      familyId: refreshToken.familyId ?? redeemed.familyId,
      // Of two of the same second the one that was redeemed must not come first.
      lastModified: Math.max(refreshToken.lastModified, redeemed.lastModified + 1),
      origin: redeemed.origin,
    }
    : refreshToken ?? redeemed;
}

/** What an answer brings for one holder. */
export interface UserPart {
  /** The holder. */
  readonly key: UserKey;
  /** What changes there, given the refresh tokens that are known there. */
  changeOf(known: readonly CachedRefreshToken[], nowMs: number): UserChange;
}

/**
 * Sorts an answer by who keeps what: the client's own, and the family's if there is a family refresh token.
 *
 * @param tokens The answer.
 * @returns One part, or two.
 */
export function partsOf(tokens: UserTokens): UserPart[] {
  const { accessToken, account, idToken, redeemed } = tokens;
  const saved = savedToken(tokens);
  const accounts = account ? [account] : [];
  const idTokens = idToken ? [idToken] : [];
  const own = ownerOf(accessToken);
  const isHeld = saved && ownerOf(holderOf(saved)) === own;
  const replaced = (known: readonly CachedRefreshToken[], nowMs: number): readonly CachedRefreshToken[] =>
    saved ? replaceToken(known, saved, redeemed, nowMs) : known;
  const part: UserPart = {
    key: withClient(accessToken, accessToken.clientId),
    changeOf: (known, nowMs) => ({
      accounts,
      idTokens,
      refreshTokens: isHeld
        ? replaced(known, nowMs)
        : known.filter(({ secret }) => secret !== redeemed?.secret),
    }),
  };
  if (!saved || isHeld) return [part];
  const changeOf: UserPart["changeOf"] = (known, nowMs) => ({
    accounts,
    refreshTokens: replaced(known, nowMs),
  });
  return [part, { key: holderOf(saved), changeOf }];
}

/**
 * A new refresh token takes the place of all: that of a sign-in always, that of a renewal unless somebody else has got a
 * newer one meanwhile.
 */
function replaceToken(
  known: readonly CachedRefreshToken[],
  saved: CachedRefreshToken,
  redeemed: CachedRefreshToken | undefined,
  nowMs: number,
): readonly CachedRefreshToken[] {
  const latest = nowMs / 1000 + CLOCK_SKEW_SECONDS;
  const newer = known.filter(({ secret, lastModified }) =>
    secret !== redeemed?.secret && lastModified > saved.lastModified && lastModified <= latest
  );
  if (redeemed !== undefined && newer.length > 0) return newer;
  const lastModified = newer.reduce(
    (last, token) => Math.max(last, token.lastModified + 1),
    saved.lastModified,
  );
  return [{ ...saved, lastModified, origin: saved.origin ?? known[0]?.origin }];
}

/**
 * Merges refresh tokens for memory.
 *
 * @param stored Those of a store, newest first.
 * @param known Those in memory.
 * @returns The stored ones, and those in memory that are not older.
 */
export function mergeTokens(
  stored: readonly CachedRefreshToken[],
  known: readonly CachedRefreshToken[],
): readonly CachedRefreshToken[] {
  const newest = stored[0]?.lastModified ?? 0;
  const secrets = new Set(stored.map(({ secret }) => secret));
  return [
    ...stored,
    ...known.filter(({ secret, lastModified }) => !secrets.has(secret) && lastModified >= newest),
  ];
}

/**
 * What was read of a user, without the ID tokens that memory has newer ones of.
 *
 * @param read What was read.
 * @param known What memory knows, if anything.
 * @returns What memory is to take.
 */
export function newerOf(read: UserEntries, known: UserEntries | undefined): Required<UserChange> {
  const isNewer = (token: CachedIdToken): boolean =>
    (known?.idTokens.get(realmKey(token))?.claims.iat ?? 0) <= token.claims.iat;
  return {
    accounts: [...read.accounts.values()],
    idTokens: [...read.idTokens.values()].filter(isNewer),
    refreshTokens: mergeTokens(read.refreshTokens, known?.refreshTokens ?? []),
  };
}
