/** The local authority's on-behalf-of grant: an API asks for tokens for the user who called it. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeJwt } from "jose";
import type { UserTokenOptions } from "../src/testing/mod.ts";
import { LEDGER_API as LEDGER, ORDERS_APP, PAYROLL_API as PAYROLL } from "./support/on_behalf_of_scene.ts";
import { test } from "./support/suite.ts";
import {
  type Answer,
  type Changes,
  CLI,
  CONSUMERS,
  CONTOSO,
  FABRIKAM,
  type Json,
  ORDERS,
  UserScene,
  WEB,
} from "./support/user_scene.ts";

/** A version 1 API in the middle, whose users must consent. */
const MAIL = {
  identifierUris: ["api://mail", "https://mail.example"],
  appId: "6b2d8c1f-a045-4e37-99f2-1d3e507b9ca2",
  scopes: ["Mail.Send"],
} as const;
const MAIL_APP = {
  clientId: MAIL.appId,
  name: "Mail",
  secrets: ["mail-s3cret"],
  requireConsent: true,
  delegatedScopes: { "api://ledger": ["Ledger.Read"] },
  optionalClaims: ["auth_time", "sid"],
} as const;
const ADA = "ada@contoso.onmicrosoft.com";
const BOB = "bob@contoso.onmicrosoft.com";

function obo(): UserScene {
  return new UserScene({
    apps: [WEB, CLI, ORDERS_APP, MAIL_APP],
    resources: [ORDERS, MAIL, LEDGER, PAYROLL],
  });
}

function assertionFor({ authority }: UserScene, options: UserTokenOptions = {}): Promise<string> {
  return authority.issueUserToken({ username: ADA, resource: "api://orders", ...options });
}

function exchange(
  scene: UserScene,
  assertion: string | undefined,
  changes: Changes = {},
  tenant: string = CONTOSO.id,
): Promise<Answer> {
  return scene.post({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    requested_token_use: "on_behalf_of",
    client_id: ORDERS_APP.clientId,
    client_secret: ORDERS_APP.secrets[0],
    assertion,
    scope: "api://ledger/Ledger.Read",
    ...changes,
  }, tenant);
}

async function exchanged(...sent: Parameters<typeof exchange>): Promise<Json> {
  const { status, body } = await exchange(...sent);
  if (status !== 200) throw new Error(body.error_description);
  return body;
}

function outcome({ status, body }: Answer): unknown[] {
  return [status, body.error, body.error_codes?.[0], body.suberror];
}

async function refusal(...sent: Parameters<typeof exchange>): Promise<unknown[]> {
  return outcome(await exchange(...sent));
}

test("on behalf of a user an API gets an access token of the next API, and nothing else", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene);
  const body = await exchanged(scene, assertion);
  assertEquals(Object.keys(body).sort(), [
    "access_token",
    "expires_in",
    "ext_expires_in",
    "scope",
    "token_type",
  ]);
  assertEquals(body.scope, "api://ledger/Ledger.Read");
  const [before, after] = [decodeJwt(assertion), decodeJwt(body.access_token)];
  assertEquals([after["oid"], after["tid"], after.iss], [before["oid"], before["tid"], before.iss]);
  assertEquals([after.aud, after["scp"], after["azp"]], [LEDGER.appId, "Ledger.Read", ORDERS_APP.clientId]);
  assertNotEquals(after.sub, before.sub);
});

test("a version 1 token names the middle API as appid, and how the user signed in", async () => {
  const scene = obo();
  const body = await exchanged(scene, await assertionFor(scene, { mfa: true, acrs: ["c1"] }), {
    scope: "api://payroll/.default",
    claims: JSON.stringify({ access_token: { acrs: { value: "c2" }, xms_cc: { values: ["cp1"] } } }),
  });
  const { aud, appid, appidacr, amr, acrs, scp, xms_cc } = decodeJwt<Json>(body.access_token);
  assertEquals([aud, appid, appidacr, scp], ["api://payroll", ORDERS_APP.clientId, "1", "Pay.Read"]);
  assertEquals([amr, acrs, xms_cc], [["pwd", "mfa"], ["c1", "c2"], ["cp1"]]);
});

