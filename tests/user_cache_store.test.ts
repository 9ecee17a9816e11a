/** Users in a store that several isolates share: few operations, no lost refresh token, and who is removed stays away. */
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { CacheError, type Store } from "../mod.ts";
import { document, type Entry, NOW } from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { partitionsIn } from "./support/locking_store.ts";
import { type CountingStore, countingStore, faultyStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred, eachRow } from "./support/token_server.ts";
import {
  HOME,
  isolates,
  openCache,
  type OpenedCache,
  ownerOf,
  USER,
  userTokens,
  type UserTokensOver,
  UTID,
} from "./support/users.ts";

const DAY_MS = 86_400_000;

/** A store, and isolates over it. */
function world(cas = true, listUsers = false) {
  const clock = new FakeClock();
  const store = countingStore(clock, cas);
  return { clock, store, isolate: isolates(store, clock, listUsers) };
}

/** The refresh token that an isolate would send. */
function sent({ cache }: OpenedCache) {
  return cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
}

/** The secrets of the refresh tokens in a store's only value. */
function storedSecrets(store: CountingStore): unknown[] {
  assertEquals(store.values.size, 1);
  const [text = ""] = store.values.values();
  const section: Record<string, Entry> = JSON.parse(text).RefreshToken ?? {};
  return Object.values(section).map(({ secret }) => secret);
}

test("a new user costs one read and one write; a cold isolate one read, a warm one nothing", async () => {
  const { store, isolate } = world();
  const one = isolate();
  await one.save();
  assertEquals(store.take(), { get: 1, set: 1, delete: 0 });
  assert(one.cache.users.stored);
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  const record = cold.cache.users.user(ownerOf(USER))!;
  assertEquals(cold.cache.index.find(record.owner, UTID, "s1", NOW * 1000)?.secret, "an access token");
  assertEquals(cold.secrets(), ["a refresh token"]);
  assertEquals(record.profiles.get(UTID)?.info.username, "John Doe");
  assertEquals([record.profiles.get(UTID)?.idToken?.claims.oid, record.familyId], ["object1234", ""]);
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 });
  assertFalse(cold.tokenCache.hasStateChanged);
});

test("another access token of the user is written beside the first; an expired one goes", async () => {
  const { store, isolate, clock } = world();
  await isolate().save({ accessToken: { scopes: ["a"], expiresOn: NOW + 600 } });
  const two = isolate();
  await two.cache.users.load(USER);
  await two.save({ accessToken: { scopes: ["b"] }, redeemed: sent(two), refreshToken: { secret: "RT 2" } });
  const [text = ""] = store.values.values();
  const targets = () =>
    Object.values<Entry>(JSON.parse([...store.values.values()][0]!).AccessToken).map((one) => one.target);
  assertEquals([targets(), storedSecrets(store)], [["a", "b"], ["RT 2"]]);
  await clock.advance(601_000);
  await isolate().save({ accessToken: { scopes: ["c"], cachedAt: NOW + 601 }, refreshToken: null });
  assertEquals([targets(), storedSecrets(store)], [["b", "c"], ["RT 2"]]);
  assert(text !== "");
});

test("R-118 R-117 each user of each client has a partition of its own, under a name that tells nothing", async () => {
  const { store, isolate } = world();
  const { save } = isolate();
  const homes = [HOME, "a.b", "a-b", "a/b", "a|b", "a b", "ä", "x".repeat(600), "https://h#s", "https://h#S"];
  for (const homeAccountId of homes) {
    for (const clientId of ["c", "c2"]) {
      const home = { homeAccountId, clientId };
      await save({ key: home, accessToken: { secret: `AT ${homeAccountId} ${clientId}` } });
    }
  }
  assertEquals(store.values.size, 2 * homes.length);
  for (const key of store.values.keys()) assert(/^msal-edge\.tokens\.v1\.[\w-]{43}$/.test(key), key);
  for (const homeAccountId of homes) {
    const key = { ...USER, homeAccountId, clientId: "c2" };
    const cold = isolate();
    await cold.cache.users.load(key);
    assertEquals(cold.cache.index.tokens.map(({ secret }) => secret), [`AT ${homeAccountId} c2`]);
    assertEquals([...cold.tokenCache.serialize().matchAll(/a refresh token/g)].length, 1);
  }
  await save({ key: { environment: "login.windows.net", homeAccountId: HOME.toUpperCase(), clientId: "C" } });
  assertEquals(store.values.size, 2 * homes.length);
});

