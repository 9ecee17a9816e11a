/** For how long memory counts before the store is looked into again: what was removed elsewhere is gone here, too. */
import { assert, assertEquals } from "@std/assert";
import { type Store, TokenCache, type TokenCacheOptions } from "../mod.ts";
import { thrown } from "./support/app_fixture.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, type BenchOptions, eachRow, gate, settledNow } from "./support/token_server.ts";

const MINUTE_MS = 60_000;
const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
const NONE = { get: 0, set: 0, delete: 0 };
const READ = { get: 1, set: 0, delete: 0 };

/** A store, and isolates over it that look into it once a minute. */
function world(cas = true, over: Partial<TokenCacheOptions> = { maxStalenessMs: MINUTE_MS }) {
  const clock = new FakeClock();
  const store = countingStore(clock, cas);
  const isolate = (options: BenchOptions = {}) =>
    bench({ clock, tokenCache: new TokenCache({ store, ...over }), ...options });
  return { clock, store, isolate };
}

/** A store of which a test says how it is read. */
function reads(store: CountingStore, get: Store["get"]): void {
  store.get = (key, options) => {
    store.calls.push(`get ${key}`);
    return get(key, options);
  };
}

/** Users of isolates that look into the store once a minute; two of them, the user known to both. */
async function users(cas = true, over: Partial<TokenCacheOptions> = { maxStalenessMs: MINUTE_MS }) {
  const entra = entraDouble();
  const store = countingStore(entra.clock, cas);
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store, ...over }) });
  const [one, two] = [isolate(), isolate()];
  await entra.signIn(one);
  await entra.settle(two.acquireTokenSilent(ASK));
  store.take();
  const silent = async (app = two) => (await entra.settle(app.acquireTokenSilent(ASK))).accessToken;
  return { entra, store, isolate, one, two, silent };
}

test("by default the store is looked into never again, until the token's end", async () => {
  const { clock, store, isolate } = world(true, {});
  const { ask } = isolate();
  await ask();
  store.take();
  await clock.advance(50 * MINUTE_MS);
  assertEquals([(await ask()).accessToken, store.take()], ["AT 1", NONE]);
  const { entra, store: theirs, silent } = await users(true, {});
  await entra.clock.advance(50 * MINUTE_MS);
  assertEquals([await silent(), theirs.take()], ["AT 1", NONE]);
});

for (const cas of [true, false]) {
  test(`R-120 an app token: one read a minute and none between, ${cas ? "with" : "without"} versions`, async () => {
    const { clock, store, isolate } = world(cas);
    const { ask, server } = isolate();
    await ask();
    store.take();
    for (let minute = 0; minute < 3; minute++) {
      await clock.advance(MINUTE_MS - 1);
      assertEquals([(await ask()).metadata.cacheLevel, store.take()], ["memory", NONE]);
      await clock.advance(1);
      const found = await ask();
      assertEquals([found.accessToken, found.metadata.refreshReason], ["AT 1", "not_applicable"]);
      assertEquals(store.take(), READ);
    }
    assertEquals(server.requests.length, 1);
    // What was read counts as long as what was written.
    const cold = isolate();
    await cold.ask();
    store.take();
    await clock.advance(MINUTE_MS - 1);
    await cold.ask();
    assertEquals(store.take(), NONE);
    await clock.advance(1);
    await cold.ask();
    assertEquals(store.take(), READ);
  });

  test(`R-120 a user: one read a minute and none between, ${cas ? "with" : "without"} versions`, async () => {
    const { entra, store, silent } = await users(cas);
    for (let minute = 0; minute < 3; minute++) {
      await entra.clock.advance(MINUTE_MS - 1);
      assertEquals([await silent(), store.take()], ["AT 1", NONE]);
      await entra.clock.advance(1);
      assertEquals([await silent(), store.take()], ["AT 1", READ]);
    }
    assertEquals(entra.posts.length, 1);
  });

  test(`R-120 a user who signed in here: what was written counts for a minute, ${cas ? "with" : "without"} versions`, async () => {
    const { entra, store, one, silent } = await users(cas);
    assertEquals([await silent(one), store.take()], ["AT 1", NONE]);
    await entra.clock.advance(MINUTE_MS);
    assertEquals([await silent(one), store.take()], ["AT 1", READ]);
    await entra.clock.advance(MINUTE_MS - 1);
    assertEquals([await silent(one), store.take()], ["AT 1", NONE]);
  });
}

