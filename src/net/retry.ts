/**
 * One more try for requests that are safe to repeat, and how long to leave an authority alone.
 *
 * @module
 */

import { NetworkError } from "../errors/errors.ts";
import { ServerError } from "../errors/server_error.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { sleep } from "../runtime/wait.ts";
import type { HttpAnswer, HttpClient, HttpRequest } from "./http_client.ts";

const RETRY_DELAY_MS = 1_000;
const RETRY_JITTER_MS = 500;
const MAX_RETRY_AFTER_SECONDS = 3_600;

/** For how long at most {@linkcode sendTwice} waits between its tries, in milliseconds. */
export const MAX_RETRY_WAIT_MS: number = RETRY_DELAY_MS + RETRY_JITTER_MS;

/** The error that stands for a failed first attempt in events. */
function firstFailure(answer: HttpAnswer, request: HttpRequest): ServerError {
  const details = {
    status: answer.status,
    error: "server_error",
    errorCodes: [],
    retryable: true,
    throttledLocally: false,
  };
  return new ServerError(
    "server_error",
    `${request.url.host} answered with status ${answer.status}`,
    details,
    request.correlationId,
  );
}

/**
 * Sends a request, and once more after about a second if the connection failed, the deadline passed or the
 * authority answered with a status from 500 without saying when to come back.
 *
 * Only for grants that can be repeated: an authorization code or a device code may be spent.
 *
 * @param http The client.
 * @param request The request.
 * @param clock Whose timer waits.
 * @param emit Told of the retry.
 * @returns The first good answer, or the second one.
 */
export async function sendTwice(
  http: HttpClient,
  request: HttpRequest,
  clock: Clock,
  emit?: Emit,
): Promise<HttpAnswer> {
  const { correlationId } = request;
  try {
    const answer = await http.send(request, 1);
    if (answer.status < 500 || answer.retryAfter !== null) return answer;
    emit?.({ type: "request_retried", error: firstFailure(answer, request), correlationId });
  } catch (error) {
    const passing = error instanceof NetworkError &&
      (error.code === "network_error" || error.code === "request_timeout");
    if (!passing) throw error;
    emit?.({ type: "request_retried", error, correlationId });
  }
  // Jitter, so that the isolates that failed together do not come back together.
  await sleep(clock, RETRY_DELAY_MS + Math.random() * RETRY_JITTER_MS);
  return await http.send(request, 2);
}

/**
 * Reads a `Retry-After` header, RFC 9110 section 10.2.3.
 *
 * @param header The header: seconds or an HTTP date.
 * @param nowMs The time now, in milliseconds.
 * @returns Seconds from 0 to 3600, or `undefined` where the header says nothing usable.
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Math.min(Number(text), MAX_RETRY_AFTER_SECONDS);
  // Every HTTP date begins with a day's name; without this, Date.parse takes "-5" for a year.
  const dateMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(dateMs)) return undefined;
  return Math.min(Math.max(Math.ceil((dateMs - nowMs) / 1000), 0), MAX_RETRY_AFTER_SECONDS);
}
