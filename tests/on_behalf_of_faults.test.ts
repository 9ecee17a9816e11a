/**
 * On behalf of: what is refused, what the authority refuses, and what no error tells.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type AnyAuthError,
  type AuthenticationResult,
  ClientAuthError,
  InteractionRequiredAuthError,
  TokenCache,
} from "../mod.ts";
import {
  answerAll,
  answering,
  assertionOf,
  type Caller,
  caller,
  FILES,
  homeOf,
  jwtOf,
} from "./support/callers.ts";
import {
  entraDouble,
  HOST,
  OTHER_TENANT_ID,
  type Reply,
  SECRET,
  signed,
  USER_ID,
} from "./support/entra_double.ts";
import { printed } from "./support/printed.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";

const refusal = (body: object, status = 400, headers: HeadersInit = {}): Reply => () =>
  Promise.resolve(Response.json(body, { status, headers }));

/** An application, and what callers ask of it. */
function scene(options: Record<string, unknown> = {}) {
  const entra = entraDouble();
  const app = entra.confidential(options);
  const call = (who: Caller | string, request: Record<string, unknown> = {}): Promise<AuthenticationResult> =>
    app.acquireTokenOnBehalfOf({
      userAssertion: typeof who === "string" ? who : assertionOf(entra, who),
      scopes: FILES,
      ...request,
    });
  const ask = (who: Caller | string, request?: Record<string, unknown>) => entra.settle(call(who, request));
  const refused = (who: Caller | string, request?: Record<string, unknown>): Promise<AnyAuthError> =>
    entra.refused(call(who, request));
  return { entra, app, call, ask, refused, posts: entra.posts };
}

test("what is no token is refused, and the request member named", async () => {
  const { app, refused, posts } = scene();
  const rows = [undefined, null, 7, {}, "", "a b", "a\nb", "a\u0000b", "é", "x".repeat(16_385)];
  for (const userAssertion of rows) {
    const error = await refused("", { userAssertion });
    assertEquals([error.code, (error as { option?: string }).option], ["invalid_request", "userAssertion"]);
  }
  const bare = app.acquireTokenOnBehalfOf as (request?: unknown) => Promise<unknown>;
  for (const request of [undefined, null]) {
    await assertRejects(() => bare.call(app, request), Error, "userAssertion");
  }
  assertEquals(posts.length, 0);
});

test("wrong scopes, tenants and extra parameters are refused before anything is sent", async () => {
  const { refused, posts } = scene();
  const rows: Record<string, Record<string, unknown>> = {
    invalid_scopes: { scopes: "Files.Read" },
    invalid_tenant: { tenantId: "a/b" },
    reserved_parameter: { extraBodyParameters: { assertion: "another" } },
    invalid_request: { correlationId: "a b" },
    invalid_claims: { claims: "[" },
  };
  for (const [code, request] of Object.entries(rows)) {
    assertEquals((await refused(caller(1), request)).code, code);
  }
  const two = { scopes: ["Files.Read", "api://other/read"] };
  assertEquals((await refused(caller(1), two)).code, "invalid_scopes");
  assertEquals(posts.length, 0);
});

test("R-163: an app's own token is refused before anything is sent", async () => {
  const { entra, refused, ask, posts } = scene();
  const { oid, tid } = caller(1);
  const rows = {
    "idtyp": { idtyp: "app", scp: undefined },
    "idtyp beside scopes": { idtyp: "app" },
    "roles": { scp: undefined, roles: ["Files.Read.All"] },
    "no roles at all": { scp: undefined, roles: [] },
    "the same oid and sub": { scp: undefined, sub: oid },
  };
  for (const [name, claims] of Object.entries(rows)) {
    const error = await refused(assertionOf(entra, { oid, tid }, claims));
    assertEquals([error.name, error.code], ["ClientAuthError", "user_assertion_app_only"], name);
  }
  assertEquals(posts.length, 0);
  answerAll(entra);
  // A user may have roles, too.
  await ask(assertionOf(entra, { oid, tid }, { roles: ["Reader"], idtyp: "user" }));
  assertEquals(posts.length, 1);
});

