/**
 * On behalf of: what is sent, what comes of it, and what is asked for once.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { answerAll, answering, assertionOf, caller, FILES, homeOf, OBO_GRANT } from "./support/callers.ts";
import { CLIENT_ID, entraDouble, HOST, OTHER_TENANT_ID, SECRET, TENANT_ID } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

/** An application, and a caller. */
function scene(options: Record<string, unknown> = {}, who = caller(1)) {
  const entra = entraDouble();
  answerAll(entra);
  const app = entra.confidential(options);
  const userAssertion = assertionOf(entra, who);
  const ask = (request: Record<string, unknown> = {}) =>
    entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES, ...request }));
  return { entra, app, userAssertion, ask, who, posts: entra.posts };
}

test("R-163: the assertion is sent as it is, and no refresh token is asked for", async () => {
  const { ask, posts, userAssertion } = scene();
  await ask({ correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c" });
  assertEquals(Object.fromEntries(posts[0]!.form), {
    client_id: CLIENT_ID,
    client_secret: SECRET,
    grant_type: OBO_GRANT,
    assertion: userAssertion,
    requested_token_use: "on_behalf_of",
    client_info: "1",
    scope: "Files.Read openid profile",
  });
  assertEquals(posts[0]!.url, `${HOST}/${TENANT_ID}/oauth2/v2.0/token`);
  assertEquals(posts[0]!.headers.get("x-client-current-telemetry"), "4|523,2|");
  assertEquals(posts[0]!.headers.get("client-request-id"), "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c");
});

test("the result is the user's, new and from the cache alike", async () => {
  const { ask, posts, who, entra } = scene();
  const first = await ask();
  const again = await ask();
  for (const { account, idTokenClaims, tenantId, scopes, expiresOn } of [first, again]) {
    assertEquals(account?.homeAccountId, homeOf(who));
    assertEquals(account?.localAccountId, who.oid);
    assertEquals(account?.tenantProfiles.map(({ isHomeTenant }) => isHomeTenant), [true]);
    assertEquals(idTokenClaims?.oid, who.oid);
    assertEquals([tenantId, scopes], [TENANT_ID, FILES]);
    assertEquals(expiresOn.getTime(), entra.clock.now() + 3_600_000);
  }
  assertEquals([first.tokenSource, again.tokenSource, posts.length], ["identity_provider", "cache", 1]);
  assertEquals(again.metadata.cacheLevel, "memory");
});

test("a guest is known by their home account", async () => {
  const { ask } = scene({}, caller(1));
  const guest = scene({}, { ...caller(2), tid: OTHER_TENANT_ID });
  assertEquals((await ask()).account?.tenantProfiles[0]?.isHomeTenant, true);
  const { account, tenantId } = await guest.ask();
  assertEquals([account?.homeAccountId, tenantId], [homeOf(guest.who), TENANT_ID]);
  assertEquals(account?.tenantProfiles[0]?.isHomeTenant, false);
});

test("a hit in memory waits for nothing, no hash either", async () => {
  const { app, ask, userAssertion } = scene();
  await ask();
  let isDone = false;
  app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }).then(() => isDone = true);
  await Promise.resolve();
  assert(isDone);
});

test("R-163: other scopes, another assertion or another tenant are other tokens", async () => {
  const { ask, posts, entra, who } = scene();
  await ask();
  const other = { userAssertion: assertionOf(entra, who, { jti: "another" }) };
  for (const change of [{ scopes: ["Mail.Read"] }, other, { tenantId: OTHER_TENANT_ID }]) {
    const before = posts.length;
    const { accessToken } = await ask(change);
    assertEquals(posts.length, before + 1);
    assertEquals((await ask(change)).accessToken, accessToken);
    assertEquals(posts.length, before + 1);
  }
  assertEquals(posts.at(-1)!.url, `${HOST}/${OTHER_TENANT_ID}/oauth2/v2.0/token`);
});

test("fewer scopes are answered by a token that has more", async () => {
  const { ask, posts } = scene();
  const { accessToken } = await ask({ scopes: ["Mail.Read", "Files.Read"] });
  assertEquals((await ask()).accessToken, accessToken);
  assertEquals(posts.length, 1);
});

test("R-163: an authority of many tenants is asked in the caller's", async () => {
  const rows = {
    [TENANT_ID]: TENANT_ID,
    [OTHER_TENANT_ID]: OTHER_TENANT_ID,
    "9188040d-6c67-4c5b-b112-36a304b66dad": "consumers",
  };
  for (const [tid, path] of Object.entries(rows)) {
    for (const shared of ["common", "organizations", "consumers"]) {
      const { ask, posts } = scene({ authority: `${HOST}/${shared}` }, caller(1, tid));
      assertEquals((await ask()).tenantId, tid);
      assertEquals((await ask()).tokenSource, "cache");
      assertEquals(posts.map(({ url }) => url), [`${HOST}/${path}/oauth2/v2.0/token`]);
    }
  }
});

test("a pinned authority asks its own tenant, unless the request names one", async () => {
  const { ask, posts } = scene({}, caller(1, OTHER_TENANT_ID));
  await ask();
  await ask({ tenantId: OTHER_TENANT_ID });
  assertEquals(posts.map(({ url }) => url.split("/")[3]), [TENANT_ID, OTHER_TENANT_ID]);
});

