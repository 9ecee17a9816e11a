/**
 * Which key expires first, without a scan.
 *
 * @module
 */

/** An entry of the heap. */
interface Item {
  readonly key: string;
  readonly expiresAtMs: number;
}

/**
 * A binary heap of keys by expiry.
 *
 * A key that is pushed again leaves its old item behind; the owner skips those by asking whether an item is still true.
 */
export class ExpiryHeap {
  readonly #items: Item[] = [];

  /** How many items there are, stale ones included. */
  get size(): number {
    return this.#items.length;
  }

  /** The item that expires first. */
  peek(): Item | undefined {
    return this.#items[0];
  }

  /** Forgets every item. */
  clear(): void {
    this.#items.length = 0;
  }

  /** Adds an item. */
  push(key: string, expiresAtMs: number): void {
    const items = this.#items;
    let at = items.push({ key, expiresAtMs }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= this.#at(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the item that expires first. */
  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === last || last === undefined) return first;
    items[0] = last;
    let at = 0;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < items.length && this.#at(child) < this.#at(least)) least = child;
      }
      if (least === at) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #at(index: number): number {
    return this.#items[index]?.expiresAtMs ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const kept = this.#items[a] as Item;
    this.#items[a] = this.#items[b] as Item;
    this.#items[b] = kept;
  }
}