test("R-163: an expired assertion is refused, whatever the cache has", async () => {
  const { entra, ask, refused, posts } = scene();
  answerAll(entra, { expires_in: 86_400 });
  const short = assertionOf(entra, caller(1), { exp: entra.clock.now() / 1000 + 600 });
  const long = assertionOf(entra, caller(1));
  await ask(short);
  await ask(long);
  await entra.clock.advance(600_000 - 1);
  assertEquals((await ask(short)).tokenSource, "cache");
  await entra.clock.advance(1);
  const error = await refused(short);
  assert(error instanceof ClientAuthError);
  assertEquals(error.code, "user_assertion_expired");
  assertEquals((await refused(short, { forceRefresh: true })).code, "user_assertion_expired");
  assertEquals((await ask(long)).tokenSource, "cache");
  // One that never was seen here.
  const old = assertionOf(entra, caller(2), { exp: entra.clock.now() / 1000 - 1 });
  assertEquals((await refused(old)).code, "user_assertion_expired");
  assertEquals(posts.length, 2);
});

test("R-163: AADSTS500133 is an expired assertion, also when it is recalled", async () => {
  const { entra, refused, posts } = scene();
  entra.next(
    refusal({ error: "invalid_grant", error_codes: [500133], error_description: "AADSTS500133: expired" }),
  );
  const assertion = assertionOf(entra, caller(1));
  for (const _ of [1, 2]) {
    const error = await refused(assertion);
    assertEquals([error.name, error.code], ["ClientAuthError", "user_assertion_expired"]);
    assert(error.correlationId);
  }
  assertEquals(posts.length, 1);
});

test("other refusals stay what they are", async () => {
  const { entra, refused } = scene();
  entra.next(refusal({ error: "invalid_grant", error_codes: [50013] }));
  const error = await refused(caller(1));
  assertEquals([error.name, error.code], ["ServerError", "server_error"]);
});

test("an assertion that cannot be read is the authority's to judge", async () => {
  const { entra, ask, posts } = scene();
  const rows = [
    "opaque",
    "a.b.c",
    "x.y",
    jwtOf("text"),
    `${jwtOf({})}.d.e`,
    jwtOf({ exp: "never" }),
    jwtOf([]),
  ];
  entra.next(...rows.map((): Reply => () =>
    Promise.resolve(Response.json({
      token_type: "Bearer",
      access_token: `AT of ${posts.at(-1)!.form.get("assertion")}`,
      expires_in: 3600,
    }))
  ));
  for (const text of rows) {
    assertEquals((await ask(text)).accessToken, `AT of ${text}`);
    const again = await ask(text);
    assertEquals([again.accessToken, again.tokenSource, again.account], [`AT of ${text}`, "cache", null]);
  }
  assertEquals(posts.length, rows.length);
  const shared = scene({ authority: `${HOST}/common` });
  const error = await shared.refused("opaque");
  assertEquals([error.code, (error as { option?: string }).option], ["invalid_tenant", "tenantId"]);
});

test("a token without end of its own assertion ends by itself", async () => {
  const { entra, ask, posts } = scene();
  answerAll(entra, { id_token: undefined, expires_in: 900 });
  const assertion = jwtOf({ oid: caller(1).oid, tid: caller(1).tid, scp: "s" });
  await ask(assertion);
  await entra.clock.advance(900_000);
  await ask(assertion);
  assertEquals(posts.length, 2);
});

test("any issuer: its tokens are no business of ours, and its users are known by issuer and subject", async () => {
  const entra = entraDouble();
  const issuer = "https://idp.example.com/realms/one";
  entra.documents = ({ url }) =>
    url.endsWith("/openid-configuration")
      ? Response.json({
        issuer,
        jwks_uri: `${issuer}/discovery/v2.0/keys`,
        token_endpoint: `${issuer}/token`,
        authorization_endpoint: `${issuer}/auth`,
      })
      : undefined;
  const claims = { iss: issuer, sub: "anna", tid: undefined, oid: undefined };
  entra.next(
    await entra.answer(claims, { client_info: undefined, refresh_token: undefined, scope: "orders" }),
  );
  const app = entra.confidential({ authority: undefined, oidcAuthority: issuer });
  // No scp, and roles: at Entra that would be an app.
  const userAssertion = jwtOf({ sub: "anna", roles: ["clerk"], exp: entra.clock.now() / 1000 + 60 });
  const ask = () => entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: ["orders"] }));
  assertEquals((await ask()).account?.homeAccountId, `${issuer}#anna`);
  assertEquals((await ask()).account?.homeAccountId, `${issuer}#anna`);
  assertEquals([entra.posts.length, entra.posts[0]!.form.get("client_info")], [1, null]);
  const appOnly = jwtOf({ idtyp: "app" });
  const error = await entra.refused(app.acquireTokenOnBehalfOf({ userAssertion: appOnly, scopes: [] }));
  assertEquals(error.code, "user_assertion_app_only");
});

