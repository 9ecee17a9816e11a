/**
 * Users' tokens without the user: from the cache, by refresh token, through outages.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type AuthenticationResult, TokenCache } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import {
  clientInfo,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  OTHER_TENANT_ID,
  TENANT_ID,
  USER_ID,
} from "./support/entra_double.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred, eachRow, isPending, refusal } from "./support/token_server.ts";

const SCOPES = ["User.Read"];
const ASK = { account: HOME_ACCOUNT_ID, scopes: SCOPES };
const HOUR_MS = 3_600_000;

/** A user who signed in, whose access token has ended. */
async function expired(entra: EntraDouble) {
  const app = entra.confidential();
  await entra.signIn(app);
  await entra.clock.advance(HOUR_MS);
  return app;
}

function invalidGrant(members: object = {}): () => Response {
  return refusal(400, { error: "invalid_grant", ...members });
}

test("a signed-in user's token comes from the cache: by account, by id, by fewer scopes, in any case", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const { accessToken, account } = await entra.signIn(app, {}, { scope: "User.Read Mail.Read openid" }, [
    "User.Read",
    "Mail.Read",
  ]);
  for (const scopes of [["User.Read", "Mail.Read"], ["mail.read"], ["Mail.Read", "User.Read"]]) {
    for (const whose of [account!, HOME_ACCOUNT_ID, HOME_ACCOUNT_ID.toUpperCase()]) {
      const found = await app.acquireTokenSilent({ account: whose, scopes });
      assertEquals([found.accessToken, found.tokenSource], [accessToken, "cache"]);
      assertEquals(found.account, account);
      assertEquals(found.idTokenClaims?.oid, USER_ID);
    }
  }
  assertEquals(entra.posts.length, 1);
});

test("A5 a user of whom the cache knows nothing must sign in, and nothing is sent", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const error = await entra.refused(app.acquireTokenSilent(ASK));
  assertEquals([error.name, error.code], ["InteractionRequiredAuthError", "no_tokens_found"]);
  assertEquals(entra.posts.length + entra.gets.length, 0);
});

test("a request that is wrong names its member, and nothing is sent", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await eachRow({
    "no account": ["invalid_account", { scopes: SCOPES }],
    "null": ["invalid_account", { account: null, scopes: SCOPES }],
    "empty id": ["invalid_account", { account: "", scopes: SCOPES }],
    "control characters": ["invalid_account", { account: "a\nb", scopes: SCOPES }],
    "an object without id": ["invalid_account", { account: {}, scopes: SCOPES }],
    "no scopes": ["invalid_scopes", { account: HOME_ACCOUNT_ID }],
    "reserved scopes": ["invalid_scopes", { ...ASK, scopes: ["openid"] }],
    "R-024 two APIs": ["invalid_scopes", { ...ASK, scopes: ["api://a/x", "api://b/x"] }],
    "R-025 .default and a name": ["invalid_scopes", { ...ASK, scopes: ["api://a/.default", "api://a/x"] }],
    "a tenant that is none": ["invalid_tenant", { ...ASK, tenantId: "../x" }],
    "claims that are none": ["invalid_claims", { ...ASK, claims: "{" }],
    nothing: ["invalid_scopes", undefined],
  } as unknown as Record<string, [string, never]>, async ([code, request]) => {
    assertEquals((await entra.refused(app.acquireTokenSilent(request))).code, code);
  });
  assertEquals(entra.posts.length + entra.gets.length, 0);
});

test("C2 A22 the refresh token is redeemed with scopes, client_info and mailbox, R-114", async () => {
  const entra = entraDouble();
  const app = await expired(entra);
  entra.next(await entra.answer());
  const { accessToken, tokenSource, metadata } = await entra.settle(app.acquireTokenSilent(ASK));
  assertEquals([accessToken, tokenSource, metadata.refreshReason], ["AT 2", "identity_provider", "expired"]);
  const post = entra.posts[1];
  assertEquals(post?.url, `${HOST}/${TENANT_ID}/oauth2/v2.0/token`);
  assertEquals(post?.form.get("grant_type"), "refresh_token");
  assertEquals(post?.form.get("refresh_token"), "RT 1");
  assertEquals(post?.form.get("scope"), "User.Read offline_access openid profile");
  assertEquals(post?.headers.get("x-anchormailbox"), `Oid:${USER_ID}@${TENANT_ID}`);
  assertEquals(post?.headers.get("x-client-current-telemetry"), "4|84,3|");
});

