/** The local authority's on-behalf-of grant: an API asks for tokens for the user who called it. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { decodeJwt } from "jose";
import {
  assertionFor,
  BOB,
  type exchange,
  exchanged,
  LEDGER_API,
  MAIL_API,
  MAIL_APP,
  onBehalfOfScene,
  ORDERS_APP,
  outcome,
  refusal,
} from "./support/on_behalf_of_scene.ts";
import { test } from "./support/suite.ts";
import { CONSUMERS, CONTOSO, FABRIKAM, type Json, WEB } from "./support/user_scene.ts";

test("on behalf of a user an API gets an access token of the next API, and nothing else", async () => {
  const scene = onBehalfOfScene();
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
  assertEquals([after.aud, after["scp"], after["azp"]], [
    LEDGER_API.appId,
    "Ledger.Read",
    ORDERS_APP.clientId,
  ]);
  assertNotEquals(after.sub, before.sub);
});

test("a version 1 token names the middle API as appid, and how the user signed in", async () => {
  const scene = onBehalfOfScene();
  const body = await exchanged(scene, await assertionFor(scene, { mfa: true, acrs: ["c1"] }), {
    scope: "api://payroll/.default",
    claims: JSON.stringify({ access_token: { acrs: { value: "c2" }, xms_cc: { values: ["cp1"] } } }),
  });
  const { aud, appid, appidacr, amr, acrs, scp, xms_cc } = decodeJwt<Json>(body.access_token);
  assertEquals([aud, appid, appidacr, scp], ["api://payroll", ORDERS_APP.clientId, "1", "Pay.Read"]);
  assertEquals([amr, acrs, xms_cc], [["pwd", "mfa"], ["c1", "c2"], ["cp1"]]);
});

test("ID token, client_info and refresh token come when they are asked for", async () => {
  const scene = onBehalfOfScene();
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
  assertEquals([after["oid"], after.aud, after["azp"]], [before["oid"], LEDGER_API.appId, MAIL_APP.clientId]);
  // Another client cannot use it.
  assertEquals(outcome(await scene.refresh(renewed.body.refresh_token)).slice(1, 3), [
    "invalid_grant",
    700007,
  ]);
});

test("the audience may be the client id, or any identifier URI of the same registration", async () => {
  const scene = onBehalfOfScene();
  const asMail = { client_id: MAIL_APP.clientId, client_secret: MAIL_APP.secrets[0] };
  for (const resource of [...MAIL_API.identifierUris, "api://mail/", MAIL_API.appId]) {
    const assertion = await assertionFor(scene, { resource });
    assertEquals(decodeJwt(assertion).aud, resource);
    await exchanged(scene, assertion, asMail);
  }
  // No resource of this client is declared.
  const assertion = await assertionFor(scene, { claims: { aud: WEB.clientId } });
  await exchanged(scene, assertion, { client_id: WEB.clientId, client_secret: WEB.secrets[0] });
});

test("a token exchanged once can be exchanged again by the API that it is for", async () => {
  const scene = onBehalfOfScene();
  const first = await exchanged(scene, await assertionFor(scene), { scope: "api://mail/Mail.Send" });
  const second = await exchanged(scene, first.access_token, {
    client_id: MAIL_APP.clientId,
    client_secret: MAIL_APP.secrets[0],
  });
  const { oid, azp } = decodeJwt<Json>(second.access_token);
  assertEquals([oid, azp], [decodeJwt(first.access_token)["oid"], MAIL_APP.clientId]);
});

test("the path names the tenant; an alias means the user's home, as at Entra ID", async () => {
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
  const assertion = await assertionFor(scene, { username: "pat@outlook.example" });
  for (const path of ["common", "consumers", CONSUMERS]) {
    const { access_token } = await exchanged(scene, assertion, {}, path);
    assertEquals(decodeJwt(access_token)["tid"], CONSUMERS);
  }
  assertEquals((await refusal(scene, assertion, {}, "organizations"))[2], 500200);
});

test("on loopback the tokens of that face are accepted, too", async () => {
  const scene = onBehalfOfScene();
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

test("issued user tokens carry what is asked of them", async () => {
  const scene = onBehalfOfScene();
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
