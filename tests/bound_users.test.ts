/** Users' tokens that are bound to a key, in every flow: R-208, Z34, Z35, RFC 9449 sections 5, 8 and 10. */
import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import {
  type AuthScheme,
  ClientConfigurationError,
  openAuthCodeFlow,
  sealAuthCodeFlow,
  ServerError,
  TokenCache,
} from "../mod.ts";
import { dpopScheme, plainScheme, popScheme, typeAsked } from "./support/bound_tokens.ts";
import { answering, assertionOf, caller, FILES } from "./support/callers.ts";
import {
  callback,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  nonceOf,
  REDIRECT_URI,
} from "./support/entra_double.ts";
import { verifiedProof } from "./support/proofs.ts";
import type { RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { eachRow, refusal } from "./support/token_server.ts";

const KEY_1 = plainScheme("key1");
const KEY_2 = plainScheme("key2");
const REQUEST = { scopes: ["User.Read"], redirectUri: REDIRECT_URI };
const BOUND = { token_type: "DPoP" };
const silently = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
const wantsNonce = refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": "nonce-1" });

/** A user who has signed in with a key. */
async function signedIn(authScheme: AuthScheme | undefined = KEY_1, entra: EntraDouble = entraDouble()) {
  const app = entra.public();
  const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
  entra.next(await entra.answer({ nonce: nonceOf(flow) }, { token_type: authScheme?.tokenType ?? "Bearer" }));
  const result = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow), { authScheme }));
  return { entra, app, flow, result };
}

test("RFC 9449 section 10: the code is bound to the key, and the flow, plain JSON, names it", async () => {
  const authScheme = await dpopScheme();
  const { entra, flow, result } = await signedIn(authScheme);
  assertEquals(new URL(flow.authUri).searchParams.get("dpop_jkt"), authScheme.keyId);
  assertEquals(JSON.parse(JSON.stringify(flow)).keyId, authScheme.keyId);
  assertFalse("authScheme" in flow);
  assertEquals([result.tokenType, result.account?.homeAccountId], ["DPoP", HOME_ACCOUNT_ID]);
  const { payload, thumbprint } = await verifiedProof(entra.posts[0]?.headers.get("dpop"));
  assertEquals([payload.htm, payload.htu, thumbprint], ["POST", entra.posts[0]?.url, authScheme.keyId]);
});

test("only a DPoP scheme is told in the URL; no scheme, nothing of it", async () => {
  const app = entraDouble().public();
  for (const authScheme of [undefined, await popScheme()]) {
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
    assertFalse(/dpop|pop|req_cnf/.test(flow.authUri));
    assertEquals(flow.keyId, authScheme?.keyId);
  }
  const secrets = { state: "s".repeat(16), nonce: "n".repeat(16), codeChallenge: "c".repeat(43) };
  const url = await app.getAuthorizationRequestUrl({ ...REQUEST, ...secrets, authScheme: KEY_1 });
  assertEquals(new URL(url).searchParams.get("dpop_jkt"), KEY_1.keyId);
});

test("R-208 a flow that began with a key ends with it alone: anything else is refused before the code is spent", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme: KEY_1 });
  for (const authScheme of [undefined, KEY_2, await popScheme()]) {
    const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow), { authScheme }));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_request", "authScheme"]);
  }
  assertEquals(entra.posts.length, 0);
  entra.next(await entra.answer({ nonce: nonceOf(flow) }, BOUND));
  const call = app.acquireTokenByAuthCodeFlow(flow, callback(flow), { authScheme: KEY_1 });
  assertEquals((await entra.settle(call)).tokenType, "DPoP");
});

test("a sealed flow keeps the key's id, and one of an older version has none", async () => {
  const app = entraDouble().public();
  const secret = "mG4pVb7xQ2Zr9sTn5wKc8yHd3jLf6aEu";
  for (const authScheme of [KEY_1, undefined]) {
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
    const opened = await openAuthCodeFlow(await sealAuthCodeFlow(flow, secret), secret);
    assertStrictEquals(opened.keyId, authScheme?.keyId);
  }
});

