/**
 * A `fetch` that answers from a script and remembers what it was asked.
 *
 * @module
 */
import type { FetchFunction } from "../../src/runtime/web_types.ts";
import { abortable } from "../../src/testing/abort.ts";

/** A request as the script saw it. */
export interface RecordedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  /** The body as text; empty where there is none. */
  readonly body: string;
  /** The body read as a form. */
  readonly form: URLSearchParams;
  readonly redirect: RequestRedirect | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What answers one request: a response, an error to reject with, or a function that makes either. */
export type Answer =
  | Response
  | Error
  | ((request: RecordedRequest) => Response | Promise<Response>);

/** A `fetch` with a script. */
export interface ScriptedFetch {
  /** The function to inject. */
  readonly fetch: FetchFunction;
  /** Every request so far, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Adds answers to the end of the queue. */
  push(...answers: Answer[]): void;
  /** Throws when an answer was never asked for, or a request had no answer. */
  assertDone(): void;
}

/**
 * Makes a `fetch` that answers from a queue, or every request by one function.
 *
 * A request beyond the script is an error that names it, and {@linkcode ScriptedFetch.assertDone}
 * throws it again in case the code under test swallowed it.
 */
export function scriptedFetch(script: Answer[] | ((request: RecordedRequest) => Answer) = []): ScriptedFetch {
  const queue = Array.isArray(script) ? [...script] : [];
  const requests: RecordedRequest[] = [];
  let unexpected: Error | undefined;
  const fetch: FetchFunction = async (url, init) => {
    const request = await record(url, init);
    requests.push(request);
    request.signal?.throwIfAborted();
    const answer = Array.isArray(script) ? queue.shift() : script(request);
    if (answer === undefined) throw unexpected = new Error(`unexpected request: ${request.method} ${url}`);
    return await abortable(give(answer, request), request.signal);
  };
  return {
    fetch,
    requests,
    push: (...answers) => void queue.push(...answers),
    assertDone() {
      if (unexpected) throw unexpected;
      if (queue.length > 0) throw new Error(`${queue.length} scripted answers were never asked for`);
    },
  };
}

/** A JSON response, as a token or metadata endpoint gives it. */
export function jsonResponse(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers });
}

async function record(url: string, init: RequestInit = {}): Promise<RecordedRequest> {
  const body = init.body == null ? "" : await new Response(init.body).text();
  return {
    url,
    method: (init.method ?? "GET").toUpperCase(),
    headers: new Headers(init.headers),
    body,
    form: new URLSearchParams(body),
    redirect: init.redirect,
    signal: init.signal ?? undefined,
  };
}

async function give(answer: Answer, request: RecordedRequest): Promise<Response> {
  if (answer instanceof Error) throw answer;
  return typeof answer === "function" ? await answer(request) : answer;
}