test("ID token, client_info and refresh token come when they are asked for", async () => {
  const scene = obo();
  const { access_token } = await scene.tokens({ scope: "api://mail/Mail.Send" });
  const body = await exchanged(scene, access_token, {
    client_id: MAIL_APP.clientId,
    client_secret: MAIL_APP.secrets[0],
    scope: "openid profile offline_access api://ledger/Ledger.Read",
    client_info: "1",
  });
  const [before, idToken] = [decodeJwt(access_token), decodeJwt<Json>(body.id_token)];
  assertEquals([idToken.aud, idToken["oid"], idToken["tid"]], [MAIL_APP.clientId, before["oid"], CONTOSO.id]);
  assertEquals(idToken["auth_time"], Math.floor(scene.clock.now() / 1000));
  assertEquals(typeof idToken["sid"], "string");
  assertEquals(JSON.parse(atob(body.client_info)), { uid: before["oid"], utid: CONTOSO.id });
  const renewed = await scene.refresh(body.refresh_token, {
    client_id: MAIL_APP.clientId,
    client_secret: MAIL_APP.secrets[0],
  });
  assertEquals(renewed.status, 200);
  const after = decodeJwt(renewed.body.access_token);
  assertEquals([after["oid"], after.aud, after["azp"]], [before["oid"], LEDGER.appId, MAIL_APP.clientId]);
  // Another client cannot use it.
  assertEquals(outcome(await scene.refresh(renewed.body.refresh_token)).slice(1, 3), [
    "invalid_grant",
    700007,
  ]);
});

test("the audience may be the client id, or any identifier URI of the same registration", async () => {
  const scene = obo();
  const asMail = { client_id: MAIL_APP.clientId, client_secret: MAIL_APP.secrets[0] };
  for (const resource of [...MAIL.identifierUris, "api://mail/", MAIL.appId]) {
    const assertion = await assertionFor(scene, { resource });
    assertEquals(decodeJwt(assertion).aud, resource);
    await exchanged(scene, assertion, asMail);
  }
  // No resource of this client is declared.
  const assertion = await assertionFor(scene, { claims: { aud: WEB.clientId } });
  await exchanged(scene, assertion, { client_id: WEB.clientId, client_secret: WEB.secrets[0] });
});

test("a token exchanged once can be exchanged again by the API that it is for", async () => {
  const scene = obo();
  const first = await exchanged(scene, await assertionFor(scene), { scope: "api://mail/Mail.Send" });
  const second = await exchanged(scene, first.access_token, {
    client_id: MAIL_APP.clientId,
    client_secret: MAIL_APP.secrets[0],
  });
  const { oid, azp } = decodeJwt<Json>(second.access_token);
  assertEquals([oid, azp], [decodeJwt(first.access_token)["oid"], MAIL_APP.clientId]);
});

test("R-163: a token for another API is refused, as is one for Microsoft Graph", async () => {
  const scene = obo();
  for (const resource of ["api://ledger", "api://mail", "https://graph.microsoft.com"]) {
    const assertion = await assertionFor(scene, { resource });
    const { status, body } = await exchange(scene, assertion);
    assertEquals([status, body.error, body.error_codes], [400, "invalid_grant", [500131]]);
    assert(body.error_description.includes(`'${decodeJwt(assertion).aud}'`));
  }
  const own = await assertionFor(scene);
  const other = { client_id: WEB.clientId, client_secret: WEB.secrets[0] };
  assertEquals(await refusal(scene, own, other), [400, "invalid_grant", 500131, undefined]);
  const two = await assertionFor(scene, { claims: { aud: [ORDERS.appId, LEDGER.appId] } });
  assertEquals(await refusal(scene, two), [400, "invalid_grant", 500131, undefined]);
});

