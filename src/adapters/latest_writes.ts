/**
 * Writes to one key that meet become one.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { sleep, withDeadline } from "../runtime/wait.ts";

/** Workers KV takes one write a second for each key. */
const RETRY_AFTER_MS = 1_000;
/** How long a turn may take. In workerd it may never end: it can die with the request that began it. */
const TURN_MS = 2_000;
/** More keys than this are not remembered. */
const MAX_KEYS = 256;
/** What no second attempt mends: a status of the caller's fault, but not 429. */
const HOPELESS = /failed: 4(?!29)\d\d\b/;

type Write = () => Promise<void>;

/** A write under way. */
interface Turn {
  readonly promise: Promise<void>;
  readonly endsAtMs: number;
  /** The newest write that is done, or has failed, with it. */
  covers: number;
  landed: boolean;
}

/** What is known of a key while somebody writes to it. */
interface Line {
  /** The newest write, and how many there were. */
  latest: Write;
  asked: number;
  /** The newest write that is done. */
  written: number;
  turn: Turn | undefined;
}

/** Writes the newest text of each key, one at a time. */
export class LatestWrites {
  readonly #lines = new Map<string, Line>();
  readonly #clock: Clock;

  /**
   * Makes a place where writes meet.
   *
   * @param clock Whose timers measure.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many keys are being written. */
  get size(): number {
    return this.#lines.size;
  }

  /**
   * Writes, or lets a newer write to the key do it.
   *
   * @param key What is written to.
   * @param write The write. It is made anew after a second where it fails; then its error is everybody's who waited for it.
   */
  async run(key: string, write: Write): Promise<void> {
    const line = this.#lines.get(key) ?? this.#open(key, write);
    line.latest = write;
    const mine = ++line.asked;
    while (line.turn !== undefined) {
      const turn: Turn = line.turn;
      try {
        await this.#wait(turn);
      } catch (error) {
        if (turn.landed && turn.covers >= mine) throw error;
      }
      if (line.written >= mine) return;
      // It has died, or was about an older text: the next turn is for whoever comes first.
      if (line.turn === turn) line.turn = undefined;
    }
    await this.#lead(key, line);
  }

  #open(key: string, latest: Write): Line {
    // Lines whose requests died stay behind; to forget the others with them costs a refused write, no more.
    if (this.#lines.size >= MAX_KEYS) this.#lines.clear();
    const line: Line = { latest, asked: 0, written: 0, turn: undefined };
    this.#lines.set(key, line);
    return line;
  }

  #wait({ promise, endsAtMs }: Turn): Promise<void> {
    return withDeadline(this.#clock, promise, Math.max(0, endsAtMs - this.#clock.now()), () => {});
  }

  #lead(key: string, line: Line): Promise<void> {
    let start: () => void = () => {};
    const promise = new Promise<void>((resolve) => start = resolve)
      .then(() => this.#write(line, turn))
      .finally(() => {
        turn.landed = true;
        if (line.turn === turn) line.turn = undefined;
        const done = line.turn === undefined && line.asked === turn.covers;
        if (done && this.#lines.get(key) === line) this.#lines.delete(key);
      });
    const turn: Turn = { promise, endsAtMs: this.#clock.now() + TURN_MS, covers: line.asked, landed: false };
    line.turn = turn;
    start();
    return promise;
  }

  async #write(line: Line, turn: Turn): Promise<void> {
    try {
      await this.#attempt(line, turn);
    } catch (error) {
      if (HOPELESS.test(messageOf(error))) throw error;
      await sleep(this.#clock, RETRY_AFTER_MS);
      await this.#attempt(line, turn);
    }
  }

  async #attempt(line: Line, turn: Turn): Promise<void> {
    // Always the newest text: an older one would undo what was written meanwhile.
    const nth = turn.covers = line.asked;
    await line.latest();
    line.written = Math.max(line.written, nth);
  }
}

function messageOf(error: unknown): string {
  try {
    return String((error as Error).message);
  } catch {
    return "";
  }
}
