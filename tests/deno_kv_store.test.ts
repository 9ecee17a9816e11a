/** What the adapter for Deno KV does beyond the contract, on Deno's own engine in memory. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CacheError, ClientConfigurationError } from "../mod.ts";
import { DenoKvStore } from "../src/adapters/deno_kv.ts";
import type { DenoKvAtomic, DenoKvKey, DenoKvLike } from "../src/adapters/deno_kv.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const HOUR_MS = 3_600_000;
const KEY = "partition";
const clock = new FakeClock();
const later = () => ({ expiresAtMs: clock.now() + HOUR_MS });
const large = (letter: string, bytes = 200_000) => letter.repeat(bytes);

function denoTest(name: string, body: (kv: Deno.Kv) => Promise<void>): void {
  test(name, async () => {
    const kv = await Deno.openKv(":memory:");
    try {
      await body(kv);
    } finally {
      kv.close();
    }
  }, { on: ["deno"] });
}

async function keysOf(kv: Deno.Kv): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of kv.list({ prefix: [] })) keys.push(key.join("/"));
  return keys;
}

/** The engine, with a say before each read, and without its own expiry. */
function watched(kv: Deno.Kv, beforeGet: (key: DenoKvKey, consistency?: string) => Promise<void> | void) {
  const atomic = (real: DenoKvAtomic): DenoKvAtomic => ({
    check: (check) => atomic(real.check(check)),
    set: (key, value) => atomic(real.set(key, value)),
    delete: (key) => atomic(real.delete(key)),
    commit: () => real.commit(),
  });
  const like: DenoKvLike = {
    async get(key, options) {
      await beforeGet(key, options?.consistency);
      return await kv.get(key, options);
    },
    atomic: () => atomic(kv.atomic()),
  };
  return new DenoKvStore(like, { clock });
}

test("what is no Deno.Kv, and what is no prefix, is refused by name", () => {
  const refused = (make: () => unknown, code: string) => {
    assertEquals(assertThrows(make, ClientConfigurationError).code, code);
  };
  for (const kv of [undefined, null, {}, "kv", { get: () => {} }, { atomic: () => {} }]) {
    refused(() => new DenoKvStore(kv as unknown as DenoKvLike), "invalid_store");
  }
  const kv = { get: () => {}, atomic: () => {} } as unknown as DenoKvLike;
  refused(() => new DenoKvStore(kv, { prefix: 1 as unknown as string }), "invalid_option");
  refused(() => new DenoKvStore(kv, null as unknown as object), "invalid_option");
});

denoTest("R-126 a value beyond 64 KiB is kept in parts, and no part is ever left behind", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  const { version: first = "" } = await store.set(KEY, large("a"), later());
  assertEquals((await keysOf(kv)).length, 4);
  const { version: second = "" } = await store.set(KEY, large("b", 70_000), { ...later(), ifVersion: first });
  assertEquals(await keysOf(kv), [`msal-edge/${KEY}`, `msal-edge/${KEY}/1`]);
  await store.set(KEY, "small", { ...later(), ifVersion: second });
  assertEquals(await keysOf(kv), [`msal-edge/${KEY}`]);
  const removals: (() => Promise<unknown>)[] = [
    () => store.set(KEY, "small", later()),
    () => store.delete(KEY),
    () => store.set(KEY, large("d"), { expiresAtMs: clock.now() }),
    async () => {
      await clock.advance(2 * HOUR_MS);
      assertEquals((await store.set(KEY, "small", { ...later(), ifVersion: null })).ok, true);
    },
  ];
  for (const remove of removals) {
    await store.set(KEY, large("c"), later());
    assertEquals((await keysOf(kv)).length, 4);
    await remove();
    assertEquals((await keysOf(kv)).filter((key) => key !== `msal-edge/${KEY}`), []);
  }
});

