/**
 * How the parts of a PFX file are encrypted, checked before anything is computed.
 *
 * @module
 */

import { type AlgorithmIdentifier, PBES2Params, PBKDF2Params } from "pkijs";
import { fail } from "./pfx_bytes.ts";

/** PBES2, RFC 8018 section 6.2. */
const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";

/** AES-CBC with keys of 128, 192 and 256 bits. */
const AES_CBC = /^2\.16\.840\.1\.101\.3\.4\.1\.(?:2|22|42)$/;

/** HMAC with SHA-1, SHA-256, SHA-384 and SHA-512, RFC 8018 appendix B.1. */
const HMAC_HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "SHA-1",
  "1.2.840.113549.2.9": "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
};

/**
 * How a legacy file becomes one that opens here; OpenSSL 3 asks for both passphrases. A pipe would not do: it reads its input once for the
 * key and once more for the certificates.
 */
const CONVERT =
  "openssl pkcs12 -legacy -in old.pfx -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.pfx && rm all.pem";

/** How many rounds all keys of one file may take: about a second. OpenSSL and Windows take some thousand in all. */
const MAX_ROUNDS = 1_000_000;

/** Counts the rounds of key derivation, so that a file cannot keep the processor busy. */
export class Rounds {
  #spent = 0;

  /**
   * Adds what one key takes.
   *
   * @param rounds The iteration count that the file names.
   * @param weight How much a round counts.
   * @throws {ClientConfigurationError} `invalid_client_credential` where it is none, or the file's sum is too large.
   */
  spend(rounds: number, weight: number = 1): void {
    this.#spent += rounds * weight;
    // A count of four bytes or more is read as none.
    if (!(rounds > 0) || this.#spent > MAX_ROUNDS) {
      fail("its iteration count is too high, or 0: export it again with another one, such as 2048");
    }
  }
}

/** How a key comes out of the passphrase, RFC 8018 section 5.2. */
export interface KeyDerivation {
  /** The hash of the pseudorandom function. */
  readonly hash: string;
  /** The salt. */
  readonly salt: Uint8Array<ArrayBuffer>;
  /** How many rounds. */
  readonly iterations: number;
  /** How many bytes the key has, where the file says so. */
  readonly keyLength: number | undefined;
}

/**
 * Reads the parameters of PBKDF2.
 *
 * @param algorithm What the file names as its key derivation.
 * @returns The parameters; `undefined` where it is another derivation.
 */
export function keyDerivationOf(algorithm: AlgorithmIdentifier): KeyDerivation | undefined {
  if (algorithm.algorithmId !== PBKDF2) return undefined;
  const { salt, iterationCount, keyLength, prf } = new PBKDF2Params({ schema: algorithm.algorithmParams });
  const hash = hmacHashOf(prf?.algorithmId ?? "1.2.840.113549.2.7");
  // A salt that another key source names is no octet string.
  const bytes = (salt as { readonly valueBlock?: { readonly valueHexView?: Uint8Array } }).valueBlock
    ?.valueHexView;
  if (hash === undefined || !bytes) return undefined;
  return { hash, salt: bytes.slice(), iterations: iterationCount, keyLength };
}

/**
 * Finds the hash of an HMAC.
 *
 * @param algorithmId The object identifier.
 * @returns Its name in Web Crypto; `undefined` for what it does not have.
 */
export function hmacHashOf(algorithmId: string): string | undefined {
  return Object.hasOwn(HMAC_HASHES, algorithmId) ? HMAC_HASHES[algorithmId] : undefined;
}

/**
 * Sees to it that a part can be decrypted by Web Crypto, and at what cost.
 *
 * @param algorithm How the part is encrypted.
 * @param rounds Takes what its key costs.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function requireModern(algorithm: AlgorithmIdentifier, rounds: Rounds): void {
  if (algorithm.algorithmId !== PBES2) failAsLegacy();
  const { keyDerivationFunc, encryptionScheme } = new PBES2Params({ schema: algorithm.algorithmParams });
  const derivation = keyDerivationOf(keyDerivationFunc);
  if (!derivation || !AES_CBC.test(encryptionScheme.algorithmId)) failAsLegacy();
  rounds.spend(derivation.iterations);
}

function failAsLegacy(): never {
  fail(
    `it is encrypted with 3DES, RC2 or another cipher that Web Crypto does not have. Convert it: ${CONVERT}`,
  );
}
