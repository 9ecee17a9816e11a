/**
 * One piece of work for everybody who asks for the same thing at the same time.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { isWorkers } from "../runtime/host.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { WaitUntil } from "../runtime/web_types.ts";

/** How long a follower waits in workerd for a leader whose request may end before its work does. */
export const STRANGER_PATIENCE_MS = 2_000;
/** More pieces of work than this are not remembered. */
const MAX_FLIGHTS = 10_000;
const LATE = "late";
/** What to pass as `waitUntil`. */
export const WAIT_UNTIL_HELP = 'pass (promise) => ctx.waitUntil(promise), or "detached"';

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly patienceMs: number;
  readonly endsAtMs: number;
  /** Whether the work has ended, so that what the promise says is its outcome. */
  landed: boolean;
}

/** How a flight is led. */
export interface FlightOptions {
  /** Keeps the work alive after the leader's request; `"detached"` where the runtime does so by itself. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** After how many milliseconds the work has ended by its own deadlines. */
  readonly deadlineMs: number;
}

/**
 * Keeps work alive after its request. Its failure is the callers' to see, not the runtime's.
 *
 * @param waitUntil The caller's function; nothing is done with anything else.
 * @param promise The work.
 * @throws {ClientConfigurationError} `invalid_option` where the function throws, as the bare method of a context does.
 */
export function keepAlive(waitUntil: WaitUntil | "detached" | undefined, promise: Promise<unknown>): void {
  const quiet = promise.catch(() => {});
  try {
    if (typeof waitUntil === "function") waitUntil(quiet);
  } catch {
    refuse("invalid_option", "waitUntil", `it threw: ${WAIT_UNTIL_HELP}`);
  }
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
    // Each round follows another leader: whoever gives one up leads, and the rest follow the new one.
    const untilMs = this.#clock.now() + options.deadlineMs;
    for (let flight = this.#flights.get(key); flight !== undefined; flight = this.#flights.get(key)) {
      if (Math.min(flight.endsAtMs, untilMs) <= this.#clock.now()) break;
      try {
        return await withDeadline(this.#clock, flight.promise, flight.patienceMs, () => Promise.reject(LATE));
      } catch (error) {
        // Else the leader's request has ended: nothing came in time, or workerd says so.
        if (flight.landed) {
          if (error !== LATE) throw error;
          return await flight.promise;
        }
      }
      if (this.#flights.get(key) === flight) break;
    }
    return await this.#lead(key, options, work);
  }

  #lead(key: string, { waitUntil, deadlineMs }: FlightOptions, work: () => Promise<T>): Promise<T> {
    // Flights whose request died stay behind. To forget the others with them costs a request, no more.
    if (this.#flights.size > MAX_FLIGHTS) this.#flights.clear();
    let start: () => void = () => {};
    const promise = new Promise<void>((resolve) => start = resolve).then(work).finally(() => {
      flight.landed = true;
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    // Nothing keeps it alive in workerd but a function.
    const kept = typeof waitUntil === "function" || !isWorkers();
    const flight: Flight<T> = {
      promise,
      patienceMs: kept ? deadlineMs : Math.min(STRANGER_PATIENCE_MS, deadlineMs),
      endsAtMs: this.#clock.now() + deadlineMs,
      landed: false,
    };
    // It may throw: before anything is shared or begun.
    keepAlive(waitUntil, promise);
    this.#flights.set(key, flight);
    start();
    return promise;
  }
}
