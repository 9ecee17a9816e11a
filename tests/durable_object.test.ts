/** The Durable Object itself, in workerd. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CacheError } from "../mod.ts";
import { type DurableObjectNamespaceLike, DurableObjectStore } from "../src/adapters/durable_object.ts";
import type { Probe } from "./support/probed_token_store.ts";
import { test, workersContext } from "./support/suite.ts";

const WORKERD = { on: ["workerd", "workerd-nodejs"] } as const;
const HOUR_MS = 3_600_000;
const EMPTY: Probe = { rows: {}, alarmMs: null };

interface Stub {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

function scene() {
  const namespace = workersContext()!.env.TOKENS as DurableObjectNamespaceLike;
  const name = `object.${crypto.randomUUID()}`;
  const stub = namespace.get(namespace.idFromName(name)) as unknown as Stub;
  const ask = async (path: string): Promise<Probe> => await (await stub.fetch(`http://probe${path}`)).json();
  return {
    stub,
    store: new DurableObjectStore(namespace, { objectNameOf: () => name }),
    probe: () => ask("/"),
    alarm: () => ask("/alarm"),
  };
}

const after = (ms: number): { expiresAtMs: number } => ({ expiresAtMs: Date.now() + ms });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until an answer is as expected; fails with the last one. */
async function until(expected: Probe, probe: () => Promise<Probe>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (JSON.stringify(await probe()) === JSON.stringify(expected)) return;
    await pause(50);
  }
  assertEquals(await probe(), expected);
}

test("a look at what is not there writes nothing", async () => {
  const { store, probe } = scene();
  assertEquals(await store.get("k"), undefined);
  await store.delete("k");
  assertEquals((await store.set("k", "v", { ...after(HOUR_MS), ifVersion: "none" })).ok, false);
  assertEquals((await store.set("k", "v", { expiresAtMs: 1 })).ok, true);
  assertEquals(await probe(), EMPTY);
}, WORKERD);

test("the alarm is set for the soonest end, and Workers let it go off: nothing is left", async () => {
  const { store, probe } = scene();
  const late = after(HOUR_MS);
  await store.set("late", "v", late);
  assertEquals((await probe()).alarmMs, late.expiresAtMs);
  const soon = after(400);
  await store.set("soon", "v", soon);
  assertEquals((await probe()).alarmMs, soon.expiresAtMs);
  await store.delete("late");
  await until(EMPTY, probe);
}, WORKERD);

test("the alarm deletes what has expired, keeps the rest, and is set again for it", async () => {
  const { store, probe, alarm } = scene();
  const late = after(HOUR_MS);
  await store.set("late", "v", late);
  await store.set("soon", "v", after(1));
  await store.lock("held", HOUR_MS / 2);
  await pause(5);
  const { rows, alarmMs } = await alarm();
  assertEquals(rows, { kept: 1, leases: 1 });
  assert(alarmMs !== null && Math.abs(alarmMs - (Date.now() + HOUR_MS / 2)) < 60_000, `${alarmMs}`);
  assertEquals((await store.get("late"))?.value, "v");
  assertEquals((await probe()).rows, { kept: 1, leases: 1 });
}, WORKERD);

test("what has expired is gone before an alarm has deleted it", async () => {
  const { store, probe } = scene();
  await store.set("first", "v", after(100));
  const { version } = await store.set("second", "v", after(400));
  const lease = await store.lock("held", 400);
  assert(lease);
  await pause(800);
  // The alarm went off for the first, and sweeps once a minute.
  assertEquals((await probe()).rows, { kept: 1, leases: 1 });
  assertEquals(await store.get("second"), undefined);
  assertEquals((await store.set("second", "w", { ...after(HOUR_MS), ifVersion: version! })).ok, false);
  assertEquals((await store.set("second", "w", { ...after(HOUR_MS), ifVersion: null })).ok, true);
  assert(await store.lock("held", 60_000));
  await lease.release();
  assertEquals(await store.lock("held", 60_000), undefined);
}, WORKERD);

test("an alarm that comes early, or twice, or to an empty object, does no harm", async () => {
  const { store, alarm } = scene();
  assertEquals(await alarm(), EMPTY);
  await store.set("k", "v", after(HOUR_MS));
  await alarm();
  const { rows, alarmMs } = await alarm();
  assertEquals(rows, { kept: 1, leases: 0 });
  assert(alarmMs !== null && alarmMs > Date.now());
  assertEquals((await store.get("k"))?.value, "v");
}, WORKERD);

test("an end that is no date still has an alarm, within a year", async () => {
  const { store, probe } = scene();
  await store.set("k", "v", { expiresAtMs: Infinity });
  const { alarmMs } = await probe();
  assert(alarmMs !== null && alarmMs <= Date.now() + 366 * 24 * HOUR_MS, `${alarmMs}`);
}, WORKERD);

test("an object from which the last value or lease was taken keeps nothing, and serves again", async () => {
  const { store, probe } = scene();
  for (let round = 0; round < 3; round++) {
    await store.set("k", "v", after(HOUR_MS));
    const lease = await store.lock("k", 60_000);
    await store.delete("k");
    assertEquals((await probe()).rows, { kept: 0, leases: 1 });
    await lease?.release();
    assertEquals(await probe(), EMPTY);
  }
}, WORKERD);

test("a lease that nobody gives back is deleted, too", async () => {
  const { store, probe } = scene();
  assert(await store.lock("k", 300));
  await until(EMPTY, probe);
}, WORKERD);

