/**
 * Sign-ins that go wrong: what the token endpoint answers, and what becomes of it.
 *
 * @module
 */
import type { IdTokenForgery } from "../../src/testing/mod.ts";
import { begin, isIn, type Site } from "./compare_sites.ts";
import {
  APP_ID,
  Browser,
  issuerOf,
  type Json,
  LET_IN,
  MSA_TENANT_ID,
  OTHER_TENANT_ID,
  type Tampering,
  TENANT_ID,
  type World,
} from "./compare_world.ts";

/** A row: what is wrong. */
export interface SignInFault {
  readonly name: string;
  /** With the ID token. */
  readonly idToken?: IdTokenForgery;
  /** With answers on their way. */
  readonly tampering?: Tampering;
  /** The token endpoint redirects there. */
  readonly redirect?: string;
  readonly tenant?: string;
  /** Whether nothing is wrong after all. */
  readonly isGood?: boolean;
}

const now = (): number => Math.floor(Date.now() / 1000);
const claims = (name: string, ...given: Json[]): SignInFault[] =>
  given.map((members) => ({ name, idToken: { claims: members } }));
const answer = (name: string, token: (body: Json) => Json | Response): SignInFault => ({
  name,
  tampering: { token },
});
const html = (body: Json): Response =>
  new Response(JSON.stringify(body), { headers: { "content-type": "text/html" } });
const flood = (body: Json): Response => Response.json({ ...body, padding: "x".repeat(12_000_000) });
const clientInfo = (uid: string, utid: string): string =>
  btoa(JSON.stringify({ uid, utid })).replaceAll("=", "");

/** The rows. Several of one name are one row: each must be refused for the row to be. */
export const SIGN_IN_FAULTS: readonly SignInFault[] = [
  { name: "nothing is wrong", isGood: true },
  ...claims(
    "wrong `iss`, of another host, or none",
    { iss: `${issuerOf(TENANT_ID)}1` },
    { iss: `https://evil.example/${TENANT_ID}/v2.0` },
    { iss: undefined },
  ),
  ...claims("wrong `aud`, or none", { aud: `${APP_ID}1` }, { aud: undefined }),
  ...claims("a second, unknown audience and another `azp`", { aud: [APP_ID, "other"], azp: "other" }),
  ...claims("no `sub`", { sub: undefined }),
  ...claims("no `iat`", { iat: undefined }),
  ...claims("expired, or no `exp`", { exp: now() - 360 }, { exp: undefined }),
  ...claims("`nbf` in an hour", { nbf: now() + 3600 }),
  ...claims("`iat` a week ago, `exp` valid", { iat: now() - 604_800, nbf: now() - 604_800 }),
  ...claims("wrong `nonce`, or none", { nonce: "another" }, { nonce: undefined }),
  ...claims("token of another tenant", { iss: issuerOf(OTHER_TENANT_ID), tid: OTHER_TENANT_ID }),
  ...claims("`tid` is not the tenant in `iss`", { tid: OTHER_TENANT_ID }),
  ...claims("no `tid`", { tid: undefined }),
  {
    name: "Microsoft account at `organizations`",
    tenant: "organizations",
    idToken: { claims: { iss: issuerOf(MSA_TENANT_ID), tid: MSA_TENANT_ID } },
    tampering: { token: (body) => ({ ...body, client_info: clientInfo(OTHER_TENANT_ID, MSA_TENANT_ID) }) },
  },
  {
    name: "signing key of another tenant's issuer",
    tampering: { key: (key) => ({ ...key, issuer: issuerOf(OTHER_TENANT_ID) }) },
  },
  { name: "broken signature, or another key's", idToken: { signature: "broken" } },
  { name: "broken signature, or another key's", idToken: { signature: "foreign_key" } },
  { name: "unknown `kid`", idToken: { header: { kid: "unknown" } } },
  { name: "`alg: none`", idToken: { signature: "none" } },
  { name: "HS256 with the client's secret", idToken: { signature: "hs256" } },
  { name: "`crit` header", idToken: { header: { crit: ["x"], x: 1 } } },
  { name: "no ID token", idToken: { omit: true } },
  { name: "307 to another origin", redirect: "https://evil.example/token" },
  answer("JSON that says it is `text/html`", html),
  answer("`token_type` missing, or `mac`", ({ token_type: _, ...body }) => body),
  answer("`token_type` missing, or `mac`", (body) => ({ ...body, token_type: "mac" })),
  answer("`access_token` missing, or a number", ({ access_token: _, ...body }) => body),
  answer("`access_token` missing, or a number", (body) => ({ ...body, access_token: 5 })),
  answer("12 MB", flood),
  answer(
    "`client_info` of another user (no harm where it is not read)",
    (body) => ({ ...body, client_info: clientInfo(OTHER_TENANT_ID, TENANT_ID) }),
  ),
];

/** Tries one; what the table says of it. */
export async function trySignIn(world: World, site: Site, fault: SignInFault): Promise<string> {
  const { authority } = world;
  const browser = new Browser(site(world, fault.tenant ?? TENANT_ID));
  const { status, url } = await begin(browser);
  if (url === null) return `does not begin (${status})`;
  world.reset();
  if (fault.idToken) authority.fault({ on: "token", kind: "id_token", ...fault.idToken });
  if (fault.redirect) {
    authority.fault({ on: "token", kind: "redirect", status: 307, location: fault.redirect });
  }
  world.tampering = fault.tampering ?? {};
  const back = await browser.get((await authority.signIn(url)).url);
  await back.body?.cancel();
  world.tampering = {};
  authority.clearFaults();
  const sent = world.counts.elsewhere > 0 ? ", and sent the code there" : "";
  return (await isIn(browser) ? LET_IN : `refused (${back.status})`) + sent;
}
