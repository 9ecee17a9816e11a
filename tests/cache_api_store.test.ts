/** the Cache API keeps what the authority publishes, and no token that is not sealed. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CacheError, ClientConfigurationError, type PartitionHints } from "../mod.ts";
import { CacheApiStore, type CacheLike, type CacheSource } from "../src/adapters/cache_api.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const ENGINES = { on: ["deno", "workerd", "workerd-nodejs"] } as const;

/** A cache that keeps everything for ever, as Deno's does. */
function cacheDouble() {
  const kept = new Map<string, { text: string; headers: Headers }>();
  const calls: string[] = [];
  const cache: CacheLike = {
    match: (url) => {
      calls.push(`match ${url}`);
      const found = kept.get(url);
      return Promise.resolve(found && new Response(found.text, { headers: found.headers }));
    },
    put: async (url, response) => {
      calls.push(`put ${url}`);
      kept.set(url, { text: await response.text(), headers: response.headers });
    },
    delete: (url) => {
      calls.push(`delete ${url}`);
      return Promise.resolve(kept.delete(url));
    },
  };
  return { cache, kept, calls, only: () => [...kept.values()][0]! };
}

function scene() {
  const clock = new FakeClock();
  const double = cacheDouble();
  return { clock, ...double, store: new CacheApiStore(double.cache, { clock }) };
}

test("R-127 the end is ours to see to, whatever the cache thinks of max-age", async () => {
  const { clock, store, kept } = scene();
  await store.set("k", "v", { expiresAtMs: clock.now() + 1_500 });
  await clock.advance(1_499);
  assertEquals(await store.get("k"), { value: "v" });
  await clock.advance(1);
  assertEquals([await store.get("k"), kept.size], [undefined, 1]);
});

test("R-127 a response says how long it may be kept, and nothing that a cache would refuse", async () => {
  const lives = [[1, 1], [1_000, 1], [1_001, 2], [HOUR, 3_600], [8e15, 31_536_000], [Infinity, 31_536_000]];
  for (const [lifeMs, seconds] of lives) {
    const { clock, store, only } = scene();
    await store.set("k", "v", { expiresAtMs: clock.now() + lifeMs! });
    const headers = [...only().headers.keys()].sort();
    assertEquals(headers, ["cache-control", "content-type"]);
    assertEquals(only().headers.get("cache-control"), `max-age=${seconds}`);
    assertEquals(await store.get("k"), { value: "v" });
  }
});

test("R-127 what has expired, or has no end that is a time, is deleted and not put", async () => {
  for (const expiresAtMs of [-Infinity, -1, 0, NaN, new FakeClock().now()]) {
    const { clock, store, kept } = scene();
    await store.set("k", "old", { expiresAtMs: clock.now() + HOUR });
    await store.set("k", "v", { expiresAtMs });
    assertEquals(kept.size, 0, `${expiresAtMs}`);
  }
});

test("R-118 R-127 no key gets into an address, and each has its own", async () => {
  const { clock, store, calls } = scene();
  const keys = [
    "",
    "k",
    "K",
    "../k",
    "?k",
    "#k",
    "//evil.example/k",
    "@evil.example",
    "a\r\nb: c",
    "\0",
    "%2e",
    "ä",
  ];
  keys.push("\u{1f600}", "k".repeat(512), "k".repeat(100_000), "uid.utid-login.microsoftonline.com");
  for (const key of keys) await store.set(key, `value of ${key}`, { expiresAtMs: clock.now() + HOUR });
  for (const key of keys) assertEquals(await store.get(key), { value: `value of ${key}` });
  for (const call of calls) {
    assert(/^(put|match) https:\/\/msal-edge\.invalid\/[0-9a-f]{64}$/.test(call), call);
  }
  assertEquals(new Set(calls).size, 2 * keys.length);
});

test("R-127 tokens that are not sealed are refused before anything is written", async () => {
  const { clock, store, calls } = scene();
  const unsealed: PartitionHints[] = [
    { kind: "tokens" },
    { kind: "tokens", sealed: false },
    { kind: "tokens", hasTokens: false },
    { kind: "tokens", sealed: "yes" as unknown as boolean },
  ];
  for (const hints of unsealed) {
    const set = () => store.set("a secret key", "a secret token", { expiresAtMs: clock.now() + HOUR, hints });
    const error = await assertRejects(set, CacheError);
    assertEquals(error.code, "tokens_not_sealed");
    assert(error.message.includes("seal option") && !/secret/.test(JSON.stringify(error)), error.message);
  }
  assertEquals([calls, store.requiresSeal], [[], true]);
});

