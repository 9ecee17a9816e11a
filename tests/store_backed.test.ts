/** A token cache over a store that several isolates share: few reads, fewer writes, and no failure of it is theirs. */
import { assert, assertEquals, assertFalse, assertNotEquals } from "@std/assert";
import { type ClientCredentialRequest, type Store, TokenCache } from "../mod.ts";
import { accessTokensOf, document, nodeEntry, NOW, pythonEntry } from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type CountingStore, countingStore, faultyStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import {
  type Bench,
  bench,
  type BenchOptions,
  cached,
  deferred,
  eachRow,
  ISSUER,
  oidcBench,
} from "./support/token_server.ts";

/** A store, and isolates over it: each an application with a memory of its own. */
function world(cas = true) {
  const clock = new FakeClock();
  const store = countingStore(clock, cas);
  const isolate = (options: BenchOptions = {}): Bench =>
    bench({ clock, tokenCache: new TokenCache({ store }), ...options });
  return { clock, store, isolate };
}

/** The one value that a store holds. */
function onlyValue(store: CountingStore): [string, string] {
  assertEquals(store.values.size, 1);
  return [...store.values][0]!;
}

test("a new token costs one write; a warm hit costs nothing", async () => {
  const { store, isolate } = world();
  const { ask } = isolate();
  await ask();
  // One read that misses, one to merge with what others wrote meanwhile.
  assertEquals(store.take(), { get: 2, set: 1, delete: 0 });
  const hit = await ask();
  assertEquals([hit.tokenSource, hit.metadata.cacheLevel], ["cache", "memory"]);
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 });
});

test("R-120 a cold isolate finds the token by one read and no request, and then has it in memory", async () => {
  const { store, isolate, clock } = world();
  await isolate().ask();
  store.take();
  const cold = isolate();
  await clock.advance(1_000);
  const found = await cold.ask();
  assertEquals([found.accessToken, found.tokenSource, found.correlationId], ["AT 1", "cache", ""]);
  assertEquals(found.metadata.cacheLevel, "store");
  assertEquals([store.take(), cold.server.requests.length], [{ get: 1, set: 0, delete: 0 }, 0]);
  assertEquals((await cold.ask()).metadata.cacheLevel, "memory");
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 });
});

test("R-104 of 50 cold callers in one isolate one reads the store", async () => {
  const { store, isolate } = world();
  await isolate().ask();
  store.take();
  const { ask } = isolate();
  await Promise.all(Array.from({ length: 50 }, () => ask()));
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
});

test("a cold hit says that nobody was asked, to the caller and to observers", async () => {
  const { isolate } = world();
  await isolate().ask();
  const cold = isolate();
  const { metadata } = await cold.ask();
  assertEquals(metadata.refreshReason, "not_applicable");
  const told = cold.events.flatMap((event) => event.type === "token_acquired" ? [event.refreshReason] : []);
  assertEquals(told, ["not_applicable"]);
});

test("R-118 keys are hashed, short and tell nothing; hints carry MSAL's name and the expiry", async () => {
  const { store, isolate, clock } = world();
  const requests: Partial<ClientCredentialRequest>[] = [
    {},
    { tenantId: "fabrikam.example" },
    { fmiPath: "agent/\0|".repeat(200) },
    { extraBodyParameters: { a: "b" } },
  ];
  for (const request of requests) await isolate().ask(request);
  await isolate({ clientId: "other_client" }).ask();
  assertEquals(store.values.size, 5);
  for (const key of store.values.keys()) {
    assert(/^[\w.-]{1,512}$/.test(key), key);
    assertFalse(/client|contoso|fabrikam|agent/.test(key), key);
  }
  for (const { options } of store.writes) {
    assertEquals([options.expiresAtMs, options.hints?.kind], [clock.now() + 3_600_000, "tokens"]);
  }
  assertEquals(
    store.writes[0]?.options.hints?.suggestedKey,
    "my_client_contoso.onmicrosoft.com_AppTokenCache",
  );
});

test("aliases of a cloud and spellings of a tenant share a partition", async () => {
  const { store, isolate } = world();
  await isolate().ask();
  for (
    const authority of [
      "https://login.windows.net/CONTOSO.onmicrosoft.com",
      "https://sts.windows.net/contoso.onmicrosoft.com",
    ]
  ) {
    assertEquals((await isolate({ authority }).ask()).tokenSource, "cache", authority);
  }
  assertEquals(store.values.size, 1);
});

test("R-117 an issuer with capitals in its path is stored, found and removed like any other", async () => {
  const { store, clock } = world();
  const isolate = () =>
    oidcBench({ clock, oidcAuthority: `${ISSUER}/Realms/Main`, tokenCache: new TokenCache({ store }) });
  await isolate().ask({ scopes: ["read"] });
  assertEquals(store.values.size, 1);
  const cold = isolate();
  assertEquals((await cold.ask({ scopes: ["read"] })).tokenSource, "cache");
  await cold.app.removeTokensForClient();
  assertEquals(store.values.size, 0);
});

