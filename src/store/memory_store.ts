/**
 * A store in the memory of this isolate.
 *
 * @module
 */

import { type Clock, systemClock } from "../runtime/clock.ts";
import {
  requireBound,
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
  type StoreLock,
} from "./store.ts";

/** How a {@linkcode MemoryStore} is bounded. */
export interface MemoryStoreOptions {
  /** The most values. @default {1024} */
  readonly maxEntries?: number | undefined;
  /** The most bytes of keys and values, two for each UTF-16 unit; a larger value is not kept. @default {8388608} */
  readonly maxBytes?: number | undefined;
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

interface Held {
  readonly key: string;
  readonly value: string;
  readonly version: string;
  readonly expiresAtMs: number;
}

/** More leases than this are not remembered: what was not released is forgotten by then. */
const MAX_LEASES = 10_000;

function sizeOf({ key, value }: Held): number {
  return 2 * (key.length + value.length);
}

/**
 * A bounded {@linkcode Store} in memory; the default of the `httpCache` option.
 *
 * When it is full, the value that expires first is forgotten first, as in MSAL Python's `http_cache`.
 */
export class MemoryStore implements Store {
  /** `set` honours `ifVersion`. */
  readonly cas = true;
  readonly #held = new Map<string, Held>();
  /** The soonest to expire comes last; what was forgotten otherwise stays until it is passed over. */
  #order: Omit<Held, "value">[] = [];
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #leases = new Map<string, { readonly expiresAtMs: number }>();
  #bytes = 0;
  readonly #clock: Clock;
  #writes = 0;

  /**
   * Makes an empty store.
   *
   * @param options Its bounds and its clock.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  constructor(options: MemoryStoreOptions = {}) {
    requireOptions(options);
    this.#maxEntries = requireBound(options.maxEntries, 1024, "maxEntries");
    this.#maxBytes = requireBound(options.maxBytes, 8 * 2 ** 20, "maxBytes");
    this.#clock = options.clock ?? systemClock;
  }

  /** How many values are held, expired ones that were not yet noticed included. */
  get size(): number {
    return this.#held.size;
  }

  /** Reads a value that has not expired. */
  get(key: string): Promise<StoredValue | undefined> {
    const held = this.#held.get(key);
    if (held !== undefined && held.expiresAtMs <= this.#clock.now()) {
      this.#forget(key);
      return Promise.resolve(undefined);
    }
    return Promise.resolve(held && { value: held.value, version: held.version });
  }

  /** Writes a value; one that has expired already is not kept. */
  set(key: string, value: string, options: SetOptions): Promise<SetResult> {
    const old = this.#held.get(key);
    const current = old !== undefined && old.expiresAtMs > this.#clock.now() ? old.version : null;
    if (options.ifVersion !== undefined && options.ifVersion !== current) {
      return Promise.resolve({ ok: false });
    }
    this.#forget(key);
    const held = { key, value, version: `${++this.#writes}`, expiresAtMs: options.expiresAtMs };
    if (held.expiresAtMs > this.#clock.now() && sizeOf(held) <= this.#maxBytes) this.#add(held);
    return Promise.resolve({ ok: true, version: held.version });
  }

  /** Forgets a value. */
  delete(key: string): Promise<void> {
    this.#forget(key);
    return Promise.resolve();
  }

  /** Takes a lease; it is known in this isolate alone. */
  lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
    const nowMs = this.#clock.now();
    if ((this.#leases.get(key)?.expiresAtMs ?? 0) > nowMs) return Promise.resolve(undefined);
    if (this.#leases.size >= MAX_LEASES) this.#leases.clear();
    const lease = { expiresAtMs: nowMs + leaseMs };
    this.#leases.set(key, lease);
    return Promise.resolve({
      release: (): Promise<void> => {
        if (this.#leases.get(key) === lease) this.#leases.delete(key);
        return Promise.resolve();
      },
    });
  }

  #forget(key: string): void {
    const held = this.#held.get(key);
    if (held !== undefined && this.#held.delete(key)) this.#bytes -= sizeOf(held);
  }

  #add(held: Held): void {
    let low = 0;
    for (let high = this.#order.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle] as Held).expiresAtMs > held.expiresAtMs) low = middle + 1;
      else high = middle;
    }
    const { key, version, expiresAtMs } = held;
    this.#order.splice(low, 0, { key, version, expiresAtMs });
    this.#held.set(held.key, held);
    this.#bytes += sizeOf(held);
    while (this.#held.size > this.#maxEntries || this.#bytes > this.#maxBytes) {
      const soonest = this.#order.pop() as Held;
      if (this.#isHeld(soonest)) this.#forget(soonest.key);
    }
    if (this.#order.length > 2 * this.#maxEntries) {
      this.#order = this.#order.filter((item) => this.#isHeld(item));
    }
  }

  #isHeld({ key, version }: Omit<Held, "value">): boolean {
    return this.#held.get(key)?.version === version;
  }
}
