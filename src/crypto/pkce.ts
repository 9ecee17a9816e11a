/**
 * Random values of a sign-in: PKCE, RFC 7636, and what `state` and `nonce` are made of.
 *
 * @module
 */

import { encodeBase64Url } from "./base64url.ts";
import { sha256 } from "./digest.ts";

/** A verifier and its challenge. */
export interface PkceCodes {
  /** What redeems the code; a secret until then. */
  readonly verifier: string;
  /** What the authorization request carries, with the method `S256`. */
  readonly challenge: string;
}

/**
 * Makes the codes of one sign-in, RFC 7636 sections 4.1 and 4.2.
 *
 * @returns A verifier of 43 characters and its SHA-256 challenge.
 */
export async function generatePkceCodes(): Promise<PkceCodes> {
  const verifier = randomToken();
  return { verifier, challenge: await sha256(verifier) };
}

/**
 * Makes a value that nobody can guess.
 *
 * @param bytes How many random bytes.
 * @returns The bytes as base64url.
 */
export function randomToken(bytes: 16 | 32 = 32): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/**
 * Makes the `nonce` of an authorization request, so that an ID token that leaks does not tell the one that is kept.
 *
 * @param raw What is kept.
 * @returns Its SHA-256 digest in lower-case hexadecimal; the ID token must hold this.
 */
export async function hashNonce(raw: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(raw));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
