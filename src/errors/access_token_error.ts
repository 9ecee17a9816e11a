/**
 * The error of an API that refuses a request.
 *
 * @module
 */

import type { AccessTokenErrorCode } from "./access_token_codes.ts";
import { AuthError } from "./auth_error.ts";

/** The `error` of a challenge, RFC 6750 section 3.1; `insufficient_claims` is Microsoft's. */
export type BearerError = "invalid_request" | "invalid_token" | "insufficient_scope" | "insufficient_claims";

/** What a challenge says besides. */
export interface AccessTokenErrorDetails {
  /** The `error` of the challenge; absent where no token came at all, RFC 6750 section 3. */
  readonly error?: BearerError | undefined;
  /** The status to answer with. */
  readonly status: 400 | 401 | 403;
  /** The scopes that are needed. */
  readonly scopes?: readonly string[] | undefined;
  /** The claims challenge, JSON text. */
  readonly claims?: string | undefined;
}

/** A request that is not let in. It holds nothing of the token. */
export class AccessTokenError extends AuthError<AccessTokenErrorCode> implements AccessTokenErrorDetails {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "AccessTokenError";
  declare readonly error?: BearerError | undefined;
  declare readonly status: 400 | 401 | 403;
  declare readonly scopes?: readonly string[] | undefined;
  /** The claims challenge to send, JSON text; it is of the API's own making, and no secret. */
  declare readonly claims?: string | undefined;

  /**
   * Makes an error about one request.
   *
   * @param code The stable code.
   * @param message What was refused, without anything of the token.
   * @param details The challenge.
   * @param correlationId The id of the call that keys were asked for with.
   */
  constructor(
    code: AccessTokenErrorCode,
    message: string,
    details: AccessTokenErrorDetails,
    correlationId?: string,
  ) {
    super(code, message, correlationId);
    Object.assign(this, details);
  }
}
