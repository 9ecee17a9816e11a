/**
 * Memory in front of a store that is further away.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { CacheError, nameOf, refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { Copies, type Copy } from "./copies.ts";
import { keepAlive, WAIT_UNTIL_HELP } from "./single_flight.ts";
import {
  type GetOptions,
  requireBound,
  requireOptions,
  requireStore,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
} from "./store.ts";

/** How long somebody whom a copy would serve waits for a store that may be dead, or for a write that was not waited for. */
const PATIENCE_MS = 1_000;
/** How long nobody waits again for a store that failed. */
const PAUSE_MS = 5_000;
/** For how long a copy serves while the store is dead. */
const OUTAGE_MS = 3_600_000;
/** How long it may still come then, and undo what was written after it. */
const LATE_MS = 15_000;
/** More writes than this are not remembered as being under way. */
const MAX_BEHIND = 10_000;
const LATE = "late";

/** Writes that took too long to be waited for. */
interface Late {
  readonly works: Set<Promise<unknown>>;
  /** Makes the newest write once more. */
  again?: () => Promise<unknown>;
}

/** How a {@linkcode LayeredStore} is made. */
export interface LayeredStoreOptions {
  /** How old a copy in memory may be, in milliseconds. @default {30000} */
  readonly maxStalenessMs?: number | undefined;
  /** For how long it is remembered that there is no value, in milliseconds. @default {0} */
  readonly negativeMs?: number | undefined;
  /** How much is kept in memory; what was not used lately is forgotten first. */
  readonly memory?: {
    /** The most values. @default {1000} */
    readonly maxEntries?: number | undefined;
    /** The most bytes of keys and values, about. @default {8388608} */
    readonly maxBytes?: number | undefined;
  } | undefined;
  /**
   * Keeps writes alive that nobody waits for: memory takes them at once, and the store afterwards. `"detached"` where the
   * runtime does so by itself; on Workers `waitUntil` of `cloudflare:workers`. Where this is absent, for writes that compare
   * versions or say that tokens are gone, and for tokens where the store has locks, callers wait for the store.
   */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** Told of what callers do not hear of: such a write failed, or a read that memory answered instead. */
  readonly onError?: ((error: CacheError) => void) | undefined;
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

/**
 * Keeps copies of what is in another store in the memory of this isolate, for both caches.
 *
 * A read that need not see the newest (`consistency: "eventual"`, as on a cache hit) is answered from memory for up to
 * `maxStalenessMs`, and for up to an hour while the store does not answer. Every other read, and every comparison of versions,
 * is made by the store: no update is lost by the layer. What another isolate removes may serve here for `maxStalenessMs` more.
 *
 * ```ts
 * import { LayeredStore, MemoryStore, TokenCache } from "@msal-edge/msal";
 *
 * const remote = new MemoryStore(); // stands for a store that is far away
 * const tokenCache = new TokenCache({ store: new LayeredStore(remote, { maxStalenessMs: 10_000 }) });
 * ```
 */
export class LayeredStore implements Store {
  /** Whether `set` honours `ifVersion`: as in the store behind. */
  readonly cas: boolean;
  /** The most bytes of a value: as in the store behind. */
  readonly maxValueBytes?: number;
  /** Whether nobody else can write to the store behind. */
  readonly isPrivate: boolean;
  /** Whether others can read in the store behind. */
  readonly requiresSeal: boolean;
  /** Takes a lease, where the store behind can. */
  readonly lock?: NonNullable<Store["lock"]>;
  readonly #store: Store;
  readonly #copies: Copies;
  readonly #clock: Clock;
  readonly #maxStalenessMs: number;
  readonly #negativeMs: number;
  readonly #waitUntil: WaitUntil | "detached" | undefined;
  readonly #onError: ((error: CacheError) => void) | undefined;
  /** The writes that nobody waits for. */
  readonly #behind = new Map<string, Promise<unknown>>();
  /** Those of them that others have overtaken. */
  readonly #late = new Map<string, Late>();