test("a partition lasts as long as what lasts longest, and is named after the user", async () => {
  const rows: Record<string, [UserTokensOver, number]> = {
    "refresh token": [{}, 90 * DAY_MS],
    "refresh token with an end": [{ refreshToken: { expiresOn: NOW + 86_400 } }, DAY_MS],
    "refresh token that ends first": [{ refreshToken: { expiresOn: NOW + 60 } }, 3_600_000],
    "access token alone": [{ refreshToken: null }, 3_600_000],
    "family": [{ familyId: "1", refreshToken: { familyId: "1" } }, 90 * DAY_MS],
  };
  await eachRow(rows, async ([over, ms]) => {
    const { store, isolate, clock } = world();
    await isolate().save(over);
    for (const { key, options } of store.writes) {
      assertEquals(options.expiresAtMs - clock.now(), ms);
      const hasTokens = store.values.get(key)!.includes('"secret"');
      assertEquals(options.hints, {
        kind: "tokens",
        suggestedKey: HOME,
        isApplicationCache: false,
        hasTokens,
      });
    }
  });
});

test("a family's refresh token has a partition that every client of the family reads", async () => {
  const { store, isolate } = world();
  await isolate().save({ key: { clientId: "fam" }, familyId: "1", refreshToken: { familyId: "1" } });
  assertEquals(store.take(), { get: 2, set: 2, delete: 0 });
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals([store.take().get, cold.cache.users.family(USER, "1")], [1, []]);
  await cold.cache.users.load(USER, "1");
  assertEquals(store.take().get, 2);
  const [redeemed] = cold.cache.users.family(USER, "1");
  assertEquals([redeemed?.secret, redeemed?.clientId], ["a refresh token", "fam"]);
  await cold.save({ redeemed: redeemed!, familyId: "1", refreshToken: { secret: "RT 2", familyId: "1" } });
  assertEquals([store.take(), store.values.size], [{ get: 2, set: 2, delete: 0 }, 3]);
  const first = isolate();
  await first.cache.users.load({ ...USER, clientId: "fam" }, "1");
  assertEquals(first.cache.users.user(ownerOf({ ...USER, clientId: "fam" }))?.familyId, "1");
  assertEquals(first.cache.users.family(USER, "1").map(({ secret }) => secret), ["RT 2"]);
  await cold.cache.users.remove(USER);
  assertEquals(store.values.size, 1);
});

test("R-109 a redeemed refresh token is replaced everywhere, and kept where none came", async () => {
  for (const cas of [true, false]) {
    const { store, isolate } = world(cas);
    const [one, two] = [isolate(), isolate()];
    await one.save();
    await two.cache.users.load(USER);
    await two.save({ redeemed: sent(two), refreshToken: { secret: "RT 2", lastModified: NOW + 1 } });
    assertEquals([storedSecrets(store), two.secrets(), one.secrets()], [["RT 2"], ["RT 2"], [
      "a refresh token",
    ]]);
    await one.cache.users.load(USER);
    assertEquals(one.secrets(), ["RT 2"]);
    await one.save({ redeemed: sent(one), refreshToken: null });
    assertEquals([storedSecrets(store), one.secrets()], [["RT 2"], ["RT 2"]]);
  }
});

test("R-107 two isolates that redeem the same refresh token leave one that was issued last", async () => {
  for (const cas of [true, false]) {
    for (const order of [[1, 2], [2, 1]]) {
      const { store, isolate } = world(cas);
      await isolate().save();
      const pair = [isolate(), isolate()];
      for (const { cache } of pair) await cache.users.load(USER);
      const redeemed = pair.map(sent);
      await Promise.all(
        pair.map((one, i) =>
          one.save({
            redeemed: redeemed[i]!,
            refreshToken: { secret: `RT ${order[i]}`, lastModified: NOW + order[i]! },
          })
        ),
      );
      const left = storedSecrets(store);
      assertEquals(left.length, 1);
      assert(/^RT [12]$/.test(`${left[0]}`));
      if (cas) assertEquals(left, ["RT 2"]);
      // Whoever lost finds the other's, for a second try.
      for (const one of pair) {
        await one.cache.users.load(USER);
        assertEquals(one.secrets()[0], one.secrets().includes("RT 2") ? "RT 2" : "RT 1");
      }
    }
  }
});

