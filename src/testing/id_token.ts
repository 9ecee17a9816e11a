/**
 * ID tokens, version 2, with the claims that Entra ID writes; also ones that no client should accept.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference | ID token claims}
 */
import { base64url } from "jose";
import { issuersOf } from "./clouds.ts";
import type { App, Tenant, User } from "./declared.ts";
import type { IdTokenForgery } from "./faults.ts";
import { makeSigningKey, type SigningKey } from "./signing_keys.ts";
import {
  BACKDATED_SECONDS,
  type Json,
  opaque,
  pairwiseSubject,
  sha256,
  signCompact,
  signingInput,
} from "./token_parts.ts";
import { objectIdIn } from "./user_tenant.ts";

/** What an ID token is issued from. */
export interface IdTokenInput {
  readonly tenant: Tenant;
  readonly app: App;
  readonly user: User;
  /** The scopes of OpenID Connect that were granted. */
  readonly scopes: readonly string[];
  readonly nonce: string | undefined;
  /** When the user signed in, if the token is to say so. */
  readonly authTimeSeconds: number | undefined;
  /** The authentication contexts that the user has satisfied. */
  readonly contexts: readonly string[];
  /** The session, if the token is to name it. */
  readonly sid: string | undefined;
  /** Whether the token is to carry a hint for later sign-ins. */
  readonly loginHint: boolean;
  /** The access token that comes with it. */
  readonly accessToken: string | undefined;
  readonly issuerOrigin: string;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}

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

/** Flips bits of a signature. */
function broken(token: string): string {
  const dot = token.lastIndexOf(".") + 1;
  const signature = base64url.decode(token.slice(dot));
  signature[0] = (signature[0] ?? 0) ^ 0x5a;
  return token.slice(0, dot) + base64url.encode(signature);
}

/** Signs with HMAC: with the client's secret, or with the public key if it has none. */
async function hmacSigned(header: Json, claims: Json, app: App, key: SigningKey): Promise<string> {
  const secret = app.secrets[0]?.value ?? JSON.stringify({ kty: "RSA", n: key.n, e: key.e });
  const input = signingInput(header, claims);
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", hmacKey, encoder.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** Issues and signs an ID token, with everything wrong in it that a forgery asks for. */
export async function signIdToken(
  input: IdTokenInput,
  key: SigningKey,
  forgery: IdTokenForgery = {},
): Promise<string> {
  const { signature } = forgery;
  const alg = signature === "none" ? "none" : signature === "hs256" ? "HS256" : "RS256";
  const header = { typ: "JWT", alg, kid: key.kid, ...forgery.header };
  const claims = { ...await claimsOf(input), ...forgery.claims };
  switch (signature) {
    case "none":
      return `${signingInput(header, claims)}.`;
    case "hs256":
      return await hmacSigned(header, claims, input.app, key);
    case "foreign_key":
      return await signCompact(header, claims, await makeSigningKey());
    case "broken":
      return broken(await signCompact(header, claims, key));
    default:
      return await signCompact(header, claims, key);
  }
}
