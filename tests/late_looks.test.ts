/** Looks into a store that are under way while a user signs in or is removed: what they miss is looked for once more. */
import { assert, assertEquals } from "@std/assert";
import { type AnyAuthError, type AuthenticationResult, TokenCache } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import { type EntraDouble, entraDouble, HOME_ACCOUNT_ID, OTHER_TENANT_ID } from "./support/entra_double.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred } from "./support/token_server.ts";

const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
const OTHER = { account: HOME_ACCOUNT_ID, scopes: ["Mail.Read"] };
const THIRD = { account: HOME_ACCOUNT_ID, scopes: ["Files.Read"] };

/** What is read while `work` begins arrives when the function that this gives is called. */
async function held(entra: EntraDouble, store: CountingStore, work: () => unknown): Promise<() => void> {
  const { get } = store;
  const waiting: (() => void)[] = [];
  store.get = async (key, options) => {
    const found = await get(key, options);
    await new Promise<void>((resolve) => void waiting.push(resolve));
    return found;
  };
  work();
  await entra.clock.advance(10);
  store.get = get;
  assert(waiting.length > 0, "it has read");
  return () => waiting.forEach((resolve) => resolve());
}

/** Two isolates over one store. */
function world(options: { maxStalenessMs?: number } = {}) {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store, ...options }) });
  return { entra, store, one: isolate(), two: isolate() };
}

test("R-112 who asks after a sign-in gets a token, though another's look began before it", async () => {
  const { entra, store, one, two } = world();
  let early: Promise<AnyAuthError>;
  const first = await held(entra, store, () => early = failure(two.acquireTokenSilent(ASK)));
  // The second look has seen nobody either, and is on its way back.
  const second = await held(entra, store, first);
  await entra.signIn(one);
  const late = two.acquireTokenSilent(ASK);
  await entra.clock.advance(10);
  second();
  assertEquals((await early!).code, "no_tokens_found");
  assertEquals((await entra.settle(late)).accessToken, "AT 1");
});

test("R-112 who asks after a removal and a sign-in gets a token, though another's call met the removal", async () => {
  const { entra, store, one } = world();
  await entra.signIn(one);
  let early: Promise<AuthenticationResult>;
  const arrive = await held(entra, store, () => early = one.acquireTokenSilent(OTHER));
  await one.removeAccount(HOME_ACCOUNT_ID);
  await entra.signIn(one);
  const late = one.acquireTokenSilent(OTHER);
  await entra.clock.advance(10);
  entra.next(await entra.answer({}, { scope: "Mail.Read" }));
  arrive();
  assertEquals((await entra.settle(late)).accessToken, "AT 3");
  assertEquals((await entra.settle(early!)).accessToken, "AT 3");
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")), [null, null, "RT 2"]);
});

test("R-112 hearing late of an older removal does not send away who has signed in since", async () => {
  const { entra, store, one, two } = world();
  await entra.signIn(two);
  await one.removeAccount(HOME_ACCOUNT_ID);
  let early: Promise<AuthenticationResult>;
  let late: Promise<AuthenticationResult>;
  const first = await held(entra, store, () => early = two.acquireTokenSilent(THIRD));
  // What a copy does not have is looked for in the store itself.
  const tellOfRemoval = await held(entra, store, first);
  await entra.signIn(one);
  const tellOfSignIn = await held(entra, store, () => late = two.acquireTokenSilent(OTHER));
  entra.next(await entra.answer(), await entra.answer());
  tellOfRemoval();
  await entra.clock.advance(10);
  tellOfSignIn();
  assertEquals((await entra.settle(late!)).tokenSource, "identity_provider");
  assertEquals((await entra.settle(early!)).tokenSource, "identity_provider");
});

test("R-116 a removed user's token is not handed out because the second look is slow", async () => {
  const { entra, store, one, two } = world({ maxStalenessMs: 60_000 });
  await entra.signIn(one, {}, { refresh_in: 600 });
  await entra.settle(two.acquireTokenSilent(ASK));
  await entra.clock.advance(1_000_000);
  await one.removeAccount(HOME_ACCOUNT_ID);
  const { get } = store;
  const sinceMs = entra.clock.now();
  // The first look is over in time, and hears of the removal.
  store.get = async (key, options) => {
    const delayMs = entra.clock.now() < sinceMs + 300 ? 100 : 1_900;
    await new Promise<void>((resolve) => void entra.clock.setTimeout(resolve, delayMs));
    return await get(key, options);
  };
  assertEquals((await entra.refused(two.acquireTokenSilent(ASK))).code, "no_tokens_found");
});

test("R-116 a call that meets a removal gets nothing of what it had read", async () => {
  const { entra, store, one } = world();
  await entra.signIn(one);
  let early: Promise<unknown>;
  const arrive = await held(entra, store, () => early = one.acquireTokenSilent(OTHER));
  await one.removeAccount(HOME_ACCOUNT_ID);
  arrive();
  assertEquals((await entra.refused(early!)).code, "no_tokens_found");
  assertEquals(entra.posts.length, 1);
});

test("an app's good token does not wait for a slow authority because another tenant's tokens were removed", async () => {
  const { entra, one } = world();
  const ask = { scopes: ["https://graph.microsoft.com/.default"] };
  const token = { token_type: "Bearer", expires_in: 86_000, refresh_in: 4_000 };
  entra.next({ ...token, access_token: "APP 1" });
  await entra.settle(one.acquireTokenForClient(ask));
  await entra.clock.advance(5_000_000);
  const { promise, resolve } = deferred<void>();
  entra.next(() => promise.then(() => Response.json({ ...token, access_token: "APP 2" })));
  const call = one.acquireTokenForClient(ask);
  await entra.clock.advance(10);
  await one.removeTokensForClient({ tenantId: OTHER_TENANT_ID });
  await entra.clock.advance(2_500);
  resolve();
  assertEquals((await entra.settle(call)).accessToken, "APP 1");
});
