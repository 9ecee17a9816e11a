/**
 * The only place that asks for tokens.
 *
 * @module
 */

import type { AppliedCredential } from "../credential/client_credential.ts";
import type { AuthError } from "../errors/auth_error.ts";
import { ClientAuthError } from "../errors/errors.ts";
import type { HttpCache } from "../net/http_cache.ts";
import type { HttpAnswer, HttpClient, PerPurpose } from "../net/http_client.ts";
import { sendTwice } from "../net/retry.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit, RefreshReason } from "../runtime/events.ts";
import { withDeadline } from "../runtime/wait.ts";
import { readErrorAnswer, toServerError } from "./error_response.ts";
import type { Telemetry } from "./telemetry.ts";
import { parseTokenResponse, type TokenResponse } from "./token_response.ts";

/** What the endpoint needs of an application. */
export interface TokenEndpointOptions {
  /** Where the time is read. */
  readonly clock: Clock;
  /** Told of throttled calls and retries. */
  readonly emit?: Emit | undefined;
  /** What Microsoft is told; nothing where absent. */
  readonly telemetry?: Telemetry | undefined;
  /** The deadline of each attempt, in milliseconds. */
  readonly timeoutMs: PerPurpose;
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

/** How many pieces of a value are looked for in what comes back. */
const MAX_PIECES = 200;

/** Asks for tokens by grants that may be repeated. */
export class TokenEndpoint {
  readonly #http: HttpClient;
  readonly #httpCache: HttpCache;
  readonly #options: TokenEndpointOptions;

  /**
   * Makes an endpoint client.
   *
   * @param http The client that sends.
   * @param httpCache What remembers refusals.
   * @param options What it needs of the application.
   */
  constructor(http: HttpClient, httpCache: HttpCache, options: TokenEndpointOptions) {
    this.#http = http;
    this.#httpCache = httpCache;
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
  async requestToken(request: TokenEndpointRequest): Promise<TokenResponse> {
    const { telemetry } = this.#options;
    const { apiId, correlationId } = request;
    const key = await this.#httpCache.keyOf(request.url, request.form);
    await this.#refuseWhileThrottled(key, request);
    try {
      const token = await this.#exchange(key, request);
      telemetry?.succeeded();
      return token;
    } catch (error) {
      telemetry?.failed(apiId, correlationId, `${(error as Partial<AuthError>).code}`);
      throw error;
    }
  }

  async #refuseWhileThrottled(
    key: string,
    { url: { host }, correlationId }: TokenEndpointRequest,
  ): Promise<void> {
    const recalled = await this.#httpCache.recall(key);
    if (recalled === undefined) return;
    const { untilMs, status, errorCodes: error_codes, ...codes } = recalled;
    // Checked like an answer: somebody else may have written it.
    const answer = readErrorAnswer(status, { ...codes, error_codes }, []);
    const { clock, emit } = this.#options;
    const retryAfterSeconds = Math.ceil((untilMs - clock.now()) / 1000);
    const error = toServerError(answer, host, correlationId, retryAfterSeconds);
    emit?.({ type: "throttled", error });
    throw error;
  }

  async #exchange(key: string, request: TokenEndpointRequest): Promise<TokenResponse> {
    const { clock, emit, telemetry } = this.#options;
    const { url, correlationId } = request;
    const { secrets, ...credential } = await this.#credentialOf(request);
    const headers = {
      ...(request.sendCorrelationId && { "client-request-id": correlationId }),
      ...telemetry?.headers(request.apiId, request.reason, correlationId),
      ...credential.headers,
    };
    const form = new URLSearchParams([...request.form, ...Object.entries(credential.form)]);
    // What apps send beside names and scopes is nobody's business, and neither is what is quoted in it; words of the
    // protocol are everybody's.
    const own = [...form].filter(([name]) => !/^(?:client_id|client_info|grant_type|scope)$/.test(name))
      .flatMap(([, value]) => [value, ...value.split('"', MAX_PIECES)]).concat(...url.searchParams.values())
      .filter((text) => !/^[a-z_]{0,40}$/i.test(text));
    const sent = {
      url,
      purpose: "token",
      form,
      headers,
      correlationId,
      secrets: [...secrets, ...own],
    } as const;
    const requestedAtSeconds = Math.floor(clock.now() / 1000);
    const answer = await sendTwice(this.#http, sent, clock, emit);
    const token = tokenOf(answer, requestedAtSeconds);
    if (typeof token !== "string") return token;
    const { access_token, refresh_token, id_token } = typeof answer.body === "string" ? {} : answer.body;
    const unsaid = [...sent.secrets, access_token, refresh_token, id_token];
    const refused = readErrorAnswer(answer.status, answer.body, unsaid);
    const retryAfterSeconds = await this.#httpCache.remember(key, answer, refused);
    throw toServerError(refused, url.host, correlationId, retryAfterSeconds, token);
  }

  #credentialOf({ credential, correlationId }: TokenEndpointRequest): Promise<AppliedCredential> {
    const { clock, timeoutMs: { token } } = this.#options;
    return withDeadline(clock, credential(), token, () => {
      throw new ClientAuthError(
        "client_credential_failed",
        `Cannot get a token: clientCredential took more than ${token} ms`,
        correlationId,
      );
    });
  }
}

/** The token of an answer, or why there is none. An `error` counts whatever the status. */
function tokenOf({ status, body }: HttpAnswer, requestedAtSeconds: number): TokenResponse | string {
  if (typeof body === "string") return body;
  return status !== 200 || body.error !== undefined ? "" : parseTokenResponse(body, requestedAtSeconds);
}
