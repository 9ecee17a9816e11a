/**
 * Decides what a bounded cache forgets.
 *
 * @module
 */

/** How much a cache may hold. */
export interface Bounds {
  /** The most entries. */
  readonly maxEntries: number;
  /** The most bytes, by the owner's estimates. */
  readonly maxBytes: number;
}

/** What the ring needs of an entry; the owner keeps its own index of them. */
export interface RingItem {
  /** The entry's size by the owner's estimate, constant while it is in the ring. */
  readonly bytes: number;
  /** Set by the owner at every use. */
  used: boolean;
}

/**
 * The CLOCK algorithm: least recently used, nearly, at the price of one mark for each use.
 *
 * Where room is needed, the oldest entry goes; one that was used since gives up its mark instead and becomes the newest.
 */
export class ClockRing<T extends RingItem> {
  /** The entries, the next to go first. */
  readonly items: Set<T> = new Set();
  readonly #bounds: Bounds;
  readonly #onEvict: (item: T) => void;
  #bytes = 0;

  /**
   * Makes an empty ring.
   *
   * @param bounds How much it may hold.
   * @param onEvict Told of every entry that had to go, after it went.
   */
  constructor(bounds: Bounds, onEvict: (item: T) => void) {
    this.#bounds = bounds;
    this.#onEvict = onEvict;
  }

  /** How many bytes the entries take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes an entry in, evicting others where it needs room.
   *
   * @param item An entry that is in no ring.
   * @returns `false` for an entry that is larger than the whole ring: it is not taken.
   */
  add(item: T): boolean {
    const { maxEntries, maxBytes } = this.#bounds;
    if (item.bytes > maxBytes) return false;
    // What is added while this goes round comes last, so the round ends.
    for (const next of this.items) {
      if (this.items.size < maxEntries && this.#bytes + item.bytes <= maxBytes) break;
      this.remove(next);
      if (next.used) this.#insert(Object.assign(next, { used: false }));
      else this.#onEvict(next);
    }
    this.#insert(item);
    return true;
  }

  /** Takes an entry out; one that is not in the ring is no error. */
  remove(item: T): void {
    if (this.items.delete(item)) this.#bytes -= item.bytes;
  }

  #insert(item: T): void {
    this.items.add(item);
    this.#bytes += item.bytes;
  }
}
