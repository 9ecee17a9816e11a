/**
 * Waits where Deno KV does not: a file that another process or connection is writing to is an error at once.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { sleep } from "../runtime/wait.ts";

/** So many, and each a little later than the one before: a second in all, at most two. */
const MAX_ATTEMPTS = 20;
const STEP_MS = 10;

/**
 * Does something as soon as the database's file is free.
 *
 * @param clock Whose timer measures the waits.
 * @param operation A read or a commit; one that found the file locked has changed nothing.
 * @returns What it gave.
 */
export async function whenUnlocked<T>(clock: Clock, operation: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !/database is locked/.test((error as Error)?.message)) throw error;
      // At random, or those who wait would meet again.
      await sleep(clock, Math.random() * attempt * STEP_MS);
    }
  }
}
