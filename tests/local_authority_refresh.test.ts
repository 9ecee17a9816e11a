/** The local authority's refresh tokens: rotation, reuse, families, other tenants, revocation. */
import { assert, assertEquals, assertFalse, assertNotEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { test } from "./support/suite.ts";
import {
  type Answer,
  type Changes,
  CLI,
  CONSUMERS,
  CONTOSO,
  FABRIKAM,
  USERS,
  UserScene,
  WEB,
} from "./support/user_scene.ts";

const ONE = { ...CLI, clientId: "11111111-0000-4000-8000-000000000001", familyId: "1" } as const;
const TWO = { ...CLI, clientId: "11111111-0000-4000-8000-000000000002", familyId: "1" } as const;

function outcome({ status, body }: Answer): unknown[] {
  return [status, body.error, body.error_codes?.[0], body.suberror];
}

function asPublic(client: { readonly clientId: string }): Changes {
  return { client_id: client.clientId, client_secret: undefined };
}

async function publicTokens(
  scene: UserScene,
  client: { readonly clientId: string },
): Promise<Answer["body"]> {
  const code = await scene.code({ client_id: client.clientId });
  return (await scene.redeem(code, asPublic(client))).body;
}

test("a refresh answers with new tokens for the same user, without the nonce", async () => {
  const scene = new UserScene();
  const before = await scene.tokens();
  const { status, body } = await scene.refresh(before.refresh_token);
  assertEquals([status, body.scope], [200, before.scope]);
  assertNotEquals(body.refresh_token, before.refresh_token);
  const [old, renewed] = [before.id_token, body.id_token].map((token) => decodeJwt(token));
  assertEquals([renewed?.sub, renewed?.["oid"], renewed?.["tid"]], [old?.sub, old?.["oid"], old?.["tid"]]);
  assertEquals([renewed?.["nonce"], old?.["nonce"]], [undefined, "the-nonce"]);
  assertEquals(body.client_info, before.client_info);
});

test("an old refresh token keeps working, as at Entra ID", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  const first = await scene.refresh(refresh_token);
  for (const token of [refresh_token, first.body.refresh_token, refresh_token]) {
    assertEquals((await scene.refresh(token)).status, 200);
  }
});

test("refresh tokens that do not rotate are answered again, and live on", async () => {
  const scene = new UserScene({ refreshTokens: { rotate: false, detectReuse: true, lifetimeSeconds: 100 } });
  const { refresh_token } = await scene.tokens();
  for (let round = 0; round < 3; round++) {
    await scene.clock.advance(99_000);
    const { status, body } = await scene.refresh(refresh_token);
    assertEquals([status, body.refresh_token], [200, refresh_token]);
  }
});

test("where reuse is detected, an old refresh token ends the whole sign-in", async () => {
  const scene = new UserScene({ refreshTokens: { detectReuse: true } });
  const { refresh_token } = await scene.tokens();
  const other = await scene.tokens();
  const { body: { refresh_token: newer } } = await scene.refresh(refresh_token);
  const dead = [400, "invalid_grant", 70000, "bad_token"];
  assertEquals(outcome(await scene.refresh(refresh_token)), dead);
  assertEquals(outcome(await scene.refresh(newer)), dead);
  assertEquals((await scene.refresh(other.refresh_token)).status, 200);
});

test("of two refreshes at once one counts as reuse", async () => {
  const scene = new UserScene({ refreshTokens: { detectReuse: true } });
  const { refresh_token } = await scene.tokens();
  const answers = await Promise.all([scene.refresh(refresh_token), scene.refresh(refresh_token)]);
  assertEquals(answers.map(({ status }) => status).sort(), [200, 400]);
});

test("a refused refresh uses nothing up", async () => {
  const scene = new UserScene({ refreshTokens: { detectReuse: true } });
  const { refresh_token } = await scene.tokens();
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
  for (const changes of [{ claims }, { scope: "Nothing.Read" }, { client_secret: "wrong" }]) {
    assertNotEquals((await scene.refresh(refresh_token, changes)).status, 200);
  }
  assertEquals((await scene.refresh(refresh_token)).status, 200);
});

