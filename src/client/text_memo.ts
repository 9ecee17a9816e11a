/**
 * Remembers what was made of a text, so that it is not hashed at every call.
 *
 * @module
 */

import { ClockRing, type RingItem } from "../store/clock_ring.ts";

/** How many texts are remembered, and how many bytes of them, about. */
const BOUNDS = { maxEntries: 10_000, maxBytes: 8 * 2 ** 20 };

interface Memo<T> extends RingItem {
  readonly text: string;
  readonly value: T;
  readonly endsAtMs: number;
}

/** Remembers values by exact text, each until its end. */
export class TextMemo<T> {
  readonly #memos = new Map<string, Memo<T>>();
  readonly #ring: ClockRing<Memo<T>> = new ClockRing(BOUNDS, ({ text }) => void this.#memos.delete(text));

  /** What was made of a text; `undefined` where nobody knows, or it has ended. */
  get(text: string, nowMs: number): T | undefined {
    const memo = this.#memos.get(text);
    if (memo === undefined) return undefined;
    if (memo.endsAtMs <= nowMs) return this.#drop(memo);
    memo.used = true;
    return memo.value;
  }

  /** Remembers what was made of a text, and forgets the oldest that have ended. */
  put(text: string, value: T, endsAtMs: number, nowMs: number): void {
    for (const oldest of this.#ring.items) {
      if (oldest.endsAtMs > nowMs) break;
      this.#drop(oldest);
    }
    if (this.#memos.has(text)) return;
    const memo = { text, value, endsAtMs, used: false, bytes: 2 * text.length + 500 };
    if (this.#ring.add(memo)) this.#memos.set(text, memo);
  }

  #drop(memo: Memo<T>): undefined {
    this.#ring.remove(memo);
    this.#memos.delete(memo.text);
  }
}
