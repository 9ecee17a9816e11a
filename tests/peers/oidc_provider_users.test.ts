/** People sign in to our applications at oidc-provider: code, refresh tokens that rotate, devices, and what is refused. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { exportJWK, generateKeyPair } from "jose";
import {
  type AuthCodeFlow,
  type AuthenticationResult,
  type AuthorizationRequest,
  type ClientApplication,
  ClientAuthError,
  InteractionRequiredAuthError,
  MemoryStore,
  ServerError,
  systemClock,
  TokenCache,
} from "../../mod.ts";
import { LoopbackReceiver } from "../../src/host/mod.ts";
import { test } from "../support/suite.ts";
import type { OidcProviderServer } from "./oidc_server.ts";
import {
  nativeApp,
  newKey,
  personNamed,
  REDIRECT_URI,
  serveUsers,
  SIGNED_OUT_URI,
  userConfiguration,
  webApp,
} from "./oidc_users.ts";
import type { Person } from "./person.ts";

const SCOPES = ["orders.read"];
const TOKEN = "POST /token";

/** oidc-provider hands out refresh tokens only to those who ask for consent, OpenID Connect Core section 11. */
const REQUEST: AuthorizationRequest = { scopes: SCOPES, redirectUri: REDIRECT_URI, prompt: "consent" };

function tokenRequests({ requests }: OidcProviderServer): number {
  return requests.filter((line) => line === TOKEN).length;
}

/** Walks a person through a sign-in of an app. */
async function signIn(
  app: ClientApplication,
  person: Person = personNamed("ada"),
  more: Partial<AuthorizationRequest> = {},
): Promise<{ flow: AuthCodeFlow; answer: Request; result: AuthenticationResult }> {
  const flow = await app.initiateAuthCodeFlow({ ...REQUEST, ...more });
  const answer = await person.signIn(flow.authUri);
  return { flow, answer, result: await app.acquireTokenByAuthCodeFlow(flow, answer.clone()) };
}

test("oidc-provider: a person signs in to a web app, which then has a hit", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const { answer, result } = await signIn(app);
  // RFC 9207: oidc-provider says who answers.
  assertEquals(new URL(answer.url).searchParams.get("iss"), server.issuer);
  const { account, idTokenClaims } = result;
  assertEquals([result.tokenSource, result.scopes], ["identity_provider", SCOPES]);
  assertEquals([idTokenClaims?.iss, idTokenClaims?.sub, idTokenClaims?.aud], [server.issuer, "ada", "web"]);
  assertEquals([account?.homeAccountId, account?.username, account?.name], [
    `${server.issuer}#ada`,
    "ada@example",
    "ada the person",
  ]);
  const hit = await app.acquireTokenSilent({ account: account!, scopes: SCOPES });
  assertEquals([hit.tokenSource, hit.accessToken], ["cache", result.accessToken]);
  assertEquals(tokenRequests(server), 1);
  const headers = { authorization: `Bearer ${result.accessToken}` };
  const userInfo = await (await fetch(`${server.issuer}/me`, { headers })).json();
  assertEquals(userInfo.sub, idTokenClaims?.sub);
});

test("oidc-provider: the answer comes as a form", async () => {
  await using server = await serveUsers();
  const { answer, result } = await signIn(webApp(server), personNamed("ada"), { responseMode: "form_post" });
  assertEquals([answer.method, result.account?.username], ["POST", "ada@example"]);
});

test("oidc-provider: a person signs in to a native app through its loopback receiver", async () => {
  await using server = await serveUsers();
  for (const responseMode of ["query", "form_post"] as const) {
    const pages: string[] = [];
    const receiver = new LoopbackReceiver({
      redirectHost: "127.0.0.1",
      path: "/callback",
      responseMode,
      openBrowser: async (url) => {
        const answer = await fetch(await personNamed("ada").signIn(url));
        pages.push(await answer.text());
      },
    });
    const app = nativeApp(server);
    const result = await app.acquireTokenInteractive({ scopes: SCOPES, prompt: "consent", receiver });
    assertEquals([result.account?.username, pages.length], ["ada@example", 1]);
    const accounts = await app.getAccounts();
    assertEquals(accounts.map(({ homeAccountId }) => homeAccountId), [`${server.issuer}#ada`]);
  }
});

