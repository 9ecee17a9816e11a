/**
 * Finds a token by its canonical identity, without a scan over the cache.
 *
 * @module
 */

import { foldEnvironment } from "../authority/known_clouds.ts";
import { scopeKey, splitScopes } from "../request/scopes.ts";
import { ClockRing, type RingItem } from "../store/clock_ring.ts";
import type { CachedToken } from "./cached_token.ts";

/** A token with less than this left is not handed out if a newer one can be had. */
const EXPIRY_MARGIN_MS = 300_000;

/** How long a removal keeps answers that were asked for before it out of the cache; no flight takes longer. */
const TOMBSTONE_MS = 600_000;

/**
 * What an owner has. Exact matches go by scope key first: a daemon has few scopes and many tenants, so the large map is
 * the one that gives the token.
 */
interface Owner {
  readonly exact: Map<string, Map<string, Slot>>;
  readonly buckets: Map<string, Set<Slot>>;
}

/** A token and its place in the cache; one object, so that a hit touches little memory. */
export interface Slot extends CachedToken, RingItem {
  /** When a new one should be asked for, in epoch milliseconds; pushed back when that fails. */
  refreshAtMs: number;
  /** Everything that a client has for a user. */
  readonly owner: string;
  /** The realm and what binds the token. */
  readonly bucket: string;
  /** The scope keys it is found under: what was granted, and what was asked for. */
  readonly keys: readonly string[];
}

/** The name of everything that a client has for a user, or for itself if `homeAccountId` is empty. */
export function ownerKey(environment: string, clientId: string, homeAccountId: string): string {
  return [foldEnvironment(environment), clientId.toLowerCase(), homeAccountId.toLowerCase()].join("\n");
}

/** The name of a bucket; the plain bearer tokens of a realm have the realm's. */
export function bucketKey(realm: string, tokenType: string, keyId: string, ext: string): string {
  const scheme = tokenType.toLowerCase();
  const plain = scheme === "bearer" && keyId === "" && ext === "";
  return plain ? realm.toLowerCase() : [realm.toLowerCase(), scheme, keyId, ext].join("\n");
}

/** Whether a token has more left than the margin. */
export function isUsable(token: CachedToken, nowMs: number): boolean {
  return token.expiresOn * 1000 - nowMs > EXPIRY_MARGIN_MS;
}

/** Whether a token can be handed out without asking for a newer one. */
export function isFresh(slot: Slot, nowMs: number): boolean {
  return isUsable(slot, nowMs) && nowMs < slot.refreshAtMs;
}

function slotOf(token: CachedToken): Slot {
  const key = scopeKey(token.scopes);
  const { requestedKey = key } = token;
  return {
    ...token,
    refreshAtMs: token.refreshOn === undefined ? Infinity : token.refreshOn * 1000,
    owner: ownerKey(token.environment, token.clientId, token.homeAccountId),
    bucket: bucketKey(token.realm, token.tokenType, token.keyId, token.ext),
    keys: key === requestedKey ? [key] : [key, requestedKey],
    bytes: token.secret.length + 4 * key.length + 1_000,
    used: false,
    place: -1,
  };
}

/** The tokens in memory: bounded, found by owner, bucket and scope key, three map lookups whatever the size. */
export class TokenIndex {
  readonly #owners = new Map<string, Owner>();
  readonly #ring: ClockRing<Slot>;
  readonly #tombstones = new Map<string, number>();

  /**
   * Makes an empty index.
   *
   * @param maxEntries The most tokens; 10 000 where absent.
   * @param maxBytes The most bytes, about; 32 MiB where absent.
   */
  constructor(maxEntries: number = 10_000, maxBytes: number = 32 * 1024 * 1024) {
    this.#ring = new ClockRing({ maxEntries, maxBytes }, (slot) => this.#unlink(slot));
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#ring.items.length;
  }

  /** Every token. */
  get tokens(): readonly CachedToken[] {
    return this.#ring.items;
  }