test("the stored value is MSAL's JSON: tokens of this partition, other sections kept", async () => {
  const { store, isolate, clock } = world();
  await isolate().ask();
  const [key, text] = onlyValue(store);
  const value = JSON.stringify({ ...JSON.parse(text), Note: { kept: true } });
  await store.set(key, value, { expiresAtMs: clock.now() + 3_600_000 });
  await clock.advance(3_400_000);
  await isolate().ask();
  const now = JSON.parse(store.values.get(key)!);
  assertEquals([Object.keys(now.AccessToken).length, now.Note], [1, { kept: true }]);
});

test("R-112 a lost race merges both tokens, and no write is lost", async () => {
  for (const cas of [true, false]) {
    const { store, clock } = world(cas);
    const isolate = () => oidcBench({ clock, tokenCache: new TokenCache({ store }) });
    const [one, two] = [isolate(), isolate()];
    await one.ask({ scopes: ["first"] });
    store.take();
    if (cas) {
      // Between the other's read and its write somebody writes: the write is refused, and tried again.
      store.beforeSet = async () => {
        store.beforeSet = undefined;
        await one.ask({ scopes: ["meanwhile"] });
      };
    }
    await two.ask({ scopes: ["second"] });
    if (!cas) await one.ask({ scopes: ["meanwhile"] });
    const targets = Object.values(accessTokensOf(onlyValue(store)[1])).map(({ target }) => target);
    assertEquals(targets.sort(), ["first", "meanwhile", "second"], `cas ${cas}`);
    assert(store.take().set <= 3);
  }
});

test("R-112 a store that refuses every write costs an end, not an endless loop, and the caller nothing", async () => {
  const { store, isolate } = world();
  store.set = () => {
    store.calls.push("set refused");
    return Promise.resolve({ ok: false });
  };
  const { ask } = isolate();
  assertEquals((await ask()).accessToken, "AT 1");
  assert(store.take().set <= 5);
  assertEquals((await ask()).tokenSource, "cache");
});

test("R-112 a store without compare-and-set is never sent a version", async () => {
  const { store, isolate } = world(false);
  await isolate().ask();
  await isolate().ask({ fmiPath: "a" });
  assertEquals(store.writes.map(({ options }) => "ifVersion" in options), [false, false]);
});

const FOREIGN: Record<string, string> = {
  "no JSON": "<html>",
  "nothing": "",
  "half a document": '{"AccessToken":{"k":{"secret":"x',
  "an array": "[]",
  "null": "null",
  "no section": '{"Note":1}',
  "a wrong section": '{"AccessToken":[1,2,3]}',
  "hostile": '{"__proto__":{"polluted":1},"AccessToken":{"__proto__":{}}}',
  "deep": "[".repeat(10_000),
  "another client's": document({ k: pythonEntry({ client_id: "other" }) }),
  "another tenant's": document({ k: pythonEntry({ realm: "fabrikam" }) }),
  "another cloud's": document({ k: pythonEntry({ environment: "login.microsoftonline.us" }) }),
  "a user's": document({ k: pythonEntry({ home_account_id: "uid.utid" }) }),
  "a path's": document({ k: pythonEntry({ ext_cache_key: "h" }) }),
  "a path's, by Node": document({ k: nodeEntry({ additionalCacheKeyComponents: { fmi_path: "a" } }) }),
  "a path's, by .NET": document({ k: nodeEntry({ ext: { fmi_path: "a" } }) }),
  "bound to a key": document({ k: pythonEntry({ key_id: "k" }) }),
  "an assertion's": document({ k: nodeEntry({ userAssertionHash: "h" }) }),
  "expired": document({ k: pythonEntry({ expires_on: String(NOW - 1) }) }),
};

test("R-117 R-121 R-124 a value that is corrupt or another partition's is a miss, and is replaced", async () => {
  await eachRow(FOREIGN, async (text) => {
    const { store, isolate, clock } = world();
    await isolate().ask();
    const [key] = onlyValue(store);
    await store.set(key, text, { expiresAtMs: clock.now() + 3_600_000 });
    const cold = isolate();
    cold.server.next({ access_token: "a new one" });
    assertEquals((await cold.ask()).accessToken, "a new one");
    assertEquals((await isolate().ask()).accessToken, "a new one");
    const secrets = Object.values(accessTokensOf(store.values.get(key)!)).map(({ secret }) => secret);
    assert(secrets.includes("a new one"));
    assertEquals([cold.count("token_failed"), ({} as { polluted?: number }).polluted], [0, undefined]);
  });
});

test("R-117 a path's partition does not take plain tokens, nor another path's", async () => {
  const other = "n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg";
  for (const over of [{}, { ext_cache_key: other }, { additionalCacheKeyComponents: { fmi_path: "b" } }]) {
    const { store, isolate, clock } = world();
    await isolate().ask({ fmiPath: "a" });
    const [key] = onlyValue(store);
    await store.set(key, document({ k: pythonEntry(over) }), { expiresAtMs: clock.now() + 3_600_000 });
    const cold = isolate();
    await cold.ask({ fmiPath: "a" });
    assertEquals(cold.server.requests.length, 1);
  }
});

