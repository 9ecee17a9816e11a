/** The local authority redeems authorization codes as Entra ID does. */
import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { decodeJwt } from "jose";
import { test } from "./support/suite.ts";
import {
  type Answer,
  type Changes,
  CLI,
  CONTOSO,
  FABRIKAM,
  UserScene,
  VERIFIER,
  WEB,
} from "./support/user_scene.ts";

const OTHER = { ...WEB, clientId: "11111111-0000-4000-8000-000000000001", name: "Other" };

function outcome({ status, body }: Answer): unknown[] {
  return [status, body.error, body.error_codes?.[0]];
}

test("a code is redeemed for all tokens that were asked for", async () => {
  const scene = new UserScene();
  const { status, body } = await scene.redeem(await scene.code());
  assertEquals(status, 200);
  const { access_token, refresh_token, id_token, client_info, ...rest } = body;
  assertEquals(rest, {
    token_type: "Bearer",
    scope: "openid profile User.Read",
    expires_in: 3599,
    ext_expires_in: 3599,
  });
  assertMatch(refresh_token, /^1\.R[\w-]{64}$/);
  assertEquals(decodeJwt(access_token)["scp"], "openid profile User.Read");
  assertEquals(decodeJwt(id_token)["nonce"], "the-nonce");
  assertEquals(JSON.parse(atob(client_info)).utid, CONTOSO.id);
});

test("an answer has only what was asked for", async () => {
  const scene = new UserScene();
  const scope = "https://graph.microsoft.com/User.Read";
  const { body } = await scene.redeem(await scene.code({ scope }), { client_info: undefined });
  assertEquals(Object.keys(body), ["token_type", "scope", "expires_in", "ext_expires_in", "access_token"]);
  assertEquals(body.scope, scope);
});

test("a public client redeems its code without a secret", async () => {
  const scene = new UserScene();
  const code = await scene.code({ client_id: CLI.clientId });
  const { status, body } = await scene.redeem(code, { client_id: CLI.clientId, client_secret: undefined });
  assertEquals([status, decodeJwt(body.access_token)["appidacr"]], [200, "0"]);
});

test("a code without a challenge needs no verifier, and takes none", async () => {
  const scene = new UserScene();
  const plain = { code_challenge: undefined, code_challenge_method: undefined };
  const without = await scene.redeem(await scene.code(plain), { code_verifier: undefined });
  assertEquals(without.status, 200);
  const downgraded = await scene.redeem(await scene.code(plain), { code_verifier: VERIFIER });
  assertEquals(outcome(downgraded), [400, "invalid_grant", 501481]);
});

test("a code is not redeemed by the wrong client, for the wrong place, or without its verifier", async () => {
  const scene = new UserScene({ apps: [WEB, CLI, OTHER] });
  const cases: readonly (readonly [string, Changes, number, string, number, string?])[] = [
    ["no code", { code: undefined }, 400, "invalid_request", 900144],
    ["rubbish", { code: "rubbish" }, 400, "invalid_grant", 70000],
    ["a code of old", { code: `1.A${"x".repeat(64)}` }, 400, "invalid_grant", 70008],
    ["no verifier", { code_verifier: undefined }, 400, "invalid_grant", 501481],
    ["a wrong verifier", { code_verifier: `${VERIFIER}x` }, 400, "invalid_grant", 501481],
    [
      "the challenge",
      { code_verifier: "fgbW9ihEBbX4Ap2YERdmVoo6uafJqObv5wzuwD78fFo" },
      400,
      "invalid_grant",
      501481,
    ],
    ["no redirect URI", { redirect_uri: undefined }, 400, "invalid_request", 900144],
    ["another redirect URI", { redirect_uri: "http://localhost/callback" }, 400, "invalid_client", 500112],
    ["another client", { client_id: OTHER.clientId }, 400, "invalid_grant", 700007],
    ["a public client", { client_id: CLI.clientId, client_secret: undefined }, 400, "invalid_grant", 700007],
    ["a public client with a secret", { client_id: CLI.clientId }, 401, "invalid_client", 700025],
    ["no secret", { client_secret: undefined }, 401, "invalid_client", 7000218],
    ["a wrong secret", { client_secret: "wrong" }, 401, "invalid_client", 7000215],
    ["no client", { client_id: undefined }, 400, "invalid_request", 900144],
    ["an unknown client", { client_id: "nobody" }, 400, "unauthorized_client", 700016],
    ["another tenant", {}, 400, "invalid_grant", 700005, FABRIKAM.id],
    ["Microsoft accounts", {}, 400, "invalid_grant", 50034, "consumers"],
    ["two resources", { scope: "User.Read api://orders/Orders.Read" }, 400, "invalid_scope", 28000],
    ["an unknown permission", { scope: "Nothing.Read" }, 400, "invalid_client", 650053],
    ["claims that are no JSON", { claims: "{" }, 400, "invalid_request", 9002313],
  ];
  const code = await scene.code();
  for (const [name, changes, status, error, number, tenant] of cases) {
    assertEquals(outcome(await scene.redeem(code, changes, tenant)), [status, error, number], name);
  }
  assertEquals((await scene.redeem(code)).status, 200);
});

