/**
 * Turns a request for an app token into what is looked up and what is sent.
 *
 * @module
 */

import type { Authority } from "../authority/authority.ts";
import { isSharedTenant, requireTenant } from "../authority/tenant.ts";
import { extendedKeyText } from "../cache/cached_token.ts";
import { bucketKey } from "../cache/token_index.ts";
import { refuse } from "../errors/errors.ts";
import { claimsText, mergeClaims } from "../request/claims.ts";
import { requireExtraParameters } from "../request/extra_parameters.ts";
import type { ClientCredentialRequest } from "../request/requests.ts";
import { requireDefaultScope, requireScopes, scopeKey } from "../request/scopes.ts";

/** A request, checked. */
export interface AppTokenQuery {
  /** The tenant in lower case, or the issuer's path. */
  readonly realm: string;
  /** The bucket in the index. */
  readonly bucket: string;
  /** The scope key. */
  readonly key: string;
  /** The extra components, as tokens carry them. */
  readonly ext: string;
  /** The merged `claims`, to be sent. */
  readonly claims: string | undefined;
}

/**
 * The realm of a request.
 *
 * @param authority The application's authority.
 * @param tenantId The request's tenant, if it has one.
 * @returns The tenant in lower case, or the issuer's path.
 * @throws {ClientConfigurationError} where no app token can be had: no tenant, or one that stands for many.
 */
export function realmOf(authority: Authority, tenantId: string | undefined): string {
  if (authority.kind === "oidc") {
    return tenantId === undefined
      ? authority.tenant
      : refuse("invalid_request", "tenantId", "an oidcAuthority has no tenants");
  }
  const realm = tenantId === undefined ? authority.tenant : requireTenant(tenantId, "tenantId");
  if (isSharedTenant(realm)) {
    const option = tenantId === undefined ? "authority" : "tenantId";
    refuse(
      "invalid_tenant",
      option,
      `an app token needs one tenant, by its GUID or domain, not ${realm}`,
    );
  }
  return realm;
}

/**
 * What sets a token apart from the plain ones for the same scopes, as tokens carry it.
 *
 * @param request The request, its extra parameters checked.
 * @returns `=` and the text of the extra components; empty for none.
 */
export function extOf(
  { fmiPath, forwardedClientClaims, extraQueryParameters, extraBodyParameters }: Partial<
    ClientCredentialRequest
  >,
): string {
  if (fmiPath !== undefined && (typeof fmiPath !== "string" || fmiPath === "")) {
    refuse("invalid_request", "fmiPath", "it must be a non-empty string");
  }
  const text = extendedKeyText({
    ...extraBodyParameters,
    ...Object.fromEntries(
      Object.entries(extraQueryParameters ?? {}).map(([name, value]) => [`?${name}`, value]),
    ),
    fmi_path: fmiPath,
    client_claims: forwardedClientClaims && claimsText(forwardedClientClaims, "forwardedClientClaims"),
  });
  return text && `=${text}`;
}

/**
 * Checks a request.
 *
 * @param authority The application's authority.
 * @param capabilities The `clientCapabilities` option.
 * @param request The request.
 * @returns What to look up and to send.
 * @throws {ClientConfigurationError} that names the request member and how to mend it.
 */
export function toAppTokenQuery(
  authority: Authority,
  capabilities: readonly string[],
  request: ClientCredentialRequest,
): AppTokenQuery {
  const { scopes, correlationId, tenantId, claims, forwardedClientClaims } = request ?? {};
  requireScopes(scopes);
  requireDefaultScope(scopes, authority.kind === "aad");
  if (correlationId !== undefined && !/^[\w-]{1,64}$/.test(correlationId)) {
    refuse("invalid_request", "correlationId", "it must be a GUID");
  }
  const realm = realmOf(authority, tenantId);
  requireExtraParameters(request.extraQueryParameters, "extraQueryParameters");
  requireExtraParameters(request.extraBodyParameters, "extraBodyParameters");
  const ext = extOf(request);
  return {
    realm,
    bucket: bucketKey(realm, "bearer", "", ext),
    key: scopeKey(scopes),
    ext,
    claims: mergeClaims(claims, capabilities, forwardedClientClaims),
  };
}