test("R-109 a new refresh token takes the old one's place; none leaves it", async () => {
  const entra = entraDouble();
  const app = await expired(entra);
  entra.next(
    await entra.answer(),
    await entra.answer({}, { refresh_token: undefined }),
    await entra.answer(),
  );
  for (const sent of ["RT 1", "RT 2", "RT 2"]) {
    await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals(entra.posts.at(-1)?.form.get("refresh_token"), sent);
  }
  assert(!entra.tokenCache.serialize().includes("RT 1"));
});

test("R-103 R-105 a hundred calls share one request, calls for other users, scopes or claims do not", async () => {
  const entra = entraDouble();
  const app = await expired(entra);
  const answer = await entra.answer();
  entra.next(answer);
  const calls = Array.from({ length: 100 }, () => app.acquireTokenSilent(ASK));
  const tokens = await entra.settle(Promise.all(calls));
  assertEquals(new Set(tokens.map(({ accessToken }) => accessToken)).size, 1);
  assertEquals(entra.posts.length, 2);
  await entra.clock.advance(HOUR_MS);
  entra.next(await entra.answer({}, { scope: "Mail.Read" }), await entra.answer(), await entra.answer());
  const others: Promise<AuthenticationResult>[] = [
    app.acquireTokenSilent(ASK),
    app.acquireTokenSilent({ ...ASK, scopes: ["Mail.Read"] }),
    app.acquireTokenSilent({ ...ASK, claims: { access_token: { nbf: null } } }),
  ];
  await entra.settle(Promise.all(others));
  assertEquals(entra.posts.length, 5);
});

test("A24 R-049 an ageing token is renewed; with waitUntil nobody waits for that", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app, {}, { refresh_in: 1800 });
  await entra.clock.advance(1_900_000);
  const kept: Promise<unknown>[] = [];
  entra.next(await entra.answer({}, { refresh_in: 1800 }));
  const old = await app.acquireTokenSilent({ ...ASK, waitUntil: (promise) => void kept.push(promise) });
  assertEquals([old.accessToken, old.tokenSource], ["AT 1", "cache"]);
  await entra.settle(Promise.all(kept));
  assertEquals(entra.posts.at(-1)?.headers.get("x-client-current-telemetry"), "4|84,4|");
  const renewed = await app.acquireTokenSilent(ASK);
  assertEquals([renewed.accessToken, renewed.tokenSource], ["AT 2", "cache"]);
});

test("A25 R-113 an ageing token wins over every failure of its renewal", async () => {
  await eachRow({
    "400 foo (A25)": refusal(400, { error: "foo" }),
    "500": refusal(500),
    "429": refusal(429, { error: "slow" }, { "retry-after": "7" }),
    invalid_grant: invalidGrant(),
    network: new TypeError("reset"),
    "not JSON": () => new Response("<html>"),
  }, async (reply) => {
    const entra = entraDouble();
    const app = entra.confidential();
    await entra.signIn(app, {}, { refresh_in: 1800 });
    await entra.clock.advance(1_900_000);
    entra.next(reply, reply);
    const { accessToken, tokenSource } = await entra.settle(app.acquireTokenSilent(ASK));
    assertEquals([accessToken, tokenSource], ["AT 1", "cache"]);
    assertEquals(entra.events.filter(({ type }) => type === "refresh_failed").length, 1);
    assertEquals((await app.getAccount(HOME_ACCOUNT_ID))?.homeAccountId, HOME_ACCOUNT_ID);
  });
});

