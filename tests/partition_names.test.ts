/** Values under MSAL's own names: shared with other clients, families and libraries, whose entries stay what they are. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { MemoryStore, TokenCache, type TokenCacheOptions } from "../mod.ts";
import { accessTokenOf, documentOf } from "./support/dialects.ts";
import { accessTokensOf, document, type Entry, NOW, pythonEntry } from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { HOSTILE } from "./support/hostile_documents.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, eachRow } from "./support/token_server.ts";
import { HOME, openCache, ownerOf, USER, UTID } from "./support/users.ts";

const DAY_MS = 86_400_000;
const APP_KEY = "my_client_contoso.onmicrosoft.com_AppTokenCache";

/** A store under MSAL's names, isolates over it, and applications. */
function world(cas = true, over: Omit<TokenCacheOptions, "store"> = {}) {
  const clock = new FakeClock();
  const store = countingStore(clock, cas);
  const options = { store, partitionNames: "suggested", ...over } as const;
  const put = (key: string, value: unknown): Promise<unknown> =>
    store.set(key, typeof value === "string" ? value : JSON.stringify(value), {
      expiresAtMs: clock.now() + DAY_MS,
    });
  return {
    clock,
    store,
    put,
    isolate: () => openCache({ ...options, clock }),
    client: (more = {}) => bench({ tokenCache: new TokenCache(options), clock, ...more }),
  };
}

/** The sections of a value. */
function sectionsOf(store: CountingStore, key: string = HOME): Record<string, Record<string, Entry>> {
  return JSON.parse(store.values.get(key) ?? "{}");
}

function secretsIn(store: CountingStore, section: string, key: string = HOME): unknown[] {
  return Object.values(sectionsOf(store, key)[section] ?? {}).map(({ secret }) => secret);
}

/** What another client of the same user has in the user's value, and what nobody here understands. */
const OTHERS = {
  RefreshToken: {
    theirs: {
      credential_type: "RefreshToken",
      secret: "another client's",
      home_account_id: HOME,
      environment: "login.windows.net",
      client_id: "other",
      note: 1,
    },
    "theirs of family 2": {
      credential_type: "RefreshToken",
      secret: "another family's",
      home_account_id: HOME,
      environment: "login.windows.net",
      client_id: "my_client",
      family_id: "2",
    },
  },
  AccessToken: {
    theirs: accessTokenOf("MSAL Python", false, { client_id: "other", secret: "another client's AT" }),
    "on behalf of": accessTokenOf("MSAL Node 7", false, { userAssertionHash: "h", secret: "OBO" }),
  },
  Account: {
    "in another spelling": {
      home_account_id: HOME,
      environment: "login.windows.net",
      realm: UTID,
      local_account_id: "object1234",
      username: "John Doe",
      authority_type: "MSSTS",
      note: 2,
    },
  },
  AppMetadata: { theirs: { client_id: "other", environment: "login.windows.net" } },
  "Something of the future": [1, null],
};

test("app tokens are under MSAL's name, with the hash of extra components in it", async () => {
  const { store, client } = world();
  await client().ask();
  await client().ask({ fmiPath: "value" });
  await client().ask({ tenantId: "fabrikam.example" });
  assertEquals([...store.values.keys()], [
    APP_KEY,
    "my_client_contoso.onmicrosoft.com_n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg_AppTokenCache",
    "my_client_fabrikam.example_AppTokenCache",
  ]);
  const cold = client();
  for (const request of [{}, { fmiPath: "value" }, { tenantId: "fabrikam.example" }]) {
    assertEquals((await cold.ask(request)).tokenSource, "cache");
  }
  assertEquals((await cold.ask({ fmiPath: "other" })).tokenSource, "identity_provider");
});