for (const alg of ["PS256", "ES256", "EdDSA"] as const) {
  test(`oidc-provider: ID tokens signed with ${alg} are validated`, async () => {
    const keys = [await newKey("RS256", "rsa-1"), ...(alg === "PS256" ? [] : [await newKey(alg, "other-1")])];
    await using server = await serveUsers({ alg, keys });
    const { result } = await signIn(webApp(server));
    assertEquals(JSON.parse(atob(result.idToken!.split(".")[0]!)).alg, alg);
    assertEquals(result.idTokenClaims?.sub, "ada");
  });
}

test("oidc-provider: refresh tokens rotate, and each renewal works", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const { result: { account, accessToken } } = await signIn(app);
  const tokens = new Set([accessToken]);
  for (let round = 0; round < 3; round++) {
    const renewed = await app.acquireTokenSilent({ account: account!, scopes: SCOPES, forceRefresh: true });
    assertEquals([renewed.tokenSource, renewed.account?.homeAccountId], [
      "identity_provider",
      account!.homeAccountId,
    ]);
    tokens.add(renewed.accessToken);
  }
  assertEquals([tokens.size, tokenRequests(server)], [4, 4]);
});

function refreshTokenIn(cache: TokenCache): string {
  const [entry] = Object.values<{ secret: string }>(JSON.parse(cache.serialize()).RefreshToken);
  return entry!.secret;
}

test("oidc-provider: a refresh token that is used again ends the grant, and the user must interact", async () => {
  await using server = await serveUsers();
  const tokenCache = new TokenCache();
  const app = webApp(server, { tokenCache });
  const { result: { account } } = await signIn(app);
  const silent = { account: account!, scopes: SCOPES, forceRefresh: true };
  const copy = new TokenCache();
  copy.deserialize(tokenCache.serialize());
  await app.acquireTokenSilent(silent);
  assertNotEquals(refreshTokenIn(copy), refreshTokenIn(tokenCache));
  const thief = webApp(server, { tokenCache: copy });
  const refused = await assertRejects(() => thief.acquireTokenSilent(silent), InteractionRequiredAuthError);
  assertEquals([refused.code, refused.error], ["interaction_required", "invalid_grant"]);
  // The successor died with it.
  const own = await assertRejects(() => app.acquireTokenSilent(silent), InteractionRequiredAuthError);
  assertEquals([own.code, own.error, own.throttledLocally], ["interaction_required", "invalid_grant", false]);
  // And a new sign-in mends it.
  await signIn(app, personNamed("ada"));
  assertEquals((await app.acquireTokenSilent(silent)).tokenSource, "identity_provider");
});

test("oidc-provider: the refresh token that another library kept is redeemed, and rotates", async () => {
  await using server = await serveUsers();
  const tokenCache = new TokenCache();
  await signIn(webApp(server, { tokenCache }));
  const app = webApp(server);
  const refreshToken = refreshTokenIn(tokenCache);
  const { account } = await app.acquireTokenByRefreshToken({ refreshToken, scopes: SCOPES });
  assertEquals(account?.username, "ada@example");
  await app.acquireTokenSilent({ account: account!, scopes: SCOPES, forceRefresh: true });
  const again = () => webApp(server).acquireTokenByRefreshToken({ refreshToken, scopes: SCOPES });
  const error = await assertRejects(again, InteractionRequiredAuthError);
  assertEquals(error.error, "invalid_grant");
});