test("R-116 an app token that another isolate removed is gone after a minute, and asked for again", async () => {
  const { clock, isolate } = world();
  const [one, two] = [isolate(), isolate()];
  await one.ask();
  await two.ask();
  await one.app.removeTokensForClient();
  two.server.next({ access_token: "a new one" });
  await clock.advance(MINUTE_MS - 1);
  assertEquals((await two.ask()).accessToken, "AT 1");
  await clock.advance(1);
  assertEquals((await two.ask()).accessToken, "a new one");
});

test("R-116 of a partition that goes on, only what was removed is gone", async () => {
  const { clock, store, isolate } = world();
  const [one, two] = [isolate(), isolate()];
  const other = ["https://vault.azure.net/.default"];
  await one.ask();
  await one.ask({ scopes: other });
  await two.ask();
  const [key, text] = [...store.values][0]!;
  const document = JSON.parse(text);
  for (const [name, entry] of Object.entries<Record<string, string>>(document.AccessToken)) {
    if (!entry["target"]?.includes("vault")) delete document.AccessToken[name];
  }
  await store.set(key, JSON.stringify(document), { expiresAtMs: 9e15 });
  await clock.advance(MINUTE_MS);
  two.server.next({ access_token: "a new one" });
  assertEquals((await two.ask({ scopes: other })).accessToken, "AT 2");
  assertEquals((await two.ask()).accessToken, "a new one");
});

test("in a store without versions a missing token is no proof: it may be seen late", async () => {
  const { clock, store, isolate } = world(false);
  const { ask, server } = isolate();
  await ask();
  reads(store, () => Promise.resolve(undefined));
  store.take();
  await clock.advance(MINUTE_MS);
  assertEquals([(await ask()).accessToken, (await ask()).accessToken], ["AT 1", "AT 1"]);
  assertEquals([store.take(), server.requests.length], [READ, 1]);
});

test("R-110 a token that never got into the store is not missed there", async () => {
  const { clock, store, isolate } = world();
  const { ask, server } = isolate();
  store.set = () => Promise.reject(new TypeError("read only"));
  await ask();
  store.take();
  for (const _ of [1, 2]) {
    await clock.advance(MINUTE_MS);
    assertEquals((await ask()).accessToken, "AT 1");
  }
  assertEquals(server.requests.length, 1);
});

test("a newer token of another isolate is adopted", async () => {
  const { clock, isolate } = world();
  const [one, two] = [isolate(), isolate()];
  await one.ask();
  await two.ask();
  await clock.advance(MINUTE_MS);
  await one.ask({ claims: '{"access_token":{"nbf":{"value":"1"}}}' });
  assertEquals((await two.ask()).accessToken, "AT 2");
  assertEquals(two.server.requests.length, 0);
});

for (const cas of [true, false]) {
  const kind = cas ? "with" : "without";

  test(`R-116 a user whom another isolate removed is gone, in a store ${kind} versions`, async () => {
    const { entra, one, two, silent } = await users(cas);
    await one.removeAccount(HOME_ACCOUNT_ID);
    assertEquals(await silent(), "AT 1");
    // Without versions what is missing may be late, for two minutes.
    await entra.clock.advance(cas ? MINUTE_MS : 3 * MINUTE_MS);
    assertEquals((await entra.refused(two.acquireTokenSilent(ASK))).code, "no_tokens_found");
    assertEquals([await two.getAccount(HOME_ACCOUNT_ID), entra.posts.length], [null, 1]);
  });
}

test("R-116 a replica that has not got a user yet removes nobody: a strong read decides", async () => {
  const { entra, store, silent, two } = await users();
  const { get } = store;
  const asked: (string | undefined)[] = [];
  store.get = (key, options) => {
    asked.push(options?.consistency);
    return options?.consistency === "eventual" ? Promise.resolve(undefined) : get(key, options);
  };
  await entra.clock.advance(MINUTE_MS);
  assertEquals([await silent(), asked], ["AT 1", ["eventual", undefined]]);
  assert(await two.getAccount(HOME_ACCOUNT_ID));
});