test("a code is redeemed once", async () => {
  const scene = new UserScene();
  const code = await scene.code();
  const [first, second] = await Promise.all([scene.redeem(code), scene.redeem(code)]);
  assertEquals([first.status, second.status].sort(), [200, 400]);
  assertEquals(outcome(await scene.redeem(code)), [400, "invalid_grant", 54005]);
  const { body } = first.status === 200 ? first : second;
  assertEquals((await scene.refresh(body.refresh_token)).status, 200);
});

test("where reuse is detected, a code that comes twice revokes what it was redeemed for", async () => {
  const scene = new UserScene({ refreshTokens: { detectReuse: true } });
  const code = await scene.code();
  const { body } = await scene.redeem(code);
  assertEquals(outcome(await scene.redeem(code)), [400, "invalid_grant", 54005]);
  assertEquals(outcome(await scene.refresh(body.refresh_token)), [400, "invalid_grant", 70000]);
});

test("a code lives for ten minutes", async () => {
  const scene = new UserScene();
  const [early, late] = [await scene.code(), await scene.code()];
  await scene.clock.advance(599_000);
  assertEquals((await scene.redeem(early)).status, 200);
  await scene.clock.advance(1_000);
  assertEquals(outcome(await scene.redeem(late)), [400, "invalid_grant", 70008]);
});

test("a code from before the user's tokens were revoked is worth nothing", async () => {
  const scene = new UserScene();
  const code = await scene.code();
  scene.authority.revokeSessions(scene.authority.defaults.username, { refreshTokens: true });
  assertEquals(outcome(await scene.redeem(code)), [400, "invalid_grant", 50173]);
});

test("a code of common is redeemed on common, or at the user's home", async () => {
  const scene = new UserScene();
  for (const tenant of ["common", "organizations", CONTOSO.id, CONTOSO.domains[0]]) {
    const code = await scene.code({}, {}, "common");
    assertEquals((await scene.redeem(code, {}, tenant)).status, 200, tenant);
  }
  const code = await scene.code({}, {}, "common");
  assertEquals(outcome(await scene.redeem(code, {}, FABRIKAM.id)), [400, "invalid_grant", 700005]);
});

test("of several resources a code is redeemed for the first, or for the one that is named", async () => {
  const scene = new UserScene();
  const scope = "openid User.Read Mail.Read api://orders/Orders.Read";
  const first = await scene.tokens({ scope });
  assertEquals(first.scope, "openid User.Read Mail.Read");
  const named = await scene.redeem(await scene.code({ scope }), { scope: "api://orders/Orders.Read" });
  assertEquals(named.body.scope, "api://orders/Orders.Read");
  assertEquals(decodeJwt(named.body.access_token)["aud"], "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91");
  assertFalse("id_token" in named.body);
});

test("/.default is answered with what it stands for", async () => {
  const app = { ...WEB, delegatedScopes: { "api://orders": ["Orders.Read"] } };
  const scene = new UserScene({ apps: [app] });
  const { scope, access_token } = await scene.tokens({ scope: "openid api://orders/.default" });
  assertEquals(scope, "openid api://orders/Orders.Read api://orders/.default");
  assertEquals(decodeJwt(access_token)["scp"], "Orders.Read");
});

test("nothing of a sign-in is in the log but who asked for what", async () => {
  const scene = new UserScene();
  const code = await scene.code();
  const { body } = await scene.redeem(code);
  await scene.refresh(body.refresh_token);
  const log = JSON.stringify(scene.authority.requests);
  for (const secret of [code, body.refresh_token, body.access_token, VERIFIER, "s3cret", "the-nonce"]) {
    assertFalse(log.includes(secret));
  }
  assertEquals(scene.authority.countRequests({ grantType: "authorization_code", clientId: WEB.clientId }), 1);
  assert(scene.authority.requests.every(({ kind }) => kind === "token"));
});
