/**
 * Verifies the signature of a token.
 *
 * @module
 */

import type { WaitUntil } from "../runtime/web_types.ts";
import type { CompactJws, JwtFail } from "./compact.ts";
import type { JwksSource } from "./jwks_source.ts";
import { selectKey, type VerificationKey } from "./key_set.ts";
import { SignatureVerifier } from "./signature.ts";

/** Which keys and algorithms count; never what the token says. */
export interface TrustedKeys {
  /** Where the keys are. */
  readonly jwksUri: string;
  /** The algorithms, asymmetric ones. */
  readonly algorithms: readonly string[];
}

/**
 * Verifies a token's signature, RFC 7515 section 5.2. A key that is not known yet is looked for once more at its source.
 *
 * @param token The token.
 * @param trusted The keys and algorithms that count.
 * @param source Where the keys come from.
 * @param correlationId The call's correlation id.
 * @param waitUntil Keeps work alive after the call.
 * @param fail Refuses the token.
 * @returns The key that it is signed with.
 * @throws {ClientAuthError} what `fail` throws, and `endpoints_resolution_error`.
 * @throws {NetworkError} where the keys cannot be read.
 */
export async function verifySignature(
  token: CompactJws,
  { jwksUri, algorithms }: TrustedKeys,
  source: JwksSource,
  correlationId: string,
  waitUntil: WaitUntil | "detached" | undefined,
  fail: JwtFail,
): Promise<VerificationKey> {
  const { alg } = token;
  if (!algorithms.includes(alg)) fail("algorithm_refused");
  const keys = source.keys(jwksUri, correlationId, waitUntil);
  const key = selectKey("then" in keys ? await keys : keys, token, fail) ??
    selectKey(await source.renewed(jwksUri, correlationId, waitUntil), token, fail) ??
    fail("key_not_found");
  return await verifierOf(key, alg).verifies(token) ? key : fail("signature_invalid");
}

/** Imports a key once for each algorithm. */
function verifierOf({ kind, jwk, verifiers }: VerificationKey, alg: string): SignatureVerifier {
  const known = verifiers.get(alg);
  if (known !== undefined) return known;
  const made = new SignatureVerifier(alg, kind, jwk);
  verifiers.set(alg, made);
  return made;
}
