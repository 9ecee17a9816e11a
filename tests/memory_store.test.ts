/** The store in memory, the default `httpCache`; rows N of MSAL Python's individual cache where they make sense. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fc } from "./support/property.ts";
import { ClientConfigurationError, MemoryStore } from "../mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const SECOND = 1_000;

function store(options: { maxEntries?: number } = {}) {
  const clock = new FakeClock();
  const made = new MemoryStore({ clock, ...options });
  return {
    clock,
    store: made,
    put: (key: string, ttlMs = SECOND, value = `value of ${key}`) =>
      made.set(key, value, { expiresAtMs: clock.now() + ttlMs }),
    read: async (key: string) => (await made.get(key))?.value,
  };
}

test("N2 N8 what is set is read, and setting again replaces value and expiry", async () => {
  const { store: made, clock, put, read } = store();
  assertEquals([await read("a"), made.size, made.cas], [undefined, 0, true]);
  await put("a");
  assertEquals([await read("a"), made.size], ["value of a", 1]);
  await put("a", 10 * SECOND, "newer");
  await clock.advance(5 * SECOND);
  assertEquals([await read("a"), made.size], ["newer", 1]);
  await put("a", SECOND, "shorter");
  await clock.advance(SECOND);
  assertEquals(await read("a"), undefined);
});

test("N1 no key is special, not even the names of objects", async () => {
  const { put, read } = store();
  for (const key of ["_index_", "__proto__", "constructor", "", "\0", "é"]) {
    assertEquals(await read(key), undefined);
    await put(key);
    assertEquals(await read(key), `value of ${key}`);
  }
});

test("N4 N6 N7 a value is gone at its expiry, to the millisecond", async () => {
  const { store: made, clock, put, read } = store();
  await put("one", SECOND);
  await put("two", 2 * SECOND);
  await clock.advance(SECOND - 1);
  assertEquals(await read("one"), "value of one");
  await clock.advance(1);
  assertEquals([await read("one"), await read("two"), made.size], [undefined, "value of two", 1]);
});

test("N9 when it is full the value that expires first goes, even the new one", async () => {
  const { put, read } = store({ maxEntries: 2 });
  await put("soonest", SECOND);
  await put("late", 3 * SECOND);
  await put("later", 4 * SECOND);
  assertEquals([await read("soonest"), await read("late")], [undefined, "value of late"]);
  await put("at once", 1);
  assertEquals([await read("at once"), await read("later")], [undefined, "value of later"]);
});

test("N9 what has expired goes before what is good", async () => {
  const { clock, put, read } = store({ maxEntries: 2 });
  await put("good", 10 * SECOND);
  await put("old", SECOND);
  await clock.advance(SECOND);
  await put("new", 2 * SECOND);
  assertEquals([await read("good"), await read("new")], ["value of good", "value of new"]);
});

test("a value that is expired, or has no expiry that is a time, is not kept", async () => {
  const { store: made, clock, put } = store();
  for (const ttl of [0, -1, NaN, -Infinity]) {
    await put("a");
    await put("a", ttl);
    assertEquals([await made.get("a"), made.size], [undefined, 0], String(ttl));
  }
  await put("for ever", Infinity);
  await clock.advance(1e12);
  assertEquals((await made.get("for ever"))?.value, "value of for ever");
});

test("R-119 R-187 a million keys stay under the bounds", async () => {
  const { store: made, clock, put } = store({ maxEntries: 100 });
  for (let n = 0; n < 1_000_000; n++) {
    const { ok } = await made.set(`k${n}`, "v", { expiresAtMs: clock.now() + 1 + (n % 977) });
    assert(ok);
    if (n % 50_000 === 0) assert(made.size <= 100);
  }
  assert(made.size <= 100);
  await put("last", 10 * SECOND);
  assertEquals((await made.get("last"))?.value, "value of last");
});

test("R-119 one key that is written again and again takes no more room", async () => {
  const { store: made, put, read } = store({ maxEntries: 3 });
  for (let n = 0; n < 10_000; n++) await put("hot", SECOND + n % 7, String(n));
  await put("other");
  assertEquals([made.size, await read("hot"), await read("other")], [2, "9999", "value of other"]);
});

test("R-119 bounds are checked when a store is made", () => {
  for (const bounds of [{ maxEntries: NaN }, { maxEntries: 0 }, { maxEntries: -1 }]) {
    assertThrows(() => new MemoryStore(bounds), ClientConfigurationError);
  }
});

test("R-112 ifVersion: the second of two writers that read the same loses", async () => {
  const { store: made, clock } = store();
  const expiresAtMs = clock.now() + SECOND;
  const first = await made.set("k", "first", { expiresAtMs, ifVersion: null });
  assertEquals(first.ok, true);
  assertEquals((await made.set("k", "late", { expiresAtMs, ifVersion: null })).ok, false);
  const { version } = (await made.get("k"))!;
  assertEquals(version, first.version);
  assertEquals((await made.set("k", "second", { expiresAtMs, ifVersion: version! })).ok, true);
  assertEquals((await made.set("k", "stale", { expiresAtMs, ifVersion: version! })).ok, false);
  assertEquals((await made.get("k"))?.value, "second");
  // A refused write changes nothing, its expiry included.
  assertEquals((await made.set("k", "x", { expiresAtMs: clock.now() - 1, ifVersion: "no such" })).ok, false);
  assertEquals((await made.get("k"))?.value, "second");
});

test("R-112 ifVersion: a deleted or expired value counts as none, and its version never comes back", async () => {
  const { store: made, clock } = store();
  const expiresAtMs = clock.now() + SECOND;
  const { version } = await made.set("k", "one", { expiresAtMs });
  await made.delete("k");
  await made.delete("k");
  assertEquals((await made.set("k", "two", { expiresAtMs, ifVersion: version! })).ok, false);
  assertEquals((await made.set("k", "two", { expiresAtMs, ifVersion: null })).ok, true);
  await clock.advance(SECOND);
  const late = clock.now() + SECOND;
  assertEquals((await made.set("k", "three", { expiresAtMs: late, ifVersion: version! })).ok, false);
  const third = await made.set("k", "three", { expiresAtMs: late, ifVersion: null });
  assertEquals([third.ok, third.version === version], [true, false]);
});

test("R-112 of 200 writers that race by ifVersion none is lost", async () => {
  const { store: made, clock } = store();
  const expiresAtMs = clock.now() + SECOND;
  const add = async (one: number) => {
    for (;;) {
      const held = await made.get("k");
      const list: number[] = held === undefined ? [] : JSON.parse(held.value);
      const ifVersion = held?.version ?? null;
      if ((await made.set("k", JSON.stringify([...list, one]), { expiresAtMs, ifVersion })).ok) return;
    }
  };
  await Promise.all(Array.from({ length: 200 }, (_, one) => add(one)));
  const list: number[] = JSON.parse((await made.get("k"))!.value);
  assertEquals(list.sort((a, b) => a - b), Array.from({ length: 200 }, (_, one) => one));
});

test("R-119 a store behaves as a map with expiry does, as long as it is not full (property)", async () => {
  const key = fc.constantFrom("a", "b", "c", "__proto__");
  const command = fc.oneof(
    fc.record({ set: key, ttl: fc.integer({ min: -2, max: 20 }), value: fc.string({ maxLength: 3 }) }),
    fc.record({ delete: key }),
    fc.record({ wait: fc.nat(10) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
      const { store: made, clock } = store();
      const model = new Map<string, { value: string; until: number }>();
      for (const one of commands) {
        if ("set" in one) {
          const until = clock.now() + one.ttl;
          await made.set(one.set, one.value, { expiresAtMs: until });
          model.set(one.set, { value: one.value, until });
        } else if ("delete" in one) {
          await made.delete(one.delete);
          model.delete(one.delete);
        } else await clock.advance(one.wait);
        for (const name of ["a", "b", "c", "__proto__"]) {
          const held = model.get(name);
          const expected = held !== undefined && held.until > clock.now() ? held.value : undefined;
          assertEquals((await made.get(name))?.value, expected);
        }
      }
    }),
    { numRuns: 30 },
  );
});
