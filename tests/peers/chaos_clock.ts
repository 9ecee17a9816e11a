/**
 * The clock of one Worker in a chaos run: it moves when the driver says so, timer by timer.
 *
 * @module
 */
import type { Clock } from "../../mod.ts";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** In how many turns of the event loop in a row nothing may be under way. */
const QUIET_TURNS = 4;

const { setTimeout: realTimeout } = globalThis;

/** Time that passes in {@linkcode ChaosClock.advance}, once everything that can happen before has happened. */
export class ChaosClock implements Clock {
  #nowMs: number;
  #lastHandle = 0;
  #underWay = 0;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #timers = new Map<number, Timer>();

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** When the next timer is due. */
  get nextMs(): number | undefined {
    return this.#next()?.[1].dueMs;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    this.#timers.set(++this.#lastHandle, { dueMs: this.#nowMs + Math.max(0, delayMs), callback });
    return this.#lastHandle;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number);
  }

  /** Forgets every timer: whoever waits for one waits for ever. */
  forget(): void {
    this.#timers.clear();
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.setTimeout(resolve, delayMs));
  }

  /** Does something real, one thing after the other: so that the order does not depend on which is faster. */
  async real<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay++;
    const before = this.#turn;
    let done = (): void => {};
    this.#turn = new Promise<void>((resolve) => void (done = resolve));
    await before;
    try {
      return await work();
    } finally {
      this.#underWay--;
      done();
    }
  }

  /** Lets time pass. */
  async advance(untilMs: number): Promise<void> {
    await this.#idle();
    for (let next = this.#next(); next && next[1].dueMs <= untilMs; next = this.#next()) {
      const [handle, { dueMs, callback }] = next;
      this.#timers.delete(handle);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      callback();
      await this.#idle();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #next(): [number, Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (first === undefined || entry[1].dueMs < first[1].dueMs) first = entry;
    }
    return first;
  }

  async #idle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      if (this.#underWay > 0) {
        await this.#turn;
        quiet = -1;
      }
      await new Promise<void>((resolve) => void realTimeout(resolve, 0));
    }
  }
}
