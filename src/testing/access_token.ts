/**
 * Access tokens for apps, with the claims that Entra ID writes.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference | Access token claims}
 */
import { issuersOf } from "./clouds.ts";
import { accessTokenHeader, BACKDATED_SECONDS, opaque, principalId } from "./token_parts.ts";
import { type Forgery, signForged } from "./forgery.ts";
import type { Shaped } from "./shapes/shape.ts";
import type { AppTokenInput } from "./token_input.ts";
import type { SigningKey } from "./signing_keys.ts";

function versionClaims(
  { tenant, app, resource, audience, issuerOrigin }: AppTokenInput,
): Record<string, unknown> {
  const issuers = issuersOf(issuerOrigin, tenant.id);
  if (resource.accessTokenVersion === 2) {
    return { aud: resource.appId, iss: issuers.v2, azp: app.clientId, azpacr: "1", ver: "2.0" };
  }
  return {
    aud: audience,
    iss: issuers.v1,
    app_displayname: app.name,
    appid: app.clientId,
    appidacr: "1",
    idp: issuers.v1,
    ver: "1.0",
  };
}

async function claimsOf(input: AppTokenInput): Promise<Record<string, unknown>> {
  const { tenant, app, resource, roles } = input;
  const issuedAt = Math.floor(input.nowMs / 1000);
  const oid = await principalId(tenant, app);
  const appType = [...app.optionalClaims, ...resource.optionalClaims].includes("idtyp");
  return {
    ...versionClaims(input),
    iat: issuedAt - BACKDATED_SECONDS,
    nbf: issuedAt - BACKDATED_SECONDS,
    exp: issuedAt + input.lifetimeSeconds,
    aio: opaque(24),
    ...(appType ? { idtyp: "app" } : {}),
    oid,
    rh: `1.A${opaque(32)}.`,
    ...(roles.length > 0 ? { roles } : {}),
    sub: oid,
    tid: tenant.id,
    uti: opaque(16),
    ...input.extraClaims,
  };
}

/** Issues and signs a token. Version 1 tokens name their key twice, as `kid` and as `x5t`. */
export async function signAppToken(
  input: Shaped<AppTokenInput>,
  key: SigningKey,
  forgery: Forgery = {},
): Promise<string> {
  const { dialect, app, resource } = input;
  const header = dialect?.header(key) ?? accessTokenHeader(resource, key);
  const claims = await (dialect?.appToken(input) ?? claimsOf(input));
  return await signForged(header, claims, app, key, forgery);
}