test("R-163: an expired token is refused, and one that is not yet valid", async () => {
  const scene = obo();
  const expired = [400, "invalid_grant", 500133, undefined];
  assertEquals(await refusal(scene, await assertionFor(scene, { lifetimeSeconds: -1 })), expired);
  const nbf = Math.floor(scene.clock.now() / 1000) + 60;
  assertEquals(await refusal(scene, await assertionFor(scene, { claims: { nbf } })), expired);
  assertEquals(await refusal(scene, await assertionFor(scene, { claims: { exp: undefined } })), expired);
  const assertion = await assertionFor(scene, { lifetimeSeconds: 100 });
  await exchanged(scene, assertion);
  await scene.clock.advance(100_000);
  assertEquals(await refusal(scene, assertion), expired);
});

test("R-163: a token for an app alone is refused, however it says so", async () => {
  const scene = obo();
  const appOnly = [400, "unauthorized_client", 7000114, undefined];
  const plain = await scene.authority.issueAppToken({ resource: "api://orders" });
  assertEquals(await refusal(scene, plain), appOnly);
  const labelled = await assertionFor(scene, { claims: { idtyp: "app" } });
  assertEquals(await refusal(scene, labelled), appOnly);
});

test("an ID token is refused, even if it is for the API", async () => {
  const scene = obo();
  const assertion = await scene.authority.issueIdToken({ username: ADA, clientId: ORDERS_APP.clientId });
  assertEquals(await refusal(scene, assertion), [400, "invalid_request", 240002, undefined]);
});

test("a token that this authority did not sign is refused", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene);
  const [header = "", claims = "", signature = ""] = assertion.split(".");
  const unsigned = btoa('{"alg":"none"}').replace(/=+$/, "");
  const foreign = await assertionFor(obo());
  const badSignature = [400, "invalid_grant", 50013, undefined];
  const flipped = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  assertEquals(await refusal(scene, `${header}.${claims}.${flipped}`), badSignature);
  assertEquals(await refusal(scene, foreign), badSignature);
  for (const malformed of ["x", "a.b.c", `${unsigned}.${claims}.`, `${header}.${claims}`]) {
    assertEquals(await refusal(scene, malformed), [400, "invalid_request", 50027, undefined]);
  }
  const issuers = ["https://login.microsoftonline.com/common/v2.0", "https://evil.example/"];
  for (const iss of issuers) {
    assertEquals(await refusal(scene, await assertionFor(scene, { claims: { iss } })), badSignature);
  }
  for (const tid of [FABRIKAM.id, undefined, "common"]) {
    assertEquals(await refusal(scene, await assertionFor(scene, { claims: { tid } })), badSignature);
  }
});

test("a key that was taken away no longer counts", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene);
  await scene.authority.rotateKeys();
  await exchanged(scene, assertion);
  await scene.authority.rotateKeys({ keepOld: false });
  assertEquals(await refusal(scene, assertion), [400, "invalid_grant", 50013, undefined]);
});

test("parameters that are missing or wrong", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene);
  for (const name of ["requested_token_use", "scope", "client_id"]) {
    const answer = await exchange(scene, assertion, { [name]: undefined });
    assertEquals(outcome(answer).slice(0, 3), [400, "invalid_request", 900144], name);
  }
  assertEquals((await refusal(scene, undefined))[2], 900144);
  assertEquals((await refusal(scene, assertion, { requested_token_use: "saml" }))[2], 90023);
  assertEquals((await refusal(scene, assertion, { claims: "{" }))[2], 9002313);
  assertEquals((await refusal(scene, assertion, { scope: "api://ledger/Ledger.Burn" }))[2], 650053);
  assertEquals((await refusal(scene, assertion, { scope: "api://nowhere/X" }))[2], 500011);
  const two = "api://ledger/Ledger.Read api://mail/Mail.Send";
  assertEquals((await refusal(scene, assertion, { scope: two }))[2], 28000);
});

test("the API must prove itself; a public client cannot", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene);
  const bare = { client_secret: undefined };
  assertEquals(await refusal(scene, assertion, bare), [401, "invalid_client", 7000218, undefined]);
  const wrong = { client_secret: "wrong" };
  assertEquals(await refusal(scene, assertion, wrong), [401, "invalid_client", 7000215, undefined]);
  const forCli = await assertionFor(scene, { claims: { aud: CLI.clientId } });
  const asCli = { client_id: CLI.clientId, client_secret: undefined };
  assertEquals(await refusal(scene, forCli, asCli), [401, "invalid_client", 7000218, undefined]);
});

