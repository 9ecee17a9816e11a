/** What was removed stays away, whatever other isolates had under way: R-116 for each kind of store. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { TOMBSTONE } from "../src/cache/tombstone.ts";
import { NOW } from "./support/documents.ts";
import {
  callback,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  nonceOf,
  REDIRECT_URI,
} from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { settleSlowly } from "./support/isolates.ts";
import { type LockingStore, lockingStore, partitionsIn } from "./support/locking_store.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, gate } from "./support/token_server.ts";
import { HOME, isolates, type OpenedCache, ownerOf, USER } from "./support/users.ts";

const HOUR_MS = 3_600_000;
const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };

const KINDS: Record<string, (clock: FakeClock) => CountingStore> = {
  "compares and sets": (clock) => countingStore(clock),
  "does not compare": (clock) => countingStore(clock, false),
  "compares and locks": (clock) => lockingStore(clock),
  "locks and does not compare": (clock) => lockingStore(clock, false),
};

/** A store that does not compare, and isolates over it. */
function world(cas = false) {
  const clock = new FakeClock();
  const store = countingStore(clock, cas);
  return { clock, store, isolate: isolates(store, clock) };
}

function sent({ cache }: OpenedCache) {
  return cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
}

/** An answer that comes when a test says so. */
function held(body: Promise<Record<string, unknown>>) {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { open, reply: async () => (await opened, Response.json(await body)) };
}

/** Two isolates, of which the second has the user in memory. */
async function twoIsolates(entra: EntraDouble, store: CountingStore) {
  const make = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
  const [one, two] = [make(), make()];
  await entra.signIn(one);
  await entra.settle(two.acquireTokenSilent(ASK));
  await entra.clock.advance(HOUR_MS);
  return { one, two, make };
}

for (const [kind, makeStore] of Object.entries(KINDS)) {
  test(`R-116 a refresh that is under way in another isolate does not bring the user back: ${kind}`, async () => {
    for (const isForced of [false, true]) {
      const entra = entraDouble();
      const store = makeStore(entra.clock);
      const { one, two, make } = await twoIsolates(entra, store);
      const { reply, open } = held(entra.answer());
      entra.next(reply);
      const call = two.acquireTokenSilent({ ...ASK, forceRefresh: isForced });
      await entra.clock.advance(0);
      const removal = one.removeAccount(HOME_ACCOUNT_ID);
      await entra.clock.advance(10);
      open();
      // Whoever asked gets a token all the same.
      assertEquals((await settleSlowly(entra.clock, call)).accessToken, "AT 2");
      await settleSlowly(entra.clock, removal);
      assertEquals(partitionsIn(store), 0);
      for (const app of [one, two, make()]) {
        assertEquals(await entra.settle(app.getAccount(HOME_ACCOUNT_ID)), null);
        assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "no_tokens_found");
      }
    }
  });

  test(`R-116 an isolate that has the user in memory finds that they are gone, and a sign-in brings them back: ${kind}`, async () => {
    const entra = entraDouble();
    const store = makeStore(entra.clock);
    const { one, two, make } = await twoIsolates(entra, store);
    await entra.settle(one.removeAccount(HOME_ACCOUNT_ID));
    assertEquals((await entra.refused(two.acquireTokenSilent(ASK))).code, "no_tokens_found");
    assertEquals(entra.posts.length, 1);
    const { accessToken } = await entra.signIn(one);
    for (const app of [one, two, make()]) {
      assertEquals((await entra.settle(app.acquireTokenSilent(ASK))).accessToken, accessToken);
    }
    // The refresh token of the new sign-in counts, in each of them.
    entra.next(await entra.answer());
    await settleSlowly(entra.clock, two.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals([entra.posts.at(-1)?.form.get("refresh_token"), partitionsIn(store)], ["RT 2", 1]);
    assertFalse([...store.values.values()].join().includes(TOMBSTONE));
  });

  test(`R-116 an app token that is under way in another isolate does not come back: ${kind}`, async () => {
    const clock = new FakeClock();
    const store = makeStore(clock);
    const [one, two] = [1, 2].map(() => bench({ clock, tokenCache: new TokenCache({ store }) }));
    await one!.ask();
    await two!.ask();
    await clock.advance(HOUR_MS - 200_000);
    const late = gate();
    two!.server.next(late.answer);
    const call = two!.ask();
    await clock.advance(10);
    await one!.app.removeTokensForClient();
    late.open();
    await settleSlowly(clock, call);
    assertEquals(partitionsIn(store), 0);
    const after = await settleSlowly(clock, two!.ask());
    assertEquals([after.tokenSource, partitionsIn(store)], ["identity_provider", 1]);
  });
}