denoTest("R-126 the largest value replaces the largest value under the longest key", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  // Every NUL takes two bytes in the key's encoding.
  const key = "\0".repeat(512);
  const { version = "" } = await store.set(key, large("a", store.maxValueBytes), later());
  const replaced = await store.set(key, large("b", store.maxValueBytes), { ...later(), ifVersion: version });
  assertEquals(replaced.ok, true);
  assertEquals((await store.get(key))?.value, large("b", store.maxValueBytes));
  await store.delete(key);
  assertEquals(await keysOf(kv), []);
});

denoTest(
  "R-126 a value that cannot fit is refused before anything is written, and is not quoted",
  async (kv) => {
    const store = new DenoKvStore(kv, { clock });
    await store.set(KEY, "old", later());
    for (const text of [large("s", store.maxValueBytes + 1), large("€", store.maxValueBytes / 2)]) {
      const error = await assertRejects(() => store.set(KEY, text, later()), CacheError);
      assertEquals(error.code, "value_too_large");
      assert(error.message.length < 200 && !error.message.includes("sss") && !error.message.includes("€"));
    }
    assertEquals((await store.get(KEY))?.value, "old");
  },
);

denoTest("R-126 letters that lie across two parts are whole", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  for (let shift = 0; shift < 4; shift++) {
    const text = "x".repeat(shift) + "😀".repeat(40_000);
    await store.set(KEY, text, later());
    assertEquals((await store.get(KEY))?.value, text);
  }
});

denoTest("R-126 a reader never mixes two writes: it reads again", async (kv) => {
  const writer = new DenoKvStore(kv, { clock });
  await writer.set(KEY, large("a"), later());
  const reads: (string | undefined)[] = [];
  const store = watched(kv, async (key, consistency) => {
    reads.push(consistency);
    if (key.length === 3 && reads.length === 2) await writer.set(KEY, large("b", 190_000), later());
  });
  assertEquals((await store.get(KEY, { consistency: "eventual" }))?.value, large("b", 190_000));
  assertEquals([reads[0], reads.at(-1)], ["eventual", "strong"]);
});

denoTest("R-126 a value whose parts are gone or foreign is a miss, and can be replaced", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  const damages = [
    () => kv.delete(["msal-edge", KEY, 2]),
    () => kv.set(["msal-edge", KEY, 2], new Uint8Array(64_000)),
    () => kv.set(["msal-edge", KEY, 1], "text"),
  ];
  for (const damage of damages) {
    await store.set(KEY, large("a"), later());
    await damage();
    assertEquals(await store.get(KEY), undefined);
  }
  await store.set(KEY, "whole", later());
  assertEquals((await store.get(KEY))?.value, "whole");
});

denoTest("R-126 reads are strong unless the caller asks otherwise", async (kv) => {
  const asked: (string | undefined)[] = [];
  const store = watched(kv, (_, consistency) => void asked.push(consistency));
  await store.get(KEY);
  await store.get(KEY, {});
  await store.get(KEY, { consistency: "eventual" });
  assertEquals(asked, ["strong", "strong", "eventual"]);
});

denoTest("R-126 a value ends to the millisecond, whether or not the engine expires it", async (kv) => {
  const store = watched(kv, () => {});
  const { version = "" } = await store.set(KEY, large("a"), later());
  await clock.advance(HOUR_MS - 1);
  assert(await store.get(KEY));
  await clock.advance(1);
  assertEquals(await store.get(KEY), undefined);
  assertEquals((await store.set(KEY, "stale", { ...later(), ifVersion: version })).ok, false);
  assertEquals((await store.set(KEY, "new", { ...later(), ifVersion: null })).ok, true);
  assertEquals((await store.set(KEY, "second", { ...later(), ifVersion: null })).ok, false);
  assertEquals(await keysOf(kv), [`msal-edge/${KEY}`]);
});

denoTest("a read of a small value is one read, and a write is one commit", async (kv) => {
  let gets = 0;
  const store = watched(kv, () => void gets++);
  const { version = "" } = await store.set(KEY, "a", { ...later(), ifVersion: null });
  await store.set(KEY, "b", { ...later(), ifVersion: version });
  await store.set(KEY, "c", later());
  await store.delete(KEY);
  assertEquals(gets, 0);
  await store.set(KEY, "d", later());
  await store.get(KEY);
  assertEquals(gets, 1);
});

