/**
 * Turns an authority's error answer into an error for a person, RFC 6749 section 5.2.
 *
 * @module
 */

import { type AadstsInfo, describeAadsts } from "../errors/aadsts.ts";
import type { InteractionRequiredErrorCode } from "../errors/error_codes.ts";
import {
  InteractionRequiredAuthError,
  ServerError,
  type ServerErrorDetails,
} from "../errors/server_error.ts";
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
  /** Why the body is no use, where it is none. */
  readonly unusable?: string | undefined;
}

/** What is known of the call. */
export interface ErrorContext {
  /** The authority's host. */
  readonly host: string;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** For how long the authority wants to be left alone. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether nothing was sent. */
  readonly throttledLocally: boolean;
}

const INTERACTION_ERRORS = ["interaction_required", "login_required", "consent_required", "bad_token"];
const INTERACTION_SUBERRORS = [
  "basic_action",
  "additional_action",
  "message_only",
  "user_password_expired",
  "consent_required",
  "bad_token",
];
const RETRYABLE_ERRORS = ["temporarily_unavailable", "server_error"];

/** A short text of the authority's, if it is what such a text looks like. */
function label(value: unknown, pattern: RegExp): string | undefined {
  return typeof value === "string" && pattern.test(value) ? value : undefined;
}

/** Entra lists its codes; where it does not, the description begins with one. */
function aadstsNumbers(json: Readonly<Record<string, unknown>>): number[] {
  const listed = Array.isArray(json.error_codes) ? json.error_codes.slice(0, 10) : [];
  const numbers = listed.filter((code): code is number => Number.isSafeInteger(code));
  const described = /^AADSTS(\d{4,9})\b/.exec(
    typeof json.error_description === "string" ? json.error_description : "",
  );
  return numbers.length > 0 || described === null ? numbers : [Number(described[1])];
}

/**
 * Reads an error answer.
 *
 * @param status The HTTP status.
 * @param body The body, where it is a JSON object.
 * @param unusable Why there is no JSON object.
 * @param secrets What was sent and must not come back in a text.
 * @returns What may be kept of it.
 */
export function readErrorAnswer(
  status: number,
  body: Readonly<Record<string, unknown>> | undefined,
  unusable: string | undefined,
  secrets: readonly string[],
): ErrorAnswer {
  const json = body ?? {};
  const clean = (value: unknown): unknown => typeof value === "string" ? redactText(value, secrets) : value;
  const description = clean(json.error_description);
  return {
    status,
    error: label(clean(json.error), /^[\w.-]{1,64}$/) ??
      (status >= 400 ? "server_error" : "invalid_response"),
    errorCodes: aadstsNumbers(json),
    suberror: label(clean(json.suberror), /^[\w.-]{1,64}$/),
    traceId: label(clean(json.trace_id), /^[\w-]{1,64}$/),
    timestamp: label(clean(json.timestamp), /^[\d :TZ.+-]{1,40}$/),
    claims: typeof json.claims === "string" ? json.claims.slice(0, 8192) : undefined,
    errorDescription: typeof description === "string" ? description : undefined,
    unusable,
  };
}

/** R-178: `error` and `suberror` decide whether the user must act; AADSTS numbers do not. */
function interactionCode(answer: ErrorAnswer): InteractionRequiredErrorCode | undefined {
  const { error, suberror = "" } = answer;
  if (!INTERACTION_ERRORS.includes(error) && !INTERACTION_SUBERRORS.includes(suberror)) return undefined;
  const code = [error, suberror].find((name) => INTERACTION_ERRORS.includes(name));
  return (code ?? "interaction_required") as InteractionRequiredErrorCode;
}

function messageOf(answer: ErrorAnswer, context: ErrorContext, known: AadstsInfo | undefined): string {
  const code = answer.errorCodes[0] === undefined ? "" : ` (AADSTS${answer.errorCodes[0]})`;
  const what = answer.unusable === undefined
    ? `${context.host} answered ${answer.error}${code} with status ${answer.status}`
    : `${context.host} answered with status ${answer.status}, and ${answer.unusable}`;
  const local = context.throttledLocally
    ? "; nothing was sent, this is its last answer to the same request"
    : "";
  const wait = context.retryAfterSeconds === undefined ? "" : `. Try again in ${context.retryAfterSeconds} s`;
  return `Cannot get a token: ${what}${local}${wait}${known === undefined ? "" : `. Hint: ${known.hint}`}`;
}

/**
 * Makes the error.
 *
 * @param answer The answer.
 * @param context The call.
 * @returns The error to throw.
 */
export function toServerError(
  answer: ErrorAnswer,
  context: ErrorContext,
): InteractionRequiredAuthError | ServerError {
  const { unusable: _unusable, claims, ...kept } = answer;
  const known = describeAadsts(answer.errorCodes);
  // A refusal (400) that is recalled is still a refusal; anything else that is recalled is a time to wait.
  const throttled = answer.status === 429 || (context.throttledLocally && answer.status !== 400);
  const details: ServerErrorDetails = {
    ...kept,
    retryAfterSeconds: context.retryAfterSeconds,
    retryable: throttled || answer.status >= 500 || RETRYABLE_ERRORS.includes(answer.error),
    throttledLocally: context.throttledLocally,
    classification: known?.classification,
    hint: known?.hint,
  };
  const message = messageOf(answer, context, known);
  const interaction = interactionCode(answer);
  if (interaction !== undefined) {
    return new InteractionRequiredAuthError(
      interaction,
      message,
      { ...details, claims },
      context.correlationId,
    );
  }
  const code = answer.status < 400 && answer.error === "invalid_response"
    ? "invalid_response"
    : "server_error";
  return new ServerError(throttled ? "throttled" : code, message, details, context.correlationId);
}
