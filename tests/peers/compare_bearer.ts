/**
 * The same API guarded by Hono's `jwk` middleware, twice, and by `@msal-edge/msal/hono`: which tokens get in.
 *
 * @module
 */
import { Hono } from "hono";
import { jwk } from "hono/jwk";
import { base64url, exportSPKI, importJWK, type JWK, SignJWT } from "jose";
import { requireBearer } from "../../src/hono/mod.ts";
import type { UserTokenOptions } from "../../src/testing/mod.ts";
import {
  answerQuietly,
  APP_ID,
  issuerOf,
  type Json,
  LET_IN,
  OTHER_TENANT_ID,
  SITE,
  type Tampering,
  TENANT_ID,
  type World,
} from "./compare_world.ts";

/** A way to guard the API. */
export type Guard = (world: World) => Hono;

const KEYS = `https://login.microsoftonline.com/${TENANT_ID}/discovery/v2.0/keys`;

function guarded(guard: Parameters<Hono["use"]>[1]): Hono {
  const app = new Hono();
  app.onError(answerQuietly);
  app.use("/orders", guard);
  return app.get("/orders", (c) => c.text("in"));
}

/** The columns. */
export const GUARDS: Readonly<Record<string, Guard>> = {
  "`jwk`": () => guarded(jwk({ jwks_uri: KEYS, alg: ["RS256"] })),
  "`jwk` with `iss` and `aud`": () =>
    guarded(jwk({ jwks_uri: KEYS, alg: ["RS256"], verification: { iss: issuerOf(TENANT_ID), aud: APP_ID } })),
  "`@msal-edge/msal/hono`": ({ fetch }) =>
    guarded(requireBearer({
      authority: `https://login.microsoftonline.com/${TENANT_ID}`,
      audience: APP_ID,
      scopes: ["Orders.Read"],
      fetch,
    })),
};

/** A row. */
export interface TokenFault {
  readonly name: string;
  readonly token?: (world: World) => Promise<string>;
  /** What is sent, where that is no bearer token in the header. */
  readonly request?: (token: string) => Request;
  readonly tampering?: Tampering;
  /** Whether it is to be let in. */
  readonly isGood?: boolean;
}

const now = (): number => Math.floor(Date.now() / 1000);
const issued = (name: string, ...given: UserTokenOptions[]): TokenFault[] =>
  given.map((options) => ({ name, token: (world) => userToken(world, options) }));
const sent = (name: string, ...values: ((token: string) => string)[]): TokenFault[] =>
  values.map((value) => ({
    name,
    request: (token) => new Request(`${SITE}/orders`, { headers: { authorization: value(token) } }),
  }));

/** A token that is good, but for what is said. */
export function userToken({ authority }: World, options: UserTokenOptions = {}): Promise<string> {
  return authority.issueUserToken({ resource: APP_ID, scopes: ["Orders.Read"], ...options });
}

/** HS256 with what everybody knows: the public key. */
async function confused(world: World): Promise<string> {
  const { keys } = await (await world.fetch(KEYS)).json() as { keys: JWK[] };
  const [head = "", payload = ""] = (await userToken(world)).split(".");
  const { kid } = JSON.parse(new TextDecoder().decode(base64url.decode(head)));
  const pem = await exportSPKI(await importJWK(keys.find((key) => key.kid === kid)!, "RS256") as CryptoKey);
  const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
  return await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid }).sign(
    new TextEncoder().encode(pem),
  );
}

/** The rows. */
export const TOKEN_FAULTS: readonly TokenFault[] = [
  { name: "a good token", isGood: true },
  {
    name: "a good token of the type `at+jwt`",
    isGood: true,
    token: (world) => userToken(world, { header: { typ: "at+jwt" } }),
  },
  { name: "no token", request: () => new Request(`${SITE}/orders`) },
  ...sent(
    "another scheme, two tokens, 20 kB",
    (t) => `Basic ${t}`,
    (t) => `Bearer ${t} ${t}`,
    () => `Bearer ${"x".repeat(20_000)}`,
  ),
  { name: "a token in the query", request: (token) => new Request(`${SITE}/orders?access_token=${token}`) },
  {
    name: "a token for Microsoft Graph",
    token: ({ authority }) => authority.issueUserToken({ resource: "00000003-0000-0000-c000-000000000000" }),
  },
  {
    name: "an ID token of the API's own app",
    token: ({ authority }) => authority.issueIdToken({ clientId: APP_ID }),
  },
  ...issued("wrong `iss`, or none", { claims: { iss: `${issuerOf(TENANT_ID)}1` } }, {
    claims: { iss: undefined },
  }),
  ...issued("token of another tenant", { claims: { iss: issuerOf(OTHER_TENANT_ID), tid: OTHER_TENANT_ID } }),
  ...issued("`tid` is not the tenant in `iss`", { claims: { tid: OTHER_TENANT_ID } }),
  ...issued("no `tid`", { claims: { tid: undefined } }),
  ...issued("expired", { lifetimeSeconds: -360 }),
  ...issued("no `exp`", { claims: { exp: undefined } }),
  ...issued("`nbf` in an hour", { claims: { nbf: now() + 3600 } }),
  ...issued("broken signature, or another key's", { signature: "broken" }, { signature: "foreign_key" }),
  ...issued("unknown `kid`", { header: { kid: "unknown" } }),
  ...issued("`alg: none`", { signature: "none" }),
  { name: "HS256 with the public key", token: confused },
  ...issued("`crit` header", { header: { crit: ["x"], x: 1 } }),
  ...issued("without the scope, or any", { scopes: ["Other"] }, { claims: { scp: undefined } }),
  {
    name: "signing key of another tenant's issuer",
    tampering: { key: (key: Json) => ({ ...key, issuer: issuerOf(OTHER_TENANT_ID) }) },
  },
];

/** A request with a bearer token. */
export function call(app: Hono, token: string): Promise<Response> {
  return Promise.resolve(app.request("/orders", { headers: { authorization: `Bearer ${token}` } }));
}

/** Tries one; what the table says of it. */
export async function tryToken(world: World, guard: Guard, fault: TokenFault): Promise<string> {
  const token = await (fault.token ?? userToken)(world);
  world.tampering = fault.tampering ?? {};
  const app = guard(world);
  const { status } = await (fault.request ? app.request(fault.request(token)) : call(app, token));
  world.tampering = {};
  return status === 200 ? LET_IN : `refused (${status})`;
}
