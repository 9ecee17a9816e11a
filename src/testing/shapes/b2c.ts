/**
 * Azure AD B2C: a policy of a tenant, its document, its tokens and its answers.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/azure/active-directory-b2c/tokens-overview | Tokens of Azure AD B2C}
 */
import { base64url } from "jose";
import type { App, Resource, Tenant, User } from "../declared.ts";
import { ID_TOKEN_LIFETIME_SECONDS } from "../lifetimes.ts";
import type { SigningKey } from "../signing_keys.ts";
import { type Json, opaque, principalId } from "../token_parts.ts";
import type { AppTokenInput, IdTokenInput, UserTokenInput } from "../token_input.ts";
import type { Policy } from "./declared_shape.ts";
import { b2cRefusal } from "./refusals.ts";
import type { Dialect, Shape, ShapedAnswer } from "./shape.ts";

const CLAIMS: readonly string[] = [
  "name",
  "emails",
  "oid",
  "sub",
  "tfp",
  "acr",
  "iss",
  "iat",
  "exp",
  "aud",
  "nonce",
];
const REFRESH_LIFETIME_SECONDS = 14 * 24 * 3600;

function issuerOf(origin: string, tenant: Tenant, { id, issuer }: Policy): string {
  return issuer === "tfp" ? `${origin}/tfp/${tenant.id}/${id}/v2.0/` : `${origin}/${tenant.id}/v2.0/`;
}

function documentOf(base: string, issuer: string): Json {
  return {
    issuer,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    response_types_supported: ["code", "code id_token", "code token", "code id_token token", "id_token"],
    scopes_supported: ["openid"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
    claims_supported: CLAIMS,
  };
}

/** A client's own id as a scope: an API that is the app itself. */
function ownResource({ clientId }: App): Resource {
  return {
    identifierUris: [],
    appId: clientId,
    accessTokenVersion: 2,
    optionalClaims: [],
    scopes: [],
    requiresMfa: false,
  };
}

/** What all tokens for users say. */
function commonClaims(
  { user, tenant, nowMs, lifetimeSeconds }: IdTokenInput | UserTokenInput,
  issuer: string,
  { name, policyClaim, tenantClaim }: Policy,
): Json {
  const nowSeconds = Math.floor(nowMs / 1000);
  return {
    ver: "1.0",
    iss: issuer,
    sub: user.id,
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + lifetimeSeconds,
    oid: user.id,
    name: user.name,
    emails: user.email === undefined ? undefined : [user.email],
    [policyClaim]: name,
    ...(tenantClaim ? { tid: tenant.id } : {}),
  };
}

function idToken(input: IdTokenInput, issuer: string, policy: Policy): Json {
  return {
    ...commonClaims(input, issuer, policy),
    aud: input.app.clientId,
    nonce: input.nonce,
    auth_time: input.authTimeSeconds ?? Math.floor(input.nowMs / 1000),
    ...(input.sid === undefined ? {} : { sid: input.sid }),
  };
}

function userToken(input: UserTokenInput, issuer: string, policy: Policy): Json {
  const scp = input.scopes.join(" ");
  return {
    ...commonClaims(input, issuer, policy),
    aud: input.resource.appId,
    azp: input.app.clientId,
    ...(scp === "" ? {} : { scp }),
    ...input.extraClaims,
  };
}

async function appToken(input: AppTokenInput, issuer: string): Promise<Json> {
  const { tenant, app, resource, roles, nowMs, lifetimeSeconds, extraClaims } = input;
  const nowSeconds = Math.floor(nowMs / 1000);
  const oid = await principalId(tenant, app);
  return {
    aud: resource.appId,
    iss: issuer,
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + lifetimeSeconds,
    aio: opaque(24),
    azp: app.clientId,
    azpacr: "1",
    oid,
    ...(roles.length > 0 ? { roles } : {}),
    sub: oid,
    tid: tenant.id,
    ver: "2.0",
    ...extraClaims,
  };
}

function clientInfo(user: User, tenant: Tenant, { id }: Policy): string {
  return base64url.encode(JSON.stringify({ uid: `${user.id}-${id}`, utid: tenant.id }));
}

/** Times are written as numbers; without an access token, those of the ID token alone. */
function userAnswer(answer: ShapedAnswer, lifetimeSeconds: number, tenant: Tenant, policy: Policy): Json {
  const { grant, audience, nowSeconds } = answer;
  const times = audience === undefined
    ? { expires_in: undefined, access_token: undefined }
    : { expires_in: lifetimeSeconds, expires_on: nowSeconds + lifetimeSeconds, resource: audience };
  const { id: oid, name } = grant.user;
  return {
    ...times,
    ext_expires_in: undefined,
    refresh_in: undefined,
    foci: undefined,
    not_before: nowSeconds,
    id_token_expires_in: ID_TOKEN_LIFETIME_SECONDS,
    profile_info: base64url.encode(JSON.stringify({ ver: "1.0", tid: tenant.id, sub: null, name, oid })),
    scope: answer.scopes.join(" "),
    ...(grant.scopes.includes("offline_access")
      ? { refresh_token_expires_in: REFRESH_LIFETIME_SECONDS }
      : {}),
    client_info: answer.clientInfo ? clientInfo(grant.user, tenant, policy) : undefined,
  };
}

function dialectOf(origin: string, base: string, tenant: Tenant, policy: Policy): Dialect {
  const issuer = issuerOf(origin, tenant, policy);
  return {
    issuer,
    audiences: [`${base}/oauth2/v2.0/token`, issuer],
    grants: ["client_credentials", "authorization_code", "refresh_token"],
    commonScopes: [],
    plainScopes: [],
    assertionAlgorithms: ["RS256", "PS256"],
    needsX5t: false,
    ownResource,
    defaultResource: undefined,
    document: () => documentOf(base, issuer),
    jwk: ({ kid, n, e }) => ({ kid, nbf: 1493763266, use: "sig", kty: "RSA", e, n }),
    header: ({ kid }: SigningKey) => ({ alg: "RS256", kid, typ: "JWT" }),
    subject: (_tenant, user) => user.id,
    idToken: (input) => idToken(input, issuer, policy),
    userToken: (input) => userToken(input, issuer, policy),
    appToken: (input) => appToken(input, issuer),
    userAnswer: (answer, lifetimeSeconds) => userAnswer(answer, lifetimeSeconds, tenant, policy),
    appAnswer: (audience, lifetimeSeconds, nowSeconds) => ({
      ext_expires_in: undefined,
      refresh_in: undefined,
      not_before: nowSeconds,
      expires_on: nowSeconds + lifetimeSeconds,
      resource: audience,
    }),
    refusal: b2cRefusal,
  };
}

/** A policy, asked at a base such as `https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin`. */
export function b2cShape(
  tenant: Tenant,
  policy: Policy,
  at: { readonly origin: string; readonly segment: string; readonly tfp: boolean },
  issuerOrigin: string = at.origin,
): Shape {
  const segment = at.segment.toLowerCase();
  const base = `${at.origin}${at.tfp ? "/tfp" : ""}/${segment}/${policy.id}`;
  const dialect = dialectOf(issuerOrigin, base, tenant, policy);
  const place = `b2c:${tenant.id}:${policy.id}`;
  return { kind: "b2c", tenant, segment, policy: policy.id, base, place, dialect };
}
