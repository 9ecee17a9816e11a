/**
 * Copies of a store's values in memory.
 *
 * @module
 */

import { type Bounds, ClockRing, type RingItem } from "./clock_ring.ts";
import type { StoredValue } from "./store.ts";

/** What memory knows of a key. All that is new makes another object, which so tells whether anything happened. */
export interface Copy extends RingItem {
  /** The key. */
  readonly key: string;
  /** The value; `undefined` where there is none. */
  readonly stored: StoredValue | undefined;
  /** When it ends. */
  readonly endsAtMs: number;
  /** Until when it serves without a look at the store. */
  freshUntilMs: number;
}

/** Copies by key, bounded. */
export class Copies {
  readonly #copies = new Map<string, Copy>();
  readonly #ring: ClockRing<Copy>;

  /**
   * Makes room for copies.
   *
   * @param bounds How many, and how large.
   */
  constructor(bounds: Bounds) {
    this.#ring = new ClockRing(bounds, ({ key }) => void this.#copies.delete(key));
  }

  /** The copy, which may have ended. */
  get(key: string): Copy | undefined {
    const copy = this.#copies.get(key);
    if (copy !== undefined) copy.used = true;
    return copy;
  }

  /** Puts a copy in the place of any other; one that is too large is not kept. */
  put(key: string, stored: StoredValue | undefined, endsAtMs: number, freshUntilMs: number): Copy {
    this.drop(key);
    const bytes = 2 * (key.length + (stored?.value.length ?? 0)) + 300;
    const copy: Copy = { key, stored, endsAtMs, freshUntilMs, bytes, used: false };
    if (this.#ring.add(copy)) this.#copies.set(key, copy);
    return copy;
  }

  /** Forgets a copy. */
  drop(key: string): void {
    const copy = this.#copies.get(key);
    if (copy === undefined) return;
    this.#ring.remove(copy);
    this.#copies.delete(key);
  }
}
