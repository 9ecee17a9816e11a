/**
 * Signed HTTP requests: how a token of the type `pop` is used at an API.
 *
 * @module
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-oauth-signed-http-request-03 | Signed HTTP requests}
 */
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from "jose";
import type { Exchange } from "./exchange.ts";
import { GraphError } from "./graph_error.ts";
import { PROOF_WINDOW_SECONDS, thumbprintOfSigner } from "./proof_key.ts";

/** What a signed request says of its token. */
export interface SignedRequest {
  readonly accessToken: string;
  /** The thumbprint of the key that signed. */
  readonly kid: string;
}

/** Refuses a signed request; the answer always has a nonce for the next one. */
export function signedRequestError({ services }: Exchange, text: string): GraphError {
  const challenge = `PoP nonce="${services.popNonces.current()}", error="invalid_token"`;
  return new GraphError(401, "InvalidAuthenticationToken", text, "", { "www-authenticate": challenge });
}

function requireRequest(exchange: Exchange, claims: JWTPayload): void {
  const { method, url } = exchange.incoming;
  const refuse = (name: string): GraphError =>
    signedRequestError(exchange, `The signed request is for another request: ${name}.`);
  if (String(claims["m"]).toUpperCase() !== method) throw refuse("m");
  if (String(claims["u"]).toLowerCase() !== url.host) throw refuse("u");
  if (claims["p"] !== url.pathname) throw refuse("p");
  const { ts } = claims;
  const ageSeconds = exchange.services.clock.now() / 1000 - (typeof ts === "number" ? ts : NaN);
  if (!(Math.abs(ageSeconds) <= PROOF_WINDOW_SECONDS)) throw refuse("ts");
  const nonces = exchange.services.popNonces;
  if (nonces.required && !nonces.accepts(claims["nonce"])) {
    throw signedRequestError(exchange, "The signed request must contain the nonce of this answer.");
  }
}

/** Reads and checks a signed request, but for its token. Throws a `GraphError`. */
export async function readSignedRequest(exchange: Exchange, signed: string): Promise<SignedRequest> {
  let claims: JWTPayload;
  let kid: string | undefined;
  try {
    const header = decodeProtectedHeader(signed);
    claims = decodeJwt(signed);
    const { jwk } = Object(claims["cnf"]) as Record<string, unknown>;
    if (header.typ === "pop" && header.crit === undefined) {
      kid = await thumbprintOfSigner(signed, header.alg, jwk);
    }
  } catch {
    throw signedRequestError(exchange, "The signed request is no JWT.");
  }
  if (kid === undefined || typeof claims["at"] !== "string") {
    throw signedRequestError(
      exchange,
      "The signed request is not signed by the key in its cnf, or has no token.",
    );
  }
  requireRequest(exchange, claims);
  return { accessToken: claims["at"], kid };
}
