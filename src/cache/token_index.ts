/**
 * Finds a token by its canonical identity, without a scan over the cache.
 *
 * @module
 */

import { cloudOf, foldEnvironment } from "../authority/known_clouds.ts";
import { scopeKey, splitScopes } from "../request/scopes.ts";
import { ClockRing, type RingItem } from "../store/clock_ring.ts";
import type { CachedToken } from "./cached_token.ts";

/** A token with less than this left is not handed out if a newer one can be had. */
const EXPIRY_MARGIN_MS = 300_000;

/** How many removals are remembered; work that began before one must not bring back what it removed. */
const MAX_REMOVALS = 1_000;
/** An entry that claims to live for longer than this, and five minutes for clocks that differ, is not believed. */
const MAX_LIFETIME_MS = 86_700_000;
/** Later than any token lives. */
const NEVER = 0x7fffffff;
/** the most by which a renewal comes early. */
const MAX_JITTER_SECONDS = 300;

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
  /** When a new one should be asked for, in epoch seconds; pushed back when that was tried. */
  refreshAt: number;
  /** When the store has to be looked into before it is handed out, in epoch seconds. */
  checkAt: number;
  /** Everything that a client has for a user. */
  readonly owner: string;
  /** The realm and what binds the token. */
  readonly bucket: string;
  /** The scope keys it is found under: its identity, then what was granted. */
  readonly keys: readonly string[];
}

/** Entra's home accounts. Any other may differ from somebody else's by case alone. */
const GUIDS = /^[\da-f-]{36}\.[\da-f-]{36}$/i;

/** The name of everything that a client has for a user, or for itself if `homeAccountId` is empty. */
export function ownerKey(environment: string, clientId: string, homeAccountId: string): string {
  const home = GUIDS.test(homeAccountId) ? homeAccountId.toLowerCase() : homeAccountId;
  return [foldEnvironment(environment), clientId.toLowerCase(), home].join("\n");
}

/** The realm as it is compared: tenants of Microsoft's clouds in lower case, an issuer's path as it is. */
export function realmKey({ environment, realm }: Pick<CachedToken, "environment" | "realm">): string {
  return cloudOf(environment.toLowerCase()) === undefined ? realm : realm.toLowerCase();
}

/** The name of a bucket; the plain bearer tokens of a realm have the realm's. */
export function bucketKey(realm: string, tokenType: string, keyId: string, ext: string): string {
  const scheme = tokenType.toLowerCase();
  return scheme === "bearer" && keyId === "" && ext === "" ? realm : [realm, scheme, keyId, ext].join("\n");
}

/** The bucket that a token belongs to. */
export function bucketOf(token: CachedToken): string {
  return bucketKey(realmKey(token), token.tokenType, token.keyId, token.ext);
}

/** Whether a token has more left than the margin, and no more than a token has. */
export function isUsable(token: CachedToken, nowMs: number): boolean {
  const leftMs = token.expiresOn * 1000 - nowMs;
  return leftMs > EXPIRY_MARGIN_MS && leftMs <= MAX_LIFETIME_MS;
}

/** Whether a token can be handed out without asking for a newer one. */
export function isFresh(slot: Slot, nowMs: number): boolean {
  return isUsable(slot, nowMs) && nowMs < slot.refreshAt * 1000;
}

/** Whether it was long ago that the store was seen to have a token, so that it may have been removed there. */
export function isStale(slot: Slot, nowMs: number): boolean {
  return nowMs >= slot.checkAt * 1000;
}

/** What a token is known by in its bucket: the question that it answered, or what was granted. */
export function identityOf({ question, scopes }: CachedToken): string {
  return question ?? scopeKey(scopes);
}

/** By how many seconds a renewal comes early, so that the isolates that share a token do not all renew it at once. */
function jitterOf({ refreshOn = 0, cachedAt }: CachedToken): number {
  return Math.floor(Math.random() * Math.min(MAX_JITTER_SECONDS, Math.max(refreshOn - cachedAt, 0) / 10));
}

function slotOf(token: CachedToken): Slot {
  const { secret, expiresOn, refreshOn, scopes, realm, tokenType, extendedExpiresOn, ...rest } = token;
  const key = scopeKey(scopes);
  // Every slot has one shape, and what a hit reads comes first: it then lies together in memory.
  return {
    secret,
    expiresOn,
    refreshAt: refreshOn === undefined ? NEVER : refreshOn - jitterOf(token),
    checkAt: NEVER,
    used: false,
    refreshOn,
    extendedExpiresOn,
    scopes,
    realm,
    tokenType,
    ...rest,
    owner: ownerKey(rest.environment, rest.clientId, rest.homeAccountId),
    bucket: bucketOf(token),
    keys: [...new Set([identityOf(token), key])],
    bytes: secret.length + 4 * key.length + 2 * rest.ext.length + 1_000 + (rest.origin?.bytes ?? 0),
  };
}