test("flaw 14: an outage during a forced refresh serves the token that still counts, a refusal does not", async () => {
  await eachRow({
    network: [new TypeError("reset"), undefined],
    "503": [refusal(503), undefined],
    refused: [refusal(400, { error: "interaction_required" }), "interaction_required"],
  } as unknown as Record<string, [never, string | undefined]>, async ([reply, code]) => {
    const entra = entraDouble();
    const app = entra.confidential();
    await entra.signIn(app);
    entra.next(reply, reply);
    const call = entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    if (code === undefined) assertEquals((await call).tokenSource, "cache");
    else assertEquals((await failure(call)).code, code);
  });
});

test("Z18 a claims challenge passes the cache by and is sent as it is; capabilities are merged in", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1563308371"}}}';
  entra.next(await entra.answer(), await entra.answer());
  await entra.settle(app.acquireTokenSilent({ ...ASK, claims }));
  assertEquals(entra.posts[1]?.form.get("claims"), claims);
  assertEquals(entra.posts[1]?.headers.get("x-client-current-telemetry"), "4|84,1|");
  const capable = entra.confidential({ clientCapabilities: ["cp1"] });
  await entra.settle(capable.acquireTokenSilent({ ...ASK, claims }));
  assertEquals(JSON.parse(entra.posts[2]?.form.get("claims") ?? ""), {
    access_token: { nbf: { essential: true, value: "1563308371" }, xms_cc: { values: ["cp1"] } },
  });
});

test("Z20 tokens with five minutes left are renewed, with more they are handed out", async () => {
  for (const [lifetime, posts] of [[299, 2], [300, 2], [301, 1], [302, 1]] as const) {
    const entra = entraDouble();
    const app = entra.confidential();
    await entra.signIn(app, {}, { expires_in: lifetime });
    entra.next(await entra.answer());
    await entra.settle(app.acquireTokenSilent(ASK));
    assertEquals(entra.posts.length, posts, `${lifetime} s`);
  }
});

test("A6 A7 A9 R-178 what the user must do is an InteractionRequiredAuthError with claims and suberror", async () => {
  const rows: Record<string, [object, string]> = {
    "A7 invalid_grant": [{ error: "invalid_grant", error_description: "xyz" }, "interaction_required"],
    "A6 with suberror": [{ error: "invalid_grant", suberror: "xyz" }, "interaction_required"],
    "A9 client_mismatch": [{ error: "invalid_grant", suberror: "client_mismatch" }, "interaction_required"],
    "interaction_required": [
      { error: "interaction_required", claims: '{"access_token":{}}' },
      "interaction_required",
    ],
    "consent_required": [{ error: "invalid_grant", suberror: "consent_required" }, "consent_required"],
    "basic_action": [{ error: "invalid_grant", suberror: "basic_action" }, "interaction_required"],
    "bad_token": [{ error: "invalid_grant", suberror: "bad_token" }, "bad_token"],
    "login_required": [{ error: "login_required" }, "login_required"],
  };
  await eachRow(rows, async ([body, code]) => {
    const entra = entraDouble();
    const app = await expired(entra);
    entra.next(refusal(400, body));
    const error = await entra.refused(app.acquireTokenSilent(ASK));
    assertEquals([error.name, error.code], ["InteractionRequiredAuthError", code]);
    if ("claims" in body) assertEquals((error as { claims?: string }).claims, body.claims);
  });
});

test("R-115 R-182 a refusal is remembered: a loop of calls asks once in two minutes, and keeps the claims", async () => {
  const entra = entraDouble();
  const app = await expired(entra);
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  entra.next(refusal(400, { error: "interaction_required", suberror: "basic_action", claims }));
  for (let call = 0; call < 20; call++) {
    const error = await entra.refused(app.acquireTokenSilent(ASK));
    assertEquals([error.code, (error as { claims?: string }).claims], ["interaction_required", claims]);
  }
  assertEquals(entra.posts.length, 2);
  await entra.clock.advance(119_000);
  await entra.refused(app.acquireTokenSilent(ASK));
  assertEquals(entra.posts.length, 2, "within two minutes");
  await entra.clock.advance(2_000);
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenSilent(ASK));
  assertEquals(entra.posts.length, 3);
});