test("R-116 memory too small to note what was read: the refresh loses all the same, given CAS", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const make = (maxBytes?: number) =>
    entra.confidential({ tokenCache: new TokenCache({ store, memory: { maxBytes } }) });
  const one = make();
  await entra.signIn(one);
  await entra.clock.advance(HOUR_MS);
  const { reply, open } = held(entra.answer());
  entra.next(reply);
  const call = make(10).acquireTokenSilent(ASK);
  await entra.clock.advance(0);
  await one.removeAccount(HOME_ACCOUNT_ID);
  open();
  assertEquals((await entra.settle(call)).accessToken, "AT 2");
  assertEquals(store.values.size, 0);
});

test("R-116 a sign-in that began before a removal elsewhere stays out, one that began after it stays in", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock, false);
  const { one, two, make } = await twoIsolates(entra, store);
  const flow = await two.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
  const { reply, open } = held(entra.answer({ nonce: nonceOf(flow) }));
  entra.next(reply);
  const late = two.acquireTokenByAuthCodeFlow(flow, callback(flow));
  await entra.clock.advance(10);
  await one.removeAccount(HOME_ACCOUNT_ID);
  open();
  assertEquals((await entra.settle(late)).account?.homeAccountId, HOME_ACCOUNT_ID);
  for (const app of [two, make()]) assertEquals(await entra.settle(app.getAccount(HOME_ACCOUNT_ID)), null);
  await entra.clock.advance(10);
  await entra.signIn(two);
  for (const app of [one, two, make()]) {
    assertEquals((await entra.settle(app.getAccount(HOME_ACCOUNT_ID)))?.homeAccountId, HOME_ACCOUNT_ID);
  }
});

test("what is left of a removed user is a mark: no user data, and an empty cache to every MSAL", async () => {
  const { store, isolate, clock } = world();
  const one = isolate();
  await one.save({ familyId: "1", refreshToken: { familyId: "1" } });
  await one.cache.users.remove(USER);
  const marks = [...store.values.values()];
  assertEquals(marks, Array(2).fill(`{"${TOMBSTONE}":{"at":${clock.now()}}}`));
  for (const { options } of store.writes.slice(-2)) {
    assert(options.expiresAtMs - clock.now() >= 120_000);
    assertEquals(options.hints, {
      kind: "tokens",
      suggestedKey: HOME,
      isApplicationCache: false,
      hasTokens: false,
    });
  }
  // As MSAL Python and MSAL Node read it.
  const cache = new TokenCache();
  cache.deserialize(marks[0]);
  assertEquals([cache.size, cache.users], [0, 0]);
});

test("removed app tokens leave a mark of the application's, and the next token takes its place", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock, false);
  const { app, ask } = bench({ clock, tokenCache: new TokenCache({ store }) });
  await ask();
  await app.removeTokensForClient();
  const suggestedKey = "my_client_contoso.onmicrosoft.com_AppTokenCache";
  const hints = { kind: "tokens", suggestedKey, isApplicationCache: true } as const;
  assertEquals(store.writes.map(({ options }) => options.hints), [
    { ...hints, hasTokens: true },
    { ...hints, hasTokens: false },
  ]);
  assertEquals([partitionsIn(store), store.values.size], [0, 1]);
  await ask();
  assertFalse([...store.values.values()].join().includes(TOMBSTONE));
});

test("memory forgets what it learnt of an app before the mark, whatever its scopes", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock, false);
  const [one, two] = [1, 2].map(() => bench({ clock, tokenCache: new TokenCache({ store }) }));
  const other = { scopes: ["https://vault.example/.default"] };
  for (const request of [{}, other]) await two!.ask(request);
  await one!.app.removeTokensForClient();
  await clock.advance(1_000);
  await two!.ask({ scopes: ["https://third.example/.default"] });
  assertEquals((await two!.ask()).tokenSource, "identity_provider");
  assertEquals((await two!.ask({ scopes: ["https://third.example/.default"] })).tokenSource, "cache");
});

test("with CAS nothing is left at all", async () => {
  const { store, isolate } = world(true);
  const one = isolate();
  await one.save();
  await one.cache.users.remove(USER);
  assertEquals(store.values.size, 0);
});

test("a store that shows a removal once more after the next sign-in does not sign its users out", async () => {
  const { store, isolate, clock } = world();
  const one = isolate();
  await one.save();
  await one.cache.users.remove(USER);
  const mark = [...store.values.values()][0]!;
  await clock.advance(2_000);
  await one.save({ refreshToken: { secret: "RT 2", lastModified: NOW + 2 } });
  const { get } = store;
  store.get = () => Promise.resolve({ value: mark });
  assertEquals((await one.cache.users.load(USER))?.refreshTokens.length, 1);
  // A refresh of that sign-in is written, too.
  await one.save({ redeemed: sent(one), refreshToken: { secret: "RT 3", lastModified: NOW + 3 } });
  store.get = get;
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals(cold.secrets(), ["RT 3"]);
});

