/**
 * Sign-in by authorization code: from the URL to the cached token.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { failure } from "./support/app_fixture.ts";
import {
  callback,
  CLIENT_ID,
  clientInfo,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  nonceOf,
  OTHER_TENANT_ID,
  REDIRECT_URI,
  SECRET,
  TENANT_ID,
  USER_ID,
} from "./support/entra_double.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const REQUEST = { scopes: ["User.Read"], redirectUri: REDIRECT_URI };

test("Z3 the URL carries code, PKCE, state, hashed nonce, hints and claims, and no request is sent", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ clientCapabilities: ["CP1"] });
  const flow = await app.initiateAuthCodeFlow({
    ...REQUEST,
    prompt: "login",
    loginHint: "a@b.c",
    domainHint: "organizations",
    maxAge: 0,
    responseMode: "form_post",
    claims: '{"id_token":{"auth_time":{"essential":true}}}',
    appState: "/cart",
  });
  const url = new URL(flow.authUri);
  assertEquals(url.origin + url.pathname, `${HOST}/${TENANT_ID}/oauth2/v2.0/authorize`);
  const { state, code_challenge, nonce, claims, ...rest } = Object.fromEntries(url.searchParams);
  assertEquals(rest, {
    client_id: CLIENT_ID,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    scope: "User.Read offline_access openid profile",
    code_challenge_method: "S256",
    client_info: "1",
    login_hint: "a@b.c",
    prompt: "login",
    domain_hint: "organizations",
    max_age: "0",
    response_mode: "form_post",
    "X-AnchorMailbox": "UPN:a@b.c",
  });
  assertEquals(state, flow.state);
  assert(nonce !== undefined && /^[0-9a-f]{64}$/.test(nonce) && nonce !== flow.nonce);
  assert(code_challenge !== undefined && code_challenge !== flow.codeVerifier);
  assertEquals(JSON.parse(claims ?? ""), {
    id_token: { auth_time: { essential: true } },
    access_token: { xms_cc: { values: ["CP1"] } },
  });
  assertEquals([flow.appState, flow.maxAge, flow.responseMode], ["/cart", 0, "form_post"]);
  assert(!flow.authUri.includes("cart"), "the application's text is sent");
  assertEquals(entra.gets.length + entra.posts.length, 0);
  assertEquals(JSON.parse(JSON.stringify(flow)), flow);
});

test("R-026 R-027 every sign-in has a state, nonce and verifier of its own", async () => {
  const app = entraDouble().confidential();
  const flows = await Promise.all([1, 2, 3].map(() => app.initiateAuthCodeFlow(REQUEST)));
  const values = flows.flatMap(({ state, nonce, codeVerifier }) => [state, nonce, codeVerifier]);
  assertEquals(new Set(values).size, 9);
  for (const { codeVerifier } of flows) assert(/^[\w.~-]{43,128}$/.test(codeVerifier));
});

test("Z4 A32 C1 the code is redeemed with verifier, redirect URI and mailbox, and the result names the user", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  const response = callback(flow, { client_info: clientInfo() });
  const result = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, response));
  const [post] = entra.posts;
  assertEquals(Object.fromEntries(post?.form ?? []), {
    client_id: CLIENT_ID,
    grant_type: "authorization_code",
    code: "a code",
    redirect_uri: REDIRECT_URI,
    code_verifier: flow.codeVerifier,
    client_info: "1",
    scope: "User.Read offline_access openid profile",
    client_secret: SECRET,
  });
  assertEquals(post?.headers.get("x-client-current-telemetry"), "4|832,0|");
  assertEquals(post?.headers.get("x-anchormailbox"), `Oid:${USER_ID}@${TENANT_ID}`);
  assertEquals(post?.headers.get("client-request-id"), flow.correlationId);
  assertEquals(result.tokenSource, "identity_provider");
  assertEquals(result.tenantId, TENANT_ID);
  assertEquals(result.account?.homeAccountId, HOME_ACCOUNT_ID);
  assertEquals(result.account?.localAccountId, USER_ID);
  assertEquals(result.account?.username, "alex@contoso.example");
  assertEquals(result.account?.name, "Alex Weber");
  assertEquals(result.idTokenClaims?.oid, USER_ID);
  assert(result.idToken?.split(".").length === 3);
  assert(!JSON.stringify(result).includes("RT 1"), "a refresh token is in the result");
  assertEquals(entra.gets.map(({ url }) => url), [`${HOST}/${TENANT_ID}/discovery/v2.0/keys`]);
});

test("C1 a client_info that is none routes nowhere and breaks nothing", async () => {
  const evil = ["", "!!!", clientInfo("a\r\nx-evil: 1", "b"), clientInfo("../..", "x"), "e30"];
  for (const client_info of evil) {
    const entra = entraDouble();
    const app = entra.confidential();
    const flow = await app.initiateAuthCodeFlow(REQUEST);
    entra.next(await entra.answer({ nonce: nonceOf(flow) }));
    await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow, { client_info })));
    assertEquals(entra.posts[0]?.headers.get("x-anchormailbox"), null);
  }
});

test("every form of the answer signs in: URL, text, parameters, FormData, Request, record", async () => {
  const form = (url: URL): FormData => {
    const data = new FormData();
    for (const [name, value] of url.searchParams) data.append(name, value);
    return data;
  };
  const posted = (url: URL): Request => new Request(REDIRECT_URI, { method: "POST", body: url.searchParams });
  await eachRow({
    URL: (url: URL) => url,
    text: (url: URL) => url.href,
    parameters: (url: URL) => url.searchParams,
    FormData: form,
    "GET request": (url: URL) => new Request(url),
    record: (url: URL) => Object.fromEntries(url.searchParams),
    "POST request": posted,
  }, async (make, name) => {
    const entra = entraDouble();
    const app = entra.confidential();
    const responseMode = name === "POST request" ? "form_post" as const : undefined;
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, responseMode });
    entra.next(await entra.answer({ nonce: nonceOf(flow) }));
    const result = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, make(callback(flow))));
    assertEquals(result.account?.homeAccountId, HOME_ACCOUNT_ID);
  });
});

test("R-031..R-040 a tampered answer is refused by its own code, and nothing is sent", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const other = await app.initiateAuthCodeFlow(REQUEST);
  type Row = readonly [code: string, response: (flow: { state: string; redirectUri: string }) => unknown];
  const url = (query: string): URL => new URL(`${REDIRECT_URI}?${query}`);
  const rows: Record<string, Row> = {
    "R-031 no state": ["state_not_found", () => url("code=c")],
    "R-031 empty state": ["state_not_found", () => url("code=c&state=")],
    "R-031 another state": ["state_mismatch", () => url("code=c&state=x")],
    "R-031 longer state": ["state_mismatch", ({ state }) => url(`code=c&state=${state}x`)],
    "R-031 state twice": ["duplicate_parameter", ({ state }) => url(`code=c&state=${state}&state=${state}`)],
    "R-031 state as an array": ["duplicate_parameter", ({ state }) => ({ code: "c", state: [state] })],
    "R-033 state of another tab": ["state_mismatch", () => url(`code=c&state=${other.state}`)],
    "R-035 iss of another issuer": [
      "issuer_mismatch",
      ({ state }) => url(`code=c&state=${state}&iss=https%3A%2F%2Fevil.example`),
    ],
    "R-035 iss of another tenant": [
      "issuer_mismatch",
      ({ state }) =>
        url(`code=c&state=${state}&iss=${encodeURIComponent(`${HOST}/${OTHER_TENANT_ID}/v2.0`)}`),
    ],
    "R-036 another path": [
      "auth_flow_mismatch",
      ({ state }) => new URL(`https://app.example/other?code=c&state=${state}`),
    ],
    "R-039 error without state": [
      "state_not_found",
      () => url("error=access_denied&error_description=secret"),
    ],
    "R-040 an ID token": ["unexpected_token", ({ state }) => url(`code=c&state=${state}&id_token=x`)],
    "R-040 an access token": ["unexpected_token", ({ state }) => url(`code=c&state=${state}&access_token=x`)],
    "R-040 a token": ["unexpected_token", ({ state }) => url(`code=c&state=${state}&token=x`)],
    "R-040 JARM": ["unexpected_token", ({ state }) => url(`code=c&state=${state}&response=x`)],
    "R-192 code twice": ["duplicate_parameter", ({ state }) => url(`code=c&code=d&state=${state}`)],
    "neither code nor error": ["invalid_auth_response", ({ state }) => url(`state=${state}`)],
    "nothing": ["invalid_auth_response", () => undefined],
    "a number": ["invalid_auth_response", () => 5],
    "R-193 JSON": [
      "invalid_auth_response",
      () =>
        new Request(REDIRECT_URI, {
          method: "POST",
          body: "{}",
          headers: { "content-type": "application/json" },
        }),
    ],
  };
  await eachRow(rows, async ([code, make]) => {
    const flow = await app.initiateAuthCodeFlow(REQUEST);
    const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, make(flow) as URL));
    assertEquals(error.code, code);
    assert(!JSON.stringify(error).includes(flow.state));
  });
  assertEquals(entra.posts.length, 0);
});

test("R-036 a foreign, expired or malformed flow is refused, and nothing is sent", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const response = callback(flow);
  await eachRow({
    "another client": ["auth_flow_mismatch", { ...flow, clientId: "another" }],
    "another authority": ["auth_flow_mismatch", {
      ...flow,
      authority: `https://login.microsoftonline.us/${TENANT_ID}`,
    }],
    "an authority that begins alike": ["auth_flow_mismatch", {
      ...flow,
      authority: `${HOST}.evil.example/${TENANT_ID}`,
    }],
    "a tenant that is none": ["invalid_tenant", { ...flow, authority: `${HOST}/..%2f` }],
    expired: ["auth_flow_expired", { ...flow, expiresAt: Math.floor(entra.clock.now() / 1000) - 1 }],
    "no verifier": ["invalid_request", { ...flow, codeVerifier: undefined }],
    "L1 no state": ["invalid_request", { ...flow, state: undefined }],
    "another version": ["invalid_request", { ...flow, version: 2 }],
    nothing: ["invalid_request", undefined],
  } as unknown as Record<string, [string, typeof flow]>, async ([code, given]) => {
    assertEquals((await entra.refused(app.acquireTokenByAuthCodeFlow(given, response))).code, code);
  });
  assertEquals(
    (await entra.refused(app.acquireTokenByAuthCodeFlow(flow, response, { scopes: ["Mail.Read"] }))).code,
    "invalid_scopes",
    "L3",
  );
  assertEquals(entra.posts.length, 0);
});

test("R-034 an answer counts once, also when it comes twice at the same time", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  const both = [1, 2].map(() => app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  const outcomes = await entra.settle(Promise.allSettled(both));
  assertEquals(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assertEquals(
    (await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)))).code,
    "auth_flow_used",
  );
  assertEquals(entra.posts.length, 1);
});

test("decision 7: keys that cannot be fetched are an outage, and the code is not spent", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  entra.documents = () => new TypeError("connection refused");
  const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals(error.name, "NetworkError");
  assertEquals(entra.posts.length, 0);
  entra.documents = undefined;
  await entra.clock.advance(600_000);
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  const result = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals(result.account?.homeAccountId, HOME_ACCOUNT_ID, "the same answer signs in after the outage");
});

test("R-048 R-181 a refused code is sent once and never again", async () => {
  await eachRow({
    "400": () => Response.json({ error: "invalid_grant", error_codes: [54005] }, { status: 400 }),
    "503": () => Response.json({ error: "temporarily_unavailable" }, { status: 503 }),
    "the network": new TypeError("reset"),
  }, async (reply) => {
    const entra = entraDouble();
    const app = entra.confidential();
    const flow = await app.initiateAuthCodeFlow(REQUEST);
    entra.next(reply);
    await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assertEquals(entra.posts.length, 1);
    assertEquals(entra.tokenCache.size, 0);
  });
});

test("R-180 a sign-in passes earlier refusals by", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  for (let round = 1; round <= 3; round++) {
    const flow = await app.initiateAuthCodeFlow(REQUEST);
    entra.next(() => Response.json({ error: "slow" }, { status: 429, headers: { "retry-after": "100" } }));
    const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assertEquals([error.code, entra.posts.length], ["throttled", round]);
  }
});

test("Z28 R-045 an answer that is not validated leaves nothing behind", async () => {
  const rows: Record<string, [string, Record<string, unknown>, Record<string, unknown>?]> = {
    "Z28 wrong nonce": ["nonce_mismatch", { nonce: "x" }],
    "R-045 no ID token": ["id_token_missing", {}, { id_token: undefined }],
    "R-054 another audience": ["id_token_audience_mismatch", { aud: "another" }],
    "R-072 another tenant": ["id_token_tenant_mismatch", { tid: OTHER_TENANT_ID }],
    "R-050 client_info of another user": ["client_info_mismatch", {}, {
      client_info: clientInfo(OTHER_TENANT_ID, TENANT_ID),
    }],
    "R-068 at_hash": ["id_token_access_token_hash_mismatch", { at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }],
    "an ID token that is a number": ["id_token_malformed", {}, { id_token: 5 }],
    "R-042 no token_type": ["invalid_response", {}, { token_type: undefined }],
    "R-041 no access token": ["invalid_response", {}, { access_token: "" }],
    "R-046 an error with status 200": ["server_error", {}, { error: "temporarily_odd" }],
  };
  await eachRow(rows, async ([code, claims, members]) => {
    const entra = entraDouble();
    const app = entra.confidential();
    const flow = await app.initiateAuthCodeFlow(REQUEST);
    entra.next(await entra.answer({ nonce: nonceOf(flow), ...claims }, members));
    const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assertEquals(error.code, code);
    assertEquals(entra.tokenCache.size, 0);
    assertEquals(await app.getAccount(HOME_ACCOUNT_ID), null);
    const text = entra.tokenCache.serialize();
    for (const token of ["AT 1", "RT 1"]) assert(!text.includes(token));
  });
});

test("Z29 R-067 max_age: without auth_time and 200 s too late it is refused, within the tolerance it counts", async () => {
  for (
    const [ago, code] of [[undefined, "id_token_auth_time_invalid"], [200, "id_token_auth_time_invalid"], [
      100,
      "",
    ]] as const
  ) {
    const entra = entraDouble();
    const app = entra.confidential();
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, maxAge: 10 });
    const auth_time = ago === undefined ? undefined : Math.floor(entra.clock.now() / 1000) - ago;
    entra.next(await entra.answer({ nonce: nonceOf(flow), auth_time }));
    const call = entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assertEquals(code === "" ? (await call).tenantId : (await failure(call)).code, code || TENANT_ID);
  }
});

test("R-067 a step-up that the ID token does not show is refused", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const claims = { id_token: { acrs: { essential: true, value: "c1" } } };
  for (
    const [acrs, code] of [[undefined, "id_token_acr_mismatch"], [["c2"], "id_token_acr_mismatch"], [
      ["c1"],
      "",
    ]] as const
  ) {
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, claims });
    entra.next(await entra.answer({ nonce: nonceOf(flow), acrs }));
    const call = entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assertEquals(code === "" ? (await call).tenantId : (await failure(call)).code, code || TENANT_ID);
  }
});

test("R-038 an error answer with the right state is a typed error, free of its text", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await eachRow({
    access_denied: ["ServerError", "server_error"],
    server_error: ["ServerError", "server_error"],
    login_required: ["InteractionRequiredAuthError", "login_required"],
    interaction_required: ["InteractionRequiredAuthError", "interaction_required"],
    consent_required: ["InteractionRequiredAuthError", "consent_required"],
  }, async ([name, code], error) => {
    const flow = await app.initiateAuthCodeFlow(REQUEST);
    const response = {
      state: flow.state,
      error,
      error_description: "AADSTS50020: bob@contoso.example <script>",
    };
    const failed = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, response));
    assertEquals([failed.name, failed.code, (failed as { error?: string }).error], [name, code, error]);
    for (const text of [failed.message, JSON.stringify(failed)]) assert(!text.includes("bob@"));
  });
  assertEquals(entra.posts.length, 0);
});

test("Z9 getAuthorizationRequestUrl takes the caller's state, nonce and challenge, and wants all three", async () => {
  const app = entraDouble().public();
  const own = { state: "S".repeat(16), nonce: "N".repeat(16), codeChallenge: "C".repeat(43) };
  const url = new URL(
    await app.getAuthorizationRequestUrl({ ...REQUEST, ...own, domainHint: "consumers", prompt: "none" }),
  );
  const sent = Object.fromEntries(url.searchParams);
  assertEquals([sent.state, sent.nonce, sent.code_challenge], [own.state, own.nonce, own.codeChallenge]);
  assertEquals([sent.domain_hint, sent.prompt], ["consumers", "none"]);
  for (const name of ["state", "nonce", "codeChallenge"]) {
    const error = await failure(
      app.getAuthorizationRequestUrl({ ...REQUEST, ...own, [name]: undefined } as never),
    );
    assertEquals(error.code, "invalid_request");
    assertStringIncludes(error.message, name);
  }
});

test("acquireTokenByAuthorizationCode redeems with the caller's verifier, and checks the caller's nonce", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const request = {
    code: "a code",
    scopes: ["User.Read"],
    redirectUri: REDIRECT_URI,
    codeVerifier: "v".repeat(43),
    nonce: "the nonce itself",
  };
  entra.next(
    await entra.answer({ nonce: "the nonce itself" }),
    await entra.answer({ nonce: "another" }),
    await entra.answer({}),
  );
  const result = await entra.settle(app.acquireTokenByAuthorizationCode(request));
  assertEquals(result.account?.homeAccountId, HOME_ACCOUNT_ID);
  assertEquals(entra.posts[0]?.form.get("code_verifier"), request.codeVerifier);
  for (const _ of [1, 2]) {
    assertEquals((await entra.refused(app.acquireTokenByAuthorizationCode(request))).code, "nonce_mismatch");
  }
  for (const name of ["code", "redirectUri", "codeVerifier"]) {
    const error = await entra.refused(app.acquireTokenByAuthorizationCode({ ...request, [name]: "" }));
    assertEquals(error.code, "invalid_request");
  }
  assertEquals(entra.posts.length, 3);
});

test("R-079 a tenant that is not allowed has an error of its own, and nothing is stored", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ authority: `${HOST}/common`, allowedTenants: [OTHER_TENANT_ID] });
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals(error.code, "tenant_not_allowed");
  assertEquals(entra.tokenCache.size, 0);
});

test("R-085 a guest's token is kept under the home account and the guest's tenant", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ authority: `${HOST}/common` });
  const guest = await entra.signIn(
    app,
    { tid: OTHER_TENANT_ID, iss: `${HOST}/${OTHER_TENANT_ID}/v2.0`, oid: OTHER_TENANT_ID, sub: "guest" },
  );
  assertEquals(guest.account?.homeAccountId, HOME_ACCOUNT_ID);
  assertEquals(guest.tenantId, OTHER_TENANT_ID);
  assertNotEquals(guest.account?.localAccountId, USER_ID);
  const found = await app.acquireTokenSilent({ account: guest.account!, scopes: ["User.Read"] });
  assertEquals([found.tokenSource, found.tenantId], ["cache", OTHER_TENANT_ID]);
  entra.next(await entra.answer());
  const home = await entra.settle(
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["User.Read"] }),
  );
  assertEquals([home.tokenSource, home.tenantId], ["identity_provider", TENANT_ID]);
  assertEquals(home.account?.tenantProfiles.map(({ isHomeTenant }) => isHomeTenant).sort(), [false, true]);
});