test("what is wrong with a refresh is said as Entra ID says it", async () => {
  const scene = new UserScene({ apps: [WEB, CLI] });
  const { refresh_token } = await scene.tokens();
  const cases: readonly (readonly [string, Changes, readonly unknown[], string?])[] = [
    ["no token", { refresh_token: undefined }, [400, "invalid_request", 900144, undefined]],
    ["rubbish", { refresh_token: "rubbish" }, [400, "invalid_grant", 70000, "bad_token"]],
    ["a token of old", { refresh_token: `1.R${"x".repeat(64)}` }, [
      400,
      "invalid_grant",
      700082,
      "token_expired",
    ]],
    ["another client", asPublic(CLI), [400, "invalid_grant", 700007, "client_mismatch"]],
    ["no secret", { client_secret: undefined }, [401, "invalid_client", 7000218, undefined]],
    ["a wrong secret", { client_secret: "wrong" }, [401, "invalid_client", 7000215, undefined]],
    ["two resources", { scope: "User.Read api://orders/Orders.Read" }, [
      400,
      "invalid_scope",
      28000,
      undefined,
    ]],
    ["an unknown resource", { scope: "api://nothing/.default" }, [
      400,
      "invalid_resource",
      500011,
      undefined,
    ]],
    ["an unknown permission", { scope: "Nothing.Read" }, [400, "invalid_client", 650053, undefined]],
    ["an unknown tenant", {}, [400, "invalid_request", 90002, undefined], "nowhere.example"],
    ["Microsoft accounts", {}, [400, "invalid_grant", 50034, undefined], "consumers"],
    ["broken claims", { claims: "[" }, [400, "invalid_request", 9002313, undefined]],
  ];
  for (const [name, changes, expected, tenant] of cases) {
    assertEquals(outcome(await scene.refresh(refresh_token, changes, tenant)), expected, name);
  }
  assertEquals((await scene.refresh(refresh_token)).status, 200);
});

test("a refresh token dies of not being used", async () => {
  const scene = new UserScene({ refreshTokens: { lifetimeSeconds: 100 } });
  const { refresh_token } = await scene.tokens();
  await scene.clock.advance(99_000);
  const { body } = await scene.refresh(refresh_token);
  await scene.clock.advance(1_000);
  assertEquals(outcome(await scene.refresh(refresh_token)), [400, "invalid_grant", 700082, "token_expired"]);
  assertEquals((await scene.refresh(body.refresh_token)).status, 200);
});

test("a refresh token is good for other resources and other permissions", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  const orders = await scene.refresh(refresh_token, { scope: "api://orders/Orders.Read offline_access" });
  assertEquals(orders.body.scope, "api://orders/Orders.Read");
  assertFalse("id_token" in orders.body);
  const mail = await scene.refresh(refresh_token, { scope: "openid https://graph.microsoft.com/Mail.Read" });
  assertEquals(mail.body.scope, "openid https://graph.microsoft.com/Mail.Read");
  assertEquals(decodeJwt(mail.body.access_token)["aud"], "https://graph.microsoft.com");
});

test("R-085: a refresh token is good in every tenant that knows the user, and in no other", async () => {
  const scene = new UserScene();
  const { refresh_token, id_token } = await scene.tokens();
  const guest = await scene.refresh(refresh_token, {}, FABRIKAM.id);
  const [home, away] = [id_token, guest.body.id_token].map((token) => decodeJwt(token));
  assertEquals([home?.["tid"], away?.["tid"]], [CONTOSO.id, FABRIKAM.id]);
  assertNotEquals(away?.["oid"], home?.["oid"]);
  assertNotEquals(away?.sub, home?.sub);
  assertEquals(JSON.parse(atob(guest.body.client_info)), { uid: home?.["oid"], utid: CONTOSO.id });
  assertEquals((await scene.refresh(refresh_token, {}, "common")).status, 200);
  const bob = await scene.tokens({}, { username: "bob@contoso.onmicrosoft.com" });
  const stranger = await scene.refresh(bob.refresh_token, {}, FABRIKAM.id);
  assertEquals(outcome(stranger), [400, "invalid_grant", 50020, undefined]);
});

