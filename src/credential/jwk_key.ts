/**
 * A private key's numbers, as a JWK has them, RFC 7517 and RFC 7518 section 6.
 *
 * @module
 */

import { isSoundRsa } from "../jwt/key_set.ts";
import type { AssertionAlgorithm } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";

/** By which algorithms a kind of key signs, the best one first. */
export const ALGORITHMS: Readonly<Record<string, readonly AssertionAlgorithm[]>> = {
  RSA: ["PS256", "RS256"],
  "P-256": ["ES256"],
};

const WEAK = "an RSA key must have 2048 to 8192 bits and an odd exponent of 3 or more";

/**
 * Refuses an RSA key of the wrong size.
 *
 * @param sound Whether it is of the right one.
 * @param option Where it was given.
 */
export function requireSound(sound: boolean, option: string): void {
  if (!sound) failCredential(`${option}: ${WEAK}`);
}

/** A private key that may sign. */
export interface SigningJwk {
  /** `RSA`, or the curve. */
  readonly kind: string;
  /** By which algorithms, the best one first. */
  readonly algorithms: readonly AssertionAlgorithm[];
  /** The numbers and nothing else. */
  readonly jwk: JsonWebKey;
  /** The id that it has. */
  readonly keyId: string | undefined;
}

/**
 * Checks a JWK.
 *
 * @param given The JWK.
 * @returns What signs, in a copy.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readJwk(given: JsonWebKey & { readonly kid?: unknown }): SigningJwk {
  const { kty, crv, n, e, d, p, q, dp, dq, qi, x, y, use, key_ops: operations, alg, kid } = given;
  const kind = kty === "EC" ? crv : kty;
  const all = kind === "RSA" || kind === "P-256" ? ALGORITHMS[kind]! : [];
  if (all.length === 0) failCredential("privateKey must be an RSA key, or one of the curve P-256");
  if (d === undefined) failCredential("privateKey is a public key: give the private one");
  const jwk: JsonWebKey = kty === "RSA"
    ? { kty, n, e, d, p, q, dp, dq, qi } as JsonWebKey
    : { kty, crv, x, y, d } as JsonWebKey;
  if (!Object.values(jwk).every((number) => typeof number === "string" && number !== "")) {
    // openssl can leave out the public part of a key of this curve, and adds it again.
    const fix = x === undefined && kty === "EC" ? ": openssl ec -in key.pem -out new.pem" : "";
    failCredential(`privateKey lacks one of ${Object.keys(jwk)}${fix}`);
  }
  if (kty === "RSA") requireSound(isSoundRsa(n, e), "privateKey");
  const algorithms = alg === undefined ? all : all.filter((one) => one === alg);
  const signs = operations === undefined || (Array.isArray(operations) && operations.includes("sign"));
  if (algorithms.length === 0 || !signs || (use !== undefined && use !== "sig")) {
    failCredential(`privateKey's alg, use or key_ops is for something else than ${all}`);
  }
  return { kind: kind!, algorithms, jwk, keyId: typeof kid === "string" ? kid : undefined };
}
