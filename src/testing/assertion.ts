/**
 * Checks the access token that an API presents to act for its caller.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3 | RFC 7523 section 3}
 */
import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from "jose";
import { issuersOf, PUBLIC_CLOUD } from "./clouds.ts";
import type { App, Tenant, User } from "./declared.ts";
import { EntraError } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { SigningKey } from "./signing_keys.ts";
import { objectIdIn } from "./user_tenant.ts";

/** An assertion that was accepted. */
export interface Assertion {
  readonly claims: JWTPayload;
  /** The user whom it is for. */
  readonly user: User;
}

function invalidGrant(code: number, text: string, suberror?: string): EntraError {
  return new EntraError(400, "invalid_grant", code, text, suberror === undefined ? {} : { suberror });
}

function failedSignature(reason: string): EntraError {
  return invalidGrant(50013, `Assertion failed signature validation. [Reason - ${reason}]`);
}

function outOfTime(exchange: Exchange, { exp }: JWTPayload): EntraError {
  const now = new Date(exchange.services.clock.now()).toISOString();
  const expiry = exp === undefined ? "none" : new Date(exp * 1000).toISOString();
  const text =
    "Assertion is not within its valid time range. Ensure that the access token is not expired before using it " +
    `for user assertion, or request a new token. Current time: ${now}, expiry time of assertion ${expiry}.`;
  return invalidGrant(500133, text);
}

function refusalOf(exchange: Exchange, cause: unknown): EntraError {
  if (cause instanceof errors.JWTExpired) return outOfTime(exchange, cause.payload);
  if (cause instanceof errors.JWTClaimValidationFailed) return outOfTime(exchange, cause.payload);
  if (cause instanceof errors.JWKSNoMatchingKey) return failedSignature("The key was not found.");
  if (cause instanceof errors.JWSSignatureVerificationFailed) {
    return failedSignature("The provided signature value did not match the expected signature value.");
  }
  return new EntraError(400, "invalid_request", 50027, "JWT token is invalid or malformed.");
}

function keyAmong(keys: readonly SigningKey[]): JWTVerifyGetKey {
  return (header) => {
    const key = keys.find(({ kid }) => kid === header.kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  };
}

async function verifiedClaims(exchange: Exchange, assertion: string): Promise<JWTPayload> {
  const { keys, clock } = exchange.services;
  const key = keyAmong(await keys.all());
  try {
    const options = { algorithms: ["RS256"], currentDate: new Date(clock.now()), requiredClaims: ["exp"] };
    return (await jwtVerify(assertion, key, options)).payload;
  } catch (cause) {
    throw refusalOf(exchange, cause);
  }
}

/** The tenant that issued it, which must be one that this face answers for. */
function issuingTenant(exchange: Exchange, { iss, tid }: JWTPayload): Tenant {
  const tenant = exchange.services.directory.tenant(String(tid));
  const origins = [exchange.issuerOrigin, exchange.origin, `https://${PUBLIC_CLOUD.hosts[0]}`];
  const issuers = tenant ? origins.flatMap((origin) => Object.values(issuersOf(origin, tenant.id))) : [];
  if (tenant && issuers.includes(iss)) return tenant;
  throw invalidGrant(50013, "Assertion failed validation. [Reason - The issuer is not known.]");
}

/** It must be for the app that presents it: for its client id, or the API of the same registration. */
function requireOwnAudience(exchange: Exchange, client: App, { aud }: JWTPayload): void {
  const audience = String(aud);
  const resource = exchange.services.directory.resource(audience);
  if (audience === client.clientId || resource?.appId === client.clientId) return;
  const text =
    "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was " +
    `'${audience}' and the expected audience is '${client.clientId}' or one of the Application Uris of this ` +
    `application with App ID '${client.clientId}'(${client.name}). The downstream client must request a token for ` +
    "the expected audience (the application that made the OBO request) and this application should use that token " +
    "as the assertion.";
  throw invalidGrant(500131, text);
}

/** Only an access token for a user can be exchanged: no ID token, and none for an app alone. */
function requireDelegated({ clientId }: App, claims: JWTPayload): void {
  if (claims["azp"] === undefined && claims["appid"] === undefined) {
    const text = "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.";
    throw new EntraError(400, "invalid_request", 240002, text);
  }
  if (typeof claims["scp"] === "string" && claims["idtyp"] !== "app") return;
  const text = `Application '${clientId}' is not allowed to make application on-behalf-of calls.`;
  throw new EntraError(400, "unauthorized_client", 7000114, text);
}

function userOf(exchange: Exchange, tenant: Tenant, { oid, nbf }: JWTPayload): User {
  const { directory, revocations } = exchange.services;
  const user = directory.users.find((other) => objectIdIn(other, tenant) === oid);
  if (!user) throw invalidGrant(50034, "The user account {EUII Hidden} does not exist in the directory.");
  if ((nbf ?? 0) >= revocations.validFromSeconds(user)) return user;
  const text =
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have " +
    "changed or reset their password.";
  throw invalidGrant(50173, text, "bad_token");
}

/** Checks an assertion. Throws AADSTS50013, 50027, 50034, 50173, 500131, 500133, 240002 or 7000114. */
export async function acceptedAssertion(
  exchange: Exchange,
  client: App,
  assertion: string,
): Promise<Assertion> {
  const claims = await verifiedClaims(exchange, assertion);
  const tenant = issuingTenant(exchange, claims);
  requireOwnAudience(exchange, client, claims);
  requireDelegated(client, claims);
  return { claims, user: userOf(exchange, tenant, claims) };
}
