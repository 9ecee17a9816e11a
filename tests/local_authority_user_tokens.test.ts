/** What is in the tokens that the local authority issues for users, and when they carry what a challenge asks for. */
import { assert, assertEquals, assertFalse, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { base64url, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import {
  CLI,
  CONSUMERS,
  CONTOSO,
  FABRIKAM,
  HOST,
  type Json,
  ORDERS,
  UserScene,
  WEB,
} from "./support/user_scene.ts";

const NOW = Date.UTC(2026, 0, 1) / 1000;

function essential(value: string): string {
  return JSON.stringify({ access_token: { acrs: { essential: true, value } } });
}

function without(claims: Json, ...names: string[]): Json {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));
}

test("R-053: an ID token verifies against the served keys, for the issuer and the client", async () => {
  const scene = new UserScene();
  const { id_token } = await scene.tokens();
  const document =
    await (await scene.authority.fetch(`${HOST}/${CONTOSO.id}/v2.0/.well-known/openid-configuration`))
      .json();
  const keys = await (await scene.authority.fetch(document.jwks_uri)).json();
  await jwtVerify(id_token, createLocalJWKSet(keys), {
    issuer: document.issuer,
    audience: WEB.clientId,
    algorithms: ["RS256"],
    currentDate: new Date(scene.clock.now()),
  });
  assertEquals(decodeProtectedHeader(id_token), { typ: "JWT", alg: "RS256", kid: keys.keys[0].kid });
});

test("an ID token has Entra's claims", async () => {
  const scene = new UserScene();
  const { id_token, access_token } = await scene.tokens({ scope: "openid profile email User.Read" });
  const claims = decodeJwt(id_token);
  assertEquals(without(claims, "aio", "rh", "uti", "oid", "sub", "at_hash"), {
    aud: WEB.clientId,
    iss: `${HOST}/${CONTOSO.id}/v2.0`,
    iat: NOW - 300,
    nbf: NOW - 300,
    exp: NOW + 3600,
    name: "Ada Byron",
    nonce: "the-nonce",
    preferred_username: "ada@contoso.onmicrosoft.com",
    email: "ada@contoso.example",
    xms_edov: true,
    tid: CONTOSO.id,
    ver: "2.0",
  });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(access_token)));
  assertEquals(claims["at_hash"], base64url.encode(hash.subarray(0, 16)));
});

test("an ID token says no more than the scopes allow", async () => {
  const scene = new UserScene();
  const { id_token } = await scene.tokens({ scope: "openid", nonce: undefined });
  const names = Object.keys(decodeJwt(id_token)).sort();
  assertEquals(names, "aio at_hash aud exp iat iss nbf rh sub tid uti ver".split(" "));
});

test("R-084: a user without an address has no e-mail claim, and one without a word on it no xms_edov", async () => {
  const users = [{ username: "a@x.example" }, { username: "b@x.example", email: "b@x.example" }];
  const scene = new UserScene({ users });
  const claimsOf = async (username: string) =>
    decodeJwt((await scene.tokens({ scope: "openid email" }, { username })).id_token);
  const [a, b] = [await claimsOf("a@x.example"), await claimsOf("b@x.example")];
  assertEquals(["email" in a, b["email"], "xms_edov" in b], [false, "b@x.example", false]);
});

test("R-067: an ID token says when the user signed in if max_age, the claims or the app ask, also after a refresh", async () => {
  const claims = JSON.stringify({ id_token: { auth_time: { essential: true } } });
  const scene = new UserScene({ apps: [WEB, { ...CLI, optionalClaims: ["auth_time"] }] });
  for (const changes of [{ max_age: "0" }, { claims }]) {
    const { id_token, refresh_token } = await scene.tokens(changes);
    const signedIn = scene.clock.now() / 1000;
    await scene.clock.advance(60_000);
    const { body } = await scene.refresh(refresh_token);
    assertEquals([id_token, body.id_token].map((token) => decodeJwt(token)["auth_time"]), [
      signedIn,
      signedIn,
    ]);
  }
  assertFalse("auth_time" in decodeJwt((await scene.tokens()).id_token));
  const code = await scene.code({ client_id: CLI.clientId });
  const { body } = await scene.redeem(code, { client_id: CLI.clientId, client_secret: undefined });
  assert("auth_time" in decodeJwt(body.id_token));
});

