/**
 * The parts of a store that hold users: one for each user and client, one for each user and family.
 *
 * @module
 */

import type { GuardedStore } from "../store/guarded_store.ts";
import type { GetOptions } from "../store/store.ts";
import type { CachedRefreshToken, UserKey, UserRecord, UserTokens } from "./cached_user.ts";
import { MemoryUsers } from "./memory_users.ts";
import type { Dialect } from "./msal_entry.ts";
import { forEach, type PartitionValue, refuseRemoval, updatePartition } from "./partition.ts";
import { noteSeen, staleOf, versionSeen } from "./staleness.ts";
import type { TokenIndex } from "./token_index.ts";
import { LATE_MS, removedAt } from "./tombstone.ts";
import {
  holderOf,
  mergeEntries,
  mergeTokens,
  newerOf,
  NO_CLIENT,
  ownerOf,
  partsOf,
  type UserPart,
  withClient,
} from "./user_entries.ts";
import { markIn, type UserIndex } from "./user_index.ts";
import type { UserList } from "./user_list.ts";
import {
  addToken,
  carriedText,
  nameOfUser,
  readUser,
  type UserPartition,
  valueOfUser,
  withoutOthers,
} from "./user_partition.ts";
import { isOlder, isTooLate, UserRemovals } from "./user_removals.ts";

/** More refresh tokens than this are not remembered. */
const MAX_SPENT = 1_000;

/** Moves users between the memory and a store. */
export class UserPartitions extends MemoryUsers {
  readonly #store: GuardedStore | undefined;
  readonly #onChange: () => void;
  readonly #list: UserList | undefined;
  readonly #removals: UserRemovals = new UserRemovals();
  readonly #dialect: Dialect;
  /** Refresh tokens that were redeemed here for others. */
  readonly #spent = new Set<string>();

  /**
   * Joins a memory and a store.
   *
   * @param index The access tokens in memory.
   * @param held Everything else in memory.
   * @param store The store, if there is one.
   * @param list The list of a client's users there, if it keeps one.
   * @param onChange Told of every change of the memory.
   * @param dialect Whose spelling new entries get.
   */
  constructor(
    index: TokenIndex,
    held: UserIndex,
    store: GuardedStore | undefined,
    list: UserList | undefined,
    onChange: () => void,
    dialect: Dialect = "python",
  ) {
    super(index, held);
    this.#store = store;
    this.#onChange = onChange;
    this.#list = list;
    this.#dialect = dialect;
  }

  /** Whether there is a store behind memory. */
  override get stored(): boolean {
    return this.#store !== undefined;
  }

  /** Reads a user's partition into memory, and the family's, if that is asked for. */
  override async load(
    key: UserKey,
    family?: string,
    options?: GetOptions,
  ): Promise<UserRecord | undefined> {
    const store = this.#store;
    if (store === undefined) return this.user(ownerOf(key));
    const asked = this.removals;
    const keys = [key, ...(family ? [withClient(key, NO_CLIENT + family)] : [])];
    const [user] = await Promise.all(keys.map(async (one) => {
      const owner = ownerOf(one);
      const version = this.held.get(owner)?.version;
      const stale = staleOf(this.index, owner, undefined, store.nowMs);
      const name = await nameOfUser(store, one);
      const lateMs = this.#removals.lately(one, store.nowMs);
      // Whose removal is known here does not come back because a store shows it late.
      let stored = await store.read(name, lateMs === undefined ? options : undefined);
      // What is not there yet in a copy was not removed: for that, the newest is asked.
      if (stored === undefined && options?.consistency === "eventual" && this.#wasThere(one)) {
        stored = await store.read(name);
      }
      const atMs = removedAt(stored, store.nowMs);
      const there = readUser(one, stored ?? undefined);
      const isOld = !store.cas && lateMs !== undefined && isOlder(there, lateMs);
      const found = atMs === undefined && stored && !isOld ? stored : undefined;
      const kept = found && this.#keep(one, there, asked, versionSeen(store, found));
      noteSeen(this.index, found ? owner : stale, store.nowMs, stored === null);
      if (found) return kept;
      // It was there before, and nobody has signed in since: another isolate has removed the user.
      const known = this.held.get(owner);
      const isGone = atMs === undefined
        ? stored === undefined && known?.version === version && this.#wasThere(one)
        : this.#removals.heed(one, known, atMs);
      if (isGone) this.forget(one);
      return this.user(owner);
    }));
    return user;
  }

