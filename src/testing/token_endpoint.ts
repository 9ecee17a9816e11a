/**
 * The token endpoint: reads the form and hands it to the grant that it names.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 | RFC 6749 section 3.2}
 */
import { EntraError, malformedRequest, missingParameter, wrongMethod } from "./entra_error.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { grantClientCredentials } from "./grant_client_credentials.ts";
import { formOf } from "./incoming.ts";

/** Answers one grant type. */
type Grant = (exchange: Exchange, form: ReadonlyMap<string, string>) => Promise<Record<string, unknown>>;

const GRANTS: ReadonlyMap<string, Grant> = new Map([["client_credentials", grantClientCredentials]]);

/** A form without repeated parameters; empty ones count as absent. */
function singleValued(form: URLSearchParams): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of form) {
    if (seen.has(name)) {
      const text = `The request is not properly formatted. The parameter '${name}' is duplicated.`;
      throw new EntraError(400, "invalid_request", 9000411, text);
    }
    seen.add(name);
    if (value !== "") values.set(name, value);
  }
  return values;
}

function tokenForm(exchange: Exchange): ReadonlyMap<string, string> {
  const { incoming } = exchange;
  if (incoming.method !== "POST") throw wrongMethod("POST", incoming.method);
  if (incoming.body === undefined) throw malformedRequest(413);
  // Entra finds no parameters in a body that is no form, and says so.
  return singleValued(formOf(incoming) ?? new URLSearchParams());
}

/** Answers a token request. */
export async function answerToken(exchange: Exchange): Promise<Response> {
  const form = tokenForm(exchange);
  const grantType = form.get("grant_type");
  if (grantType === undefined) throw missingParameter("grant_type");
  const grant = GRANTS.get(grantType);
  if (!grant) {
    const text = `The app requested an unsupported grant type '${grantType}'.`;
    throw new EntraError(400, "unsupported_grant_type", 70003, text);
  }
  const body = await grant(exchange, form);
  return jsonResponse(exchange, body, 200, { "cache-control": "no-store, no-cache", pragma: "no-cache" });
}
