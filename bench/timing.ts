/**
 * What the measurements share.
 *
 * @module
 */

/** Nanoseconds for each call. */
export async function time(calls: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < calls; index++) await call(index);
  return (performance.now() - start) / calls * 1e6;
}

/** The middle of some values. */
export function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** A network that a hit must not use. */
export function noNetwork(): Promise<never> {
  return Promise.reject(new Error("A hit must not send anything"));
}
