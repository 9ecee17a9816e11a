/**
 * The only place that asks for tokens.
 *
 * @module
 */

import type { AppliedCredential } from "../credential/applied_credential.ts";
import type { AuthError } from "../errors/auth_error.ts";
import { ClientAuthError } from "../errors/errors.ts";
import type { HttpCache, RefusedAnswer } from "../net/http_cache.ts";
import type { HttpAnswer, HttpClient, PerPurpose } from "../net/http_client.ts";
import { parseRetryAfter, sendTwice } from "../net/retry.ts";
import type { AuthScheme } from "../request/auth_scheme.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit, RefreshReason } from "../runtime/events.ts";
import { withDeadline } from "../runtime/wait.ts";
import { BoundSender, NONCE_REFUSAL, type Sender } from "./bound_sender.ts";
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
  /** Gets the credential; called only if something is sent. A public client has none. */
  readonly credential?: (() => Promise<AppliedCredential>) | undefined;
  /** What binds the token to a key. */
  readonly authScheme?: AuthScheme | undefined;
  /**
   * Whether the form holds what counts once, as a code does: it is sent once, whatever comes of it, and neither waits for
   * earlier answers nor leaves one behind. Only where the credential is refused for its age is it sent with another one.
   */
  readonly isOneTime?: boolean;
  /** Called at the moment before the form is sent; what it throws keeps it unsent. */
  readonly onSend?: (() => void) | undefined;
  /** Where Entra keeps the user, as `X-AnchorMailbox` has it. */
  readonly anchorMailbox?: string | undefined;
  /** What is asked for where that is not JSON, as `accept` has it. */
  readonly accept?: string | undefined;
  /** Reads a success that is not status 200 with JSON; `undefined` for any other answer. */
  readonly read?: ((answer: HttpAnswer) => Readonly<Record<string, unknown>> | undefined) | undefined;
  /** The number of the method, for telemetry. */
  readonly apiId: string;
  /** Why a token is asked for, for telemetry. */
  readonly reason: RefreshReason;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** Whether to send the correlation id although telemetry is off: the caller chose it. */
  readonly sendCorrelationId: boolean;
}

/** Reads a success answer, or tells what is wrong with it. */
export type Parse<T> = (json: Readonly<Record<string, unknown>>, requestedAtSeconds: number) => T | string;

/** For how long a user who must sign in is not asked about again, R-115 and R-182. */
const REFRESH_REFUSED_SECONDS = 120;
/** How many pieces of a value are looked for in what comes back. */
const MAX_PIECES = 200;
/** What an answer may hold that no error must tell. */
const SECRET_MEMBERS = ["access_token", "refresh_token", "id_token", "device_code", "user_code"];

/** Microsoft.Identity.Web renews its certificates at these, and at no other: not for a wrong secret, nor an unknown client. */
const STALE_CREDENTIAL: readonly number[] = [700024, 700027, 1000502, 7000214, 7000274, 7000277];
const NO_CREDENTIAL: AppliedCredential = { form: {}, headers: {}, secrets: [] };

/** Asks for tokens. */
export class TokenEndpoint {
  readonly #http: HttpClient;
  readonly #httpCache: HttpCache;
  readonly #options: TokenEndpointOptions;
  readonly #bound: BoundSender;

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
    this.#bound = new BoundSender(options);
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
  requestToken(request: TokenEndpointRequest): Promise<TokenResponse> {
    const type = request.authScheme?.tokenType;
    return this.request(request, (json, requestedAt) => parseTokenResponse(json, requestedAt, type));
  }

  /**
   * Sends a form for something that is no token; throws like {@linkcode TokenEndpoint.requestToken}.
   *
   * @param request The request.
   * @param parse Reads a success answer, or tells what is wrong with it; gets the time of the request in epoch seconds.
   * @returns What was read.
   */
  async request<T extends object>(request: TokenEndpointRequest, parse: Parse<T>): Promise<T> {
    const { telemetry } = this.#options;
    const { apiId, authScheme, correlationId, form, isOneTime, url } = request;
    // What is said of one key says nothing of another.
    const asked = authScheme
      ? new URLSearchParams([...form, [authScheme.tokenType, authScheme.keyId]])
      : form;
    const key = isOneTime ? undefined : await this.#httpCache.keyOf(url, asked);
    if (key !== undefined) await this.#refuseWhileThrottled(key, request);
    try {
      const token = await this.#exchange(key, request, parse);
      telemetry?.succeeded();
      return token;
    } catch (error) {
      telemetry?.failed(apiId, correlationId, `${(error as Partial<AuthError>).code}`);
      throw error;
    }
  }

