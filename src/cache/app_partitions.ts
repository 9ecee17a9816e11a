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
import { partitionKey, readPartition, refuseRemoval, updatePartition } from "./partition.ts";
import { bucketKey, bucketOf, identityOf, ownerKey, type TokenIndex } from "./token_index.ts";
import { removedAt, removePartition } from "./tombstone.ts";
import type { UserCache } from "./user_cache.ts";

function keyOf({ owner, realm, extHash }: AppPartition): Promise<string> {
  return partitionKey("app", owner, realm, extHash);
}

/** More partitions than this are not remembered as having been in the store. */
const MAX_VERSIONS = 1_000;

function hintsOf({ clientId, realm }: AppPartition): { suggestedKey: string; isApplicationCache: true } {
  return { suggestedKey: `${clientId}_${realm}_AppTokenCache`, isApplicationCache: true };
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
  /** The store, if there is one. */
  readonly store: GuardedStore | undefined;
  readonly #onChange: () => void;
  /** What was there at the last read: if it is gone at the next write, somebody else has removed it. */
  readonly #versions = new Map<string, string>();

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
    this.store = store;
    this.#onChange = onChange;
  }

  /** Whether there is a store. */
  get stored(): boolean {
    return this.store !== undefined;
  }

  /** Reads a partition into the memory, and a token whose extra components were known by their hash alone. */
  async load(partition: AppPartition, key: string, nowMs: number, options?: GetOptions): Promise<void> {
    const asked = this.index.removals;
    const { store } = this;
    if (store !== undefined) {
      const name = await keyOf(partition);
      const stored = await store.get(name, options);
      this.#note(name, stored?.version);
      const atMs = removedAt(stored, store.nowMs);
      const known = atMs === undefined ? [] : this.index.tokensOf(partition.owner, partition.bucket);
      for (const token of known) if (token.cachedAt * 1000 <= (atMs as number)) this.#drop(token);
      this.#import(partition, stored, asked);
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
    const { store } = this;
    if (store === undefined) return;
    const key = await keyOf(partition);
    let live: CachedToken[] = [];
    let isGone = false;
    const written = await updatePartition(store, key, (stored) => {
      isGone = nowMs < (removedAt(stored, store.nowMs) ?? 0);
      if (isGone) return undefined;
      const { tokens, sections } = this.#import(partition, stored, asked);
      const names = new Set([token, ...tokens].map(identityOf));
      live = this.index.tokensOf(partition.owner, partition.bucket)
        .filter((one) => names.has(identityOf(one)) && one.expiresOn * 1000 > nowMs);
      return live.length === 0 ? undefined : {
        value: writeDocument({ ...NOTHING, tokens: live }, sections),
        expiresAtMs: Math.max(...live.map((one) => one.expiresOn)) * 1000,
        optional: true,
        ...hintsOf(partition),
        hasTokens: true,
      };
    }, store.cas ? this.#versions.get(key) : undefined);
    if (isGone || written === "gone") this.#drop(token);
    else if (written?.ok) this.#note(key, written.version);
    // What was removed while it was being written must not stay.
    const isRemoved = live.some((one) => this.index.removedSince(partition.owner, asked, one));
    if (isRemoved) await removePartition(store, key, hintsOf(partition));
  }

  /** Forgets partitions. */
  async forget(partitions: readonly AppPartition[], changed: boolean): Promise<void> {
    if (changed) this.#onChange();
    const { store } = this;
    if (store === undefined) return;
    const named = await Promise.all(partitions.map(async (one) => [await keyOf(one), hintsOf(one)] as const));
    const removed = await Promise.all([...new Map(named)].map((one) => removePartition(store, ...one)));
    if (removed.includes(false)) refuseRemoval();
  }

  #note(key: string, version: string | undefined): void {
    if (this.#versions.size > MAX_VERSIONS) this.#versions.clear();
    if (version === undefined) this.#versions.delete(key);
    else this.#versions.set(key, version);
  }

  /** Takes out of memory what another isolate has removed. */
  #drop(token: CachedToken): void {
    const slot = this.index.findExact(
      ownerKey(token.environment, token.clientId, token.homeAccountId),
      bucketOf(token),
      identityOf(token),
    );
    if (slot?.secret === token.secret) this.index.remove(slot);
  }

  /** Takes what belongs to a partition into the memory; gives that, and the sections that are others'. */
  #import(partition: AppPartition, stored: StoredValue | undefined, asked: number): MsalDocument {
    const document = readPartition(stored);
    const tokens = document.tokens.filter((token) => belongs(token, partition));
    for (const token of tokens) this.index.put({ ...token, ext: partition.ext }, asked);
    return { ...document, tokens };
  }
}
