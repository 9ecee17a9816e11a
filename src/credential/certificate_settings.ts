/**
 * A certificate or a signer, as far as it can be checked before the first request.
 *
 * @module
 */

import { type Certificate, readCertificate, readThumbprint, type Thumbprints } from "./certificate.ts";
import type { AssertionAlgorithm, CertificateCredential, SignerCredential } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";
import { ALGORITHMS } from "./jwk_key.ts";
import { type PemBlock, readPem } from "./pem.ts";
import { type KeySource, readPrivateKey } from "./private_key.ts";
import { FOREIGN, signerKey } from "./signer_key.ts";

/** Either shape. */
type Given = Partial<CertificateCredential & SignerCredential>;

/** What was checked. */
export interface CertificateSettings {
  /** The key, or a function that opens it. */
  readonly key: KeySource;
  /** The certificate, if it is known. */
  readonly certificate: Certificate | undefined;
  /** The thumbprints that were given. */
  readonly named: Thumbprints;
  /** The algorithm that was asked for. */
  readonly algorithm: AssertionAlgorithm | undefined;
  /** The key id that was given. */
  readonly keyId: string | undefined;
  /** Whether the chain is sent, if that was said. */
  readonly sendX5c: boolean | undefined;
}

function certificateOf(given: unknown, key: readonly PemBlock[] = []): Certificate | undefined {
  if (!given) return readCertificate(key.filter(({ label }) => label !== ""));
  return readCertificate(readPem(given, "publicCertificate")) ??
    failCredential("publicCertificate holds no certificate: give the text with BEGIN CERTIFICATE");
}

function keyOf(
  { privateKey, sign, passphrase }: Given,
  blocks: readonly PemBlock[] | undefined,
  certificate: Certificate | undefined,
): KeySource {
  if (sign !== undefined) return signerKey(sign, certificate);
  return readPrivateKey(blocks, Object(privateKey), passphrase || undefined);
}

/** Refuses what does not go together, as far as that can be told without opening the key. */
function requireAgreement({ key, certificate, algorithm, sendX5c }: CertificateSettings): void {
  const possible = typeof key === "function" ? Object.values(ALGORITHMS).flat() : key.algorithms;
  if (algorithm !== undefined && !possible.includes(algorithm)) {
    failCredential(`algorithm must be one that its key is for: ${possible}`);
  }
  if (sendX5c && certificate === undefined) failCredential("sendX5c takes publicCertificate");
  const { n, x } = certificate?.publicKey ?? {};
  if (typeof key === "function" || key.publicNumber === undefined || certificate === undefined) return;
  if (key.publicNumber !== (n ?? x)) failCredential(FOREIGN);
}

/**
 * Checks a certificate or a signer. Members that are empty texts are absent: they come of environment variables that are not set.
 *
 * @param given The credential.
 * @returns What was checked.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readSettings(given: Given): CertificateSettings {
  const { privateKey, algorithm, keyId, sendX5c } = given;
  const blocks = typeof privateKey === "string" ? readPem(privateKey, "privateKey") : undefined;
  const certificate = certificateOf(given.publicCertificate, blocks);
  const settings = {
    key: keyOf(given, blocks, certificate),
    certificate,
    named: {
      x5t: readThumbprint(given.thumbprint, "thumbprint", 20),
      x5tS256: readThumbprint(given.thumbprintSha256, "thumbprintSha256", 32),
    },
    algorithm,
    keyId: keyId || undefined,
    sendX5c,
  };
  requireAgreement(settings);
  return settings;
}
