/**
 * Removals of users: what was under way must not bring them back, whoever removed them.
 *
 * @module
 */

import type { GuardedStore } from "../store/guarded_store.ts";
import type { UserKey, UserTokens } from "./cached_user.ts";
import { isBefore, RemovalTimes, removePartition } from "./tombstone.ts";
import { inTurn, userTurn } from "./turns.ts";
import { ownerOf } from "./user_entries.ts";
import type { HeldUser } from "./user_index.ts";
import type { UserPartition } from "./user_partition.ts";

/** How long a removal may take, and how long it waits for a renewal that is under way. */
const LEASE_MS = 10_000;
const PATIENCE_MS = 5_000;

/**
 * Whether an answer comes too late: its call began before a removal, or redeemed what had been there before it.
 *
 * @param tokens The answer.
 * @param nowMs When its call began.
 * @param atMs When its user was removed.
 * @returns Whether it must not be kept. Where clocks differ, or cannot tell, the removal wins.
 */
export function isTooLate({ redeemed }: UserTokens, nowMs: number, atMs: number): boolean {
  return redeemed === undefined ? nowMs < atMs : redeemed.lastModified * 1000 <= atMs;
}

/** Whether a user has signed in since they were removed: some stores show the removal once more after that. */
function outlives({ refreshTokens, version }: HeldUser, atMs: number): boolean {
  // Without compare-and-set a version is the time at which the store had it.
  return refreshTokens.some(({ lastModified }) => lastModified * 1000 > atMs) && !(Number(version) < atMs);
}

/**
 * Whether all that gives tokens was there before a removal.
 *
 * @param partition What a store shows.
 * @param atMs When the user was removed.
 */
export function isOlder({ tokens, refreshTokens }: UserPartition, atMs: number): boolean {
  return tokens.every(({ cachedAt }) => isBefore(cachedAt, atMs)) &&
    refreshTokens.every(({ lastModified }) => isBefore(lastModified, atMs));
}

/** The removals that this isolate knows of. */
export class UserRemovals {
  readonly #times: RemovalTimes = new RemovalTimes();

  /** When a user was removed, where stores may still show what was there before. */
  lately(key: UserKey, nowMs: number): number | undefined {
    return this.#times.lately(ownerOf(key), nowMs);
  }

  /**
   * Hears of the removal of a user by another isolate.
   *
   * @param key Who.
   * @param user What memory knows of them.
   * @param atMs When they were removed.
   * @returns Whether memory has to forget them.
   */
  heed(key: UserKey, user: HeldUser | undefined, atMs: number): boolean {
    if (user ? outlives(user, atMs) : this.#times.get(ownerOf(key)) === atMs) return false;
    this.#times.note(ownerOf(key), atMs);
    return true;
  }

  /**
   * Removes users, after the renewals that are under way where nothing else keeps those from writing in between.
   *
   * @param store The store.
   * @param keys Whose partitions go: the user's, and the family's.
   * @param remove Removes one, and what else there is.
   * @returns Whether the store did all that.
   */
  async run(
    store: GuardedStore,
    keys: readonly [UserKey, ...UserKey[]],
    remove: () => readonly (Promise<boolean> | undefined)[],
  ): Promise<boolean> {
    for (const key of keys) this.#times.note(ownerOf(key), store.nowMs);
    const work = async (): Promise<boolean> => !(await Promise.all(remove())).includes(false);
    const isDone = await work();
    if (store.cas || !store.locks) return isDone;
    // Once more when nobody is between reading and writing.
    const turn = { name: userTurn(ownerOf(keys[0])), leaseMs: LEASE_MS, patienceMs: PATIENCE_MS };
    return await inTurn(store, { ...turn, look: () => Promise.resolve(undefined) }, work);
  }

  /**
   * Removes what a store has of a user who was removed here.
   *
   * @param store The store.
   * @param name The partition's key.
   * @param key Whose it is.
   * @returns Whether the store did.
   */
  removeStored(store: GuardedStore, name: string, key: UserKey): Promise<boolean> {
    const hints = { suggestedKey: key.homeAccountId, isApplicationCache: false };
    return removePartition(store, name, hints, this.#times.get(ownerOf(key)));
  }
}
