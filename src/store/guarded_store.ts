/**
 * A store that may be slow, broken or absent without hurting a call.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { CacheError, nameOf } from "../errors/errors.ts";
import type { CacheErrorCode } from "../errors/error_codes.ts";
import type { Clock } from "../runtime/clock.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { GetOptions, SetOptions, SetResult, Store, StoredValue, StoreLock } from "./store.ts";

/** How long a store may take before a call goes on without it. */
const STORE_TIMEOUT_MS = 2_000;
const TIMEOUT = "timeout";
const NONE = "none";

/**
 * Whether a text is small enough for a value.
 *
 * @param text The text.
 * @param maxBytes The most bytes of UTF-8.
 */
export function fits(text: string, maxBytes: number): boolean {
  // No UTF-16 unit takes more than three bytes.
  return text.length * 3 <= maxBytes || new TextEncoder().encode(text).length <= maxBytes;
}

/** Told of every failure of a store. */
export type OnStoreFailure = (error: CacheError) => void;

/** Wraps a {@linkcode Store}: a failure is reported, and reads as a miss. */
export class GuardedStore {
  readonly #store: Store;
  readonly #option: string;
  readonly #clock: Clock;
  readonly #onFailure: OnStoreFailure;

  /**
   * Wraps a store.
   *
   * @param store The store.
   * @param option The option it came from, for error messages.
   * @param clock Whose timer bounds it.
   * @param onFailure Told of every failure.
   */
  constructor(store: Store, option: string, clock: Clock, onFailure: OnStoreFailure) {
    this.#store = store;
    this.#option = option;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Whether the store can compare and set. */
  get cas(): boolean {
    return this.#store.cas === true;
  }

  /** Whether the store has locks. */
  get locks(): boolean {
    return typeof this.#store.lock === "function";
  }

  /** Whether others keep entries of their own in the same values, under MSAL's names. */
  get isShared(): boolean {
    return false;
  }

  /** Whether nobody else can write to the store. */
  get isPrivate(): boolean {
    return this.#store.isPrivate === true;
  }

  /** The most bytes of a value. */
  get maxValueBytes(): number {
    return this.#store.maxValueBytes ?? Infinity;
  }

  /** Where the time is read and timers are set. */
  get clock(): Clock {
    return this.#clock;
  }

  /** The time, in milliseconds since the epoch. */
  get nowMs(): number {
    return this.#clock.now();
  }

  /** Reads a value; `undefined` also where the store failed. */
  async get(key: string, options?: GetOptions): Promise<StoredValue | undefined> {
    return await this.read(key, options) ?? undefined;
  }

  /** Reads a value; `undefined` where there is none, `null` where the store failed. */
  async read(key: string, options?: GetOptions): Promise<StoredValue | undefined | null> {
    const read = await this.#guard("cache_read_failed", "read from", async () => {
      // Read here, and once: what a store returns may throw, or change.
      const found = await this.#store.get(key, options);
      const { value, version, rejected } = Object(found) as StoredValue;
      if (rejected === true) this.#reject();
      if (typeof value === "string") return { value, version } as StoredValue;
      if ((found ?? undefined) === undefined) return NONE;
      // What is no value is no proof that there is none.
      throw new CacheError("cache_read_failed", "get gave no text as { value }");
    });
    return read === NONE ? undefined : read as StoredValue | undefined ?? null;
  }

  /** Writes a value; `undefined` where the store failed, or takes none that is so large. */
  set(key: string, value: string, options: SetOptions): Promise<SetResult | undefined> {
    if (!fits(value, this.maxValueBytes)) {
      const why = `it has more than ${this.maxValueBytes} bytes. Use a store for larger values`;
      this.#onFailure(new CacheError("value_too_large", `Cannot keep a value in ${this.#option}: ${why}`));
      return Promise.resolve(undefined);
    }
    return this.#guard("cache_write_failed", "write to", async () => {
      const { ok, version } = Object(await this.#store.set(key, value, options)) as SetResult;
      return { ok, version } as SetResult;
    });
  }

  /** Forgets a value; tells whether the store did. */
  async delete(key: string): Promise<boolean> {
    const done = await this.#guard("cache_write_failed", "delete from", async () => {
      await this.#store.delete(key);
      return true;
    });
    return done === true;
  }

  /**
   * Takes a lease.
   *
   * @param key What is locked.
   * @param leaseMs After how long the lease ends by itself.
   * @returns The lease, whose release never fails; `undefined` where somebody else holds it; `null` where the store failed or
   * has no locks.
   */
  async lock(key: string, leaseMs: number): Promise<StoreLock | undefined | null> {
    if (!this.locks) return null;
    let isLate = false;
    const taken = await this.#guard("cache_lock_failed", "lock in", async () => {
      const lock = await this.#store.lock?.(key, leaseMs);
      // Nobody waits for it any more.
      if (isLate) await lock?.release();
      return lock ?? NONE;
    });
    isLate = true;
    if (taken === NONE) return undefined;
    if (taken === undefined) return null;
    return {
      release: async () => void await this.#guard("cache_lock_failed", "unlock in", () => taken.release()),
    };
  }

  #reject(): void {
    const why =
      "it was not sealed, or with another secret, or for another key, or changed. For a new secret pass [new, old]";
    this.#onFailure(
      new CacheError("sealed_value_rejected", `Cannot open a value of ${this.#option}: ${why}`),
    );
  }

  async #guard<T>(code: CacheErrorCode, verb: string, operation: () => Promise<T>): Promise<T | undefined> {
    try {
      // Inside a `then`, so that a store that throws at once is a failed promise too.
      return await withDeadline(this.#clock, Promise.resolve().then(operation), STORE_TIMEOUT_MS, () => {
        throw TIMEOUT;
      });
    } catch (error) {
      // A message that is not ours may quote what the store was given, so only its kind is told.
      const why = error === TIMEOUT
        ? `it took more than ${STORE_TIMEOUT_MS} ms`
        : `it threw ${nameOf(error)}`;
      // Ours says what to do by itself.
      const told = isAuthError(error)
        ? error.message
        : `${why}. Check its address or binding, and its limits`;
      const kind = error instanceof CacheError ? error.code as CacheErrorCode : code;
      this.#onFailure(new CacheError(kind, `Cannot ${verb} the store of ${this.#option}: ${told}`));
      return undefined;
    }
  }
}
