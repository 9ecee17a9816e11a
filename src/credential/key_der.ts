/**
 * The numbers of a key in DER: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017), SEC 1 (RFC 5915) and `SubjectPublicKeyInfo` (RFC 5280).
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import { type DerElement, elementsOf, hexOf, INTEGER, numberOf, OCTETS, readDer } from "./der.ts";

const EC = "2a8648ce3d0201";
const P256 = "2a8648ce3d030107";
// Of keys for PSS alone, too.
const RSA = /^2a864886f70d01010[1a]$/;

/** What a key comes to. */
export type KeyNumbers = JsonWebKey | undefined;

function point(bytes: Uint8Array | undefined): { x: string; y: string } | undefined {
  // Not compressed, and no bits left over before it.
  if (bytes?.length !== 66 || bytes[0] !== 0 || bytes[1] !== 4) return undefined;
  return { x: encodeBase64Url(bytes.subarray(2, 34)), y: encodeBase64Url(bytes.subarray(34)) };
}

/** One of DSA has fewer numbers. */
function rsaNumbers([version, ...numbers]: readonly DerElement[]): KeyNumbers {
  const [n, e, d, p, q, dp, dq, qi] = numbers.map(numberOf);
  return hexOf(version) === "00" && qi ? { kty: "RSA", n, e, d, p, q, dp, dq, qi } as JsonWebKey : undefined;
}

function ecNumbers(elements: readonly DerElement[], curve: string): KeyNumbers {
  const [, secret, ...rest] = elements;
  const inside = (tag: number): DerElement[] =>
    readDer(rest.find((one) => one.tag === tag)?.value ?? new Uint8Array());
  const named = curve || hexOf(inside(0xa0)[0]);
  if (named !== P256 || secret?.tag !== OCTETS || secret.value.length !== 32) return undefined;
  return { kty: "EC", crv: "P-256", d: encodeBase64Url(secret.value), ...point(inside(0xa1)[0]?.value) };
}

/**
 * Reads a private key.
 *
 * @param parts What its sequence holds.
 * @returns Its numbers; `undefined` for what is no RSA or P-256 key.
 */
export function privateNumbers(parts: readonly DerElement[]): KeyNumbers {
  const [, second, third] = parts;
  if (second?.tag === INTEGER) return rsaNumbers(parts);
  if (second?.tag === OCTETS) return ecNumbers(parts, "");
  const [algorithm, curve] = elementsOf(second);
  const inner = elementsOf(readDer(third?.value ?? new Uint8Array())[0]);
  if (RSA.test(hexOf(algorithm))) return rsaNumbers(inner);
  return hexOf(algorithm) === EC ? ecNumbers(inner, hexOf(curve)) : undefined;
}

/**
 * Reads a public key.
 *
 * @param info Its `SubjectPublicKeyInfo`.
 * @returns Its numbers; `undefined` for what is no RSA or P-256 key.
 */
export function publicNumbers(info: DerElement | undefined): KeyNumbers {
  const [algorithm, key] = elementsOf(info);
  const [name, curve] = elementsOf(algorithm);
  if (key === undefined) return undefined;
  if (RSA.test(hexOf(name))) {
    const [n, e] = elementsOf(readDer(key.value.subarray(1))[0]).map(numberOf);
    return { kty: "RSA", n, e } as JsonWebKey;
  }
  const numbers = hexOf(name) === EC && hexOf(curve) === P256 ? point(key.value) : undefined;
  return numbers && { kty: "EC", crv: "P-256", ...numbers };
}