test("what the user has not consented to is refused, whoever else has it", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene, { resource: "api://mail" });
  const asMail = { client_id: MAIL_APP.clientId, client_secret: MAIL_APP.secrets[0] };
  const body = await exchanged(scene, assertion, { ...asMail, scope: "api://ledger/.default" });
  assertEquals(decodeJwt(body.access_token)["scp"], "Ledger.Read");
  assertEquals(await refusal(scene, assertion, { ...asMail, scope: "api://ledger/Ledger.Write" }), [
    400,
    "invalid_grant",
    65001,
    "consent_required",
  ]);
  await exchanged(scene, await assertionFor(scene), { scope: "api://ledger/Ledger.Write" });
});

test("R-164: where the next API wants a second factor, the answer says which claims to ask for", async () => {
  const scene = obo();
  const redeem = { scope: "api://orders/Orders.Read" };
  const before = await scene.tokens(redeem);
  const pay = { scope: "api://payroll/Pay.Read" };
  const refused = await exchange(scene, before.access_token, pay);
  assertEquals(outcome(refused), [400, "interaction_required", 50076, "basic_action"]);
  const { claims } = refused.body;
  const [[name, { essential, values }]] = Object.entries(JSON.parse(claims).access_token) as [[string, Json]];
  assertEquals([name, essential, values.length], ["capolids", true, 1]);
  // The same sign-in without the claims changes nothing; with them the user passes.
  const same = await scene.tokens(redeem);
  assertEquals((await refusal(scene, same.access_token, pay))[2], 50076);
  const { access_token } = await scene.tokens({ ...redeem, claims });
  const body = await exchanged(scene, access_token, pay);
  assertEquals(decodeJwt(body.access_token)["amr"], ["pwd", "mfa"]);
});

test("R-164: an essential authentication context that the caller's sign-in has not satisfied", async () => {
  const scene = obo();
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
  const plain = await assertionFor(scene);
  const refused = await exchange(scene, plain, { claims });
  assertEquals(outcome(refused), [400, "interaction_required", 50076, "basic_action"]);
  assertEquals(refused.body.claims, claims);
  const satisfied = await assertionFor(scene, { acrs: ["c1"] });
  assertEquals(decodeJwt((await exchanged(scene, satisfied, { claims })).access_token)["acrs"], ["c1"]);
  const stepped = await scene.tokens({ scope: "api://orders/Orders.Read", claims });
  const body = await exchanged(scene, stepped.access_token, { claims });
  assertEquals(decodeJwt(body.access_token)["acrs"], ["c1"]);
});

test("claims that name a policy are asked for again until the sign-in had a second factor", async () => {
  const scene = obo();
  const claims = JSON.stringify({ access_token: { polids: { essential: true, values: ["p1"] } } });
  const plain = await exchange(scene, await assertionFor(scene), { claims });
  assertEquals(outcome(plain), [400, "interaction_required", 50076, "basic_action"]);
  assertEquals(JSON.parse(plain.body.claims).access_token, { capolids: { essential: true, values: ["p1"] } });
  await exchanged(scene, await assertionFor(scene, { mfa: true }), { claims });
});

test("a user who cannot pass is told to enrol", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene, { username: BOB });
  assertEquals(await refusal(scene, assertion, { scope: "api://payroll/Pay.Read" }), [
    400,
    "interaction_required",
    50079,
    "basic_action",
  ]);
});

test("an API that wants a second factor wants it at sign-in, and of refresh tokens", async () => {
  const scene = obo();
  const scope = "offline_access api://payroll/Pay.Read";
  const { access_token } = await scene.tokens({ scope });
  assertEquals(decodeJwt(access_token)["amr"], ["pwd", "mfa"]);
  const { parameters } = await scene.authority.signIn(scene.authorizeUrl({ scope }), { username: BOB });
  assertEquals(parameters.get("error"), "access_denied");
  const { refresh_token } = await scene.tokens({ scope: "offline_access api://orders/Orders.Read" });
  assertEquals(outcome(await scene.refresh(refresh_token, { scope })), [
    400,
    "interaction_required",
    50076,
    "basic_action",
  ]);
});

