/**
 * Calls the application's functions.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, nameOf } from "../errors/errors.ts";
import type { CredentialContext } from "./client_credential.ts";

/** The error of a credential that could not be got. */
export function credentialFailed(why: string, correlationId: string): ClientAuthError {
  return new ClientAuthError(
    "client_credential_failed",
    `Cannot get a token: clientCredential ${why}`,
    correlationId,
  );
}

/**
 * Calls the application's function.
 *
 * @param provider The function, or what it would give.
 * @param context The request.
 * @returns What it gave.
 * @throws {ClientConfigurationError} `invalid_client_credential` as the function threw it: a ready-made one says what to mend.
 * @throws {ClientAuthError} `client_credential_failed` otherwise. What the function threw is not repeated, because a vault's message may
 * hold the secret; the messages of this library's own errors hold none.
 */
export async function provide<T>(
  provider: T | ((context: CredentialContext) => T | Promise<T>),
  context: CredentialContext,
): Promise<T> {
  if (typeof provider !== "function") return provider;
  try {
    return await (provider as (context: CredentialContext) => T | Promise<T>)(context);
  } catch (error) {
    if (isAuthError(error) && error.code === "invalid_client_credential") throw error;
    const why = isAuthError(error) ? `: ${error.message}` : "";
    throw credentialFailed(`threw ${nameOf(error)}${why}`, context.correlationId);
  }
}
