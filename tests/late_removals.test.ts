/** Removals where a store, an answer or a write is late: they hold, and do not hurt who signs in after them. */
import { assertEquals } from "@std/assert";
import { NOW } from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred } from "./support/token_server.ts";
import { isolates, ownerOf, USER } from "./support/users.ts";

test("R-112 R-116 a write that lost against a removal leaves alone who has signed in since", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock);
  const isolate = isolates(store, clock);
  const one = isolate();
  await one.save();
  const redeemed = one.cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
  const { promise, resolve } = deferred<void>();
  store.beforeSet = () => {
    store.beforeSet = undefined;
    return promise;
  };
  const late = one.save({ redeemed, refreshToken: { secret: "RT late", lastModified: NOW + 1 } });
  await clock.advance(100);
  await one.cache.users.remove(USER);
  await clock.advance(1_000);
  await one.save({ refreshToken: { secret: "RT 2", lastModified: NOW + 2 } });
  resolve();
  await late;
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals(cold.secrets(), ["RT 2"]);
});
