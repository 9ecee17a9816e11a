/**
 * The refresh token grant.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-6 | RFC 6749 section 6}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.14 | RFC 9700 section 4.14}
 */
import { readClaims } from "./claims_request.ts";
import type { App } from "./declared.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { RefreshToken } from "./grant_store.ts";
import { authenticatedClient, pathSegment } from "./path_client.ts";
import { requirePlace } from "./shapes/place.ts";
import { splitScopes } from "./requested_scopes.ts";
import { refreshTokenKey, requireSameKey } from "./token_binding.ts";
import { plannedAnswer, writtenAnswer } from "./user_answer.ts";
import { tenantFor } from "./user_tenant.ts";

function invalidGrant(code: number, suberror: string, text: string): EntraError {
  return new EntraError(400, "invalid_grant", code, text, { suberror });
}

function invalidToken(): EntraError {
  const text = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid.";
  return invalidGrant(70000, "bad_token", text);
}

function findToken(exchange: Exchange, secret: string): RefreshToken {
  const token = exchange.services.grants.refreshToken(secret);
  if (token) return token;
  if (!/^1\.R[\w-]{64}$/.test(secret)) throw invalidToken();
  const text = "The refresh token has expired due to inactivity.";
  throw invalidGrant(700082, "token_expired", text);
}

/** Clients of one family may redeem each other's tokens. */
function requireOwner({ client: owner }: RefreshToken, client: App): void {
  if (owner === client || (owner.familyId !== undefined && owner.familyId === client.familyId)) return;
  throw invalidGrant(700007, "client_mismatch", "The grant was issued for a different client id.");
}

function requireLive(exchange: Exchange, token: RefreshToken): void {
  const { revocations, refreshTokens } = exchange.services;
  const { grant } = token;
  if (grant.generation < revocations.generation(grant.user)) {
    const text =
      "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user " +
      "might have changed or reset their password.";
    throw invalidGrant(50173, "bad_token", text);
  }
  if (token.superseded && refreshTokens.detectReuse) grant.revoked = true;
  if (grant.revoked) throw invalidToken();
}

/** The token that the answer carries: a new one, or the same one if they do not rotate. */
function successor(exchange: Exchange, secret: string, token: RefreshToken, client: App): string {
  const { grants, refreshTokens } = exchange.services;
  if (refreshTokens.rotate ?? true) {
    token.superseded = true;
    return grants.addRefreshToken(token.grant, client, refreshTokenKey(exchange, client));
  }
  grants.keepRefreshToken(secret, token);
  return secret;
}

/** Answers a request with a refresh token. */
export async function grantRefreshToken(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<Record<string, unknown>> {
  const client = await authenticatedClient(exchange, form);
  const secret = form.get("refresh_token");
  if (secret === undefined) throw missingParameter("refresh_token");
  // Nothing below waits for anything until the token is replaced.
  const token = findToken(exchange, secret);
  requireOwner(token, client);
  requirePlace(exchange, token.grant.place);
  requireSameKey(exchange, token.jkt, "refresh token");
  requireLive(exchange, token);
  const { grant } = token;
  const scope = form.get("scope");
  const answer = plannedAnswer(exchange, {
    grant,
    client,
    tenant: tenantFor(exchange, client, pathSegment(exchange), grant.user),
    claims: readClaims(form.get("claims")),
    nonce: undefined,
    clientInfo: form.get("client_info") === "1",
  }, scope === undefined ? grant.scopes : splitScopes(scope));
  return await writtenAnswer(exchange, answer, successor(exchange, secret, token, client));
}