test("oidc-provider: two applications that share a store take turns with one rotating refresh token", async () => {
  await using server = await serveUsers();
  const store = new MemoryStore();
  const [first, second] = [1, 2].map(() => webApp(server, { tokenCache: new TokenCache({ store }) }));
  const { result: { account } } = await signIn(first!);
  const silent = { account: account!.homeAccountId, scopes: SCOPES };
  // Both have the first refresh token in memory.
  assertEquals((await second!.acquireTokenSilent(silent)).metadata.cacheLevel, "store");
  for (const app of [first!, second!, second!, first!, second!]) {
    const renewed = await app.acquireTokenSilent({ ...silent, forceRefresh: true });
    assertEquals(renewed.tokenSource, "identity_provider");
  }
  // Nobody used one twice: the grant still lives.
  assertEquals(tokenRequests(server), 6);
});

// Compare-and-set keeps the store right, but cannot keep two from sending the same token: that takes a lock.
test("oidc-provider: two applications that renew at the same moment use one token twice, which ends the grant", async () => {
  await using server = await serveUsers();
  const store = new MemoryStore();
  const first = webApp(server, { tokenCache: new TokenCache({ store }) });
  const { result: { account } } = await signIn(first);
  const silent = { account: account!.homeAccountId, scopes: SCOPES, forceRefresh: true };
  let renewed: Promise<AuthenticationResult> | undefined;
  const second = webApp(server, {
    tokenCache: new TokenCache({ store }),
    fetch: async (url, init) => {
      // It has read the store by now, and is overtaken.
      if (url.toString().endsWith("/token")) await (renewed ??= first.acquireTokenSilent(silent));
      return await fetch(url, init);
    },
  });
  const late = await assertRejects(() => second.acquireTokenSilent(silent), InteractionRequiredAuthError);
  assertEquals(late.error, "invalid_grant");
  const lost = await assertRejects(() => first.acquireTokenSilent(silent), InteractionRequiredAuthError);
  assertEquals(lost.error, "invalid_grant");
  // What was issued before is still handed out.
  const left = await first.acquireTokenSilent({ ...silent, forceRefresh: false });
  assertEquals([left.tokenSource, left.accessToken], ["cache", (await renewed!).accessToken]);
});

test("oidc-provider: 20 renewals at the same moment in one application are one", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const { result: { account } } = await signIn(app);
  const silent = { account: account!, scopes: SCOPES, forceRefresh: true };
  const results = await Promise.all(Array.from({ length: 20 }, () => app.acquireTokenSilent(silent)));
  assertEquals([new Set(results.map((one) => one.accessToken)).size, tokenRequests(server)], [1, 2]);
});

test("oidc-provider: a device signs in after its code was typed and confirmed", async () => {
  await using server = await serveUsers();
  const app = nativeApp(server);
  const flow = await app.initiateDeviceFlow({ scopes: SCOPES });
  const pending = await app.acquireTokenByDeviceFlow(flow, { poll: "once" });
  assertEquals("status" in pending && pending.status, "pending");
  const person = personNamed("ada");
  assertMatch(flow.userCode, /^[A-Z]{4}-[A-Z]{4}$/);
  const last = await person.finish(flow.verificationUriComplete!);
  assertEquals(last.heading, "Signed in");
  const result = await app.acquireTokenByDeviceFlow(flow);
  assertEquals([result.account?.username, result.scopes], ["ada@example", SCOPES]);
  const renewed = await app.acquireTokenSilent({
    account: result.account!,
    scopes: SCOPES,
    forceRefresh: true,
  });
  assertEquals(renewed.tokenSource, "identity_provider");
  // The code counted once.
  const error = await assertRejects(() => app.acquireTokenByDeviceFlow(flow), ServerError);
  assertEquals(error.error, "invalid_grant");
});

test("oidc-provider: a device whose user aborts is told so", async () => {
  await using server = await serveUsers();
  const app = nativeApp(server);
  const flow = await app.initiateDeviceFlow({ scopes: SCOPES });
  const { browser } = personNamed("ada");
  await browser.open(flow.verificationUriComplete!);
  await browser.submit({ abort: "yes" });
  const error = await assertRejects(() => app.acquireTokenByDeviceFlow(flow), ClientAuthError);
  assertEquals(error.code, "authorization_declined");
});

