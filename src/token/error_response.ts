/**
 * Turns an authority's error answer into an error for a person, RFC 6749 section 5.2.
 *
 * @module
 */

import { COMMON_CODES, findAadsts } from "../errors/aadsts_common.ts";
import type { InteractionRequiredErrorCode } from "../errors/error_codes.ts";
import { InteractionRequiredAuthError, ServerError } from "../errors/server_error.ts";
import { LABEL, type RefusedAnswer } from "../net/http_cache.ts";
import { redactText } from "../net/redact.ts";

/** An error answer, reduced to what may be kept. */
export interface ErrorAnswer extends RefusedAnswer {
  /** The claims challenge. */
  readonly claims?: string | undefined;
  /** Entra's `trace_id`. */
  readonly traceId?: string | undefined;
  /** Entra's `timestamp`. */
  readonly timestamp?: string | undefined;
  /** The first line of `error_description`, secrets removed. */
  readonly errorDescription?: string | undefined;
}

const INTERACTION_ERRORS = ["interaction_required", "login_required", "consent_required", "bad_token"];
const INTERACTION_SUBERRORS = ["basic_action", "additional_action", "message_only", "user_password_expired"];
const RETRYABLE = ["temporarily_unavailable", "server_error", "invalid_response"];

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
  secrets: readonly unknown[],
): ErrorAnswer {
  const json = typeof body === "string" ? {} : body;
  const text = (name: string, pattern: RegExp): string | undefined => {
    const value = json[name];
    const clean = typeof value === "string" ? redactText(value, secrets) : "";
    return pattern.test(clean) ? clean : undefined;
  };
  const errorDescription = text("error_description", /./);
  const description = errorDescription ?? "";
  const { error_codes: listed, claims } = json;
  return {
    status,
    error: text("error", LABEL) ??
      (status < 400 ? "invalid_response" : status < 500 ? "unknown_error" : "server_error"),
    // Entra lists its codes; where it does not, the description begins with one.
    errorCodes:
      (Array.isArray(listed) ? listed.slice(0, 10) : [Number(/^AADSTS(\d{4,9})\b/.exec(description)?.[1])])
        .filter(Number.isSafeInteger),
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
 * @param host The authority's host.
 * @param correlationId The call's correlation id.
 * @param retryAfterSeconds For how long the authority wants to be left alone.
 * @param fault Why the answer is no use, empty for a refusal; `undefined` for one that was recalled, nothing being sent.
 * @param isRefresh Whether a refresh token was redeemed: `invalid_grant` then means that the user must sign in.
 * @returns The error to throw.
 */
export function toServerError(
  answer: ErrorAnswer,
  host: string,
  correlationId: string,
  retryAfterSeconds: number | undefined,
  fault?: string,
  isRefresh?: boolean,
): InteractionRequiredAuthError | ServerError {
  const { status, error, suberror = "", errorCodes } = answer;
  const throttledLocally = fault === undefined;
  const known = findAadsts(errorCodes, COMMON_CODES);
  // A refusal (400) that is recalled is still a refusal; anything else that is recalled is a time to wait.
  const throttled = status === 429 || (throttledLocally && status !== 400);
  const retryable = throttled || status >= 500 || RETRYABLE.includes(error);
  const details = { ...answer, retryAfterSeconds, retryable, throttledLocally, ...known };
  const code = errorCodes.length > 0 ? ` (AADSTS${errorCodes[0]})` : "";
  const message = `Cannot get a token: ${host} answered ${error}${code}` +
    // An answer that came by the browser has none.
    (status === 0 ? "" : ` with status ${status}`) +
    (fault ? `: ${fault}` : "") +
    (throttledLocally ? " (its last answer, nothing was sent)" : "") +
    (retryAfterSeconds === undefined ? "" : `; try again in ${retryAfterSeconds} s`) +
    (known === undefined ? "" : `. Hint: ${known.hint}`);
  const asked = [error, suberror].find((name) => INTERACTION_ERRORS.includes(name));
  if (
    asked !== undefined || INTERACTION_SUBERRORS.includes(suberror) ||
    (isRefresh && error === "invalid_grant")
  ) {
    const interaction = (asked ?? "interaction_required") as InteractionRequiredErrorCode;
    return new InteractionRequiredAuthError(interaction, message, details, correlationId);
  }
  const plain = error === "invalid_response" ? "invalid_response" : "server_error";
  return new ServerError(throttled ? "throttled" : plain, message, details, correlationId);
}
