/**
 * ID tokens, version 2, with the claims that Entra ID writes; also ones that no client should accept.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference | ID token claims}
 */
import { base64url } from "jose";
import { issuersOf } from "./clouds.ts";
import type { IdTokenForgery } from "./faults.ts";
import { signForged } from "./forgery.ts";
import type { Shaped } from "./shapes/shape.ts";
import type { IdTokenInput } from "./token_input.ts";
import type { SigningKey } from "./signing_keys.ts";
import { BACKDATED_SECONDS, type Json, opaque, pairwiseSubject, sha256 } from "./token_parts.ts";
import { objectIdIn } from "./user_tenant.ts";

async function hashOf(accessToken: string): Promise<string> {
  return base64url.encode((await sha256(accessToken)).subarray(0, 16));
}

function profileOf({ user, tenant, scopes }: IdTokenInput): Json {
  const { email, emailVerified } = user;
  return {
    ...(scopes.includes("profile")
      ? { name: user.name, oid: objectIdIn(user, tenant) ?? user.id, preferred_username: user.username }
      : {}),
    ...(scopes.includes("email") && email !== undefined ? { email } : {}),
    ...(scopes.includes("email") && emailVerified !== undefined ? { xms_edov: emailVerified } : {}),
  };
}

async function claimsOf(input: IdTokenInput): Promise<Json> {
  const { tenant, app, user, nonce, authTimeSeconds, contexts, sid, accessToken } = input;
  const nowSeconds = Math.floor(input.nowMs / 1000);
  const oid = objectIdIn(user, tenant) ?? user.id;
  const isGuest = user.tenant !== tenant;
  return {
    aud: app.clientId,
    iss: issuersOf(input.issuerOrigin, tenant.id).v2,
    iat: nowSeconds - BACKDATED_SECONDS,
    nbf: nowSeconds - BACKDATED_SECONDS,
    exp: nowSeconds + input.lifetimeSeconds,
    ...(contexts.length > 0 ? { acrs: contexts } : {}),
    aio: opaque(24),
    ...(accessToken === undefined ? {} : { at_hash: await hashOf(accessToken) }),
    ...(authTimeSeconds === undefined ? {} : { auth_time: authTimeSeconds }),
    ...(isGuest ? { idp: issuersOf(input.issuerOrigin, user.tenant.id).v1 } : {}),
    ...(input.loginHint ? { login_hint: `O.${base64url.encode(user.username)}` } : {}),
    ...(nonce === undefined ? {} : { nonce }),
    ...profileOf(input),
    rh: `1.A${opaque(32)}.`,
    ...(sid === undefined ? {} : { sid }),
    sub: await pairwiseSubject(tenant.id, oid, app.clientId),
    tid: tenant.id,
    uti: opaque(16),
    ver: "2.0",
  };
}

/** Issues and signs an ID token, with everything wrong in it that a forgery asks for. */
export async function signIdToken(
  input: Shaped<IdTokenInput>,
  key: SigningKey,
  forgery: IdTokenForgery = {},
): Promise<string> {
  const { dialect, app } = input;
  const claims = { ...dialect?.idToken(input) ?? await claimsOf(input), ...forgery.claims };
  const header = dialect?.header(key) ?? { typ: "JWT", alg: "RS256", kid: key.kid };
  return await signForged(header, claims, app, key, forgery);
}
