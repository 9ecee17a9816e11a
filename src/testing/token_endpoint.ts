/**
 * The token endpoint: reads the form and hands it to the grant that it names.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 | RFC 6749 section 3.2}
 */
import { EntraError, missingParameter } from "./entra_error.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { readForm } from "./form.ts";
import { grantAuthorizationCode } from "./grant_authorization_code.ts";
import { grantClientCredentials } from "./grant_client_credentials.ts";
import { grantDeviceCode } from "./grant_device_code.ts";
import { grantOnBehalfOf } from "./grant_on_behalf_of.ts";
import { grantRefreshToken } from "./grant_refresh_token.ts";
import { tokenBindingOf } from "./token_binding.ts";

/** Answers one grant type. */
type Grant = (exchange: Exchange, form: ReadonlyMap<string, string>) => Promise<Record<string, unknown>>;

const GRANTS: ReadonlyMap<string, Grant> = new Map([
  ["client_credentials", grantClientCredentials],
  ["authorization_code", grantAuthorizationCode],
  ["refresh_token", grantRefreshToken],
  ["urn:ietf:params:oauth:grant-type:jwt-bearer", grantOnBehalfOf],
  ["urn:ietf:params:oauth:grant-type:device_code", grantDeviceCode],
  // What the version 1 endpoints called it, and some clients still do.
  ["device_code", grantDeviceCode],
]);

/** Answers a token request. */
export async function answerToken(exchange: Exchange): Promise<Response> {
  const form = readForm(exchange);
  const grantType = form.get("grant_type");
  if (grantType === undefined) throw missingParameter("grant_type");
  const { dialect } = exchange.route.shape ?? {};
  const isThere = dialect?.grants.includes(grantType) ?? true;
  const grant = isThere ? GRANTS.get(grantType) : undefined;
  if (!grant) {
    const text = `The app requested an unsupported grant type '${grantType}'.`;
    throw new EntraError(400, "unsupported_grant_type", 70003, text);
  }
  const body = await grant({ ...exchange, binding: await tokenBindingOf(exchange, form) }, form);
  const nonces = exchange.services.dpop?.tokenNonces;
  return jsonResponse(exchange, body, 200, {
    "cache-control": "no-store, no-cache",
    pragma: "no-cache",
    ...(nonces?.required ? { "dpop-nonce": nonces.current() } : {}),
  });
}