test("oidc-provider: it takes our sign-out URL, and sends the person back", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const person = personNamed("ada");
  const { result: { idToken } } = await signIn(app, person);
  const url = await app.getSignOutUrl({
    postLogoutRedirectUri: SIGNED_OUT_URI,
    idTokenHint: idToken,
    state: "bye & thanks",
  });
  await person.browser.open(url);
  const { location, status } = await person.browser.submit({ logout: "yes" });
  assertEquals([status, location?.href.split("?")[0]], [303, SIGNED_OUT_URI]);
  assertEquals(location?.searchParams.get("state"), "bye & thanks");
  const silent = await app.initiateAuthCodeFlow({ ...REQUEST, prompt: "none" });
  const answer = await person.signIn(silent.authUri);
  await assertRejects(() => app.acquireTokenByAuthCodeFlow(silent, answer), InteractionRequiredAuthError);
});

test("oidc-provider: maxAge asks for the time of the sign-in, and it is there", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const person = personNamed("ada");
  const before = Math.floor(Date.now() / 1000);
  const { flow, result } = await signIn(app, person, { maxAge: 600 });
  assertEquals(flow.maxAge, 600);
  const authTime = result.idTokenClaims?.["auth_time"] as number;
  assert(authTime >= before && authTime <= before + 30);
  // 0 asks again although the person is signed in, and the token says so.
  const { result: again } = await signIn(app, person, { maxAge: 0 });
  assert(again.idTokenClaims?.["auth_time"] as number >= authTime);
});

test("oidc-provider: a sign-in that is too old for maxAge is refused, whatever the provider thinks of it", async () => {
  await using server = await serveUsers();
  const person = personNamed("ada");
  await signIn(webApp(server), person);
  // This clock is ahead by less than the ID token lives.
  const aheadMs = 1_800_000;
  const app = webApp(server, { clock: { ...systemClock, now: () => Date.now() + aheadMs } });
  const error = await assertRejects(() => signIn(app, person, { maxAge: 600 }), ClientAuthError);
  assertEquals(error.code, "id_token_auth_time_invalid");
});

/** Errors of an authorization request, by how they come about. */
const SILENT_ERRORS: Readonly<Record<string, readonly [isSignedIn: boolean, code: string]>> = {
  "without a session": [false, "login_required"],
  "without consent": [true, "consent_required"],
};

for (const [name, [isSignedIn, code]] of Object.entries(SILENT_ERRORS)) {
  test(`oidc-provider: prompt=none ${name} is ${code}`, async () => {
    await using server = await serveUsers();
    const app = webApp(server);
    const person = personNamed("ada");
    if (isSignedIn) await signIn(app, person);
    const scopes = isSignedIn ? ["orders.write"] : SCOPES;
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, scopes, prompt: "none" });
    const answer = await person.signIn(flow.authUri);
    const before = tokenRequests(server);
    const redeem = () => app.acquireTokenByAuthCodeFlow(flow, answer);
    const error = await assertRejects(redeem, InteractionRequiredAuthError);
    assertEquals([error.code, error.error, error.status], [code, code, 0] as typeof error.code[]);
    assertEquals(tokenRequests(server), before);
  });
}

test("oidc-provider: a person who aborts is access_denied", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const { browser } = personNamed("ada");
  const { location } = await browser.open(flow.authUri);
  await browser.open(location!);
  const aborted = await browser.open(`${location!.href}/abort`);
  const { location: answer } = await browser.open(aborted.location!);
  const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(flow, answer!), ServerError);
  assertEquals(error.error, "access_denied");
});

test("oidc-provider: another verifier does not redeem the code", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const answer = await personNamed("ada").signIn(flow.authUri);
  const other = await app.initiateAuthCodeFlow(REQUEST);
  const mixed = { ...flow, codeVerifier: other.codeVerifier };
  const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(mixed, answer), ServerError);
  assertEquals([error.error, error.status], ["invalid_grant", 400]);
  assertEquals(await app.getAccount(`${server.issuer}#ada`), null);
});

