/**
 * Access tokens for users, with the claims that Entra ID writes.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference | Access token claims}
 */
import { GRAPH_APP_ID, issuersOf } from "./clouds.ts";
import { type Forgery, signForged } from "./forgery.ts";
import type { Shaped } from "./shapes/shape.ts";
import type { UserTokenInput } from "./token_input.ts";
import type { SigningKey } from "./signing_keys.ts";
import { accessTokenHeader, BACKDATED_SECONDS, type Json, opaque, pairwiseSubject } from "./token_parts.ts";
import { originClaim } from "./token_origin.ts";
import { objectIdIn } from "./user_tenant.ts";

function v1Claims({ tenant, app, user, audience, signedIn, issuerOrigin }: UserTokenInput): Json {
  const isGuest = user.tenant !== tenant;
  const issuer = issuersOf(issuerOrigin, tenant.id).v1;
  return {
    aud: audience,
    iss: issuer,
    acct: isGuest ? 1 : 0,
    acr: "1",
    amr: signedIn.mfa ? ["pwd", "mfa"] : ["pwd"],
    app_displayname: app.name,
    appid: app.clientId,
    appidacr: app.publicClient ? "0" : "1",
    ...(isGuest ? { idp: issuersOf(issuerOrigin, user.tenant.id).v1 } : { upn: user.username }),
    unique_name: user.username,
    ver: "1.0",
  };
}

function v2Claims({ tenant, app, user, resource, issuerOrigin }: UserTokenInput): Json {
  const guest = user.tenant === tenant ? {} : { idp: issuersOf(issuerOrigin, user.tenant.id).v1 };
  return {
    aud: resource.appId,
    iss: issuersOf(issuerOrigin, tenant.id).v2,
    azp: app.clientId,
    azpacr: app.publicClient ? "0" : "1",
    ...guest,
    preferred_username: user.username,
    ver: "2.0",
  };
}

/** Microsoft Graph is told the subject that the client knows, for its UserInfo endpoint. */
async function subjects({ tenant, app, resource }: UserTokenInput, oid: string): Promise<Json> {
  const sub = await pairwiseSubject(tenant.id, oid, resource.appId);
  if (resource.appId !== GRAPH_APP_ID) return { sub };
  return { sub, xms_st: { sub: await pairwiseSubject(tenant.id, oid, app.clientId) } };
}

async function claimsOf(input: UserTokenInput): Promise<Json> {
  const { tenant, user, app, resource, scopes, contexts } = input;
  const oid = objectIdIn(user, tenant) ?? user.id;
  const nowSeconds = Math.floor(input.nowMs / 1000);
  const validFrom = Math.max(nowSeconds - BACKDATED_SECONDS, input.validFromSeconds);
  const namesType = [...app.optionalClaims, ...resource.optionalClaims].includes("idtyp");
  return {
    ...(resource.accessTokenVersion === 2 ? v2Claims(input) : v1Claims(input)),
    iat: validFrom,
    nbf: validFrom,
    exp: nowSeconds + input.lifetimeSeconds,
    aio: originClaim(input.signedIn),
    ...(contexts.length > 0 ? { acrs: contexts } : {}),
    ...(namesType ? { idtyp: "user" } : {}),
    name: user.name,
    oid,
    rh: `1.A${opaque(32)}.`,
    scp: scopes.join(" "),
    ...await subjects(input, oid),
    tid: tenant.id,
    uti: opaque(16),
    ...input.extraClaims,
  };
}

/** Issues and signs a token. */
export async function signUserToken(
  input: Shaped<UserTokenInput>,
  key: SigningKey,
  forgery: Forgery = {},
): Promise<string> {
  const { dialect, app, resource } = input;
  const header = dialect?.header(key) ?? accessTokenHeader(resource, key);
  const claims = dialect?.userToken(input) ?? await claimsOf(input);
  return await signForged(header, claims, app, key, forgery);
}
