/**
 * A cache of users in memory alone.
 *
 * @module
 */

import type { GetOptions } from "../store/store.ts";
import type { CachedRefreshToken, UserKey, UserRecord, UserTokens } from "./cached_user.ts";
import { isProcess, isSameUser } from "./on_behalf_of.ts";
import type { TokenIndex } from "./token_index.ts";
import type { UserCache } from "./user_cache.ts";
import { holderOf, NO_CLIENT, ownerOf, partsOf, withClient } from "./user_entries.ts";
import type { UserIndex } from "./user_index.ts";

/** More removals than this are not remembered. */
const MAX_REMOVED = 1_000;

/** Keeps users in memory. */
export class MemoryUsers implements UserCache {
  /** The access tokens. */
  readonly index: TokenIndex;
  /** Everything else. */
  readonly held: UserIndex;

  /**
   * Joins the two memories.
   *
   * @param index The access tokens.
   * @param held Everything else.
   */
  constructor(index: TokenIndex, held: UserIndex) {
    this.index = index;
    this.held = held;
  }

  /** Whether there is a store behind memory. */
  get stored(): boolean {
    return false;
  }

  /** How often something was removed. */
  get removals(): number {
    return this.index.removals;
  }

  /** What is known of a user. */
  user(owner: string): UserRecord | undefined {
    return this.held.get(owner);
  }

  /** A client's users; whom no client is known to have, and whom its family has, as long as it may be in that. */
  users(environment: string, clientId: string): readonly UserRecord[] {
    const family = this.held.familyOf({ environment, clientId }) ?? "1";
    const found = new Map<string, UserRecord>();
    for (const client of [NO_CLIENT, NO_CLIENT + family, clientId]) {
      for (const user of this.held.list(environment, client)) {
        found.set(ownerOf(withClient(user.key, clientId)), user);
      }
    }
    return [...found.values()];
  }

  /** A family's refresh tokens for a user. */
  family(key: UserKey, familyId: string): readonly CachedRefreshToken[] {
    return this.held.get(ownerOf(withClient(key, NO_CLIENT + familyId)))?.refreshTokens ?? [];
  }

  /** There is nothing to read from. */
  load(key: UserKey, _family?: string, _options?: GetOptions): Promise<UserRecord | undefined> {
    return Promise.resolve(this.user(ownerOf(key)));
  }

  /** There is nothing to read from. */
  loadUsers(_environment: string, _clientId: string): Promise<void> {
    return Promise.resolve();
  }

  /** Puts what an answer brought into memory. */
  save(tokens: UserTokens, asked: number, nowMs: number): Promise<void> {
    this.take(tokens, this.sinceOf(tokens, asked), nowMs);
    return Promise.resolve();
  }

  /**
   * Since when a removal keeps an answer out. A sign-in counts whatever was removed elsewhere meanwhile, and it takes over
   * what it begins anew.
   *
   * @param tokens The answer.
   * @param asked How many removals there were when it was asked for.
   * @returns How many removals there were then.
   */
  protected sinceOf(tokens: UserTokens, asked: number): number {
    // A removal elsewhere that is heard of meanwhile is older than a sign-in that goes on.
    const isHere = (this.index.removedHere.get(ownerOf(tokens.accessToken)) ?? 0) > asked;
    if (tokens.redeemed || isHere) return asked;
    if (this.isOthers(tokens.accessToken, tokens.onBehalfOf)) this.forget(tokens.accessToken);
    return this.removals;
  }

  /** Whether what memory has of a long-running process is another user's than a mark says. */
  protected isOthers(key: UserKey, mark: string | undefined): boolean {
    if (!isProcess(key.homeAccountId)) return false;
    const owner = ownerOf(key);
    const known = this.held.get(owner);
    return known ? !isSameUser(known.onBehalfOf, mark) : this.index.tokensOf(owner).length > 0;
  }

  /**
   * Puts what an answer brought into memory.
   *
   * @param tokens The answer.
   * @param asked How many removals there were when it was asked for.
   * @param nowMs The time.
   * @returns Whether it is there: not where the user was removed since, or where nobody knows whose it is.
   */
  protected take(tokens: UserTokens, asked: number, nowMs: number): boolean {
    const { accessToken, familyId = "" } = tokens;
    const owner = ownerOf(accessToken);
    // Without a user it would pass for an app token.
    if (accessToken.homeAccountId === "" || this.index.removedSince(owner, asked)) return false;
    // A renewal for somebody who has the process no more.
    if (tokens.redeemed && this.held.get(owner) && this.isOthers(accessToken, tokens.onBehalfOf)) {
      return false;
    }
    this.index.put(accessToken, asked);
    const { environment, clientId } = accessToken;
    this.held.putApp({ environment, clientId, familyId });
    for (const { key, changeOf } of partsOf(tokens)) {
      this.held.put(key, changeOf(this.held.get(ownerOf(key))?.refreshTokens ?? [], nowMs));
    }
    return true;
  }

  /** Removes a refresh token that is still known. */
  dropRefreshToken(token: CachedRefreshToken, _nowMs: number): Promise<void> {
    this.drop(token);
    return Promise.resolve();
  }

  /** Removes a refresh token from memory; tells whether it was there. */
  protected drop(token: CachedRefreshToken): boolean {
    const key = holderOf(token);
    const known = this.held.get(ownerOf(key))?.refreshTokens ?? [];
    const refreshTokens = known.filter(({ secret }) => secret !== token.secret);
    if (refreshTokens.length === known.length) return false;
    this.held.put(key, { refreshTokens });
    return true;
  }

  /** Removes a user. */
  remove(key: UserKey): Promise<void> {
    this.forgetHere(key);
    return Promise.resolve();
  }

  /** Removes a user from memory, because an application of this cache says so. */
  protected forgetHere(key: UserKey): { holders: UserKey[]; changed: boolean } {
    const forgotten = this.forget(key);
    const { removedHere } = this.index;
    if (removedHere.size > MAX_REMOVED) removedHere.clear();
    removedHere.set(ownerOf(key), this.removals);
    return forgotten;
  }

  /** Removes a user from memory, and keeps out what was asked for before; tells whose entries went, and if any did. */
  protected forget(key: UserKey): { holders: UserKey[]; changed: boolean } {
    // Nobody's tokens are the application's own.
    if (key.homeAccountId === "") return { holders: [], changed: false };
    // A client of which nothing is known may be of the family.
    const family = this.held.familyOf(key) ?? "1";
    const holders = [key.clientId, NO_CLIENT, ...(family ? [NO_CLIENT + family] : [])]
      .map((clientId) => withClient(key, clientId));
    const gone = holders.map(ownerOf)
      .map((owner) => [this.index.removeOwned(owner, () => true).length, this.held.delete(owner)]);
    return { holders, changed: gone.flat().some(Boolean) };
  }
}