test("an ID token that fails a check: nothing is stored, and nothing handed out", async () => {
  const { entra, refused } = scene();
  const { oid, tid } = caller(1);
  const rows: Record<string, Record<string, unknown>> = {
    id_token_audience_mismatch: { aud: "another" },
    id_token_tenant_mismatch: { tid: OTHER_TENANT_ID },
    id_token_expired: { exp: 1 },
    // Somebody else's answer.
    account_mismatch: { oid: USER_ID },
  };
  for (const [code, claims] of Object.entries(rows)) {
    entra.next(await entra.answer({ oid, tid, ...claims }, { client_info: undefined }));
    assertEquals((await refused({ oid, tid })).code, code);
  }
  entra.next(await entra.answer({ oid }, { id_token: `${(await signed({})).slice(0, -8)}AAAAAAAA` }));
  assertEquals((await refused({ oid, tid })).code, "id_token_signature_invalid");
  assertEquals([entra.tokenCache.size, entra.tokenCache.users], [0, 0]);
});

test("allowedTenants: whose ID token does not come is not let in", async () => {
  const { entra, refused } = scene({ allowedTenants: [OTHER_TENANT_ID] });
  entra.next(answering(entra), answering(entra, { id_token: undefined }));
  assertEquals((await refused(caller(1))).code, "tenant_not_allowed");
  assertEquals((await refused(caller(1))).code, "id_token_missing");
  assertEquals(entra.tokenCache.size, 0);
});

const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

test("R-164, R-182: what the user must do comes with the claims, is remembered, and is no other user's", async () => {
  const { entra, ask, refused, posts } = scene();
  const body = {
    error: "interaction_required",
    suberror: "basic_action",
    error_codes: [50076],
    claims: CLAIMS,
  };
  entra.next(refusal(body));
  const assertion = assertionOf(entra, caller(1));
  for (const _ of [1, 2]) {
    const error = await refused(assertion);
    assert(error instanceof InteractionRequiredAuthError);
    assertEquals([error.code, error.claims], ["interaction_required", CLAIMS]);
  }
  assertEquals(posts.length, 1);
  answerAll(entra);
  await ask(caller(2));
  await ask(assertion, { scopes: ["Mail.Read"] });
  await ask(assertionOf(entra, caller(1), { acrs: ["c1"] }));
  assertEquals(posts.length, 4);
  await entra.clock.advance(110_000);
  assertEquals((await refused(assertion)).code, "interaction_required");
  await entra.clock.advance(11_000);
  await ask(assertion);
});

test("R-179, R-180: who is throttled does not slow anybody else down", async () => {
  const { entra, ask, refused, posts } = scene();
  entra.next(refusal({ error: "temporarily_unavailable" }, 429, { "retry-after": "30" }));
  const [first, second] = [assertionOf(entra, caller(1)), assertionOf(entra, caller(2))];
  assertEquals((await refused(first)).code, "throttled");
  assertEquals((await refused(first)).code, "throttled");
  answerAll(entra);
  await ask(second);
  assertEquals(posts.length, 2);
  await entra.clock.advance(31_000);
  await ask(first);
});

test("R-181: a failure of the server is asked about once more, and no more", async () => {
  const { entra, ask, refused, posts } = scene();
  entra.next(refusal({}, 503), answering(entra), refusal({}, 500), refusal({}, 500));
  await ask(caller(1));
  assertEquals(posts.length, 2);
  assertEquals((await refused(caller(2))).code, "server_error");
  assertEquals(posts.length, 4);
});

test("R-113, R-184: while the authority is down, a token that is good serves", async () => {
  const { entra, ask, refused } = scene();
  entra.next(answering(entra, { expires_in: 600, refresh_in: 60 }));
  const assertion = assertionOf(entra, caller(1));
  const { accessToken } = await ask(assertion);
  await entra.clock.advance(400_000);
  const down = Array.from({ length: 8 }, () => new Error("down"));
  entra.next(...down);
  const again = await ask(assertion);
  assertEquals([again.accessToken, again.account?.homeAccountId], [accessToken, homeOf(caller(1))]);
  assertEquals((await ask(assertion, { forceRefresh: true })).accessToken, accessToken);
  assertEquals((await refused(caller(2))).name, "NetworkError");
  assert(entra.events.some(({ type }) => type === "refresh_failed"));
});

