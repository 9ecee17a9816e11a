/**
 * The keys of an authority, RFC 7517 section 5, and which of them may verify what.
 *
 * @module
 */

import type { DocumentFail } from "../net/document_source.ts";
import { decodeBase64Url } from "../crypto/base64url_decode.ts";
import { type CompactJws, type JsonObject, type JwtFail, MAX_KID_CHARS } from "./compact.ts";
import type { SignatureVerifier } from "./signature.ts";

const MAX_KEYS = 100;
const CURVES: Readonly<Record<string, string>> = {
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
  EdDSA: "Ed25519",
  Ed25519: "Ed25519",
};

/** A key that may verify signatures. */
export interface VerificationKey {
  /** Its id. */
  readonly kid: string | undefined;
  /** `RSA`, or the curve. */
  readonly kind: string;
  /** The only algorithm that it is for, if it says so. */
  readonly alg: unknown;
  /** Whose tokens it is for, at Entra: an issuer, with `{tenantid}` in it where it is for those of many tenants. */
  readonly issuer: string | undefined;
  /** Which cloud it is of, at Entra. */
  readonly cloudInstanceName: string | undefined;
  /** The public key and nothing else. */
  readonly jwk: JsonWebKey;
  /** What it was imported for, by algorithm. */
  readonly verifiers: Map<string, SignatureVerifier>;
}

/** What a key set document holds, without what cannot verify anything. */
export type KeySet = readonly VerificationKey[];

function bitsOf([first = 0, ...rest]: Uint8Array): number {
  return first === 0 ? 0 : 8 * rest.length + 32 - Math.clz32(first);
}

/**
 * Whether an RSA key is neither weak nor costly: runtimes import 512-bit keys and an exponent of 1, each on its own.
 *
 * @param bits The length of its modulus.
 * @param exponent Its public exponent, without zeros before it.
 */
export function isSoundRsaSize(bits: number, exponent: Uint8Array): boolean {
  const exponentBits = bitsOf(exponent);
  return bits >= 2048 && bits <= 8192 && exponentBits > 1 && exponentBits <= 32 && exponent.at(-1)! % 2 === 1;
}

/**
 * The same of a JWK's numbers.
 *
 * @param n The modulus, base64url.
 * @param e The public exponent, base64url.
 */
export function isSoundRsa(n: unknown, e: unknown): boolean {
  const modulus = typeof n === "string" ? decodeBase64Url(n) : undefined;
  const exponent = typeof e === "string" ? decodeBase64Url(e) : undefined;
  return modulus !== undefined && exponent !== undefined && isSoundRsaSize(bitsOf(modulus), exponent);
}

function publicPart({ kty, crv, n, e, x, y }: JsonObject): { kind: string; jwk: JsonWebKey } | undefined {
  if (kty === "RSA") return isSoundRsa(n, e) ? { kind: kty, jwk: { kty, n, e } as JsonWebKey } : undefined;
  // A secret curve name would only fail to be imported later.
  if (typeof crv !== "string" || kty !== (crv === "Ed25519" ? "OKP" : "EC")) return undefined;
  return { kind: crv, jwk: (kty === "EC" ? { kty, crv, x, y } : { kty, crv, x }) as JsonWebKey };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Reads a key; `undefined` for one that must not verify: private, symmetric, for another use, too weak or unknown. */
function readKey(value: unknown): VerificationKey | undefined {
  const jwk = Object(value) as JsonObject;
  const { kid, use, key_ops: operations, alg, issuer, cloud_instance_name: cloudName } = jwk;
  const secret = ["d", "k", "p", "q", "priv"].some((name) => Object.hasOwn(jwk, name));
  const named = kid === undefined || (typeof kid === "string" && kid.length <= MAX_KID_CHARS);
  const verifies = operations === undefined || (Array.isArray(operations) && operations.includes("verify"));
  const part = publicPart(jwk);
  if (secret || !named || !verifies || (use !== undefined && use !== "sig") || part === undefined) {
    return undefined;
  }
  return {
    ...part,
    kid,
    alg,
    issuer: text(issuer),
    cloudInstanceName: text(cloudName),
    verifiers: new Map(),
  };
}

/**
 * Reads a key set document.
 *
 * @param body The document.
 * @param fail Refuses it: one without a usable key, too, so that it never takes the place of a good one.
 * @returns The keys that may verify.
 */
export function readKeySet(body: JsonObject, fail: DocumentFail): KeySet {
  const { keys } = body;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) {
    return fail(`it is no list of at most ${MAX_KEYS} keys`);
  }
  const usable = keys.map(readKey).filter((key) => key !== undefined);
  return usable.length > 0 ? usable : fail("it has no usable key");
}

/**
 * Selects the key for a token. An id that two keys have names neither.
 *
 * @param keys The keys.
 * @param token The token; its algorithm was allowed by configuration.
 * @param fail Refuses a token for which more than one key could be meant.
 * @returns The key, or `undefined` where there is none.
 */
export function selectKey(
  keys: KeySet,
  { kid, alg }: CompactJws,
  fail: JwtFail,
): VerificationKey | undefined {
  const kind = /^[RP]S(?:256|384|512)$/.test(alg)
    ? "RSA"
    : Object.hasOwn(CURVES, alg)
    ? CURVES[alg]
    : undefined;
  const fits = (key: VerificationKey): boolean =>
    key.kind === kind && (key.alg === undefined || key.alg === alg);
  const named = keys.filter((key) => kid === undefined ? fits(key) : key.kid === kid);
  if (named.length > 1) fail("key_ambiguous");
  return named.find(fits);
}