test("decision 6: only bad_token and token_expired remove a refresh token", async () => {
  await eachRow({
    bad_token: [{ error: "invalid_grant", suberror: "bad_token" }, false],
    token_expired: [{ error: "invalid_grant", suberror: "token_expired" }, false],
    invalid_grant: [{ error: "invalid_grant" }, true],
    interaction: [{ error: "interaction_required" }, true],
    client: [{ error: "invalid_client" }, true],
  } as Record<string, [object, boolean]>, async ([body, stays]) => {
    const entra = entraDouble();
    const app = await expired(entra);
    entra.next(refusal(400, body));
    await entra.refused(app.acquireTokenSilent(ASK));
    assertEquals(entra.tokenCache.serialize().includes("RT 1"), stays);
  });
});

test("R-111 a refresh never changes the account, and what is refused is not stored", async () => {
  const rows: Record<string, [string, object, object?]> = {
    "another sub": ["id_token_user_mismatch", { sub: "another" }],
    "another oid": ["id_token_user_mismatch", { oid: OTHER_TENANT_ID }],
    "another user at home": ["id_token_user_mismatch", { oid: OTHER_TENANT_ID }, {
      client_info: clientInfo(OTHER_TENANT_ID),
    }],
    "another client_info": ["client_info_mismatch", {}, { client_info: clientInfo(OTHER_TENANT_ID) }],
    "another tenant": ["id_token_tenant_mismatch", { tid: OTHER_TENANT_ID }],
    "another issuer": ["id_token_issuer_mismatch", { iss: "https://evil.example" }],
    "a nonce that was not there": ["nonce_mismatch", { nonce: "x" }],
    "another audience": ["id_token_audience_mismatch", { aud: "x" }],
    "another auth_time": ["id_token_user_mismatch", { auth_time: 5 }],
  };
  await eachRow(rows, async ([code, claims, members]) => {
    const entra = entraDouble();
    const app = entra.confidential();
    await entra.signIn(app, { auth_time: Math.floor(entra.clock.now() / 1000) });
    await entra.clock.advance(HOUR_MS);
    const before = entra.tokenCache.serialize();
    entra.next(await entra.answer({ ...claims }, members as never));
    const error = await entra.refused(app.acquireTokenSilent(ASK));
    assertEquals(error.code, code);
    assertEquals(entra.tokenCache.serialize(), before);
  });
});

test("R-110 a store that cannot be written costs nothing: the token is handed out, and the failure is told", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const tokenCache = new TokenCache({ store });
  const app = entra.confidential({ tokenCache });
  await entra.signIn(app);
  store.beforeSet = () => Promise.reject(new Error("disk full"));
  entra.next(await entra.answer(), await entra.answer());
  for (const token of ["AT 2", "AT 3"]) {
    const { accessToken } = await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals(accessToken, token);
  }
  assert(entra.events.some(({ type }) => type === "cache_failed"));
});

test("a cold isolate reads once, a warm one never, a new token is one write", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store }) }));
  store.take();
  const cold = entra.confidential({ tokenCache: new TokenCache({ store }) });
  const first = await entra.settle(cold.acquireTokenSilent(ASK));
  assertEquals([first.accessToken, first.metadata.cacheLevel], ["AT 1", "store"]);
  assertEquals(first.account?.username, "alex@contoso.example");
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  const second = await cold.acquireTokenSilent(ASK);
  assertEquals(second.metadata.cacheLevel, "memory");
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 });
  await entra.clock.advance(HOUR_MS);
  entra.next(await entra.answer());
  await entra.settle(cold.acquireTokenSilent(ASK));
  const { set } = store.take();
  assertEquals(set, 1);
  assertEquals(entra.posts.length, 2);
});

