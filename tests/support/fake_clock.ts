/**
 * A clock that stands still until a test moves it.
 *
 * @module
 */
import type { Clock } from "../../src/runtime/clock.ts";
import { idle } from "./idle.ts";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A {@linkcode Clock} for tests: time passes in {@linkcode FakeClock.advance} and nowhere else. */
export class FakeClock implements Clock {
  #nowMs: number;
  #lastHandle = 0;
  readonly #timers = new Map<number, Timer>();

  /** @param nowMs Where it stands first; a whole second, as most tests count in seconds. */
  constructor(nowMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    this.#timers.set(++this.#lastHandle, { dueMs: this.#nowMs + Math.max(0, delayMs), callback });
    return this.#lastHandle;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number);
  }

  /**
   * Lets time pass: fires the timers that fall due, in order, each at its own time.
   *
   * What a timer sets in motion is given room to run before the next one fires, so a timer
   * that is set meanwhile fires too if it falls due.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await idle();
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      const [handle, { dueMs, callback }] = next;
      this.#timers.delete(handle);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      callback();
      await idle();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): [number, Timer] | undefined {
    // Map keeps the order of setting, and a stable sort keeps it for timers of the same moment.
    return [...this.#timers].filter(([, { dueMs }]) => dueMs <= untilMs).sort(([, a], [, b]) =>
      a.dueMs - b.dueMs
    )[0];
  }
}

/** A clock that a test can set back and forth; its timers are those of the clock that it is made of. */
export function jumping(inner: Clock): { readonly clock: Clock; readonly offset: { ms: number } } {
  const offset = { ms: 0 };
  const clock: Clock = {
    now: () => inner.now() + offset.ms,
    setTimeout: (callback, ms) => inner.setTimeout(callback, ms),
    clearTimeout: (handle) => inner.clearTimeout(handle),
  };
  return { clock, offset };
}
