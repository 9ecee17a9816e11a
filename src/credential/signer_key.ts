/**
 * Signs with a key that the application has elsewhere, and checks what comes back.
 *
 * @module
 */

import { ClientAuthError, nameOf } from "../errors/errors.ts";
import { SignatureVerifier } from "../jwt/signature.ts";
import type { Certificate } from "./certificate.ts";
import type { AssertionAlgorithm, AssertionSigner } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";
import { ALGORITHMS } from "./jwk_key.ts";
import type { AssertionKey } from "./private_key.ts";

/** The kind of a certificate's key. */
function kindOf({ publicKey: { kty, crv } }: Certificate): string {
  return crv ?? kty!;
}

/**
 * Makes a key of the application's function.
 *
 * @param sign The function.
 * @param certificate The certificate of its key, where it is known.
 * @returns The key. What the function throws is not repeated: a vault's message may tell too much.
 */
export function signerKey(sign: AssertionSigner, certificate: Certificate | undefined): AssertionKey {
  if (typeof sign !== "function") failCredential("sign must be a function");
  return {
    algorithms: certificate === undefined
      ? Object.values(ALGORITHMS).flat()
      : ALGORITHMS[kindOf(certificate)]!,
    async sign(data, algorithm, correlationId) {
      try {
        return await sign(data, algorithm);
      } catch (error) {
        const why = `Cannot get a token: sign threw ${nameOf(error)}`;
        throw new ClientAuthError("client_credential_failed", why, correlationId);
      }
    },
  };
}

/** Says whether a signature is of the certificate's key; its import is not worth keeping. */
async function verifies(
  certificate: Certificate,
  algorithm: AssertionAlgorithm,
  signed: string,
  signature: Uint8Array,
): Promise<boolean> {
  const verifier = new SignatureVerifier(algorithm, kindOf(certificate), certificate.publicKey);
  return await verifier.verifies({ signed, signature: String.fromCharCode(...signature) });
}

/**
 * Signs, and checks that it is a signature, and of the certificate's key: the authority would only say that it is wrong.
 *
 * @param key The key.
 * @param algorithm One of its algorithms.
 * @param signed What to sign.
 * @param certificate The key's certificate, where it is known.
 * @param correlationId The call's, for the error.
 * @returns The signature.
 * @throws {ClientConfigurationError} `invalid_client_credential` for what is none.
 * @throws {ClientAuthError} `client_credential_failed` where the application's function throws.
 */
export async function signatureOf(
  key: AssertionKey,
  algorithm: AssertionAlgorithm,
  signed: string,
  certificate: Certificate | undefined,
  correlationId: string,
): Promise<Uint8Array> {
  const result = await key.sign(new TextEncoder().encode(signed), algorithm, correlationId);
  const bytes = result instanceof ArrayBuffer ? new Uint8Array(result) : result;
  const length = bytes instanceof Uint8Array ? bytes.length : 0;
  const whole = algorithm === "ES256" ? length === 64 : length >= 256 && length <= 1024;
  if (!whole) {
    failCredential(`sign gave no ${algorithm} signature: it must return its bytes, as JWS has them`);
  }
  const signature = bytes as Uint8Array;
  if (certificate !== undefined && !await verifies(certificate, algorithm, signed, signature)) {
    failCredential(`${FOREIGN}, or sign does not sign by ${algorithm}`);
  }
  return signature;
}

/** What is said of a certificate of another key. */
export const FOREIGN = "the first certificate of publicCertificate does not belong to privateKey or sign";