test("R-107 R-108 an isolate whose refresh token another one redeemed reads the store again and uses the new one", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const [one, two] = [1, 2].map(() => entra.confidential({ tokenCache: new TokenCache({ store }) }));
  await entra.signIn(one!);
  await entra.clock.advance(HOUR_MS);
  const [theirs, ours] = [await entra.answer(), await entra.answer()];
  // While the first is asking, the other one redeems RT 1 and stores RT 2.
  const meanwhile = async (): Promise<Response> => {
    await two!.acquireTokenSilent({ ...ASK, forceRefresh: true });
    return invalidGrant()();
  };
  entra.next(meanwhile, theirs, ours);
  const result = await entra.settle(one!.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assertEquals(result.tokenSource, "identity_provider");
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")).slice(1), ["RT 1", "RT 1", "RT 2"]);
});

test("R-108 without another refresh token in the store the refusal stands, after one read more", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(app);
  await entra.clock.advance(HOUR_MS);
  store.take();
  entra.next(invalidGrant());
  assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "interaction_required");
  assertEquals(store.take().get, 2);
  assertEquals(entra.posts.length, 2);
});

test("R-116 a user who is removed while their token is renewed does not come back", async () => {
  for (const store of [undefined, "store"] as const) {
    const entra = entraDouble();
    const backing = countingStore(entra.clock);
    const tokenCache = new TokenCache(store && { store: backing });
    const app = entra.confidential({ tokenCache });
    await entra.signIn(app);
    await entra.clock.advance(HOUR_MS);
    const { promise: gate, resolve: open } = deferred<void>();
    const answer = await entra.answer();
    entra.next(() => gate.then(() => Response.json(answer)));
    const call = app.acquireTokenSilent(ASK);
    await isPending(entra.clock, call);
    await app.removeAccount(HOME_ACCOUNT_ID);
    open();
    await entra.settle(call);
    assertEquals(await app.getAccount(HOME_ACCOUNT_ID), null);
    assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "no_tokens_found");
    assert(![...backing.values.values()].join().includes("RT"), "it is in the store");
  }
});

test("A14 Z19 removeAccount takes everything of the user, and leaves the others", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  await entra.signIn(app, { oid: OTHER_TENANT_ID, sub: "other" }, {
    client_info: clientInfo(OTHER_TENANT_ID),
  });
  await app.removeAccount((await app.getAccount(HOME_ACCOUNT_ID))!);
  const text = entra.tokenCache.serialize();
  for (const gone of ["AT 1", "RT 1", USER_ID]) assert(!text.includes(gone), gone);
  const other = `${OTHER_TENANT_ID}.${TENANT_ID}`;
  assertEquals((await app.acquireTokenSilent({ ...ASK, account: other })).accessToken, "AT 2");
  await app.removeAccount("nobody");
});

test("A40 one user in two tenants is one account with two profiles; listing is for public clients", async () => {
  const entra = entraDouble();
  const app = entra.public({ authority: `${HOST}/common` });
  await entra.signIn(app);
  await entra.signIn(app, {
    tid: OTHER_TENANT_ID,
    iss: `${HOST}/${OTHER_TENANT_ID}/v2.0`,
    oid: OTHER_TENANT_ID,
    sub: "guest",
  });
  await entra.signIn(app);
  const accounts = await app.getAccounts();
  assertEquals(accounts.length, 1);
  assertEquals(accounts[0]?.tenantId, TENANT_ID, "the home tenant's profile is shown");
  assertEquals(accounts[0]?.tenantProfiles.length, 2);
  assertEquals((await app.getAccounts({ username: "ALEX@contoso.example" })).length, 1);
  assertEquals((await app.getAccounts({ tenantId: OTHER_TENANT_ID })).length, 1);
  assertEquals((await app.getAccounts({ username: "nobody" })).length, 0);
  assert(!("getAccounts" in entra.confidential()));
});

