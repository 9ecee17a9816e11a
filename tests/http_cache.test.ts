/** The HTTP cache and the stores behind it: failing stores, bounds, and who may write to it. */
import { assert, assertEquals } from "@std/assert";
import {
  CacheError,
  isAuthError,
  MemoryStore,
  ServerError,
  type Store,
  type StoredValue,
  TokenCache,
} from "../mod.ts";
import {
  answer,
  errorAnswer,
  type Fixture,
  fixture,
  SCOPE,
  SECRET,
  settle,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const never = (): Promise<never> => new Promise(() => {});
const reject = (): Promise<never> => Promise.reject(new RangeError("store down"));
const throwNow = (): never => {
  throw new TypeError("store down");
};
const gives = <T>(value: T) => (): Promise<T> => Promise.resolve(value);

/** A store whose methods all do the same. */
const all = (does: () => unknown): Store => ({ cas: true, get: does, set: does, delete: does }) as Store;

/** Stores that fail or lie, and whether that is worth an event. */
const STORES: [string, Store, boolean][] = [
  ["throws at once", all(throwNow), true],
  ["rejects", all(reject), true],
  ["hangs", all(never), true],
  ["gives undefined, and no promise", all(() => undefined), false],
  ["gives null", all(gives(null)), false],
  ["gives a number", all(gives(5)), true],
  ["gives a text", all(gives("x")), true],
  ["gives itself", all(gives({ ok: "yes" })), true],
  ["is a Map", new Map() as unknown as Store, false],
  ["reads junk", { ...all(gives({ ok: true })), get: gives({ value: "junk" }) } as Store, false],
  ["reads JSON null", { ...all(gives({ ok: true })), get: gives({ value: "null" }) } as Store, false],
  ["reads a list", { ...all(gives({ ok: true })), get: gives({ value: "[]" }) } as Store, false],
  ["reads no text", { ...all(gives({ ok: true })), get: gives({ value: 5 }) } as unknown as Store, true],
  [
    "reads a bomb",
    { ...all(gives({ ok: true })), get: gives({ value: "[".repeat(100_000) }) } as Store,
    false,
  ],
  ["never agrees to a write", { ...all(gives({ ok: false })), get: gives(undefined) } as Store, false],
  ["can be read but not written", { ...all(reject), get: gives(undefined) } as Store, true],
  ["can be written but not read", { ...all(gives({ ok: true })), get: reject } as Store, true],
];
for (const [what, store, tells] of STORES) {
  for (const option of ["tokenCache", "httpCache"] as const) {
    test(`R-128 a ${option} that ${what}: calls succeed, fail and are removed as ever${tells ? ", and an event tells" : ""}`, async () => {
      const { app, acquire, refused, events, http, clock } = fixture([tokenAnswer(), errorAnswer(400, "x")], {
        [option]: option === "httpCache" ? store : new TokenCache({ store }),
      });
      assertEquals((await acquire()).accessToken, "AT");
      assertEquals([(await acquire()).tokenSource, http.requests.length], ["cache", 1]);
      const error = await refused({ tenantId: "other.example" });
      assertEquals("error" in error && error.error, "x");
      // That the store keeps them is not kept from who removes them.
      await settle(clock, app.removeTokensForClient().catch((error) => assert(isAuthError(error))));
      assertEquals(clock.pending, 0);
      const failures = events.flatMap((event) => event.type === "cache_failed" ? [event.error] : []);
      assertEquals(failures.length > 0, tells);
      for (const failure of failures) {
        assert(failure instanceof CacheError && failure.message.includes(option));
        assert(!failure.message.includes("store down"));
      }
    });
  }
}

test("R-128 a store that fails in the background rejects nothing that nobody listens to", async () => {
  for (const store of [all(throwNow), all(reject), all(gives(null))]) {
    const kept: Promise<unknown>[] = [];
    const { acquire, clock } = fixture([tokenAnswer()], {
      tokenCache: new TokenCache({ store }),
      waitUntil: (promise) => void kept.push(promise.then(() => "kept", () => "rejected")),
    });
    await acquire();
    assertEquals([...new Set(await settle(clock, Promise.all(kept)))], ["kept"]);
    assert(kept.length > 0);
  }
});

test("R-128 a store that hangs costs a call a bounded time", async () => {
  const clock = new FakeClock();
  const started = clock.now();
  const { acquire } = fixture([tokenAnswer()], {
    tokenCache: new TokenCache({ store: all(never) }),
    httpCache: all(never),
  }, clock);
  await acquire();
  assert(clock.now() - started <= 12_000, `${clock.now() - started} ms`);
});

const busy = (retryAfter: string) => answer(429, "{}", { "retry-after": retryAfter });

test("R-180 R-187 1024 entries are kept by default; the one that expires first goes first", async () => {
  const clock = new FakeClock();
  const httpCache = new MemoryStore({ clock });
  // The first one asked for expires last, so age is not what counts.
  const one = fixture(({ url }) => busy(String(3_000 - Number(/t(\d+)\.example/.exec(url)?.[1]))), {
    httpCache,
    onEvent: undefined,
    logger: undefined,
  }, clock);
  for (let n = 0; n < 1_030; n++) await failing(one, n);
  assertEquals([httpCache.size, one.http.requests.length], [1_024, 1_030]);
  for (const n of [0, 1, 500, 1_023]) await failing(one, n);
  assertEquals(one.http.requests.length, 1_030);
  for (const n of [1_029, 1_024]) await failing(one, n);
  assertEquals(one.http.requests.length, 1_032);
});

async function failing({ app }: Fixture, n: number): Promise<void> {
  const request = { scopes: ["x/.default"], tenantId: `t${n}.example` };
  await app.acquireTokenForClient(request).then(() => assert(false), () => {});
}

test("R-187 MemoryStore: an expired value is gone; versions are compared", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const expiresAtMs = clock.now() + 1_000;
  await store.set("a", "1", { expiresAtMs });
  const { version } = await store.get("a") as StoredValue;
  assertEquals((await store.set("a", "2", { expiresAtMs, ifVersion: null })).ok, false);
  assertEquals((await store.set("a", "2", { expiresAtMs, ifVersion: "other" })).ok, false);
  assertEquals((await store.set("a", "2", { expiresAtMs, ifVersion: version! })).ok, true);
  await clock.advance(1_000);
  assertEquals(await store.get("a"), undefined);
  assertEquals((await store.set("a", "3", { expiresAtMs: expiresAtMs + 9_000, ifVersion: null })).ok, true);
});

