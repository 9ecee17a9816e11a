/** Refresh tokens of oidc-provider, which rotate, and end the grant when one comes twice. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  type AuthenticationResult,
  InteractionRequiredAuthError,
  MemoryStore,
  type MsalEvent,
  type Store,
  TokenCache,
} from "../../mod.ts";
import { test } from "../support/suite.ts";
import { personNamed, SCOPES, serveUsers, signIn, tokenRequests, webApp } from "./oidc_users.ts";

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

test("R-107 oidc-provider: two applications that renew at the same moment take turns, given a lock, and both stay usable", async () => {
  await using server = await serveUsers();
  const store = new MemoryStore();
  const events: MsalEvent[] = [];
  const onEvent = (event: MsalEvent): void => void events.push(event);
  const apps = [1, 2].map(() => webApp(server, { tokenCache: new TokenCache({ store }), onEvent }));
  const { result: { account } } = await signIn(apps[0]!);
  const silent = { account: account!.homeAccountId, scopes: SCOPES };
  await Promise.all(apps.map((app) => app.acquireTokenSilent(silent)));
  for (let round = 1; round <= 10; round++) {
    const renewed = await Promise.all(
      apps.map((app) => app.acquireTokenSilent({ ...silent, forceRefresh: true })),
    );
    assertEquals(renewed.map(({ tokenSource }) => tokenSource), ["identity_provider", "identity_provider"]);
    assertEquals([new Set(renewed.map((one) => one.accessToken)).size, tokenRequests(server)], [
      2,
      1 + 2 * round,
    ]);
  }
  assertEquals(events.flatMap((event) => "error" in event ? [event.error.code] : []), []);
});

test("oidc-provider: 8 applications for which the user's token has ended renew it once, given a lock", async () => {
  await using server = await serveUsers();
  const store = new MemoryStore();
  let aheadMs = 0;
  const clock = {
    now: () => Date.now() + aheadMs,
    setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
    clearTimeout: (handle: unknown) => clearTimeout(handle as number),
  };
  const make = () => webApp(server, { tokenCache: new TokenCache({ store }), clock });
  const apps = Array.from({ length: 8 }, make);
  const { result: { account } } = await signIn(apps[0]!);
  const silent = { account: account!.homeAccountId, scopes: SCOPES };
  await Promise.all(apps.map((app) => app.acquireTokenSilent(silent)));
  // All but four of the token's sixty minutes: within what two clocks may differ by for the ID token.
  aheadMs = 56 * 60_000;
  const answers = await Promise.all(apps.map((app) => app.acquireTokenSilent(silent)));
  // Whoever has waited for two seconds hands out the old one, which still counts.
  assert(new Set(answers.map(({ accessToken }) => accessToken)).size <= 2);
  assertEquals(tokenRequests(server), 2);
});

// Compare-and-set keeps the store right, but cannot keep two from sending the same token: that takes a lock.
test("oidc-provider: without a lock two applications may use one token twice, which ends the grant, and an event warns", async () => {
  await using server = await serveUsers();
  const inner = new MemoryStore();
  const store: Store = {
    cas: true,
    get: (key) => inner.get(key),
    set: (key, value, options) => inner.set(key, value, options),
    delete: (key) => inner.delete(key),
  };
  const events: MsalEvent[] = [];
  const first = webApp(server, {
    tokenCache: new TokenCache({ store }),
    onEvent: (event) => events.push(event),
  });
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
  assertEquals(events.filter(({ type }) => type === "store_without_lock").length, 1);
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
