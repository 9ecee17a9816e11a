/** Removing app tokens: those that were meant, everywhere, and for good. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CacheError, ClientConfigurationError, type RemoveTokensRequest, TokenCache } from "../mod.ts";
import { accessTokensOf, document, PYTHON_KEY, pythonEntry, USER_SECTIONS } from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { partitionsIn } from "./support/locking_store.ts";
import { countingStore, faultyStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, cached, eachRow, gate, oidcBench, oidcCached } from "./support/token_server.ts";

test("A43 app tokens go, users' tokens and other clients' tokens stay", async () => {
  const user = pythonEntry({ home_account_id: "uid.utid", secret: "AT for user" });
  const other = pythonEntry({ client_id: "other", secret: "AT for other" });
  const { app, ask, tokenCache } = cached();
  tokenCache.deserialize(document({ [PYTHON_KEY]: pythonEntry(), user, other }, USER_SECTIONS));
  await ask({ tenantId: "fabrikam.example" });
  assertEquals(tokenCache.size, 4);
  await app.removeTokensForClient();
  const { AccessToken, ...sections } = JSON.parse(tokenCache.serialize());
  assertEquals([AccessToken, sections], [{ user, other }, USER_SECTIONS]);
  assertEquals((await ask()).tokenSource, "identity_provider");
});

/** What is in the cache, by name: tenant and path. */
const TOKENS = {
  "home": {},
  "home of path a": { fmiPath: "a" },
  "home of path b": { fmiPath: "b" },
  "home of path a with more": { fmiPath: "a", extraBodyParameters: { x: "1" } },
  "other": { tenantId: "fabrikam.example" },
  "other of path a": { tenantId: "fabrikam.example", fmiPath: "a" },
} as const;

const REMOVALS: Record<string, [RemoveTokensRequest, (name: string) => boolean]> = {
  "all": [{}, () => true],
  "all, members undefined": [{ tenantId: undefined, fmiPath: undefined }, () => true],
  "a tenant": [{ tenantId: "fabrikam.example" }, (name) => name.startsWith("other")],
  "a tenant in capitals": [{ tenantId: "FABRIKAM.example" }, (name) => name.startsWith("other")],
  "the home tenant": [{ tenantId: "contoso.onmicrosoft.com" }, (name) => name.startsWith("home")],
  "a path": [{ fmiPath: "a" }, (name) => name.includes("path a")],
  "a path of a tenant": [
    { fmiPath: "a", tenantId: "fabrikam.example" },
    (name) => name === "other of path a",
  ],
  "a tenant that nobody has": [{ tenantId: "nobody.example" }, () => false],
  "a path that nobody has": [{ fmiPath: "c" }, () => false],
};

test("A43 tokens are removed by tenant, by path, by both, or all", async () => {
  await eachRow(REMOVALS, async ([removal, gone]) => {
    for (const serialised of [false, true]) {
      const { app, ask, tokenCache, server, clock } = cached();
      for (const request of Object.values(TOKENS)) await ask(request);
      if (serialised) tokenCache.deserialize(tokenCache.serialize());
      await app.removeTokensForClient(removal);
      await clock.advance(1);
      const before = server.requests.length;
      const missing: string[] = [];
      for (const [name, request] of Object.entries(TOKENS)) {
        if ((await ask(request)).tokenSource !== "cache") missing.push(name);
      }
      assertEquals(missing, Object.keys(TOKENS).filter(gone), `serialised ${serialised}`);
      assertEquals(server.requests.length - before, missing.length);
    }
  });
});

test("A43 a removal that makes no sense is refused and removes nothing", async () => {
  const removals = [{ tenantId: "common" }, { tenantId: "a b" }, { fmiPath: "" }, { fmiPath: 7 }, {
    tenantId: null,
  }];
  for (const removal of removals) {
    const { app, ask } = bench();
    await ask();
    await assertRejects(() => app.removeTokensForClient(removal as never), ClientConfigurationError);
    assertEquals((await ask()).tokenSource, "cache");
  }
  const { app } = oidcBench();
  await assertRejects(() => app.removeTokensForClient({ tenantId: "a.example" }), ClientConfigurationError);
  await app.removeTokensForClient();
});

test("R-116 a flight that is under way does not bring the token back", async () => {
  for (const removal of [{}, { tenantId: "contoso.onmicrosoft.com" }]) {
    const { app, ask, server, clock, tokenCache } = cached();
    const late = gate();
    server.next(late.answer);
    const call = ask();
    await clock.advance(1);
    await app.removeTokensForClient(removal);
    late.open();
    assertEquals((await call).accessToken, "AT late");
    assertEquals(tokenCache.size, 0);
    await clock.advance(1);
    assertEquals([(await ask()).accessToken, (await ask()).tokenSource], ["AT 2", "cache"]);
  }
});

