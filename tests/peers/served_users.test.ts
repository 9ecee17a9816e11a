/** People sign in to our applications at the local authority, served on loopback. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  allowInsecureLoopback,
  type AuthenticationResult,
  type AuthorizationRequest,
  type ClientApplication,
  type ClientApplicationOptions,
  ClientAuthError,
  ConfidentialClientApplication,
  createAuthorizedFetch,
  InteractionRequiredAuthError,
  PublicClientApplication,
  ServerError,
  TokenCache,
} from "../../mod.ts";
import { LoopbackReceiver } from "../../src/host/mod.ts";
import { LocalAuthority, type LocalAuthorityOptions } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { Person } from "./person.ts";

const SCOPES = ["User.Read"];
const REDIRECT_URI = "http://localhost:3000/callback";

interface Scene {
  readonly authority: LocalAuthority;
  readonly origin: string;
  /** The authority's user, at a browser. */
  readonly person: Person;
  web(more?: Partial<ClientApplicationOptions>, tenant?: string): ConfidentialClientApplication;
  native(more?: Partial<ClientApplicationOptions>, tenant?: string): PublicClientApplication;
}

function served(
  name: string,
  body: (scene: Scene) => Promise<void>,
  options: LocalAuthorityOptions = {},
): void {
  test(`the local authority on loopback: ${name}`, async () => {
    const authority = new LocalAuthority({ deviceCode: { intervalSeconds: 1 }, ...options });
    const { tenantId, clientId, clientSecret, publicClientId, username, password } = authority.defaults;
    const server = await authority.serve(Deno);
    const shared = (tenant = tenantId) => ({
      authority: `${server.origin}/${tenant}`,
      [allowInsecureLoopback]: true,
    });
    try {
      await body({
        authority,
        origin: server.origin,
        person: new Person({ username, password }),
        web: (more, tenant) =>
          new ConfidentialClientApplication({
            clientId,
            clientCredential: clientSecret,
            ...shared(tenant),
            ...more,
          }),
        native: (more, tenant) =>
          new PublicClientApplication({ clientId: publicClientId, ...shared(tenant), ...more }),
      });
    } finally {
      await server.close();
    }
  });
}

async function signIn(
  app: ClientApplication,
  person: Person,
  more: Partial<AuthorizationRequest> = {},
): Promise<AuthenticationResult> {
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI, ...more });
  return await app.acquireTokenByAuthCodeFlow(flow, await person.signIn(flow.authUri));
}

async function whoAmI({ origin }: Scene, { accessToken }: AuthenticationResult): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await (await fetch(`${origin}/v1.0/me`, { headers })).json()).userPrincipalName;
}

for (const tenant of [undefined, "common", "contoso.onmicrosoft.com"]) {
  served(`a web app on ${tenant ?? "a tenant's id"}: code, silent, refresh`, async (scene) => {
    const { authority, person } = scene;
    const { tenantId, username } = authority.defaults;
    const app = scene.web({}, tenant);
    const first = await signIn(app, person);
    const account = first.account!;
    assertEquals([account.username, account.tenantId, first.tokenSource], [
      username,
      tenantId,
      "identity_provider",
    ]);
    assertEquals(account.homeAccountId.split(".")[1], tenantId);
    assertEquals(await whoAmI(scene, first), username);
    const before = authority.countRequests({ kind: "token" });
    const hit = await app.acquireTokenSilent({ account, scopes: SCOPES });
    assertEquals([hit.tokenSource, hit.accessToken], ["cache", first.accessToken]);
    assertEquals(authority.countRequests({ kind: "token" }), before);
    const renewed = await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
    assertNotEquals(renewed.accessToken, first.accessToken);
    assertEquals([renewed.account?.homeAccountId, await whoAmI(scene, renewed)], [
      account.homeAccountId,
      username,
    ]);
  });
}

served("the answer comes as a form", async ({ web, person }) => {
  const app = web();
  const flow = await app.initiateAuthCodeFlow({
    scopes: SCOPES,
    redirectUri: REDIRECT_URI,
    responseMode: "form_post",
  });
  const answer = await person.signIn(flow.authUri);
  assertEquals(answer.method, "POST");
  assert((await app.acquireTokenByAuthCodeFlow(flow, answer)).account);
});