test("R-112 of 200 isolates that refresh at once the one with the newest refresh token gets it stored", async () => {
  const { store, isolate } = world();
  await isolate().save();
  const all = Array.from({ length: 200 }, isolate);
  await Promise.all(all.map(({ cache }) => cache.users.load(USER)));
  // The newest neither first nor last.
  const rank = (n: number) => (n * 73) % 200;
  await Promise.all(all.map((one, n) =>
    one.save({
      redeemed: sent(one),
      refreshToken: { secret: `RT ${rank(n)}`, lastModified: NOW + rank(n) + 1 },
    })
  ));
  assertEquals(storedSecrets(store), ["RT 199"]);
  assert(store.take().set < 2_000);
  for (const one of [all[0]!, all[199]!]) {
    await one.cache.users.load(USER);
    assertEquals(one.secrets(), ["RT 199"]);
  }
});

test("R-112 a store that refuses every write costs an end, and the caller nothing", async () => {
  const { store, isolate } = world();
  store.set = () => {
    store.calls.push("set refused");
    return Promise.resolve({ ok: false });
  };
  const one = isolate();
  await one.save();
  assert(store.take().set <= 5);
  assertEquals(one.secrets(), ["a refresh token"]);
});

test("R-110 a refresh token that could not be written is written with the next answer", async () => {
  const { store, isolate } = world();
  const { set } = store;
  store.set = () => Promise.reject(new TypeError("down"));
  const one = isolate();
  await one.save();
  assertEquals([one.errors.map(({ code }) => code), store.values.size], [["cache_write_failed"], 0]);
  store.set = set;
  await one.save({ redeemed: sent(one), refreshToken: null, accessToken: { scopes: ["b"] } });
  assertEquals(storedSecrets(store), ["a refresh token"]);
});

test("R-116 who is removed while a save is under way does not reappear, in memory or store", async () => {
  for (const cas of [true, false]) {
    for (const when of ["before the read", "between read and write", "while it is written"]) {
      const { store, isolate, clock } = world(cas);
      const one = isolate();
      await one.save();
      const { promise, resolve } = deferred<void>();
      if (when === "while it is written") store.beforeSet = () => promise;
      const { get } = store;
      if (when === "between read and write") {
        store.get = async (key) => {
          const value = await get(key);
          await promise;
          return value;
        };
      }
      const saving = one.save({ redeemed: sent(one), refreshToken: { secret: "RT 2" } });
      if (when !== "before the read") await clock.advance(0);
      const removing = one.cache.users.remove(USER);
      if (when !== "before the read") await clock.advance(0);
      resolve();
      await Promise.all([saving, removing]);
      const name = `${when}, cas ${cas}`;
      assertEquals([partitionsIn(store), one.tokenCache.users, one.tokenCache.size], [0, 0, 0], name);
      store.get = get;
      store.beforeSet = undefined;
      await one.save();
      assertEquals([partitionsIn(store), one.tokenCache.users], [1, 1], name);
    }
  }
});

test("R-116 what another isolate removed is not written again by a refresh that was under way, given CAS", async () => {
  for (const known of ["loaded", "saved"]) {
    const { store, isolate } = world();
    const [one, two] = [isolate(), isolate()];
    await one.save();
    if (known === "loaded") await two.cache.users.load(USER);
    else await two.save();
    const redeemed = sent(two);
    await one.cache.users.remove(USER);
    await two.save({ redeemed, refreshToken: { secret: "RT 2" } });
    assertEquals([store.values.size, two.tokenCache.users, two.tokenCache.size], [0, 0, 0], known);
    // A sign-in is no refresh: the user is back.
    await two.save();
    assertEquals([store.values.size, two.tokenCache.users], [1, 1]);
  }
});

test("R-116 a read that was under way does not bring a removed user back", async () => {
  const { store, isolate, clock } = world();
  await isolate().save();
  const cold = isolate();
  const { promise, resolve } = deferred<void>();
  const { get } = store;
  store.get = async (key) => {
    const value = await get(key);
    await promise;
    return value;
  };
  const loading = cold.cache.users.load(USER);
  await clock.advance(0);
  await cold.cache.users.remove(USER);
  resolve();
  await loading;
  assertEquals([cold.tokenCache.users, cold.tokenCache.size, store.values.size], [0, 0, 0]);
});

test("a user whom the store does not delete is a CacheError, and gone from memory", async () => {
  const broken = faultyStore(() => Promise.reject(new Error("canary")), {
    get: () => Promise.resolve(undefined),
  });
  const { cache, tokenCache, save } = openCache({ store: broken });
  await save();
  const error = await assertRejects(() => cache.users.remove(USER), CacheError);
  assertEquals([error.code, tokenCache.users], ["cache_write_failed", 0]);
  assertFalse(`${error.message}${error.stack}`.includes("canary"));
});