test("who was removed in the second of their last answer is removed: the clock cannot tell, and the removal wins", async () => {
  for (const laterMs of [0, 500]) {
    const { isolate, clock } = world();
    const [one, two] = [isolate(), isolate()];
    await one.save({ refreshToken: { lastModified: Math.floor(clock.now() / 1000) } });
    await two.cache.users.load(USER);
    const redeemed = sent(two);
    await clock.advance(laterMs);
    await one.cache.users.remove(USER);
    await two.cache.users.load(USER);
    assertEquals([two.tokenCache.users, two.tokenCache.size], [0, 0]);
    await two.save({ redeemed, refreshToken: { secret: "RT 2" } });
    const cold = isolate();
    await cold.cache.users.load(USER);
    assertEquals([two.tokenCache.users, cold.tokenCache.users], [0, 0]);
  }
});

test("somebody whose clock is ahead of the removal's does not bring the user back from memory", async () => {
  const { isolate, clock } = world();
  const [one, two] = [isolate(), isolate()];
  await one.save({ refreshToken: { lastModified: NOW + 200 } });
  await two.cache.users.load(USER);
  await clock.advance(1_000);
  await one.cache.users.remove(USER);
  await two.cache.users.load(USER);
  assertEquals([two.tokenCache.users, two.tokenCache.size], [0, 0]);
});

test("entries that others put beside a mark count, and our next write drops the mark", async () => {
  const { store, isolate, clock } = world();
  const one = isolate();
  await one.save();
  const [[key, text] = ["", ""]] = store.values;
  await one.cache.users.remove(USER);
  const both = JSON.stringify({ ...JSON.parse(store.values.get(key)!), ...JSON.parse(text) });
  await store.set(key, both, { expiresAtMs: clock.now() + HOUR_MS });
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals(cold.secrets(), ["a refresh token"]);
  await cold.save({ redeemed: sent(cold), refreshToken: { secret: "RT 2", lastModified: NOW + 1 } });
  assertFalse(store.values.get(key)!.includes(TOMBSTONE));
});

test("a mark from the future, or one that is none, removes nobody", async () => {
  const { store, isolate, clock } = world();
  const one = isolate();
  await one.save();
  const [[key] = [""]] = store.values;
  for (
    const at of [clock.now() + HOUR_MS, "1", "9".repeat(30), -1, null, '1}},"x":{"y":1']
  ) {
    const text = `{"${TOMBSTONE}":{"at":${JSON.stringify(at)}}}`;
    await store.set(key, text, { expiresAtMs: clock.now() + HOUR_MS });
    await one.cache.users.load(USER);
    assertEquals(one.tokenCache.users, 1, text);
  }
});

test("a mark that cannot be written is a deletion", async () => {
  const { store, isolate } = world();
  const one = isolate();
  await one.save();
  store.set = () => Promise.reject(new Error("down"));
  await one.cache.users.remove(USER);
  assertEquals(store.values.size, 0);
});

test("many who are gone do not keep a sign-in of somebody else out", async () => {
  const { isolate, store } = world();
  const one = isolate();
  await one.save();
  await isolate().cache.users.remove(USER);
  const { cache } = one;
  await cache.users.load(USER);
  const before = cache.users.removals;
  for (let call = 0; call < 1_100; call++) await cache.users.load(USER);
  assertEquals([cache.users.removals - before, partitionsIn(store)], [0, 0]);
});

test("without CAS a removal waits for the renewal whose turn it is, for five seconds at most", async () => {
  const clock = new FakeClock();
  const store: LockingStore = lockingStore(clock, false);
  const one = isolates(store, clock)();
  await one.save();
  await one.cache.users.remove(USER);
  const { key } = store.leases[0]!;
  await one.save();
  const lease = await store.lock(key, HOUR_MS);
  store.calls.length = 0;
  const removal = one.cache.users.remove(USER);
  await clock.advance(1_000);
  // What it writes before it ends must not stay either.
  assertEquals([partitionsIn(store), one.tokenCache.users], [0, 0]);
  await isolates(store, clock)().save();
  assertEquals(partitionsIn(store), 1);
  await lease?.release();
  await clock.advance(1_000);
  await removal;
  assertEquals(partitionsIn(store), 0);
  await one.save();
  await store.lock(key, HOUR_MS);
  const second = one.cache.users.remove(USER);
  await clock.advance(6_500);
  await second;
  assertEquals(partitionsIn(store), 0);
});

test("with CAS a removal takes no lease", async () => {
  const clock = new FakeClock();
  const store = lockingStore(clock);
  const one = isolates(store, clock)();
  await one.save();
  await one.cache.users.remove(USER);
  assertEquals([store.leases, store.values.size], [[], 0]);
});