test("optional claims are there if the app is registered for them", async () => {
  const scene = new UserScene({ apps: [{ ...WEB, optionalClaims: ["login_hint", "sid"] }] });
  const claims = decodeJwt((await scene.tokens()).id_token);
  assertMatch(String(claims["sid"]), /^[0-9a-f-]{36}$/);
  assertMatch(String(claims["login_hint"]), /^O\./);
});

test("a version 1 access token of a user has Entra's claims", async () => {
  const scene = new UserScene();
  const scope = "openid https://graph.microsoft.com/User.Read";
  const { access_token, id_token } = await scene.tokens({ scope });
  const claims = decodeJwt(access_token);
  assertEquals(without(claims, "aio", "rh", "uti", "oid", "sub"), {
    aud: "https://graph.microsoft.com",
    iss: `https://sts.windows.net/${CONTOSO.id}/`,
    acct: 0,
    acr: "1",
    amr: ["pwd"],
    app_displayname: "Web",
    appid: WEB.clientId,
    appidacr: "1",
    unique_name: "ada@contoso.onmicrosoft.com",
    upn: "ada@contoso.onmicrosoft.com",
    ver: "1.0",
    iat: NOW - 300,
    nbf: NOW - 300,
    exp: NOW + 3599,
    idtyp: "user",
    name: "Ada Byron",
    scp: "openid User.Read",
    tid: CONTOSO.id,
    xms_st: { sub: decodeJwt(id_token).sub },
  });
});

test("a version 2 access token of a user has Entra's claims", async () => {
  const scene = new UserScene();
  const { access_token } = await scene.tokens({
    scope: "openid api://orders/Orders.Read api://orders/Orders.Write",
  });
  const claims = decodeJwt(access_token);
  assertEquals(without(claims, "aio", "rh", "uti", "oid", "sub"), {
    aud: ORDERS.appId,
    iss: `${HOST}/${CONTOSO.id}/v2.0`,
    azp: WEB.clientId,
    azpacr: "1",
    preferred_username: "ada@contoso.onmicrosoft.com",
    ver: "2.0",
    iat: NOW - 300,
    nbf: NOW - 300,
    exp: NOW + 3599,
    name: "Ada Byron",
    scp: "Orders.Read Orders.Write",
    tid: CONTOSO.id,
  });
});

test("every client and every API knows a user by another subject, always the same, and by one object id", async () => {
  const scene = new UserScene();
  const claimsOf = async (scope: string, username: string) => {
    const { access_token, id_token } = await scene.tokens({ scope }, { username });
    return [decodeJwt(access_token), decodeJwt(id_token)];
  };
  const ada = "ada@contoso.onmicrosoft.com";
  const graph = await claimsOf("openid profile User.Read", ada);
  const again = await claimsOf("openid profile User.Read", ada);
  const orders = await claimsOf("openid profile api://orders/Orders.Read", ada);
  const bob = await claimsOf("openid profile User.Read", "bob@contoso.onmicrosoft.com");
  assertEquals(again.map(({ sub }) => sub), graph.map(({ sub }) => sub));
  const subjects = [graph[0], graph[1], orders[0], bob[0], bob[1]].map((claims) => claims?.sub);
  assertEquals(new Set(subjects).size, 5);
  assertEquals(orders[1]?.sub, graph[1]?.sub);
  assertEquals(new Set([...graph, ...orders].map((claims) => claims["oid"])).size, 1);
});

test("R-085: a guest's tokens are those of the tenant, and client_info still names the home", async () => {
  const scene = new UserScene();
  const { access_token, id_token, client_info } = await scene.tokens({}, {}, "fabrikam.example");
  const [access, id] = [decodeJwt(access_token), decodeJwt(id_token)];
  const home = JSON.parse(atob(client_info));
  assertEquals([id["tid"], id.iss, home.utid], [FABRIKAM.id, `${HOST}/${FABRIKAM.id}/v2.0`, CONTOSO.id]);
  assertNotEquals(id["oid"], home.uid);
  assertEquals([access["acct"], access["upn"], access["oid"]], [1, undefined, id["oid"]]);
  const homeIssuer = `https://sts.windows.net/${CONTOSO.id}/`;
  assertEquals([access["idp"], id["idp"]], [homeIssuer, homeIssuer]);
});

