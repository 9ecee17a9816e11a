/** Writes that nobody waits for: what must be in the store when a call ends, and what comes of those that take long. */
import { assertEquals } from "@std/assert";
import { LayeredStore, type Store } from "../mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { lockingStore } from "./support/locking_store.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred, isPending } from "./support/token_server.ts";

const soon = { expiresAtMs: 9e15 };
/** A layer that writes behind, and a store whose first write takes as long as a test says. */
function world(makeRemote: (clock: FakeClock) => CountingStore = (clock) => countingStore(clock, false)) {
  const clock = new FakeClock();
  const remote = makeRemote(clock);
  const { promise, resolve } = deferred<void>();
  remote.beforeSet = () => {
    remote.beforeSet = undefined;
    return promise;
  };
  const store: Store = new LayeredStore(remote, { clock, waitUntil: () => {} });
  return { clock, remote, store, finish: resolve };
}

test("R-112 in a store with locks tokens are not written behind: they are there when the lease ends", async () => {
  for (
    const [locks, kind, isAwaited] of [[true, "tokens", true], [true, "http", false], [
      false,
      "tokens",
      false,
    ]] as const
  ) {
    const { clock, store, finish } = world((clock) =>
      locks ? lockingStore(clock, false) : countingStore(clock, false)
    );
    const written = store.set("key", "one", { ...soon, hints: { kind } });
    assertEquals(await isPending(clock, written), isAwaited);
    finish();
    assertEquals((await written).ok, true);
  }
});

const AFTER: Record<string, (store: Store) => Promise<unknown>> = {
  "a mark": (store) => store.set("key", "mark", { ...soon, hints: { kind: "tokens", hasTokens: false } }),
  "a deletion": (store) => store.delete("key"),
  "another write": (store) => store.set("key", "two", soon),
};

test("R-116 a write that takes long does not undo what came after it", async () => {
  for (const [name, change] of Object.entries(AFTER)) {
    const expected = { "a mark": "mark", "a deletion": undefined, "another write": "two" }[name];
    const { clock, remote, store, finish } = world();
    await store.set("key", "one", soon);
    const changed = change(store);
    await clock.advance(1_500);
    await changed;
    assertEquals(remote.values.get("key"), expected, name);
    finish();
    await clock.advance(0);
    assertEquals(remote.values.get("key"), expected, name);
    assertEquals((await store.get("key"))?.value, expected, name);
    // Nothing is left of that.
    remote.take();
    await store.set("key", "three", soon);
    await clock.advance(20_000);
    assertEquals([remote.values.get("key"), remote.take()], ["three", { get: 0, set: 1, delete: 0 }], name);
  }
});

test("R-128 a write that never ends is waited for once, and the newest counts", async () => {
  const { clock, remote, store } = world();
  await store.set("key", "one", soon);
  const reading = store.get("key");
  await clock.advance(1_000);
  assertEquals(await reading, undefined);
  await store.set("key", "two", soon);
  await clock.advance(0);
  assertEquals((await store.get("key"))?.value, "two");
  remote.take();
  await clock.advance(20_000);
  assertEquals(remote.take(), { get: 0, set: 0, delete: 0 });
});
