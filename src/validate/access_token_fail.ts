/**
 * How an access token is refused.
 *
 * @module
 */

import type { AccessTokenErrorCode } from "../errors/access_token_codes.ts";
import { AccessTokenError, type AccessTokenErrorDetails } from "../errors/access_token_error.ts";

/** Refuses an access token that is not valid. */
export type AccessTokenFail = (code: AccessTokenErrorCode) => never;

const INVALID: AccessTokenErrorDetails = { status: 401, error: "invalid_token" };

/**
 * Refuses a request.
 *
 * @param code The stable code; the message is the code in words, and holds nothing of the token.
 * @param details The challenge.
 * @param correlationId The id of the call.
 * @throws {AccessTokenError} always.
 */
export function refuseToken(
  code: AccessTokenErrorCode,
  details: AccessTokenErrorDetails,
  correlationId: string | undefined,
): never {
  const why = `Cannot let the request in: ${code.replaceAll("_", " ")}`;
  throw new AccessTokenError(code, why, details, correlationId);
}

/**
 * Makes the function that refuses a token which is not valid.
 *
 * @param correlationId The id of the call.
 * @returns The function.
 */
export function accessTokenFail(correlationId: string): AccessTokenFail {
  return (code) => refuseToken(code, INVALID, correlationId);
}
