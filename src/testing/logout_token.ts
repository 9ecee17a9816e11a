/**
 * Logout tokens: what a server is told when one of its users signs out elsewhere.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken | Back-Channel Logout section 2.4}
 */
import { issuersOf } from "./clouds.ts";
import type { App, Tenant, User } from "./declared.ts";
import { type Forgery, signForged } from "./forgery.ts";
import type { Dialect } from "./shapes/shape.ts";
import type { SigningKey } from "./signing_keys.ts";
import { type Json, pairwiseSubject } from "./token_parts.ts";
import { objectIdIn } from "./user_tenant.ts";

/** How long a logout token lives, in seconds. */
export const LOGOUT_TOKEN_LIFETIME_SECONDS = 120;

/** What a logout token is issued from. */
export interface LogoutTokenInput {
  /** What is not as at Entra ID; absent if all is. */
  readonly dialect?: Dialect | undefined;
  readonly tenant: Tenant;
  readonly app: App;
  readonly user: User;
  /** The session, if the token is to name it. */
  readonly sid: string | undefined;
  readonly issuerOrigin: string;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
  /** Claims that are added, or replaced; `undefined` removes one. */
  readonly extraClaims: Json;
}

async function claimsOf(input: LogoutTokenInput): Promise<Json> {
  const { tenant, app, user, sid } = input;
  const nowSeconds = Math.floor(input.nowMs / 1000);
  return {
    iss: input.dialect?.issuer ?? issuersOf(input.issuerOrigin, tenant.id).v2,
    aud: app.clientId,
    iat: nowSeconds,
    exp: nowSeconds + input.lifetimeSeconds,
    jti: crypto.randomUUID(),
    events: { "http://schemas.openid.net/event/backchannel-logout": {} },
    sub: input.dialect?.subject(tenant, user, app) ??
      await pairwiseSubject(tenant.id, objectIdIn(user, tenant) ?? user.id, app.clientId),
    ...(sid === undefined ? {} : { sid }),
    ...input.extraClaims,
  };
}

/** Issues and signs a logout token, with everything wrong in it that a forgery asks for. */
export async function signLogoutToken(
  input: LogoutTokenInput,
  key: SigningKey,
  forgery: Forgery = {},
): Promise<string> {
  const header = { typ: "logout+jwt", alg: "RS256", kid: key.kid };
  return await signForged(header, await claimsOf(input), input.app, key, forgery);
}