test("a refresh token is dropped from the store only if it is the one that is there", async () => {
  const { store, isolate } = world();
  const [one, two] = [isolate(), isolate()];
  await one.save();
  await two.cache.users.load(USER);
  const dead = sent(two);
  await one.save({ redeemed: sent(one), refreshToken: { secret: "RT 2", lastModified: NOW + 1 } });
  store.take();
  await two.cache.users.dropRefreshToken(dead, NOW * 1000);
  assertEquals([storedSecrets(store), two.secrets(), store.take()], [["RT 2"], [], {
    get: 1,
    set: 0,
    delete: 0,
  }]);
  await two.cache.users.load(USER);
  await two.cache.users.dropRefreshToken(sent(two), NOW * 1000);
  assertEquals([storedSecrets(store), two.secrets()], [[], []]);
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals([cold.cache.users.user(ownerOf(USER))?.profiles.size, cold.tokenCache.size], [1, 1]);
});

/** Values that are no partition of the user's. */
const FOREIGN: Record<string, string> = {
  "no JSON": "<html>",
  "an array": "[]",
  "deep": "[".repeat(10_000),
  "hostile": '{"__proto__":{"polluted":1},"RefreshToken":{"__proto__":{"secret":"x"}},"Account":7}',
  "another user's": partition({ homeAccountId: "uid.utid" }),
  "another client's": partition({ clientId: "other" }),
  "another cloud's": partition({ environment: "login.microsoftonline.us" }),
};

function partition(over: Partial<typeof USER>): string {
  const { environment, clientId, homeAccountId } = { ...USER, ...over };
  const entry = {
    environment,
    client_id: clientId,
    home_account_id: homeAccountId,
    realm: UTID,
    secret: "another's",
  };
  return document({ k: { ...entry, target: "s1", expires_on: String(NOW + 3600) } }, {
    RefreshToken: { k: entry },
    Account: { k: { ...entry, ...(over.clientId && { home_account_id: "x" }), username: "Another" } },
  });
}

test("R-117 R-124 a value that is corrupt or somebody else's is a miss, and is replaced", async () => {
  await eachRow(FOREIGN, async (text) => {
    const { store, isolate, clock } = world();
    await isolate().save();
    const [[key] = [""]] = store.values;
    await store.set(key, text, { expiresAtMs: clock.now() + DAY_MS });
    const cold = isolate();
    await cold.cache.users.load(USER);
    assertEquals([cold.tokenCache.users, cold.tokenCache.size], [0, 0]);
    await cold.save({ refreshToken: { secret: "RT 2" } });
    assertEquals(storedSecrets(store), ["RT 2"]);
    assertFalse(store.values.get(key)!.includes("nother"));
    assertEquals(({} as { polluted?: number }).polluted, undefined);
  });
});

test("sections of others survive in a partition", async () => {
  const { store, isolate, clock } = world();
  await isolate().save();
  const [[key, text] = ["", ""]] = store.values;
  await store.set(key, JSON.stringify({ ...JSON.parse(text), Note: [1] }), {
    expiresAtMs: clock.now() + DAY_MS,
  });
  await isolate().save({ refreshToken: { secret: "RT 2", lastModified: NOW + 1 } });
  assertEquals(JSON.parse(store.values.get(key)!).Note, [1]);
});

test("R-128 R-110 a store that throws, hangs or lies costs a bounded wait and events, never the user", async () => {
  const stores: Record<string, Partial<Store>> = {
    "throws": faultyStore(() => {
      throw new TypeError("canary");
    }),
    "hangs": faultyStore(() => new Promise<never>(() => {})),
    "gives what is no value": faultyStore(() => Promise.resolve(7 as never)),
  };
  await eachRow(stores, async (store) => {
    const clock = new FakeClock();
    const one = openCache({ store: store as Store, clock, listUsers: true });
    const work = Promise.all([
      one.save(),
      one.cache.users.load(USER, "1"),
      one.cache.users.loadUsers("h", "c"),
    ]);
    await clock.advance(10_000);
    await work;
    assertEquals([one.secrets(), clock.pending], [["a refresh token"], 0]);
    assertFalse(JSON.stringify(one.errors.map(({ message }) => message)).includes("canary"));
  });
});

