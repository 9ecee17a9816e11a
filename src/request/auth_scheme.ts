/**
 * How a token is used: what binds it to a key.
 *
 * @module
 */

/** What is asked of a key at the token endpoint. */
export interface SchemeTokenRequest {
  /** The endpoint, without query. */
  readonly url: string;
  /** The time, in epoch seconds. */
  readonly nowSeconds: number;
  /** The nonce that the endpoint gave last, if any. */
  readonly nonce?: string | undefined;
}

/** What a scheme adds to a token request. */
export interface AppliedScheme {
  /** Members of the form. */
  readonly form?: Readonly<Record<string, string>> | undefined;
  /** Headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A request to an API that a token goes with. */
export interface SchemeApiRequest {
  /** The method, such as `GET`. */
  readonly method: string;
  /** The URL, query included. */
  readonly url: string;
  /** The token. */
  readonly accessToken: string;
  /** The nonce that the API gave last, if any. */
  readonly nonce?: string | undefined;
}

/** Binds tokens to a key. One scheme object is one key: keep it as long as its tokens. */
export interface AuthScheme {
  /** The `token_type` that the answer must have. */
  readonly tokenType: "DPoP" | "pop";
  /** The key's thumbprint, RFC 7638, base64url: part of a token's identity in the cache. */
  readonly keyId: string;
  /**
   * What a token request carries, so that the token is bound to the key.
   *
   * @param request The request.
   */
  tokenRequest(request: SchemeTokenRequest): AppliedScheme | Promise<AppliedScheme>;
  /**
   * The headers of a request to an API.
   *
   * @param request The request.
   * @returns `authorization`, and what goes with it.
   */
  apiHeaders(request: SchemeApiRequest): Promise<Readonly<Record<string, string>>>;
}
