/**
 * Proves who a client is by an assertion that the library makes.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { CredentialMethod } from "./applied_credential.ts";
import type { CertificateCredential, SignerCredential } from "./client_credential.ts";

/** What assertions need of an application. */
export interface AssertionOptions {
  /** Reads the time in milliseconds since the epoch. */
  readonly now: () => number;
  /** Claims of the application's own, added to each assertion. */
  readonly clientClaims?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Checks a certificate or a signer; keys are read at the first request.
 *
 * @param _credential The credential.
 * @param _options What assertions need of the application.
 * @returns The method.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function certificateMethod(
  _credential: CertificateCredential | SignerCredential,
  _options: AssertionOptions,
): CredentialMethod {
  refuse("invalid_client_credential", "clientCredential", "certificates are not built yet");
}
