/**
 * Turns an authority's error answer into an error for a person, RFC 6749 section 5.2.
 *
 * @module
 */

import { COMMON_CODES, findAadsts } from "../errors/aadsts_common.ts";
import type { InteractionRequiredErrorCode } from "../errors/error_codes.ts";
import { InteractionRequiredAuthError, ServerError } from "../errors/server_error.ts";
import { redactText } from "../net/redact.ts";

/** An error answer, reduced to what may be kept. */
export interface ErrorAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth `error`; `server_error` or `invalid_response` where there is none. */
  readonly error: string;
  /** The AADSTS numbers. */
  readonly errorCodes: readonly number[];
  /** Entra's `suberror`. */
  readonly suberror?: string | undefined;
  /** Entra's `trace_id`. */
  readonly traceId?: string | undefined;
  /** Entra's `timestamp`. */
  readonly timestamp?: string | undefined;
  /** The claims challenge. */
  readonly claims?: string | undefined;
  /** The first line of `error_description`, secrets removed. */
  readonly errorDescription?: string | undefined;
}

/** What is known of the call. */
export interface ErrorContext {
  /** The authority's host. */
  readonly host: string;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** Why the answer is no use, where it is not simply a refusal. */
  readonly fault?: string | undefined;
  /** For how long the authority wants to be left alone, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether nothing was sent. */
  readonly throttledLocally: boolean;
}

const INTERACTION_ERRORS = ["interaction_required", "login_required", "consent_required", "bad_token"];
const INTERACTION_SUBERRORS = ["basic_action", "additional_action", "message_only", "user_password_expired"];
const LABEL = /^[\w.-]{1,64}$/;

/**
 * Reads an error answer.
 *
 * @param status The HTTP status.
 * @param body The body, or why there is none.
 * @param secrets What was sent and must not come back in a text.
 * @returns What may be kept of it.
 */
export function readErrorAnswer(
  status: number,
  body: Readonly<Record<string, unknown>> | string,
  secrets: readonly string[],
): ErrorAnswer {
  const json = typeof body === "string" ? {} : body;
  const text = (name: string, pattern: RegExp): string | undefined => {
    const value = json[name];
    const clean = typeof value === "string" ? redactText(value, secrets) : "";
    return pattern.test(clean) ? clean : undefined;
  };
  const errorDescription = text("error_description", /./);
  const { error_codes: listed, claims } = json;
  const numbers = (Array.isArray(listed) ? listed.slice(0, 10) : []).filter(Number.isSafeInteger);
  // Entra lists its codes; where it does not, the description begins with one.
  const described = /^AADSTS(\d{4,9})\b/.exec(errorDescription ?? "")?.[1];
  return {
    status,
    error: text("error", LABEL) ?? (status < 400 ? "invalid_response" : "server_error"),
    errorCodes: numbers.length === 0 && described !== undefined ? [Number(described)] : numbers,
    suberror: text("suberror", LABEL),
    traceId: text("trace_id", LABEL),
    timestamp: text("timestamp", /^[\d :TZ.+-]{1,40}$/),
    claims: typeof claims === "string" ? claims.slice(0, 8192) : undefined,
    errorDescription,
  };
}

/**
 * Makes the error. `error` and `suberror` decide whether the user must act; AADSTS numbers choose the hint alone.
 *
 * @param answer The answer.
 * @param context The call.
 * @returns The error to throw.
 */
export function toServerError(
  answer: ErrorAnswer,
  context: ErrorContext,
): InteractionRequiredAuthError | ServerError {
  const { status, error, suberror = "", errorCodes } = answer;
  const { host, correlationId, fault, retryAfterSeconds, throttledLocally } = context;
  const known = findAadsts(errorCodes, COMMON_CODES);
  // A refusal (400) that is recalled is still a refusal; anything else that is recalled is a time to wait.
  const throttled = status === 429 || (throttledLocally && status !== 400);
  const retryable = throttled || status >= 500 || error === "temporarily_unavailable" ||
    error === "server_error";
  const details = { ...answer, retryAfterSeconds, retryable, throttledLocally, ...known };
  const code = errorCodes.length === 0 ? "" : ` (AADSTS${errorCodes[0]})`;
  const message = `Cannot get a token: ${host} answered ${error}${code} with status ${status}` +
    (fault ? `: ${fault}` : "") +
    (throttledLocally ? "; nothing was sent, this is its last answer to the same request" : "") +
    (retryAfterSeconds === undefined ? "" : `; try again in ${retryAfterSeconds} s`) +
    (known === undefined ? "" : `. Hint: ${known.hint}`);
  const asked = [error, suberror].find((name) => INTERACTION_ERRORS.includes(name));
  if (asked !== undefined || INTERACTION_SUBERRORS.includes(suberror)) {
    const interaction = (asked ?? "interaction_required") as InteractionRequiredErrorCode;
    return new InteractionRequiredAuthError(interaction, message, details, correlationId);
  }
  const plain = error === "invalid_response" ? "invalid_response" : "server_error";
  return new ServerError(throttled ? "throttled" : plain, message, details, correlationId);
}