test("a user's value is named by the home account, however that is spelled; keys are the same in hints", async () => {
  for (const partitionNames of ["suggested", "hashed"] as const) {
    const { store, isolate, client } = world(true, { partitionNames });
    const isSuggested = partitionNames === "suggested";
    await isolate().save({ key: { homeAccountId: HOME.toUpperCase() } });
    await isolate().save({ familyId: "1", refreshToken: { familyId: "1" } });
    await client().ask({ fmiPath: "value" });
    assertEquals(store.values.has(HOME), isSuggested);
    assertEquals(store.values.size, isSuggested ? 2 : 3);
    for (const { key, options } of store.writes) {
      const { kind, suggestedKey } = options.hints!;
      assertEquals(kind, "tokens");
      if (isSuggested) assertEquals(suggestedKey!.toLowerCase(), key.toLowerCase());
      else {assert(
          [HOME, HOME.toUpperCase()].includes(suggestedKey!) || suggestedKey!.endsWith("_AppTokenCache"),
        );}
    }
  }
});

test("R-117 R-118 what could pass for another key has a hashed name, and nobody reads anybody else's", async () => {
  const { store, isolate } = world();
  const homes = [
    "https://idp.example.com#Sub",
    "a/b",
    "a|b",
    "a b",
    "a\u0000b",
    "ä",
    "",
    "x".repeat(513),
    "msal-edge.tokens.v1.x",
    "a\nuser\nb",
    "../up",
  ];
  for (const homeAccountId of homes.filter(Boolean)) {
    await isolate().save({ key: { homeAccountId }, accessToken: { secret: homeAccountId } });
  }
  for (const key of store.values.keys()) assert(/^msal-edge\.tokens\.v1\.[\w-]{43}$/.test(key), key);
  const plain = ["a.b", "a-b", "a_b", "A.b", "x".repeat(512)];
  for (const homeAccountId of plain) {
    await isolate().save({ key: { homeAccountId }, accessToken: { secret: homeAccountId } });
    assert(store.values.has(homeAccountId));
  }
  for (const homeAccountId of [...homes, ...plain].filter(Boolean)) {
    const cold = isolate();
    await cold.cache.users.load({ ...USER, homeAccountId });
    // What has a separator in it is nobody's, once it is written.
    const isText = !/[\n\0]/.test(homeAccountId);
    assertEquals(cold.cache.index.tokens.map(({ secret }) => secret), isText ? [homeAccountId] : []);
  }
});

test("R-117 a user who names an application's value gets nothing of it, and does not harm it", async () => {
  const { store, isolate, client } = world();
  await client().ask();
  const before = store.values.get(APP_KEY);
  const key = { ...USER, homeAccountId: APP_KEY };
  const one = isolate();
  assertEquals(await one.cache.users.load(key), undefined);
  await one.cache.users.remove(key);
  assertEquals([store.values.get(APP_KEY), one.tokenCache.size], [before, 0]);
});

test("other clients' and families' entries in a value are not used, and survive every change", async () => {
  for (const cas of [true, false]) {
    for (const dialect of ["python", "node", "both"] as const) {
      const { store, isolate, put, client } = world(cas, { dialect });
      await put(HOME, OTHERS);
      await put(
        APP_KEY,
        document({ theirs: pythonEntry({ client_id: "other" }), user: OTHERS.AccessToken.theirs }),
      );
      const one = isolate();
      assertEquals(await one.cache.users.load(USER, "1"), undefined);
      assertEquals([one.tokenCache.size, one.secrets()], [0, []]);
      assertEquals((await client().ask()).tokenSource, "identity_provider");
      assertEquals(Object.keys(accessTokensOf(store.values.get(APP_KEY)!)).slice(0, 2), ["theirs", "user"]);
      await one.save({ familyId: "1", refreshToken: { familyId: "1" } });
      await one.save({ accessToken: { scopes: ["b"], secret: "AT b" }, refreshToken: null });
      const sections = sectionsOf(store);
      for (const [name, section] of Object.entries(OTHERS)) {
        if (Array.isArray(section)) assertEquals<unknown>(sections[name], section);
        else {for (const [key, entry] of Object.entries(section)) {
            assertEquals(sections[name]![key], entry, key);
          }}
      }
      assertEquals(secretsIn(store, "RefreshToken").slice(2), ["a refresh token"]);
      assertEquals(secretsIn(store, "AccessToken").slice(2), ["an access token", "AT b"]);
      const cold = isolate();
      await cold.cache.users.load(USER, "1");
      assertEquals(cold.cache.users.family(USER, "1").map(({ secret }) => secret), ["a refresh token"]);
      assertEquals(cold.cache.users.user(ownerOf(USER))?.profiles.get(UTID)?.info.username, "John Doe");
    }
  }
});

