/**
 * Proves who a client is by a secret.
 *
 * @module
 */

import type { AppliedCredential, CredentialMethod } from "./applied_credential.ts";
import type { ClientSecretCredential } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";
import { provide } from "./provider.ts";

const METHODS: readonly unknown[] = [undefined, "client_secret_post", "client_secret_basic"];

/** Refuses what is no secret, and what is meant for another shape. */
function requireSecret(secret: unknown): string {
  const text = typeof secret === "string" ? secret : failCredential("the secret must be a string");
  if (/-----BEGIN /.test(text)) {
    failCredential("the secret is PEM: give { privateKey, publicCertificate }");
  }
  if (/^(?:\s*|undefined|null)$/.test(text)) {
    failCredential("the secret is empty: check where it comes from");
  }
  if (/^\s|\s$/.test(text)) failCredential("the secret begins or ends with white space");
  return text;
}

/**
 * Checks a secret; a function is not called yet.
 *
 * @param credential The credential.
 * @returns The method.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function secretMethod({ clientSecret, method }: ClientSecretCredential): CredentialMethod {
  const at = METHODS.indexOf(method);
  if (at < 0) failCredential("its method must be client_secret_post or client_secret_basic");
  const renews = typeof clientSecret === "function";
  return {
    renews,
    staticSecret: renews ? undefined : requireSecret(clientSecret),
    apply: async (context): Promise<AppliedCredential> => {
      const secret = requireSecret(await provide(clientSecret, context));
      // RFC 6749 section 2.3.1: each part is form-encoded before they are joined.
      const encoded = [context.clientId, secret].map((part) =>
        new URLSearchParams([["", part]]).toString().slice(1)
      );
      const basic = btoa(encoded.join(":"));
      const secrets = [secret, basic];
      return at === 2
        ? { form: {}, headers: { authorization: `Basic ${basic}` }, secrets }
        : { form: { client_secret: secret }, headers: {}, secrets };
    },
  };
}
