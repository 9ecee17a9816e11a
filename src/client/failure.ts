/**
 * Makes sure that only errors of the library reach a caller.
 *
 * @module
 */

import { type AuthError, isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, nameOf } from "../errors/errors.ts";

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
    `Cannot get a token: the library met ${nameOf(error)}`,
  );
}
