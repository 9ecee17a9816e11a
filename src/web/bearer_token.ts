/**
 * Reads the token that a request brings, RFC 6750 section 2.1: in the header alone, never in the query or a form.
 *
 * @module
 */

import { AccessTokenError } from "../errors/access_token_error.ts";

/** Longer headers are not looked at: no validator takes a token of that length. */
const MAX_CHARS = 16_384 + 16;

const SCHEME = "bearer ";

/**
 * Reads the token of a request.
 *
 * @param headers The request's headers.
 * @param scopes What to tell a caller who brings no token.
 * @returns One word, which may be no token at all: whether it is one is for the validator to say.
 * @throws {AccessTokenError} `access_token_missing` where there is none, `access_token_request_invalid` for any other scheme
 * (401, without an error: RFC 6750 section 3.1), for two tokens, and for one that is too long (400).
 */
export function bearerTokenOf(headers: Pick<Headers, "get">, scopes?: readonly string[]): string {
  const header = headers.get("authorization") ?? "";
  const token = header.slice(SCHEME.length);
  // With the one space that every client sends. What has no token's letters is for the validator: on the hit path nobody reads them.
  const isBearer = header.slice(0, SCHEME.length).toLowerCase() === SCHEME && token !== "";
  // Of several headers it is the joined text; a comma has no place in a token.
  const isOne = header.length <= MAX_CHARS && !token.includes(" ") && !token.includes(",");
  if (isBearer && isOne) return token;
  refuseHeader(header, scopes);
}

function refuseHeader(header: string, scopes: readonly string[] | undefined): never {
  if (/^(?:Bearer)?\s*$/i.test(header.slice(0, MAX_CHARS))) {
    throw new AccessTokenError(
      "access_token_missing",
      "This API needs an access token: send it as Authorization: Bearer",
      { status: 401, scopes },
    );
  }
  const isBearer = /^Bearer(?![\w!#$%&'*+.^`|~-])/i.test(header);
  throw new AccessTokenError(
    "access_token_request_invalid",
    isBearer
      ? "The Authorization header is not one Bearer token"
      : "This API takes Bearer tokens alone, in one Authorization header",
    isBearer ? { status: 400, error: "invalid_request" } : { status: 401, scopes },
  );
}
