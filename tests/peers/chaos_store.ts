/**
 * A store that is late, old, forgetful or down, as often as a chaos run wants it, around a real one.
 *
 * @module
 */
import type { GetOptions, SetOptions, SetResult, Store, StoredValue, StoreLock } from "../../mod.ts";
import type { ChaosClock } from "./chaos_clock.ts";
import type { Chance } from "./chaos_random.ts";
import type { Happening, Rates } from "./chaos_wire.ts";

/** For how long a place of Workers KV may give what it read before. */
const STALE_MS = 60_000;
/** Longer than the library waits for a store. */
const LATE_MS = 2_500;

/** What a store is in. It outlives the isolate, as a data centre does. */
export interface Place {
  readonly clock: ChaosClock;
  readonly chance: Chance;
  /** Until when a key is taken for missing. */
  readonly misses: Map<string, number>;
  rates: Rates;
  /** A name that nothing else has. */
  name(): string;
  log(happening: Happening): void;
  /** What was under a key at a moment, wherever it was written. */
  past(key: string, atMs: number): Promise<StoredValue | undefined>;
}

/** Wraps a store. */
export class ChaosStore implements Store {
  readonly cas: boolean;
  readonly maxValueBytes?: number;
  readonly lock?: (key: string, leaseMs: number) => Promise<StoreLock | undefined>;
  readonly #store: Store;
  readonly #place: Place;

  constructor(store: Store, place: Place) {
    this.#store = store;
    this.#place = place;
    this.cas = store.cas;
    if (store.maxValueBytes !== undefined) this.maxValueBytes = store.maxValueBytes;
    if (store.lock !== undefined) this.lock = (key, leaseMs) => this.#lock(key, leaseMs);
  }

  get(key: string, options?: GetOptions): Promise<StoredValue | undefined> {
    return this.#around("get", key, async () => {
      const { chance, clock, misses, past, rates, log } = this.#place;
      if ((misses.get(key) ?? 0) > clock.now()) {
        log({ what: "fault", fault: "missed", key });
        return undefined;
      }
      if (chance.happens(rates.stale)) {
        log({ what: "fault", fault: "stale", key });
        return await past(key, clock.now() - chance.below(STALE_MS));
      }
      const stored = await this.#store.get(key, options);
      if (stored === undefined && chance.happens(rates.negative)) {
        misses.set(key, clock.now() + chance.below(STALE_MS));
      }
      return stored;
    });
  }

  set(key: string, value: string, options: SetOptions): Promise<SetResult> {
    return this.#around("set", key, async () => {
      const { chance, misses, rates, log } = this.#place;
      if (this.cas && options.ifVersion !== undefined && chance.happens(rates.refuses)) {
        log({ what: "fault", fault: "refused", key });
        return { ok: false };
      }
      const result = await this.#store.set(key, value, options);
      // Usually a place sees what was written in it.
      if (result.ok && chance.happens(0.5)) misses.delete(key);
      log({ what: "wrote", key, ok: result.ok });
      return result;
    });
  }

  delete(key: string): Promise<void> {
    return this.#around("delete", key, async () => {
      await this.#store.delete(key);
      this.#place.log({ what: "wrote", key, ok: true });
    });
  }

  async #lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
    const taken = await this.#around("lock", key, async () => {
      const lease = await this.#store.lock!(key, leaseMs);
      this.#place.log({ what: "locked", key, taken: lease !== undefined });
      return lease;
    });
    if (taken === undefined) return undefined;
    return { release: () => this.#around("unlock", key, () => taken.release()) };
  }

  /** Before and after a call something may go wrong, as it may on the way there and back. */
  async #around<T>(method: string, key: string, call: () => Promise<T>): Promise<T> {
    await this.#way(method, key);
    const result = await call();
    await this.#way(method, key);
    return result;
  }

  async #way(method: string, key: string): Promise<void> {
    const { chance, clock, rates, log } = this.#place;
    if (rates.delayMs > 0) await clock.sleep(chance.delayMs(rates.delayMs));
    if (chance.happens(rates.throws / 2)) {
      log({ what: "fault", fault: `${method} threw`, key });
      throw new Error("out of order");
    }
    if (chance.happens(rates.late / 2)) {
      log({ what: "fault", fault: `${method} late`, key });
      await clock.sleep(LATE_MS);
    }
  }
}