test("R-116 a background refresh that is under way does not bring the token back", async () => {
  const { app, ask, server, clock, tokenCache } = cached({ waitUntil: "detached" });
  server.next({ refresh_in: 1 });
  await ask();
  await clock.advance(1_000);
  const late = gate();
  server.next(late.answer);
  await ask();
  await clock.advance(1);
  await app.removeTokensForClient();
  late.open();
  await clock.advance(1);
  assertEquals(tokenCache.size, 0);
});

test("R-116 R-201 a token that is asked for after a removal is cached, even if the clock stands still", async () => {
  // In workerd the clock does not move between two awaits that do no I/O.
  const { app, ask, server } = bench();
  await ask();
  await app.removeTokensForClient();
  assertEquals((await ask()).accessToken, "AT 2");
  assertEquals([(await ask()).tokenSource, server.requests.length], ["cache", 2]);
});

test("R-116 R-201 a clock that jumps back after a removal does not keep new tokens out", async () => {
  const clock = new FakeClock();
  let offset = 0;
  const jumping = {
    now: () => clock.now() + offset,
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: clock.clearTimeout.bind(clock),
  };
  const { app, ask, server } = bench({ clock: jumping as FakeClock });
  await app.removeTokensForClient();
  offset = -3_600_000;
  await ask();
  assertEquals([(await ask()).tokenSource, server.requests.length], ["cache", 1]);
});

test("R-116 removing one tenant's tokens does not keep another one's out of the cache", async () => {
  const { app, ask, server, clock } = bench();
  const late = gate();
  server.next(late.answer);
  const call = ask({ tenantId: "fabrikam.example" });
  await clock.advance(1);
  await app.removeTokensForClient({ tenantId: "contoso.onmicrosoft.com" });
  late.open();
  await call;
  assertEquals((await ask({ tenantId: "fabrikam.example" })).tokenSource, "cache");
});

test("a removed token is gone from everywhere, also if another one took its name", async () => {
  // Asked for x: granted x, later y. What was granted first must not stay behind where nobody finds it.
  const { app, server, tokenCache, ask } = oidcCached();
  server.next({ expires_in: 200 }, { scope: "y" });
  await ask({ scopes: ["x"] });
  await ask({ scopes: ["x"] });
  await app.removeTokensForClient();
  assertEquals([tokenCache.size, accessTokensOf(tokenCache.serialize())], [0, {}]);
});

test("A43 partitions of a store are deleted, each once, those of other tenants and paths are not", async () => {
  const clock = new FakeClock();
  const rows: Record<string, [RemoveTokensRequest, number]> = {
    "all": [{}, 0],
    "a tenant": [{ tenantId: "fabrikam.example" }, 4],
    "a path": [{ fmiPath: "b" }, 5],
  };
  await eachRow(rows, async ([removal, left]) => {
    const store = countingStore(clock);
    const { app, ask } = bench({ clock, tokenCache: new TokenCache({ store }) });
    for (const request of Object.values(TOKENS)) await ask(request);
    assertEquals(store.values.size, 6);
    store.calls.length = 0;
    await app.removeTokensForClient(removal);
    assertEquals(store.values.size, left);
    assertEquals(new Set(store.calls).size, store.calls.length, "a partition was deleted twice");
    const cold = bench({ clock, tokenCache: new TokenCache({ store }) });
    const sources = [];
    for (const request of Object.values(TOKENS)) sources.push((await cold.ask(request)).tokenSource);
    assertEquals(sources.filter((source) => source === "cache").length, left);
  });
});

test("A43 a cold isolate removes the partition that the request names, without having read it", async () => {
  const clock = new FakeClock();
  for (const request of [{}, { tenantId: "fabrikam.example" }, { fmiPath: "a" }]) {
    const store = countingStore(clock);
    await bench({ clock, tokenCache: new TokenCache({ store }) }).ask(request);
    await bench({ clock, tokenCache: new TokenCache({ store }) }).app.removeTokensForClient(request);
    assertEquals(store.values.size, 0);
  }
});

test("R-116 a write to the store that is under way does not bring the token back", async () => {
  const clock = new FakeClock();
  for (const cas of [true, false]) {
    const store = countingStore(clock, cas);
    const { app, ask } = bench({ clock, tokenCache: new TokenCache({ store }) });
    let removal: Promise<void> | undefined;
    store.beforeSet = async () => {
      store.beforeSet = undefined;
      await (removal = app.removeTokensForClient());
    };
    await ask();
    await removal;
    assertEquals(partitionsIn(store), 0, `cas ${cas}`);
  }
});

test("R-128 a removal from a store that fails removes from the memory, and throws: who removes after a leak must know", async () => {
  const store = faultyStore(() => Promise.reject(new Error("down")));
  const { app, ask, count } = bench({ tokenCache: new TokenCache({ store }) });
  await ask();
  const before = count("cache_failed");
  const error = await assertRejects(() => app.removeTokensForClient(), CacheError);
  assertEquals(error.code, "cache_write_failed");
  assert(count("cache_failed") > before);
  assertEquals((await ask()).tokenSource, "identity_provider");
});
