/** The ring that decides what a bounded cache forgets. */
import { assert, assertEquals } from "@std/assert";
import { fc } from "./support/property.ts";
import { ClockRing, type RingItem } from "../src/store/clock_ring.ts";
import { test } from "./support/suite.ts";

interface Item extends RingItem {
  readonly name: string;
}

function item(name: string, bytes = 1): Item {
  return { name, bytes, used: false };
}

function ring(maxEntries: number, maxBytes = Infinity) {
  const evicted: string[] = [];
  const made = new ClockRing<Item>({ maxEntries, maxBytes }, (gone) => void evicted.push(gone.name));
  const items = () => [...made.items];
  const bytes = () => items().reduce((sum, one) => sum + one.bytes, 0);
  return { ring: made, evicted, items, bytes, names: () => items().map(({ name }) => name).sort() };
}

test("R-119 a ring never holds more entries or bytes than it may, and counts both right (property)", () => {
  const command = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: 12 }) }),
    fc.record({ remove: fc.nat(30) }),
    fc.record({ use: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(command, { maxLength: 60 }), (max, commands) => {
      const { ring: made, evicted, items, bytes } = ring(max, 20);
      const removed = new Set<Item>();
      const all: Item[] = [];
      for (const one of commands) {
        if ("add" in one) {
          const next = item(String(all.length), one.add);
          all.push(next);
          assert(made.add(next));
          assert(items().includes(next), "what was added last is not there");
        } else if ("remove" in one && all[one.remove]) {
          removed.add(all[one.remove]!);
          made.remove(all[one.remove]!);
        } else if ("use" in one && all[one.use]) all[one.use]!.used = true;
        assert(items().length <= max && bytes() <= 20 && bytes() === made.bytes);
        // Every entry is in the ring, was evicted, or was removed.
        for (const held of all) {
          assert(items().includes(held) || evicted.includes(held.name) || removed.has(held), held.name);
        }
      }
    }),
  );
});

test("R-119 an entry larger than the ring is refused and costs nobody its place", () => {
  const { ring: made, evicted, names } = ring(3, 10);
  for (const name of ["a", "b"]) made.add(item(name, 5));
  const large = item("large", 11);
  assertEquals([made.add(large), evicted, names()], [false, [], ["a", "b"]]);
  assertEquals([made.add(item("all of it", 10)), evicted.sort(), names()], [true, ["a", "b"], ["all of it"]]);
});

test("R-119 a ring of no bytes takes none and does not loop", () => {
  assertEquals(ring(1, 0).ring.add(item("a")), false);
});

test("R-119 entries that are used survive any number of others", () => {
  const { ring: made, names } = ring(10);
  const hot = ["hot 1", "hot 2", "hot 3"].map((name) => item(name));
  for (const one of hot) made.add(one);
  for (let cold = 0; cold < 1_000; cold++) {
    for (const one of hot) one.used = true;
    made.add(item(`cold ${cold}`));
  }
  assertEquals(names().filter((name) => name.startsWith("hot")), hot.map(({ name }) => name));
});

test("R-119 a ring in which everything was used still finds something to evict", () => {
  const { ring: made, evicted } = ring(4);
  const items = ["a", "b", "c", "d"].map((name) => item(name));
  for (const one of items) made.add(one);
  for (const one of items) one.used = true;
  made.add(item("e"));
  assertEquals([evicted.length, [...made.items].length], [1, 4]);
});

test("R-119 what nobody uses goes first in, first out: newcomers outlive what lay there before", () => {
  const { ring: made, names } = ring(10);
  for (let old = 0; old < 10; old++) made.add(item(`old ${old}`));
  // Fewer newcomers than places: each takes an old one's place, none another newcomer's.
  for (let fresh = 0; fresh < 9; fresh++) made.add(item(`fresh ${fresh}`));
  assertEquals(names().filter((name) => name.startsWith("old")).length, 1);
});

test("R-119 removing is exact: twice, by a stranger, in the middle, at the end", () => {
  const { ring: made, evicted, names } = ring(5);
  const items = ["a", "b", "c", "d"].map((name) => item(name));
  for (const one of items) made.add(one);
  made.remove(items[1]!);
  made.remove(items[1]!);
  made.remove(item("stranger"));
  made.remove(items[3]!);
  assertEquals([names(), evicted], [["a", "c"], []]);
  made.add(items[1]!);
  assertEquals(names(), ["a", "b", "c"]);
});
