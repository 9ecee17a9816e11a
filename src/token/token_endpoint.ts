/**
 * The only place that asks for tokens.
 *
 * @module
 */

import type { AppliedCredential } from "../credential/client_credential.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { isAuthError } from "../errors/auth_error.ts";
import type { HttpAnswer, HttpClient, HttpRequest } from "../net/http_client.ts";
import { parseRetryAfter, sendTwice } from "../net/retry.ts";
import type { Throttle } from "../net/throttle.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit, RefreshReason } from "../runtime/events.ts";
import { withDeadline } from "../runtime/wait.ts";
import { readErrorAnswer, toServerError } from "./error_response.ts";
import type { Telemetry } from "./telemetry.ts";
import { parseTokenResponse, type TokenResponse } from "./token_response.ts";

/** What the endpoint works with. */
export interface TokenEndpointOptions {
  /** The client that sends. */
  readonly http: HttpClient;
  /** What remembers refusals. */
  readonly throttle: Throttle;
  /** Where the time is read. */
  readonly clock: Clock;
  /** Told of throttled calls and retries. */
  readonly emit?: Emit | undefined;
  /** What Microsoft is told; nothing where absent. */
  readonly telemetry?: Telemetry | undefined;
  /** The deadline of each attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** The most bytes of an answer. */
  readonly maxBytes: number;
}

/** One request for a token. */
export interface TokenEndpointRequest {
  /** The token endpoint. */
  readonly url: URL;
  /** The form, without the credential. */
  readonly form: URLSearchParams;
  /** Gets the credential; called only if something is sent. */
  readonly credential: () => Promise<AppliedCredential>;
  /** The number of the method, for telemetry. */
  readonly apiId: string;
  /** Why a token is asked for, for telemetry. */
  readonly reason: RefreshReason;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** Whether to send the correlation id although telemetry is off: the caller chose it. */
  readonly sendCorrelationId: boolean;
}

/** A token, and when its request started, in epoch seconds. */
export interface IssuedToken extends TokenResponse {
  /** The second to count lifetimes from. */
  readonly requestedAtSeconds: number;
}

/** Asks for tokens by grants that may be repeated. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  /**
   * Makes an endpoint client.
   *
   * @param options What it works with.
   */
  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  /**
   * Asks for a token.
   *
   * @param request The request.
   * @returns The token.
   * @throws {ServerError} where the authority refuses, or answers with something that is no token.
   * @throws {InteractionRequiredAuthError} where a user must act.
   * @throws {NetworkError} where no answer comes.
   */
  async requestToken(request: TokenEndpointRequest): Promise<IssuedToken> {
    const { telemetry } = this.#options;
    const throttleKey = await this.#options.throttle.keyOf(request.url, request.form);
    await this.#refuseWhileThrottled(throttleKey, request);
    try {
      const token = await this.#exchange(throttleKey, request);
      telemetry?.succeeded();
      return token;
    } catch (error) {
      telemetry?.failed(
        request.apiId,
        request.correlationId,
        isAuthError(error) ? error.code : "unexpected_error",
      );
      throw error;
    }
  }

  async #refuseWhileThrottled(key: string, request: TokenEndpointRequest): Promise<void> {
    const { throttle, clock, emit } = this.#options;
    const recalled = await throttle.recall(key);
    if (recalled === undefined) return;
    const { untilMs, ...answer } = recalled;
    const error = toServerError(answer, {
      host: request.url.host,
      correlationId: request.correlationId,
      retryAfterSeconds: Math.max(Math.ceil((untilMs - clock.now()) / 1000), 0),
      throttledLocally: true,
    });
    emit?.({ type: "throttled", error, correlationId: request.correlationId });
    throw error;
  }

  async #exchange(throttleKey: string, request: TokenEndpointRequest): Promise<IssuedToken> {
    const { http, clock, emit } = this.#options;
    const credential = await this.#credentialOf(request);
    const requestedAtSeconds = Math.floor(clock.now() / 1000);
    const answer = await sendTwice(http, this.#httpRequest(request, credential), clock, emit);
    const token = this.#tokenOf(answer, requestedAtSeconds);
    if (typeof token !== "string") return { ...token, requestedAtSeconds };
    throw await this.#refusal(answer, token, throttleKey, request, credential);
  }

  #credentialOf(request: TokenEndpointRequest): Promise<AppliedCredential> {
    const { clock, timeoutMs } = this.#options;
    return withDeadline(clock, request.credential(), timeoutMs, () => {
      throw new ClientAuthError(
        "client_credential_failed",
        `Cannot get the client credential: the function given as clientCredential took more than ${timeoutMs} ms`,
        request.correlationId,
      );
    });
  }

  #httpRequest(request: TokenEndpointRequest, credential: AppliedCredential): HttpRequest {
    const { telemetry, timeoutMs, maxBytes } = this.#options;
    const { url, correlationId } = request;
    const form = new URLSearchParams(request.form);
    for (const [name, value] of Object.entries(credential.form)) form.set(name, value);
    const headers = {
      ...(request.sendCorrelationId && { "client-request-id": correlationId }),
      ...telemetry?.headers(request.apiId, request.reason, correlationId),
      ...credential.headers,
    };
    return {
      url,
      purpose: "token",
      form,
      headers,
      timeoutMs,
      maxBytes,
      correlationId,
      secrets: credential.secrets,
    };
  }

  /** The token of an answer, or why there is none. An `error` counts whatever the status. */
  #tokenOf(answer: HttpAnswer, requestedAtSeconds: number): TokenResponse | string {
    const { status, json, unusable } = answer;
    if (json === undefined) return unusable ?? "its body is empty";
    if (status !== 200 || json.error !== undefined) return "";
    return parseTokenResponse(json, requestedAtSeconds);
  }

  async #refusal(
    answer: HttpAnswer,
    fault: string,
    throttleKey: string,
    request: TokenEndpointRequest,
    credential: AppliedCredential,
  ): Promise<Error> {
    const { throttle, clock } = this.#options;
    const { status, json } = answer;
    const kept = readErrorAnswer(status, json, fault === "" ? undefined : fault, credential.secrets);
    const { error, errorCodes, suberror } = kept;
    await throttle.remember(
      throttleKey,
      { status, error, errorCodes, suberror },
      throttle.secondsFor(answer),
    );
    return toServerError(kept, {
      host: request.url.host,
      correlationId: request.correlationId,
      retryAfterSeconds: parseRetryAfter(answer.retryAfter, clock.now()),
      throttledLocally: false,
    });
  }
}