test("RFC 9449 section 8: a code is sent once more for a nonce, and once only", async () => {
  const authScheme = await dpopScheme();
  const entra = entraDouble();
  const app = entra.public();
  const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
  entra.next(wantsNonce, await entra.answer({ nonce: nonceOf(flow) }, BOUND));
  const call = app.acquireTokenByAuthCodeFlow(flow, callback(flow), { authScheme });
  assertEquals((await entra.settle(call)).tokenType, "DPoP");
  const proofs = await Promise.all(entra.posts.map(({ headers }) => verifiedProof(headers.get("dpop"))));
  assertEquals(proofs.map(({ payload }) => payload.nonce), [undefined, "nonce-1"]);
  assertEquals(entra.posts.map(({ form }) => form.get("code")), ["a code", "a code"]);

  const again = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
  entra.next(wantsNonce, wantsNonce);
  const error = await entra.refused(
    app.acquireTokenByAuthCodeFlow(again, callback(again), { authScheme }),
  );
  assert(error instanceof ServerError);
  assertEquals([error.error, entra.posts.length], ["use_dpop_nonce", 4]);
});

test("R-208 a Bearer answer to a DPoP sign-in is refused, and nobody is signed in", async () => {
  for (const [authScheme, token_type] of [[KEY_1, "Bearer"], [undefined, "DPoP"]] as const) {
    const entra = entraDouble();
    const app = entra.public();
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
    entra.next(await entra.answer({ nonce: nonceOf(flow) }, { token_type }));
    const error = await entra.refused(
      app.acquireTokenByAuthCodeFlow(flow, callback(flow), { authScheme }),
    );
    assertEquals(error.code, "invalid_response");
    assertEquals(await app.getAccounts(), []);
    assertFalse(/RT 1|AT 1/.test(entra.tokenCache.serialize()));
  }
});

test("Z34 Z35 silent: each key has its own token, and the refresh token is redeemed with the key that asks", async () => {
  const { entra, app } = await signedIn();
  const rows = [
    [KEY_1, "DPoP", "cached"],
    [undefined, "Bearer", "plain"],
    [KEY_2, "DPoP", KEY_2.keyId],
    [undefined, "Bearer", "cached"],
    [KEY_1, "DPoP", "cached"],
    [KEY_2, "DPoP", "cached"],
  ] as const;
  for (const [authScheme, token_type, expected] of rows) {
    const before = entra.posts.length;
    if (expected !== "cached") entra.next(await entra.answer({}, { token_type }));
    const found = await entra.settle(app.acquireTokenSilent({ ...silently, authScheme }));
    assertEquals(found.tokenType, token_type);
    assertEquals(
      entra.posts.slice(before).map(({ headers }) => headers.get("dpop") ?? "plain"),
      expected === "cached" ? [] : [expected],
    );
  }
});

test("a public client's refresh token is redeemed with a proof of the same key", async () => {
  const authScheme = await dpopScheme();
  const { entra, app } = await signedIn(authScheme);
  entra.next(await entra.answer({}, BOUND));
  await entra.settle(app.acquireTokenSilent({ ...silently, authScheme, forceRefresh: true }));
  const post = entra.posts.at(-1);
  assertEquals(post?.form.get("refresh_token"), "RT 1");
  assertEquals((await verifiedProof(post?.headers.get("dpop"))).thumbprint, authScheme.keyId);
});

test("R-208 a Bearer answer to a bound refresh leaves the old token and refresh token as they are", async () => {
  const { entra, app } = await signedIn();
  entra.next(await entra.answer({}, { refresh_token: "RT evil" }));
  const forced = { ...silently, authScheme: KEY_1, forceRefresh: true };
  // The token is still good, so the authority's fault costs nobody anything.
  const kept = await entra.settle(app.acquireTokenSilent(forced));
  assertEquals([kept.accessToken, kept.tokenType, entra.posts.length], ["AT 1", "DPoP", 2]);
  assertFalse(entra.tokenCache.serialize().includes("RT evil"));
  const { accessToken } = await entra.settle(app.acquireTokenSilent({ ...silently, authScheme: KEY_1 }));
  assertEquals(accessToken, "AT 1");
});

test("silent calls at the same time share the work of their own key alone", async () => {
  const { entra, app } = await signedIn();
  const scopes = ["Mail.Read"];
  const schemes = [KEY_1, undefined, KEY_1, undefined];
  const reply = async (request: RecordedRequest) =>
    Response.json(await entra.answer({}, { scope: "Mail.Read", token_type: typeAsked(request) }));
  entra.next(reply, reply);
  const results = await Promise.all(
    schemes.map((authScheme) => entra.settle(app.acquireTokenSilent({ ...silently, scopes, authScheme }))),
  );
  assertEquals(results.map(({ tokenType }) => tokenType), ["DPoP", "Bearer", "DPoP", "Bearer"]);
  assertEquals(entra.posts.length, 3);
});

