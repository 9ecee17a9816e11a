/**
 * What a token request says of the client beyond its grant: the key to bind tokens to, and how it proved itself.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-5 | RFC 9449 section 5}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7800#section-3 | RFC 7800 section 3}
 */
import { base64url } from "jose";
import type { TokenBinding } from "./binding.ts";
import type { App, Resource } from "./declared.ts";
import { EntraError, malformedRequest, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import { OAuthError } from "./oauth_error.ts";
import type { Json } from "./token_parts.ts";

const THUMBPRINT = /^[\w-]{43}$/;

function unsupported(name: string, value: string): EntraError {
  return new EntraError(400, "invalid_request", 90023, `Unsupported '${name}' value '${value}'.`);
}

/** Reads `req_cnf`: the thumbprint of a key as `kid`, and where the key is stored. */
function readConfirmation(sent: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(base64url.decode(sent)));
  } catch {
    throw unsupported("req_cnf", sent);
  }
  const { kid, xms_ksl } = Object(value) as Record<string, unknown>;
  if (typeof kid !== "string" || !THUMBPRINT.test(kid)) throw unsupported("req_cnf", sent);
  return { kid, ...(typeof xms_ksl === "string" ? { xms_ksl } : {}) };
}

/** Throws AADSTS90023 or 900144. */
function signedRequestConfirmation(form: ReadonlyMap<string, string>): Json | undefined {
  const type = form.get("token_type");
  if (type === undefined || type.toLowerCase() === "bearer") return undefined;
  if (type.toLowerCase() !== "pop") throw unsupported("token_type", type);
  const sent = form.get("req_cnf");
  if (sent === undefined) throw missingParameter("req_cnf");
  return readConfirmation(sent);
}

/** Reads what a request binds its tokens to. Throws AADSTS90023, 900144, 9002313, or an `OAuthError` of DPoP. */
export async function tokenBindingOf(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<TokenBinding> {
  const { dpop } = exchange.services;
  const byAssertion = form.has("client_assertion") && !form.has("client_secret");
  const confirmation = signedRequestConfirmation(form);
  const jkt = await dpop?.thumbprint({ incoming: exchange.incoming, nonces: dpop.tokenNonces });
  if (confirmation && jkt !== undefined) throw malformedRequest();
  if (jkt !== undefined) return { tokenType: "DPoP", confirmation: { jkt }, jkt, byAssertion };
  return confirmation
    ? { tokenType: "pop", confirmation, byAssertion }
    : { tokenType: "Bearer", byAssertion };
}

/** The claims that an access token has of it. */
export function boundClaims({ binding }: Exchange, { accessTokenVersion }: Resource): Json {
  const method = accessTokenVersion === 2 ? "azpacr" : "appidacr";
  return {
    ...(binding.byAssertion ? { [method]: "2" } : {}),
    ...(binding.confirmation ? { cnf: binding.confirmation } : {}),
  };
}

/** The key that a refresh token is bound to: that of a public client, which has nothing else to prove. */
export function refreshTokenKey({ binding }: Exchange, { publicClient }: App): string | undefined {
  return publicClient ? binding.jkt : undefined;
}

/** Refuses what was bound to another key, or to one where now there is none. */
export function requireSameKey({ binding }: Exchange, jkt: string | undefined, what: string): void {
  if (jkt === undefined || jkt === binding.jkt) return;
  throw new OAuthError("invalid_grant", `The ${what} is bound to another DPoP key.`);
}
