/**
 * The signature of a JWS, RFC 7515 section 5.2, by Web Crypto: what `jose` would read of the token once more was read strictly
 * before, and takes as long again.
 *
 * @module
 */

import { bytesOf } from "../crypto/base64url_decode.ts";
import type { CompactJws } from "./compact.ts";

/** What an algorithm means, RFC 7518 section 3.1 and RFC 8037 section 3.1. */
export interface SignatureAlgorithm {
  /** As Web Crypto calls it. */
  readonly name: string;
  /** Of which hash. */
  readonly hash?: string;
  /** Of RSA-PSS, in bytes. */
  readonly saltLength?: number;
  /** Of ECDSA. */
  readonly namedCurve?: string;
}

/**
 * Puts an algorithm in Web Crypto's words.
 *
 * @param alg One for which a key was selected.
 * @param kind `RSA`, or the key's curve.
 */
export function algorithmOf(alg: string, kind: string): SignatureAlgorithm {
  if (kind === "Ed25519") return { name: kind };
  const bits = Number(alg.slice(2));
  const hash = `SHA-${bits}`;
  if (kind !== "RSA") return { name: "ECDSA", hash, namedCurve: kind };
  // The salt is as long as the hash.
  return alg.startsWith("P")
    ? { name: "RSA-PSS", hash, saltLength: bits / 8 }
    : { name: "RSASSA-PKCS1-v1_5", hash };
}

/** Verifies what is signed with one key by one algorithm; the key is imported once. */
export class SignatureVerifier {
  readonly #algorithm: SignatureAlgorithm;
  readonly #key: Promise<CryptoKey>;

  /**
   * Begins to import the key.
   *
   * @param alg The algorithm, one that the key is for.
   * @param kind `RSA`, or the key's curve.
   * @param jwk The public key.
   */
  constructor(alg: string, kind: string, jwk: JsonWebKey) {
    this.#algorithm = algorithmOf(alg, kind);
    this.#key = crypto.subtle.importKey("jwk", jwk, this.#algorithm, false, ["verify"]);
    // Whoever verifies hears of it.
    this.#key.catch(() => {});
  }

  /**
   * Verifies a signature.
   *
   * @param token The token.
   * @returns Whether the key has signed it; `false`, too, for a key that this runtime does not take.
   */
  async verifies({ signed, signature }: Pick<CompactJws, "signed" | "signature">): Promise<boolean> {
    try {
      const bytes = new TextEncoder().encode(signed);
      return await crypto.subtle.verify(this.#algorithm, await this.#key, bytesOf(signature), bytes);
    } catch {
      return false;
    }
  }
}
