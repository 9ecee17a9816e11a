/**
 * The parts of a store that hold a client's app tokens, one for each tenant.
 *
 * @module
 */

import type { GuardedStore } from "../store/guarded_store.ts";
import type { StoredValue } from "../store/store.ts";
import type { AppPartition, CacheCore } from "./cache_core.ts";
import type { CachedToken } from "./cached_token.ts";
import { extendedKeyHashes } from "./extended_key.ts";
import { type MsalDocument, NOTHING, writeDocument } from "./msal_document.ts";
import type { Dialect } from "./msal_entry.ts";
import { nameIn, readPartition, refuseRemoval, updatePartition } from "./partition.ts";
import { bucketKey, bucketOf, identityOf, ownerKey, type TokenIndex } from "./token_index.ts";
import type { UserCache } from "./user_cache.ts";

/** The name that MSAL.NET would use. */
function suggestedKeyOf({ clientId, realm, extHash }: AppPartition): string {
  return [clientId, realm, ...(extHash === "" ? [] : [extHash]), "AppTokenCache"].join("_");
}

function keyOf(store: GuardedStore, partition: AppPartition): Promise<string> {
  const { owner, realm, ext, extHash } = partition;
  const parts = store.isShared ? [extHash, bucketKey(realm, "bearer", "", ext)] : [realm, extHash];
  return nameIn(store, suggestedKeyOf(partition), "app", owner, ...parts);
}

/** A store that mixes partitions up must not mix tokens up. */
export function belongs(
  token: CachedToken,
  partition: Pick<AppPartition, "owner" | "bucket" | "ext" | "extHash">,
): boolean {
  const { owner, bucket, ext, extHash } = partition;
  const hashed = `#${extHash}`;
  return ownerKey(token.environment, token.clientId, token.homeAccountId) === owner &&
    bucketOf({ ...token, ext }) === bucket &&
    (token.ext === ext || token.ext === hashed || ext === hashed && token.extHash === extHash);
}

/** Moves app tokens between the memory and a store. */
export class AppPartitions implements CacheCore {
  /** The tokens in memory. */
  readonly index: TokenIndex;
  /** The users that signed in. */
  readonly users: UserCache;
  readonly #store: GuardedStore | undefined;
  readonly #onChange: () => void;
  readonly #dialect: Dialect;

  /**
   * Joins a memory and a store.
   *
   * @param index The memory.
   * @param users The users that signed in.
   * @param store The store, if there is one.
   * @param onChange Told of every change of the memory.
   * @param dialect Whose spelling new entries get.
   */
  constructor(
    index: TokenIndex,
    users: UserCache,
    store: GuardedStore | undefined,
    onChange: () => void,
    dialect: Dialect = "python",
  ) {
    this.index = index;
    this.users = users;
    this.#store = store;
    this.#onChange = onChange;
    this.#dialect = dialect;
  }

  /** Whether there is a store. */
  get stored(): boolean {
    return this.#store !== undefined;
  }

  /** Reads a partition into the memory, and a token whose extra components were known by their hash alone. */
  async load(partition: AppPartition, key: string, nowMs: number): Promise<void> {
    const asked = this.index.removals;
    if (this.#store !== undefined) {
      this.#import(partition, await this.#store.get(await keyOf(this.#store, partition)), asked);
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
    const key = await keyOf(store, partition);
    let live: CachedToken[] = [];
    await updatePartition(store, key, (stored) => {
      const { tokens, sections } = this.#import(partition, stored, asked);
      const names = new Set([token, ...tokens].map(identityOf));
      live = this.index.tokensOf(partition.owner, partition.bucket)
        .filter((one) => names.has(identityOf(one)) && one.expiresOn * 1000 > nowMs);
      return live.length === 0 ? undefined : {
        value: writeDocument({ ...NOTHING, tokens: live }, sections, this.#dialect),
        expiresAtMs: Math.max(...live.map((one) => one.expiresOn)) * 1000,
        optional: true,
        suggestedKey: suggestedKeyOf(partition),
      };
    });
    // What was removed while it was being written must not stay.
    if (live.some((one) => this.index.removedSince(partition.owner, asked, one))) await store.delete(key);
  }

  /** Forgets partitions. */
  async forget(partitions: readonly AppPartition[], changed: boolean): Promise<void> {
    if (changed) this.#onChange();
    const store = this.#store;
    if (store === undefined) return;
    const keys = await Promise.all(partitions.map((partition) => keyOf(store, partition)));
    const deleted = await Promise.all([...new Set(keys)].map((key) => store.delete(key)));
    if (deleted.includes(false)) refuseRemoval();
  }

  /** Takes what belongs to a partition into the memory; gives that, and the sections that are others'. */
  #import(partition: AppPartition, stored: StoredValue | undefined, asked: number): MsalDocument {
    const document = readPartition(stored);
    const { ext, extHash } = partition;
    const tokens = document.tokens.filter((token) => belongs(token, partition));
    for (const token of tokens) this.index.put({ ...token, ext, extHash }, asked);
    return { ...document, tokens };
  }
}