test("a newer token of a user is adopted", async () => {
  const { entra, one, silent } = await users();
  await entra.clock.advance(MINUTE_MS);
  entra.next(await entra.answer());
  await entra.settle(one.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assertEquals([await silent(), entra.posts.length], ["AT 2", 2]);
});

const DEAD: Record<string, [() => Promise<never>, number]> = {
  "rejects": [() => Promise.reject(new TypeError("down")), 0],
  "hangs": [() => new Promise<never>(() => {}), 2_000],
};
test("R-113 R-128 while the store is dead memory's token serves, and it is tried again after five seconds", async () => {
  await eachRow(DEAD, async ([get, ms]) => {
    const { clock, store, isolate } = world();
    const { askFor, server, count } = isolate();
    await askFor(0);
    reads(store, get);
    store.take();
    await clock.advance(MINUTE_MS);
    const startMs = clock.now();
    assertEquals([(await askFor(ms)).accessToken, store.take().get], ["AT 1", 1]);
    await clock.advance(4_999 - (clock.now() - startMs));
    assertEquals([(await askFor(0)).accessToken, store.take().get], ["AT 1", 0]);
    await clock.advance(2_001);
    assertEquals([(await askFor(ms)).accessToken, store.take().get], ["AT 1", 1]);
    assertEquals([server.requests.length, count("cache_failed"), clock.pending], [1, 2, 0]);
  });
});

test("R-113 R-128 the same for a user", async () => {
  await eachRow(DEAD, async ([get]) => {
    const { entra, store, silent } = await users();
    reads(store, get);
    await entra.clock.advance(MINUTE_MS);
    assertEquals([await silent(), store.take().get], ["AT 1", 1]);
    await entra.clock.advance(2_000);
    assertEquals([await silent(), store.take().get], ["AT 1", 0]);
    await entra.clock.advance(5_000);
    assertEquals([await silent(), store.take().get, entra.posts.length], ["AT 1", 1, 1]);
  });
});

test("R-104 of 50 callers with a token that is due one reads the store", async () => {
  const { clock, store, isolate } = world();
  const { ask } = isolate();
  await ask();
  store.take();
  await clock.advance(MINUTE_MS);
  const found = await Promise.all(Array.from({ length: 50 }, () => ask()));
  assertEquals([new Set(found.map(({ accessToken }) => accessToken)).size, store.take()], [1, READ]);
});

test("a token that is due for renewal, too, waits for the look into the store, and not for a slow authority", async () => {
  const { clock, store, isolate } = world();
  const kept: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void kept.push(work);
  const one = isolate({ waitUntil });
  one.server.next({ expires_in: 7_200, refresh_in: 60 });
  await one.ask();
  await Promise.all(kept.splice(0));
  const slow = gate();
  one.server.next(slow.answer);
  await clock.advance(MINUTE_MS);
  store.take();
  assertEquals((await one.askFor(2_000)).accessToken, "AT 1");
  assertEquals(store.take().get, 1);
  slow.open();
  await Promise.all(kept);
  assertEquals((await settledNow(one.ask())).accessToken, "AT late");
});

test("R-116 a token that is due for renewal, too, is not handed out after its user was removed elsewhere", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const isolate = () =>
    entra.confidential({
      tokenCache: new TokenCache({ store, maxStalenessMs: MINUTE_MS }),
      waitUntil: "detached",
    });
  const [one, two] = [isolate(), isolate()];
  await entra.signIn(one, {}, { expires_in: 7_200, refresh_in: 60 });
  await entra.settle(two.acquireTokenSilent(ASK));
  await one.removeAccount(HOME_ACCOUNT_ID);
  await entra.clock.advance(MINUTE_MS);
  assertEquals((await entra.refused(two.acquireTokenSilent(ASK))).code, "no_tokens_found");
});

test("what is no time is refused; without a store there is nothing to look into", async () => {
  for (const maxStalenessMs of [0, -1, 1.5, NaN, "60000", null]) {
    const error = thrown(() => new TokenCache({ maxStalenessMs: maxStalenessMs as number }));
    assertEquals([error.code, "option" in error && error.option], [
      "invalid_option",
      "tokenCache.maxStalenessMs",
    ]);
  }
  const { ask, clock, server } = bench({ tokenCache: new TokenCache({ maxStalenessMs: 1_000 }) });
  await ask();
  await clock.advance(MINUTE_MS);
  assertEquals([(await ask()).metadata.cacheLevel, server.requests.length], ["memory", 1]);
});
