/**
 * Errors that an authority answered with.
 *
 * @module
 */

import { AuthError } from "./auth_error.ts";
import type { AadstsClass } from "./aadsts_common.ts";
import type { InteractionRequiredErrorCode, ServerErrorCode } from "./error_codes.ts";

/** What is kept of an authority's error answer. */
export interface ServerErrorDetails {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth `error`, such as `invalid_client`; RFC 6749 section 5.2. */
  readonly error: string;
  /** The numbers of Entra's AADSTS codes, such as `7000215`; empty where there are none. */
  readonly errorCodes: readonly number[];
  /** Entra's `suberror`. */
  readonly suberror?: string | undefined;
  /** Entra's `trace_id`, for a support request. */
  readonly traceId?: string | undefined;
  /** Entra's `timestamp`, in UTC, as it was sent. */
  readonly timestamp?: string | undefined;
  /** For how many seconds the authority asked to be left alone. */
  readonly retryAfterSeconds?: number | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** `true` where the answer came from the HTTP cache and nothing was sent. */
  readonly throttledLocally: boolean;
  /** The class of the first known AADSTS code. It chooses hints only: codes may change. */
  readonly classification?: AadstsClass | undefined;
  /** What usually helps, for the first known AADSTS code. */
  readonly hint?: string | undefined;
  /**
   * The first line of `error_description`, at most 500 characters, secrets removed. It may name users and
   * tenants: it is not enumerable, stays out of messages and `toJSON()`, and is not for pages shown to users.
   */
  readonly errorDescription?: string | undefined;
}

function adopt(target: object, details: ServerErrorDetails & { readonly claims?: string | undefined }): void {
  const { errorDescription, claims, ...enumerable } = details;
  Object.assign(target, enumerable);
  // Not enumerable: the texts may hold a user's name.
  Object.defineProperties(target, {
    errorDescription: { value: errorDescription },
    claims: { value: claims },
  });
}

/** The authority refused the request, throttled it, or answered with something that is no token. */
export class ServerError extends AuthError<ServerErrorCode> implements ServerErrorDetails {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "ServerError";
  declare readonly status: number;
  declare readonly error: string;
  declare readonly errorCodes: readonly number[];
  declare readonly suberror?: string | undefined;
  declare readonly traceId?: string | undefined;
  declare readonly timestamp?: string | undefined;
  declare readonly retryAfterSeconds?: number | undefined;
  declare readonly retryable: boolean;
  declare readonly throttledLocally: boolean;
  declare readonly classification?: AadstsClass | undefined;
  declare readonly hint?: string | undefined;
  declare readonly errorDescription?: string | undefined;

  /**
   * Makes an error from an answer.
   *
   * @param code The stable code.
   * @param message What the authority answered and what usually helps.
   * @param details What is kept of the answer.
   * @param correlationId The id of the call.
   */
  constructor(code: ServerErrorCode, message: string, details: ServerErrorDetails, correlationId?: string) {
    super(code, message, correlationId);
    adopt(this, details);
  }
}

/** The user must act: sign in again, consent, or pass multi-factor authentication with {@linkcode InteractionRequiredAuthError.claims}. */
export class InteractionRequiredAuthError extends AuthError<InteractionRequiredErrorCode>
  implements ServerErrorDetails {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "InteractionRequiredAuthError";
  declare readonly status: number;
  declare readonly error: string;
  declare readonly errorCodes: readonly number[];
  declare readonly suberror?: string | undefined;
  declare readonly traceId?: string | undefined;
  declare readonly timestamp?: string | undefined;
  declare readonly retryAfterSeconds?: number | undefined;
  declare readonly retryable: boolean;
  declare readonly throttledLocally: boolean;
  declare readonly classification?: AadstsClass | undefined;
  declare readonly hint?: string | undefined;
  declare readonly errorDescription?: string | undefined;
  /** The claims challenge to pass to the next interactive request, verbatim; not enumerable. */
  declare readonly claims?: string | undefined;

  /**
   * Makes an error from an answer.
   *
   * @param code The stable code.
   * @param message What the authority answered and what usually helps.
   * @param details What is kept of the answer, with the claims challenge if there is one.
   * @param correlationId The id of the call.
   */
  constructor(
    code: InteractionRequiredErrorCode,
    message: string,
    details: ServerErrorDetails & { readonly claims?: string | undefined },
    correlationId?: string,
  ) {
    super(code, message, correlationId);
    adopt(this, details);
  }
}
