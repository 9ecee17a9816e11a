/**
 * DPoP, RFC 9449.
 *
 * @module
 */

import { sha256 } from "../crypto/digest.ts";
import { requireObject } from "../errors/errors.ts";
import type {
  AppliedScheme,
  AuthScheme,
  SchemeApiAnswer,
  SchemeApiRequest,
  SchemeNonce,
  SchemeTokenRequest,
} from "../request/auth_scheme.ts";
import { parseWwwAuthenticate } from "../request/www_authenticate.ts";
import { checkApiRequest, nonceOf, targetOf } from "./api_request.ts";
import { type ProofAlgorithm, type ProofKey, SigningKey } from "./signing_key.ts";

/** What `DpopAuthScheme.generate` takes. */
export interface DpopKeyOptions {
  /** How proofs are signed: what `dpop_signing_alg_values_supported` of the discovery document lists. @default {"ES256"} */
  readonly algorithm?: ProofAlgorithm | undefined;
}

/** What a proof is for. */
interface Proof {
  readonly htm: string;
  readonly htu: string;
  readonly iat: number;
  readonly nonce?: string | undefined;
  readonly ath?: string | undefined;
}

/**
 * Binds tokens to a key by DPoP proofs, RFC 9449. One object is one key: keep it for as long as its tokens, since a token of
 * another key is not found in the cache.
 */
export class DpopAuthScheme implements AuthScheme {
  /** The `token_type` that the answer must have. */
  readonly tokenType: "DPoP" = "DPoP";
  /** The thumbprint of the key, RFC 7638: the `jkt` of its tokens. */
  readonly keyId: string;
  readonly #key: ProofKey;

  /**
   * Makes a scheme of a key that signs elsewhere, in a vault for example. Usually `generate` and `fromKeyPair` are what is wanted.
   *
   * @param key The key.
   */
  constructor(key: ProofKey) {
    this.#key = key;
    this.keyId = key.thumbprint;
  }

  /**
   * Makes a key that nobody can extract, and a scheme of it.
   *
   * @param options How it signs.
   * @returns The scheme.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  static async generate(options: DpopKeyOptions = {}): Promise<DpopAuthScheme> {
    const { algorithm = "ES256" } = requireObject(options, "options");
    return new DpopAuthScheme(await SigningKey.generate(algorithm));
  }

  /**
   * Makes a scheme of a key that the application keeps, so that isolates can share its tokens.
   *
   * @param keyPair Of ECDSA P-256, or of RSA-PSS or RSASSA-PKCS1-v1_5 with 2048 bits or more and SHA-256; the private key must
   * not be extractable, and the public one must be.
   * @returns The scheme.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  static async fromKeyPair(keyPair: CryptoKeyPair): Promise<DpopAuthScheme> {
    return new DpopAuthScheme(await SigningKey.from(keyPair, ["ES256", "PS256", "RS256"]));
  }

  /**
   * Makes the proof of a token request, RFC 9449 section 5.
   *
   * @param request The request.
   * @returns The `DPoP` header.
   */
  async tokenRequest({ url, nowSeconds, nonce }: SchemeTokenRequest): Promise<AppliedScheme> {
    const htu = targetOf(new URL(url));
    return { headers: { dpop: await this.#proof({ htm: "POST", htu, iat: nowSeconds, nonce }) } };
  }

  /**
   * Makes the headers of a request to an API, RFC 9449 section 7.1. They are good for this one request.
   *
   * @param request The request.
   * @returns `authorization` and `dpop`.
   * @throws {ClientConfigurationError} `invalid_request`.
   */
  async apiHeaders(request: SchemeApiRequest): Promise<{ authorization: string; dpop: string }> {
    const { method: htm, url, accessToken, nonce, nowSeconds: iat } = checkApiRequest(request);
    const ath = await sha256(accessToken);
    const dpop = await this.#proof({ htm, htu: targetOf(url), iat, nonce, ath });
    return { authorization: `DPoP ${accessToken}`, dpop };
  }

  /**
   * Finds the nonce in an API's answer, RFC 9449 section 9.
   *
   * @param answer The answer.
   * @returns The nonce of `DPoP-Nonce`; `undefined` where there is none.
   */
  apiNonce({ status, headers }: SchemeApiAnswer): SchemeNonce | undefined {
    const nonce = nonceOf(headers.get("dpop-nonce"));
    const isRequired = status === 401 &&
      parseWwwAuthenticate(headers).some(({ scheme, parameters }) =>
        /^dpop$/i.test(scheme) && parameters.error === "use_dpop_nonce"
      );
    return nonce === undefined ? undefined : { nonce, isRequired };
  }

  /** What logs may show. */
  toJSON(): { tokenType: "DPoP"; keyId: string } {
    return { tokenType: this.tokenType, keyId: this.keyId };
  }

  #proof(proof: Proof): Promise<string> {
    const { jwk } = this.#key;
    return this.#key.sign({ typ: "dpop+jwt", jwk }, { jti: crypto.randomUUID(), ...proof });
  }
}
