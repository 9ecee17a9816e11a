import { assertEquals } from "@std/assert";
import { CacheError } from "../mod.ts";
import { GuardedStore } from "../src/store/guarded_store.ts";
import type { Store } from "../src/store/store.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

/** What is told of a store that throws this. */
async function toldOf(error: unknown): Promise<string | undefined> {
  const fail = (): Promise<never> => Promise.reject(error);
  const store: Store = { cas: false, get: fail, set: fail, delete: fail };
  const told: string[] = [];
  const guarded = new GuardedStore(
    store,
    "httpCache",
    new FakeClock(),
    ({ message }) => void told.push(message),
  );
  assertEquals(await guarded.read("key"), null);
  return told[0];
}

const START = "Cannot read from the store of httpCache:";
const END = "Check its address or binding, and its limits";

test("R-128 a store that throws an error of this library says why, and what to do", async () => {
  const error = new CacheError("cache_read_failed", "Cannot read the files: the disk fails (EIO)");
  assertEquals(await toldOf(error), `${START} Cannot read the files: the disk fails (EIO)`);
});

test("R-128 of anybody else's error only the kind is told", async () => {
  const secret = "a very secret text";
  const errors: [unknown, string][] = [
    [new TypeError(secret), "TypeError"],
    [Object.assign(new Error(secret), { code: secret, name: secret }), "something that is no error"],
    [{ message: secret, code: "cache_read_failed", name: "CacheError" }, "CacheError"],
    [Object.assign(new Error(secret), { name: "NotFound" }), "NotFound"],
    [secret, "something that is no error"],
    [undefined, "something that is no error"],
  ];
  for (const [error, kind] of errors) assertEquals(await toldOf(error), `${START} it threw ${kind}. ${END}`);
});
