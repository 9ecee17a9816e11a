/**
 * Plays a fault in place of, or on top of, the ordinary answer.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import { EntraError } from "./entra_error.ts";
import { entraErrorResponse } from "./error_answer.ts";
import type { Exchange } from "./exchange.ts";
import type {
  EntraErrorFault,
  HtmlFault,
  JsonFault,
  NotJsonFault,
  OversizedFault,
  PlayedFault,
  ThrottledFault,
} from "./faults.ts";
import { graphErrorResponse, isGraphRoute } from "./graph_error.ts";

const DEFAULT_OVERSIZE_BYTES = 2 * 1024 * 1024;
const CHUNK_BYTES = 16 * 1024;
const DEFAULT_PAGE =
  "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>";
const HTML_TYPE = "text/html; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";

/** Waits on a clock; any signal that aborts ends the wait with its reason, and no timer stays behind. */
export function waitFor(clock: Clock, delayMs: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clock.clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", settle);
      const aborted = signals.find((signal) => signal.aborted);
      if (aborted) reject(aborted.reason);
      else resolve();
    };
    const timer = clock.setTimeout(settle, delayMs);
    for (const signal of signals) signal.addEventListener("abort", settle);
    if (signals.some((signal) => signal.aborted)) settle();
  });
}

function throttled(exchange: Exchange, fault: ThrottledFault): Response {
  const status = fault.status ?? 429;
  const headers: Record<string, string> = fault.retryAfter === undefined
    ? {}
    : { "retry-after": String(fault.retryAfter) };
  if (isGraphRoute(exchange)) {
    return graphErrorResponse(
      exchange,
      { status, code: "TooManyRequests", message: "Too many requests." },
      headers,
    );
  }
  const failure = new EntraError(
    status,
    "temporarily_unavailable",
    90055,
    "There are too many incoming requests.",
  );
  return entraErrorResponse(exchange, failure, headers);
}

function serverError(exchange: Exchange, status: number, empty: boolean): Response {
  if (empty) return new Response(null, { status });
  if (isGraphRoute(exchange)) {
    return graphErrorResponse(exchange, {
      status,
      code: "InternalServerError",
      message: "An error has occurred.",
    });
  }
  const text = "A transient error has occurred. Please try again.";
  return entraErrorResponse(exchange, new EntraError(status, "temporarily_unavailable", 90033, text));
}

function refused(exchange: Exchange, fault: EntraErrorFault): Response {
  const {
    code,
    error = "invalid_client",
    text = "The local authority was told to refuse.",
    suberror,
    claims,
  } = fault;
  const status = fault.status ?? (error === "invalid_client" ? 401 : 400);
  const details = {
    ...(suberror === undefined ? {} : { suberror }),
    ...(claims === undefined ? {} : { claims }),
  };
  return entraErrorResponse(exchange, new EntraError(status, error, code, text, details));
}

/** Writes into a chunk that begins at `start` what of `bytes`, which belong at `at`, falls into it. */
function overlay(chunk: Uint8Array, start: number, bytes: Uint8Array, at: number): void {
  bytes.forEach((byte, index) => {
    const position = at + index - start;
    if (position >= 0 && position < chunk.byteLength) chunk[position] = byte;
  });
}

/** A JSON document with one very long string, made one chunk at a time as it is read. */
function oversized(fault: OversizedFault): Response {
  const length = fault.bytes ?? DEFAULT_OVERSIZE_BYTES;
  const encoder = new TextEncoder();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (sent >= length) return controller.close();
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, length - sent)).fill(0x61);
      overlay(chunk, sent, encoder.encode('{"padding":"'), 0);
      overlay(chunk, sent, encoder.encode('"}'), length - 2);
      sent += chunk.byteLength;
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
  const headers = new Headers({ "content-type": JSON_TYPE });
  if (fault.contentLength !== undefined) headers.set("content-length", String(fault.contentLength));
  return new Response(body, { status: fault.status ?? 200, headers });
}

async function truncated(ordinary: () => Promise<Response>): Promise<Response> {
  const whole = await ordinary();
  const text = await whole.text();
  return new Response(text.slice(0, Math.floor(text.length / 2)), {
    status: whole.status,
    headers: whole.headers,
  });
}

/** The faults that only have another body. */
function otherBody(fault: HtmlFault | NotJsonFault | JsonFault): Response {
  const { status = 200 } = fault;
  if (fault.kind === "html") {
    return new Response(fault.html ?? DEFAULT_PAGE, { status, headers: { "content-type": HTML_TYPE } });
  }
  if (fault.kind === "not_json") {
    return new Response(fault.body ?? "This is not JSON.", {
      status,
      headers: { "content-type": JSON_TYPE },
    });
  }
  const headers = new Headers({ "content-type": JSON_TYPE });
  for (const [name, value] of Object.entries(fault.headers ?? {})) headers.set(name, value);
  return new Response(JSON.stringify(fault.body), { status, headers });
}

/**
 * Plays a fault.
 *
 * @throws {TypeError} when the fault is that of the network
 */
export async function playFault(
  fault: PlayedFault,
  exchange: Exchange,
  ordinary: () => Promise<Response>,
): Promise<Response> {
  switch (fault.kind) {
    case "throttled":
      return throttled(exchange, fault);
    case "server_error":
      return serverError(exchange, fault.status ?? 500, fault.empty ?? false);
    case "entra_error":
      return refused(exchange, fault);
    case "slow":
      await waitFor(exchange.services.clock, fault.delayMs, exchange.incoming.signals());
      return await ordinary();
    case "redirect":
      return new Response(null, { status: fault.status ?? 302, headers: { location: fault.location } });
    case "oversized":
      return oversized(fault);
    case "truncated":
      return await truncated(ordinary);
    case "network":
      throw new TypeError("fetch failed: the local authority was told to fail");
    default:
      return otherBody(fault);
  }
}
