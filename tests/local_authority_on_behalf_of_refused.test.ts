/** What the local authority's on-behalf-of grant refuses, and what it then says. */
import { assert, assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import {
  ADA,
  assertionFor,
  BOB,
  exchange,
  exchanged,
  LEDGER_API,
  MAIL_APP,
  onBehalfOfScene,
  ORDERS_APP,
  outcome,
  refusal,
} from "./support/on_behalf_of_scene.ts";
import { test } from "./support/suite.ts";
import { CLI, FABRIKAM, type Json, ORDERS, WEB } from "./support/user_scene.ts";

test("R-163: a token for another API is refused, as is one for Microsoft Graph", async () => {
  const scene = onBehalfOfScene();
  for (const resource of ["api://ledger", "api://mail", "https://graph.microsoft.com"]) {
    const assertion = await assertionFor(scene, { resource });
    const { status, body } = await exchange(scene, assertion);
    assertEquals([status, body.error, body.error_codes], [400, "invalid_grant", [500131]]);
    assert(body.error_description.includes(`'${decodeJwt(assertion).aud}'`));
  }
  const own = await assertionFor(scene);
  const other = { client_id: WEB.clientId, client_secret: WEB.secrets[0] };
  assertEquals(await refusal(scene, own, other), [400, "invalid_grant", 500131, undefined]);
  const two = await assertionFor(scene, { claims: { aud: [ORDERS.appId, LEDGER_API.appId] } });
  assertEquals(await refusal(scene, two), [400, "invalid_grant", 500131, undefined]);
});

test("R-163: an expired token is refused, and one that is not yet valid", async () => {
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
  const appOnly = [400, "unauthorized_client", 7000114, undefined];
  const plain = await scene.authority.issueAppToken({ resource: "api://orders" });
  assertEquals(await refusal(scene, plain), appOnly);
  const labelled = await assertionFor(scene, { claims: { idtyp: "app" } });
  assertEquals(await refusal(scene, labelled), appOnly);
});

test("an ID token is refused, even if it is for the API", async () => {
  const scene = onBehalfOfScene();
  const assertion = await scene.authority.issueIdToken({ username: ADA, clientId: ORDERS_APP.clientId });
  assertEquals(await refusal(scene, assertion), [400, "invalid_request", 240002, undefined]);
});

test("a token that this authority did not sign is refused", async () => {
  const scene = onBehalfOfScene();
  const assertion = await assertionFor(scene);
  const [header = "", claims = "", signature = ""] = assertion.split(".");
  const unsigned = btoa('{"alg":"none"}').replace(/=+$/, "");
  const foreign = await assertionFor(onBehalfOfScene());
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
  const scene = onBehalfOfScene();
  const assertion = await assertionFor(scene);
  await scene.authority.rotateKeys();
  await exchanged(scene, assertion);
  await scene.authority.rotateKeys({ keepOld: false });
  assertEquals(await refusal(scene, assertion), [400, "invalid_grant", 50013, undefined]);
});

test("parameters that are missing or wrong", async () => {
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
  const claims = JSON.stringify({ access_token: { polids: { essential: true, values: ["p1"] } } });
  const plain = await exchange(scene, await assertionFor(scene), { claims });
  assertEquals(outcome(plain), [400, "interaction_required", 50076, "basic_action"]);
  assertEquals(JSON.parse(plain.body.claims).access_token, { capolids: { essential: true, values: ["p1"] } });
  await exchanged(scene, await assertionFor(scene, { mfa: true }), { claims });
});

test("a user who cannot pass is told to enrol", async () => {
  const scene = onBehalfOfScene();
  const assertion = await assertionFor(scene, { username: BOB });
  assertEquals(await refusal(scene, assertion, { scope: "api://payroll/Pay.Read" }), [
    400,
    "interaction_required",
    50079,
    "basic_action",
  ]);
});

test("an API that wants a second factor wants it at sign-in, and of refresh tokens", async () => {
  const scene = onBehalfOfScene();
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
  const scene = onBehalfOfScene();
  const assertion = await assertionFor(scene);
  await scene.clock.advance(1_000_000);
  scene.authority.revokeSessions(ADA);
  assertEquals(await refusal(scene, assertion), [400, "invalid_grant", 50173, "bad_token"]);
  await exchanged(scene, await assertionFor(scene));
  const oid = crypto.randomUUID();
  const nobody = await assertionFor(scene, { claims: { oid } });
  assertEquals((await refusal(scene, nobody))[2], 50034);
});

test("no request log names an assertion, and errors do not repeat it", async () => {
  const scene = onBehalfOfScene();
  const assertion = await assertionFor(scene, { resource: "api://ledger" });
  const { body } = await exchange(scene, assertion);
  const seen = JSON.stringify([body, scene.authority.requests]);
  assert(!seen.includes(assertion) && !seen.includes(assertion.split(".")[1] ?? ""));
});
