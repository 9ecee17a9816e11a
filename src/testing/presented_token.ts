/**
 * How an access token comes to an API: as bearer token, with a DPoP proof, or in a signed request.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 | RFC 9449 section 7}
 */
import type { JWTPayload } from "jose";
import type { Exchange } from "./exchange.ts";
import { GraphError } from "./graph_error.ts";
import { OAuthError } from "./oauth_error.ts";
import { PROOF_ALGORITHMS } from "./proof_key.ts";
import { readSignedRequest, signedRequestError } from "./signed_request.ts";

/** A token that was presented, with what was proved on the way. */
export interface PresentedToken {
  readonly accessToken: string;
  /** Checks that the token is bound to the key that was proved, or to none. Throws a `GraphError`. */
  readonly requireBinding: (claims: JWTPayload) => void;
}

const CODE = "InvalidAuthenticationToken";

function confirmationOf(claims: JWTPayload): Record<string, unknown> {
  return Object(claims["cnf"]) as Record<string, unknown>;
}

function dpopError(error: string, text: string, headers: Readonly<Record<string, string>> = {}): GraphError {
  const challenge = `DPoP error="${error}", algs="${PROOF_ALGORITHMS.join(" ")}"`;
  return new GraphError(401, CODE, text, "", { ...headers, "www-authenticate": challenge });
}

async function withProof(exchange: Exchange, accessToken: string): Promise<PresentedToken> {
  const { incoming, services: { dpop } } = exchange;
  let jkt: string | undefined;
  try {
    jkt = await dpop?.thumbprint({ incoming, nonces: dpop.apiNonces, accessToken });
  } catch (cause) {
    if (!(cause instanceof OAuthError)) throw cause;
    throw dpopError(cause.error, cause.message, cause.headers);
  }
  if (jkt === undefined) throw dpopError("invalid_dpop_proof", "There is no DPoP proof.");
  const requireBinding = (claims: JWTPayload): void => {
    if (confirmationOf(claims)["jkt"] === jkt) return;
    throw dpopError("invalid_token", "The access token is not bound to the key of the DPoP proof.");
  };
  return { accessToken, requireBinding };
}

async function inSignedRequest(exchange: Exchange, signed: string): Promise<PresentedToken> {
  const { accessToken, kid } = await readSignedRequest(exchange, signed);
  const requireBinding = (claims: JWTPayload): void => {
    if (confirmationOf(claims)["kid"] === kid) return;
    throw signedRequestError(exchange, "The access token is not bound to the key of the signed request.");
  };
  return { accessToken, requireBinding };
}

/** A token that is bound to a key is worth nothing without it. */
function requireUnbound(claims: JWTPayload): void {
  if (claims["cnf"] === undefined) return;
  throw new GraphError(401, CODE, "The access token is bound to a key, and was presented without it.");
}

/** Reads the token of a request. Throws a `GraphError`. */
export async function presentedToken(exchange: Exchange): Promise<PresentedToken> {
  const authorization = exchange.incoming.headers.get("authorization") ?? "";
  const [, scheme = "", accessToken = ""] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { accessToken, requireBinding: requireUnbound };
    case "dpop":
      if (exchange.services.dpop) return await withProof(exchange, accessToken);
      break;
    case "pop":
      return await inSignedRequest(exchange, accessToken);
  }
  throw new GraphError(401, CODE, "Access token is empty.");
}