denoTest("R-112 a version never comes back, not even for the same text", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  const seen = new Set<string | undefined>();
  for (let n = 0; n < 20; n++) {
    const { version = "" } = await store.set(KEY, "same", later());
    assert(version !== "" && !seen.has(version));
    seen.add(version);
    await store.delete(KEY);
    assertEquals((await store.set(KEY, "back", { ...later(), ifVersion: version })).ok, false);
  }
  assertEquals(await store.get(KEY), undefined);
});

denoTest("a version with a wrong tail does no harm beyond its own key", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  await store.set("neighbour", large("n"), later());
  const { version = "" } = await store.set(KEY, large("a"), later());
  const [stamp = "", , end = ""] = version.split(".");
  for (
    const forged of [
      stamp,
      `${stamp}.3`,
      `${stamp}.3.`,
      `${stamp}.-1.${end}`,
      `${stamp}.3.1e9`,
      `x${version}`,
    ]
  ) {
    assertEquals((await store.set(KEY, "forged", { ...later(), ifVersion: forged })).ok, false, forged);
  }
  assertEquals((await store.set(KEY, "b", { ...later(), ifVersion: `${stamp}.99.${end}` })).ok, true);
  assertEquals((await store.get("neighbour"))?.value, large("n"));
});

denoTest("what others left under a key is a miss, and can be replaced", async (kv) => {
  const store = new DenoKvStore(kv, { clock });
  const end = clock.now() + HOUR_MS;
  const bytes = new Uint8Array(1);
  const foreign = [
    1,
    "text",
    null,
    [],
    {},
    { expiresAtMs: `${end}`, parts: 0, bytes },
    { expiresAtMs: end, parts: 0, bytes: "text" },
    { expiresAtMs: end, parts: 0 },
    { expiresAtMs: NaN, parts: 0, bytes },
    ...[-1, 0.5, 12, 1e9, "0", undefined].map((parts) => ({ expiresAtMs: end, parts, bytes })),
  ];
  for (const value of foreign) {
    await kv.set(["msal-edge", KEY], value);
    assertEquals(await store.get(KEY), undefined);
    assertEquals((await store.set(KEY, "ours", { ...later(), ifVersion: null })).ok, true);
    assertEquals((await store.get(KEY))?.value, "ours");
  }
});

denoTest("two prefixes are two stores", async (kv) => {
  const one = new DenoKvStore(kv, { clock, prefix: "one" });
  const two = new DenoKvStore(kv, { clock, prefix: "two" });
  await one.set(KEY, "a", later());
  assertEquals(await two.get(KEY), undefined);
  assert(await two.lock(KEY, 1000));
  assert(await one.lock(KEY, 1000));
  await two.delete(KEY);
  assertEquals((await one.get(KEY))?.value, "a");
});

denoTest("a lease whose entry was never expired, or is garbage, can be taken over", async (kv) => {
  const store = watched(kv, () => {});
  const lost = await store.lock(KEY, 1000);
  await clock.advance(999);
  assertEquals(await store.lock(KEY, 1000), undefined);
  await clock.advance(1);
  const held = await store.lock(KEY, 1000);
  assert(lost && held);
  await lost.release();
  assertEquals(await store.lock(KEY, 1000), undefined);
  await held.release();
  assertEquals(await keysOf(kv), []);
  await kv.set(["msal-edge", KEY, "lock"], "garbage");
  assert(await store.lock(KEY, 1000));
});

test("a database that is closed is a rejection", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new DenoKvStore(kv, { clock });
  await store.set(KEY, "a", later());
  kv.close();
  await assertRejects(() => store.get(KEY));
  await assertRejects(() => store.set(KEY, "b", later()));
  await assertRejects(() => store.delete(KEY));
  await assertRejects(async () => await store.lock(KEY, 1));
}, { on: ["deno"] });
