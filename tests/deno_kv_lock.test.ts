import { assertEquals, assertRejects } from "@std/assert";
import { DenoKvStore } from "../src/adapters/deno_kv.ts";
import type { DenoKvAtomic, DenoKvLike } from "../src/adapters/deno_kv.ts";
import type { Clock } from "../src/runtime/clock.ts";
import { test } from "./support/suite.ts";

/** A database that is in the way so many times, then empty; and how long the store waited. */
function scene(failures: number, message = "database is locked") {
  const waitsMs: number[] = [];
  let calls = 0;
  const clock: Clock = {
    now: () => Date.now(),
    setTimeout: (callback, delayMs) => (waitsMs.push(delayMs), queueMicrotask(callback)),
    clearTimeout() {},
  };
  const answer = <T>(value: T): Promise<T> => {
    return ++calls <= failures ? Promise.reject(new TypeError(message)) : Promise.resolve(value);
  };
  const atomic: DenoKvAtomic = {
    check: () => atomic,
    set: () => atomic,
    delete: () => atomic,
    commit: () => answer({ ok: true, versionstamp: "00000000000000010000" }),
  };
  const kv: DenoKvLike = { get: () => answer({ value: null, versionstamp: null }), atomic: () => atomic };
  return { store: new DenoKvStore(kv, { clock }), waitsMs, calls: () => calls };
}

const later = () => ({ expiresAtMs: Date.now() + 60_000 });

test("R-128 a file that somebody else writes to is waited for, at random and ever longer", async () => {
  const uses: ((store: DenoKvStore) => Promise<unknown>)[] = [
    (store) => store.get("key"),
    (store) => store.set("key", "text", later()),
    (store) => store.delete("key"),
    async (store) => await store.lock("key", 1000),
  ];
  for (const use of uses) {
    const { store, waitsMs, calls } = scene(5);
    await use(store);
    assertEquals([calls(), waitsMs.length], [6, 5]);
    assertEquals(waitsMs.every((waitMs, n) => waitMs >= 0 && waitMs <= 10 * (n + 1)), true);
  }
});

test("R-128 a file that stays locked is a failure within two seconds", async () => {
  const { store, waitsMs } = scene(Infinity);
  await assertRejects(() => store.get("key"), TypeError, "locked");
  assertEquals(waitsMs.length, 19);
  assertEquals(waitsMs.reduce((sum, waitMs) => sum + waitMs, 0) <= 2000, true);
});

test("R-128 any other failure is told at once", async () => {
  for (const message of ["Value too large", "Bad resource ID", ""]) {
    const { store, waitsMs } = scene(1, message);
    await assertRejects(() => store.set("key", "text", later()), TypeError, message);
    assertEquals(waitsMs, []);
  }
});
