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