test("R-112 a version never comes back, not even after everything was deleted", async () => {
  const { store } = scene();
  const versions = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const { version } = await store.set("k", "v", { ...after(HOUR_MS), ifVersion: null });
    versions.add(version!);
    await store.delete("k");
    assertEquals((await store.set("k", "w", { ...after(HOUR_MS), ifVersion: version! })).ok, false);
  }
  assertEquals(versions.size, 20);
}, WORKERD);

test("R-112 deletions among racing writes lose no write that came after them", async () => {
  const { store } = scene();
  for (let round = 0; round < 20; round++) {
    const calls = Array.from(
      { length: 6 },
      (_, n) => n % 2 === 0 ? store.delete("k") : store.set("k", "v", after(HOUR_MS)),
    );
    await Promise.all(calls);
    const { ok, version } = await store.set("k", `${round}`, after(HOUR_MS));
    assertEquals([ok, await store.get("k")], [true, { value: `${round}`, version: version! }]);
  }
}, WORKERD);

test("a lease is one for all requests", async () => {
  const { store } = scene();
  const { inAnotherRequest } = workersContext()!;
  const lease = await store.lock("k", 60_000);
  assert(lease);
  assertEquals(await inAnotherRequest(() => store.lock("k", 60_000)), undefined);
  await inAnotherRequest(() => lease.release());
  assert(await inAnotherRequest(() => store.lock("k", 60_000)));
  assertEquals(await store.lock("k", 60_000), undefined);
}, WORKERD);

test("maxValueBytes is what a row takes, with the longest key", async () => {
  const { store } = scene();
  const key = "k".repeat(512);
  const text = "x".repeat(store.maxValueBytes);
  assertEquals((await store.set(key, text, after(HOUR_MS))).ok, true);
  assertEquals((await store.get(key))?.value.length, text.length);
  const error = await assertRejects(
    () => store.set(key, "secret".repeat(500_000), after(HOUR_MS)),
    CacheError,
  );
  assertEquals([error.code, error.message.includes("secret")], ["cache_write_failed", false]);
  assertEquals((await store.get(key))?.value.length, text.length);
}, WORKERD);

test("a request that is malformed is answered with 400 and changes nothing", async () => {
  const { stub, store, probe } = scene();
  const good = { op: "set", key: "k", value: "v", expiresAtMs: Date.now() + HOUR_MS };
  const bad: unknown[] = [null, 1, "set", [], {}, [good], { ...good, op: undefined }, {
    ...good,
    op: "drop",
  }];
  bad.push({ ...good, op: "__proto__" }, { ...good, op: ["set"] }, { ...good, key: undefined }, {
    ...good,
    key: 1,
  });
  bad.push({ ...good, key: ["k"] }, { ...good, key: "k".repeat(513) }, { ...good, value: undefined });
  bad.push({ ...good, value: 1 }, { ...good, value: null }, { ...good, value: {} }, {
    ...good,
    expiresAtMs: "9e15",
  });
  bad.push({ ...good, expiresAtMs: null }, { ...good, expiresAtMs: -1 }, { ...good, expiresAtMs: 1e300 });
  bad.push({ ...good, ifVersion: 1 }, { ...good, ifVersion: false }, { ...good, ifVersion: {} });
  for (const id of [undefined, 1, null, "i".repeat(513)]) bad.push({ op: "release", key: "k", id });
  for (const id of [undefined, 1]) bad.push({ op: "lock", key: "k", id, leaseMs: 1_000 });
  for (const leaseMs of [undefined, "1", -1, null]) bad.push({ op: "lock", key: "k", id: "i", leaseMs });
  const texts = [
    ...bad.map((one) => JSON.stringify(one)),
    "",
    "{",
    "[".repeat(100_000),
    "\0",
    "op=set&key=k",
  ];
  texts.push('{"__proto__":{"op":"get","key":"k"}}');
  for (const body of texts) {
    const response = await stub.fetch("http://object", { method: "POST", body });
    assertEquals([response.status, await response.text()], [400, ""], body.slice(0, 80));
  }
  for (const method of ["PUT", "DELETE"]) {
    const response = await stub.fetch("http://object", { method, body: JSON.stringify(good) });
    assertEquals([response.status, await response.text()], [400, ""]);
  }
  assertEquals(await probe(), EMPTY);
  await assertRejects(() => store.lock("k", NaN), CacheError, "400");
}, WORKERD);

test("no text becomes a statement", async () => {
  const { store } = scene();
  const evil = `'); DROP TABLE kept; --`;
  const { version } = await store.set(evil, evil, after(HOUR_MS));
  assertEquals((await store.set(evil, "x", { ...after(HOUR_MS), ifVersion: `' OR 1=1 --` })).ok, false);
  assert(await store.lock(evil, 60_000));
  assertEquals(await store.get(evil), { value: evil, version: version! });
  assertEquals(await store.get(`' OR '1'='1`), undefined);
}, WORKERD);

test("a class that was not named in new_sqlite_classes fails with a hint", async () => {
  const store = new DurableObjectStore(workersContext()!.env.UNMIGRATED as DurableObjectNamespaceLike);
  const error = await assertRejects(
    () => store.set("k", "v", after(HOUR_MS)),
    CacheError,
    "new_sqlite_classes",
  );
  assertEquals(error.code, "cache_write_failed");
}, WORKERD);
