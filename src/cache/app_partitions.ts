/**
 * The parts of a store that hold a client's app tokens, one for each tenant.
 *
 * @module
 */

import { CacheError } from "../errors/errors.ts";
import { lengthPrefixed, sha256 } from "../crypto/digest.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { StoredValue } from "../store/store.ts";
import type { AppPartition, CacheCore } from "./cache_core.ts";
import type { CachedToken } from "./cached_token.ts";
import { extendedKeyHashes } from "./extended_key.ts";
import { type MsalDocument, readDocument, writeDocument } from "./msal_document.ts";
import { bucketKey, ownerKey, realmKey, type TokenIndex } from "./token_index.ts";

/** How often a write is tried again after somebody else wrote first. */
const MAX_ATTEMPTS = 4;

/** The partition's key in the store: hashed, so that it tells nothing and no text in it can forge another. */
async function partitionKey({ owner, realm, extHash }: AppPartition): Promise<string> {
  return `msal-edge.tokens.v1.${await sha256(lengthPrefixed(["app", owner, realm, extHash]))}`;
}

/** A store that mixes partitions up must not mix tokens up. */
function belongs(token: CachedToken, partition: AppPartition): boolean {
  return ownerKey(token.environment, token.clientId, token.homeAccountId) === partition.owner &&
    bucketKey(realmKey(token), token.tokenType, token.keyId, partition.ext) === partition.bucket &&
    (token.ext === partition.ext || token.ext === `#${partition.extHash}`);
}

/** Moves app tokens between the memory and a store. */
export class AppPartitions implements CacheCore {
  /** The tokens in memory. */
  readonly index: TokenIndex;
  readonly #store: GuardedStore | undefined;
  readonly #onChange: () => void;

  /**
   * Joins a memory and a store.
   *
   * @param index The memory.
   * @param store The store, if there is one.
   * @param onChange Told of every change of the memory.
   */
  constructor(index: TokenIndex, store: GuardedStore | undefined, onChange: () => void) {
    this.index = index;
    this.#store = store;
    this.#onChange = onChange;
  }

  /** Whether there is a store. */
  get stored(): boolean {
    return this.#store !== undefined;
  }

  /** Reads a partition into the memory, and a token whose extra components were known by their hash alone. */
  async load(partition: AppPartition, key: string, nowMs: number): Promise<void> {
    const asked = this.index.removals;
    if (this.#store !== undefined) {
      this.#import(partition, await this.#store.get(await partitionKey(partition)), asked);
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

  /** Writes a partition from the memory, together with what others have written to it. */
  async save(partition: AppPartition, asked: number, nowMs: number): Promise<void> {
    this.#onChange();
    const store = this.#store;
    if (store === undefined) return;
    const key = await partitionKey(partition);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const stored = await store.get(key);
      const sections = this.#import(partition, stored, asked);
      const live = this.index.tokensOf(partition.owner, partition.bucket)
        .filter((token) => token.expiresOn * 1000 > nowMs);
      if (live.length === 0) return;
      const written = await store.set(key, writeDocument(live, sections), {
        expiresAtMs: Math.max(...live.map((token) => token.expiresOn)) * 1000,
        hints: { kind: "tokens", suggestedKey: `${partition.clientId}_${partition.realm}_AppTokenCache` },
        ...(store.cas && { ifVersion: stored?.version ?? null }),
      });
      // What was removed while it was being written must not stay.
      if (live.some((token) => this.index.removedSince(token, asked))) await store.delete(key);
      if (written?.ok !== false) return;
    }
  }

  /** Forgets partitions. */
  async forget(partitions: readonly AppPartition[], changed: boolean): Promise<void> {
    if (changed) this.#onChange();
    const keys = await Promise.all(partitions.map(partitionKey));
    const deleted = await Promise.all([...new Set(keys)].map((key) => this.#store?.delete(key)));
    if (deleted.includes(false)) {
      const why = "the store of tokenCache did not delete them. Check its binding, and remove them again";
      throw new CacheError("cache_write_failed", `Cannot remove the tokens: ${why}`);
    }
  }

  #import(partition: AppPartition, stored: StoredValue | undefined, asked: number): MsalDocument["sections"] {
    if (stored === undefined) return new Map();
    try {
      const { tokens, sections } = readDocument(stored.value);
      // A partition is one client's: nobody else's tokens live here.
      const others = new Map([...sections].filter(([name]) => name !== "AccessToken"));
      for (const token of tokens) {
        if (belongs(token, partition)) this.index.put({ ...token, ext: partition.ext }, asked);
      }
      return others;
    } catch {
      // Not MSAL's JSON: a miss, and the next write replaces it.
      return new Map();
    }
  }
}
