/**
 * How long memory counts before the store is looked into once more.
 *
 * @module
 */

import type { CachedToken } from "./cached_token.ts";
import { identityOf, isStale, type Slot, type TokenIndex } from "./token_index.ts";

/** How long memory counts after the store has failed. */
const PAUSE_MS = 5_000;

/**
 * Which tokens were not seen in the store for too long; to be asked before it is read.
 *
 * @param index The memory.
 * @param owner Whose tokens.
 * @param bucket Of which bucket; of all where absent.
 * @param nowMs The time.
 * @returns None where memory counts for any time.
 */
export function staleOf(index: TokenIndex, owner: string, bucket: string | undefined, nowMs: number): Slot[] {
  return index.maxStalenessMs === Infinity
    ? []
    : index.tokensOf(owner, bucket).filter((slot) => isStale(slot, nowMs));
}

/** Notes that tokens, or all of an owner, were just seen in the store, or that it has failed. */
export function noteSeen(
  index: TokenIndex,
  slots: readonly Slot[] | string,
  nowMs: number,
  failed: boolean = false,
): void {
  if (index.maxStalenessMs === Infinity) return;
  // In whole seconds, and never too late.
  const checkAt = Math.floor((nowMs + (failed ? PAUSE_MS : index.maxStalenessMs)) / 1000);
  for (const slot of typeof slots === "string" ? index.tokensOf(slots) : slots) slot.checkAt = checkAt;
}

/**
 * Compares the app tokens in memory with what the store has.
 *
 * @param index The memory, which has taken in what was read.
 * @param place Whose tokens, and of which bucket.
 * @param stale What {@linkcode staleOf} said before the store was read.
 * @param stored What was read; `null` where the store failed.
 * @param isProof Whether a token that is not there was removed; otherwise the store may just see it late.
 * @param nowMs The time.
 */
export function compareSeen(
  index: TokenIndex,
  { owner, bucket }: Pick<Slot, "owner" | "bucket">,
  stale: readonly Slot[],
  stored: readonly CachedToken[] | null,
  isProof: boolean,
  nowMs: number,
): void {
  if (stored === null) return noteSeen(index, stale, nowMs, true);
  const names = new Set(stored.map(identityOf));
  const isSeen = (slot: Slot): boolean => names.has(identityOf(slot));
  for (const slot of stale) if (isProof && !isSeen(slot)) index.remove(slot);
  noteSeen(
    index,
    index.tokensOf(owner, bucket).filter((slot) => isSeen(slot) || stale.includes(slot)),
    nowMs,
  );
}

/**
 * What memory notes of what it has seen in the store: the version, or when that was where there are no versions.
 *
 * @param store The store.
 * @param seen What was read or written.
 */
export function versionSeen(
  { cas, nowMs }: { readonly cas: boolean; readonly nowMs: number },
  { version = "" }: { readonly version?: string },
): string {
  return cas ? version : `${nowMs}`;
}
