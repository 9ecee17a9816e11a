/** People sign in to our applications at oidc-provider: by code, through a receiver, on a device; and they sign out. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ClientAuthError, InteractionRequiredAuthError, ServerError, systemClock } from "../../mod.ts";
import { LoopbackReceiver } from "../../src/host/mod.ts";
import { test } from "../support/suite.ts";
import {
  nativeApp,
  newKey,
  personNamed,
  REQUEST,
  SCOPES,
  serveUsers,
  SIGNED_OUT_URI,
  signIn,
  tokenRequests,
  userConfiguration,
  webApp,
} from "./oidc_users.ts";

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
