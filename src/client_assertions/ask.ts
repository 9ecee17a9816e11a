/**
 * Asks a token service or a metadata endpoint.
 *
 * @module
 */

import type { NetworkErrorCode } from "../errors/error_codes.ts";
import { ClientAuthError, nameOf, NetworkError } from "../errors/errors.ts";
import { discard, readText } from "../net/body.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { SourceSettings } from "./source_options.ts";

/** No answer is longer. */
const MAX_BYTES = 65_536;

/** A request. */
export interface SourceRequest {
  /** Where to: `https:`, or one of the link-local addresses that this module's files spell out. */
  readonly url: string;
  /** GET where absent. */
  readonly method?: "POST" | "PUT" | undefined;
  /** Its headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** What is sent. */
  readonly body?: string | undefined;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** Finds the service's own code in an answer that is not 200. */
  readonly codeOf?: ((text: string) => string | undefined) | undefined;
}

/** An answer with status 200. */
export interface SourceAnswer {
  /** Its body. */
  readonly text: string;
  /** Its headers. */
  readonly headers: Headers;
}

/** The error of an answer that is no use. Nothing of it is repeated but a code. */
export function unusable(url: string, what: string, correlationId: string): ClientAuthError {
  return new ClientAuthError(
    "client_credential_failed",
    `Cannot get an assertion: ${new URL(url).host} ${what}`,
    correlationId,
  );
}

/**
 * Sends a request: no redirect is followed, the wait ends, the body is bounded.
 *
 * @param settings The source's.
 * @param request The request.
 * @returns The answer, whose status is 200.
 * @throws {NetworkError} where no usable answer comes.
 * @throws {ClientAuthError} `client_credential_failed` for an answer with another status.
 */
export async function ask(settings: SourceSettings, request: SourceRequest): Promise<SourceAnswer> {
  const { clock, timeoutMs } = settings;
  const controller = new AbortController();
  return await withDeadline(clock, exchange(settings, request, controller.signal), timeoutMs, () => {
    const error = failure(request, "request_timeout", `no answer came in ${timeoutMs} ms`);
    controller.abort(error);
    throw error;
  });
}

function failure(
  { url, correlationId }: SourceRequest,
  code: NetworkErrorCode,
  what: string,
  status?: number,
): NetworkError {
  const message = `Cannot get an assertion: ${new URL(url).host}: ${what}`;
  return new NetworkError(code, message, correlationId, status);
}

async function exchange(
  { fetch }: SourceSettings,
  request: SourceRequest,
  signal: AbortSignal,
): Promise<SourceAnswer> {
  const { url, method = "GET", headers, body } = request;
  try {
    // Looked up at each call and called as a plain function: workerd refuses another `this`.
    const send = fetch ?? globalThis.fetch;
    const init = { method, headers, redirect: "manual", signal } as const;
    const response = await send(url, body === undefined ? init : { ...init, body });
    if (signal.aborted) discard(response.body);
    const { status } = response;
    if (response.redirected || (status >= 300 && status < 400)) {
      discard(response.body);
      throw failure(request, "redirect_refused", `it redirects (status ${status})`, status);
    }
    const text = await readText(response, MAX_BYTES, signal);
    if (text === undefined) {
      throw failure(request, "response_too_large", `its body is larger than ${MAX_BYTES} bytes`, status);
    }
    if (status === 200) return { text, headers: response.headers };
    const code = request.codeOf?.(text);
    throw unusable(url, `answered ${code ? `${code} ` : ""}with status ${status}`, request.correlationId);
  } catch (error) {
    if (error instanceof NetworkError || error instanceof ClientAuthError) throw error;
    // A message may quote the URL or a header.
    throw failure(request, "network_error", nameOf(error));
  }
}

/** A JSON object's members; none where the text is no such thing. */
export function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    // The parser's message quotes the text.
    return {};
  }
}
