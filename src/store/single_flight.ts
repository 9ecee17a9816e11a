/**
 * One piece of work for everybody who asks for the same thing at the same time.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { isWorkers } from "../runtime/host.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { WaitUntil } from "../runtime/web_types.ts";

/** How long a follower waits in workerd for a leader whose request may end before its work does. */
const STRANGER_PATIENCE_MS = 2_000;

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

interface Flight<T> {
  readonly outcome: Promise<Outcome<T>>;
  readonly patienceMs: number;
  readonly endsAtMs: number;
}

/** How a flight is led. */
export interface FlightOptions {
  /** Keeps the work alive after the leader's request; `"detached"` where the runtime does so by itself. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** After how many milliseconds the work has ended by its own deadlines. */
  readonly deadlineMs: number;
}

function unwrap<T>(outcome: Outcome<T>): T {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/**
 * Shares work while it is under way.
 *
 * In workerd a promise may never settle once the request that made it has ended. So a follower never relies on the
 * leader alone: it races a timer and then does the work itself.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();
  readonly #clock: Clock;

  /**
   * Makes a place to share work in.
   *
   * @param clock Whose timers followers race.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Does a piece of work, or waits for the one that is under way.
   *
   * @param key What the work is: equal keys share.
   * @param options How the work is led, if it has to be.
   * @param work The work; it must end by its own deadline.
   * @returns What the work gave; if it failed, everybody gets its error.
   */
  async run(key: string, options: FlightOptions, work: () => Promise<T>): Promise<T> {
    // Twice: the second leader may be another follower of the first one.
    for (let follow = 0; follow < 2; follow++) {
      const flight = this.#flights.get(key);
      if (flight === undefined || flight.endsAtMs <= this.#clock.now()) break;
      const outcome = await this.#follow(flight);
      if (outcome !== undefined) return unwrap(outcome);
      if (this.#flights.get(key) === flight) break;
    }
    return await this.#lead(key, options, work);
  }

  async #follow(flight: Flight<T>): Promise<Outcome<T> | undefined> {
    try {
      return await withDeadline(this.#clock, flight.outcome, flight.patienceMs, () => undefined);
    } catch {
      // The outcome never rejects by itself: workerd says that the leader's request has ended.
      return undefined;
    }
  }

  #lead(key: string, options: FlightOptions, work: () => Promise<T>): Promise<T> {
    this.#forgetEnded();
    const kept = options.waitUntil !== undefined || !isWorkers();
    const flight: Flight<T> = {
      outcome: Promise.resolve().then(work).then((value) => ({ value }), (error) => ({ error })),
      patienceMs: kept ? options.deadlineMs : Math.min(STRANGER_PATIENCE_MS, options.deadlineMs),
      endsAtMs: this.#clock.now() + options.deadlineMs,
    };
    this.#flights.set(key, flight);
    const landed = flight.outcome.then((outcome) => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      return outcome;
    });
    if (typeof options.waitUntil === "function") options.waitUntil(landed);
    return landed.then(unwrap);
  }

  /** Flights whose request died stay behind; the oldest come first, so this stops at the first live one. */
  #forgetEnded(): void {
    const now = this.#clock.now();
    for (const [key, flight] of this.#flights) {
      if (flight.endsAtMs > now) return;
      this.#flights.delete(key);
    }
  }
}
