/** Values under MSAL's names while several clients change them: nobody's entries are lost. */
import { assertEquals } from "@std/assert";
import { LayeredStore, type Store, TokenCache } from "../mod.ts";
import { openerOf } from "../src/cache/cache_core.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { HOME, openCache, USER, userTokens, type UserTokensOver } from "./support/users.ts";

const OTHER = { clientId: "other" };

function open(store: Store, clock: FakeClock) {
  return openCache({ store, clock, partitionNames: "suggested" });
}

/** What the other client finds in the store. */
async function found(store: Store, clock: FakeClock): Promise<string[]> {
  const cold = open(store, clock);
  await cold.cache.users.load({ ...USER, ...OTHER });
  return cold.secrets(OTHER);
}

test("R-112 with CAS a removal does not take along what another client puts into the value meanwhile", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock);
  const [one, two] = [open(store, clock), open(store, clock)];
  await one.save();
  const { delete: remove } = store;
  const meanwhile = async (): Promise<void> => {
    store.beforeSet = undefined;
    store.delete = remove;
    await two.save({ key: OTHER });
  };
  store.beforeSet = meanwhile;
  store.delete = async (key) => {
    await meanwhile();
    await remove(key);
  };
  await one.cache.users.remove(USER);
  assertEquals(await found(store, clock), ["a refresh token"]);
  await one.cache.users.load(USER);
  assertEquals(one.tokenCache.users, 0);
  // The last one takes the value along, and whoever comes next begins anew.
  await two.cache.users.remove({ ...USER, ...OTHER });
  assertEquals(store.values.size, 0);
  store.take();
  await two.save({ key: OTHER });
  assertEquals([store.values.has(HOME), store.take()], [true, { get: 1, set: 1, delete: 0 }]);
});

test("R-107 without CAS what a copy showed is not written upon: others' entries are newer", async () => {
  const clock = new FakeClock();
  const remote = countingStore(clock, false);
  const [one, two] = [open(new LayeredStore(remote, { clock }), clock), open(remote, clock)];
  await one.save();
  await clock.advance(3_000);
  await two.save({ key: OTHER });
  await one.cache.users.load(USER, undefined, { consistency: "eventual" });
  await one.cache.users.remove(USER);
  assertEquals(await found(remote, clock), ["a refresh token"]);
});

test("R-107 without CAS two applications of one cache do not undo each other, whichever writes last", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock, false);
  const tokenCache = new TokenCache({ store, partitionNames: "suggested" });
  const [mine, others] = [1, 2].map(() => openerOf(tokenCache)!(clock, () => {}).users);
  const save = (users: typeof mine, over?: UserTokensOver): Promise<void> =>
    users!.save(userTokens(over), users!.removals, clock.now());
  await save(mine);
  await save(others, { key: OTHER });
  await save(mine, { accessToken: { scopes: ["a"], secret: "AT a" } });
  assertEquals(await found(store, clock), ["a refresh token"]);
  await Promise.all([
    save(others, { key: OTHER, refreshToken: { secret: "RT 2" } }),
    save(mine, { accessToken: { scopes: ["b"], secret: "AT b" } }),
  ]);
  assertEquals(await found(store, clock), ["RT 2"]);
});