for (const responseMode of ["query", "form_post"] as const) {
  served(`a native app through its loopback receiver, ${responseMode}`, async (scene) => {
    const { native, person, authority } = scene;
    const pages: number[] = [];
    const receiver = new LoopbackReceiver({
      responseMode,
      openBrowser: async (url) => {
        const page = await fetch(await person.signIn(url));
        await page.body?.cancel();
        pages.push(page.status);
      },
    });
    const app = native();
    const result = await app.acquireTokenInteractive({ scopes: SCOPES, receiver });
    assertEquals([result.account?.username, pages], [authority.defaults.username, [200]]);
    assertEquals(await whoAmI(scene, result), authority.defaults.username);
    assertEquals((await app.getAccounts()).length, 1);
    // Whoever is signed in there needs no page more.
    const again = await app.acquireTokenInteractive({ scopes: SCOPES, receiver, prompt: "none" });
    assertEquals([again.account?.homeAccountId, pages], [result.account?.homeAccountId, [200, 200]]);
  });
}

served("a native app through its loopback receiver, and nobody is signed in", async ({ native, person }) => {
  const receiver = new LoopbackReceiver({
    openBrowser: async (url) => {
      const page = await fetch(await person.signIn(url));
      await page.body?.cancel();
    },
  });
  const ask = () => native().acquireTokenInteractive({ scopes: SCOPES, receiver, prompt: "none" });
  const error = await assertRejects(ask, InteractionRequiredAuthError);
  assertEquals(error.code, "login_required");
});

served("a device signs in, through the pages and without them", async (scene) => {
  const { native, person, authority } = scene;
  const app = native();
  for (const isByPages of [true, false]) {
    const flow = await app.initiateDeviceFlow({ scopes: SCOPES });
    if (isByPages) {
      const last = await person.finish(`${flow.verificationUri}?otc=${flow.userCode}`);
      assertEquals(last.heading, "You are signed in");
    } else authority.approveDevice(flow.userCode);
    const result = await app.acquireTokenByDeviceFlow(flow);
    assertEquals(await whoAmI(scene, result), authority.defaults.username);
    const error = await assertRejects(() => app.acquireTokenByDeviceFlow(flow), ServerError);
    assertEquals(error.errorCodes, [54005]);
  }
});

served("a device waits for its user, and for one who declines", async ({ native, authority }) => {
  const app = native();
  const flow = await app.initiateDeviceFlow({ scopes: SCOPES });
  const polls: number[] = [];
  const onProgress = (progress: { readonly polls: number }) => {
    polls.push(progress.polls);
    if (progress.polls === 1) authority.approveDevice(flow.userCode, { decline: true });
  };
  const wait = () => app.acquireTokenByDeviceFlow(flow, { onProgress });
  const error = await assertRejects(wait, ClientAuthError);
  assertEquals([error.code, polls], ["authorization_declined", [1]]);
});

served("a refresh token that is used again ends the grant", async ({ web, person }) => {
  const tokenCache = new TokenCache();
  const app = web({ tokenCache });
  const { account } = await signIn(app, person);
  const silent = { account: account!, scopes: SCOPES, forceRefresh: true };
  const copy = new TokenCache();
  copy.deserialize(tokenCache.serialize());
  await app.acquireTokenSilent(silent);
  for (const one of [web({ tokenCache: copy }), app]) {
    const error = await assertRejects(() => one.acquireTokenSilent(silent), InteractionRequiredAuthError);
    assertEquals([error.code, error.error], ["bad_token", "invalid_grant"]);
  }
  // It is dropped: nothing is left to ask with.
  const error = await assertRejects(() => app.acquireTokenSilent(silent), InteractionRequiredAuthError);
  assertEquals(error.code, "no_tokens_found");
}, { refreshTokens: { detectReuse: true } });

/** A `fetch` for the API that has our user's token, and counts what it sends and asks for. */
function apiOf(scene: Scene, app: ClientApplication, { account }: AuthenticationResult) {
  const counts = { sent: 0, acquired: [] as (string | undefined)[] };
  const api = createAuthorizedFetch({
    origins: [scene.origin],
    acquireToken: (challenge) => {
      counts.acquired.push(challenge.claims);
      return app.acquireTokenSilent({ account: account!, scopes: SCOPES, ...challenge });
    },
    fetch: (input, init) => {
      counts.sent++;
      return fetch(input, init);
    },
  });
  return { counts, me: () => api(`${scene.origin}/v1.0/me`) };
}