  /**
   * Puts memory in front of a store.
   *
   * @param remote The store.
   * @param options How old a copy may be, and how many there may be.
   * @throws {ClientConfigurationError} `invalid_store` or `invalid_option`.
   */
  constructor(remote: Store, options: LayeredStoreOptions = {}) {
    requireOptions(options);
    const { memory = {}, maxStalenessMs, negativeMs, waitUntil, onError, clock = systemClock } = options;
    requireOptions(memory);
    const { maxValueBytes, lock } = this.#store = requireStore(remote, "remote");
    this.#maxStalenessMs = requireBound(maxStalenessMs, 30_000, "maxStalenessMs");
    this.#negativeMs = negativeMs === 0 ? 0 : requireBound(negativeMs, 0, "negativeMs");
    this.#copies = new Copies({
      maxEntries: requireBound(memory.maxEntries, 1_000, "memory.maxEntries"),
      maxBytes: requireBound(memory.maxBytes, 8 * 2 ** 20, "memory.maxBytes"),
    });
    if (![undefined, "detached"].includes(waitUntil as "detached") && typeof waitUntil !== "function") {
      refuse("invalid_option", "waitUntil", WAIT_UNTIL_HELP);
    }
    this.#waitUntil = waitUntil;
    this.#onError = onError;
    this.#clock = clock;
    this.cas = remote.cas === true;
    this.isPrivate = remote.isPrivate === true;
    this.requiresSeal = remote.requiresSeal === true;
    if (maxValueBytes !== undefined) this.maxValueBytes = maxValueBytes;
    if (typeof lock === "function") this.lock = (key, leaseMs) => lock.call(remote, key, leaseMs);
  }

  /** Reads a value; an `"eventual"` read from memory, for as long as that counts. */
  async get(key: string, options?: GetOptions): Promise<StoredValue | undefined> {
    const nowMs = this.#clock.now();
    const copy = options?.consistency === "eventual" ? this.#copies.get(key) : undefined;
    if (copy === undefined || copy.endsAtMs <= nowMs) return await this.#read(key, options);
    if (nowMs < copy.freshUntilMs) return copy.stored;
    const reading = this.#read(key, options);
    if (copy.stored === undefined) return await reading;
    try {
      return await withDeadline(this.#clock, reading, PATIENCE_MS, () => Promise.reject(LATE));
    } catch (error) {
      copy.freshUntilMs = this.#clock.now() + PAUSE_MS;
      this.#report("cache_read_failed", error);
      return copy.stored;
    }
  }

  /** Writes a value; behind the caller's back, where that is allowed and nothing is compared. */
  async set(key: string, value: string, options: SetOptions): Promise<SetResult> {
    const { ifVersion, hints, expiresAtMs } = options;
    // Who waits for a lease has to find what it was held for.
    const isAwaited = hints?.hasTokens === false || (this.lock && hints?.kind === "tokens");
    if (this.#waitUntil === undefined || ifVersion !== undefined || isAwaited) {
      await this.#settled(key);
      if (ifVersion === undefined) this.#overtake(key, () => this.#store.set(key, value, options));
      return await this.#write(key, value, options);
    }
    const earlier = this.#settled(key);
    const copy = this.#keep(key, { value }, expiresAtMs);
    const work = earlier.then(() => {
      this.#overtake(key, () => this.#store.set(key, value, options));
      return this.#store.set(key, value, options);
    }).then(({ ok }) => {
      if (!ok) throw new Error();
    }).catch((error) => {
      if (this.#copies.get(key) === copy) this.#copies.drop(key);
      this.#report("cache_write_failed", error);
    }).then(() => {
      if (this.#behind.get(key) === work) this.#behind.delete(key);
    });
    // What died with its request in workerd stays behind.
    if (this.#behind.size > MAX_BEHIND) this.#behind.clear();
    this.#behind.set(key, work);
    keepAlive(this.#waitUntil, work);
    return { ok: true };
  }

  /** Forgets a value. */
  async delete(key: string): Promise<void> {
    await this.#settled(key);
    this.#overtake(key, () => this.#store.delete(key));
    this.#copies.drop(key);
    await this.#store.delete(key);
    this.#keep(key, undefined);
  }

  async #read(key: string, options: GetOptions | undefined): Promise<StoredValue | undefined> {
    await this.#settled(key);
    const before = this.#copies.get(key);
    const found = await this.#store.get(key, options);
    // What was written or removed meanwhile is newer.
    if (this.#copies.get(key) !== before) return found;
    const { value, version, rejected } = Object(found) as StoredValue;
    const isNone = (found ?? undefined) === undefined;
    if (isNone ? this.#negativeMs === 0 : typeof value !== "string" || rejected) this.#copies.drop(key);
    else this.#keep(key, isNone ? undefined : { value, ...(version !== undefined && { version }) });
    return found;
  }

  async #write(key: string, value: string, options: SetOptions): Promise<SetResult> {
    const { stored, endsAtMs = 0 } = this.#copies.get(key) ?? {};
    // Nobody knows what is there until the store has answered; if it never does, the old copy is the last that was known.
    const mark = this.#copies.put(key, stored, endsAtMs, 0);
    const written = await this.#store.set(key, value, options);
    const { ok, version } = written;
    // Of two that wrote at the same time nobody knows who was last.
    if (!ok || this.#copies.get(key) !== mark) this.#copies.drop(key);
    else this.#keep(key, { value, ...(version !== undefined && { version }) }, options.expiresAtMs);
    return written;
  }

  #keep(key: string, stored: StoredValue | undefined, expiresAtMs = Infinity): Copy {
    const nowMs = this.#clock.now();
    const freshMs = stored === undefined ? this.#negativeMs : this.#maxStalenessMs;
    return this.#copies.put(key, stored, Math.min(expiresAtMs, nowMs + OUTAGE_MS), nowMs + freshMs);
  }

  /** Waits for the write that nobody waited for, so that a key's writes keep their order, and reads come after them. */
  async #settled(key: string): Promise<void> {
    const work = this.#behind.get(key);
    if (work === undefined) return;
    // Not for ever: in workerd it may have died with its request, which says so or not.
    const isDone = await withDeadline(this.#clock, work.then(() => true), PATIENCE_MS, () => false)
      .catch(() => false);
    if (isDone) return;
    if (this.#behind.get(key) === work) this.#behind.delete(key);
    this.#giveUp(key, work);
  }

  #giveUp(key: string, work: Promise<unknown>): void {
    const late = this.#late.get(key) ?? { works: new Set() };
    if (late.works.has(work)) return;
    late.works.add(work);
    if (this.#late.size > MAX_BEHIND) this.#late.clear();
    this.#late.set(key, late);
    const forget = (): void => {
      late.works.delete(work);
      if (late.works.size === 0 && this.#late.get(key) === late) this.#late.delete(key);
    };
    work.then(() => late.again?.()).catch((error) => this.#report("cache_write_failed", error)).then(forget);
  }

  /** Notes a write that overtakes: it is made once more if what it overtakes comes all the same. */
  #overtake(key: string, again: () => Promise<unknown>): void {
    const late = this.#late.get(key);
    if (late === undefined) return;
    late.again = again;
    // For as long as that can take: what died with its request never comes.
    const ends = withDeadline(this.#clock, Promise.all(late.works), LATE_MS, () => undefined);
    keepAlive(this.#waitUntil, ends.finally(() => late.again === again && delete late.again));
  }

  #report(code: "cache_read_failed" | "cache_write_failed", error: unknown): void {
    const why = error === LATE ? `it took more than ${PATIENCE_MS} ms` : `it threw ${nameOf(error)}`;
    // Ours says what to do by itself.
    const told = isAuthError(error) ? error.message : `${why}. Check its address or binding, and its limits`;
    try {
      this.#onError?.(new CacheError(code, `Memory answers for its store: ${told}`));
    } catch {
      // An observer's fault must not become the caller's.
    }
  }
}
