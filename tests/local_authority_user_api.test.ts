/** Microsoft Graph and the UserInfo endpoint of the local authority, with a user's token. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { decodeJwt } from "jose";
import { test } from "./support/suite.ts";
import { CONTOSO, FABRIKAM, UserScene } from "./support/user_scene.ts";

const GRAPH = { resource: "https://graph.microsoft.com" };

test("/v1.0/me is who the token is for", async () => {
  const scene = new UserScene();
  const { access_token } = await scene.tokens();
  const { status, body } = await scene.graph("v1.0/me", access_token);
  const { id, displayName, mail, userPrincipalName, givenName, surname } = body;
  assertEquals([status, id, displayName], [200, decodeJwt(access_token)["oid"], "Ada Byron"]);
  assertEquals([mail, userPrincipalName], ["ada@contoso.example", "ada@contoso.onmicrosoft.com"]);
  assertEquals([givenName, surname], ["Ada", "Byron"]);
  assertEquals(body["@odata.context"], "https://graph.microsoft.com/v1.0/$metadata#users/$entity");
});

test("a guest is another object in Graph", async () => {
  const scene = new UserScene();
  const home = await scene.graph("v1.0/me", (await scene.tokens()).access_token);
  const away = await scene.graph("v1.0/me", (await scene.tokens({}, {}, FABRIKAM.id)).access_token);
  assertEquals([home.status, away.status, home.body.id === away.body.id], [200, 200, false]);
});

test("a user's token reads the organization too", async () => {
  const scene = new UserScene();
  const { status, body } = await scene.graph("v1.0/organization", (await scene.tokens()).access_token);
  assertEquals([status, body.value[0].id], [200, CONTOSO.id]);
});

test("R-069: UserInfo names the subject of the ID token, and what the scopes allow", async () => {
  const scene = new UserScene();
  const all = await scene.tokens({ scope: "openid profile email User.Read" });
  const { status, body } = await scene.graph("oidc/userinfo", all.access_token);
  assertEquals([status, body], [200, {
    sub: decodeJwt(all.id_token).sub,
    name: "Ada Byron",
    given_name: "Ada",
    family_name: "Byron",
    email: "ada@contoso.example",
  }]);
  const little = await scene.tokens({ scope: "openid" });
  const posted = await scene.graph("oidc/userinfo", little.access_token, { method: "POST" });
  assertEquals(posted.body, { sub: decodeJwt(little.id_token).sub });
  assertEquals(scene.authority.countRequests({ kind: "userinfo", status: 200 }), 2);
});

test("Graph refuses what the token does not allow", async () => {
  const scene = new UserScene();
  const { authority } = scene;
  const user = (scopes: string[], more = {}) => authority.issueUserToken({ ...GRAPH, scopes, ...more });
  const app = await authority.issueAppToken(GRAPH);
  const cases: readonly (readonly [string, string, string, number, RequestInit?])[] = [
    ["me without a permission", "v1.0/me", await user(["Mail.Read"]), 403],
    ["me without any", "v1.0/me", await user([]), 403],
    ["me as roles", "v1.0/me", await user([], { claims: { roles: ["User.Read"] } }), 403],
    ["me for an app", "v1.0/me", app, 400],
    ["me with another token", "v1.0/me", await authority.issueUserToken(), 401],
    ["me with an ID token", "v1.0/me", await authority.issueIdToken(), 401],
    ["me of somebody who left", "v1.0/me", await user(["User.Read"], { claims: { oid: CONTOSO.id } }), 401],
    ["me too late", "v1.0/me", await user(["User.Read"], { lifetimeSeconds: -1 }), 401],
    ["me posted", "v1.0/me", await user(["User.Read"]), 405, { method: "POST" }],
    ["the organization without a permission", "v1.0/organization", await user(["Mail.Read"]), 403],
    [
      "the organization for a user with a role",
      "v1.0/organization",
      await user([], { claims: { roles: ["Organization.Read.All"] } }),
      403,
    ],
    ["user info without openid", "oidc/userinfo", await user(["User.Read"]), 403],
    ["user info for an app", "oidc/userinfo", app, 403],
    ["user info without a token", "oidc/userinfo", "", 401],
    ["user info deleted", "oidc/userinfo", await user(["openid"]), 405, { method: "DELETE" }],
  ];
  for (const [name, path, token, status, init] of cases) {
    assertEquals((await scene.graph(path, token, init)).status, status, name);
  }
});

test("continuous access evaluation: a revoked session is a claims challenge, which a refresh meets", async () => {
  const scene = new UserScene();
  const { access_token, refresh_token } = await scene.tokens();
  assertEquals((await scene.graph("v1.0/me", access_token)).status, 200);
  await scene.clock.advance(10_000);
  scene.authority.revokeSessions("ada@contoso.onmicrosoft.com");
  const revokedAt = String(scene.clock.now() / 1000);
  const { status, headers, body } = await scene.graph("v1.0/me", access_token);
  assertEquals([status, body.error.code], [401, "InvalidAuthenticationToken"]);
  const claims = JSON.stringify({ access_token: { nbf: { essential: true, value: revokedAt } } });
  assertEquals(
    headers.get("www-authenticate"),
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ' +
      'client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", ' +
      `claims="${btoa(claims)}"`,
  );
  const renewed = await scene.refresh(refresh_token, { claims });
  const retried = await scene.graph("v1.0/me", renewed.body.access_token);
  assertEquals([renewed.status, retried.status], [200, 200]);
  const again = await scene.graph("oidc/userinfo", access_token);
  assertStringIncludes(again.headers.get("www-authenticate") ?? "", "insufficient_claims");
});

test("revoking one user's sessions leaves others and apps alone", async () => {
  const scene = new UserScene();
  const bob = await scene.tokens({}, { username: "bob@contoso.onmicrosoft.com" });
  const app = await scene.authority.issueAppToken({ ...GRAPH, roles: ["Organization.Read.All"] });
  scene.authority.revokeSessions("ada@contoso.onmicrosoft.com", { refreshTokens: true });
  assertEquals((await scene.graph("v1.0/me", bob.access_token)).status, 200);
  assertEquals((await scene.graph("v1.0/organization", app)).status, 200);
  const plain = await scene.graph("v1.0/me", "");
  assert(!plain.headers.get("www-authenticate")?.includes("insufficient_claims"));
  assertThrows(
    () => scene.authority.revokeSessions("nobody@contoso.onmicrosoft.com"),
    TypeError,
    "no such user",
  );
});

test("where sessions are revoked with their refresh tokens, only a new sign-in helps", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  scene.authority.revokeSessions("ada@contoso.onmicrosoft.com", { refreshTokens: true });
  assertEquals((await scene.refresh(refresh_token)).body.error_codes, [50173]);
  const { access_token } = await scene.tokens();
  assertEquals((await scene.graph("v1.0/me", access_token)).status, 200);
});
