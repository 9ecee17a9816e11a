/**
 * What is left out of a partition that is too large for its store.
 *
 * @module
 */

import { fits } from "../store/guarded_store.ts";
import type { CachedToken } from "./cached_token.ts";

/** A partition's text, and the access tokens in it. */
export interface FittedPartition<T> {
  /** The text. */
  readonly value: string;
  /** The access tokens that are in it. */
  readonly tokens: readonly T[];
}

/**
 * Writes a partition that fits into a value: of the access tokens, those that end first are left out. A refresh token brings
 * them back; nothing brings that back.
 *
 * @param tokens The access tokens.
 * @param write Writes a partition with these access tokens, and all else that it holds.
 * @param maxBytes The most bytes of UTF-8 that a value may have.
 * @returns The partition; without any access token where not even that fits: the store is not given it.
 */
export function fitPartition<T extends CachedToken>(
  tokens: readonly T[],
  write: (tokens: readonly T[]) => string,
  maxBytes: number,
): FittedPartition<T> {
  const all = { value: write(tokens), tokens };
  if (fits(all.value, maxBytes)) return all;
  // Of those of the same second the last is the newest.
  const lasting = [...tokens].reverse().sort((a, b) => b.expiresOn - a.expiresOn || b.cachedAt - a.cachedAt);
  const firstOf = (count: number): FittedPartition<T> => {
    const kept = new Set(lasting.slice(0, count));
    const left = tokens.filter((token) => kept.has(token));
    return { value: write(left), tokens: left };
  };
  // Halved each time: a partition may have hundreds of tokens.
  let best = firstOf(0);
  for (let low = 1, high = tokens.length - 1; low <= high;) {
    const middle = (low + high) >> 1;
    const tried = firstOf(middle);
    if (fits(tried.value, maxBytes)) [best, low] = [tried, middle + 1];
    else high = middle - 1;
  }
  return best;
}
