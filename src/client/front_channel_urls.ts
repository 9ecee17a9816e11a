/**
 * URLs that a browser is sent to beside that of a sign-in: sign-out and an administrator's consent.
 *
 * @module
 */

import { refuse, requireObject } from "../errors/errors.ts";
import { optionalText } from "../request/authorization_request.ts";
import { requireExtraParameters } from "../request/extra_parameters.ts";
import { requireRedirectUri } from "../request/redirect_uri.ts";
import { requireScopeTokens } from "../request/scopes.ts";
import type { AdminConsentUrlRequest, SignOutUrlRequest } from "../request/user_requests.ts";
import type { Engine } from "./engine.ts";
import { tenantOf } from "./user_query.ts";

/**
 * Makes the URL that signs a user out at the authority, OpenID Connect RP-Initiated Logout section 2.
 *
 * @param engine The application's parts.
 * @param request Where to come back to, and who is meant.
 * @param isPublic Whether the redirect URI may have a scheme of its own.
 * @returns The URL.
 */
export async function signOutUrl(
  engine: Engine,
  request: SignOutUrlRequest,
  isPublic: boolean,
): Promise<string> {
  const { authority, clientId, waitUntil } = engine.configuration;
  const { postLogoutRedirectUri: back, tenantId, correlationId = "", ...given } = requireObject(
    request,
    "request",
  );
  const tenant = tenantOf(authority, tenantId);
  const { endSession } = await engine.metadata.endpoints(tenant, correlationId, waitUntil);
  if (endSession === undefined) throw engine.noEndpoint("end_session_endpoint", correlationId);
  const own = {
    client_id: clientId,
    post_logout_redirect_uri: back === undefined
      ? undefined
      : requireRedirectUri(back, isPublic, "postLogoutRedirectUri"),
    id_token_hint: optionalText("idTokenHint", given.idTokenHint),
    logout_hint: optionalText("logoutHint", given.logoutHint),
    state: optionalText("state", given.state),
  };
  return withQuery(endSession, [
    ...requireExtraParameters(given.extraQueryParameters, "extraQueryParameters"),
    ...Object.entries(own),
  ]);
}

/**
 * Makes the URL at which an administrator consents for the whole tenant.
 *
 * @param engine The application's parts.
 * @param request Where to come back to, and to what to consent.
 * @param isPublic Whether the redirect URI may have a scheme of its own.
 * @returns The URL.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-admin-consent | Admin consent}
 */
export function adminConsentUrl(engine: Engine, request: AdminConsentUrlRequest, isPublic: boolean): string {
  const { authority, clientId, instanceDiscovery } = engine.configuration;
  const { redirectUri, state, scopes, tenantId } = request ?? {};
  if (authority.kind === "oidc") {
    refuse("invalid_request", "authority", "only Entra ID has administrators' consent");
  }
  // Nobody can be asked here whether an administrator may be sent to that host.
  if (instanceDiscovery !== undefined) {
    refuse("untrusted_authority", "authority", "list its host in knownAuthorities for this URL");
  }
  if (typeof state !== "string" || state === "") refuse("invalid_request", "state", "it is missing");
  if (scopes !== undefined) requireScopeTokens(scopes, "scopes", []);
  const tenant = tenantOf(authority, tenantId);
  const own = {
    client_id: clientId,
    redirect_uri: requireRedirectUri(redirectUri, isPublic),
    state,
    scope: scopes?.join(" "),
  };
  return withQuery(`${engine.authorityOf(tenant)}/v2.0/adminconsent`, Object.entries(own));
}

function withQuery(base: string, pairs: readonly (readonly [string, string | undefined])[]): string {
  const url = new URL(base);
  for (const [name, value] of pairs) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
