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
import { bucketKey, identityOf, ownerKey, realmKey, type TokenIndex } from "./token_index.ts";

const NOTHING: MsalDocument = { tokens: [], sections: new Map() };
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

  /** Writes a token to its partition, beside what is there. What is in memory alone may have been removed there. */
  async save(partition: AppPartition, token: CachedToken, asked: number, nowMs: number): Promise<void> {
    this.#onChange();
    const store = this.#store;
    if (store === undefined) return;
    const key = await partitionKey(partition);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const stored = await store.get(key);
      const { tokens, sections } = this.#import(partition, stored, asked);
      const names = new Set([token, ...tokens].map(identityOf));
      const live = this.index.tokensOf(partition.owner, partition.bucket)
        .filter((one) => names.has(identityOf(one)) && one.expiresOn * 1000 > nowMs);
      if (live.length === 0) return;
      const written = await store.set(key, writeDocument(live, sections), {
        expiresAtMs: Math.max(...live.map((one) => one.expiresOn)) * 1000,
        hints: { kind: "tokens", suggestedKey: `${partition.clientId}_${partition.realm}_AppTokenCache` },
        ...(store.cas && { ifVersion: stored?.version ?? null }),
      });
      // What was removed while it was being written must not stay.
      if (live.some((one) => this.index.removedSince(one, asked))) await store.delete(key);
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

  /** Takes what belongs to a partition into the memory; gives that, and the sections that are others'. */
  #import(partition: AppPartition, stored: StoredValue | undefined, asked: number): MsalDocument {
    if (stored === undefined) return NOTHING;
    try {
      const document = readDocument(stored.value);
      // A partition is one client's: nobody else's tokens live here.
      const sections = new Map([...document.sections].filter(([name]) => name !== "AccessToken"));
      const tokens = document.tokens.filter((token) => belongs(token, partition));
      for (const token of tokens) this.index.put({ ...token, ext: partition.ext }, asked);
      return { tokens, sections };
    } catch {
      // Not MSAL's JSON: a miss, and the next write replaces it.
      return NOTHING;
    }
  }
}
