/**
 * Keys that tokens are bound to, and proofs made with them by hand.
 *
 * @module
 */
import { base64url, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { signedByHand } from "./local_assertions.ts";
import type { Json } from "./user_scene.ts";

/** A key, its public part and its thumbprint. */
export interface ProofKey {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly jkt: string;
}

/** Makes a key. */
export async function makeProofKey(alg = "ES256"): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { alg, privateKey: privateKey as CryptoKey, jwk, jkt: await calculateJwkThumbprint(jwk) };
}

/** What a token request has as `req_cnf`. */
export function requestConfirmation(value: unknown): string {
  return base64url.encode(JSON.stringify(value));
}

/** The `ath` of a token. */
export async function tokenHash(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return base64url.encode(new Uint8Array(digest));
}

/** Makes a DPoP proof; a claim or member that is `undefined` is left out. */
export async function dpopProof(key: ProofKey, claims: Json, header: Json = {}): Promise<string> {
  const all = { typ: "dpop+jwt", alg: key.alg, jwk: key.jwk, ...header };
  return await signedByHand(all, { jti: crypto.randomUUID(), ...claims }, key.privateKey, key.alg);
}

/** Makes a signed HTTP request. */
export async function signedRequest(key: ProofKey, claims: Json, header: Json = {}): Promise<string> {
  const all = { typ: "pop", alg: key.alg, kid: key.jkt, ...header };
  return await signedByHand(all, { cnf: { jwk: key.jwk }, ...claims }, key.privateKey, key.alg);
}