test("R-075: a Microsoft account's tokens are those of the tenant of all of them", async () => {
  const scene = new UserScene();
  const { id_token, client_info } = await scene.tokens({}, { username: "pat@outlook.example" }, "consumers");
  const claims = decodeJwt(id_token);
  assertEquals([claims["tid"], claims.iss], [CONSUMERS, `${HOST}/${CONSUMERS}/v2.0`]);
  const { uid, utid } = JSON.parse(atob(client_info));
  assertEquals([uid, utid], [claims["oid"], CONSUMERS]);
  assertMatch(uid, /^00000000-0000-0000-[0-9a-f]{4}-[0-9a-f]{12}$/);
});

test("on common everyone gets a token of their home", async () => {
  const scene = new UserScene();
  const homes = [
    ["ada@contoso.onmicrosoft.com", CONTOSO.id],
    ["fay@fabrikam.example", FABRIKAM.id],
    ["pat@outlook.example", CONSUMERS],
  ] as const;
  for (const [username, tid] of homes) {
    assertEquals(decodeJwt((await scene.tokens({}, { username }, "common")).id_token)["tid"], tid);
  }
});

test("a token on loopback names the origin as its issuer, version 1 and 2", async () => {
  const scene = new UserScene();
  const origin = "http://127.0.0.1:4321";
  const { parameters } = await scene.authority.signIn(scene.authorizeUrl().replace(HOST, origin));
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: WEB.clientId,
    client_secret: "s3cret",
    code: parameters.get("code") ?? "",
    redirect_uri: "http://localhost:3000/callback",
    code_verifier: "a-verifier-that-is-long-enough-for-the-endpoint",
  });
  const url = `${origin}/${CONTOSO.id}/oauth2/v2.0/token`;
  const response = await scene.authority.handler(new Request(url, { method: "POST", body: form }));
  const { id_token, access_token } = await response.json();
  assertEquals(decodeJwt(id_token).iss, `${origin}/${CONTOSO.id}/v2.0`);
  assertEquals(decodeJwt(access_token).iss, `${origin}/${CONTOSO.id}/`);
});

test("capabilities are written into access tokens, request by request", async () => {
  const scene = new UserScene();
  const claims = JSON.stringify({ access_token: { xms_cc: { values: ["cp1", 7] } } });
  const { access_token, id_token, refresh_token } = await scene.tokens({ claims });
  assertEquals([decodeJwt(access_token)["xms_cc"], decodeJwt(id_token)["xms_cc"]], [["cp1"], undefined]);
  assertFalse("xms_cc" in decodeJwt((await scene.refresh(refresh_token)).body.access_token));
  const { body } = await scene.refresh(refresh_token, { claims });
  assertEquals(decodeJwt(body.access_token)["xms_cc"], ["cp1"]);
});

test("an essential authentication context that the sign-in did not have is a challenge", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  const { status, body } = await scene.refresh(refresh_token, { claims: essential("c1") });
  assertEquals(
    [status, body.error, body.suberror, body.error_codes, body.claims],
    [400, "interaction_required", "basic_action", [50076], essential("c1")],
  );
  const bob = await scene.tokens({}, { username: "bob@contoso.onmicrosoft.com" });
  const enroll = await scene.refresh(bob.refresh_token, { claims: essential("c1") });
  assertEquals([enroll.body.error, enroll.body.error_codes], ["interaction_required", [50079]]);
  const code = await scene.code();
  assertEquals((await scene.redeem(code, { claims: essential("c1") })).body.error_codes, [50076]);
});

