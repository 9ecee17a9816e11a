/** Workers KV's units and limits, hidden. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClientConfigurationError } from "../mod.ts";
import { type KvNamespaceLike, WorkersKvStore } from "../src/adapters/workers_kv.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { kvDouble } from "./support/kv_double.ts";
import { test, workersContext } from "./support/suite.ts";

const SECOND = 1_000;
const YEAR = 365 * 86_400 * SECOND;
const WORKERD = { on: ["workerd", "workerd-nodejs"] } as const;

function scene() {
  const clock = new FakeClock();
  const kv = kvDouble();
  return { clock, kv, store: new WorkersKvStore(kv, { clock }) };
}

function real() {
  const kv = workersContext()!.env.KV as KvNamespaceLike & {
    put(key: string, value: string, options?: object): Promise<void>;
  };
  return { kv, store: new WorkersKvStore(kv), key: `kv.${crypto.randomUUID()}` };
}

test("R-125 a life under 60 s is stretched for KV, and still ends when it should", async () => {
  const { clock, kv, store } = scene();
  await store.set("k", "brief", { expiresAtMs: clock.now() + 5 * SECOND });
  assertEquals(kv.puts[0]!.expirationTtl, 60);
  await clock.advance(5 * SECOND - 1);
  assertEquals(await store.get("k"), { value: "brief" });
  await clock.advance(1);
  assertEquals(await store.get("k"), undefined);
  assert(kv.kept.has("k"));
});

test("R-125 KV never forgets a value before its end", async () => {
  const lives = [[1, 60], [59_001, 60], [60_000, 60], [60_001, 61], [3_600_000, 3_600], [
    YEAR,
    YEAR / SECOND,
  ]];
  for (const [lifeMs, seconds] of lives) {
    const { clock, kv, store } = scene();
    await store.set("k", "v", { expiresAtMs: clock.now() + lifeMs! });
    assertEquals(kv.puts[0]!.expirationTtl, seconds, `${lifeMs} ms`);
  }
});

test("R-125 an end beyond all dates is ten years for KV, and read until then", async () => {
  for (const expiresAtMs of [8.64e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Infinity]) {
    const { kv, store } = scene();
    await store.set("k", "v", { expiresAtMs });
    assertEquals(kv.puts[0]!.expirationTtl, 315_360_000);
    assertEquals(await store.get("k"), { value: "v" });
  }
});

test("R-125 what has expired, or has no end that is a time, is deleted and not put", async () => {
  for (const expiresAtMs of [-Infinity, -1, 0, NaN, new FakeClock().now()]) {
    const { kv, store } = scene();
    kv.kept.set("k", { value: "old", metadata: null });
    assertEquals(await store.set("k", "v", { expiresAtMs }), { ok: true });
    assertEquals([kv.writes, kv.kept.size], [["delete"], 0], `${expiresAtMs}`);
  }
});

test("the text in KV is the text that was set, for other programs to read", async () => {
  const { clock, kv, store } = scene();
  const expiresAtMs = clock.now() + 3_600_000;
  await store.set("k", '{"AccessToken":{}}', { expiresAtMs });
  assertEquals(kv.kept.get("k"), { value: '{"AccessToken":{}}', metadata: { expiresAtMs } });
});

test("a value of somebody else's counts, whatever its metadata are", async () => {
  const { clock, kv, store } = scene();
  const metadata = [
    null,
    undefined,
    0,
    "",
    "expiresAtMs",
    [],
    [0],
    {},
    { expiresAtMs: null },
    {
      expiresAtMs: "0",
    },
    { expiresAtMs: {} },
    { expiresAt: 0 },
  ];
  for (const one of metadata) {
    kv.kept.set("k", { value: "foreign", metadata: one });
    assertEquals(await store.get("k"), { value: "foreign" }, JSON.stringify(one));
  }
  for (const expiresAtMs of [-1, 0, clock.now()]) {
    kv.kept.set("k", { value: "foreign", metadata: { expiresAtMs } });
    assertEquals(await store.get("k"), undefined, `${expiresAtMs}`);
  }
});

test("what is no text is a miss", async () => {
  const { kv, store } = scene();
  for (const value of [null, undefined, 1, {}, new Uint8Array(1)]) {
    kv.kept.set("k", { value, metadata: null });
    assertEquals(await store.get("k"), undefined);
  }
});

test("R-125 cacheTtl is for reads that may be old, and never below 30 s", async () => {
  const kv = kvDouble();
  const store = new WorkersKvStore(kv, { cacheTtl: 30 });
  await store.get("k");
  await store.get("k", { consistency: "eventual" });
  await store.get("k", { consistency: "strong" });
  await new WorkersKvStore(kv).get("k");
  const [cached, plain] = [{ type: "text", cacheTtl: 30 }, { type: "text" }];
  assertEquals<unknown>(kv.reads, [cached, cached, plain, plain]);
  for (const cacheTtl of [29, 0, -60, 30.5, NaN, Infinity, "60", null]) {
    const error = assertThrows(
      () => new WorkersKvStore(kv, { cacheTtl: cacheTtl as number }),
      ClientConfigurationError,
    );
    assertEquals([error.code, error.option], ["invalid_option", "cacheTtl"], `${cacheTtl}`);
  }
});

test("what is no namespace is refused, by name", () => {
  for (const namespace of [undefined, null, {}, "TOKENS", new Map()]) {
    const error = assertThrows(
      () => new WorkersKvStore(namespace as unknown as KvNamespaceLike),
      ClientConfigurationError,
    );
    assertEquals(error.code, "invalid_store");
  }
  assertThrows(() => new WorkersKvStore(kvDouble(), null as unknown as object), ClientConfigurationError);
});

test("a namespace that throws at once, or fails, is a rejection", async () => {
  const broken = () => {
    throw new TypeError("Illegal invocation");
  };
  const clock = new FakeClock();
  const store = new WorkersKvStore({ getWithMetadata: broken, put: broken, delete: broken }, { clock });
  const calls = [store.get("a"), store.set("b", "v", { expiresAtMs: Infinity }), store.delete("c")];
  const settled = Promise.allSettled(calls);
  await clock.advance(SECOND);
  assertEquals((await settled).map(({ status }) => status), ["rejected", "rejected", "rejected"]);
  assertEquals(clock.pending, 0);
});

test("on KV itself: a short life, the text as it is, and the exact end", async () => {
  const { kv, store, key } = real();
  const expiresAtMs = Date.now() + 2 * SECOND;
  await store.set(key, "raw", { expiresAtMs });
  const { value, metadata } = await kv.getWithMetadata(key, { type: "text" });
  assertEquals([value, metadata], ["raw", { expiresAtMs }]);
}, WORKERD);

test("on KV itself: values and metadata of somebody else's", async () => {
  const { kv, store, key } = real();
  for (const metadata of [undefined, null, 7, "x", [1], { expiresAtMs: "never" }]) {
    await kv.put(key, "not JSON {", metadata === undefined ? {} : { metadata });
    assertEquals(await store.get(key), { value: "not JSON {" });
  }
  await kv.put(key, "old", { metadata: { expiresAtMs: 1 } });
  assertEquals(await store.get(key), undefined);
}, WORKERD);

test("on KV itself: keys that it does not take fail, without a second attempt", async () => {
  const { store } = real();
  for (const key of ["", ".", "..", "k".repeat(513), "k".repeat(100_000)]) {
    const calls = [store.get(key), store.set(key, "v", { expiresAtMs: Infinity }), store.delete(key)];
    for (const { status } of await Promise.allSettled(calls)) {
      assertEquals(status, "rejected", key.slice(0, 9));
    }
  }
}, WORKERD);

test("R-106 on KV itself: writes of two requests at once both end", async () => {
  const { store, key } = real();
  const { inAnotherRequest } = workersContext()!;
  const set = (value: string) => store.set(key, value, { expiresAtMs: Date.now() + 3_600_000 });
  const both = [set("one"), inAnotherRequest(() => set("two"))];
  assertEquals(await Promise.all(both), [{ ok: true }, { ok: true }]);
  assertEquals(await store.get(key), { value: "two" });
}, WORKERD);

test("R-106 on KV itself: a write whose request ended does not keep the next one for ever", async () => {
  const { store, key } = real();
  const set = (value: string) => store.set(key, value, { expiresAtMs: Date.now() + 3_600_000 });
  await workersContext()!.inAnotherRequest(() => void set("left behind").catch(() => {}));
  const startMs = Date.now();
  assertEquals(await set("next"), { ok: true });
  assertEquals(await store.get(key), { value: "next" });
  assert(Date.now() - startMs < 10 * SECOND);
}, WORKERD);
