/**
 * The keys that tokens are signed with; made when first needed, never stored.
 *
 * @module
 */
import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair } from "jose";
import { systemClock } from "../runtime/clock.ts";

/** A key pair and its public parts. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** The modulus, base64url. */
  readonly n: string;
  /** The exponent, base64url. */
  readonly e: string;
}

/** How long a caller waits for another one's key before it makes its own, in milliseconds. */
const PATIENCE_MS = 2_000;
const MAX_OLD_KEYS = 4;

/** Makes a key pair. */
export async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { modulusLength: 2048 });
  const jwk = await exportJWK(publicKey);
  // Entra's key ids are SHA-1 certificate thumbprints: 27 characters of base64url.
  const kid = (await calculateJwkThumbprint(jwk)).slice(0, 27);
  return { kid, privateKey, publicKey, n: jwk.n ?? "", e: jwk.e ?? "" };
}

/** The signing keys of one authority. */
export class SigningKeys {
  #key: SigningKey | undefined;
  #pending: Promise<SigningKey> | undefined;
  #old: readonly SigningKey[] = [];

  /**
   * The key to sign with.
   *
   * Concurrent first callers share one generation. In workerd it stalls for good if the request that began it ends
   * first; so a caller that has waited long enough makes a key itself, and the key that is finished first stays.
   */
  async current(): Promise<SigningKey> {
    if (this.#key) return this.#key;
    if (this.#pending) return await this.#joined(this.#pending);
    this.#pending = this.#made();
    return await this.#pending;
  }

  /** Every key that a token may be signed with; what the JWKS lists. */
  async all(): Promise<readonly SigningKey[]> {
    return [await this.current(), ...this.#old];
  }

  /** Signs with a new key from now on; the old ones stay in the JWKS if they are to be kept. */
  async rotate(keepOld: boolean): Promise<void> {
    const made = await makeSigningKey();
    const old = [...(this.#key ? [this.#key] : []), ...this.#old];
    this.#old = keepOld ? old.slice(0, MAX_OLD_KEYS) : [];
    this.#key = made;
  }

  async #made(): Promise<SigningKey> {
    try {
      const made = await makeSigningKey();
      return this.#key ??= made;
    } finally {
      this.#pending = undefined;
    }
  }

  async #joined(pending: Promise<SigningKey>): Promise<SigningKey> {
    // The system's clock on purpose: an injected one may stand still.
    let timer: unknown;
    const impatient = new Promise<undefined>((resolve) => {
      timer = systemClock.setTimeout(() => resolve(undefined), PATIENCE_MS);
    });
    try {
      return await Promise.race([pending, impatient]) ?? this.#key ?? await this.#made();
    } finally {
      systemClock.clearTimeout(timer);
    }
  }
}
