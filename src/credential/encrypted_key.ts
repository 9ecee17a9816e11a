/**
 * Opens an encrypted key: PKCS#8 with PBES2, RFC 8018 section 6.2.
 *
 * @module
 */

import { CONVERT, failCredential } from "./credential_fault.ts";
import { type DerElement, elementsOf, hexOf, OCTETS, readDer, SEQUENCE } from "./der.ts";

/** More would keep an isolate busy for seconds. */
const MAX_ITERATIONS = 10_000_000;
const PBES2_PBKDF2 = "2a864886f70d01050d2a864886f70d01050c";
const HASHES: Readonly<Record<string, string>> = {
  "07": "SHA-1",
  "09": "SHA-256",
  "0a": "SHA-384",
  "0b": "SHA-512",
};
const KEY_BITS: Readonly<Record<string, number>> = { "02": 128, "16": 192, "2a": 256 };

function unreadable(): never {
  failCredential(`privateKey is not encrypted by PBKDF2 and AES-CBC as this runtime takes it: ${CONVERT}`);
}

/** The last byte of an object identifier, of which all the others are known. */
function lastByte(element: DerElement | undefined, start: string): string {
  const hex = hexOf(element);
  return hex.startsWith(start) ? hex.slice(start.length) : "";
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
  const [prf] = elementsOf(rest.find(({ tag }) => tag === SEQUENCE));
  // SHA-1 is what it means where it is left out.
  const hash = HASHES[prf === undefined ? "07" : lastByte(prf, "2a864886f70d02")];
  const length = KEY_BITS[lastByte(cipher?.[0], "6086480165030401")];
  const iv = cipher?.[1]?.value;
  const iterations = parseInt(hexOf(count), 16);
  const named = hexOf(scheme) + hexOf(derivation?.[0]) === PBES2_PBKDF2 && salt?.tag === OCTETS;
  if (!named || !hash || !length || !iv || !(iterations > 0 && iterations <= MAX_ITERATIONS)) unreadable();
  return { hash, salt: salt.value, iterations, length, iv };
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
      unreadable();
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