  /** The tokens of one bucket. */
  tokensOf(owner: string, bucket: string): CachedToken[] {
    return [...this.#owners.get(owner)?.buckets.get(bucket) ?? []];
  }

  /** The token under exactly these texts, marked as used; it may have expired. */
  findExact(owner: string, bucket: string, key: string): Slot | undefined {
    const slot = this.#owners.get(owner)?.exact.get(key)?.get(bucket);
    if (slot !== undefined) slot.used = true;
    return slot;
  }

  /**
   * Finds the token for a scope key: the exact one, else one of the same bucket that covers it.
   *
   * @returns A slot that may have expired: `undefined` says that there never was one.
   */
  find(owner: string, bucket: string, key: string, nowMs: number): Slot | undefined {
    const exact = this.findExact(owner, bucket, key);
    if (exact !== undefined && isUsable(exact, nowMs)) return exact;
    const wanted = splitScopes(key);
    for (const slot of this.#owners.get(owner)?.buckets.get(bucket) ?? []) {
      const granted = slot.keys[0]?.split(" ") ?? [];
      const covers = wanted.length > 0 && wanted.every((scope) => granted.includes(scope));
      if (covers && isUsable(slot, nowMs)) return slot;
    }
    if (exact !== undefined && exact.expiresOn * 1000 <= nowMs) this.remove(exact);
    return exact;
  }

  /**
   * Takes a token in, in place of the one with the same identity.
   *
   * @param token The token.
   * @param askedAtMs When it was asked for: a removal since then keeps it out.
   * @returns Whether it is now the one that the cache knows.
   */
  put(token: CachedToken, askedAtMs: number): boolean {
    const slot = slotOf(token);
    if ((this.#tombstones.get(slot.owner) ?? -Infinity) >= askedAtMs) return false;
    const old = this.#owners.get(slot.owner)?.exact.get(slot.keys[0] as string)?.get(
      slot.bucket,
    );
    if (old !== undefined) {
      if (old.cachedAt > token.cachedAt || old.secret === token.secret) return false;
      this.remove(old);
    }
    const added = { ...slot, origin: token.origin ?? old?.origin };
    if (!this.#ring.add(added)) return false;
    this.#link(added);
    return true;
  }

  /** Takes a token out. */
  remove(slot: Slot): void {
    this.#ring.remove(slot);
    this.#unlink(slot);
  }

  /**
   * Takes out what an owner has, in some buckets or in all, and whatever was asked for before now.
   *
   * @returns The tokens that are gone.
   */
  removeOwned(owner: string, matches: (token: CachedToken) => boolean, nowMs: number): CachedToken[] {
    this.#bury(owner, nowMs);
    const removed: CachedToken[] = [];
    for (const bucket of [...this.#owners.get(owner)?.buckets.values() ?? []]) {
      for (const slot of [...bucket].filter(matches)) {
        removed.push(slot);
        this.remove(slot);
      }
    }
    return removed;
  }

  /** Forgets everything. */
  clear(): void {
    for (const slot of [...this.#ring.items]) this.remove(slot);
  }

  #bury(owner: string, nowMs: number): void {
    this.#tombstones.delete(owner);
    this.#tombstones.set(owner, nowMs);
    // The oldest come first.
    for (const [name, atMs] of this.#tombstones) {
      if (atMs > nowMs - TOMBSTONE_MS && this.#tombstones.size <= 10_000) return;
      this.#tombstones.delete(name);
    }
  }

  #link(slot: Slot): void {
    const { owner, bucket, keys } = slot;
    const owned = upsert(this.#owners, owner, () => ({ exact: new Map(), buckets: new Map() }));
    for (const key of keys) upsert(owned.exact, key, () => new Map()).set(bucket, slot);
    upsert(owned.buckets, bucket, () => new Set()).add(slot);
  }

  #unlink(slot: Slot): void {
    const { owner, bucket, keys } = slot;
    const owned = this.#owners.get(owner);
    if (owned === undefined) return;
    for (const key of keys) {
      const named = owned.exact.get(key);
      if (named?.get(bucket) === slot) named.delete(bucket);
      if (named?.size === 0) owned.exact.delete(key);
    }
    const slots = owned.buckets.get(bucket);
    slots?.delete(slot);
    if (slots?.size === 0) owned.buckets.delete(bucket);
    if (owned.buckets.size === 0) this.#owners.delete(owner);
  }
}

function upsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