test("A15 A16 A17 a user of an alias of the cloud is found, and renewed at the cloud's own host", async () => {
  const entra = entraDouble();
  await entra.signIn(entra.public());
  const aliased = entra.tokenCache.serialize().replaceAll("login.microsoftonline.com", "sts.windows.net");
  const tokenCache = new TokenCache();
  tokenCache.deserialize(aliased);
  const app = entra.public({ tokenCache });
  assertEquals((await app.getAccounts()).map(({ environment }) => environment), ["sts.windows.net"], "A15");
  assertEquals((await app.acquireTokenSilent(ASK)).tokenSource, "cache", "A16");
  entra.next(await entra.answer({}, { scope: "Mail.Read" }));
  await entra.settle(app.acquireTokenSilent({ ...ASK, scopes: ["Mail.Read"] }));
  // A17: MSAL asks the alias itself; all hosts of a cloud are one authority, so we ask the first.
  assert(entra.posts.at(-1)?.url.startsWith(`${HOST}/`));
});

test("R-114 on common the account's own tenant is asked, and consumers for personal accounts", async () => {
  const msa = "9188040d-6c67-4c5b-b112-36a304b66dad";
  const entra = entraDouble();
  const app = entra.public({ authority: `${HOST}/common` });
  const personal = "00000000-0000-0000-a1b2-c3d4e5f60718";
  await entra.signIn(app);
  await entra.signIn(app, { tid: msa, iss: `${HOST}/${msa}/v2.0`, oid: personal, sub: "msa" }, {
    client_info: clientInfo(personal, msa),
  });
  await entra.clock.advance(HOUR_MS);
  for (
    const [account, tenant, tid, oid] of [[HOME_ACCOUNT_ID, TENANT_ID, TENANT_ID, USER_ID], [
      `${personal}.${msa}`,
      "consumers",
      msa,
      personal,
    ]] as const
  ) {
    const sub = tid === msa ? "msa" : "pairwise-subject";
    entra.next(
      await entra.answer({ tid, oid, sub, iss: `${HOST}/${tid}/v2.0` }, {
        client_info: clientInfo(oid, tid),
      }),
    );
    await entra.settle(app.acquireTokenSilent({ account, scopes: SCOPES }));
    assertEquals(entra.posts.at(-1)?.url, `${HOST}/${tenant}/oauth2/v2.0/token`);
  }
});

test("A43 removing app tokens leaves users', and removing users leaves app tokens", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  entra.next({ token_type: "Bearer", access_token: "app token", expires_in: 3600 });
  const scopes = ["https://graph.microsoft.com/.default"];
  await entra.settle(app.acquireTokenForClient({ scopes }));
  await app.removeTokensForClient();
  assertEquals((await app.acquireTokenSilent(ASK)).accessToken, "AT 1");
  entra.next({ token_type: "Bearer", access_token: "app token 2", expires_in: 3600 });
  await entra.settle(app.acquireTokenForClient({ scopes }));
  await app.removeAccount(HOME_ACCOUNT_ID);
  assertEquals((await app.acquireTokenForClient({ scopes })).accessToken, "app token 2");
});

test("the seeded refresh token of another library moves its user over, capabilities included (flaw 16)", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ clientCapabilities: ["cp1"] });
  entra.next(await entra.answer());
  const { account } = await entra.settle(
    app.acquireTokenByRefreshToken({ refreshToken: "old RT", scopes: SCOPES }),
  );
  assertEquals(entra.posts[0]?.form.get("refresh_token"), "old RT");
  assert(entra.posts[0]?.form.get("claims")?.includes("cp1"));
  assertEquals(entra.posts[0]?.headers.get("x-client-current-telemetry"), "4|85,1|");
  assertEquals((await app.acquireTokenSilent({ account: account!, scopes: SCOPES })).tokenSource, "cache");
  entra.next(await entra.answer({}, { id_token: undefined, client_info: undefined }));
  const unknown = await entra.settle(
    app.acquireTokenByRefreshToken({ refreshToken: "RT of nobody", scopes: SCOPES }),
  );
  assertEquals(unknown.account, null);
  assert(!entra.tokenCache.serialize().includes(unknown.accessToken));
});