test("a bound hit in memory waits for nothing, no hash and no signature either", async () => {
  const { app } = await signedIn();
  let isDone = false;
  app.acquireTokenSilent({ ...silently, authScheme: KEY_1 }).then(() => isDone = true);
  await Promise.resolve();
  assert(isDone);
});

test("users' bound tokens survive serialisation, each with its key", async () => {
  const { entra, app } = await signedIn();
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenSilent(silently));
  const tokenCache = new TokenCache();
  tokenCache.deserialize(entra.tokenCache.serialize());
  const other = entra.public({ tokenCache });
  for (const authScheme of [KEY_1, undefined]) {
    const { tokenSource, tokenType } = await entra.settle(
      other.acquireTokenSilent({ ...silently, authScheme }),
    );
    assertEquals([tokenSource, tokenType], ["cache", authScheme ? "DPoP" : "Bearer"]);
  }
});

test("migration and the plain code method take a scheme", async () => {
  const entra = entraDouble();
  const app = entra.public();
  entra.next(await entra.answer({}, BOUND));
  const brought = { refreshToken: "RT of another", scopes: ["User.Read"], authScheme: KEY_1 };
  assertEquals((await entra.settle(app.acquireTokenByRefreshToken(brought))).tokenType, "DPoP");
  const nonce = "n".repeat(16);
  entra.next(await entra.answer({ nonce }, BOUND));
  const code = { code: "a code", codeVerifier: "v".repeat(43), redirectUri: REDIRECT_URI, nonce };
  const call = app.acquireTokenByAuthorizationCode({ ...code, scopes: ["User.Read"], authScheme: KEY_2 });
  assertEquals((await entra.settle(call)).tokenType, "DPoP");
  assertEquals(entra.posts.map(({ headers }) => headers.get("dpop")), [KEY_1.keyId, KEY_2.keyId]);
});

test("device flow: the key is the one that it began with, each poll has a proof, and a nonce is no failure", async () => {
  const entra = entraDouble();
  const app = entra.public();
  entra.next({
    user_code: "A",
    device_code: "the device code",
    verification_uri: "https://microsoft.com/devicelogin",
    expires_in: 900,
    interval: 1,
  });
  const flow = await entra.settle(app.initiateDeviceFlow({ scopes: ["User.Read"], authScheme: KEY_1 }));
  assertEquals(JSON.parse(JSON.stringify(flow)).keyId, KEY_1.keyId);
  for (const authScheme of [undefined, KEY_2]) {
    const error = await entra.refused(app.acquireTokenByDeviceFlow(flow, { authScheme }));
    assert(error instanceof ClientConfigurationError);
    assertEquals(error.option, "authScheme");
  }
  entra.next(
    refusal(400, { error: "authorization_pending" }),
    wantsNonce,
    await entra.answer({}, BOUND),
  );
  const result = await entra.settle(app.acquireTokenByDeviceFlow(flow, { authScheme: KEY_1 }));
  assertEquals(result.tokenType, "DPoP");
  assertEquals(entra.posts.map(({ headers }) => headers.get("dpop")), [
    null,
    KEY_1.keyId,
    KEY_1.keyId,
    `${KEY_1.keyId} nonce-1`,
  ]);
});

test("interactive: one scheme serves the URL and the redemption", async () => {
  const entra = entraDouble();
  const result = await entra.settle(
    entra.public().acquireTokenInteractive({
      scopes: ["User.Read"],
      authScheme: KEY_1,
      receiver: {
        open: () =>
          Promise.resolve({
            redirectUri: "http://localhost:1",
            responseMode: "query",
            receive: async ({ authUri, state }) => {
              const sent = new URL(authUri).searchParams;
              assertEquals(sent.get("dpop_jkt"), KEY_1.keyId);
              entra.next(await entra.answer({ nonce: sent.get("nonce") }, BOUND));
              return { code: "a code", state };
            },
            close: () => Promise.resolve(),
          }),
      },
    }),
  );
  assertEquals(result.tokenType, "DPoP");
});

