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
import type { Dialect } from "./msal_entry.ts";
import { fitPartition } from "./overflow.ts";
import { nameIn, readPartition, refuseRemoval, updatePartition } from "./partition.ts";
import { compareSeen, noteSeen, staleOf } from "./staleness.ts";
import { bucketKey, bucketOf, identityOf, ownerKey, type Slot, type TokenIndex } from "./token_index.ts";
import { isBefore, RemovalTimes, removedAt, removePartition } from "./tombstone.ts";
import { inTurn, type Turns } from "./turns.ts";
import type { UserCache } from "./user_cache.ts";

/** The name that MSAL.NET would use. */
function suggestedKeyOf({ clientId, realm, extHash, keyId = "" }: AppPartition): string {
  return [keyId + clientId, realm, ...(extHash === "" ? [] : [extHash]), "AppTokenCache"].join("_");
}

/** The bucket of a partition, however its extra components are spelled. */
function bucketNamed({ realm, tokenType = "bearer", keyId = "" }: AppPartition, ext: string): string {
  return bucketKey(realm, tokenType, keyId, ext);
}

function keyOf(store: GuardedStore, partition: AppPartition): Promise<string> {
  const { owner, realm, ext, extHash, tokenType = "", keyId = "" } = partition;
  const parts = store.isShared
    ? [extHash, bucketNamed(partition, ext)]
    : [realm, extHash, ...(keyId && [tokenType.toLowerCase(), keyId])];
  return nameIn(store, suggestedKeyOf(partition), "app", owner, ...parts);
}

/** More partitions than this are not remembered as having been in the store. */
const MAX_VERSIONS = 1_000;

function hintsOf(partition: AppPartition): { suggestedKey: string; isApplicationCache: true } {
  return { suggestedKey: suggestedKeyOf(partition), isApplicationCache: true };
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
  /** The turns that isolates take, where the store has locks. */
  readonly turns: Turns | undefined;
  readonly #store: GuardedStore | undefined;
  readonly #onChange: () => void;
  /** What was there at the last read: if it is gone at the next write, somebody else has removed it. */
  readonly #versions = new Map<string, string>();
  readonly #removals: RemovalTimes = new RemovalTimes();
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
    this.turns = store?.locks
      ? { cas: store.cas, run: (turn, work) => inTurn(store, turn, work) }
      : undefined;
    this.#onChange = onChange;
    this.#dialect = dialect;
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
      const name = await keyOf(store, partition);
      const stale = staleOf(this.index, partition.owner, partition.bucket, nowMs);
      const lateMs = this.#removals.lately(name, store.nowMs);
      // What was removed here does not come back because a store shows it late.
      const stored = await store.read(name, lateMs === undefined ? options : undefined);
      this.#note(name, stored?.version);
      const atMs = removedAt(stored, store.nowMs);
      const known = atMs === undefined ? [] : this.index.tokensOf(partition.owner, partition.bucket);
      for (const token of known) if (token.cachedAt * 1000 <= (atMs as number)) this.#drop(token);
      const { tokens } = this.#import(partition, name, stored ?? undefined, asked);
      compareSeen(this.index, partition, stale, stored === null ? null : tokens, store.cas, nowMs);
    }
    if (partition.ext === "") return;
    for (const hash of await extendedKeyHashes(partition)) {
      const hashed = bucketNamed(partition, `#${hash}`);
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
    let known: readonly Slot[] = [];
    let live = known;
    let isGone = false;
    const written = await updatePartition(store, key, (stored) => {
      isGone = nowMs < (removedAt(stored, store.nowMs) ?? 0);
      if (isGone) return undefined;
      const { tokens, sections } = this.#import(partition, key, stored, asked);
      const names = new Set([token, ...tokens].map(identityOf));
      known = this.index.tokensOf(partition.owner, partition.bucket)
        .filter((one) => names.has(identityOf(one)) && one.expiresOn * 1000 > nowMs);
      const write = (tokens: readonly CachedToken[]): string =>
        writeDocument({ ...NOTHING, tokens }, sections, this.#dialect);
      const fitted = fitPartition(known, write, store.maxValueBytes);
      live = fitted.tokens;
      return known.length === 0 ? undefined : {
        value: fitted.value,
        expiresAtMs: Math.max(...known.map((one) => one.expiresOn)) * 1000,
        optional: true,
        ...hintsOf(partition),
        hasTokens: true,
      };
    }, store.cas ? this.#versions.get(key) : undefined);
    if (typeof written === "object") {
      // What was left out will not be missed there.
      noteSeen(this.index, known, Infinity);
      noteSeen(this.index, live, nowMs);
    }
    if (isGone || written === "gone") this.#drop(token);
    else if (written?.ok) this.#note(key, written.version);
    // What was removed while it was being written must not stay.
    const isRemoved = live.some((one) => this.index.removedSince(partition.owner, asked, one));
    if (isRemoved) await removePartition(store, key, hintsOf(partition));
  }

  /** Forgets partitions. */
  async forget(partitions: readonly AppPartition[], changed: boolean): Promise<void> {
    if (changed) this.#onChange();
    const store = this.#store;
    if (store === undefined) return;
    const named = await Promise.all(
      partitions.map(async (one) => [await keyOf(store, one), hintsOf(one)] as const),
    );
    const removed = await Promise.all([...new Map(named)].map(([key, hints]) => {
      this.#removals.note(key, store.nowMs);
      return removePartition(store, key, hints);
    }));
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
  #import(
    partition: AppPartition,
    key: string,
    stored: StoredValue | undefined,
    asked: number,
  ): MsalDocument {
    const document = readPartition(stored);
    const { ext, extHash } = partition;
    const { cas, nowMs } = this.#store as GuardedStore;
    const lateMs = cas ? undefined : this.#removals.lately(key, nowMs);
    const tokens = document.tokens.filter((token) =>
      belongs(token, partition) && !(lateMs !== undefined && isBefore(token.cachedAt, lateMs))
    );
    for (const token of tokens) this.index.put({ ...token, ext, extHash }, asked);
    return { ...document, tokens };
  }
}
