/**
 * The part of a store that holds one client's app tokens for one tenant.
 *
 * @module
 */

import { lengthPrefixed, sha256 } from "../crypto/digest.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { StoredValue } from "../store/store.ts";
import type { CachedToken } from "./access_token.ts";
import { readDocument, writeDocument } from "./msal_document.ts";
import { bucketKey, ownerKey, type TokenIndex } from "./token_index.ts";

/** How often a write is tried again after somebody else wrote first. */
const MAX_ATTEMPTS = 4;

/** Which tokens a partition holds. */
export interface AppPartition {
  /** The owner in the index; its texts name the partition. */
  readonly owner: string;
  /** The bucket in the index. */
  readonly bucket: string;
  /** The client id, for the name that MSAL would use. */
  readonly clientId: string;
  /** The tenant. */
  readonly realm: string;
  /** The text of the extra components, as the bucket's tokens carry it. */
  readonly ext: string;
  /** The hash of the extra components. */
  readonly extHash: string;
}

/** The partition's key in the store: hashed, so that it tells nothing and no text in it can forge another. */
export async function partitionKey(partition: AppPartition): Promise<string> {
  const { owner, realm, extHash } = partition;
  return `msal-edge.tokens.v1.${await sha256(lengthPrefixed(["app", owner, realm, extHash]))}`;
}

/** Moves app tokens between the memory and a store. */
export class AppPartitions {
  readonly #store: GuardedStore;
  readonly #index: TokenIndex;

  /**
   * Joins a store and an index.
   *
   * @param store The store.
   * @param index The memory.
   */
  constructor(store: GuardedStore, index: TokenIndex) {
    this.#store = store;
    this.#index = index;
  }

  /** Reads a partition into the memory: one read of the store. */
  async load(partition: AppPartition, nowMs: number): Promise<void> {
    this.#import(partition, await this.#store.get(await partitionKey(partition)), nowMs);
  }

  /** Writes a partition from the memory, together with what others have written to it. */
  async save(partition: AppPartition, nowMs: number): Promise<void> {
    const key = await partitionKey(partition);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const stored = await this.#store.get(key);
      const sections = this.#import(partition, stored, nowMs);
      const live = this.#index.tokensOf(partition.owner, partition.bucket)
        .filter((token) => token.expiresOn * 1000 > nowMs);
      if (live.length === 0) return;
      const written = await this.#store.set(key, writeDocument(live, sections), {
        expiresAtMs: Math.max(...live.map((token) => token.expiresOn)) * 1000,
        hints: { kind: "tokens", suggestedKey: `${partition.clientId}_${partition.realm}_AppTokenCache` },
        ...(this.#store.cas && { ifVersion: stored?.version ?? null }),
      });
      if (written === undefined || written.ok) return;
    }
  }

  /** Forgets a partition. */
  async delete(partition: AppPartition): Promise<void> {
    await this.#store.delete(await partitionKey(partition));
  }

  /** Takes in what belongs to the partition; a store that mixes partitions up must not mix tokens up. */
  #import(
    partition: AppPartition,
    stored: StoredValue | undefined,
    nowMs: number,
  ): ReadonlyMap<string, unknown> {
    if (stored === undefined) return new Map();
    try {
      const { tokens, sections } = readDocument(stored.value);
      for (const token of tokens) {
        if (belongs(token, partition)) this.#index.put({ ...token, ext: partition.ext }, nowMs);
      }
      return sections;
    } catch {
      // Not MSAL's JSON: a miss, and the next write replaces it.
      return new Map();
    }
  }
}

function belongs(token: CachedToken, partition: AppPartition): boolean {
  return ownerKey(token.environment, token.clientId, token.homeAccountId) === partition.owner &&
    bucketKey(token.realm, token.tokenType, token.keyId, partition.ext) === partition.bucket &&
    token.extHash === partition.extHash;
}
