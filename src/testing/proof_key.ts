/**
 * The key of a proof of possession, and the signature that it made.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 | RFC 9449 section 4.3}
 */
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from "jose";

/** The algorithms that proofs may be signed with; none of them is symmetric. */
export const PROOF_ALGORITHMS: readonly string[] = ["ES256", "ES384", "RS256", "PS256"];

/** How far the time of a proof may be off, in seconds. */
export const PROOF_WINDOW_SECONDS = 300;

const PRIVATE_MEMBERS: readonly string[] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * The thumbprint of the public key that a compact JWS was signed with.
 *
 * @returns Absent if it is no public key of an algorithm that is taken, or did not sign
 */
export async function thumbprintOfSigner(
  jws: string,
  alg: unknown,
  jwk: unknown,
): Promise<string | undefined> {
  if (typeof alg !== "string" || !PROOF_ALGORITHMS.includes(alg)) return undefined;
  if (typeof jwk !== "object" || jwk === null) return undefined;
  if (PRIVATE_MEMBERS.some((name) => name in jwk)) return undefined;
  try {
    await compactVerify(jws, await importJWK(jwk as JWK, alg), { algorithms: [alg] });
    return await calculateJwkThumbprint(jwk as JWK);
  } catch {
    return undefined;
  }
}