test("R-187 MemoryStore: writing one key a hundred thousand times keeps one value, and it is the last", async () => {
  const store = new MemoryStore({ maxEntries: 4 });
  for (let n = 0; n < 100_000; n++) {
    await store.set("k", String(n), { expiresAtMs: Date.now() + 60_000 + (n % 7) });
  }
  assertEquals([store.size, (await store.get("k"))?.value], [1, "99999"]);
});

/** A store that a test can read and forge. */
function openStore(): { store: Store; held: Map<string, string> } {
  const held = new Map<string, string>();
  const store: Store = {
    cas: false,
    get: (key) => Promise.resolve(held.has(key) ? { value: held.get(key)! } : undefined),
    set: (key, value) => (held.set(key, value), Promise.resolve({ ok: true })),
    delete: (key) => (held.delete(key), Promise.resolve()),
  };
  return { store, held };
}

test("R-170 an entry holds codes only: no description, no secret, no name in its key", async () => {
  const { store, held } = openStore();
  const members = {
    error_description: "AADSTS7000215: jane@contoso.example",
    suberror: "x",
    error_codes: [7],
    claims: "{}",
    trace_id: "t-1",
  };
  await fixture([errorAnswer(400, "invalid_grant", members)], { httpCache: store }).refused();
  const [[key = "", value = ""] = []] = held;
  assertEquals([held.size, /^msal-edge\.http\.v1\.[\w-]{43}$/.test(key)], [1, true]);
  assert(!/jane|contoso|graph|t-1/.test(key + value) && !value.includes(SECRET), value);
  assert(key.length <= 512);
});

