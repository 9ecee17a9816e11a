/**
 * Discovery documents as Microsoft's services publish them, each in the shape that its service gives it.
 *
 * @module
 */

/** A discovery document. */
export type Document = Readonly<Record<string, unknown>>;

/** The tenant's GUID in all of them. */
export const TENANT_GUID = "0f5b6a52-9c0e-4b8e-9a3e-2c6d8f1a7b90";
/** The GUID of another tenant. */
export const OTHER_GUID = "c4a1d5f7-3b2e-4f60-8d9c-1e2f3a4b5c6d";

const COMMON: Document = {
  token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
  response_modes_supported: ["query", "fragment", "form_post"],
  subject_types_supported: ["pairwise"],
  id_token_signing_alg_values_supported: ["RS256"],
  response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
  scopes_supported: ["openid", "profile", "email", "offline_access"],
};

/** A workforce tenant's or an external tenant's document; `at` is where its endpoints are, with the tenant. */
export function entraDocument(at: string, issuer: string, cloud: string, over: Document = {}): Document {
  return {
    token_endpoint: `${at}/oauth2/v2.0/token`,
    jwks_uri: `${at}/discovery/v2.0/keys`,
    ...COMMON,
    issuer,
    request_uri_parameter_supported: false,
    userinfo_endpoint: "https://graph.microsoft.com/oidc/userinfo",
    authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${at}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${at}/oauth2/v2.0/logout`,
    kerberos_endpoint: `${at}/kerberos`,
    tenant_region_scope: "EU",
    cloud_instance_name: cloud,
    cloud_graph_host_name: "graph.windows.net",
    msgraph_host: "graph.microsoft.com",
    rbac_url: "https://pas.windows.net",
    ...over,
  };
}

/** The document of an external tenant, asked by any of its names. */
export function externalIdDocument(over: Document = {}, host = "contoso.ciamlogin.com"): Document {
  const issuer = `https://${TENANT_GUID}.ciamlogin.com/${TENANT_GUID}/v2.0`;
  return entraDocument(`https://${host}/${TENANT_GUID}`, issuer, "microsoftonline.com", over);
}

/** The document of a B2C policy; `at` is the authority. */
export function b2cDocument(at: string, issuer: string, over: Document = {}): Document {
  return {
    issuer,
    authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
    token_endpoint: `${at}/oauth2/v2.0/token`,
    end_session_endpoint: `${at}/oauth2/v2.0/logout`,
    jwks_uri: `${at}/discovery/v2.0/keys`,
    ...COMMON,
    response_types_supported: ["code", "code id_token", "code token", "id_token", "id_token token", "token"],
    scopes_supported: ["openid"],
    claims_supported: ["oid", "given_name", "family_name", "sub", "idp", "iss", "iat", "exp", "aud", "acr"],
    ...over,
  };
}

/** The document of AD FS 2016 and later. */
export function adfsDocument(host = "adfs.contoso.com", over: Document = {}): Document {
  const at = `https://${host}/adfs`;
  return {
    issuer: at,
    authorization_endpoint: `${at}/oauth2/authorize/`,
    token_endpoint: `${at}/oauth2/token/`,
    jwks_uri: `${at}/discovery/keys`,
    ...COMMON,
    grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
    token_endpoint_auth_signing_alg_values_supported: ["RS256"],
    access_token_issuer: `http://${host}/adfs/services/trust`,
    claims_supported: ["aud", "iss", "iat", "exp", "auth_time", "nonce", "sub", "upn", "unique_name", "sid"],
    microsoft_multi_refresh_token: true,
    userinfo_endpoint: `${at}/userinfo`,
    capabilities: ["kdf_ver2"],
    end_session_endpoint: `${at}/oauth2/logout`,
    device_authorization_endpoint: `${at}/oauth2/devicecode`,
    frontchannel_logout_supported: true,
    ...over,
  };
}