test("a list of the client's users is kept where it is asked for, and written when one is new or changed", async () => {
  const { store, isolate } = world(true, true);
  const one = isolate();
  await one.save();
  assertEquals([store.take(), store.values.size], [{ get: 2, set: 2, delete: 0 }, 2]);
  await one.save({ redeemed: sent(one), refreshToken: { secret: "RT 2" }, accessToken: { scopes: ["b"] } });
  assertEquals(store.take(), { get: 1, set: 1, delete: 0 });
  await one.save({ account: { username: "Jane" } });
  assertEquals(store.take(), { get: 2, set: 2, delete: 0 });
  await one.save({ key: { homeAccountId: "other.utid" } });
  store.take();
  const cold = isolate();
  await cold.cache.users.loadUsers("login.windows.net", "MY_CLIENT");
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  const users = cold.cache.users.users(USER.environment, USER.clientId);
  assertEquals(users.map(({ profiles }) => profiles.get(UTID)?.info.username).sort(), ["Jane", "John Doe"]);
  assertEquals(users.flatMap(({ refreshTokens }) => refreshTokens), []);
  const list = [...store.values.values()].find((text) => text.includes("Jane") && text.includes("John Doe"))!;
  for (const secret of ["token", "RT 2", "header."]) assertFalse(list.includes(`"${secret}`), secret);
  assertEquals(
    store.writes.find(({ options }) => options.hints?.suggestedKey === USER.clientId)?.options.hints,
    {
      kind: "tokens",
      suggestedKey: USER.clientId,
      isApplicationCache: false,
      hasTokens: true,
    },
  );
});

test("a cold process that signs in whom the list has does not write the list again", async () => {
  const { store, isolate } = world(true, true);
  await isolate().save();
  store.take();
  await isolate().save({ refreshToken: { lastModified: NOW + 1 } });
  assertEquals(store.take(), { get: 2, set: 1, delete: 0 });
});

test("who is removed is off the list; the others stay on it", async () => {
  for (const cas of [true, false]) {
    const { store, isolate } = world(cas, true);
    const one = isolate();
    for (const homeAccountId of [HOME, "other.utid"]) await one.save({ key: { homeAccountId } });
    await one.cache.users.remove(USER);
    const cold = isolate();
    await cold.cache.users.loadUsers(USER.environment, USER.clientId);
    const homes = cold.cache.users.users(USER.environment, USER.clientId).map(({ key }) => key.homeAccountId);
    assertEquals([homes, partitionsIn(store)], [["other.utid"], 2]);
  }
});

test("R-116 who is removed while the list is written does not reappear on it", async () => {
  const { store, isolate, clock } = world(true, true);
  const one = isolate();
  const { promise, resolve } = deferred<void>();
  store.beforeSet = () => promise;
  const saving = one.save();
  await clock.advance(0);
  const removing = one.cache.users.remove(USER);
  await clock.advance(0);
  resolve();
  await Promise.all([saving, removing]);
  const cold = isolate();
  await cold.cache.users.loadUsers(USER.environment, USER.clientId);
  assertEquals(cold.cache.users.users(USER.environment, USER.clientId), []);
});

test("R-112 users who are new in 50 processes at once are all on the list", async () => {
  const { isolate } = world(true, true);
  await Promise.all(
    Array.from({ length: 50 }, (_, n) => isolate().save({ key: { homeAccountId: `u${n}.utid` } })),
  );
  const cold = isolate();
  await cold.cache.users.loadUsers(USER.environment, USER.clientId);
  assertEquals(cold.cache.users.users(USER.environment, USER.clientId).length, 50);
});

test("a list that is somebody else's or corrupt lists nobody", async () => {
  await eachRow(FOREIGN, async (text, name) => {
    const { store, isolate, clock } = world(true, true);
    const { cache } = isolate();
    await cache.users.save(userTokens({ refreshToken: null }), cache.users.removals, clock.now());
    for (const key of store.values.keys()) await store.set(key, text, { expiresAtMs: clock.now() + DAY_MS });
    const cold = isolate();
    await cold.cache.users.loadUsers(USER.environment, USER.clientId);
    const listed = cold.cache.users.users(USER.environment, USER.clientId).length;
    // Accounts name no client: on the list of a client they are its.
    assertEquals([listed, cold.tokenCache.users], /user's|client's/.test(name) ? [1, 1] : [0, 0]);
  });
});

test("without the option there is no list", async () => {
  const { store, isolate } = world();
  await isolate().save();
  const cold = isolate();
  await cold.cache.users.loadUsers(USER.environment, USER.clientId);
  assertEquals([store.values.size, cold.tokenCache.users], [1, 0]);
});