test("oidc-provider: a code counts once, here and there", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const { flow, answer, result: { account } } = await signIn(app);
  const here = await assertRejects(
    () => app.acquireTokenByAuthCodeFlow(flow, answer.clone()),
    ClientAuthError,
  );
  assertEquals([here.code, tokenRequests(server)], ["auth_flow_used", 1]);
  // Another isolate does not know of it; oidc-provider does, and ends what came of the code.
  const there = () => webApp(server).acquireTokenByAuthCodeFlow(flow, answer);
  assertEquals((await assertRejects(there, ServerError)).error, "invalid_grant");
  const silent = () => app.acquireTokenSilent({ account: account!, scopes: SCOPES, forceRefresh: true });
  assertEquals((await assertRejects(silent, InteractionRequiredAuthError)).error, "invalid_grant");
});

/** Answers that somebody changed on their way, and how each is refused. */
const TAMPERED: Readonly<Record<string, readonly [change: (url: URL) => void, code: string]>> = {
  "another state": [({ searchParams }) => searchParams.set("state", "another"), "state_mismatch"],
  "no state": [({ searchParams }) => searchParams.delete("state"), "state_not_found"],
  "two states": [({ searchParams }) => searchParams.append("state", "x"), "duplicate_parameter"],
  "another issuer": [
    ({ searchParams }) => searchParams.set("iss", "https://evil.example"),
    "issuer_mismatch",
  ],
  "no issuer": [({ searchParams }) => searchParams.delete("iss"), "issuer_mismatch"],
  "no code": [({ searchParams }) => searchParams.delete("code"), "invalid_auth_response"],
};

test("oidc-provider: an answer that was changed on its way spends no code", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const answer = await personNamed("ada").signIn(flow.authUri);
  for (const [name, [change, code]] of Object.entries(TAMPERED)) {
    const changed = new URL(answer.url);
    change(changed);
    const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(flow, changed), ClientAuthError);
    assertEquals(error.code, code, name);
  }
  assertEquals(tokenRequests(server), 0);
  // The code is still good.
  assertEquals((await app.acquireTokenByAuthCodeFlow(flow, answer)).account?.username, "ada@example");
});

test("oidc-provider: R-089 the key rotates between two sign-ins, and its set is read once more", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  await signIn(app);
  const keySets = () => server.requests.filter((line) => line === "GET /jwks").length;
  assertEquals(keySets(), 1);
  await signIn(app, personNamed("grace"));
  assertEquals(keySets(), 1);
  await server.reconfigure(userConfiguration({ keys: [await newKey("RS256", "rsa-2")] }));
  const { result } = await signIn(app, personNamed("grace"));
  assertEquals(JSON.parse(atob(result.idToken!.split(".")[0]!)).kid, "rsa-2");
  assertEquals(keySets(), 2);
});

/** A web app that reads this key set in place of the server's. */
function appThatReads(server: OidcProviderServer, keys: readonly unknown[]): ClientApplication {
  return webApp(server, {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!url.toString().endsWith("/jwks")) return response;
      await response.body?.cancel();
      return Response.json({ keys });
    },
  });
}

test("oidc-provider: an ID token whose key is not listed, or another one, is refused, and nothing is kept", async () => {
  await using server = await serveUsers();
  const { publicKey } = await generateKeyPair("RS256", { extractable: true });
  const key = { ...await exportJWK(publicKey), use: "sig", alg: "RS256" };
  const cases = { id_token_key_not_found: "rsa-0", id_token_signature_invalid: "rsa-1" };
  for (const [code, kid] of Object.entries(cases)) {
    const app = appThatReads(server, [{ ...key, kid }]);
    const error = await assertRejects(() => signIn(app), ClientAuthError);
    assertEquals(error.code, code as typeof error.code);
    assertEquals(await app.getAccount(`${server.issuer}#ada`), null);
  }
});

test("oidc-provider: without keys no code is spent", async () => {
  await using server = await serveUsers();
  const error = await assertRejects(() => signIn(appThatReads(server, [])), ClientAuthError);
  assertEquals([error.code, tokenRequests(server)], ["endpoints_resolution_error", 0]);
});
