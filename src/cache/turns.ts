/**
 * Work that isolates do one after the other, where their store has locks.
 *
 * @module
 */

import { lengthPrefixed, sha256 } from "../crypto/digest.ts";
import { sleep } from "../runtime/wait.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { StoreLock } from "../store/store.ts";

/** How soon the store is asked again first, and at last, in milliseconds. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;

/** Whose turn it is to do something. */
export interface Turn<T> {
  /** What is done: equal names exclude each other. */
  readonly name: readonly string[];
  /** After how long somebody else may do it, whatever became of it. */
  readonly leaseMs: number;
  /** After how long it is done out of turn. */
  readonly patienceMs: number;
  /** Looks in the store for what others did meanwhile; asked after each pause, and once more when the turn has come. */
  look(): Promise<T | undefined>;
}

/** Makes a turn last until something is in the store, and gives the same back. */
export type Keep = <S>(saved: Promise<S>) => Promise<S>;

/** The turn of everything that changes a user. */
export function userTurn(owner: string): readonly string[] {
  return ["user", owner];
}

/**
 * Does a piece of work when nobody else does it. A store that fails to lock does not keep it from being done.
 *
 * @param store The store, which has locks.
 * @param turn What is waited for.
 * @param work The work; with what it passes to `keep` the turn ends, else when it is done.
 * @returns What others did, else what the work gave.
 */
export async function inTurn<T>(
  store: GuardedStore,
  { name, leaseMs, patienceMs, look }: Turn<T>,
  work: (keep: Keep) => Promise<T>,
): Promise<T> {
  const { clock } = store;
  const key = `msal-edge.turns.v1.${await sha256(lengthPrefixed([...name]))}`;
  const untilMs = clock.now() + patienceMs;
  let lock = await store.lock(key, leaseMs);
  for (let pauseMs = FIRST_PAUSE_MS; lock === undefined && clock.now() < untilMs; pauseMs *= 2) {
    // No two of those who wait ask at the same time.
    await sleep(clock, Math.min(pauseMs, LAST_PAUSE_MS) * (1 + Math.random()) / 2);
    const found = await look();
    if (found !== undefined) return found;
    lock = await store.lock(key, leaseMs);
  }
  return await underLease(lock, async (keep) => await look() ?? await work(keep));
}

async function underLease<T>(
  lock: StoreLock | undefined | null,
  work: (keep: Keep) => Promise<T>,
): Promise<T> {
  const release = async (): Promise<void> => await lock?.release();
  let isKept = false;
  const keep: Keep = (saved) => {
    isKept = true;
    return saved.finally(release);
  };
  try {
    return await work(keep);
  } finally {
    if (!isKept) await release();
  }
}
