/**
 * The one place that sends requests to an authority.
 *
 * @module
 */

import { NetworkError } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { FetchFunction } from "../runtime/web_types.ts";
import { discard, readJson } from "./body.ts";
import { redact } from "./redact.ts";

/** What the client is made of. */
export interface HttpClientOptions {
  /** The `fetch` for every request; the global one, looked up at each call, where absent. */
  readonly fetch?: FetchFunction | undefined;
  /** Whose timers make the deadlines. */
  readonly clock: Clock;
  /** Told of every answer. */
  readonly emit?: Emit | undefined;
}

/** A request to an authority. */
export interface HttpRequest {
  /** Where to: checked by whoever made the URL. */
  readonly url: URL;
  /** What it is for. */
  readonly purpose: "token" | "metadata";
  /** Headers beside `accept`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The form of a POST; a GET where absent. */
  readonly form?: URLSearchParams;
  /** The deadline for headers and body together, in milliseconds. */
  readonly timeoutMs: number;
  /** The most bytes of body that are read. */
  readonly maxBytes: number;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** What was sent and must never show up in an error. */
  readonly secrets?: readonly string[];
}

/** An answer, read to its end. */
export interface HttpAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The `Retry-After` header, as it was sent. */
  readonly retryAfter: string | null;
  /** The JSON object of the body, if it is one. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** Why there is no JSON object. */
  readonly unusable?: string;
}

/** Sends requests: no redirect is followed, every wait ends, every body is bounded. */
export class HttpClient {
  readonly #options: HttpClientOptions;

  /**
   * Makes a client.
   *
   * @param options The fetch, the clock and the observer.
   */
  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /**
   * Sends one request and reads its answer.
   *
   * @param request The request.
   * @param attempt Which attempt this is, from 1.
   * @returns The answer, whatever its status below 300 or from 400.
   * @throws {NetworkError} where no usable answer arrives.
   */
  async send(request: HttpRequest, attempt = 1): Promise<HttpAnswer> {
    const { clock, emit } = this.#options;
    const startedMs = clock.now();
    const controller = new AbortController();
    const fail = (code: NetworkError["code"], what: string, status = 0): NetworkError =>
      new NetworkError(code, `Cannot get an answer from ${request.url.host}: ${what}`, {
        status,
        attempt,
        correlationId: request.correlationId,
      });
    const exchange = this.#exchange(request, controller.signal, fail);
    const answer = await withDeadline(clock, exchange, request.timeoutMs, () => {
      const error = fail("request_timeout", `none came in ${request.timeoutMs} ms (option timeoutMs)`);
      controller.abort(error);
      throw error;
    });
    emit?.({
      type: "request_completed",
      purpose: request.purpose,
      host: request.url.host,
      status: answer.status,
      durationMs: clock.now() - startedMs,
      attempt,
      correlationId: request.correlationId,
    });
    return answer;
  }

  async #exchange(
    request: HttpRequest,
    signal: AbortSignal,
    fail: (code: NetworkError["code"], what: string, status?: number) => NetworkError,
  ): Promise<HttpAnswer> {
    try {
      const response = await this.#fetch(request, signal);
      const { status } = response;
      // A browser shows a refused redirect as status 0 of an opaque type.
      if ((status >= 300 && status < 400) || response.type === "opaqueredirect") {
        await discard(response);
        throw fail(
          "redirect_refused",
          `it redirects (status ${status}), and redirects are not followed`,
          status,
        );
      }
      const body = await readJson(response, request.maxBytes);
      if (body.kind === "too_large") {
        throw fail("response_too_large", `its body is larger than ${request.maxBytes} bytes`, status);
      }
      const retryAfter = response.headers.get("retry-after");
      return body.kind === "json"
        ? { status, retryAfter, json: body.json }
        : { status, retryAfter, unusable: body.reason };
    } catch (error) {
      if (error instanceof NetworkError) throw error;
      throw fail("network_error", redact(error, request.secrets ?? []));
    }
  }

  #fetch(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const { form } = request;
    // Looked up at each call and called as a plain function: workerd refuses another `this`.
    const send: FetchFunction = this.#options.fetch ?? globalThis.fetch;
    return send(request.url.href, {
      method: form === undefined ? "GET" : "POST",
      headers: {
        accept: "application/json",
        ...(form && { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" }),
        ...request.headers,
      },
      ...(form && { body: form.toString() }),
      redirect: "manual",
      signal,
    });
  }
}
