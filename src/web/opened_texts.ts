/**
 * Remembers what sealed texts held, so that a text that comes again costs no decryption.
 *
 * @module
 */

import { ClockRing, type RingItem } from "../store/clock_ring.ts";

/** What a sealed text held. */
export interface OpenedText {
  /** The value, frozen as deep as it goes: requests share it. */
  readonly value: unknown;
  /** Whether it was sealed with another secret than the first. */
  readonly isOld: boolean;
}

interface Item extends RingItem {
  readonly text: string;
  readonly opened: OpenedText;
}

/** Freezes JSON, however deep it is. */
function freeze(value: unknown): void {
  const rest = [value];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (Object(next) === next) rest.push(...Object.values(Object.freeze(next) as object).filter(Object));
  }
}

/** Opened texts by the exact text, in bounded memory. Whether what they held has ended is for others to say. */
export class OpenedTexts {
  readonly #items = new Map<string, Item>();
  readonly #ring: ClockRing<Item>;

  /**
   * Makes an empty memory.
   *
   * @param maxBytes How large it may grow, about.
   */
  constructor(maxBytes: number = 4 * 2 ** 20) {
    this.#ring = new ClockRing({ maxEntries: 4_096, maxBytes }, ({ text }) => void this.#items.delete(text));
  }

  /** What a text held, if that is known. */
  get(text: string): OpenedText | undefined {
    const item = this.#items.get(text);
    if (item !== undefined) item.used = true;
    return item?.opened;
  }

  /**
   * Remembers what a text held.
   *
   * @param text The sealed text.
   * @param opened What it held; frozen from now on.
   * @param chars How long that is as JSON.
   */
  put(text: string, opened: OpenedText, chars: number): void {
    if (this.#items.has(text)) return;
    freeze(opened.value);
    const item = { text, opened, bytes: 2 * text.length + 6 * chars + 400, used: false };
    if (this.#ring.add(item)) this.#items.set(text, item);
  }
}
