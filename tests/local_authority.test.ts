/** The local authority issues app tokens, in process, as Entra ID does. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertThrows } from "@std/assert";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { tokenForm } from "./support/token_form.ts";

const HOST = "https://login.microsoftonline.com";
const API = { identifierUris: ["api://orders"], appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91" };

type Json = Record<string, unknown>;

async function post(authority: LocalAuthority, changes: Record<string, string> = {}): Promise<Json> {
  const url = `${HOST}/${authority.defaults.tenantId}/oauth2/v2.0/token`;
  const response = await authority.fetch(url, { method: "POST", body: tokenForm(authority, changes) });
  return await response.json();
}

async function tokenOf(authority: LocalAuthority, changes: Record<string, string> = {}): Promise<string> {
  const body = await post(authority, changes);
  assertEquals(body["error_description"], undefined);
  return String(body["access_token"]);
}

async function basic(
  authority: LocalAuthority,
  id: string,
  secret: string,
  extra: Json = {},
): Promise<number> {
  const encoded = [id, secret].map((part) => new URLSearchParams({ x: part }).toString().slice(2)).join(":");
  const form = new URLSearchParams({ grant_type: "client_credentials", scope: authority.defaults.scope });
  for (const [name, value] of Object.entries(extra)) form.set(name, String(value));
  const url = `${HOST}/${authority.defaults.tenantId}/oauth2/v2.0/token`;
  const headers = { authorization: `Basic ${btoa(encoded)}` };
  return (await authority.fetch(url, { method: "POST", headers, body: form })).status;
}

function appWith(secrets: readonly (string | { value: string; expiresAtMs?: number })[]) {
  return [{ clientId: "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924", secrets }];
}

test("an authority without options issues a token that verifies against the key set it serves", async () => {
  const authority = new LocalAuthority();
  const { tenantId } = authority.defaults;
  const token = await tokenOf(authority);
  const document = await (await authority.fetch(`${HOST}/${tenantId}/v2.0/.well-known/openid-configuration`))
    .json();
  const keys = await (await authority.fetch(document.jwks_uri)).json();
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer: `https://sts.windows.net/${tenantId}/`,
    audience: "https://graph.microsoft.com",
    algorithms: ["RS256"],
  });
  assertEquals(payload["roles"], ["Organization.Read.All"]);
});

test("a version 1 token has Entra's claims", async () => {
  const nowMs = 1_800_000_000_000;
  const clock = { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => {} };
  const authority = new LocalAuthority({ clock });
  const { tenantId, clientId } = authority.defaults;
  const token = await tokenOf(authority);
  const claims = decodeJwt(token);
  const { aio, rh, uti, oid, sub, ...rest } = claims;
  const issuer = `https://sts.windows.net/${tenantId}/`;
  assertEquals(rest, {
    aud: "https://graph.microsoft.com",
    iss: issuer,
    app_displayname: "Local app",
    appid: clientId,
    appidacr: "1",
    idp: issuer,
    ver: "1.0",
    iat: 1_800_000_000 - 300,
    nbf: 1_800_000_000 - 300,
    exp: 1_800_000_000 + 3599,
    idtyp: "app",
    roles: ["Organization.Read.All"],
    tid: tenantId,
  });
  assert([aio, rh, uti].every((value) => typeof value === "string" && value.length > 20));
  assertEquals(oid, sub);
  const { kid, x5t, alg, typ } = decodeProtectedHeader(token);
  assertEquals([kid, alg, typ], [x5t, "RS256", "JWT"]);
});

test("a version 2 token names the app id as audience and the app as azp", async () => {
  const authority = new LocalAuthority({ resources: [{ ...API, accessTokenVersion: 2 }] });
  const { tenantId, clientId } = authority.defaults;
  const token = await tokenOf(authority, { scope: "api://orders/.default" });
  const claims = decodeJwt(token);
  assertEquals([claims.aud, claims["azp"], claims["azpacr"], claims["ver"]], [
    API.appId,
    clientId,
    "1",
    "2.0",
  ]);
  assertEquals(claims.iss, `${HOST}/${tenantId}/v2.0`);
  for (const absent of ["appid", "appidacr", "idp", "idtyp", "roles", "scp"]) {
    assertEquals(claims[absent], undefined);
  }
  assertEquals(decodeProtectedHeader(token)["x5t"], undefined);
});

test("idtyp is there for an app that opted in, and for no other", async () => {
  const [app] = appWith(["s"]);
  for (const [optionalClaims, idtyp] of [[["idtyp"], "app"], [[], undefined]] as const) {
    const authority = new LocalAuthority({ apps: [{ ...app!, optionalClaims }], resources: [API] });
    assertEquals(decodeJwt(await tokenOf(authority))["idtyp"], idtyp);
  }
});

test("two tokens of one app differ in uti and agree on the principal", async () => {
  const authority = new LocalAuthority();
  const [a, b] = await Promise.all([tokenOf(authority), tokenOf(authority)]);
  assertNotEquals(decodeJwt(a)["uti"], decodeJwt(b)["uti"]);
  assertEquals(decodeJwt(a).sub, decodeJwt(b).sub);
  assertEquals(decodeProtectedHeader(a).kid, decodeProtectedHeader(b).kid);
});

test("two authorities sign with different keys", async () => {
  const [a, b] = await Promise.all([tokenOf(new LocalAuthority()), tokenOf(new LocalAuthority())]);
  assertNotEquals(decodeProtectedHeader(a).kid, decodeProtectedHeader(b).kid);
});

test("a response has refresh_in only for a long-lived token, or when told to", async () => {
  const of = async (options: { tokenLifetimeSeconds?: number; refreshInSeconds?: number }) => {
    const { access_token: _, ...rest } = await post(new LocalAuthority(options));
    return rest;
  };
  const short = { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599 };
  assertEquals(await of({}), short);
  const long = { token_type: "Bearer", expires_in: 86_399, ext_expires_in: 86_399, refresh_in: 43_199 };
  assertEquals(await of({ tokenLifetimeSeconds: 86_399 }), long);
  assertEquals(await of({ refreshInSeconds: 60 }), { ...short, refresh_in: 60 });
});

test("the claims parameter and fmi_path end up in the token", async () => {
  const claims = JSON.stringify({ access_token: { xms_cc: { values: ["cp1"] }, other: null } });
  const payload = decodeJwt(await tokenOf(new LocalAuthority(), { claims, fmi_path: "SomeFmiPath/x" }));
  assertEquals([payload["xms_cc"], payload["fmi_path"]], [["cp1"], "SomeFmiPath/x"]);
  for (const harmless of ["{}", '{"access_token":null}', '{"access_token":{"xms_cc":{"values":"cp1"}}}']) {
    assertEquals(decodeJwt(await tokenOf(new LocalAuthority(), { claims: harmless }))["xms_cc"], undefined);
  }
});

test("a trailing slash, doubled slashes, a domain and any case of the tenant reach the token endpoint", async () => {
  const authority = new LocalAuthority();
  const { tenantId, domain } = authority.defaults;
  const paths = [
    `${tenantId}/oauth2/v2.0/token/`,
    `${domain}//oauth2/v2.0/token`,
    `${tenantId.toUpperCase()}/oauth2/v2.0/token`,
  ];
  for (const path of paths) {
    const response = await authority.fetch(`${HOST}/${path}`, { method: "POST", body: tokenForm(authority) });
    assertEquals(response.status, 200);
    assertEquals(decodeJwt((await response.json()).access_token)["tid"], tenantId);
  }
});

test("a regional host is the public cloud, and a sovereign host is its own issuer", async () => {
  const authority = new LocalAuthority({ resources: [{ ...API, accessTokenVersion: 2 }] });
  const { tenantId } = authority.defaults;
  const expected = [
    ["westus2.login.microsoft.com", "login.microsoftonline.com"],
    ["login.windows.net", "login.microsoftonline.com"],
    ["login.microsoftonline.us", "login.microsoftonline.us"],
    ["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
  ];
  for (const [host, issuer] of expected) {
    const url = `https://${host}/${tenantId}/oauth2/v2.0/token`;
    const response = await authority.fetch(url, { method: "POST", body: tokenForm(authority) });
    assertEquals(decodeJwt((await response.json()).access_token).iss, `https://${issuer}/${tenantId}/v2.0`);
  }
});

test("client credentials may come by HTTP Basic, form-encoded, whatever is in the secret", async () => {
  for (const secret of ["plain", "a:b", "100% +/&=", "späť~中"]) {
    const authority = new LocalAuthority({ apps: appWith([secret]) });
    const { clientId } = authority.defaults;
    assertEquals(await basic(authority, clientId, secret), 200);
    assertEquals(await basic(authority, clientId, secret, { client_id: clientId }), 200);
    assertEquals(await basic(authority, clientId, `${secret}x`), 401);
    assertEquals(await basic(authority, clientId, secret, { client_secret: secret }), 400);
    assertEquals(await basic(authority, clientId, secret, { client_id: "another" }), 400);
  }
});

test("HTTP Basic that cannot be read is refused", async () => {
  const authority = new LocalAuthority();
  for (const credentials of ["%", btoa("no colon"), btoa("%zz:x"), btoa("\xff:x"), ""]) {
    const response = await authority.fetch(`${HOST}/${authority.defaults.tenantId}/oauth2/v2.0/token`, {
      method: "POST",
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: "client_credentials", scope: authority.defaults.scope }),
    });
    assertEquals(response.status, 400);
  }
});

test("any live secret is accepted during a rotation, an expired one is named as such", async () => {
  const nowMs = 1_800_000_000_000;
  const clock = { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => {} };
  const apps = appWith(["new", { value: "old", expiresAtMs: nowMs + 1 }, {
    value: "gone",
    expiresAtMs: nowMs,
  }]);
  const authority = new LocalAuthority({ apps, clock });
  assert("access_token" in await post(authority, { client_secret: "new" }));
  assert("access_token" in await post(authority, { client_secret: "old" }));
  assertEquals((await post(authority, { client_secret: "gone" }))["error_codes"], [7000222]);
  assertEquals((await post(authority, { client_secret: "never" }))["error_codes"], [7000215]);
  assertEquals((await post(authority, { client_secret: "ne" }))["error_codes"], [7000215]);
});

test("a secret that one declaration lets expire and another keeps is accepted", async () => {
  const authority = new LocalAuthority({ apps: appWith([{ value: "same", expiresAtMs: 1 }, "same"]) });
  assert("access_token" in await post(authority, { client_secret: "same" }));
});

test("an app that is granted nothing gets a token without roles", async () => {
  const authority = new LocalAuthority({ apps: appWith(["s"]) });
  assertFalse("roles" in decodeJwt(await tokenOf(authority)));
});

test("declarations that cannot be right are refused by the constructor", () => {
  const id = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
  const wrong = [
    { tenants: [{ id: "contoso" }] },
    { tenants: [{ id }, { id: id.toUpperCase() }] },
    { tenants: [{ id, domains: ["a.example", "A.example"] }] },
    { apps: [{ clientId: "" }] },
    { apps: [...appWith([]), ...appWith([])] },
    { apps: [{ ...appWith([])[0]!, tenants: ["5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91"] }] },
    { resources: [{ ...API, appId: "orders" }] },
    { resources: [API, { ...API, appId: id }] },
  ];
  for (const options of wrong) assertThrows(() => new LocalAuthority(options), TypeError, "Cannot");
});
