/**
 * Private keys: PEM, JWK or `CryptoKey`, checked by ourselves, as runtimes import weak keys.
 *
 * @module
 */

import { nameOf } from "../errors/errors.ts";
import { isSoundRsaSize } from "../jwt/key_set.ts";
import { algorithmOf } from "../jwt/signature.ts";
import type { AssertionAlgorithm } from "./client_credential.ts";
import { failCredential, PFX } from "./credential_fault.ts";
import { type DerElement, elementsOf, hexOf, OCTETS, readDer, SEQUENCE } from "./der.ts";
import { encryptedKey } from "./encrypted_key.ts";
import { readJwk, requireSound } from "./jwk_key.ts";
import { privateNumbers } from "./key_der.ts";
import type { PemBlock } from "./pem.ts";

/** What signs assertions. */
export interface AssertionKey {
  /** By which algorithms, the best one first. */
  readonly algorithms: readonly AssertionAlgorithm[];
  /** The id that it has of its own. */
  readonly keyId?: string | undefined;
  /** A number of the public key that no other key has, where it is known. */
  readonly publicNumber?: string | undefined;
  /**
   * Signs.
   *
   * @param data The bytes.
   * @param algorithm One of `algorithms`.
   * @param correlationId The call's, for the error.
   * @returns What should be a signature.
   */
  sign(data: Uint8Array<ArrayBuffer>, algorithm: AssertionAlgorithm, correlationId: string): Promise<unknown>;
}

/** A key, or a function that opens it. */
export type KeySource = AssertionKey | (() => Promise<AssertionKey>);

async function signWith(
  key: () => CryptoKey | Promise<CryptoKey>,
  algorithm: AssertionAlgorithm,
  data: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
  try {
    const kind = algorithm === "ES256" ? "P-256" : "RSA";
    return await crypto.subtle.sign(algorithmOf(algorithm, kind), await key(), data);
  } catch (error) {
    failCredential(`this runtime refuses privateKey: ${nameOf(error)}`);
  }
}

/** Imported once for each algorithm, and so that nobody can export it. */
function jwkKey(given: JsonWebKey): AssertionKey {
  const { kind, algorithms, jwk, keyId } = readJwk(given);
  const imported = new Map<string, Promise<CryptoKey>>();
  const importKey = (algorithm: AssertionAlgorithm): Promise<CryptoKey> => {
    const known = imported.get(algorithm);
    if (known !== undefined) return known;
    const key = crypto.subtle.importKey("jwk", jwk, algorithmOf(algorithm, kind), false, ["sign"]);
    key.catch(() => imported.delete(algorithm));
    imported.set(algorithm, key);
    return key;
  };
  return {
    algorithms,
    keyId,
    publicNumber: jwk.n ?? jwk.x,
    sign: (data, algorithm) => signWith(() => importKey(algorithm), algorithm, data),
  };
}

function derKey(parts: readonly DerElement[]): AssertionKey {
  const numbers = privateNumbers(parts);
  // The version of PKCS#12, which vaults give as base64.
  return jwkKey(
    numbers ?? failCredential(hexOf(parts[0]) === "03" ? PFX : "privateKey must be an RSA or P-256 key"),
  );
}

function partsOf(der: Uint8Array<ArrayBuffer>): DerElement[] {
  return elementsOf(readDer(der)[0]);
}

/** What a key's algorithm says of it, as Web Crypto has it. */
type KeyAlgorithmParts = Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm>;

const BY_NAME: Readonly<Record<string, AssertionAlgorithm>> = {
  "RSA-PSS SHA-256": "PS256",
  "RSASSA-PKCS1-v1_5 SHA-256": "RS256",
  "ECDSA P-256": "ES256",
};

function cryptoKey(key: CryptoKey): AssertionKey {
  const { name, hash, namedCurve, modulusLength = 0, publicExponent } = key.algorithm as KeyAlgorithmParts;
  const algorithm = BY_NAME[`${name} ${namedCurve ?? hash?.name}`];
  if (key.type !== "private" || !key.usages.includes("sign") || algorithm === undefined) {
    failCredential(`privateKey must be a private CryptoKey with the usage sign, for ${Object.keys(BY_NAME)}`);
  }
  if (publicExponent !== undefined) {
    const exponent = publicExponent.slice(publicExponent.findIndex((byte) => byte !== 0));
    requireSound(isSoundRsaSize(modulusLength, exponent), "privateKey");
  }
  return { algorithms: [algorithm], sign: (data) => signWith(() => key, algorithm, data) };
}

/** The one private key of a PEM text. */
function keyBlock(blocks: readonly PemBlock[]): DerElement[] {
  const keys = blocks.filter(({ label }) => label === "" || label.endsWith("PRIVATE KEY"));
  if (keys.length === 1) return partsOf(keys[0]!.der);
  failCredential(`privateKey holds ${keys.length} private keys: give one`);
}

/**
 * Checks a private key.
 *
 * @param blocks The parts of a PEM text, if it is one.
 * @param key The JWK or the `CryptoKey` otherwise.
 * @param passphrase What an encrypted one is opened with.
 * @returns The key, or a function that opens it; nothing is imported yet.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readPrivateKey(
  blocks: readonly PemBlock[] | undefined,
  key: JsonWebKey | CryptoKey,
  passphrase: string | undefined,
): KeySource {
  const parts = blocks && keyBlock(blocks);
  if (parts?.[0]?.tag === SEQUENCE && parts[1]?.tag === OCTETS) {
    const open = encryptedKey(parts, passphrase);
    return async () => derKey(partsOf(await open()));
  }
  const opened = parts && derKey(parts);
  if (passphrase !== undefined) failCredential("privateKey is not encrypted: leave out passphrase");
  if (opened !== undefined) return opened;
  if ("kty" in key) return jwkKey(key);
  if ("algorithm" in key) return cryptoKey(key);
  failCredential(`privateKey must be PEM text, a JWK or a CryptoKey; ${PFX}`);
}
