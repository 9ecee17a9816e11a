/**
 * A user's sign-in, renewal, reads and removal that are under way at once in one isolate.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { callback, entraDouble, HOME_ACCOUNT_ID, nonceOf, REDIRECT_URI } from "./support/entra_double.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred } from "./support/token_server.ts";

const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };

for (const cas of [true, false]) {
  const kind = cas ? "compares and sets" : "does not compare";

  test(`R-112 hearing of an older removal does not lose a sign-in, with a store that ${kind}`, async () => {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const [one, two] = [1, 2].map(() => entra.confidential({ tokenCache: new TokenCache({ store }) }));
    await entra.signIn(two!);
    await entra.clock.advance(200_000);
    await one!.removeAccount(HOME_ACCOUNT_ID);
    await entra.clock.advance(200_000);
    const flow = await two!.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
    const answer = await entra.answer({ nonce: nonceOf(flow) });
    const { promise, resolve } = deferred<void>();
    entra.next(() => promise.then(() => Response.json(answer)));
    const signIn = two!.acquireTokenByAuthCodeFlow(flow, callback(flow));
    await entra.clock.advance(0);
    const error = await entra.refused(two!.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals(error.code, "no_tokens_found", "it has heard of the removal");
    resolve();
    const { accessToken } = await entra.settle(signIn);
    const cold = entra.confidential({ tokenCache: new TokenCache({ store }) });
    for (const app of [two!, cold]) {
      assertEquals((await entra.settle(app.acquireTokenSilent(ASK))).accessToken, accessToken);
    }
  });

  test(`R-116 a removal here does win over a sign-in that is under way, with a store that ${kind}`, async () => {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
    await entra.signIn(app);
    const flow = await app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
    const answer = await entra.answer({ nonce: nonceOf(flow) });
    const { promise, resolve } = deferred<void>();
    entra.next(() => promise.then(() => Response.json(answer)));
    const signIn = app.acquireTokenByAuthCodeFlow(flow, callback(flow));
    await entra.clock.advance(0);
    await app.removeAccount(HOME_ACCOUNT_ID);
    resolve();
    await entra.settle(signIn);
    for (const tokenCache of [new TokenCache({ store })]) {
      const error = await entra.refused(entra.confidential({ tokenCache }).acquireTokenSilent(ASK));
      assertEquals(error.code, "no_tokens_found");
    }
    assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "no_tokens_found");
  });
}

for (const cas of [true, false]) {
  const kind = cas ? "compares and sets" : "does not compare";

  test(`R-116 what is read while a user is being removed stays away, with a store that ${kind}`, async () => {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
    await entra.signIn(app);
    const { promise, resolve } = deferred<void>();
    const { delete: remove } = store;
    store.delete = (key) => promise.then(() => remove(key));
    store.beforeSet = () => promise;
    const removal = app.removeAccount(HOME_ACCOUNT_ID);
    assertEquals((await entra.settle(app.acquireTokenSilent(ASK))).tokenSource, "cache", "read in time");
    resolve();
    await entra.settle(removal);
    assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "no_tokens_found");
    assertEquals(await app.getAccount(HOME_ACCOUNT_ID), null);
  });
}

test("R-116 a removal by another application of the cache wins over a sign-in that is under way", async () => {
  const entra = entraDouble();
  const tokenCache = new TokenCache({ store: countingStore(entra.clock) });
  const [app, other] = [1, 2].map(() => entra.confidential({ tokenCache }));
  await entra.signIn(app!);
  const flow = await app!.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
  const answer = await entra.answer({ nonce: nonceOf(flow) });
  const { promise, resolve } = deferred<void>();
  entra.next(() => promise.then(() => Response.json(answer)));
  const signIn = app!.acquireTokenByAuthCodeFlow(flow, callback(flow));
  await entra.clock.advance(10);
  await other!.removeAccount(HOME_ACCOUNT_ID);
  resolve();
  await entra.settle(signIn);
  assertEquals(await entra.settle(app!.getAccount(HOME_ACCOUNT_ID)), null);
});

test("R-109 R-112 a sign-in that is stored late does not bring back a refresh token that was redeemed since", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  const { promise, resolve } = deferred<void>();
  const writes = [promise];
  store.beforeSet = () => writes.shift() ?? Promise.resolve();
  const kept: Promise<unknown>[] = [];
  const flow = await app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
  entra.next(await entra.answer({ nonce: nonceOf(flow) }), await entra.answer());
  const waitUntil = (work: Promise<unknown>): void => void kept.push(work);
  await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow), { waitUntil }));
  await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  resolve();
  await entra.settle(Promise.all(kept));
  const cold = entra.confidential({ tokenCache: new TokenCache({ store }) });
  entra.next(await entra.answer());
  await entra.settle(cold.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assertEquals(entra.posts.slice(1).map(({ form }) => form.get("refresh_token")), ["RT 1", "RT 2"]);
});