  /** Whether a user was in the store, so that one who is not there now was removed. Some stores see a new value late. */
  #wasThere(key: UserKey): boolean {
    const version = this.held.get(ownerOf(key))?.version;
    if (version === undefined || this.#store === undefined) return false;
    return this.#store.cas || this.#store.nowMs - Number(version) > LATE_MS;
  }

  /** Reads the list of a client's users into memory. */
  override async loadUsers(environment: string, clientId: string): Promise<void> {
    await this.#list?.load(environment, clientId);
  }

  /** Puts what an answer brought into memory, and then into the store. */
  override async save(tokens: UserTokens, asked: number, nowMs: number): Promise<void> {
    const isListed = this.#list?.knows(tokens);
    // What memory has forgotten meanwhile was read from the store.
    const wasRead = tokens.redeemed && !this.held.get(ownerOf(holderOf(tokens.redeemed)));
    const since = this.sinceOf(tokens, asked);
    if (!this.take(tokens, since, nowMs)) return;
    // A sign-in begins anew: that the store has not got it yet is no removal.
    if (!tokens.redeemed) { for (const { key } of partsOf(tokens)) this.held.note(ownerOf(key), undefined); }
    const { redeemed, refreshToken } = tokens;
    if (this.#spent.size > MAX_SPENT) this.#spent.clear();
    if (redeemed && refreshToken && redeemed.secret !== refreshToken.secret) this.#spent.add(redeemed.secret);
    this.#onChange();
    await Promise.all([
      forEach(this.#store, partsOf(tokens), (part) => this.#write(part, tokens, since, nowMs, wasRead)),
      isListed ? undefined : this.#list?.add(tokens, since),
    ]);
  }

  /** Removes a refresh token from memory and store, if it is still known there. */
  override async dropRefreshToken(token: CachedRefreshToken, nowMs: number): Promise<void> {
    if (this.drop(token)) this.#onChange();
    const key = holderOf(token);
    const store = this.#store;
    if (store === undefined) return;
    await updatePartition(store, await nameOfUser(store, key), (stored) => {
      const before = readUser(key, stored);
      const refreshTokens = before.refreshTokens.filter(({ secret }) => secret !== token.secret);
      if (refreshTokens.length === before.refreshTokens.length) return undefined;
      return this.#valueOf(key, { ...before, refreshTokens }, nowMs);
    });
  }

  /** Removes a user from memory and store. */
  override async remove(key: UserKey): Promise<void> {
    const { holders, changed } = this.forgetHere(key);
    if (changed) this.#onChange();
    const store = this.#store;
    if (store === undefined) return;
    const [own, ...more] = holders.filter(({ clientId }) => clientId !== NO_CLIENT);
    if (own === undefined) return;
    const removeOne = async (one: UserKey): Promise<boolean> =>
      await this.#removals.removeStored(store, await nameOfUser(store, one), one);
    const isDone = await this.#removals.run(store, [own, ...more], () => [
      forEach(store, [own, ...more], removeOne).then((done) => !done.includes(false)),
      this.#list?.remove(key),
    ]);
    // What was read while the store was still removing it, and what is yet to come of such a read.
    this.forget(key);
    if (!isDone) refuseRemoval();
  }

  /** Writes down what others may not see in the store yet. */
  carry(key: UserKey, maxValueBytes: number): string | undefined {
    const user = this.held.get(ownerOf(key));
    const store = this.#store;
    if (user === undefined || store === undefined || store.cas) return undefined;
    const form = { dialect: this.#dialect, maxValueBytes, nowMs: store.nowMs };
    return carriedText(key, user, this.index.tokensOf(user.owner), this.held.familyOf(key), form);
  }

  /** Takes what was written down elsewhere into memory. */
  async adopt(key: UserKey, text: string, atMs: number, isNewer: boolean = false): Promise<boolean> {
    const store = this.#store;
    const owner = ownerOf(key);
    if (store === undefined || store.cas || (!isNewer && this.held.get(owner))) return false;
    // What the store has is newer, and it may know of a removal.
    await this.load(key, undefined, { consistency: "eventual" });
    const lateMs = this.#removals.lately(key, store.nowMs);
    const known = this.held.get(owner);
    const carried = readUser(key, { value: text });
    const [[newest], [last]] = [carried.refreshTokens, known?.refreshTokens ?? []];
    const isBetter = isNewer && newest !== undefined && newest.lastModified > (last?.lastModified ?? 0);
    if ((known && !isBetter) || (lateMs !== undefined && lateMs >= atMs)) return false;
    this.#keep(key, carried, this.removals, `${atMs}`);
    noteSeen(this.index, owner, store.nowMs);
    return true;
  }

  /** Takes what was read into memory, unless the user was removed meanwhile. */
  #keep(key: UserKey, read: UserPartition, asked: number, version?: string): UserRecord | undefined {
    const owner = ownerOf(key);
    if (this.index.removedSince(owner, asked)) return undefined;
    const { tokens, accounts, refreshTokens, app } = read;
    if (this.isOthers(key, markIn(accounts))) {
      const [newest] = this.held.get(owner)?.refreshTokens ?? [];
      // A store may show late who began the process anew.
      if (newest && newest.lastModified >= (refreshTokens[0]?.lastModified ?? 0)) return this.user(owner);
      for (const slot of this.index.tokensOf(owner)) this.index.remove(slot);
      this.held.delete(owner);
    }
    for (const token of tokens) this.index.put(token, asked);
    if (app !== undefined) this.held.putApp({ ...app, ...withClient(key, key.clientId) });
    const known = this.held.get(owner);
    return this.held.put(key, newerOf(read, known), version);
  }

