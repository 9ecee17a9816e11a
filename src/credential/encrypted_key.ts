/**
 * Opens an encrypted key: PKCS#8 with PBES2, RFC 8018 section 6.2.
 *
 * @module
 */

import { CONVERT, failCredential } from "./credential_fault.ts";
import { type DerElement, elementsOf, hexOf, OCTETS, readDer } from "./der.ts";

/** More would keep an isolate busy for seconds. */
const MAX_ITERATIONS = 10_000_000;
const PBES2 = "2a864886f70d01050d";
const PBKDF2 = "2a864886f70d01050c";
const HASHES: Readonly<Record<string, string>> = { 7: "SHA-1", 9: "SHA-256", a: "SHA-384", b: "SHA-512" };
const KEY_BITS: Readonly<Record<string, number>> = { "02": 128, "16": 192, "2a": 256 };

/** The AES of an object identifier, and the hash of another. */
function aesBits(scheme: DerElement | undefined): number | undefined {
  const [, last = ""] = /^6086480165030401(..)$/.exec(hexOf(scheme)) ?? [];
  return KEY_BITS[last];
}

function hashOf(prf: DerElement | undefined): string | undefined {
  // SHA-1 is what it means where it is left out.
  if (prf === undefined) return HASHES[7];
  const [, last = ""] = /^2a864886f70d020(.)$/.exec(hexOf(elementsOf(prf)[0])) ?? [];
  return HASHES[last];
}

/** What a key was encrypted with. */
interface Encryption {
  readonly hash: string;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly iterations: number;
  readonly length: number;
  readonly iv: Uint8Array<ArrayBuffer>;
}

function encryptionOf(algorithm: DerElement | undefined): Encryption {
  const [scheme, parameters] = elementsOf(algorithm);
  const [derivation, cipher] = elementsOf(parameters).map(elementsOf);
  const [salt, count, ...rest] = elementsOf(derivation?.[1]);
  const hash = hashOf(rest.find(({ tag }) => tag === 0x30));
  const length = aesBits(cipher?.[0]);
  const iv = cipher?.[1];
  const iterations = parseInt(hexOf(count), 16);
  const known = hexOf(scheme) === PBES2 && hexOf(derivation?.[0]) === PBKDF2 && salt?.tag === OCTETS;
  if (!known || hash === undefined || length === undefined || iv === undefined) {
    failCredential(`privateKey is not encrypted by PBKDF2 and AES-CBC: ${CONVERT}`);
  }
  if (!(iterations > 0 && iterations <= MAX_ITERATIONS)) {
    failCredential(`privateKey takes more than ${MAX_ITERATIONS} iterations: ${CONVERT}`);
  }
  return { hash, salt: salt.value, iterations, length, iv: iv.value };
}

/**
 * Checks what a key is encrypted with.
 *
 * @param parts The two parts of `EncryptedPrivateKeyInfo`.
 * @param passphrase What it is opened with.
 * @returns A function that opens it, and gives PKCS#8.
 * @throws {ClientConfigurationError} `invalid_client_credential`; the function, too.
 */
export function encryptedKey(
  [algorithm, encrypted]: readonly DerElement[],
  passphrase: string | undefined,
): () => Promise<Uint8Array<ArrayBuffer>> {
  const { length, iv, ...derivation } = encryptionOf(algorithm);
  const text = passphrase ?? failCredential("passphrase is missing: privateKey is encrypted");
  return async () => {
    const { subtle } = crypto;
    const aes = { name: "AES-CBC", length, iv };
    let key: CryptoKey;
    try {
      const bytes = new TextEncoder().encode(text);
      const base = await subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveKey"]);
      key = await subtle.deriveKey({ name: "PBKDF2", ...derivation }, base, aes, false, ["decrypt"]);
    } catch {
      // workerd takes 100 000 iterations at most.
      failCredential(`this runtime cannot derive the key of privateKey: ${CONVERT}`);
    }
    try {
      const opened = new Uint8Array(await subtle.decrypt(aes, key, encrypted!.value));
      // One wrong passphrase in 256 gives well-formed padding.
      if (readDer(opened).length === 1) return opened;
    } catch {
      // As below.
    }
    failCredential("passphrase is wrong for privateKey");
  };
}