/** A client whose one entry in the store was replaced after it was throttled. */
async function replaced(forge: (value: string) => string): Promise<Fixture> {
  const { store, held } = openStore();
  const one = fixture([busy("60"), tokenAnswer()], { httpCache: store });
  await one.refused();
  const [[key = "", value = ""] = []] = held;
  held.set(key, forge(value));
  return one;
}

test("R-180 an entry that nobody touched is believed, one that a store kept beyond its time is not", async () => {
  const one = await replaced((value) => value);
  assertEquals([(await one.refused()).code, one.http.requests.length], ["throttled", 1]);
  await one.clock.advance(60_000);
  assertEquals([(await one.acquire()).accessToken, one.http.requests.length], ["AT", 2]);
});

const edit = (members: Record<string, unknown>) => (value: string): string =>
  JSON.stringify({ ...JSON.parse(value), ...members });
const WRECKED: [string, (value: string) => string][] = [
  ["nothing", () => ""],
  ["null", () => "null"],
  ["a text", () => '"x"'],
  ["a list", () => "[]"],
  ["half of it", (value) => value.slice(0, value.length / 2)],
  ["an empty object", () => "{}"],
  ["no time", edit({ untilMs: undefined })],
  ["a time of null", edit({ untilMs: null })],
  ["a time that is no number", edit({ untilMs: "soon" })],
  ["a time further away than any Retry-After", edit({ untilMs: 9e15 })],
  ["no status", edit({ status: undefined })],
  ["a success", edit({ status: 200 })],
  ["a status that is none", edit({ status: "<p>" })],
  ["no error", edit({ error: undefined })],
  ["an error with markup", edit({ error: "<script>" })],
  ["an error with lines", edit({ error: "x\r\ny" })],
  ["an error without end", edit({ error: "x".repeat(9_999) })],
  ["codes that are no list", edit({ errorCodes: "x" })],
  ["codes that are no numbers", edit({ errorCodes: ["<p>", null, {}] })],
  ["a suberror with markup", edit({ suberror: "<script>" })],
  ["a suberror of the wrong kind", edit({ suberror: { x: 1 } })],
];
for (const [what, forge] of WRECKED) {
  test(`R-128 R-179 decision 8: an entry with ${what} breaks nothing: it is a miss, or told without what is wrong in it`, async () => {
    const { app, clock, http } = await replaced(forge);
    const call = settle(clock, app.acquireTokenForClient({ scopes: [SCOPE] }));
    const outcome = await call.then((result) => result.accessToken, (error) => error);
    if (outcome === "AT") return assertEquals(http.requests.length, 2);
    assert(outcome instanceof ServerError, String(outcome));
    assertEquals([outcome.status, outcome.code, outcome.throttledLocally], [429, "throttled", true]);
    assert((outcome.retryAfterSeconds ?? 9e9) <= 3600, String(outcome.retryAfterSeconds));
    assert(!/[<\n]|xxxx|Object/.test(`${outcome.message}${JSON.stringify(outcome)}`), outcome.message);
  });
}

test("decision 8: an entry of another request is not found, since each has a name of its own", async () => {
  const { store, held } = openStore();
  const one = fixture(() => busy("60"), { httpCache: store });
  await one.refused();
  await one.refused({ tenantId: "other.example" });
  await one.refused({ claims: "{}" });
  const other = fixture(() => busy("60"), { httpCache: store, clientCredential: "another" });
  await other.refused();
  assertEquals([held.size, one.http.requests.length, other.http.requests.length], [4, 3, 1]);
});
