/** Azure AD B2C at the local authority, by hand. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { EntraError } from "../src/testing/mod.ts";
import { guidFor } from "../src/testing/guid.ts";
import {
  ADA,
  B2C,
  B2C_CUSTOM,
  BOB,
  CLIENT_ID,
  CONSUMER,
  ORDERS,
  PUBLIC_ID,
  ShapeScene,
} from "./support/local_shapes.ts";
import { FormBrowser } from "./support/form_browser.ts";
import { test } from "./support/suite.ts";
import type { Answer, Changes } from "./support/user_scene.ts";

const HOST = "https://fabrikam.b2clogin.com";
const SIGN_IN = `${B2C}/B2C_1_signin`;
const DOCUMENT = "/v2.0/.well-known/openid-configuration";
const AT = `${SIGN_IN}/oauth2/v2.0`;
const READ = "https://orders.contoso.com/Orders.Read";

function told({ status, body }: Answer): unknown[] {
  return [status, body["error"], /^(\w+): /.exec(body["error_description"])?.[1], "error_codes" in body];
}

test("paths that name no policy of the tenant are nobody's", async () => {
  const scene = new ShapeScene();
  const paths = [
    "",
    "/fabrikam.onmicrosoft.com",
    "/fabrikam.onmicrosoft.com/B2C_1_other",
    "/contoso.onmicrosoft.com/B2C_1_signin",
    "/common/B2C_1_signin",
    "/tfp/B2C_1_signin",
    "/tfp/tfp/fabrikam.onmicrosoft.com/B2C_1_signin",
    "/B2C_1_signin/fabrikam.onmicrosoft.com",
    "/adfs",
  ];
  for (const path of paths) {
    assertEquals((await scene.get(`${HOST}${path}${DOCUMENT}`)).status, 404, path);
    assertEquals((await scene.post(`${HOST}${path}/oauth2/v2.0/token`)).status, 404, path);
  }
  for (const path of ["/oauth2/v2.0/devicecode", "/oauth2/v2.0/par", "/discovery/keys", "/oauth2/token"]) {
    assertEquals((await scene.post(`${SIGN_IN}${path}`)).status, 404, path);
  }
  assertEquals((await scene.get(`${SIGN_IN}/.well-known/openid-configuration`)).status, 404);
});

test("errors are told as B2C tells them, without an AADSTS code", async () => {
  const scene = new ShapeScene();
  const stranger = "00000000-1111-4222-8333-444444444444";
  const code = (): Promise<string> => scene.code(AT);
  const grant = { grant_type: "authorization_code", redirect_uri: "https://app.example/callback" };
  const cases: [Changes, unknown[]][] = [
    [{ client_secret: "wrong" }, [400, "invalid_client", "AADB2C90081", false]],
    [{ client_secret: undefined }, [400, "invalid_request", "AADB2C90079", false]],
    [{ client_id: undefined }, [400, "invalid_request", "AADB2C90008", false]],
    [{ client_id: stranger }, [400, "unauthorized_client", "AADB2C90018", false]],
    [{ scope: "https://nobody.example/.default" }, [400, "invalid_resource", "AADB2C90117", false]],
    [{ grant_type: "password" }, [400, "unsupported_grant_type", "AADB2C90085", false]],
    [
      { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer" },
      [400, "unsupported_grant_type", "AADB2C90085", false],
    ],
    [{ ...grant, code: "none", scope: undefined }, [400, "invalid_grant", "AADB2C90080", false]],
    [{ ...grant, code: await code(), scope: "User.Read" }, [400, "invalid_scope", "AADB2C90117", false]],
    [
      { ...grant, code: await code(), client_secret: undefined },
      [400, "invalid_request", "AADB2C90079", false],
    ],
    [{ grant_type: "refresh_token", refresh_token: "none" }, [400, "invalid_grant", "AADB2C90080", false]],
  ];
  for (const [changes, expected] of cases) {
    assertEquals(told(await scene.post(`${AT}/token`, changes)), expected, JSON.stringify(changes));
  }
  scene.authority.fault({
    on: "token",
    kind: "entra_error",
    code: 1,
    text: "Broken.",
    error: "server_error",
  });
  const { body } = await scene.post(`${AT}/token`);
  assertMatch(
    body["error_description"],
    /^AADB2C90085: Broken\.\r\nCorrelation ID: [\w-]+\r\nTimestamp: .+Z\r\n$/,
  );
});

test("nobody else's users sign in, and prompt=none without a session goes back with an error", async () => {
  const scene = new ShapeScene();
  const url = scene.authorizeUrl(AT);
  await assertRejects(() => scene.authority.signIn(url, { username: ADA.username }), EntraError);
  await assertRejects(
    () => scene.authority.signIn(scene.authorizeUrl(AT, { redirect_uri: "https://evil.example" })),
    EntraError,
  );
  const silent = await scene.authority.signIn(scene.authorizeUrl(AT, { prompt: "none" }));
  assertEquals(silent.parameters.get("error"), "login_required");
  assertMatch(silent.parameters.get("error_description") ?? "", /^AADB2C90077: /);
  assertEquals(silent.parameters.has("error_uri"), false);
  const no = await scene.authority.signIn(url, { decline: true });
  assertMatch(no.parameters.get("error_description") ?? "", /^AADB2C90091: /);
});

test("codes and refresh tokens are of their policy alone", async () => {
  const scene = new ShapeScene();
  const other = `${B2C}/B2C_1_old/oauth2/v2.0`;
  const code = await scene.code(AT);
  assertEquals(told(await scene.redeem(other, code)), [400, "invalid_grant", "AADB2C90088", false]);
  const workforce = `https://login.microsoftonline.com/${CONSUMER}/oauth2/v2.0`;
  assertEquals((await scene.redeem(workforce, code)).status, 400);
  const { refresh_token } = (await scene.redeem(AT, code)).body;
  const grant = { grant_type: "refresh_token", refresh_token, scope: `openid ${CLIENT_ID}` };
  assertEquals(told(await scene.post(`${other}/token`, grant)), [400, "invalid_grant", "AADB2C90088", false]);
  assertEquals((await scene.post(`${workforce}/token`, grant)).status, 400);
  const tfp = "https://fabrikam.b2clogin.com/tfp/fabrikam.onmicrosoft.com/B2C_1_signin/oauth2/v2.0/token";
  assertEquals((await scene.post(tfp, grant)).status, 200);
});

test("there is an access token only where one is asked for: an API, or the app itself", async () => {
  const scene = new ShapeScene();
  const none = await scene.tokens(AT, { client_info: "1" }, { client_info: "1" });
  assertEquals([none["access_token"], none["expires_in"], none["id_token_expires_in"]], [
    undefined,
    undefined,
    3600,
  ]);
  assert(none["refresh_token"] !== undefined);
  const { sub, oid } = decodeJwt(none["id_token"]);
  assertEquals([sub, oid], [guidFor(BOB.username), guidFor(BOB.username)]);
  assertEquals(JSON.parse(atob(none["client_info"])), { uid: `${oid}-b2c_1_signin`, utid: CONSUMER });

  const own = await scene.tokens(AT, { scope: `openid ${CLIENT_ID}` });
  const claims = decodeJwt(own["access_token"]);
  assertEquals([claims.aud, claims["azp"], claims["scp"]], [CLIENT_ID, CLIENT_ID, undefined]);
  assertEquals([own["resource"], own["scope"]], [CLIENT_ID, `${CLIENT_ID} openid`]);
  assertEquals([own["client_info"], own["refresh_token"]], [undefined, undefined]);
  const now = scene.clock.now() / 1000;
  assertEquals([own["not_before"], own["expires_on"]], [now, now + own["expires_in"]]);

  const api = await scene.tokens(AT, { scope: `openid offline_access ${READ}` });
  const { aud, scp, ver } = decodeJwt(api["access_token"]);
  assertEquals([aud, scp, ver], [ORDERS.appId, "Orders.Read", "1.0"]);
  assertStringIncludes(api["scope"], READ);
});

const POLICIES: [string, string, string, Record<string, unknown>][] = [
  [SIGN_IN, "default", `${HOST}/${CONSUMER}/v2.0/`, { tfp: "B2C_1_signin", acr: undefined, tid: undefined }],
  [
    `${HOST}/tfp/${CONSUMER}/b2c_1a_TFP`,
    "tfp",
    `${HOST}/tfp/${CONSUMER}/b2c_1a_tfp/v2.0/`,
    { tfp: "B2C_1A_tfp", acr: undefined, tid: CONSUMER },
  ],
  [`${B2C}/b2c_1_old`, "acr", `${HOST}/${CONSUMER}/v2.0/`, {
    tfp: undefined,
    acr: "B2C_1_old",
    tid: undefined,
  }],
  [
    `${B2C_CUSTOM}/${CONSUMER}/B2C_1_signin`,
    "a domain of its own",
    `${B2C_CUSTOM}/${CONSUMER}/v2.0/`,
    { tfp: "B2C_1_signin", acr: undefined, tid: undefined },
  ],
];
for (const [base, what, issuer, expected] of POLICIES) {
  test(`document, keys and claims of a policy: ${what}`, async () => {
    const scene = new ShapeScene();
    const { body } = await scene.get(`${base}${DOCUMENT}`);
    assertEquals(body["issuer"], issuer);
    assertEquals(body["token_endpoint"].toLowerCase(), `${base}/oauth2/v2.0/token`.toLowerCase());
    assertEquals(body["device_authorization_endpoint"], undefined);
    const keys = (await scene.get(body["jwks_uri"])).body;
    assertEquals(Object.keys(keys["keys"][0]).sort(), ["e", "kid", "kty", "n", "nbf", "use"]);
    const tokens = await scene.tokens(`${base}/oauth2/v2.0`, { scope: `openid ${READ}` });
    for (const token of [tokens["id_token"], tokens["access_token"]]) {
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys as never), {
        issuer,
        currentDate: new Date(scene.clock.now()),
      });
      for (const [name, value] of Object.entries(expected)) assertEquals(payload[name], value, name);
      assertEquals([payload["emails"], payload["name"]], [[BOB.email], "Bob"]);
      assertEquals(Object.keys(decodeProtectedHeader(token)).sort(), ["alg", "kid", "typ"]);
    }
    assertEquals(decodeJwt(tokens["id_token"])["nonce"], "the-nonce");
    const app = await scene.post(`${base}/oauth2/v2.0/token`);
    assertEquals(decodeJwt(app.body["access_token"]).iss, issuer);
    assertEquals(
      scene.authority.requests[0]?.policy,
      expected["tfp"]?.toString().toLowerCase() ?? "b2c_1_old",
    );
  });
}

test("a browser signs in on the pages, also on loopback, and a public client needs no secret", async () => {
  const scene = new ShapeScene();
  const browser = new FormBrowser(scene.authority.handler);
  const at = "http://127.0.0.1:8123/fabrikam.onmicrosoft.com/B2C_1_signin/oauth2/v2.0";
  const url = scene.authorizeUrl(at, { client_id: PUBLIC_ID });
  await browser.open(url);
  await browser.submit({ username: BOB.username, password: "wrong" });
  assertEquals(browser.page.text.includes("AADSTS"), false);
  await browser.submit({ username: BOB.username, password: "local-password" });
  const code = browser.page.location?.searchParams.get("code");
  const answer = await scene.authority.handler(
    new Request(`${at}/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: PUBLIC_ID,
        code: `${code}`,
        redirect_uri: "https://app.example/callback",
      }),
    }),
  );
  assertEquals(decodeJwt((await answer.json()).id_token).iss, `http://127.0.0.1:8123/${CONSUMER}/v2.0/`);
});

test("tokens that are issued without a request are of a policy", async () => {
  const { authority } = new ShapeScene();
  const resource = ORDERS.appId;
  const first = decodeJwt(await authority.issueUserToken({ username: BOB.username, resource }));
  assertEquals([first.iss, first["tfp"]], [`${HOST}/${CONSUMER}/v2.0/`, "B2C_1_signin"]);
  const policy = "b2c_1a_tfp";
  const claims = { roles: ["x"] };
  const other = decodeJwt(
    await authority.issueUserToken({ username: BOB.username, resource, policy, claims }),
  );
  assertEquals([other.iss, other["roles"]], [`${HOST}/tfp/${CONSUMER}/b2c_1a_tfp/v2.0/`, ["x"]]);
  await assertRejects(
    () => authority.issueIdToken({ username: BOB.username, policy: "B2C_1_no" }),
    TypeError,
  );
});
