/**
 * Checks the access token that a request to Microsoft Graph carries.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 | RFC 6750 section 2.1}
 */
import { errors, type JWTPayload, jwtVerify } from "jose";
import { GRAPH_APP_ID, issuersOf, PUBLIC_CLOUD } from "./clouds.ts";
import type { Tenant, User } from "./declared.ts";
import type { Exchange } from "./exchange.ts";
import { GraphError, loginOrigin } from "./graph_error.ts";
import { presentedToken } from "./presented_token.ts";
import { objectIdIn } from "./user_tenant.ts";

/** A token that was accepted. */
export interface Bearer {
  readonly claims: JWTPayload;
  /** The tenant that issued it. */
  readonly tenant: Tenant;
  /** The user whom it is for; absent if it is for an app. */
  readonly user?: User;
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

/** Refuses a token from before the user's sessions were revoked, and says what a new one must have. */
function refuseRevoked(exchange: Exchange, user: User, claims: JWTPayload): void {
  const validFrom = exchange.services.revocations.validFromSeconds(user);
  if ((claims.nbf ?? 0) >= validFrom) return;
  const wanted = { access_token: { nbf: { essential: true, value: String(validFrom) } } };
  throw new GraphError(
    401,
    "InvalidAuthenticationToken",
    "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: " +
      "TokenIssuedBeforeRevocationTimestamp",
    `, error="insufficient_claims", claims="${btoa(JSON.stringify(wanted))}"`,
  );
}

/** Reads and checks the token of a request. Throws a `GraphError`. */
export async function bearerOf(exchange: Exchange): Promise<Bearer> {
  const { accessToken, requireBinding } = await presentedToken(exchange);
  const claims = await verifiedClaims(exchange, accessToken);
  requireBinding(claims);
  const tenant = issuingTenant(exchange, claims);
  if (typeof claims["scp"] !== "string") return { claims, tenant };
  const user = exchange.services.directory.users.find((other) => objectIdIn(other, tenant) === claims["oid"]);
  if (!user) throw new GraphError(401, "InvalidAuthenticationToken", "The user no longer exists.");
  refuseRevoked(exchange, user, claims);
  return { claims, tenant, user };
}

/** The permissions that a token carries under a claim: `roles` of an app, `scp` of a user. */
export function permissionsOf({ claims }: Bearer, claim: "roles" | "scp"): readonly unknown[] {
  const value = claims[claim];
  if (claim === "scp") return typeof value === "string" ? value.split(" ") : [];
  return Array.isArray(value) ? value : [];
}
