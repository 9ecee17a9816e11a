/**
 * Turns a request for an app token into what is looked up.
 *
 * @module
 */

import type { Authority } from "../authority/authority.ts";
import { isSharedTenant } from "../authority/tenant.ts";
import { extendedKeyText } from "../cache/cached_token.ts";
import { sha256 } from "../crypto/digest.ts";
import { refuse } from "../errors/errors.ts";
import type { AuthScheme } from "../request/auth_scheme.ts";
import { claimsText } from "../request/claims.ts";
import { requireExtraParameters } from "../request/extra_parameters.ts";
import type { ClientCredentialRequest } from "../request/requests.ts";
import { requireScopes, scopeKey } from "../request/scopes.ts";
import { bucketFor } from "./bound_tokens.ts";
import { tenantOf } from "./user_query.ts";

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
  /** What binds the token to a key. */
  readonly authScheme?: AuthScheme | undefined;
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
  const realm = tenantOf(authority, tenantId);
  if (authority.kind === "aad" && isSharedTenant(realm)) {
    const why = `an app token needs one tenant, by its GUID or domain, not ${realm}`;
    refuse("invalid_tenant", tenantId === undefined ? "authority" : "tenantId", why);
  }
  return realm;
}

/**
 * What sets a token apart from the plain ones for the same scopes, as tokens carry it.
 *
 * @param request The request.
 * @returns `=` and the text of the extra components; empty for none.
 * @throws {ClientConfigurationError} `invalid_request`, `reserved_parameter` or `invalid_claims`.
 */
export function extOf(
  { fmiPath, forwardedClientClaims, extraQueryParameters, extraBodyParameters }: Partial<
    ClientCredentialRequest
  >,
): string {
  // The common case, and the hit path.
  const plain = fmiPath === undefined && forwardedClientClaims === undefined &&
    extraQueryParameters === undefined &&
    extraBodyParameters === undefined;
  if (plain) return "";
  if (fmiPath !== undefined && (typeof fmiPath !== "string" || fmiPath === "")) {
    refuse("invalid_request", "fmiPath", "it must be a non-empty string");
  }
  const query = requireExtraParameters(extraQueryParameters, "extraQueryParameters");
  const text = extendedKeyText({
    ...Object.fromEntries(requireExtraParameters(extraBodyParameters, "extraBodyParameters")),
    "?": new URLSearchParams(query).toString(),
    fmi_path: fmiPath,
    client_claims: forwardedClientClaims === undefined
      ? undefined
      : claimsText(forwardedClientClaims, "forwardedClientClaims"),
  });
  return text && `=${text}`;
}

/** What a request adds of its own: copies, since the caller may change theirs before they are sent. */
export interface Extras {
  /** Extra components of the token's identity. */
  readonly ext: string;
  /** Members of the form. */
  readonly extraBody: Readonly<Record<string, string>>;
  /** Members of the query. */
  readonly extraQuery: Readonly<Record<string, string>>;
}

/**
 * Reads what a request adds of its own.
 *
 * @param request The request.
 * @returns What it adds.
 * @throws {ClientConfigurationError} for names that are reserved, and for what are no texts.
 */
export function extrasOf(request: Partial<ClientCredentialRequest>): Extras {
  const { extraBodyParameters, extraQueryParameters } = request;
  return {
    ext: extOf(request),
    extraBody: { ...extraBodyParameters },
    extraQuery: { ...extraQueryParameters },
  };
}

/**
 * The hash by which the store knows extra components, as MSAL Python makes it.
 *
 * @param ext What {@linkcode extOf} gave.
 * @returns The hash in lower case; empty for none.
 */
export async function extHashOf(ext: string): Promise<string> {
  return ext && (await sha256(ext.slice(1))).toLowerCase();
}

/**
 * Checks a request. On the hit path: it waits for nothing and makes little.
 *
 * @param authority The application's authority.
 * @param request The request.
 * @returns What to look up.
 * @throws {ClientConfigurationError} that names the request member and how to mend it.
 */
export function toAppTokenQuery(authority: Authority, request: ClientCredentialRequest): AppTokenQuery {
  const { scopes, tenantId, authScheme } = request ?? {};
  requireScopes(scopes, authority.kind === "aad");
  const realm = realmOf(authority, tenantId);
  const ext = extOf(request);
  return { realm, bucket: bucketFor(realm, authScheme, ext), key: scopeKey(scopes), ext, authScheme };
}