test("R-117 tokens of two partitions in one memory do not end up in one value", async () => {
  const { store, isolate } = world();
  const { ask } = isolate();
  for (const request of [{}, { fmiPath: "a" }, { fmiPath: "b" }, { tenantId: "fabrikam.example" }]) {
    await ask(request);
  }
  assertEquals(store.values.size, 4);
  for (const text of store.values.values()) assertEquals(Object.keys(accessTokensOf(text)).length, 1);
});

function boom(): never {
  throw new TypeError("canary of the store");
}

const FAULTS: Record<string, [Partial<Store>, number]> = {
  "throws": [faultyStore(boom), 0],
  "rejects": [faultyStore(() => Promise.reject(new Error("canary of the store"))), 0],
  "rejects with no error": [faultyStore(() => Promise.reject("canary of the store")), 0],
  "hangs": [faultyStore(() => new Promise<never>(() => {})), 8_000],
  "reads but does not write": [faultyStore(boom, { get: () => Promise.resolve(undefined) }), 0],
  "hangs in writes": [
    faultyStore(() => new Promise<never>(() => {}), { get: () => Promise.resolve(undefined) }),
    8_000,
  ],
  "gives what is no value": [
    faultyStore(boom, {
      get: () => Promise.resolve({ value: 7 } as never),
      set: () => Promise.resolve(null as never),
    }),
    0,
  ],
  "gives null": [faultyStore(boom, { get: () => Promise.resolve(null as never) }), 0],
  "gives a promise of nothing for a write": [
    faultyStore(boom, {
      cas: true,
      get: () => Promise.resolve(undefined),
      set: () => Promise.resolve() as never,
    }),
    0,
  ],
};

test("R-128 R-110 a store that throws, hangs or lies costs a bounded wait and events, never the token", async () => {
  await eachRow(FAULTS, async ([store, ms], name) => {
    const { askFor, ask, events, clock } = cached({ tokenCache: new TokenCache({ store: store as Store }) });
    assertEquals((await askFor(ms)).accessToken, "AT 1");
    assertEquals((await ask()).tokenSource, "cache");
    const failed = events.filter(({ type }) => type === "cache_failed");
    if (!name.startsWith("gives")) assertNotEquals(failed.length, 0);
    assertFalse(JSON.stringify(events).includes("canary"));
    assertEquals(clock.pending, 0);
  });
});

test("R-110 R-128 with a waitUntil nobody waits for the write, and it is made", async () => {
  const { store, isolate } = world();
  const kept: Promise<unknown>[] = [];
  const { promise, resolve } = deferred<void>();
  store.beforeSet = () => promise;
  const { ask } = isolate();
  assertEquals((await ask({ waitUntil: (work) => void kept.push(work) })).accessToken, "AT 1");
  assertEquals(store.values.size, 0);
  resolve();
  await Promise.all(kept);
  assertEquals(store.values.size, 1);
});

test("R-110 with detached nobody waits for the write either", async () => {
  const { store, isolate, clock } = world();
  const { promise, resolve } = deferred<void>();
  store.beforeSet = () => promise;
  assertEquals((await isolate({ waitUntil: "detached" }).ask()).accessToken, "AT 1");
  assertEquals(store.values.size, 0);
  resolve();
  await clock.advance(0);
  assertEquals([store.values.size, clock.pending], [1, 0]);
});

test("R-110 a waitUntil that fails the second time does not cost the token that has just come", async () => {
  const { isolate, store, clock } = world();
  let calls = 0;
  const waitUntil = () => {
    if (++calls > 1) throw new TypeError("the response was sent");
  };
  assertEquals((await isolate().ask({ waitUntil })).accessToken, "AT 1");
  // The write goes on all the same.
  while (store.values.size === 0) await clock.advance(0);
});

test("R-113 a token that replaces another one within the same second is the one that stays", async () => {
  // Times are whole seconds: the store's copy of the old token must not come back as the newer one.
  const { isolate } = world();
  const one = isolate();
  await one.ask();
  assertEquals((await one.ask({ claims: '{"access_token":{"nbf":{"value":"1"}}}' })).accessToken, "AT 2");
  assertEquals((await one.ask()).accessToken, "AT 2");
  assertEquals((await isolate().ask()).accessToken, "AT 2");
});

test("two applications over one cache and store see each other's tokens at once", async () => {
  const { store, clock } = world();
  const tokenCache = new TokenCache({ store });
  const [one, two] = [bench({ clock, tokenCache }), bench({ clock, tokenCache })];
  await one.ask();
  store.take();
  assertEquals((await two.ask()).metadata.cacheLevel, "memory");
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 });
});

test("A43 what one isolate removed is not written again by another one that still has it in memory", async () => {
  const { store, isolate } = world();
  const [one, two] = [isolate(), isolate()];
  await one.ask();
  await two.ask();
  await one.app.removeTokensForClient();
  await two.ask({ scopes: ["https://vault.azure.net/.default"] });
  const [key] = onlyValue(store);
  const targets = Object.values(accessTokensOf(store.values.get(key)!)).map(({ target }) => target);
  assertEquals(targets, ["https://vault.azure.net/.default"]);
});