test("on behalf of, and long-running: a token of one key never answers a request of another or of none", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const userAssertion = assertionOf(entra, caller(1));
  const sessionKey = "a-session-key-that-is-long-enough";
  const asked = { userAssertion, scopes: FILES };
  const types = [["DPoP", KEY_1], ["Bearer", undefined], ["DPoP", KEY_2]] as const;
  for (const [token_type, authScheme] of types) {
    entra.next(answering(entra, { token_type }));
    for (const source of ["identity_provider", "cache"]) {
      const found = await entra.settle(app.acquireTokenOnBehalfOf({ ...asked, authScheme }));
      assertEquals([found.tokenType, found.tokenSource], [token_type, source]);
    }
  }
  entra.next(answering(entra, { token_type: "DPoP" }));
  const first = { ...asked, sessionKey, authScheme: KEY_1 };
  const begun = await entra.settle(app.initiateLongRunningProcessInWebApi(first));
  assertEquals(begun.result.tokenType, "DPoP");
  for (const [token_type, authScheme] of types.slice(1)) {
    entra.next(answering(entra, { token_type }));
    const next = { sessionKey, scopes: FILES, authScheme };
    const found = await entra.settle(app.acquireTokenInLongRunningProcess(next));
    assertEquals([found.tokenType, found.tokenSource], [token_type, "identity_provider"]);
  }
  const last = { sessionKey, scopes: FILES, authScheme: KEY_1 };
  assertEquals((await entra.settle(app.acquireTokenInLongRunningProcess(last))).tokenSource, "cache");
  assertEquals(entra.posts.filter(({ headers }) => headers.has("dpop")).length, 4);
});

test("every method refuses what is no scheme by its name, before anything is sent", async () => {
  const entra = entraDouble();
  const [app, confidential] = [entra.public(), entra.confidential()];
  const authScheme = { tokenType: "DPoP" } as AuthScheme;
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const userAssertion = assertionOf(entra, caller(1));
  const device = {
    version: 1,
    userCode: "A",
    deviceCode: "B",
    verificationUri: "https://x.example",
    message: "m",
    clientId: app.clientId,
    authority: app.authority,
    scopes: ["User.Read"],
    correlationId: "c",
    expiresAt: 9e9,
    intervalSeconds: 1,
  } as const;
  const common = { scopes: ["User.Read"], authScheme };
  const secrets = { state: "s".repeat(16), nonce: "n".repeat(16), codeChallenge: "c".repeat(43) };
  const receiver = { open: () => Promise.reject(new Error("opened")) };
  const code = { code: "a", codeVerifier: "v".repeat(43), redirectUri: REDIRECT_URI };
  const sessionKey = "a-session-key-that-is-long-enough";
  const rows: Record<string, () => Promise<unknown>> = {
    client: () =>
      confidential.acquireTokenForClient({ scopes: ["https://graph.microsoft.com/.default"], authScheme }),
    silent: () => app.acquireTokenSilent({ ...common, account: HOME_ACCOUNT_ID }),
    initiate: () => app.initiateAuthCodeFlow({ ...REQUEST, authScheme }),
    url: () => app.getAuthorizationRequestUrl({ ...REQUEST, ...secrets, authScheme }),
    flow: () => app.acquireTokenByAuthCodeFlow(flow, callback(flow), { authScheme }),
    code: () => app.acquireTokenByAuthorizationCode({ ...common, ...code }),
    migration: () => app.acquireTokenByRefreshToken({ ...common, refreshToken: "r" }),
    "device begins": () => app.initiateDeviceFlow(common),
    "device ends": () => app.acquireTokenByDeviceFlow(device, { authScheme }),
    interactive: () => app.acquireTokenInteractive({ ...common, receiver }),
    "on behalf of": () => confidential.acquireTokenOnBehalfOf({ ...common, userAssertion }),
    "a process begins": () =>
      confidential.initiateLongRunningProcessInWebApi({ ...common, userAssertion, sessionKey }),
    "a process goes on": () => confidential.acquireTokenInLongRunningProcess({ ...common, sessionKey }),
  };
  await eachRow(rows, async (call) => {
    const error = await entra.refused(call());
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_request", "authScheme"]);
  });
  assertEquals(entra.posts.length, 0);
});
