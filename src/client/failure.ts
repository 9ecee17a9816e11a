/**
 * What a failed refresh means for a caller whose token is still good.
 *
 * @module
 */

import { type AuthError, isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, ClientConfigurationError, nameOf } from "../errors/errors.ts";
import { InteractionRequiredAuthError, ServerError } from "../errors/server_error.ts";

/**
 * Makes sure that only errors of the library reach a caller.
 *
 * @param error What was thrown.
 * @returns The same, or an error that stands for it; a foreign message is not repeated, it may hold a secret.
 */
export function toAuthError(error: unknown): AuthError {
  if (isAuthError(error)) return error;
  return new ClientAuthError(
    "unexpected_error",
    `Cannot finish the request: the library met ${nameOf(error)}`,
  );
}

/**
 * Whether a failure says nothing of the caller's right to a token: an outage, not a refusal.
 *
 * @param error The failure.
 */
export function isOutage(error: AuthError): boolean {
  if (error instanceof ServerError) return error.retryable || error.code === "invalid_response";
  if (error instanceof InteractionRequiredAuthError || error instanceof ClientConfigurationError) {
    return false;
  }
  return error.code !== "request_aborted" && error.code !== "issuer_mismatch";
}
