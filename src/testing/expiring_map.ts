/**
 * A bounded map whose entries die.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";

/** A map that forgets what has expired, and the oldest entry when there are too many. */
export class ExpiringMap<V> {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #entries = new Map<string, { readonly value: V; readonly expiresAtMs: number }>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** The live values, oldest first. */
  get values(): readonly V[] {
    const nowMs = this.#clock.now();
    return [...this.#entries.values()].filter((entry) => entry.expiresAtMs > nowMs).map(({ value }) => value);
  }

  /** The value, if it is live. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry || entry.expiresAtMs > this.#clock.now()) return entry?.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** Adds a value, or replaces it; a replaced one keeps its place. */
  set(key: string, value: V, lifetimeSeconds: number): void {
    this.#entries.set(key, { value, expiresAtMs: this.#clock.now() + lifetimeSeconds * 1000 });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#limit && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Removes a value. */
  delete(key: string): void {
    this.#entries.delete(key);
  }
}