test("R-109 the client's part and the family's are in one value, and neither write undoes the other", async () => {
  for (const cas of [true, false]) {
    const { store, isolate } = world(cas);
    const family = { familyId: "1", refreshToken: { familyId: "1" } };
    const one = isolate();
    await one.save(family);
    assertEquals([...store.values.keys()], [HOME]);
    assertEquals([secretsIn(store, "AccessToken"), secretsIn(store, "RefreshToken")], [["an access token"], [
      "a refresh token",
    ]]);
    const two = isolate();
    await two.cache.users.load(USER, "1");
    const [redeemed] = two.cache.users.family(USER, "1");
    await two.save({
      ...family,
      redeemed: redeemed!,
      refreshToken: { secret: "RT 2", familyId: "1" },
      accessToken: { scopes: ["b"], secret: "AT b" },
    });
    assertEquals([secretsIn(store, "AccessToken"), secretsIn(store, "RefreshToken")], [
      ["an access token", "AT b"],
      ["RT 2"],
    ]);
    assertEquals(Object.keys(sectionsOf(store).Account!).length, 1);
  }
});

test("a store that shows late what was written does not make one save undo itself", async () => {
  const { store, isolate } = world(false);
  const { get } = store;
  // Every read shows what was there before the last minute.
  store.get = () => Promise.resolve(undefined);
  await isolate().save({ familyId: "1", refreshToken: { familyId: "1" } });
  store.get = get;
  assertEquals([secretsIn(store, "AccessToken"), secretsIn(store, "RefreshToken")], [["an access token"], [
    "a refresh token",
  ]]);
});

test("a new token costs one read and one write, a cold hit one read", async () => {
  const { store, isolate, client } = world();
  await isolate().save();
  assertEquals(store.take(), { get: 1, set: 1, delete: 0 });
  const cold = isolate();
  await cold.cache.users.load(USER);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  await client().ask();
  const [first] = [store.take()];
  await client().ask();
  assertEquals([first, store.take()], [{ get: 2, set: 1, delete: 0 }, { get: 1, set: 0, delete: 0 }]);
});

test("a removed user leaves the value to others, and takes it along where there are none", async () => {
  for (const cas of [true, false]) {
    const { store, isolate, put } = world(cas);
    await put(HOME, OTHERS);
    const one = isolate();
    await one.save({ familyId: "1", refreshToken: { familyId: "1" } });
    await one.cache.users.remove(USER);
    assertEquals(Object.keys(sectionsOf(store).RefreshToken!), Object.keys(OTHERS.RefreshToken));
    assertEquals(Object.keys(sectionsOf(store).AccessToken!), Object.keys(OTHERS.AccessToken));
    assertEquals(sectionsOf(store).IdToken ?? {}, {});
    assertEquals(sectionsOf(store).Account!["in another spelling"], OTHERS.Account["in another spelling"]);
    const { options } = store.writes.at(-1)!;
    assertEquals([options.hints?.hasTokens, options.hints?.suggestedKey], [true, HOME]);
    assertEquals(options.expiresAtMs, NOW * 1000 + 90 * DAY_MS);
    const cold = isolate();
    assertEquals([await cold.cache.users.load(USER, "1"), cold.tokenCache.size], [undefined, 0]);
    const alone = world(cas);
    await alone.isolate().save({ familyId: "1", refreshToken: { familyId: "1" } });
    const warm = alone.isolate();
    await warm.cache.users.load(USER, "1");
    await warm.cache.users.remove(USER);
    // Where nothing is compared, a mark stays behind, and nothing else.
    assertEquals([...alone.store.values.keys()], cas ? [] : [HOME]);
    const left = Object.entries(cas ? {} : sectionsOf(alone.store))
      .filter(([, entries]) => Object.keys(entries ?? {}).length > 0)
      .map(([name]) => name.split("\n")[0]);
    assertEquals([...new Set(left)].sort(), cas ? [] : ["AppMetadata", "MsalEdgeRemoved"]);
  }
});