served("the API's claims challenge is met: 401, another token, 200", async (scene) => {
  const app = scene.web({ clientCapabilities: ["cp1"] });
  const first = await signIn(app, scene.person);
  const { counts, me } = apiOf(scene, app, first);
  assertEquals((await (await me()).json()).userPrincipalName, scene.authority.defaults.username);
  assertEquals(counts, { sent: 1, acquired: [undefined] });
  // A token of the same second would not be older.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  scene.authority.revokeSessions(scene.authority.defaults.username);
  const met = await me();
  assertEquals([met.status, (await met.json()).userPrincipalName], [
    200,
    scene.authority.defaults.username,
  ]);
  assertEquals([counts.sent, counts.acquired.length], [3, 3]);
  assert(counts.acquired[2]?.includes("nbf"));
  // The new token is the one that is kept.
  assertEquals((await (await me()).json()).userPrincipalName, scene.authority.defaults.username);
  assertEquals(counts.sent, 4);
});

served("a claims challenge that does not end is met once", async (scene) => {
  const app = scene.web({ clientCapabilities: ["cp1"] });
  const first = await signIn(app, scene.person);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { username } = scene.authority.defaults;
  scene.authority.revokeSessions(username);
  let sent = 0;
  const api = createAuthorizedFetch({
    origins: [scene.origin],
    // Always the old one.
    acquireToken: () => Promise.resolve(first),
    fetch: (input, init) => {
      sent++;
      return fetch(input, init);
    },
  });
  const response = await api(`${scene.origin}/v1.0/me`);
  await response.body?.cancel();
  assertEquals([response.status, sent], [401, 2]);
});

served("with the refresh tokens revoked too, the challenge is the user's to meet", async (scene) => {
  const app = scene.web({ clientCapabilities: ["cp1"] });
  const { me } = apiOf(scene, app, await signIn(app, scene.person));
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { username } = scene.authority.defaults;
  scene.authority.revokeSessions(username, { refreshTokens: true });
  await assertRejects(me, InteractionRequiredAuthError);
  // A new sign-in mends it.
  const again = await signIn(app, scene.person);
  assertEquals(await whoAmI(scene, again), username);
});

served("a second factor is asked for by claims, and passed on the page", async (scene) => {
  const claims = { access_token: { acrs: { essential: true, value: "c1" } } };
  const app = scene.web();
  const { account } = await signIn(app, scene.person);
  const silent = () => app.acquireTokenSilent({ account: account!, scopes: SCOPES, claims });
  const error = await assertRejects(silent, InteractionRequiredAuthError);
  const { username, password } = scene.authority.defaults;
  const person = new Person({ username, password, code: "000000" });
  const { accessToken } = await signIn(app, person, { claims: error.claims! });
  assertEquals(JSON.parse(atob(accessToken.split(".")[1]!)).acrs, ["c1"]);
});

served("R-089 the key rotates between two sign-ins", async ({ web, person, authority }) => {
  const app = web();
  const kids: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const { idToken } = await signIn(app, person);
    kids.push(JSON.parse(atob(idToken!.split(".")[0]!)).kid);
    await authority.rotateKeys({ keepOld: false });
  }
  assertNotEquals(kids[0], kids[1]);
});

served("our sign-out URL brings the person back, signed out", async ({ web, person }) => {
  const app = web();
  const { idToken } = await signIn(app, person);
  const url = await app.getSignOutUrl({
    postLogoutRedirectUri: REDIRECT_URI,
    idTokenHint: idToken,
    state: "bye",
  });
  const back = new URL((await person.signIn(url)).url);
  assertEquals([`${back.origin}${back.pathname}`, back.searchParams.get("state")], [REDIRECT_URI, "bye"]);
  const ask = () => signIn(app, person, { prompt: "none" });
  assertEquals((await assertRejects(ask, InteractionRequiredAuthError)).code, "login_required");
});
