/**
 * The MAC of a PFX file, which shows that the passphrase is right and the file is whole.
 *
 * @module
 */

import { type CryptoEngine, type MacData, PBES2Params } from "pkijs";
import { fail } from "./pfx_bytes.ts";
import { hmacHashOf, keyDerivationOf, type Rounds } from "./protection.ts";

/** PBMAC1, RFC 9579. */
const PBMAC1 = "1.2.840.113549.1.5.14";

/** The hashes of the older MAC, RFC 7292 appendix B, as Web Crypto has them. */
const HASHES: Readonly<Record<string, string>> = {
  "1.3.14.3.2.26": "SHA-1",
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

/** How much longer a round takes where it is JavaScript's and not Web Crypto's. */
const SCRIPTED = 5;

/**
 * Checks a MAC.
 *
 * @param macData What the file says.
 * @param content What it is made of.
 * @param password The passphrase as UTF-8.
 * @param engine Does what Web Crypto lacks.
 * @param rounds Takes what the key costs.
 * @returns Whether it is right.
 * @throws {ClientConfigurationError} `invalid_client_credential` for a MAC that cannot be computed.
 */
export async function macHolds(
  macData: MacData,
  content: ArrayBuffer,
  password: ArrayBuffer,
  engine: CryptoEngine,
  rounds: Rounds,
): Promise<boolean> {
  const { mac, macSalt, iterations = 1 } = macData;
  const { algorithmId } = mac.digestAlgorithm;
  if (algorithmId === PBMAC1) return await pbmac1Holds(macData, content, password, rounds);
  const hashAlgorithm = Object.hasOwn(HASHES, algorithmId) ? HASHES[algorithmId]! : failAsUnknown();
  rounds.spend(iterations, SCRIPTED);
  return await engine.verifyDataStampedWithPassword({
    password,
    hashAlgorithm,
    salt: macSalt.valueBlock.valueHexView.slice().buffer,
    iterationCount: iterations,
    contentToVerify: content,
    signatureToVerify: mac.digest.valueBlock.valueHexView.slice().buffer,
  });
}

async function pbmac1Holds(
  { mac }: MacData,
  content: ArrayBuffer,
  password: ArrayBuffer,
  rounds: Rounds,
): Promise<boolean> {
  // Its parameters are of the same shape: a key derivation, and what the key is for.
  const parameters = new PBES2Params({ schema: mac.digestAlgorithm.algorithmParams });
  const derivation = keyDerivationOf(parameters.keyDerivationFunc) ?? failAsUnknown();
  const { hash, salt, iterations, keyLength } = derivation;
  const macHash = hmacHashOf(parameters.encryptionScheme.algorithmId) ?? failAsUnknown();
  // RFC 9579 section 5 wants the length, and 20 bytes at least.
  if (keyLength === undefined || keyLength < 20 || keyLength > 512) return failAsUnknown();
  rounds.spend(iterations);
  const { subtle } = crypto;
  const base = await subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const bits = await subtle.deriveBits({ name: "PBKDF2", hash, salt, iterations }, base, keyLength * 8);
  const key = await subtle.importKey("raw", bits, { name: "HMAC", hash: macHash }, false, ["verify"]);
  return await subtle.verify("HMAC", key, mac.digest.valueBlock.valueHexView.slice(), content);
}

function failAsUnknown(): never {
  fail("its MAC is of an unknown kind: export it again with `openssl pkcs12 -export -macalg sha256`");
}