/** The tokens in memory: bounded, found by owner, bucket and scope key, three map lookups whatever the size. */
export class TokenIndex {
  readonly #owners = new Map<string, Owner>();
  readonly #ring: ClockRing<Slot>;
  /** The last removals: of whom, and what. */
  #removed: { readonly owner: string; readonly matches: (token: CachedToken) => boolean }[] = [];
  #removals = 0;
  /** Who was removed by an application of this cache, and how many removals there were then. */
  readonly removedHere: Map<string, number> = new Map();
  /** For how long a token counts without a look into the store. */
  readonly maxStalenessMs: number;

  /**
   * Makes an empty index.
   *
   * @param maxEntries The most tokens; 10 000 where absent.
   * @param maxBytes The most bytes, about; 32 MiB where absent.
   * @param maxStalenessMs For how long a token counts without a look into the store.
   */
  constructor(
    maxEntries: number = 10_000,
    maxBytes: number = 32 * 1024 * 1024,
    maxStalenessMs: number = Infinity,
  ) {
    this.maxStalenessMs = maxStalenessMs;
    this.#ring = new ClockRing({ maxEntries, maxBytes }, (slot) => this.#unlink(slot));
  }

  /** How many tokens there are. */
  get size(): number {
    return this.#ring.items.size;
  }

  /** Every token. */
  get tokens(): readonly CachedToken[] {
    return [...this.#ring.items];
  }

  /** The tokens of an owner, or of one bucket. */
  tokensOf(owner: string, bucket?: string): Slot[] {
    const buckets = this.#owners.get(owner)?.buckets;
    if (bucket === undefined) return [...buckets?.values() ?? []].flatMap((slots) => [...slots]);
    return [...buckets?.get(bucket) ?? []];
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
      const granted = slot.keys.at(-1)?.split(" ") ?? [];
      const covers = wanted.length > 0 && wanted.every((scope) => granted.includes(scope));
      if (!covers || !isUsable(slot, nowMs)) continue;
      slot.used = true;
      return slot;
    }
    return exact;
  }

  /** What to pass as `asked` for a token that is asked for now. */
  get removals(): number {
    return this.#removals;
  }

  /** Whether a removal since then would have taken a token of this owner out, or all that the owner has. */
  removedSince(owner: string, asked: number, token?: CachedToken): boolean {
    // More removals than are remembered: any of them may have meant this one.
    if (asked < this.#removals - this.#removed.length) return true;
    const since = this.#removed.slice(asked - this.#removals + this.#removed.length);
    return since.some((removal) =>
      removal.owner === owner && (token === undefined || removal.matches(token))
    );
  }

  /**
   * Takes a token in, in place of the one with the same identity.
   *
   * @param token The token.
   * @param asked How many removals there were when it was asked for: one of its owner since then keeps it out.
   * @returns Whether it is now the one that the cache knows.
   */
  put(token: CachedToken, asked: number): boolean {
    const slot = slotOf(token);
    const { owner, bucket, keys: [key = ""] } = slot;
    if (this.removedSince(owner, asked, token)) return false;
    const found = this.#owners.get(owner)?.exact.get(key)?.get(bucket);
    const old = found?.keys[0] === key ? found : undefined;
    // Of what is read the newest counts; what was just issued is the newest, whatever somebody else's clock said.
    if (old !== undefined && token.origin !== undefined && old.cachedAt >= token.cachedAt) return false;
    if (old !== undefined) this.remove(old);
    const added = old === undefined ? slot : slotOf({
      ...token,
      origin: token.origin ?? old.origin,
      cachedAt: Math.max(token.cachedAt, old.cachedAt),
    });
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
   * Takes out what an owner has, and keeps out whatever was asked for before now.
   *
   * @param owner The owner.
   * @param matches Which ones.
   * @returns The tokens that are gone.
   */
  removeOwned(owner: string, matches: (token: CachedToken) => boolean): CachedToken[] {
    this.#removed = [...this.#removed, { owner, matches }].slice(-MAX_REMOVALS);
    this.#removals++;
    const slots = this.tokensOf(owner).filter(matches);
    for (const slot of slots) this.remove(slot);
    return slots;
  }

  /** Forgets everything. */
  clear(): void {
    for (const slot of [...this.#ring.items]) this.remove(slot);
  }

  #link(slot: Slot): void {
    const { owner, bucket, keys } = slot;
    const owned = upsert(this.#owners, owner, () => ({ exact: new Map(), buckets: new Map() }));
    for (const key of keys) {
      const named = upsert(owned.exact, key, () => new Map<string, Slot>());
      // What was granted is no identity: it does not take the place of a token that was asked for by that name.
      if (key === keys[0] || !named.has(bucket)) named.set(bucket, slot);
    }
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
