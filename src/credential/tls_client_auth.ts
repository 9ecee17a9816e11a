/**
 * Proves who a client is by the certificate of its TLS connection, RFC 8705 section 2.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { FetchFunction } from "../runtime/web_types.ts";
import type { CredentialMethod } from "./applied_credential.ts";

/**
 * Reads a credential that is no secret and no key.
 *
 * @param method How the application says that it is known.
 * @returns The method: nothing is added to a request. `undefined` for anything else.
 */
export function tlsMethod(method: unknown): CredentialMethod | undefined {
  if (method !== "tls_client_auth" && method !== "self_signed_tls_client_auth") return undefined;
  return { usesTls: true, apply: () => Promise.resolve({ form: {}, headers: {}, secrets: [] }) };
}

/**
 * Checks that there is a connection to be known by, and somebody who knows it.
 *
 * @param isGeneric Whether the authority is an `oidcAuthority`.
 * @param fetch The `fetch` option.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function requireTls(isGeneric: boolean, fetch: FetchFunction | undefined): void {
  if (!isGeneric) {
    const why = "Microsoft takes a certificate as { privateKey, publicCertificate }";
    refuse("invalid_client_credential", "clientCredential", why);
  }
  if (fetch === undefined) {
    refuse("invalid_client_credential", "fetch", "it must be one that presents the certificate");
  }
}