  /** Writes what an answer brought beside what is there. What is in memory alone may have been removed there. */
  async #write(
    { key, changeOf }: UserPart,
    tokens: UserTokens,
    asked: number,
    nowMs: number,
    wasRead = false,
  ): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    const { endsOn = Infinity } = tokens;
    const owner = ownerOf(key);
    const isOwn = owner === ownerOf(tokens.accessToken);
    const name = await nameOfUser(store, key);
    const isRead = wasRead && tokens.redeemed && owner === ownerOf(holderOf(tokens.redeemed));
    const version = tokens.redeemed && (this.held.get(owner)?.version ?? (isRead ? "read" : undefined));
    let tried = false;
    let isLateAnswer = false;
    const written = await updatePartition(store, name, (stored) => {
      // Who is asked again has not written.
      tried = false;
      const atMs = removedAt(stored, store.nowMs);
      const there = withoutOthers(key, readUser(key, stored), tokens);
      isLateAnswer = !there || (atMs !== undefined && isTooLate(tokens, nowMs, atMs));
      if (!there || isLateAnswer || this.index.removedSince(owner, asked)) return undefined;
      tried = true;
      const known = this.held.get(owner);
      // A store without versions may not see yet what was written lately.
      const isLate = stored === undefined && !store.cas && known?.version !== undefined &&
        !this.#wasThere(key);
      const { accounts, idTokens, refreshTokens } = (isLate && known) || there;
      const before = { ...there, accounts, idTokens, refreshTokens };
      const change = changeOf(before.refreshTokens, nowMs);
      // A sign-in may be stored after the renewal that redeemed its token.
      const isSpent = this.#spent.has(`${tokens.refreshToken?.secret}`);
      const after: UserPartition = {
        ...before,
        ...mergeEntries(before, {
          ...change,
          ...(isSpent && { refreshTokens: mergeTokens(refreshTokens, known?.refreshTokens ?? []) }),
        }),
        tokens: isOwn ? addToken(before.tokens, tokens.accessToken, nowMs) : [],
      };
      // The new access token is there already, and may have been replaced since.
      this.#keep(key, { ...after, tokens: before.tokens }, asked, stored && versionSeen(store, stored));
      // Without its refresh token, or with somebody else's newer one, an answer may be asked for again.
      const isNewest = after.refreshTokens.some(({ secret }) => secret === tokens.refreshToken?.secret);
      const value = this.#valueOf(key, after, nowMs);
      return { ...value, expiresAtMs: Math.min(value.expiresAtMs, endsOn * 1000), optional: !isNewest };
    }, store.cas ? version : undefined);
    // What was removed while it was being written must not stay; what others removed must not either.
    if (this.index.removedSince(owner, asked)) await (tried && this.#removals.removeStored(store, name, key));
    else if (written === "gone" || isLateAnswer) this.forget(tokens.accessToken);
    else if (written?.ok) this.held.note(owner, versionSeen(store, written));
    noteSeen(this.index, owner, nowMs);
  }

  #valueOf(key: UserKey, partition: UserPartition, nowMs: number): PartitionValue {
    const maxValueBytes = this.#store?.maxValueBytes ?? Infinity;
    return valueOfUser(key, partition, this.held.familyOf(key), {
      dialect: this.#dialect,
      maxValueBytes,
      nowMs,
    });
  }
}
