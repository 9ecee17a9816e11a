/**
 * Proves who a client is by an assertion that somebody else signed.
 *
 * @module
 */

import { decodeJsonPart } from "../jwt/compact.ts";
import { assertionForm, type CredentialMethod } from "./applied_credential.ts";
import type { AssertionOptions } from "./certificate_method.ts";
import type { ClientAssertionCredential } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";
import { credentialFailed, provide } from "./provider.ts";

/** Longer assertions are nobody's. */
const MAX_CHARS = 16_384;

/**
 * Refuses what is no JWT.
 *
 * @param assertion What may be one. Files end with a line break, which is taken off.
 * @returns The assertion.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function requireAssertion(assertion: unknown): string {
  const text = typeof assertion === "string" && assertion.length <= MAX_CHARS ? assertion.trim() : "";
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)
    ? text
    : failCredential(`the assertion must be a JWT of at most ${MAX_CHARS} characters`);
}

/**
 * When an assertion ends.
 *
 * @param assertion What {@linkcode requireAssertion} gave.
 * @returns The time in milliseconds since the epoch; `undefined` where it does not say.
 */
export function endOf(assertion: string): number | undefined {
  const { exp } = decodeJsonPart(assertion.split(".")[1]!) ?? {};
  return typeof exp === "number" ? exp * 1000 : undefined;
}

/**
 * Checks an assertion; a function is not called yet.
 *
 * @param credential The credential.
 * @param options What assertions need of the application.
 * @returns The method.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function assertionMethod(
  { clientAssertion }: ClientAssertionCredential,
  { now }: AssertionOptions,
): CredentialMethod {
  const renews = typeof clientAssertion === "function";
  if (!renews) requireAssertion(clientAssertion);
  return {
    renews,
    apply: async (context) => {
      const assertion = requireAssertion(await provide(clientAssertion, context));
      // Entra would answer with AADSTS700024, which is no better an explanation.
      if ((endOf(assertion) ?? Infinity) <= now()) {
        throw credentialFailed("gave an assertion that has expired", context.correlationId);
      }
      return assertionForm(assertion);
    },
  };
}
