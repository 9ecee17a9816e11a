/**
 * The parts of a store that hold a client's app tokens, one for each tenant.
 *
 * @module
 */

import type { GuardedStore } from "../store/guarded_store.ts";
import type { GetOptions, StoredValue } from "../store/store.ts";
import type { AppPartition, CacheCore } from "./cache_core.ts";
import type { CachedToken } from "./cached_token.ts";
import { extendedKeyHashes } from "./extended_key.ts";
import { type MsalDocument, NOTHING, writeDocument } from "./msal_document.ts";
import { fitPartition } from "./overflow.ts";
import { partitionKey, readPartition, refuseRemoval, updatePartition } from "./partition.ts";
import { compareSeen, noteSeen, staleOf } from "./staleness.ts";
import { bucketKey, bucketOf, identityOf, ownerKey, type Slot, type TokenIndex } from "./token_index.ts";
import type { UserCache } from "./user_cache.ts";

function keyOf({ owner, realm, extHash }: AppPartition): Promise<string> {
  return partitionKey("app", owner, realm, extHash);
}

/** A store that mixes partitions up must not mix tokens up. */
function belongs(token: CachedToken, partition: AppPartition): boolean {
  return ownerKey(token.environment, token.clientId, token.homeAccountId) === partition.owner &&
    bucketOf({ ...token, ext: partition.ext }) === partition.bucket &&
    (token.ext === partition.ext || token.ext === `#${partition.extHash}`);
}

/** Moves app tokens between the memory and a store. */
export class AppPartitions implements CacheCore {
  /** The tokens in memory. */
  readonly index: TokenIndex;
  /** The users that signed in. */
  readonly users: UserCache;
  readonly #store: GuardedStore | undefined;
  readonly #onChange: () => void;

  /**
   * Joins a memory and a store.
   *
   * @param index The memory.
   * @param users The users that signed in.
   * @param store The store, if there is one.
   * @param onChange Told of every change of the memory.
   */
  constructor(
    index: TokenIndex,
    users: UserCache,
    store: GuardedStore | undefined,
    onChange: () => void,
  ) {
    this.index = index;
    this.users = users;
    this.#store = store;
    this.#onChange = onChange;
  }

  /** Whether there is a store. */
  get stored(): boolean {
    return this.#store !== undefined;
  }

  /** Reads a partition into the memory, and a token whose extra components were known by their hash alone. */
  async load(partition: AppPartition, key: string, nowMs: number, options?: GetOptions): Promise<void> {
    const asked = this.index.removals;
    const store = this.#store;
    if (store !== undefined) {
      const stale = staleOf(this.index, partition.owner, partition.bucket, nowMs);
      const stored = await store.read(await keyOf(partition), options);
      const { tokens } = this.#import(partition, stored ?? undefined, asked);
      compareSeen(this.index, partition, stale, stored === null ? null : tokens, store.cas, nowMs);
    }
    if (partition.ext === "") return;
    for (const hash of await extendedKeyHashes(partition)) {
      const hashed = bucketKey(partition.realm, "bearer", "", `#${hash}`);
      const slot = this.index.find(partition.owner, hashed, key, nowMs);
      if (slot === undefined) continue;
      this.index.remove(slot);
      this.index.put({ ...slot, ext: partition.ext }, asked);
    }
  }

  /** Writes a token to its partition, beside what is there. What is in memory alone may have been removed there. */
  async save(partition: AppPartition, token: CachedToken, asked: number, nowMs: number): Promise<void> {
    this.#onChange();
    const store = this.#store;
    if (store === undefined) return;
    const key = await keyOf(partition);
    let known: readonly Slot[] = [];
    let live = known;
    const written = await updatePartition(store, key, (stored) => {
      const { tokens, sections } = this.#import(partition, stored, asked);
      const names = new Set([token, ...tokens].map(identityOf));
      known = this.index.tokensOf(partition.owner, partition.bucket)
        .filter((one) => names.has(identityOf(one)) && one.expiresOn * 1000 > nowMs);
      const write = (tokens: readonly CachedToken[]): string =>
        writeDocument({ ...NOTHING, tokens }, sections);
      const fitted = fitPartition(known, write, store.maxValueBytes);
      live = fitted.tokens;
      return known.length === 0 ? undefined : {
        value: fitted.value,
        expiresAtMs: Math.max(...known.map((one) => one.expiresOn)) * 1000,
        optional: true,
        suggestedKey: `${partition.clientId}_${partition.realm}_AppTokenCache`,
      };
    });
    if (typeof written === "object") {
      // What was left out will not be missed there.
      noteSeen(this.index, known, Infinity);
      noteSeen(this.index, live, nowMs);
    }
    // What was removed while it was being written must not stay.
    if (live.some((one) => this.index.removedSince(partition.owner, asked, one))) await store.delete(key);
  }

  /** Forgets partitions. */
  async forget(partitions: readonly AppPartition[], changed: boolean): Promise<void> {
    if (changed) this.#onChange();
    const keys = await Promise.all(partitions.map(keyOf));
    const deleted = await Promise.all([...new Set(keys)].map((key) => this.#store?.delete(key)));
    if (deleted.includes(false)) refuseRemoval();
  }

  /** Takes what belongs to a partition into the memory; gives that, and the sections that are others'. */
  #import(partition: AppPartition, stored: StoredValue | undefined, asked: number): MsalDocument {
    const document = readPartition(stored);
    const tokens = document.tokens.filter((token) => belongs(token, partition));
    for (const token of tokens) this.index.put({ ...token, ext: partition.ext }, asked);
    return { ...document, tokens };
  }
}