  async #refuseWhileThrottled(
    key: string,
    { url: { host }, correlationId, form }: TokenEndpointRequest,
  ): Promise<void> {
    const recalled = await this.#httpCache.recall(key);
    if (recalled === undefined) return;
    const { untilMs, status, errorCodes: error_codes, ...codes } = recalled;
    // Checked like an answer: somebody else may have written it.
    const answer = readErrorAnswer(status, { ...codes, error_codes }, []);
    const { clock, emit } = this.#options;
    const retryAfterSeconds = Math.ceil((untilMs - clock.now()) / 1000);
    const error = toServerError(answer, host, correlationId, retryAfterSeconds, undefined, isRefresh(form));
    emit?.({ type: "throttled", error });
    throw error;
  }

  async #exchange<T extends object>(
    key: string | undefined,
    request: TokenEndpointRequest,
    parse: Parse<T>,
    renewed?: AppliedCredential,
  ): Promise<T> {
    const { clock, emit, telemetry } = this.#options;
    const { url, correlationId } = request;
    const credential = renewed ??
      await (request.credential ? this.#inTime(request, request.credential()) : NO_CREDENTIAL);
    const mailbox = request.anchorMailbox;
    const headers = {
      ...(request.accept && { accept: request.accept }),
      ...(request.sendCorrelationId && { "client-request-id": correlationId }),
      ...telemetry?.headers(request.apiId, request.reason, correlationId),
      ...(mailbox !== undefined && { "x-anchormailbox": mailbox }),
    };
    const { form } = request;
    const unsaid: unknown[] = ownTexts([...form, ...Object.entries(credential.form)], url);
    const sent = { url, purpose: "token", form, headers, correlationId, secrets: unsaid } as const;
    const http = this.#senderOf(request, credential, unsaid);
    if (renewed === undefined) request.onSend?.();
    const requestedAtSeconds = Math.floor(clock.now() / 1000);
    const answer = await (key === undefined ? http.send(sent) : sendTwice(http, sent, clock, emit));
    const read = request.read?.(answer);
    const token = read ? parse(read, requestedAtSeconds) : readAnswer(answer, requestedAtSeconds, parse);
    if (typeof token !== "string") {
      credential.accepted?.();
      return token;
    }
    const body = typeof answer.body === "string" ? {} : answer.body;
    unsaid.push(...SECRET_MEMBERS.map((name) => body[name]));
    const refused = readErrorAnswer(answer.status, answer.body, unsaid);
    const isStale = isStaleCredential(refused);
    if (isStale) credential.refused?.(refused.errorCodes);
    if (isStale && credential.next !== undefined) {
      const told = toServerError(refused, url.host, correlationId, undefined, token, isRefresh(form));
      emit?.({ type: "request_retried", error: told });
      // A code, too: the client has to prove who it is before the authority looks at what it brings, so the code is not spent.
      const next = await this.#inTime(request, credential.next(refused.errorCodes));
      return await this.#exchange(key, request, parse, next);
    }
    // The next request has the nonce.
    const retryAfterSeconds = key === undefined || refused.error === NONCE_REFUSAL
      ? parseRetryAfter(answer.retryAfter, clock.now())
      : await this.#httpCache.remember(
        key,
        answer,
        refused,
        // A renewed credential does not have to wait.
        isStale ? 0 : isRefresh(form) || form.has("assertion") ? REFRESH_REFUSED_SECONDS : undefined,
      );
    throw toServerError(refused, url.host, correlationId, retryAfterSeconds, token, isRefresh(form));
  }

  /** What sends each attempt: the second one with an assertion of its own, where one counts once. */
  #senderOf(request: TokenEndpointRequest, first: AppliedCredential, unsaid: unknown[]): Sender {
    const { authScheme } = request;
    let wasSent = false;
    const send: Sender["send"] = async (sent, attempt) => {
      const { again } = wasSent ? first : {};
      wasSent = true;
      const { form, headers, secrets } = again ? await this.#inTime(request, again()) : first;
      unsaid.push(...secrets);
      return await this.#http.send({
        ...sent,
        form: new URLSearchParams([...sent.form ?? [], ...Object.entries(form)]),
        headers: { ...sent.headers, ...headers },
      }, attempt);
    };
    return authScheme ? this.#bound.senderOf(authScheme, unsaid, { send }) : { send };
  }

  #inTime(
    { correlationId }: TokenEndpointRequest,
    credential: Promise<AppliedCredential>,
  ): Promise<AppliedCredential> {
    const { clock, timeoutMs: { token } } = this.#options;
    return withDeadline(clock, credential, token, () => {
      throw new ClientAuthError(
        "client_credential_failed",
        `Cannot get a token: clientCredential took more than ${token} ms`,
        correlationId,
      );
    });
  }
}

/** Whether the authority refused a credential for what a newer one mends: certificates roll over, assertions end. */
function isStaleCredential({ errorCodes, status }: RefusedAnswer): boolean {
  return status < 429 && errorCodes.some((code) => STALE_CREDENTIAL.includes(code));
}

/**
 * What apps send beside names and scopes is nobody's business, and neither is what is quoted in it; words of the protocol are
 * everybody's.
 */
function ownTexts(form: readonly (readonly [string, string])[], { searchParams }: URL): string[] {
  return form.filter(([name]) => !/^(?:client_id|client_info|grant_type|scope)$/.test(name))
    .flatMap(([, value]) => [value, ...value.split('"', MAX_PIECES)]).concat(...searchParams.values())
    .filter((text) => !/^[a-z_]{0,40}$/i.test(text));
}

function isRefresh(form: URLSearchParams): boolean {
  return form.get("grant_type") === "refresh_token";
}

/** What an answer holds, or why it is no use. An `error` counts whatever the status. */
function readAnswer<T extends object>(
  { status, body }: HttpAnswer,
  requestedAtSeconds: number,
  parse: Parse<T>,
): T | string {
  if (typeof body === "string") return body;
  return status !== 200 || body.error !== undefined ? "" : parse(body, requestedAtSeconds);
}
