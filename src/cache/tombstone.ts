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
/** Where entries are that give tokens. */
const TOKENS = ["AccessToken", "RefreshToken", "IdToken"];
/** For longer than a call takes, and than the slowest stores take to show it, and to be believed to have lost a value. */
const TOMBSTONE_MS = 600_000;
/** How late stores may show what was written: twice what Workers KV takes. */
export const LATE_MS = 120_000;
/** More removals than this are not remembered. */
const MAX_REMOVALS = 1_000;
/** A removal that is further ahead than clocks differ is not believed. */
const CLOCK_SKEW_MS = 300_000;

/** When what was removed, as far as this isolate knows. */
export class RemovalTimes {
  readonly #atMs = new Map<string, number>();

  /** When it was. */
  get(name: string): number | undefined {
    return this.#atMs.get(name);
  }

  /** When it was, where stores may still show what was there before. */
  lately(name: string, nowMs: number): number | undefined {
    const atMs = this.#atMs.get(name);
    return atMs !== undefined && nowMs - atMs < LATE_MS ? atMs : undefined;
  }

  /** Notes a removal. */
  note(name: string, atMs: number): void {
    if (this.#atMs.size > MAX_REMOVALS) this.#atMs.clear();
    this.#atMs.set(name, atMs);
  }
}

/** Whether something of this second, which has no smaller parts, was there before a removal. */
export function isBefore(atSeconds: number, atMs: number): boolean {
  return atSeconds < Math.floor(atMs / 1000);
}

/**
 * When the content of a partition was removed.
 *
 * @param stored What the store holds: no mark where somebody has put entries beside it since.
 * @param nowMs The time.
 * @returns The time of the removal by the clock of who removed it; `undefined` where it is no mark.
 */
export function removedAt(stored: StoredValue | null | undefined, nowMs: number): number | undefined {
  if (!stored?.value.includes(`"${TOMBSTONE}"`)) return undefined;
  try {
    const sections = JSON.parse(stored.value);
    const hasEntries = TOKENS.some((name) => Object.keys(Object(sections[name])).length > 0);
    const { at } = Object(sections[TOMBSTONE]);
    return !hasEntries && typeof at === "number" && at <= nowMs + CLOCK_SKEW_MS ? at : undefined;
  } catch {
    return undefined;
  }
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
