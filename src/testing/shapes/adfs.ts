/**
 * Active Directory Federation Services 2016 and later: its document, its tokens and its answers.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-oidce/586de7dd-3385-47c7-93a2-935d9e90441c | MS-OIDCE: OpenID Provider Metadata}
 * @see {@link https://learn.microsoft.com/en-us/windows-server/identity/ad-fs/development/ad-fs-openid-connect-oauth-concepts | AD FS OpenID Connect concepts}
 */
import { base64url } from "jose";
import type { App, Resource, Tenant, User } from "../declared.ts";
import type { Json } from "../token_parts.ts";
import type { AppTokenInput, IdTokenInput, UserTokenInput } from "../token_input.ts";
import { adfsRefusal } from "./refusals.ts";
import type { Dialect, Shape, ShapedAnswer } from "./shape.ts";

/** What stands for the tenant in paths. */
export const ADFS_SEGMENT = "adfs";

const SCOPES: readonly string[] = [
  "openid",
  "profile",
  "email",
  "allatclaims",
  "user_impersonation",
  "winhello_cert",
  "logon_cert",
  "aza",
];
const PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
const REFRESH_LIFETIME_SECONDS = 8 * 3600;

/** What a token is for if no resource is named. */
const USER_INFO: Resource = {
  identifierUris: ["urn:microsoft:userinfo"],
  appId: "urn:microsoft:userinfo",
  accessTokenVersion: 1,
  optionalClaims: [],
  scopes: [],
  requiresMfa: false,
};

function documentOf(base: string, issuer: string, trust: string): Json {
  return {
    issuer,
    authorization_endpoint: `${base}/oauth2/authorize/`,
    token_endpoint: `${base}/oauth2/token/`,
    jwks_uri: `${base}/discovery/keys`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic", "private_key_jwt"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token", "code token"],
    response_modes_supported: ["query", "fragment", "form_post"],
    grant_types_supported: [
      "authorization_code",
      "refresh_token",
      "client_credentials",
      "urn:ietf:params:oauth:grant-type:device_code",
    ],
    subject_types_supported: ["pairwise"],
    scopes_supported: SCOPES,
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_signing_alg_values_supported: ["RS256"],
    access_token_issuer: trust,
    claims_supported: ["aud", "iss", "iat", "exp", "auth_time", "nonce", "sub", "upn", "unique_name", "sid"],
    microsoft_multi_refresh_token: true,
    capabilities: ["kdf_ver2"],
    end_session_endpoint: `${base}/oauth2/logout`,
    device_authorization_endpoint: `${base}/oauth2/devicecode`,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  };
}

/** The audience: an identifier that is a URI as it is, any other behind a prefix. */
function audienceOf(audience: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(audience) ? audience : `microsoft:identityserver:${audience}`;
}

/** A user by the domain, as Windows names them. */
function uniqueName(username: string): string {
  const [name = "", domain = ""] = username.split("@");
  return `${domain.split(".")[0]?.toUpperCase()}\\${name}`;
}

function times(nowMs: number, lifetimeSeconds: number): Json {
  const nowSeconds = Math.floor(nowMs / 1000);
  return { iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + lifetimeSeconds };
}

/** A subject that no other server or client knows a user by; a digest would have to be awaited. */
function subjectOf(tenant: Tenant, user: User, app: App): string {
  return base64url.encode(`${tenant.id}:${user.id}:${app.clientId}`);
}

function idToken(input: IdTokenInput, issuer: string): Json {
  const { app, user, nonce, sid, nowMs, lifetimeSeconds } = input;
  return {
    aud: app.clientId,
    iss: issuer,
    ...times(nowMs, lifetimeSeconds),
    auth_time: input.authTimeSeconds ?? Math.floor(nowMs / 1000),
    nonce,
    sub: subjectOf(input.tenant, user, app),
    upn: user.username,
    unique_name: uniqueName(user.username),
    ...(sid === undefined ? {} : { sid }),
  };
}

function apptypeOf({ publicClient }: App): string {
  return publicClient ? "Public" : "Confidential";
}

function userToken(input: UserTokenInput, trust: string): Json {
  const { app, user, audience, scopes, signedIn, nowMs, lifetimeSeconds, extraClaims } = input;
  return {
    aud: audienceOf(audience),
    iss: trust,
    ...times(nowMs, lifetimeSeconds),
    sub: subjectOf(input.tenant, user, app),
    upn: user.username,
    unique_name: uniqueName(user.username),
    apptype: apptypeOf(app),
    appid: app.clientId,
    authmethod: PASSWORD,
    auth_time: new Date(signedIn.authTimeSeconds * 1000).toISOString(),
    ver: "1.0",
    scp: scopes.join(" "),
    ...extraClaims,
  };
}

function appToken(
  { app, audience, nowMs, lifetimeSeconds, extraClaims }: AppTokenInput,
  trust: string,
): Json {
  return {
    aud: audienceOf(audience),
    iss: trust,
    ...times(nowMs, lifetimeSeconds),
    apptype: apptypeOf(app),
    appid: app.clientId,
    authmethod: "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password",
    auth_time: new Date(nowMs).toISOString(),
    ver: "1.0",
    ...extraClaims,
  };
}

/** It knows no `client_info`, and nothing of a refresh time. */
const LEFT_OUT: Json = {
  ext_expires_in: undefined,
  refresh_in: undefined,
  foci: undefined,
  client_info: undefined,
};

function userAnswer({ grant, audience, scopes }: ShapedAnswer): Json {
  const offline = grant.scopes.includes("offline_access");
  return {
    ...LEFT_OUT,
    token_type: "bearer",
    resource: audience,
    ...(offline ? { refresh_token_expires_in: REFRESH_LIFETIME_SECONDS } : {}),
    scope: scopes.join(" "),
  };
}

function dialectOf(base: string, issuerOrigin: string): Dialect {
  const issuer = `${issuerOrigin}/${ADFS_SEGMENT}`;
  // It is the name of the farm, not an address: never with TLS.
  const trust = `http://${new URL(issuerOrigin).host}/adfs/services/trust`;
  return {
    issuer,
    audiences: [`${base}/oauth2/token`, `${base}/oauth2/token/`, issuer],
    grants: [
      "client_credentials",
      "authorization_code",
      "refresh_token",
      "urn:ietf:params:oauth:grant-type:device_code",
      "device_code",
    ],
    commonScopes: SCOPES,
    plainScopes: SCOPES,
    assertionAlgorithms: ["RS256"],
    needsX5t: true,
    ownResource: undefined,
    defaultResource: USER_INFO,
    document: () => documentOf(base, issuer, trust),
    jwk: ({ kid, n, e }) => ({ kty: "RSA", use: "sig", alg: "RS256", kid, x5t: kid, n, e }),
    header: ({ kid }) => ({ typ: "JWT", alg: "RS256", x5t: kid, kid }),
    subject: subjectOf,
    idToken: (input) => idToken(input, issuer),
    userToken: (input) => userToken(input, trust),
    appToken: (input) => Promise.resolve(appToken(input, trust)),
    userAnswer,
    appAnswer: () => ({ ...LEFT_OUT, token_type: "bearer" }),
    refusal: adfsRefusal,
  };
}

/** A farm, asked at an origin; its issuers are of the host of the issuer's origin. */
export function adfsShape(tenant: Tenant, origin: string, issuerOrigin: string = origin): Shape {
  const base = `${origin}/${ADFS_SEGMENT}`;
  const dialect = dialectOf(base, issuerOrigin);
  return { kind: "adfs", tenant, segment: ADFS_SEGMENT, base, place: `adfs:${tenant.id}`, dialect };
}
