/**
 * Pushed authorization requests.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9126#section-2 | RFC 9126 section 2}
 */
import { RedirectableError } from "./authorization_request.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { readForm } from "./form.ts";
import { OAuthError } from "./oauth_error.ts";
import { authenticatedClient } from "./path_client.ts";
import { PUSHED_LIFETIME_SECONDS } from "./pushed_request_store.ts";
import { readAuthorizationRequest } from "./read_authorization_request.ts";
import { tokenBindingOf } from "./token_binding.ts";

/** What proves the client, and is no part of the request. */
const CREDENTIALS: readonly string[] = ["client_secret", "client_assertion", "client_assertion_type"];

/** A request that is wrong is refused here already; there is no redirect to tell of it. */
function checked(exchange: Exchange, parameters: URLSearchParams): URLSearchParams {
  try {
    readAuthorizationRequest(exchange, parameters);
    return parameters;
  } catch (cause) {
    if (!(cause instanceof RedirectableError)) throw cause;
    throw new EntraError(400, cause.error, cause.code, cause.message);
  }
}

/** A proof that comes with the request binds its code, as `dpop_jkt` does. */
function boundTo(parameters: URLSearchParams, jkt: string | undefined): void {
  if (jkt === undefined) return;
  const named = parameters.get("dpop_jkt") ?? jkt;
  if (named !== jkt) throw new OAuthError("invalid_dpop_proof", "The key of the DPoP proof is not dpop_jkt.");
  parameters.set("dpop_jkt", jkt);
}

/** Answers a pushed authorization request. */
export async function answerPushedRequest(exchange: Exchange): Promise<Response> {
  const { pushedRequests } = exchange.services;
  if (!pushedRequests) throw new OAuthError("invalid_request", "There is no such endpoint.", {}, 404);
  const form = readForm(exchange);
  const { jkt } = await tokenBindingOf(exchange, form);
  const client = await authenticatedClient(exchange, form);
  if (form.has("request_uri")) {
    throw new OAuthError("invalid_request", "A pushed request must not have a request_uri.");
  }
  const parameters = new URLSearchParams([...form].filter(([name]) => !CREDENTIALS.includes(name)));
  parameters.set("client_id", client.clientId);
  boundTo(parameters, jkt);
  const body = {
    request_uri: pushedRequests.add(checked(exchange, parameters)),
    expires_in: PUSHED_LIFETIME_SECONDS,
  };
  return jsonResponse(exchange, body, 201, { "cache-control": "no-store", pragma: "no-cache" });
}

/**
 * What an authorization request stands for: itself, or what was pushed.
 *
 * Throws an `EntraError`: nobody knows where an error could be sent.
 */
export function withPushed({ services }: Exchange, parameters: URLSearchParams): URLSearchParams {
  const { pushedRequests } = services;
  const uri = parameters.get("request_uri");
  if (!pushedRequests || (uri === null && !pushedRequests.required)) return parameters;
  if (uri === null) throw new EntraError(400, "invalid_request", 90023, "The request must be pushed first.");
  const clientId = parameters.get("client_id");
  if (clientId === null) throw missingParameter("client_id");
  const pushed = pushedRequests.take(uri, clientId);
  if (pushed) return pushed;
  const text = "The 'request_uri' is not known for this client, has expired, or was used before.";
  throw new EntraError(400, "invalid_request_uri", 90023, text);
}
