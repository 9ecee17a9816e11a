/**
 * How a token is used: what binds it to a key.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

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
  /** The time, in epoch seconds; the system's where absent. */
  readonly nowSeconds?: number | undefined;
}

/** An API's answer, as far as nonces go: a `Response` is one. */
export interface SchemeApiAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The headers. */
  readonly headers: Pick<Headers, "get">;
}

/** A nonce that an API gave. */
export interface SchemeNonce {
  /** For the next request. */
  readonly nonce: string;
  /** Whether the request was refused for want of it. */
  readonly isRequired: boolean;
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
  /**
   * Finds the nonce in an API's answer.
   *
   * @param answer The answer.
   * @returns The nonce; `undefined` where there is none.
   */
  apiNonce?(answer: SchemeApiAnswer): SchemeNonce | undefined;
}

/**
 * Checks a scheme, if there is one.
 *
 * @param scheme What the caller gave.
 * @throws {ClientConfigurationError} `invalid_request`, its `option` being `authScheme`.
 */
export function requireAuthScheme(scheme: unknown): asserts scheme is AuthScheme | undefined {
  if (scheme === undefined) return;
  const { tokenType, keyId, tokenRequest, apiHeaders } = Object(scheme) as Partial<AuthScheme>;
  const fits = (tokenType === "DPoP" || tokenType === "pop") && /^[\w-]{43}$/.test(`${keyId}`) &&
    typeof tokenRequest === "function" && typeof apiHeaders === "function";
  if (!fits) {
    refuse(
      "invalid_request",
      "authScheme",
      "it must be a DpopAuthScheme or a PopAuthScheme: await generate()",
    );
  }
}
