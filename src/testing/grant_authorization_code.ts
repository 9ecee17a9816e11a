/**
 * The authorization code grant.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3 | RFC 6749 section 4.1.3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.6 | RFC 7636 section 4.6}
 */
import { base64url } from "jose";
import { readClaims } from "./claims_request.ts";
import type { App } from "./declared.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { AuthorizationCode } from "./grant_store.ts";
import { authenticatedClient, pathSegment } from "./path_client.ts";
import { requirePlace } from "./shapes/place.ts";
import { readScopes, splitScopes } from "./requested_scopes.ts";
import { sha256 } from "./token_parts.ts";
import { refreshTokenKey, requireSameKey } from "./token_binding.ts";
import { plannedAnswer, writtenAnswer } from "./user_answer.ts";
import { tenantFor } from "./user_tenant.ts";

function invalidGrant(code: number, text: string, suberror?: string): EntraError {
  return new EntraError(400, "invalid_grant", code, text, suberror === undefined ? {} : { suberror });
}

/** A code that comes twice may have been stolen. */
function refuseUsed(exchange: Exchange, code: AuthorizationCode): void {
  if (!code.used) return;
  if (exchange.services.refreshTokens.detectReuse) code.grant.revoked = true;
  const text =
    "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an " +
    "existing refresh token.";
  throw invalidGrant(54005, text);
}

function findCode(exchange: Exchange, form: ReadonlyMap<string, string>): AuthorizationCode {
  const secret = form.get("code");
  if (secret === undefined) throw missingParameter("code");
  const code = exchange.services.grants.code(secret);
  if (code) return code;
  const text = "The provided authorization code or refresh token has expired due to inactivity. Send a new " +
    "interactive authorization request for this user and resource.";
  // Codes look alike, so that one that has expired can be told from one that never was.
  if (/^1\.A[\w-]{64}$/.test(secret)) throw invalidGrant(70008, text);
  throw invalidGrant(70000, "The provided value for the 'code' parameter is not valid.");
}

function requireSameRequest(
  code: AuthorizationCode,
  client: App,
  form: ReadonlyMap<string, string>,
): void {
  if (code.grant.app !== client) {
    throw invalidGrant(700007, "The grant was issued for a different client id.");
  }
  const redirectUri = form.get("redirect_uri");
  if (redirectUri === undefined) throw missingParameter("redirect_uri");
  if (redirectUri === code.redirectUri) return;
  const text = `The reply address '${redirectUri}' does not match the reply address '${code.redirectUri}' ` +
    "provided when requesting Authorization code.";
  throw new EntraError(400, "invalid_client", 500112, text);
}

async function requireVerifier(code: AuthorizationCode, verifier: string | undefined): Promise<void> {
  // A verifier without a challenge is a downgrade: RFC 9700 section 4.8.2.
  if (code.codeChallenge === undefined && verifier === undefined) return;
  const computed = verifier === undefined ? undefined : base64url.encode(await sha256(verifier));
  if (computed !== undefined && computed === code.codeChallenge) return;
  const text =
    "The Code_Verifier does not match the code_challenge supplied in the authorization request for PKCE.";
  throw invalidGrant(501481, text);
}

function requireSameTenant(exchange: Exchange, code: AuthorizationCode): ReturnType<typeof tenantFor> {
  const { user, app } = code.grant;
  const tenant = tenantFor(exchange, app, pathSegment(exchange), user);
  if (tenant.id === code.tenantId) return tenant;
  const text = "Provided Authorization Code is intended to use against other tenant, thus rejected.";
  throw invalidGrant(700005, text);
}

function refuseRevoked(exchange: Exchange, { grant }: AuthorizationCode): void {
  if (grant.generation >= exchange.services.revocations.generation(grant.user)) return;
  const text = "The provided grant has expired due to it being revoked, a fresh auth token is needed.";
  throw invalidGrant(50173, text, "bad_token");
}

/** The scopes of the request, or those of the authorization: of its first resource, if it had several. */
function scopesOf(exchange: Exchange, code: AuthorizationCode, scope: string | undefined): readonly string[] {
  if (scope !== undefined) return splitScopes(scope);
  const { app, scopes } = code.grant;
  if (exchange.route.shape?.dialect) return scopes;
  const { oidc, resources: [first] } = readScopes(exchange.services.directory, app, scopes);
  return [...oidc, ...(first?.names ?? []).map((name) => `${first?.prefix}${name}`)];
}

/** Answers a request with a code. */
export async function grantAuthorizationCode(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<Record<string, unknown>> {
  const client = await authenticatedClient(exchange, form);
  const code = findCode(exchange, form);
  requireSameRequest(code, client, form);
  requirePlace(exchange, code.grant.place);
  await requireVerifier(code, form.get("code_verifier"));
  requireSameKey(exchange, code.jkt, "code");
  // Nothing below waits for anything until the code is used up.
  refuseUsed(exchange, code);
  refuseRevoked(exchange, code);
  const scopes = scopesOf(exchange, code, form.get("scope"));
  const { grant, nonce } = code;
  const sent = form.get("claims");
  const answer = plannedAnswer(exchange, {
    grant,
    client,
    tenant: requireSameTenant(exchange, code),
    claims: sent === undefined ? code.claims : readClaims(sent),
    nonce,
    clientInfo: form.get("client_info") === "1",
  }, scopes);
  code.used = true;
  const offline = [...scopes, ...grant.scopes].includes("offline_access");
  const { grants } = exchange.services;
  const issued = offline
    ? grants.addRefreshToken(grant, client, refreshTokenKey(exchange, client))
    : undefined;
  return await writtenAnswer(exchange, answer, issued);
}
