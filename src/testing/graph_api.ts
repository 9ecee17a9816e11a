/**
 * One protected endpoint of Microsoft Graph, so that a token can be put to use.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/graph/api/organization-list | List organization}
 */
import { errors, type JWTPayload, jwtVerify } from "jose";
import { cloudOfGraphHost, GRAPH_APP_ID, issuersOf, PUBLIC_CLOUD } from "./clouds.ts";
import type { Tenant } from "./directory.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";

/** Any of these application permissions lets an app read the organization. */
const SUFFICIENT_ROLES: readonly string[] = ["Organization.Read.All", "Organization.ReadWrite.All"];

/** An error in the shape that Graph answers. */
class GraphError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, text: string) {
    super(text);
    this.name = "GraphError";
    this.status = status;
    this.code = code;
  }
}

function loginOrigin(exchange: Exchange): string {
  const cloud = cloudOfGraphHost(new URL(exchange.origin).host);
  return cloud ? `https://${cloud.hosts[0]}` : exchange.origin;
}

/** Answers with an error as Graph writes it; a 401 also says where to get a token. */
export function graphErrorResponse(
  exchange: Exchange,
  failure: { readonly status: number; readonly code: string; readonly message: string },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { traceId, correlationId } = exchange;
  const date = new Date(exchange.services.clock.now()).toISOString().slice(0, 19);
  const innerError = { date, "request-id": traceId, "client-request-id": correlationId };
  const challenge =
    `Bearer realm="", authorization_uri="${loginOrigin(exchange)}/common/oauth2/authorize", ` +
    `client_id="${GRAPH_APP_ID}"`;
  const body = { error: { code: failure.code, message: failure.message, innerError } };
  return jsonResponse(exchange, body, failure.status, {
    "cache-control": "no-store",
    ...(failure.status === 401 ? { "www-authenticate": challenge } : {}),
    ...headers,
  });
}

function bearerToken(exchange: Exchange): string {
  const authorization = exchange.incoming.headers.get("authorization") ?? "";
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw new GraphError(401, "InvalidAuthenticationToken", "Access token is empty.");
  return token;
}

function refusalOf(cause: unknown): GraphError {
  const refuse = (text: string): GraphError => new GraphError(401, "InvalidAuthenticationToken", text);
  if (cause instanceof errors.JWTExpired) return refuse("Lifetime validation failed, the token is expired.");
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === "aud") return refuse("Access token validation failure. Invalid audience.");
    return refuse("Access token has expired or is not yet valid.");
  }
  if (cause instanceof errors.JWSSignatureVerificationFailed) {
    return refuse("Access token validation failure. Invalid signature.");
  }
  return refuse("Access token is malformed or signed with an unknown key.");
}

async function verifiedClaims(exchange: Exchange, token: string): Promise<JWTPayload> {
  const { services } = exchange;
  const keys = await services.keys.all();
  const audience = services.directory.resource(GRAPH_APP_ID)?.identifierUris ?? [];
  try {
    const { payload } = await jwtVerify(token, (header) => {
      const key = keys.find(({ kid }) => kid === header.kid);
      if (!key) throw new errors.JWKSNoMatchingKey();
      return key.publicKey;
    }, {
      algorithms: ["RS256"],
      audience: [...audience, ...audience.map((uri) => `${uri}/`), GRAPH_APP_ID],
      currentDate: new Date(services.clock.now()),
      requiredClaims: ["exp", "nbf", "iss", "tid"],
    });
    return payload;
  } catch (cause) {
    throw refusalOf(cause);
  }
}

/** The tenant that issued the token, which must be one that this face answers for. */
function issuingTenant(exchange: Exchange, claims: JWTPayload): Tenant {
  const tenant = exchange.services.directory.tenant(String(claims["tid"]));
  const origins = [loginOrigin(exchange), exchange.issuerOrigin, `https://${PUBLIC_CLOUD.hosts[0]}`];
  const issuers = tenant ? origins.flatMap((origin) => Object.values(issuersOf(origin, tenant.id))) : [];
  if (tenant && issuers.includes(claims.iss)) return tenant;
  throw new GraphError(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid issuer.");
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

async function organization(exchange: Exchange): Promise<Response> {
  if (exchange.incoming.method !== "GET") {
    throw new GraphError(
      405,
      "Request_BadRequest",
      "Specified HTTP method is not allowed for the request target.",
    );
  }
  const claims = await verifiedClaims(exchange, bearerToken(exchange));
  const tenant = issuingTenant(exchange, claims);
  const roles = Array.isArray(claims["roles"]) ? claims["roles"] : [];
  if (!SUFFICIENT_ROLES.some((role) => roles.includes(role))) {
    throw new GraphError(
      403,
      "Authorization_RequestDenied",
      "Insufficient privileges to complete the operation.",
    );
  }
  const graph = cloudOfGraphHost(new URL(exchange.origin).host)?.graphHost ?? PUBLIC_CLOUD.graphHost;
  const context = { "@odata.context": `https://${graph}/v1.0/$metadata#organization` };
  return jsonResponse(exchange, { ...context, value: [organizationOf(tenant)] }, 200, {
    "cache-control": "no-cache",
  });
}

/** Answers `GET /v1.0/organization`. */
export async function answerGraph(exchange: Exchange): Promise<Response> {
  try {
    return await organization(exchange);
  } catch (cause) {
    if (cause instanceof GraphError) return graphErrorResponse(exchange, cause);
    throw cause;
  }
}
