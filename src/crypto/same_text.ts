/**
 * Compares secrets.
 *
 * @module
 */

import { sha256 } from "./digest.ts";

/**
 * Compares two texts by their digests, so that the time it takes tells nothing of where they differ, nor how long they
 * are.
 *
 * @param a A text.
 * @param b Another one.
 * @returns Whether they are the same as UTF-8.
 */
export async function sameText(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([sha256(a), sha256(b)]);
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