test("an authority with a domain name finds its tenant, and its tokens again", async () => {
  const { ask, posts, entra } = scene({ authority: `${HOST}/contoso.onmicrosoft.com` });
  entra.documents = ({ url }) =>
    url.includes("openid-configuration")
      ? Response.json({
        issuer: `${HOST}/${TENANT_ID}/v2.0`,
        jwks_uri: `${HOST}/${TENANT_ID}/discovery/v2.0/keys`,
        token_endpoint: `${HOST}/contoso.onmicrosoft.com/oauth2/v2.0/token`,
        authorization_endpoint: `${HOST}/contoso.onmicrosoft.com/oauth2/v2.0/authorize`,
      })
      : undefined;
  const [first, again] = [await ask(), await ask()];
  assertEquals([first.tenantId, again.tokenSource, posts.length], [TENANT_ID, "cache", 1]);
});

test("a refresh token that comes all the same is not kept", async () => {
  const entra = entraDouble();
  entra.next(answering(entra, { refresh_token: "RT not asked for", foci: "1" }));
  const userAssertion = assertionOf(entra, caller(1));
  await entra.settle(entra.confidential().acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
  assert(!entra.tokenCache.serialize().includes("RT not asked for"));
});

test("forceRefresh and claims pass the cache by, and leave the new token there", async () => {
  const { ask, posts } = scene();
  const first = await ask();
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}';
  const second = await ask({ forceRefresh: true });
  const third = await ask({ claims });
  const last = await ask();
  assertEquals(posts.length, 3);
  assertNotEquals(first.accessToken, second.accessToken);
  assertEquals(last.accessToken, third.accessToken);
  assertEquals(JSON.parse(posts[2]!.form.get("claims")!), JSON.parse(claims));
  assertEquals(second.metadata.refreshReason, "force_refresh_or_claims");
});

test("extra parameters are sent, and part of the token's identity", async () => {
  const { ask, posts } = scene();
  const extra = { extraBodyParameters: { dc: "1" }, extraQueryParameters: { slice: "2" } };
  const [plain, special, again] = [await ask(), await ask(extra), await ask(extra)];
  assertNotEquals(plain.accessToken, special.accessToken);
  assertEquals(again.accessToken, special.accessToken);
  assertEquals([posts.length, posts[1]!.form.get("dc")], [2, "1"]);
  assertMatch(posts[1]!.url, /\?slice=2$/);
});

test("a token that is due is renewed by the same assertion; one that ended, too", async () => {
  const entra = entraDouble();
  entra.next(answering(entra, { refresh_in: 600 }), answering(entra, { expires_in: 1200 }), answering(entra));
  const app = entra.confidential();
  const userAssertion = assertionOf(entra, caller(1));
  const ask = () => entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
  await ask();
  await entra.clock.advance(700_000);
  assertEquals((await ask()).metadata.refreshReason, "proactive_refresh");
  await entra.clock.advance(1_000_000);
  assertEquals((await ask()).metadata.refreshReason, "expired");
  assertEquals(entra.posts.length, 3);
});

test("what the caller changes after the call is not heeded", async () => {
  const { app, entra, posts, userAssertion } = scene();
  const scopes = ["Files.Read"];
  const extraBodyParameters = { dc: "1" };
  const request = { userAssertion, scopes, extraBodyParameters };
  const call = app.acquireTokenOnBehalfOf(request);
  scopes[0] = "Mail.Read";
  extraBodyParameters.dc = "2";
  request.userAssertion = assertionOf(entra, caller(2));
  await entra.settle(call);
  const [{ form }] = posts as [typeof posts[number]];
  assertEquals([form.get("scope"), form.get("dc")], ["Files.Read openid profile", "1"]);
  assertEquals(form.get("assertion"), userAssertion);
});

test("an answer without an ID token: client_info tells who it is, and a hit still is one", async () => {
  for (const [members, home] of [[{}, homeOf(caller(1))], [{ client_info: undefined }, undefined]] as const) {
    const entra = entraDouble();
    entra.next(answering(entra, { id_token: undefined, ...members }));
    const app = entra.confidential();
    const userAssertion = assertionOf(entra, caller(1));
    const ask = () => entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
    for (const { account, idTokenClaims } of [await ask(), await ask()]) {
      assertEquals([account?.homeAccountId, idTokenClaims], [home, undefined]);
    }
    assertEquals(entra.posts.length, 1);
  }
});

test("excludeScopes counts here, too", async () => {
  const { ask, posts } = scene({ excludeScopes: ["profile"] });
  await ask();
  assertEquals(posts[0]!.form.get("scope"), "Files.Read openid");
});

test("the cache survives being written down; other MSALs see no account in it", async () => {
  const { ask, entra, posts, who } = scene();
  const { accessToken } = await ask();
  const text = entra.tokenCache.serialize();
  entra.tokenCache.deserialize(text);
  const again = await ask();
  assertEquals([again.accessToken, again.account?.homeAccountId], [accessToken, homeOf(who)]);
  assertEquals(again.idTokenClaims?.oid, who.oid);
  assertEquals(posts.length, 1);
  for (const { authority_type } of Object.values(JSON.parse(text).Account) as { authority_type: string }[]) {
    assertEquals(authority_type, "OBO");
  }
});