test("a domain as tenant finds the tokens of its tenant, with one document and then none", async () => {
  const entra = entraDouble();
  const domain = "contoso.onmicrosoft.com";
  entra.documents = ({ url }) =>
    url.endsWith("/openid-configuration")
      ? Response.json({
        issuer: `${HOST}/${TENANT_ID}/v2.0`,
        jwks_uri: `${HOST}/${TENANT_ID}/discovery/v2.0/keys`,
        token_endpoint: `${HOST}/${TENANT_ID}/oauth2/v2.0/token`,
        authorization_endpoint: `${HOST}/${TENANT_ID}/oauth2/v2.0/authorize`,
        cloud_instance_name: "microsoftonline.com",
        id_token_signing_alg_values_supported: ["RS256"],
      })
      : undefined;
  const app = entra.confidential({ authority: `${HOST}/${domain}` });
  const { tenantId } = await entra.signIn(app);
  assertEquals(tenantId, TENANT_ID);
  assertEquals((await app.acquireTokenSilent(ASK)).tokenSource, "cache");
  assertEquals((await app.acquireTokenSilent({ ...ASK, tenantId: TENANT_ID })).tokenSource, "cache");
  assertEquals(entra.gets.length, 2);
});

test("a call that is given up ends for its caller; the others get the token", async () => {
  const entra = entraDouble();
  const app = await expired(entra);
  const { promise: gate, resolve: open } = deferred<void>();
  const answer = await entra.answer();
  entra.next(() => gate.then(() => Response.json(answer)));
  const controller = new AbortController();
  const [given, kept] = [
    app.acquireTokenSilent({ ...ASK, signal: controller.signal }),
    app.acquireTokenSilent(ASK),
  ];
  await isPending(entra.clock, kept);
  controller.abort();
  assertEquals((await failure(given)).code, "request_aborted");
  open();
  assertEquals((await entra.settle(kept)).accessToken, "AT 2");
});

test("a failed call is told once, whatever failed", async () => {
  const entra = entraDouble();
  const domain = entra.confidential({ authority: `${HOST}/contoso.onmicrosoft.com` });
  const app = entra.confidential();
  const calls = [
    () => domain.acquireTokenSilent(ASK),
    () => app.acquireTokenSilent(ASK),
    () => app.acquireTokenSilent({ ...ASK, claims: "{" }),
    () => app.acquireTokenSilent({ ...ASK, scopes: ["openid"] }),
  ];
  for (const call of calls) {
    const before = entra.events.length;
    await entra.refused(call());
    assertEquals(entra.events.slice(before).filter(({ type }) => type === "token_failed").length, 1);
  }
});

test("R-202 a user's token is renewed a little early, at a second of this isolate's own", async () => {
  const { random } = Math;
  try {
    Math.random = () => 0.99;
    const entra = entraDouble();
    const app = entra.confidential();
    await entra.signIn(app, {}, { refresh_in: 1800 });
    Math.random = random;
    await entra.clock.advance(1_600_000);
    assertEquals((await app.acquireTokenSilent(ASK)).tokenSource, "cache");
    await entra.clock.advance(50_000);
    entra.next(await entra.answer());
    const renewed = await entra.settle(app.acquireTokenSilent(ASK));
    assertEquals([renewed.tokenSource, renewed.metadata.refreshReason], [
      "identity_provider",
      "proactive_refresh",
    ]);
  } finally {
    Math.random = random;
  }
});

test("R-067 an essential claim of a silent call must be in the renewed ID token", async () => {
  const entra = entraDouble();
  const app = await expired(entra);
  const claims = { id_token: { acr: { essential: true, value: "mfa" } } };
  entra.next(await entra.answer({ acr: "pwd" }), await entra.answer({ acr: "mfa" }));
  assertEquals(
    (await entra.refused(app.acquireTokenSilent({ ...ASK, claims }))).code,
    "id_token_acr_mismatch",
  );
  assertEquals((await entra.settle(app.acquireTokenSilent({ ...ASK, claims }))).idTokenClaims?.acr, "mfa");
});
