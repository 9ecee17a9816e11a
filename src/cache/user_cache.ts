/**
 * What flows need of a cache of users.
 *
 * @module
 */

import type { GetOptions } from "../store/store.ts";
import type { CachedRefreshToken, UserKey, UserRecord, UserTokens } from "./cached_user.ts";
import type { TokenIndex } from "./token_index.ts";

/** A cache of users; access tokens of users live in its {@linkcode TokenIndex}, in the bucket of their realm. */
export interface UserCache {
  /** The access tokens in memory. */
  readonly index: TokenIndex;
  /** Whether there is a store behind memory. */
  readonly stored: boolean;
  /** How often something was removed; ask before a request, and pass it to {@linkcode UserCache.save}. */
  readonly removals: number;
  /** What memory knows of a user, by owner key; at the same cost however many there are. */
  user(owner: string): UserRecord | undefined;
  /** The users in memory of one client in one cloud. */
  users(environment: string, clientId: string): readonly UserRecord[];
  /** The refresh tokens in memory of a family, newest first. */
  family(key: UserKey, familyId: string): readonly CachedRefreshToken[];
  /**
   * Reads a user's partition from the store into memory, one read; with `family` the family's partition, too. That a user is
   * not there is believed after a strong read alone.
   *
   * @returns What is known of the user, also where memory is too small to keep them.
   */
  load(key: UserKey, family?: string, options?: GetOptions): Promise<UserRecord | undefined>;
  /** Reads the list of a client's users into memory, for caches that keep one. */
  loadUsers(environment: string, clientId: string): Promise<void>;
  /**
   * Puts what an answer brought into memory at once, and then into the store.
   *
   * @param tokens What the answer brought.
   * @param asked What {@linkcode UserCache.removals} was before the request: what was removed since stays removed.
   * @param nowMs The time, in epoch milliseconds.
   * @returns Settles when the store has it; what goes wrong there is reported, not thrown.
   */
  save(tokens: UserTokens, asked: number, nowMs: number): Promise<void>;
  /** Removes a refresh token from memory and store, if it is still the one that is known. */
  dropRefreshToken(token: CachedRefreshToken, nowMs: number): Promise<void>;
  /**
   * Removes a user with all tokens of this client, and the family's refresh token where this client is of that family.
   *
   * @throws {CacheError} `cache_write_failed` where the store did not delete.
   */
  remove(key: UserKey): Promise<void>;
  /**
   * Writes down what memory has of a user, where the store may show it late to others: for the user to carry there.
   *
   * @param maxBytes How large the text may be: access tokens are left out first, then the ID tokens.
   * @returns MSAL's JSON; `undefined` where nothing is known, where it is too large, and where the store shows it at once.
   */
  carry?(key: UserKey, maxBytes: number): string | undefined;
  /**
   * Takes what a user carried here into memory, where neither memory nor store has the user, nor knows of a removal since.
   *
   * @param text What {@linkcode UserCache.carry} wrote.
   * @param atMs When it was.
   * @param isNewer Whether it is also taken where what is known has an older refresh token, or none.
   * @returns Whether it was taken.
   */
  adopt?(key: UserKey, text: string, atMs: number, isNewer?: boolean): Promise<boolean>;
}
