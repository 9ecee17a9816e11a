/**
 * Turns a request for an app token into what is looked up and what is sent.
 *
 * @module
 */

import type { Authority } from "../authority/authority.ts";
import { isSharedTenant, requireTenant } from "../authority/tenant.ts";
import { extendedKeyText } from "../cache/access_token.ts";
import { bucketKey } from "../cache/token_index.ts";
import { ClientConfigurationError } from "../errors/errors.ts";
import { claimsText, mergeClaims } from "../request/claims.ts";
import { requireExtraParameters } from "../request/extra_parameters.ts";
import type { ClientCredentialRequest } from "../request/requests.ts";
import { requireDefaultScope, requireScopes, scopeKey } from "../request/scopes.ts";

/** A request, checked: what a hit needs and no more. */
export interface AppTokenQuery {
  /** The tenant in lower case, or the issuer's path. */
  readonly realm: string;
  /** The bucket in the index. */
  readonly bucket: string;
  /** The scope key. */
  readonly key: string;
  /** The text of the extra components; empty for none. */
  readonly extText: string;
}

/** What is sent beyond what is looked up. */
export interface AppTokenParameters {
  /** The merged `claims`. */
  readonly claims: string | undefined;
  /** Added to the query of the token endpoint. */
  readonly query: readonly [string, string][];
  /** Added to the form. */
  readonly body: readonly [string, string][];
}

function requireFmiPath(fmiPath: unknown): string {
  if (typeof fmiPath === "string" && fmiPath !== "") return fmiPath;
  throw new ClientConfigurationError(
    "invalid_request",
    "fmiPath",
    "Cannot use fmiPath: it must be a non-empty string",
  );
}

/** What sets a token apart from the plain ones for the same scopes. */
function componentsOf(request: ClientCredentialRequest): Record<string, string> {
  const { fmiPath, forwardedClientClaims, extraBodyParameters, extraQueryParameters } = request;
  const query = requireExtraParameters(extraQueryParameters, "extraQueryParameters");
  return Object.fromEntries([
    ...requireExtraParameters(extraBodyParameters, "extraBodyParameters"),
    ...query.map(([name, value]) => [`?${name}`, value]),
    ...(fmiPath === undefined ? [] : [["fmi_path", requireFmiPath(fmiPath)]]),
    ...(forwardedClientClaims === undefined ? [] : [["client_claims", claimsText(forwardedClientClaims)]]),
  ]);
}

/** The text by which extra components are told apart, as the cache hashes it. */
export function extTextOf(request: ClientCredentialRequest): string {
  const { fmiPath, forwardedClientClaims, extraBodyParameters, extraQueryParameters } = request;
  const plain = fmiPath === undefined && forwardedClientClaims === undefined &&
    extraBodyParameters === undefined && extraQueryParameters === undefined;
  return plain ? "" : extendedKeyText(componentsOf(request));
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
  if (tenantId === undefined && !authority.shared) return authority.tenant;
  if (authority.kind === "oidc") {
    throw new ClientConfigurationError(
      "invalid_request",
      "tenantId",
      "Cannot use tenantId: an oidcAuthority has no tenants. Leave it out, or make an application for each issuer",
    );
  }
  const realm = tenantId === undefined ? authority.tenant : requireTenant(tenantId, "tenantId");
  if (!isSharedTenant(realm)) return realm;
  const option = tenantId === undefined ? "authority" : "tenantId";
  throw new ClientConfigurationError(
    "invalid_tenant",
    option,
    `Cannot get an app token from ${realm}: an app acts in one tenant. Set ${option} to the tenant's GUID or domain, ` +
      "such as https://login.microsoftonline.com/contoso.onmicrosoft.com",
  );
}

/**
 * Checks a request. This is the hit path: it waits for nothing and makes little.
 *
 * @param authority The application's authority.
 * @param request The request.
 * @returns What to look up.
 * @throws {ClientConfigurationError} that names the request member and how to mend it.
 */
export function toAppTokenQuery(authority: Authority, request: ClientCredentialRequest): AppTokenQuery {
  if (typeof request !== "object" || request === null) requireScopes(undefined);
  requireScopes(request.scopes);
  requireDefaultScope(request.scopes, authority.kind === "aad");
  const { correlationId } = request;
  if (correlationId !== undefined && !/^[0-9A-Za-z-]{1,64}$/.test(correlationId)) {
    throw new ClientConfigurationError(
      "invalid_request",
      "correlationId",
      "Cannot use correlationId: give a GUID",
    );
  }
  const realm = realmOf(authority, request.tenantId);
  const extText = extTextOf(request);
  const bucket = extText === "" ? realm : bucketKey(realm, "bearer", "", `=${extText}`);
  return { realm, bucket, key: scopeKey(request.scopes), extText };
}

/**
 * Reads what a hit did not need.
 *
 * @param request The request.
 * @param capabilities The `clientCapabilities` option.
 * @returns What to send.
 * @throws {ClientConfigurationError} `invalid_claims`, `reserved_parameter` or `invalid_request`.
 */
export function toAppTokenParameters(
  request: ClientCredentialRequest,
  capabilities: readonly string[],
): AppTokenParameters {
  return {
    claims: mergeClaims(request.claims, capabilities, request.forwardedClientClaims),
    query: requireExtraParameters(request.extraQueryParameters, "extraQueryParameters"),
    body: requireExtraParameters(request.extraBodyParameters, "extraBodyParameters"),
  };
}
