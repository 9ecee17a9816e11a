/**
 * Ends a wait as Azure's clients ask for it: by a signal of any make, or after a time.
 *
 * @module
 */

import { NetworkError, refuse } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { abortError, untilAborted, withDeadline } from "../runtime/wait.ts";
import type { AbortSignalLike, GetTokenOptions } from "./token_credential_types.ts";

function requireSignal(signal: AbortSignalLike): AbortSignalLike {
  const { aborted, addEventListener, removeEventListener } = Object(signal) as Partial<AbortSignalLike>;
  const fits = typeof aborted === "boolean" && typeof addEventListener === "function" &&
    typeof removeEventListener === "function";
  return fits ? signal : refuse("invalid_request", "abortSignal", "it must be an AbortSignal");
}

/** The limit in milliseconds; 0 for none, as for what no timer takes. */
function requireTimeout({ timeout = 0 }: { readonly timeout?: number | undefined } = {}): number {
  if (typeof timeout !== "number" || Number.isNaN(timeout)) {
    refuse("invalid_request", "requestOptions.timeout", "it must be a number of milliseconds");
  }
  return timeout > 0 && timeout < 2 ** 31 ? timeout : 0;
}

/**
 * Does work until the caller gives up or the time is over. The work itself may go on for others.
 *
 * @param clock Whose timer measures.
 * @param options The signal and the time.
 * @param work The work; its signal is aborted when nobody waits any more.
 * @returns What the work gives.
 * @throws {ClientAuthError} `request_aborted`.
 * @throws {NetworkError} `request_timeout`.
 */
export async function withinLimits<T>(
  clock: Clock,
  { abortSignal, requestOptions }: Pick<GetTokenOptions, "abortSignal" | "requestOptions">,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const timeoutMs = requireTimeout(requestOptions);
  if (abortSignal === undefined && timeoutMs === 0) return await work(undefined);
  const controller = new AbortController();
  const { signal } = controller;
  const given = abortSignal && requireSignal(abortSignal);
  const stop = (): void => controller.abort((given as { readonly reason?: unknown } | undefined)?.reason);
  if (given?.aborted) {
    stop();
    throw abortError(signal);
  }
  given?.addEventListener("abort", stop);
  const waiting = (): Promise<T> => untilAborted(work(signal), signal);
  const late = (): never => {
    controller.abort();
    throw new NetworkError("request_timeout", `Cannot get a token: none came within ${timeoutMs} ms`);
  };
  try {
    return await (timeoutMs > 0 ? withDeadline(clock, waiting(), timeoutMs, late) : waiting());
  } finally {
    given?.removeEventListener("abort", stop);
  }
}
