/**
 * Entra's signed HTTP requests (SHR).
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import type {
  AppliedScheme,
  AuthScheme,
  SchemeApiAnswer,
  SchemeApiRequest,
  SchemeNonce,
} from "../request/auth_scheme.ts";
import { parseWwwAuthenticate } from "../request/www_authenticate.ts";
import { checkApiRequest, nonceOf } from "./api_request.ts";
import { type ProofKey, SigningKey } from "./signing_key.ts";

/**
 * Binds Entra's tokens to a key: each request to the API carries the token in a JWT that is signed for that request, as MSAL.NET and
 * MSAL.js make it. One object is one key: keep it for as long as its tokens.
 */
export class PopAuthScheme implements AuthScheme {
  /** The `token_type` that the answer must have. */
  readonly tokenType: "pop" = "pop";
  /** The thumbprint of the key, RFC 7638. */
  readonly keyId: string;
  readonly #key: ProofKey;

  /**
   * Makes a scheme of a key that signs elsewhere, in a vault for example. Usually `generate` and `fromKeyPair` are what is wanted.
   *
   * @param key The key, for `RS256`.
   */
  constructor(key: ProofKey) {
    this.#key = key;
    this.keyId = key.thumbprint;
  }

  /**
   * Makes an RSA key of 2048 bits that nobody can extract, and a scheme of it. That takes some hundred milliseconds.
   *
   * @returns The scheme.
   */
  static async generate(): Promise<PopAuthScheme> {
    return new PopAuthScheme(await SigningKey.generate("RS256"));
  }

  /**
   * Makes a scheme of a key that the application keeps, so that isolates can share its tokens.
   *
   * @param keyPair Of RSASSA-PKCS1-v1_5 with 2048 bits or more and SHA-256; the private key must not be extractable, and the
   * public one must be.
   * @returns The scheme.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  static async fromKeyPair(keyPair: CryptoKeyPair): Promise<PopAuthScheme> {
    return new PopAuthScheme(await SigningKey.from(keyPair, ["RS256"]));
  }

  /**
   * Says which key the token is to be bound to.
   *
   * @returns `token_type` and `req_cnf`.
   */
  tokenRequest(): AppliedScheme {
    const confirmation = new TextEncoder().encode(JSON.stringify({ kid: this.keyId }));
    return { form: { token_type: this.tokenType, req_cnf: encodeBase64Url(confirmation) } };
  }

  /**
   * Signs a request to an API: its method, host and path, not its query or body. Good for this one request.
   *
   * @param request The request.
   * @returns `authorization`.
   * @throws {ClientConfigurationError} `invalid_request`.
   */
  async apiHeaders(request: SchemeApiRequest): Promise<{ authorization: string }> {
    const { method, url, accessToken, nonce, nowSeconds } = checkApiRequest(request);
    const payload = {
      at: accessToken,
      ts: nowSeconds,
      m: method.toUpperCase(),
      u: url.host,
      p: url.pathname,
      nonce: nonce ?? crypto.randomUUID().replaceAll("-", ""),
      cnf: { jwk: this.#key.jwk },
    };
    return {
      authorization: `PoP ${await this.#key.sign({ kid: this.keyId, typ: this.tokenType }, payload)}`,
    };
  }

  /**
   * Finds the nonce in an API's answer.
   *
   * @param answer The answer.
   * @returns The `nonce` of a `PoP` challenge, or the `nextnonce` of `Authentication-Info`; `undefined` where there is none.
   */
  apiNonce({ status, headers }: SchemeApiAnswer): SchemeNonce | undefined {
    const challenge = parseWwwAuthenticate(headers)
      .find(({ scheme, parameters }) => /^pop$/i.test(scheme) && nonceOf(parameters.nonce));
    if (challenge) return { nonce: `${challenge.parameters.nonce}`, isRequired: status === 401 };
    // Parameters without a scheme before them belong to none.
    const nonce = parseWwwAuthenticate(`info ${headers.get("authentication-info") ?? ""}`)
      .map(({ parameters }) => nonceOf(parameters.nextnonce)).find(Boolean);
    return nonce === undefined ? undefined : { nonce, isRequired: false };
  }

  /** What logs may show. */
  toJSON(): { tokenType: "pop"; keyId: string } {
    return { tokenType: this.tokenType, keyId: this.keyId };
  }
}