test("a challenge is met by signing in with its claims", async () => {
  const scene = new UserScene();
  const refused = await scene.refresh((await scene.tokens()).refresh_token, { claims: essential("c1") });
  const { access_token, refresh_token } = await scene.tokens({ claims: refused.body.claims });
  const claims = decodeJwt(access_token);
  assertEquals([claims["acrs"], claims["amr"]], [["c1"], ["pwd", "mfa"]]);
  const { status, body } = await scene.refresh(refresh_token, { claims: essential("c2") });
  assertEquals([status, decodeJwt(body.access_token)["acrs"]], [200, ["c2"]]);
  assertFalse("acrs" in decodeJwt((await scene.refresh(refresh_token)).body.access_token));
});

test("a context that is only wished for is left out when the sign-in did not have it", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  const claims = JSON.stringify({ access_token: { acrs: { values: ["c1", "c2"] } } });
  const { status, body } = await scene.refresh(refresh_token, { claims });
  assertEquals([status, "acrs" in decodeJwt(body.access_token)], [200, false]);
  const stronger = await scene.tokens({ claims }, { mfa: true });
  assertEquals(decodeJwt(stronger.access_token)["acrs"], ["c1", "c2"]);
});

test("an ID token carries the contexts that it is asked for", async () => {
  const scene = new UserScene();
  const claims = JSON.stringify({ id_token: { acrs: { essential: true, value: "c1" } } });
  assertEquals(decodeJwt((await scene.tokens({ claims })).id_token)["acrs"], ["c1"]);
  assertFalse("acrs" in decodeJwt((await scene.tokens({ claims: essential("c1") })).id_token));
});

test("claims of an odd shape ask for nothing", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  const odd = [
    { access_token: null },
    { access_token: [] },
    { access_token: { acrs: null, xms_cc: { values: "cp1" } } },
    { access_token: { acrs: { essential: "true", value: "c1" } } },
    { access_token: { acrs: { essential: true, value: { c1: true } } } },
  ];
  for (const claims of odd) {
    const { status, body } = await scene.refresh(refresh_token, { claims: JSON.stringify(claims) });
    assertEquals(status, 200, JSON.stringify(claims));
    const { acrs, xms_cc } = decodeJwt(body.access_token);
    assertEquals([acrs, xms_cc], [undefined, undefined], JSON.stringify(claims));
  }
});

test("tokens for users can be signed without a request", async () => {
  const scene = new UserScene();
  const { authority } = scene;
  const token = decodeJwt(await authority.issueUserToken());
  assertEquals([token.aud, token["azp"], token["scp"]], [
    ORDERS.appId,
    WEB.clientId,
    "Orders.Read Orders.Write",
  ]);
  const graph = await authority.issueUserToken({
    username: "ada@contoso.onmicrosoft.com",
    tenant: FABRIKAM.id,
    clientId: CLI.clientId,
    resource: "https://graph.microsoft.com",
    scopes: ["User.Read"],
    mfa: true,
    lifetimeSeconds: -1,
    claims: { upn: "odd", name: undefined },
  });
  const claims = decodeJwt(graph);
  assertEquals([claims["tid"], claims["appid"], claims["scp"]], [FABRIKAM.id, CLI.clientId, "User.Read"]);
  assertEquals([claims.exp, claims["upn"], "name" in claims], [NOW - 1, "odd", false]);
  const id = decodeJwt(await authority.issueIdToken({ nonce: "n", authTimeSeconds: 7, accessToken: "x" }));
  assertEquals([id["nonce"], id["auth_time"], typeof id["at_hash"]], ["n", 7, "string"]);
});

test("a token cannot be signed for what is not declared", async () => {
  const { authority } = new UserScene();
  const wrong = [
    { username: "nobody@contoso.onmicrosoft.com" },
    { tenant: "nowhere.example" },
    { clientId: "nobody" },
    { username: "bob@contoso.onmicrosoft.com", tenant: FABRIKAM.id },
  ];
  for (const options of wrong) {
    await assertRejects(() => authority.issueUserToken(options), TypeError, "Cannot issue a token");
    await assertRejects(() => authority.issueIdToken(options), TypeError, "Cannot issue a token");
  }
  await assertRejects(() => authority.issueUserToken({ resource: "api://nothing" }), TypeError);
  await assertRejects(() => new LocalAuthority({ users: [] }).issueUserToken(), TypeError);
});