test("removing a client's app tokens leaves another's in the value", async () => {
  const { store, client, put } = world();
  await put(APP_KEY, document({ theirs: pythonEntry({ client_id: "other" }) }));
  const { ask, app } = client();
  await ask();
  assertEquals(Object.keys(accessTokensOf(store.values.get(APP_KEY)!)).length, 2);
  await app.removeTokensForClient();
  assertEquals(Object.keys(accessTokensOf(store.values.get(APP_KEY)!)), ["theirs"]);
  assertEquals((await client().ask()).tokenSource, "identity_provider");
});

test("R-116 who was removed from a value that others still have is not written again by a refresh, given CAS", async () => {
  const { store, isolate, put } = world();
  await put(HOME, OTHERS);
  const [one, two] = [isolate(), isolate()];
  await one.save();
  await two.cache.users.load(USER);
  const [redeemed] = two.cache.users.user(ownerOf(USER))!.refreshTokens;
  await one.cache.users.remove(USER);
  await two.save({ redeemed: redeemed!, refreshToken: { secret: "RT 2" } });
  assertEquals(Object.keys(sectionsOf(store).RefreshToken!), Object.keys(OTHERS.RefreshToken));
  assertEquals([two.tokenCache.users, two.tokenCache.size], [0, 0]);
  // A sign-in is no refresh: the user is back.
  await two.save();
  assertEquals(secretsIn(store, "RefreshToken").at(-1), "a refresh token");
});

test("R-112 another client that writes meanwhile loses nothing, and costs one more try, given CAS", async () => {
  const { store, isolate } = world();
  const [ours, theirs] = [isolate(), isolate()];
  await ours.save();
  let isFirst = true;
  store.beforeSet = async () => {
    if (!isFirst) return;
    isFirst = false;
    await theirs.save({ key: { clientId: "other" }, refreshToken: { secret: "theirs" } });
  };
  await ours.save({ accessToken: { scopes: ["b"], secret: "AT b" }, refreshToken: { secret: "RT 2" } });
  assertEquals(secretsIn(store, "RefreshToken").sort(), ["RT 2", "theirs"]);
  assertEquals(secretsIn(store, "AccessToken").length, 3);
});

test("R-112 twenty clients that save one user at once are all in the value, given CAS", async () => {
  const { store, isolate } = world();
  const clients = Array.from({ length: 20 }, (_, n) => `client${n}`);
  await Promise.all(
    clients.map((clientId) => isolate().save({ key: { clientId }, refreshToken: { secret: clientId } })),
  );
  assertEquals(secretsIn(store, "RefreshToken").sort(), [...clients].sort());
});

