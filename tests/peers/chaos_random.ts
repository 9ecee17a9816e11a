/**
 * Chance that comes again: everything random of a chaos run is drawn from its seed.
 *
 * @module
 */

/** A stream of chance. */
export interface Chance {
  /** A number from 0 to 1, 1 excluded. */
  unit(): number;
  /** A whole number below `bound`. */
  below(bound: number): number;
  /** Whether something happens that happens at this rate. */
  happens(rate: number): boolean;
  /** One of some values. */
  pick<T>(values: readonly T[]): T;
  /** A delay up to `mostMs`, in steps, so that some end at the same moment. */
  delayMs(mostMs: number): number;
}

const STEP_MS = 10;

/** A stream for each name: what one party draws does not change what another one does. */
export function chanceOf(seed: number, name: string): Chance {
  let state = [...name].reduce((hash, char) => Math.imul(hash ^ char.codePointAt(0)!, 0x01000193), seed | 0);
  // mulberry32: short, and good enough to shuffle with.
  const unit = (): number => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(unit() * bound);
  return {
    unit,
    below,
    happens: (rate) => unit() < rate,
    pick: (values) => values[below(values.length)]!,
    delayMs: (mostMs) => below(mostMs / STEP_MS + 1) * STEP_MS,
  };
}