test("a signal ends its caller's wait, and nobody else's", async () => {
  const { entra, call, posts } = scene();
  answerAll(entra);
  const assertion = assertionOf(entra, caller(1));
  const controller = new AbortController();
  const [mine, other] = [call(assertion, { signal: controller.signal }), call(assertion)];
  controller.abort();
  assertEquals((await entra.refused(mine)).code, "request_aborted");
  assertEquals((await entra.settle(other)).account?.homeAccountId, homeOf(caller(1)));
  assertEquals((await entra.refused(call(assertion, { signal: controller.signal }))).code, "request_aborted");
  assertEquals(posts.length, 1);
});

test("names that the cache uses are no accounts", async () => {
  const { entra, app, ask } = scene();
  answerAll(entra);
  await ask(caller(1));
  const { HomeAccount, Account } = JSON.parse(entra.tokenCache.serialize());
  assertEquals(HomeAccount, undefined);
  const [{ home_account_id: id }] = Object.values(Account) as [{ home_account_id: string }];
  const calls = [
    () => app.getAccount(id),
    () => app.removeAccount(id),
    () => app.acquireTokenSilent({ account: id, scopes: FILES }),
  ];
  for (const one of calls) assertEquals((await entra.refused(one())).code, "invalid_account");
  assertEquals(await entra.settle(app.getAccount(homeOf(caller(1)))), null);
  const silent = app.acquireTokenSilent({ account: homeOf(caller(1)), scopes: FILES });
  assertEquals((await entra.refused(silent)).code, "no_tokens_found");
  assertEquals(await entra.settle(entra.public().getAccounts()), []);
});

test("R-170: neither assertion nor session key nor token is told, logged or used as a name", async () => {
  const canary = "cAnArY";
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const app = entra.confidential({
    tokenCache: new TokenCache({ store }),
    logger: { debug: keep, warn: keep, error: keep },
  });
  const errors: unknown[] = [];
  const sessionKey = `${canary}-${canary}-${canary}`;
  const attempt = async (make: () => Promise<unknown>) => {
    try {
      await entra.settle(make());
    } catch (error) {
      errors.push(error);
    }
  };
  const assertion = assertionOf(entra, caller(1), { nonce: canary });
  const [, payload = ""] = assertion.split(".");
  entra.next(
    refusal({ error: "invalid_grant", error_description: `AADSTS50013: ${assertion} is wrong` }),
    answering(entra),
    answering(entra),
    refusal({ error: "invalid_grant", error_description: "AADSTS50013: no" }),
  );
  await attempt(() => app.acquireTokenOnBehalfOf({ userAssertion: assertion, scopes: ["one"] }));
  await attempt(() => app.acquireTokenOnBehalfOf({ userAssertion: `${canary} ${canary}`, scopes: FILES }));
  await attempt(() =>
    app.acquireTokenOnBehalfOf({ userAssertion: jwtOf({ idtyp: "app", canary }), scopes: FILES })
  );
  await attempt(() =>
    app.acquireTokenOnBehalfOf({ userAssertion: jwtOf({ exp: 1, canary }), scopes: FILES })
  );
  await attempt(() => app.acquireTokenOnBehalfOf({ userAssertion: assertion, scopes: FILES }));
  await attempt(() =>
    app.initiateLongRunningProcessInWebApi({ userAssertion: assertion, scopes: FILES, sessionKey })
  );
  await attempt(() => app.acquireTokenInLongRunningProcess({ sessionKey, scopes: ["two"] }));
  await attempt(() => app.acquireTokenInLongRunningProcess({ sessionKey: `${canary} `, scopes: ["two"] }));
  await attempt(() => app.stopLongRunningProcessInWebApi(sessionKey));
  assertEquals(errors.length, 6);
  const texts = [...errors, ...entra.events].map((one) => printed(one));
  const all = [...texts, ...lines, ...store.calls, JSON.stringify(app), ...entra.posts.map(({ url }) => url)];
  for (const text of all) {
    for (const secret of [canary, assertion, payload, SECRET]) assert(!text.includes(secret), text);
  }
  // Sealed or not, a value has hashes of them alone.
  for (const text of store.values.values()) {
    for (const secret of [assertion, sessionKey]) assert(!text.includes(secret));
  }
});
