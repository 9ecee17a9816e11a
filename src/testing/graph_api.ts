/**
 * Two protected resources of Microsoft Graph, so that a token can be put to use.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/graph/api/organization-list | List organization}
 * @see {@link https://learn.microsoft.com/en-us/graph/api/user-get | Get a user}
 */
import { type Bearer, bearerOf, permissionsOf } from "./bearer.ts";
import { cloudOfGraphHost, PUBLIC_CLOUD } from "./clouds.ts";
import type { Tenant, User } from "./declared.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { GraphError } from "./graph_error.ts";

/** Any of these application permissions lets an app read the organization. */
const ORGANIZATION_ROLES: readonly string[] = ["Organization.Read.All", "Organization.ReadWrite.All"];
/** Any of these delegated permissions lets an app do so for a user. */
const ORGANIZATION_SCOPES: readonly string[] = ["User.Read", ...ORGANIZATION_ROLES];
/** Any of these delegated permissions lets an app read who its user is. */
const ME_SCOPES: readonly string[] = ["User.Read", "User.ReadBasic.All", "User.Read.All"];

function requireOneOf(sufficient: readonly string[], bearer: Bearer, claim: "roles" | "scp"): void {
  const granted = permissionsOf(bearer, claim);
  if (sufficient.some((permission) => granted.includes(permission))) return;
  const text = "Insufficient privileges to complete the operation.";
  throw new GraphError(403, "Authorization_RequestDenied", text);
}

function organizationOf(tenant: Tenant): Record<string, unknown> {
  const verifiedDomains = tenant.domains.map((name, index) => ({
    capabilities: "Email, OfficeCommunicationsOnline",
    isDefault: index === 0,
    isInitial: index === 0,
    name,
    type: "Managed",
  }));
  return { id: tenant.id, displayName: tenant.name, tenantType: "AAD", verifiedDomains };
}

function organization(bearer: Bearer): Record<string, unknown> {
  if (bearer.user) requireOneOf(ORGANIZATION_SCOPES, bearer, "scp");
  else requireOneOf(ORGANIZATION_ROLES, bearer, "roles");
  return { value: [organizationOf(bearer.tenant)] };
}

function userOf(user: User, id: unknown): Record<string, unknown> {
  return {
    businessPhones: [],
    displayName: user.name,
    givenName: user.name.split(" ")[0] ?? null,
    jobTitle: null,
    mail: user.email ?? null,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
    surname: user.name.split(" ").slice(1).join(" ") || null,
    userPrincipalName: user.username,
    id,
  };
}

function me(bearer: Bearer): Record<string, unknown> {
  if (!bearer.user) {
    throw new GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
  }
  requireOneOf(ME_SCOPES, bearer, "scp");
  return userOf(bearer.user, bearer.claims["oid"]);
}

/** Answers `GET /v1.0/organization` and `GET /v1.0/me`. Throws a `GraphError`. */
export async function answerGraph(exchange: Exchange): Promise<Response> {
  const { incoming, origin } = exchange;
  if (incoming.method !== "GET") {
    const text = "Specified HTTP method is not allowed for the request target.";
    throw new GraphError(405, "Request_BadRequest", text);
  }
  const bearer = await bearerOf(exchange);
  const isMe = /\/me\/*$/.test(incoming.url.pathname);
  const graph = cloudOfGraphHost(new URL(origin).host)?.graphHost ?? PUBLIC_CLOUD.graphHost;
  const context = `https://${graph}/v1.0/$metadata#${isMe ? "users/$entity" : "organization"}`;
  const body = { "@odata.context": context, ...(isMe ? me(bearer) : organization(bearer)) };
  return jsonResponse(exchange, body, 200, { "cache-control": "no-cache" });
}
