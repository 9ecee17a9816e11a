/**
 * Waiting that ends: by a deadline, or by the caller's signal.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import type { Clock } from "./clock.ts";

/**
 * Waits for a promise, but not for longer than a deadline. The promise itself goes on.
 *
 * @param clock Whose timer measures; it is cleared in every case.
 * @param promise What is waited for.
 * @param timeoutMs The deadline in milliseconds from now.
 * @param onTimeout Called at the deadline; what it throws or returns is the outcome.
 * @returns The promise's value or that of `onTimeout`.
 */
export function withDeadline<T, U>(
  clock: Clock,
  promise: PromiseLike<T>,
  timeoutMs: number,
  onTimeout: () => U | PromiseLike<U>,
): Promise<T | U> {
  let timer: unknown;
  const deadline = new Promise<void>((resolve) => timer = clock.setTimeout(resolve, timeoutMs)).then(
    onTimeout,
  );
  return Promise.race([promise, deadline]).finally(() => clock.clearTimeout(timer));
}

/** Resolves after a delay of the clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, delayMs));
}

/**
 * Waits for a promise until the caller gives up. The promise itself goes on.
 *
 * @param promise What is waited for.
 * @param signal The caller's signal, not aborted yet.
 * @param correlationId For the error.
 * @returns The promise's value.
 * @throws {ClientAuthError} `request_aborted`; its `cause` is the signal's reason.
 */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  correlationId?: string,
): Promise<T> {
  if (signal === undefined) return promise;
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => stop = () => reject(abortError(signal, correlationId)));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

/** The error for a caller who gave up. */
export function abortError(signal: AbortSignal, correlationId?: string): ClientAuthError {
  const error = new ClientAuthError(
    "request_aborted",
    "Cannot get a token: the signal was aborted",
    correlationId,
  );
  return Object.defineProperty(error, "cause", { value: signal.reason });
}

/**
 * Waits for a while, unless the caller gives up.
 *
 * @param clock The clock.
 * @param delayMs How long, in milliseconds.
 * @param signal Ends the wait.
 * @param correlationId The call's correlation id.
 * @throws {ClientAuthError} `request_aborted`.
 */
export async function pause(
  clock: Clock,
  delayMs: number,
  signal: AbortSignal | undefined,
  correlationId?: string,
): Promise<void> {
  if (signal?.aborted) throw abortError(signal, correlationId);
  let timer: unknown;
  const over = new Promise<void>((resolve) => timer = clock.setTimeout(resolve, delayMs));
  await untilAborted(over, signal, correlationId).finally(() => clock.clearTimeout(timer));
}
