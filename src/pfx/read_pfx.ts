/**
 * Reads a PFX file.
 *
 * @module
 */

import { chooseKey } from "./chain.ts";
import { fail, pfxBytes } from "./pfx_bytes.ts";
import { openSafes } from "./safes.ts";

/** A PFX file's key and certificates; as it is a `clientCredential`. The key is a secret: do not log it. */
export interface PfxContents {
  /** The private key: PKCS#8 as PEM, not encrypted. */
  readonly privateKey: string;
  /** Its certificate as PEM, followed by the issuers that the file holds. */
  readonly publicCertificate: string;
}

/**
 * Reads the key and the certificates of a PFX (PKCS#12) file, RFC 7292: one that is encrypted with AES (PBES2), which is what OpenSSL 3
 * and newer versions of Windows write.
 *
 * @param pfx The file's bytes, or base64 text of them.
 * @param passphrase What it is encrypted with; none, or an empty one, for a file without.
 * @returns The key that has a certificate, and its chain.
 * @throws {ClientConfigurationError} `invalid_client_credential` where the file cannot be used; the message says how to mend it.
 */
export async function readPfx(
  pfx: Uint8Array | ArrayBuffer | string,
  passphrase?: string,
): Promise<PfxContents> {
  return await readBytes(pfxBytes(pfx), checkPassphrase(passphrase));
}

/**
 * Checks a passphrase.
 *
 * @param passphrase The option.
 * @returns The same.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function checkPassphrase(passphrase: string | undefined): string | undefined {
  return passphrase === undefined || typeof passphrase === "string"
    ? passphrase
    : fail("it must be a string", "passphrase");
}

/**
 * Reads a file that has been looked at.
 *
 * @param bytes What `pfxBytes` gave.
 * @param passphrase What it is encrypted with.
 * @returns The key and its chain.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export async function readBytes(
  bytes: Uint8Array<ArrayBuffer>,
  passphrase: string | undefined,
): Promise<PfxContents> {
  const { key, chain } = await openSafes(bytes, passphrase, chooseKey);
  // Attributes such as Windows' key usage are none of the key's, and not every runtime takes them.
  delete key.attributes;
  const pkcs8 = new Uint8Array(key.toSchema().toBER());
  return Object.freeze({
    privateKey: pem("PRIVATE KEY", pkcs8),
    publicCertificate: chain.map((der) => pem("CERTIFICATE", der)).join(""),
  });
}

function pem(label: string, der: Uint8Array): string {
  let binary = "";
  for (const byte of der) binary += String.fromCharCode(byte);
  return `-----BEGIN ${label}-----\n${btoa(binary).replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
