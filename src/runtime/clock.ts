/**
 * Time behind one small interface, so that a test can own it.
 *
 * @module
 */

/**
 * Where the library reads the time and sets its timers.
 *
 * Pass your own as the `clock` option to test expiry without waiting.
 */
export interface Clock {
  /** The time now, in milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once after `delayMs` milliseconds and returns a handle for {@linkcode Clock.clearTimeout}. */
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Forgets a timer; an unknown handle is ignored. */
  clearTimeout(handle: unknown): void;
}

/** The runtime's own clock and timers; the default of the `clock` option. */
export const systemClock: Clock = {
  now: (): number => Date.now(),
  setTimeout: (callback: () => void, delayMs: number): unknown => setTimeout(callback, delayMs),
  clearTimeout: (handle: unknown): void => clearTimeout(handle as number),
};
