/**
 * Removal of a partition. Where the store cannot compare and set, a mark stays behind: without it, what was under way
 * elsewhere would bring back what was removed.
 *
 * @module
 */

import type { GuardedStore } from "../store/guarded_store.ts";
import type { PartitionHints, StoredValue } from "../store/store.ts";

/** The section of the mark. Everybody else's MSAL reads a valid cache with nothing of its own in it. */
export const TOMBSTONE = "MsalEdgeRemoved";
/** For longer than a call takes, and than the slowest stores take to show it, and to be believed to have lost a value. */
const TOMBSTONE_MS = 600_000;
/** A removal that is further ahead than clocks differ is not believed. */
const CLOCK_SKEW_MS = 300_000;

/**
 * When the content of a partition was removed.
 *
 * @param stored What the store holds: no mark where somebody has put entries beside it since.
 * @param nowMs The time.
 * @returns The time of the removal by the clock of who removed it; `undefined` where it is no mark.
 */
export function removedAt(stored: StoredValue | null | undefined, nowMs: number): number | undefined {
  const [text, at] = /^\{"(\w+)":\{"at":(\d{1,15})\}\}$/.exec(stored?.value.slice(0, 80) ?? "")?.slice(1) ??
    [];
  return text === TOMBSTONE && Number(at) <= nowMs + CLOCK_SKEW_MS ? Number(at) : undefined;
}

/**
 * Removes a partition.
 *
 * @param store The store.
 * @param key The partition's key.
 * @param hints Whose it was.
 * @param atMs When it was removed.
 * @returns Whether the store did.
 */
export async function removePartition(
  store: GuardedStore,
  key: string,
  hints: Omit<PartitionHints, "kind">,
  atMs: number = store.nowMs,
): Promise<boolean> {
  const marked = store.cas ? undefined : await store.set(key, JSON.stringify({ [TOMBSTONE]: { at: atMs } }), {
    expiresAtMs: store.nowMs + TOMBSTONE_MS,
    hints: { kind: "tokens", ...hints, hasTokens: false },
  });
  return marked?.ok || await store.delete(key);
}
