/** Users in memory: found by exactly those they belong to, bounded, at the same cost however many there are. */
import { assert, assertEquals, assertFalse, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { MemoryUsers } from "../src/cache/memory_users.ts";
import { bucketKey, ownerKey, TokenIndex } from "../src/cache/token_index.ts";
import { UserIndex } from "../src/cache/user_index.ts";
import { NOW } from "./support/documents.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";
import { HOME, openCache, ownerOf, USER, userTokens, type UserTokensOver, UTID } from "./support/users.ts";

const GUEST = "0c1e2d3f-1111-4222-8333-444455556666";

/** A cache of users in memory alone, as an application without a TokenCache has it. */
function memory(maxEntries?: number, maxBytes?: number) {
  const held = new UserIndex(maxEntries, maxBytes);
  const users = new MemoryUsers(new TokenIndex(), held);
  const save = (over?: UserTokensOver, asked = users.removals) =>
    users.save(userTokens(over), asked, NOW * 1000);
  return { held, users, save };
}

test("what an answer brought is in memory at once: access token, account, ID token, refresh token", async () => {
  const { users, save } = memory();
  const saved = save({ claims: { name: "John" }, account: { name: "John" } });
  const record = users.user(ownerOf(USER))!;
  assertEquals(users.index.find(record.owner, UTID, "s2", NOW * 1000)?.secret, "an access token");
  assertEquals([record.key, record.familyId], [USER, ""]);
  assertEquals(record.refreshTokens.map(({ secret }) => secret), ["a refresh token"]);
  const profile = record.profiles.get(UTID)!;
  assertEquals(profile.idToken?.claims.name, "John");
  assertEquals(profile.info, {
    homeAccountId: HOME,
    environment: "login.microsoftonline.com",
    tenantId: UTID,
    localAccountId: "object1234",
    username: "John Doe",
    name: "John",
    tenantProfiles: [{
      tenantId: UTID,
      localAccountId: "object1234",
      username: "John Doe",
      name: "John",
      isHomeTenant: true,
    }],
  });
  await saved;
  assertEquals([users.stored, users.removals], [false, 0]);
});

test("R-085 a guest's profiles list every tenant, and each has its own ID token and access token", async () => {
  const { users, save } = memory();
  await save();
  await save({
    realm: GUEST,
    accessToken: { secret: "for the guest" },
    account: { username: "John (guest)", localAccountId: "other" },
    refreshToken: null,
  });
  const { profiles, owner } = users.user(ownerOf(USER))!;
  assertEquals([...profiles.keys()], [UTID, GUEST]);
  for (const { info } of profiles.values()) {
    assertEquals(
      info.tenantProfiles.map(({ tenantId, isHomeTenant, username }) => [tenantId, isHomeTenant, username]),
      [[UTID, true, "John Doe"], [GUEST, false, "John (guest)"]],
    );
  }
  assertEquals(profiles.get(GUEST)?.info.localAccountId, "other");
  assertEquals(users.index.find(owner, GUEST, "s1", NOW * 1000)?.secret, "for the guest");
  assertEquals(users.index.find(owner, UTID, "s1", NOW * 1000)?.secret, "an access token");
});

test("an account is one frozen object until something changes", async () => {
  const { users, save } = memory();
  await save();
  const infoOf = () => users.user(ownerOf(USER))!.profiles.get(UTID)!.info;
  const info = infoOf();
  assertStrictEquals(infoOf(), info);
  assert([info, info.tenantProfiles, ...info.tenantProfiles].every(Object.isFrozen));
  await save({ account: { username: "Jane Doe" } });
  assertNotStrictEquals(infoOf(), info);
  assertEquals([info.username, infoOf().username], ["John Doe", "Jane Doe"]);
});

test("R-117 R-083 a user is never found by another client, host, user, or another case of a sub", async () => {
  const { users, save } = memory();
  const oidc = { environment: "idp.example.com", homeAccountId: "https://idp.example.com#Sub" };
  await save();
  await save({ key: oidc, realm: "" });
  const rows: Record<string, [Partial<typeof USER>, boolean]> = {
    "the same": [{}, true],
    "an alias of the host": [{ environment: "login.windows.net" }, true],
    "GUIDs in capitals": [{ homeAccountId: HOME.toUpperCase() }, true],
    "the client in capitals": [{ clientId: "MY_CLIENT" }, true],
    "another client": [{ clientId: "other" }, false],
    "another cloud": [{ environment: "login.microsoftonline.us" }, false],
    "another user": [{ homeAccountId: `x${HOME}` }, false],
    "nobody": [{ homeAccountId: "" }, false],
    "an issuer's user": [oidc, true],
    "an issuer's user in another case": [{ ...oidc, homeAccountId: "https://idp.example.com#sub" }, false],
    "ADFS's in another case": [{ ...oidc, homeAccountId: "SUBJECT" }, false],
  };
  await eachRow(rows, ([over, found]) => {
    assertEquals(users.user(ownerOf({ ...USER, ...over })) !== undefined, found);
  });
  assertFalse(ownerKey("h", "c", "Sub") === ownerKey("h", "c", "sub"));
});

test("R-117 ids full of separators never make one user's owner another's", () => {
  const odd = ["a", "a.b", "a-b", "a/b", "a|b", "a\0b", "ä", "a\u0308", "\n", "a\nb", "x".repeat(600)];
  const owners = odd.flatMap((client) => odd.map((home) => ownerKey("h", client.replaceAll("\n", ""), home)));
  assertEquals(new Set(owners).size, odd.length * (new Set(odd.map((one) => one.replaceAll("\n", "")))).size);
});

test("an issuer's user is at home, whatever its path is", async () => {
  const { users, save } = memory();
  const key = { environment: "idp.example.com", homeAccountId: "https://idp.example.com/Realms/Main#a.b" };
  await save({ key, realm: "Realms/Main" });
  const profile = users.user(ownerOf({ ...USER, ...key }))?.profiles.get("Realms/Main");
  assertEquals(profile?.info.tenantProfiles.map(({ isHomeTenant }) => isHomeTenant), [true]);
});

test("an answer of which nobody knows whose it is is not kept, above all not as an app token", async () => {
  const { users, held, save } = memory();
  await save({ key: { homeAccountId: "" } });
  assertEquals([users.index.size, held.size], [0, 0]);
});

test("R-109 a new refresh token takes the redeemed one's place, and none keeps the old one", async () => {
  const { cache, save, secrets } = openCache();
  await save();
  const redeemed = cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
  await save({ redeemed, refreshToken: null });
  assertEquals(secrets(), ["a refresh token"]);
  await save({ redeemed, refreshToken: { secret: "RT 2", target: "other", lastModified: NOW } });
  assertEquals(secrets(), ["RT 2"]);
  assertEquals(cache.users.user(ownerOf(USER))!.refreshTokens[0]!.target, "s1 s2 s3");
});

test("R-107 R-109 who refreshed later wins in memory, whoever is told first", async () => {
  const { cache, save, secrets } = openCache();
  await save();
  const redeemed = cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
  await save({ redeemed, refreshToken: { secret: "later", lastModified: NOW + 2 } });
  await save({ redeemed, refreshToken: { secret: "earlier", lastModified: NOW + 1 } });
  assertEquals(secrets(), ["later"]);
  // A time that no clock can show yet is not believed.
  await save({ refreshToken: { secret: "of a wrong clock", lastModified: NOW + 9_999 } });
  await save({ refreshToken: { secret: "issued now", lastModified: NOW + 3 } });
  assertEquals(secrets(), ["issued now"]);
});

test("R-201 a redeemed refresh token goes though its writer's clock was ahead", async () => {
  const { cache, save, secrets } = openCache();
  await save({ refreshToken: { lastModified: NOW + 200 } });
  const redeemed = cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
  await save({ redeemed, refreshToken: { secret: "RT 2" } });
  assertEquals(secrets(), ["RT 2"]);
});

test("a refresh token that is dropped goes only if it is the one that is known", async () => {
  const { cache, save, secrets, tokenCache } = openCache();
  await save();
  const sent = cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
  await save({ redeemed: sent, refreshToken: { secret: "RT 2" } });
  tokenCache.serialize();
  await cache.users.dropRefreshToken(sent, NOW * 1000);
  assertEquals([secrets(), tokenCache.hasStateChanged], [["RT 2"], false]);
  await cache.users.dropRefreshToken(cache.users.user(ownerOf(USER))!.refreshTokens[0]!, NOW * 1000);
  assertEquals([secrets(), tokenCache.hasStateChanged], [[], true]);
  assertEquals(cache.users.user(ownerOf(USER))?.profiles.size, 1);
});

test("Z31 Z16 a family refresh token serves the family, and stays its first client's", async () => {
  const { cache, save, secrets } = openCache();
  await save({ key: { clientId: "fam" }, familyId: "1", refreshToken: { familyId: "1" } });
  const { users } = cache;
  assertEquals(users.user(ownerOf({ ...USER, clientId: "fam" }))?.familyId, "1");
  assertEquals(users.user(ownerOf(USER)), undefined);
  const [redeemed] = users.family(USER, "1");
  assertEquals([redeemed?.secret, redeemed?.clientId], ["a refresh token", "fam"]);
  assertEquals(users.family({ ...USER, homeAccountId: "other" }, "1"), []);
  assertEquals(users.family(USER, "2"), []);
  await save({ redeemed: redeemed!, familyId: "1", refreshToken: { secret: "RT 2", familyId: "1" } });
  assertEquals(users.family(USER, "1").map(({ secret, clientId }) => [secret, clientId]), [["RT 2", "fam"]]);
  assertEquals([secrets(), users.user(ownerOf(USER))?.familyId], [[], "1"]);
});

test("flaw 5: an answer without a family does not make a client leave it", async () => {
  const { cache, save } = openCache();
  await save({ familyId: "1", refreshToken: { familyId: "1" } });
  const [redeemed] = cache.users.family(USER, "1");
  await save({ redeemed: redeemed!, refreshToken: { secret: "RT 2" } });
  assertEquals(cache.users.user(ownerOf(USER))?.familyId, "1");
  assertEquals(cache.users.family(USER, "1").map(({ secret }) => secret), ["RT 2"]);
});

test("a refresh token that joins a family leaves its client", async () => {
  const { cache, save, secrets } = openCache();
  await save();
  const redeemed = cache.users.user(ownerOf(USER))!.refreshTokens[0]!;
  await save({ redeemed, familyId: "1", refreshToken: { secret: "RT 2", familyId: "1" } });
  assertEquals([secrets(), cache.users.family(USER, "1").length], [[], 1]);
});

test("Z19 R-116 who is removed is gone with all tokens of the client; others stay", async () => {
  const { cache, save } = openCache();
  const others = [{ clientId: "other" }, { homeAccountId: "other" }, { environment: "idp.example.com" }];
  for (const key of [{}, ...others]) await save({ key, realm: UTID });
  await save({ realm: GUEST });
  await cache.users.remove(USER);
  assertEquals(cache.users.user(ownerOf(USER)), undefined);
  for (const realm of [UTID, GUEST]) {
    assertEquals(
      cache.index.find(ownerOf(USER), bucketKey(realm, "Bearer", "", ""), "s1", NOW * 1000),
      undefined,
    );
  }
  for (const key of others) {
    assertEquals(cache.users.user(ownerOf({ ...USER, ...key }))?.refreshTokens.length, 1);
  }
  assertEquals(cache.index.size, 3);
});

test("Z19 a client takes its family's refresh token along; one that is of no family does not", async () => {
  for (const familyId of ["1", undefined]) {
    const { cache, save } = openCache();
    await save({ key: { clientId: "fam" }, familyId: "1", refreshToken: { familyId: "1" } });
    await save({ ...(familyId && { familyId }) });
    await cache.users.remove(USER);
    assertEquals(cache.users.family(USER, "1").length, familyId === undefined ? 1 : 0);
  }
});

test("R-117 to remove nobody removes no app token", async () => {
  const { users } = memory();
  users.index.put({ ...userTokens().accessToken, homeAccountId: "" }, Infinity);
  await users.remove({ ...USER, homeAccountId: "" });
  assertEquals([users.index.size, users.removals], [1, 0]);
});

test("R-116 an answer that was asked for before a removal does not bring the user back", async () => {
  const { users, save, held } = memory();
  await save();
  const asked = users.removals;
  await users.remove(USER);
  await save({}, asked);
  assertEquals([held.size, users.index.size], [0, 0]);
  await save({ key: { clientId: "other" } }, asked);
  await save();
  assertEquals([held.size, users.index.size], [2, 2]);
});

test("a client's users are listed: its own, its family's, and those of whom no client is known", async () => {
  const { cache, save } = openCache();
  const names = (clientId = "my_client", environment = USER.environment) =>
    cache.users.users(environment, clientId).map(({ key }) => key.homeAccountId).sort();
  assertEquals(names(), []);
  await save({ key: { homeAccountId: "own" } });
  await save({ key: { homeAccountId: "other", clientId: "other" } });
  await save({ key: { homeAccountId: "abroad", environment: "login.microsoftonline.us" } });
  await save({
    key: { homeAccountId: "fam", clientId: "fam" },
    familyId: "1",
    refreshToken: { familyId: "1" },
  });
  assertEquals(names(), ["own"]);
  assertEquals(names("my_client", "sts.windows.net"), ["own"]);
  assertEquals(names("my_client", "login.microsoftonline.us"), ["abroad"]);
  // Of a client that never got an answer nobody knows that it is in no family.
  assertEquals(names("new"), ["fam"]);
  assertEquals(names("fam"), ["fam"]);
});

test("R-119 hundreds of thousands of users stay under the bounds, and what is evicted breaks nothing", () => {
  const { users, held } = memory(500, 2_000_000);
  const tokens = userTokens();
  for (let n = 0; n < 200_000; n++) {
    const key = { environment: "h", clientId: `c${n % 7}`, homeAccountId: `u${n}` };
    held.put(key, {
      accounts: [{ ...tokens.account!, ...key }],
      refreshTokens: [{ ...tokens.refreshToken!, ...key }],
    });
    if (n % 50_000 === 0) assert(held.size <= 500);
  }
  assert(held.size <= 500, `${held.size} users`);
  const listed = Array.from({ length: 7 }, (_, n) => users.users("h", `c${n}`).length);
  assertEquals(listed.reduce((sum, one) => sum + one, 0), held.size);
  assertEquals([...held.all].length, held.size);
  for (const user of [...held.all]) held.delete(user.owner);
  assertEquals([held.size, held.list("h", "c0")], [0, []]);
});

test("R-119 clients that are made up do not fill the memory either", () => {
  const { held } = memory(10);
  const { account } = userTokens();
  for (let n = 0; n < 1_000; n++) {
    const key = { ...USER, clientId: `c${n}` };
    held.putApp({ ...key, familyId: "1" });
    held.put(key, { accounts: [account!] });
  }
  assertEquals([held.size, held.apps.length], [10, 10]);
});

test("R-119 what is large counts: tokens, claims, names; what is larger than all is not kept", async () => {
  const large = "x".repeat(20_000);
  const rows: Record<string, UserTokensOver> = {
    "refresh token": { refreshToken: { secret: large } },
    "target": { refreshToken: { target: large } },
    "claims": { claims: { note: large } },
    "name": { account: { name: large } },
    "client_info": { account: { clientInfo: large } },
  };
  await eachRow(rows, async (over) => {
    const { held, save } = memory(100, 50_000);
    await save({ key: { homeAccountId: "small" } });
    await save(over);
    assertEquals(held.size, 1);
    assertEquals([...held.all][0]?.key.homeAccountId, "small");
  });
});

test("R-119 who is used stays, however many others come", async () => {
  const { users, save, held } = memory(10);
  await save();
  for (let n = 0; n < 100; n++) {
    assert(users.user(ownerOf(USER)), `gone after ${n}`);
    await save({ key: { homeAccountId: `u${n}` } });
  }
  assertEquals(held.size, 10);
});

/** How many operations on maps and sets an action takes. */
async function operationsOf(action: () => unknown): Promise<number> {
  let count = 0;
  const restore: (() => void)[] = [];
  for (const type of [Map, Set]) {
    for (const name of ["get", "set", "add", "delete", "has", "values", "keys", "entries"]) {
      const own = Object.getOwnPropertyDescriptor(type.prototype, name);
      if (own === undefined) continue;
      const { value } = own;
      const counted = function (this: unknown, ...args: unknown[]): unknown {
        count++;
        return value.apply(this, args);
      };
      Object.defineProperty(type.prototype, name, { ...own, value: counted });
      restore.push(() => Object.defineProperty(type.prototype, name, own));
    }
  }
  try {
    await action();
  } finally {
    for (const undo of restore) undo();
  }
  return count;
}

test("R-120 a lookup, a sign-in and a list of one client cost the same among 10 users and among 5 000", async () => {
  const costs: number[][] = [];
  for (const others of [10, 5_000]) {
    const { users, save } = memory(100_000);
    for (let n = 0; n < others; n++) await save({ key: { clientId: "other", homeAccountId: `u${n}` } });
    await save({ key: { homeAccountId: "first" } });
    const owner = ownerOf(USER);
    costs.push([
      await operationsOf(() => save()),
      await operationsOf(() => users.user(owner)),
      await operationsOf(() => users.users(USER.environment, USER.clientId)),
      await operationsOf(() => users.index.find(owner, UTID, "s1 s2 s3", NOW * 1000)),
      await operationsOf(() => users.remove(USER)),
    ]);
  }
  assertEquals(costs[1], costs[0]);
  assertEquals(costs[0]?.[1], 1);
});
