/** AD FS at the local authority, by hand. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { EntraError } from "../src/testing/mod.ts";
import {
  ADA,
  ADFS,
  CLIENT_ID,
  clientCertificate,
  FAY,
  PUBLIC_ID,
  ShapeScene,
} from "./support/local_shapes.ts";
import { JWT_BEARER, signedByHand } from "./support/local_assertions.ts";
import { signingKeyOf } from "./support/made_certificates.ts";
import { test } from "./support/suite.ts";
import type { Answer, Changes, Json } from "./support/user_scene.ts";

const AT = `${ADFS}/oauth2`;
const TRUST = "http://adfs.contoso.com/adfs/services/trust";
const OPENID = "https://orders.contoso.com/openid";

function told({ status, body }: Answer): unknown[] {
  return [status, body["error"], /^(\w+): /.exec(body["error_description"])?.[1], Object.keys(body).length];
}

test("the paths of Entra ID are not there", async () => {
  const scene = new ShapeScene();
  for (
    const path of [
      "/adfs/v2.0/.well-known/openid-configuration",
      "/adfs/oauth2/v2.0/token",
      "/adfs/discovery/v2.0/keys",
      "/adfs",
      "/common/.well-known/openid-configuration",
      "/.well-known/openid-configuration",
    ]
  ) {
    assertEquals((await scene.get(`https://adfs.contoso.com${path}`)).status, 404, path);
  }
});

test("errors are told as AD FS tells them, without an AADSTS code", async () => {
  const scene = new ShapeScene();
  const code = {
    grant_type: "authorization_code",
    redirect_uri: "https://app.example/callback",
    scope: undefined,
  };
  const app = { scope: OPENID };
  const cases: [Changes, unknown[]][] = [
    [{ ...app, client_secret: "wrong" }, [400, "invalid_client", "MSIS9622", 2]],
    [{ ...app, client_secret: undefined }, [400, "invalid_client", "MSIS9622", 2]],
    [{ ...app, client_id: "00000000-1111-4222-8333-444444444444" }, [400, "invalid_client", "MSIS9607", 2]],
    [{ scope: "https://nobody.example/openid" }, [400, "invalid_resource", "MSIS9602", 2]],
    [{ scope: "https://orders.contoso.com/Orders.Eat" }, [400, "invalid_scope", "MSIS9605", 2]],
    [{ ...app, grant_type: "password" }, [400, "unsupported_grant_type", "MSIS9611", 2]],
    [{ ...code, code: "none" }, [400, "invalid_grant", "MSIS9612", 2]],
    [{ grant_type: "refresh_token", refresh_token: "none" }, [401, "invalid_grant", "MSIS9615", 2]],
  ];
  for (const [changes, expected] of cases) {
    assertEquals(told(await scene.post(`${AT}/token`, changes)), expected, JSON.stringify(changes));
  }
  await assertRejects(
    () => scene.authority.signIn(scene.authorizeUrl(AT), { username: ADA.username }),
    EntraError,
  );
  const silent = await scene.authority.signIn(scene.authorizeUrl(AT, { prompt: "none" }));
  assertMatch(silent.parameters.get("error_description") ?? "", /^MSIS\d+: /);
});

test("a certificate signs with RS256 and is named by x5t; nothing else is taken", async () => {
  const certificate = await clientCertificate();
  const scene = new ShapeScene({}, [certificate.pem]);
  const seconds = scene.clock.now() / 1000;
  const ask = async (header: Json, claims: Json = {}) => {
    const full = {
      aud: `${AT}/token`,
      iss: CLIENT_ID,
      sub: CLIENT_ID,
      jti: "1",
      nbf: seconds,
      exp: seconds + 600,
    };
    const { alg = "RS256" } = header;
    const key = await signingKeyOf(certificate, alg);
    return await scene.post(`${AT}/token`, {
      scope: OPENID,
      client_secret: undefined,
      client_assertion_type: JWT_BEARER,
      client_assertion: await signedByHand({ alg, ...header }, { ...full, ...claims }, key),
    });
  };
  const { x5t, x5tS256 } = certificate;
  const refused: [Json, Json?][] = [
    [{ alg: "PS256", x5t }],
    [{ "x5t#S256": x5tS256 }],
    [{ x5t: x5tS256 }],
    [{ x5t }, { aud: "https://adfs.contoso.com/adfs/oauth2/authorize" }],
    [{ x5t }, { aud: TRUST }],
    [{ x5t }, { iss: PUBLIC_ID, sub: PUBLIC_ID }],
    [{ x5t }, { exp: seconds - 3600, nbf: seconds - 7200 }],
  ];
  for (const [header, claims] of refused) {
    assertEquals(
      told(await ask(header, claims)),
      [400, "invalid_client", "MSIS9622", 2],
      JSON.stringify([header, claims]),
    );
  }
  for (const aud of [`${AT}/token`, `${AT}/token/`, ADFS]) {
    assertEquals((await ask({ x5t }, { aud })).status, 200);
  }
});

test("the document names both issuers, and each signs what is its own", async () => {
  const scene = new ShapeScene();
  const { body } = await scene.get(`${ADFS}/.well-known/openid-configuration`);
  assertEquals([body["issuer"], body["access_token_issuer"]], [ADFS, TRUST]);
  assertEquals(body["token_endpoint"], `${AT}/token/`);
  const jwks = (await scene.get(body["jwks_uri"])).body;
  const options = { currentDate: new Date(scene.clock.now()) };
  const verified = async (token: string, issuer: string): Promise<Json> =>
    (await jwtVerify(token, createLocalJWKSet(jwks as never), { ...options, issuer })).payload;

  const tokens = await scene.tokens(AT, { scope: `openid offline_access ${OPENID}`, client_info: "1" }, {
    client_info: "1",
  });
  assertEquals([tokens["token_type"], tokens["client_info"], tokens["ext_expires_in"]], [
    "bearer",
    undefined,
    undefined,
  ]);
  const id = await verified(tokens["id_token"], ADFS);
  assertEquals([id["aud"], id["upn"], id["nonce"], id["tid"], id["oid"]], [
    CLIENT_ID,
    FAY.username,
    "the-nonce",
    undefined,
    undefined,
  ]);
  const access = await verified(tokens["access_token"], TRUST);
  assertEquals([access["aud"], access["appid"], access["apptype"], access["scp"]], [
    "https://orders.contoso.com",
    CLIENT_ID,
    "Confidential",
    "openid",
  ]);
  const bare = await scene.tokens(AT);
  const userInfo = await verified(bare["access_token"], TRUST);
  assertEquals([userInfo["aud"], userInfo["scp"], bare["resource"]], [
    "urn:microsoft:userinfo",
    "openid",
    "urn:microsoft:userinfo",
  ]);
  const app = await scene.post(`${AT}/token/`, { scope: OPENID });
  const own = await verified(app.body["access_token"], TRUST);
  assertEquals([own["aud"], own["scp"], own["upn"]], ["https://orders.contoso.com", undefined, undefined]);
  const [, , first] = scene.authority.requests;
  assertEquals([first?.kind, first?.tenant], ["token", "adfs"]);
});

test("a refresh token serves until it has expired, and at no other service", async () => {
  const scene = new ShapeScene({ refreshTokens: { lifetimeSeconds: 7200 } });
  const { refresh_token } = await scene.tokens(AT);
  const grant = { grant_type: "refresh_token", refresh_token, scope: "openid" };
  const elsewhere = "https://login.microsoftonline.com/common/oauth2/v2.0/token";
  assertEquals((await scene.post(elsewhere, grant)).status, 400);
  const b2c = "https://fabrikam.b2clogin.com/fabrikam.onmicrosoft.com/B2C_1_signin/oauth2/v2.0/token";
  assertEquals((await scene.post(b2c, grant)).status, 400);
  assertEquals((await scene.post(`${AT}/token`, grant)).status, 200);
  await scene.clock.advance(7201_000);
  assertEquals(told(await scene.post(`${AT}/token`, grant)), [401, "invalid_grant", "MSIS9615", 2]);
});

test("a device signs in at its own page, and is of the farm alone", async () => {
  const scene = new ShapeScene();
  const client = { client_id: PUBLIC_ID, client_secret: undefined };
  const { body } = await scene.post(`${AT}/devicecode`, {
    ...client,
    grant_type: undefined,
    scope: "openid",
  });
  assertEquals(body["verification_uri"], `${ADFS}/oauth2/deviceauth`);
  const page = await scene.authority.fetch(body["verification_uri"]);
  assertEquals(page.status, 200);
  await page.text();
  const poll = {
    ...client,
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: body["device_code"],
  };
  const waiting = await scene.post(`${AT}/token`, { ...poll, scope: undefined });
  assertEquals(waiting.body["error"], "authorization_pending");
  scene.authority.approveDevice(body["user_code"], { username: FAY.username });
  await scene.clock.advance(10_000);
  const answer = await scene.post(`${AT}/token`, { ...poll, scope: undefined });
  assertEquals(decodeJwt(answer.body["id_token"]).iss, ADFS);
});

test("on loopback the path tells, with the issuers of the origin", async () => {
  const { authority } = new ShapeScene();
  const get = async (url: string) => await (await authority.handler(new Request(url))).json();
  const body = await get("http://127.0.0.1:8123/adfs/.well-known/openid-configuration");
  assertEquals([body.issuer, body.access_token_issuer], [
    "http://127.0.0.1:8123/adfs",
    "http://127.0.0.1:8123/adfs/services/trust",
  ]);
  const issued = decodeJwt(await authority.issueIdToken({ username: FAY.username }));
  assertEquals(issued.iss, ADFS);
  const key = (await get("http://127.0.0.1:8123/adfs/discovery/keys")).keys[0];
  assert(key.x5t === key.kid);
});
