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
  /** Where the entry is in the ring; -1 outside. Written by the ring alone. */
  place: number;
}

/**
 * The CLOCK algorithm: least recently used, nearly, at the price of one mark for each use.
 *
 * A hand goes round the entries; it takes marks away, and evicts the first entry without one.
 */
export class ClockRing<T extends RingItem> {
  /** The entries, in no order that means anything. */
  readonly items: T[] = [];
  readonly #bounds: Bounds;
  readonly #onEvict: (item: T) => void;
  #hand = 0;
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

  /**
   * Takes an entry in, evicting others where it needs room.
   *
   * @param item An entry that is in no ring.
   * @returns `false` for an entry that is larger than the whole ring: it is not taken.
   */
  add(item: T): boolean {
    const { maxEntries, maxBytes } = this.#bounds;
    if (item.bytes > maxBytes || maxEntries < 1) return false;
    while (this.items.length >= maxEntries || this.#bytes + item.bytes > maxBytes) this.#evictOne();
    item.place = this.items.push(item) - 1;
    this.#bytes += item.bytes;
    return true;
  }

  /** Takes an entry out; one that is not in the ring is no error. */
  remove(item: T): void {
    const last = this.items.at(-1);
    if (item.place < 0 || last === undefined) return;
    this.items[item.place] = last;
    last.place = item.place;
    this.items.pop();
    item.place = -1;
    this.#bytes -= item.bytes;
  }

  #evictOne(): void {
    for (;;) {
      if (this.#hand >= this.items.length) this.#hand = 0;
      const item = this.items[this.#hand] as T;
      if (!item.used) {
        this.remove(item);
        this.#onEvict(item);
        return;
      }
      item.used = false;
      this.#hand++;
    }
  }
}
