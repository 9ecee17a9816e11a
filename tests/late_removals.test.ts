/** Removals where a store, an answer or a write is late: they hold, and do not hurt who signs in after them. */
import { assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { NOW } from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, deferred } from "./support/token_server.ts";
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

const LATE: Record<string, boolean> = { "only where that will do": true, "whatever is asked for": false };

/** From now on a store shows what is there now; with CAS it does so only to whom something old will do. */
function showLate(store: CountingStore): () => void {
  const { get } = store;
  const old = new Map(store.values);
  store.get = async (key, options) => {
    const isCurrent = store.cas && options?.consistency !== "eventual";
    const value = old.get(key);
    return isCurrent || value === undefined ? await get(key) : { value };
  };
  return () => void (store.get = get);
}

for (const [kind, cas] of Object.entries(LATE)) {
  test(`R-116 who removed a user does not get them back from a store that is late ${kind}`, async () => {
    const clock = new FakeClock();
    const store = countingStore(clock, cas);
    const isolate = isolates(store, clock);
    const one = isolate();
    await one.save({ familyId: "1", refreshToken: { familyId: "1" } });
    const catchUp = showLate(store);
    await clock.advance(5_000);
    await one.cache.users.remove(USER);
    for (const ms of [0, 1_000, 100_000]) {
      await clock.advance(ms);
      await one.cache.users.load(USER, "1", { consistency: "eventual" });
      assertEquals([one.tokenCache.users, one.tokenCache.size], [0, 0]);
    }
    // Who has signed in since is back.
    catchUp();
    const lastModified = NOW + 107;
    await isolate().save({ accessToken: { cachedAt: lastModified }, refreshToken: { lastModified } });
    await one.cache.users.load(USER, undefined, { consistency: "eventual" });
    assertEquals(one.tokenCache.size, 1);
  });

  test(`removed app tokens do not come back from a store that is late ${kind}`, async () => {
    const clock = new FakeClock();
    const store = countingStore(clock, cas);
    const { app, ask } = bench({ clock, tokenCache: new TokenCache({ store }) });
    const other = { scopes: ["https://vault.example/.default"] };
    await ask();
    await ask(other);
    const catchUp = showLate(store);
    await clock.advance(5_000);
    await app.removeTokensForClient();
    await clock.advance(1_000);
    assertEquals((await ask()).tokenSource, "identity_provider");
    // Nor are they written again beside the new one.
    catchUp();
    assertEquals([...store.values.values()].map((text) => text.includes("vault")), [false]);
    assertEquals((await ask(other)).tokenSource, "identity_provider");
    assertEquals((await ask()).tokenSource, "cache");
  });
}
