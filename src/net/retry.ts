/**
 * One more try for requests that are safe to repeat, and how long to leave an authority alone.
 *
 * @module
 */

import { NetworkError } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { sleep } from "../runtime/wait.ts";
import type { HttpAnswer, HttpClient, HttpRequest } from "./http_client.ts";

const RETRY_DELAY_MS = 1_000;
const RETRY_JITTER_MS = 500;
const MAX_RETRY_AFTER_SECONDS = 3_600;

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
  http: Pick<HttpClient, "send">,
  request: HttpRequest,
  clock: Clock,
  emit?: Emit,
): Promise<HttpAnswer> {
  let error: unknown;
  try {
    const answer = await http.send(request, 1);
    if (answer.status < 500 || answer.retryAfter !== null) return answer;
    const message = `Cannot get a token: ${request.url.host}: status ${answer.status}`;
    error = new NetworkError("network_error", message, request.correlationId, answer.status);
  } catch (failure) {
    error = failure;
  }
  if (!(error instanceof NetworkError && ["network_error", "request_timeout"].includes(error.code))) {
    throw error;
  }
  emit?.({ type: "request_retried", error });
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
  // Every HTTP date begins with a day's name; without this, Date.parse takes "-5" for a year.
  const dateMs = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
  const seconds = /^\d+$/.test(text) ? Number(text) : Math.ceil((dateMs - nowMs) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_SECONDS);
}