test("a user whose sessions were revoked, or who is gone", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene);
  await scene.clock.advance(1_000_000);
  scene.authority.revokeSessions(ADA);
  assertEquals(await refusal(scene, assertion), [400, "invalid_grant", 50173, "bad_token"]);
  await exchanged(scene, await assertionFor(scene));
  const oid = crypto.randomUUID();
  const nobody = await assertionFor(scene, { claims: { oid } });
  assertEquals((await refusal(scene, nobody))[2], 50034);
});

test("the path names the tenant; an alias means the user's home, as at Entra ID", async () => {
  const scene = obo();
  const home = await assertionFor(scene);
  const guest = await assertionFor(scene, { tenant: FABRIKAM.id });
  const tidOf = async (...sent: Parameters<typeof exchange>) =>
    decodeJwt((await exchanged(...sent)).access_token)["tid"];
  for (const alias of ["common", "organizations", "contoso.onmicrosoft.com"]) {
    assertEquals(await tidOf(scene, home, {}, alias), CONTOSO.id);
    assertEquals(await tidOf(scene, guest, {}, alias), CONTOSO.id);
  }
  assertEquals(await tidOf(scene, guest, {}, FABRIKAM.id), FABRIKAM.id);
  const body = await exchanged(scene, guest, {}, FABRIKAM.id);
  assertEquals(decodeJwt(body.access_token)["oid"], decodeJwt(guest)["oid"]);
  const stranger = await assertionFor(scene, { username: BOB });
  assertEquals((await refusal(scene, stranger, {}, FABRIKAM.id))[2], 50020);
  assertEquals((await refusal(scene, home, {}, "consumers"))[2], 50034);
  assertEquals((await refusal(scene, home, {}, "nowhere.example"))[2], 90002);
});

test("a Microsoft account is someone too", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene, { username: "pat@outlook.example" });
  for (const path of ["common", "consumers", CONSUMERS]) {
    const { access_token } = await exchanged(scene, assertion, {}, path);
    assertEquals(decodeJwt(access_token)["tid"], CONSUMERS);
  }
  assertEquals((await refusal(scene, assertion, {}, "organizations"))[2], 500200);
});

test("on loopback the tokens of that face are accepted, too", async () => {
  const scene = obo();
  const origin = "http://127.0.0.1:8123";
  const assertion = await assertionFor(scene, { issuerOrigin: origin });
  const response = await scene.authority.handler(
    new Request(`${origin}/common/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        requested_token_use: "on_behalf_of",
        client_id: ORDERS_APP.clientId,
        client_secret: ORDERS_APP.secrets[0],
        assertion,
        scope: "api://ledger/Ledger.Read",
      }),
    }),
  );
  assertEquals(response.status, 200);
  assertEquals(decodeJwt((await response.json()).access_token).iss, `${origin}/${CONTOSO.id}/v2.0`);
});

test("no request log names an assertion, and errors do not repeat it", async () => {
  const scene = obo();
  const assertion = await assertionFor(scene, { resource: "api://ledger" });
  const { body } = await exchange(scene, assertion);
  const seen = JSON.stringify([body, scene.authority.requests]);
  assert(!seen.includes(assertion) && !seen.includes(assertion.split(".")[1] ?? ""));
});

test("issued user tokens carry what is asked of them", async () => {
  const scene = obo();
  const options = { acrs: ["c1", "c2"], capabilities: ["cp1"], scopes: ["Orders.Read"], lifetimeSeconds: 60 };
  for (const resource of ["api://orders", "api://mail"]) {
    const { acrs, xms_cc, scp, exp, ver } = decodeJwt<Json>(
      await assertionFor(scene, { ...options, resource }),
    );
    assertEquals([acrs, xms_cc, scp], [["c1", "c2"], ["cp1"], "Orders.Read"]);
    assertEquals(exp, Math.floor(scene.clock.now() / 1000) + 60);
    assertEquals(ver, resource === "api://orders" ? "2.0" : "1.0");
  }
});
