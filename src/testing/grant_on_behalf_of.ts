/**
 * The on-behalf-of grant: an API asks for a token of another API, for the user who called it.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-on-behalf-of-flow | On-behalf-of flow}
 */
import { acceptedAssertion, type Assertion } from "./assertion.ts";
import { readClaims } from "./claims_request.ts";
import { credentialRequired } from "./client_authentication.ts";
import type { App } from "./declared.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { UserGrant } from "./grant_store.ts";
import { authenticatedClient, pathSegment } from "./path_client.ts";
import { splitScopes } from "./requested_scopes.ts";
import { originOf } from "./token_origin.ts";
import { refreshTokenKey } from "./token_binding.ts";
import { plannedAnswer, writtenAnswer } from "./user_answer.ts";
import { grantFor } from "./user_grant.ts";
import { tenantFor } from "./user_tenant.ts";

function required(form: ReadonlyMap<string, string>, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw missingParameter(name);
  return value;
}

function requireTokenUse(form: ReadonlyMap<string, string>): void {
  const use = required(form, "requested_token_use");
  if (use === "on_behalf_of") return;
  throw new EntraError(400, "invalid_request", 90023, `Unsupported 'requested_token_use' value '${use}'.`);
}

/** What the caller's sign-in lets the API have. */
function grantOf(
  exchange: Exchange,
  client: App,
  { claims, user }: Assertion,
  scopes: readonly string[],
): UserGrant {
  const acrs = claims["acrs"];
  const contexts = Array.isArray(acrs) ? acrs.map(String) : [];
  const wantsAuthTime = client.optionalClaims.includes("auth_time");
  return grantFor(exchange, client, { user, ...originOf(claims), contexts }, scopes, wantsAuthTime);
}

/** Answers a request with the access token of the API's caller. */
export async function grantOnBehalfOf(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<Record<string, unknown>> {
  const client = await authenticatedClient(exchange, form);
  if (client.publicClient) throw credentialRequired();
  requireTokenUse(form);
  const scopes = splitScopes(required(form, "scope"));
  const assertion = await acceptedAssertion(exchange, client, required(form, "assertion"));
  const grant = grantOf(exchange, client, assertion, scopes);
  const answer = plannedAnswer(exchange, {
    grant,
    client,
    // As at Entra ID, `common` and `organizations` stand for the user's home, not for the assertion's tenant.
    tenant: tenantFor(exchange, client, pathSegment(exchange), assertion.user),
    claims: readClaims(form.get("claims")),
    nonce: undefined,
    clientInfo: form.get("client_info") === "1",
  }, scopes);
  const { grants } = exchange.services;
  const offline = scopes.includes("offline_access");
  const issued = offline
    ? grants.addRefreshToken(grant, client, refreshTokenKey(exchange, client))
    : undefined;
  return await writtenAnswer(exchange, answer, issued);
}