test("R-114: a Microsoft account refreshes at consumers and common, not at organizations", async () => {
  const scene = new UserScene();
  const [, , , pat] = USERS;
  const { refresh_token, id_token } = await scene.tokens({}, { username: pat.username }, "common");
  assertEquals(decodeJwt(id_token)["tid"], CONSUMERS);
  for (const tenant of ["consumers", CONSUMERS, "common"]) {
    assertEquals((await scene.refresh(refresh_token, {}, tenant)).status, 200, tenant);
  }
  const refused = await scene.refresh(refresh_token, {}, "organizations");
  assertEquals(outcome(refused), [400, "invalid_grant", 500200, undefined]);
});

test("clients of one family redeem each other's refresh tokens", async () => {
  const scene = new UserScene({ apps: [ONE, TWO, CLI] });
  const one = await publicTokens(scene, ONE);
  assertEquals(one.foci, "1");
  const two = await scene.refresh(one.refresh_token, asPublic(TWO));
  assertEquals([two.status, two.body.foci], [200, "1"]);
  assertEquals(decodeJwt(two.body.access_token)["appid"], TWO.clientId);
  assertEquals(decodeJwt(two.body.id_token).aud, TWO.clientId);
  assertEquals((await scene.refresh(two.body.refresh_token, asPublic(ONE))).status, 200);
});

test("a client outside of the family is refused, and a client without one has no foci", async () => {
  const scene = new UserScene({ apps: [ONE, TWO, CLI] });
  const mismatch = [400, "invalid_grant", 700007, "client_mismatch"];
  const one = await publicTokens(scene, ONE);
  assertEquals(outcome(await scene.refresh(one.refresh_token, asPublic(CLI))), mismatch);
  const own = await publicTokens(scene, CLI);
  assertFalse("foci" in own);
  assertEquals(outcome(await scene.refresh(own.refresh_token, asPublic(ONE))), mismatch);
});

test("revoked refresh tokens are refused; those of other users and later ones are not", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  const bob = await scene.tokens({}, { username: "bob@contoso.onmicrosoft.com" });
  scene.authority.revokeSessions(scene.authority.defaults.username);
  assertEquals((await scene.refresh(refresh_token)).status, 200);
  scene.authority.revokeSessions(scene.authority.defaults.username.toUpperCase(), { refreshTokens: true });
  assertEquals(outcome(await scene.refresh(refresh_token)), [400, "invalid_grant", 50173, "bad_token"]);
  assertEquals((await scene.refresh(bob.refresh_token)).status, 200);
  const later = await scene.tokens();
  assertEquals((await scene.refresh(later.refresh_token)).status, 200);
});

test("a permission that the user has not consented to is refused until they have", async () => {
  const app = {
    ...WEB,
    requireConsent: true,
    delegatedScopes: { "https://graph.microsoft.com": ["User.Read"] },
  };
  const scene = new UserScene({ apps: [app] });
  const { refresh_token } = await scene.tokens();
  const scope = "Mail.Read";
  const refused = await scene.refresh(refresh_token, { scope });
  assertEquals(outcome(refused), [400, "invalid_grant", 65001, "consent_required"]);
  await scene.code({ scope: "openid Mail.Read" });
  assertEquals((await scene.refresh(refresh_token, { scope })).status, 200);
  const bob = await scene.tokens({}, { username: "bob@contoso.onmicrosoft.com" });
  assertEquals((await scene.refresh(bob.refresh_token, { scope })).body.suberror, "consent_required");
  const all = await scene.refresh(refresh_token, { scope: "https://graph.microsoft.com/.default" });
  assert(all.body.scope.startsWith("https://graph.microsoft.com/User.Read "));
});