test("a value of any MSAL under its name serves the user, and keeps its spelling", async () => {
  for (const writer of ["MSAL Python", "MSAL Node 7", "MSAL.NET", "MSAL Go", "MSAL Java"]) {
    const { store, isolate, put } = world();
    const sections = documentOf(writer, true);
    await put(HOME, sections);
    const one = isolate();
    await one.cache.users.load(USER, "1");
    const record = one.cache.users.user(ownerOf(USER))!;
    assertEquals(one.cache.index.find(record.owner, UTID, "s1", NOW * 1000)?.secret, "a user's token");
    const [redeemed] = one.cache.users.family(USER, "1");
    await one.save({
      redeemed: redeemed!,
      refreshToken: { secret: "RT 2", familyId: "1" },
      accessToken: { scopes: ["s1", "s2"], secret: "AT 2", cachedAt: NOW + 1 },
      account: { username: "Jane", name: "John" },
      familyId: "1",
    });
    for (const [name, section] of Object.entries(sections)) {
      const after = sectionsOf(store)[name]!;
      assertEquals(Object.keys(after).sort(), Object.keys(section).sort(), `${name} of ${writer}`);
      for (const [key, entry] of Object.entries(section)) {
        assertEquals(Object.keys(after[key]!).slice(0, 3).sort(), Object.keys(entry).slice(0, 3).sort());
      }
    }
    assertEquals([secretsIn(store, "RefreshToken"), Object.values(sectionsOf(store).Account!)[0]!.username], [
      ["RT 2"],
      "Jane",
    ]);
  }
});

test("R-124 a value that is no document, or a hostile one, is a miss that can be written over", async () => {
  const rows = {
    ...HOSTILE,
    "text": "text",
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "sections": '{"AccessToken":"x","Account":[1],"RefreshToken":7}',
  };
  await eachRow(rows, async (text) => {
    const { store, isolate, client, put } = world();
    await put(HOME, text);
    await put(APP_KEY, text);
    await isolate().save();
    await client().ask();
    const cold = isolate();
    await cold.cache.users.load(USER);
    assertEquals(cold.secrets(), ["a refresh token"]);
    assertEquals((await client().ask()).tokenSource, "cache");
    assertEquals(secretsIn(store, "RefreshToken").at(-1), "a refresh token");
    assertFalse("polluted" in {});
  });
});

test("a store that is down costs nothing but its events, and refuses a removal", async () => {
  const clock = new FakeClock();
  const inner = new MemoryStore({ clock });
  const down = () => Promise.reject(new Error("down"));
  for (const broken of ["get", "set", "delete"] as const) {
    const store = {
      cas: false,
      get: inner.get.bind(inner),
      set: inner.set.bind(inner),
      delete: inner.delete.bind(inner),
      [broken]: down,
    };
    const one = openCache({ store, clock, partitionNames: "suggested" });
    await one.save();
    assertEquals(one.secrets(), ["a refresh token"]);
    const removed = await one.cache.users.remove(USER).then(() => true, ({ code }) => code);
    // A mark does, and so does a deletion: one of the two is enough.
    assertEquals(removed, broken === "get" ? "cache_write_failed" : true, broken);
    await inner.delete(HOME);
  }
});

test("somebody else's entry under the key of ours is not overwritten", async () => {
  const { store, client, put } = world();
  const key = "-login.microsoftonline.com-accesstoken-my_client-contoso.onmicrosoft.com-" +
    "https://graph.microsoft.com/.default";
  const theirs = pythonEntry({ client_id: "other" });
  await put(APP_KEY, document({ [key]: theirs }));
  await client().ask();
  assertEquals(Object.entries(accessTokensOf(store.values.get(APP_KEY)!))[0], [key, theirs]);
  assertEquals((await client().ask()).tokenSource, "cache");
});

test("tokens that memory knows in another spelling are removed from their value", async () => {
  const hash = "a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m";
  const tenantId = "fabrikam.example";
  const rows: Record<string, [Entry, { tenantId?: string; fmiPath?: string }]> = {
    "client id in capitals": [{ client_id: "MY_CLIENT", realm: tenantId }, { tenantId }],
    "components by their hash": [{ ext_cache_key: hash }, { fmiPath: "agent-app-id" }],
  };
  await eachRow(rows, async ([over, request]) => {
    const { store, client } = world(true, { dialect: "node" });
    await client().ask(request);
    assertEquals(store.values.size, 1);
    const tokenCache = new TokenCache({ store, dialect: "node", partitionNames: "suggested" });
    tokenCache.deserialize(document({ k: pythonEntry(over) }));
    await client({ tokenCache }).app.removeTokensForClient();
    assertEquals(store.values.size, 0);
  });
});
