/**
 * The one place that sends requests to an authority.
 *
 * @module
 */

import { NetworkError } from "../errors/errors.ts";
import type { NetworkErrorCode } from "../errors/error_codes.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { FetchFunction } from "../runtime/web_types.ts";
import { discard, type JsonBody, readJson } from "./body.ts";
import { redact } from "./redact.ts";

/** A number for each kind of request. */
export interface PerPurpose {
  /** For the token endpoint. */
  readonly token: number;
  /** For discovery documents. */
  readonly metadata: number;
}

/** What the client is made of. */
export interface HttpClientOptions {
  /** The `fetch` for every request; the global one, looked up at each call, where absent. */
  readonly fetch?: FetchFunction | undefined;
  /** Whose timers make the deadlines. */
  readonly clock: Clock;
  /** Told of every answer. */
  readonly emit?: Emit | undefined;
  /** The deadlines for headers and body together, in milliseconds. */
  readonly timeoutMs: PerPurpose;
  /** The most bytes of body that are read. */
  readonly maxBytes: PerPurpose;
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
  /** The call's correlation id. */
  readonly correlationId: string;
  /** What was sent and must never show up in an error. */
  readonly secrets?: readonly unknown[];
}

/** An answer, read to its end. */
export interface HttpAnswer extends JsonBody {
  /** The HTTP status. */
  readonly status: number;
  /** The `Retry-After` header, as it was sent. */
  readonly retryAfter: string | null;
  /** The `DPoP-Nonce` header, as it was sent. */
  readonly dpopNonce?: string | null;
}

type Fail = (code: NetworkErrorCode, what: string, status?: number) => NetworkError;

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
    const { purpose, correlationId, url: { host } } = request;
    const timeoutMs = this.#options.timeoutMs[purpose];
    const startedMs = clock.now();
    const controller = new AbortController();
    const fail: Fail = (code, what, status) =>
      new NetworkError(code, `Cannot get a token: ${host}: ${what}`, correlationId, status, attempt);
    const answer = await withDeadline(
      clock,
      this.#exchange(request, controller.signal, fail),
      timeoutMs,
      () => {
        const error = fail("request_timeout", `none came in ${timeoutMs} ms (option timeoutMs)`);
        controller.abort(error);
        throw error;
      },
    );
    const durationMs = clock.now() - startedMs;
    emit?.({
      type: "request_completed",
      purpose,
      host,
      status: answer.status,
      durationMs,
      attempt,
      correlationId,
    });
    return answer;
  }

  async #exchange(request: HttpRequest, signal: AbortSignal, fail: Fail): Promise<HttpAnswer> {
    try {
      const response = await this.#fetch(request, signal);
      // A fetch may ignore its signal; nobody waits for what it brings then.
      if (signal.aborted) discard(response.body);
      const { status } = response;
      // A fetch of the application's own may have followed one by itself.
      if (response.redirected || (status >= 300 && status < 400)) {
        discard(response.body);
        throw fail(
          "redirect_refused",
          `it redirects (status ${status})`,
          status,
        );
      }
      const maxBytes = this.#options.maxBytes[request.purpose];
      const read = await readJson(response, maxBytes, signal);
      if (read === undefined) {
        throw fail("response_too_large", `its body is larger than ${maxBytes} bytes`, status);
      }
      const [retryAfter = null, dpopNonce = null] = ["retry-after", "dpop-nonce"]
        .map((name) => response.headers.get(name));
      return { status, retryAfter, dpopNonce, ...read };
    } catch (error) {
      throw error instanceof NetworkError
        ? error
        : fail("network_error", redact(error, request.secrets ?? []));
    }
  }

  #fetch({ url, form, headers }: HttpRequest, signal: AbortSignal): Promise<Response> {
    // Looked up at each call and called as a plain function: workerd refuses another `this`.
    const send: FetchFunction = this.#options.fetch ?? globalThis.fetch;
    const type = form && { "content-type": "application/x-www-form-urlencoded;charset=UTF-8" };
    return send(url.href, {
      method: form ? "POST" : "GET",
      headers: { accept: "application/json", ...type, ...headers },
      ...(form && { body: form.toString() }),
      redirect: "manual",
      signal,
    });
  }
}