test("R-127 sealed tokens and documents are kept", async () => {
  const { clock, store } = scene();
  for (const hints of [{ kind: "tokens", sealed: true }, { kind: "http" }] as const) {
    await store.set("k", hints.kind, { expiresAtMs: clock.now() + HOUR, hints });
    assertEquals(await store.get("k"), { value: hints.kind });
  }
});

test("what we did not write is a miss", async () => {
  const { clock, store, only, kept } = scene();
  await store.set("k", "v", { expiresAtMs: clock.now() + HOUR });
  const [url] = [...kept.keys()];
  const { headers } = only();
  const texts = ["", "{", "null", "1", '"v"', "[]", "{}", '{"value":"v"}', '{"value":1,"expiresAtMs":9e15}'];
  texts.push('{"value":"v","expiresAtMs":"9e15"}', '{"value":"v","expiresAtMs":null}', "[".repeat(100_000));
  texts.push('{"__proto__":{"value":"v","expiresAtMs":9e15}}');
  for (const text of texts) {
    kept.set(url!, { text, headers });
    assertEquals(await store.get("k"), undefined, text.slice(0, 50));
  }
});

test("a cache is opened by a function whenever it is used, or was opened before", async () => {
  const { cache } = cacheDouble();
  let opened = 0;
  const open = () => (opened++, Promise.resolve(cache));
  for (const source of [cache, () => cache, open] as CacheSource[]) {
    const store = new CacheApiStore(source);
    await store.set("k", "v", { expiresAtMs: Date.now() + HOUR });
    assertEquals(await store.get("k"), { value: "v" });
    await store.delete("k");
    assertEquals(await store.get("k"), undefined);
  }
  assertEquals(opened, 4);
});

test("what is no cache is refused, by name; a promise too, as it could fail unseen", () => {
  for (const cache of [undefined, null, {}, "default", Promise.resolve(cacheDouble().cache)]) {
    const error = assertThrows(() => new CacheApiStore(cache as CacheLike), ClientConfigurationError);
    assertEquals([error.code, error.message.includes("caches.open")], ["invalid_store", true]);
  }
  assertThrows(() => new CacheApiStore(cacheDouble().cache, 1 as never), ClientConfigurationError);
});

test("a cache that throws at once, or fails, is a rejection", async () => {
  const fail = () => {
    throw new TypeError("no cache here");
  };
  const reject = () => Promise.reject(new TypeError("no cache here"));
  const broken = [fail, reject, { match: fail, put: fail, delete: fail }, {
    match: reject,
    put: reject,
    delete: reject,
  }];
  for (const cache of broken) {
    const store = new CacheApiStore(cache as CacheSource);
    const set = () => store.set("k", "v", { expiresAtMs: Date.now() + HOUR });
    for (const call of [() => store.get("k"), set, () => store.delete("k")]) {
      await assertRejects(call, TypeError);
    }
  }
});

test("on the engine itself: what somebody else put there is a miss, and is replaced", async () => {
  const cache = await caches.open("cache-api-store");
  const urls: string[] = [];
  const spied = (): CacheLike => ({
    match: (url) => (urls.push(url), cache.match(url)),
    put: (url, response) => cache.put(url, response),
    delete: (url) => cache.delete(url),
  });
  const store = new CacheApiStore(spied);
  const key = crypto.randomUUID();
  assertEquals(await store.get(key), undefined);
  const headers = { "cache-control": "max-age=60" };
  for (const text of ["<html>", "{}", '{"value":"v","expiresAtMs":1}']) {
    await cache.put(urls[0]!, new Response(text, { headers }));
    assertEquals(await store.get(key), undefined);
  }
  await store.set(key, "ours", { expiresAtMs: Date.now() + HOUR });
  assertEquals(await store.get(key), { value: "ours" });
  await store.delete(key);
}, ENGINES);
