/**
 * The discovery document, version 1 and 2.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc | OpenID Connect at Entra}
 */
import { cloudOfLoginHost, CONSUMERS_TENANT_ID, issuersOf, PUBLIC_CLOUD } from "./clouds.ts";
import { tenantNotFound } from "./entra_error.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { tenantAt } from "./shapes/place.ts";
import { PROOF_ALGORITHMS } from "./proof_key.ts";

const V2_CLAIMS: readonly string[] =
  ("sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time " +
    "acr nonce preferred_username name tid ver at_hash c_hash email").split(" ");
const V1_CLAIMS: readonly string[] =
  ("sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time " +
    "acr amr nonce email given_name family_name nickname").split(" ");

/** The headers of documents that clients may keep for a day. */
export const METADATA_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "max-age=86400, private",
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, OPTIONS",
};

/** What the tenant segment of a metadata path stands for. */
export interface PathTenant {
  /** The segment to write endpoints with: a GUID, or one of the three aliases. */
  readonly segment: string;
  /** The tenant to write issuers with: a GUID, or the template `{tenantid}`. */
  readonly issuerTenant: string;
}

/** Reads the tenant segment of a metadata path. Throws AADSTS90002 for an unknown tenant. */
export function pathTenantOf(exchange: Exchange): PathTenant {
  const named = exchange.route.tenant ?? "";
  const segment = exchange.route.shape ? "" : named.toLowerCase();
  if (segment === "common" || segment === "organizations") return { segment, issuerTenant: "{tenantid}" };
  if (segment === "consumers" || segment === CONSUMERS_TENANT_ID) {
    return { segment, issuerTenant: CONSUMERS_TENANT_ID };
  }
  const tenant = tenantAt(exchange, named);
  if (!tenant) throw tenantNotFound(named, "invalid_tenant");
  return { segment: tenant.id, issuerTenant: tenant.id };
}

function cloudFields(exchange: Exchange): Record<string, unknown> {
  const known = cloudOfLoginHost(new URL(exchange.origin).host);
  const cloud = known ?? PUBLIC_CLOUD;
  return {
    tenant_region_scope: exchange.route.tenant?.toLowerCase() === "common" ? null : "NA",
    cloud_instance_name: cloud.instanceName,
    cloud_graph_host_name: cloud.legacyGraphHost,
    msgraph_host: cloud.graphHost,
    rbac_url: "https://pas.windows.net",
  };
}

/** Only what the authority serves is promised, where clients choose by it. */
function commonFields({ services }: Exchange): Record<string, unknown> {
  const tellsServers = services.directory.apps.some((app) => app.backChannelLogoutUris.length > 0);
  return {
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    request_uri_parameter_supported: false,
    ...(services.dpop ? { dpop_signing_alg_values_supported: PROOF_ALGORITHMS } : {}),
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    ...(tellsServers
      ? { backchannel_logout_supported: true, backchannel_logout_session_supported: true }
      : {}),
  };
}

function pushedFields({ services: { pushedRequests } }: Exchange, base: string): Record<string, unknown> {
  if (!pushedRequests) return {};
  return {
    pushed_authorization_request_endpoint: `${base}/oauth2/v2.0/par`,
    require_pushed_authorization_requests: pushedRequests.required,
  };
}

function v2Document(exchange: Exchange, { segment, issuerTenant }: PathTenant): Record<string, unknown> {
  const base = `${exchange.origin}/${segment}`;
  const { shape } = exchange.route;
  // An external tenant is of the public cloud.
  const known = cloudOfLoginHost(new URL(exchange.origin).host) ?? (shape?.issuerOrigin && PUBLIC_CLOUD);
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    ...commonFields(exchange),
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: issuersOf(exchange.issuerOrigin, issuerTenant).v2,
    userinfo_endpoint: `${known ? `https://${known.graphHost}` : exchange.origin}/oidc/userinfo`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    ...pushedFields(exchange, base),
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    claims_supported: V2_CLAIMS,
    ...cloudFields(exchange),
  };
}

function v1Document(exchange: Exchange, { segment, issuerTenant }: PathTenant): Record<string, unknown> {
  const base = `${exchange.origin}/${segment}`;
  return {
    token_endpoint: `${base}/oauth2/token`,
    jwks_uri: `${base}/discovery/keys`,
    ...commonFields(exchange),
    response_types_supported: ["code", "id_token", "code id_token", "token id_token", "token"],
    scopes_supported: ["openid"],
    issuer: issuersOf(exchange.issuerOrigin, issuerTenant).v1,
    microsoft_multi_refresh_token: true,
    authorization_endpoint: `${base}/oauth2/authorize`,
    device_authorization_endpoint: `${base}/oauth2/devicecode`,
    end_session_endpoint: `${base}/oauth2/logout`,
    userinfo_endpoint: `${base}/openid/userinfo`,
    claims_supported: V1_CLAIMS,
    ...cloudFields(exchange),
  };
}

/** Answers a request for the discovery document. */
export function answerDiscovery(exchange: Exchange): Response {
  const tenant = pathTenantOf(exchange);
  const { dialect } = exchange.route.shape ?? {};
  if (dialect) return jsonResponse(exchange, dialect.document(), 200, METADATA_HEADERS);
  const document = exchange.route.version === 2 ? v2Document(exchange, tenant) : v1Document(exchange, tenant);
  return jsonResponse(exchange, document, 200, METADATA_HEADERS);
}
