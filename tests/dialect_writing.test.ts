/** The dialects that new entries are written in: MSAL Python's, MSAL Node's, and app tokens in both. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClientConfigurationError, TokenCache, type TokenCacheOptions } from "../mod.ts";
import { accessTokenOf, documentOf } from "./support/dialects.ts";
import {
  accessTokensOf,
  document,
  type Entry,
  NODE_KEY,
  nodeEntry,
  NOW,
  PYTHON_KEY,
  pythonEntry,
} from "./support/documents.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, eachRow } from "./support/token_server.ts";
import { claims, HOME, jwt, openCache, ownerOf, USER, UTID } from "./support/users.ts";

type Dialect = NonNullable<TokenCacheOptions["dialect"]>;

/** An application whose cache writes in a dialect. */
function client(dialect: Dialect, text = "", over: Omit<TokenCacheOptions, "dialect"> = {}) {
  const tokenCache = new TokenCache({ dialect, ...over });
  tokenCache.deserialize(text);
  return { tokenCache, ...bench({ tokenCache }) };
}

const NODE_HOST = "login.windows.net";
const ENDS = { cached_at: String(NOW), expires_on: String(NOW + 3600), refresh_on: String(NOW + 1800) };

test("a dialect or partition names that nobody knows are refused", async () => {
  const wrong = {
    "null": null,
    "a number": 1,
    "another": "dotnet",
    "in capitals": "Node",
    "prototype": "toString",
  };
  await eachRow(wrong, (value) => {
    for (const option of ["dialect", "partitionNames"]) {
      const options = { [option]: value } as TokenCacheOptions;
      const error = assertThrows(() => new TokenCache(options), ClientConfigurationError);
      assertEquals([error.code, error.option], ["invalid_option", `tokenCache.${option}`]);
    }
  });
});

test("2.3 an app token in MSAL Node's dialect: its host, an empty home account, its key, the ends added up", async () => {
  const { ask, tokenCache, server } = client("node");
  server.otherwise({ ext_expires_in: 7200, refresh_in: 1800 });
  await ask();
  assertEquals(accessTokensOf(tokenCache.serialize()), {
    [NODE_KEY]: {
      ...nodeEntry(ENDS),
      secret: "AT 1",
      extended_expires_on: String(NOW + 10_800),
    },
  });
  const again = client("node", tokenCache.serialize());
  const found = await again.ask();
  assertEquals([found.tokenSource, found.extendedExpiresOn?.getTime()], ["cache", (NOW + 7200) * 1000]);
  assertEquals(again.tokenCache.serialize(), tokenCache.serialize());
});

test("in MSAL Node's dialect extra components are plain values, and never left out", async () => {
  for (const dialect of ["node", "both"] as const) {
    const { ask, tokenCache } = client(dialect);
    await ask({ fmiPath: "agent/1" });
    const entries = Object.entries(accessTokensOf(tokenCache.serialize()));
    const [key, entry] = entries.at(-1)!;
    assertEquals(entry.additionalCacheKeyComponents, { fmi_path: "agent/1" });
    assert(key.startsWith(`${NODE_KEY}-`) && key.endsWith(`-${entry.ext_cache_key}`), key);
    assertEquals(entries.length, dialect === "both" ? 2 : 1);
    const again = client(dialect, tokenCache.serialize());
    assertEquals((await again.ask({ fmiPath: "agent/1" })).tokenSource, "cache");
    assertEquals(again.tokenCache.size, 1);
    assertEquals(again.tokenCache.serialize(), tokenCache.serialize());
    assertEquals((await again.ask()).tokenSource, "identity_provider");
  }
});

test("an entry whose components are known by hash alone is written for nobody who would take it for a plain one", async () => {
  const ext_cache_key = "a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m";
  const unknown: Record<string, Entry> = {
    "hash": pythonEntry({ ext_cache_key }),
    "map": nodeEntry({ additionalCacheKeyComponents: { fmi_path: "agent-app-id" } }),
    "map of a wrong type": nodeEntry({ additionalCacheKeyComponents: { fmi_path: 7 } }),
  };
  await eachRow(unknown, (entry) => {
    for (const dialect of ["python", "node", "both"] as const) {
      const { tokenCache } = client(dialect, document({ k: entry }));
      assertEquals(accessTokensOf(tokenCache.serialize()), { k: entry });
    }
  });
});

/** A user's sections as MSAL Node writes them; the time of the refresh token is ours. */
function nodeSections(): Record<string, Record<string, Entry>> {
  const user = { home_account_id: HOME, environment: NODE_HOST };
  const own = { ...user, client_id: "My_Client" };
  const names = { localAccountId: "object1234", name: "John", username: "John Doe" };
  return {
    AccessToken: {
      [`${HOME}-${NODE_HOST}-accesstoken-my_client-${UTID}-s1 s2 s3-`]: {
        ...own,
        credential_type: "AccessToken",
        secret: "an access token",
        realm: UTID,
        target: "s1 s2 s3",
        token_type: "Bearer",
        ...ENDS,
        extended_expires_on: String(NOW + 10_800),
      },
    },
    RefreshToken: {
      [`${HOME}-${NODE_HOST}-refreshtoken-my_client---`]: {
        ...own,
        credential_type: "RefreshToken",
        secret: "a refresh token",
        last_modification_time: String(NOW),
      },
    },
    IdToken: {
      [`${HOME}-${NODE_HOST}-idtoken-my_client-${UTID}--`]: {
        ...own,
        credential_type: "IdToken",
        realm: UTID,
        secret: jwt(claims({ oid: "object1234", preferred_username: "John Doe" })),
      },
    },
    Account: {
      [`${HOME}-${NODE_HOST}-${UTID}`]: {
        ...user,
        realm: UTID,
        local_account_id: "object1234",
        username: "John Doe",
        authority_type: "MSSTS",
        name: "John",
        client_info: "e30",
        tenantProfiles: [JSON.stringify({ tenantId: UTID, ...names, isHomeTenant: true })],
      },
    },
  };
}

test("2.3 a user's entries in MSAL Node's dialect are those of MSAL Node", async () => {
  const { save, sections, tokenCache } = openCache({ dialect: "node" });
  await save({
    key: { clientId: "My_Client" },
    accessToken: { extendedExpiresOn: NOW + 7200, refreshOn: NOW + 1800 },
    account: { name: "John", clientInfo: "e30" },
    familyId: "",
  });
  assertEquals(sections(), nodeSections());
  tokenCache.deserialize(tokenCache.serialize());
  assertEquals(sections(), nodeSections());
});

test("in MSAL Node's dialect a family's entries have the family's key, and the client its metadata", async () => {
  const { save, sections } = openCache({ dialect: "node" });
  await save({ key: { clientId: "My_Client" }, familyId: "1", refreshToken: { familyId: "1" } });
  assertEquals(Object.keys(sections().RefreshToken!), [`${HOME}-${NODE_HOST}-refreshtoken-1---`]);
  assertEquals(sections().AppMetadata, {
    [`appmetadata-${NODE_HOST}-my_client`]: {
      client_id: "My_Client",
      environment: NODE_HOST,
      family_id: "1",
    },
  });
});

test("in MSAL Node's dialect a guest is a profile of the account in the home tenant", async () => {
  const { save, sections, tokenCache, cache } = openCache({ dialect: "node" });
  const guest = { realm: "guest-tenant", account: { localAccountId: "as guest" } };
  await save({ ...guest, claims: { oid: "as guest" } });
  const [, homeTenant] = HOME.split(".");
  const key = `${HOME}-${NODE_HOST}-${homeTenant}`;
  const tenants = () =>
    (sections().Account![key]!.tenantProfiles as string[]).map((text) => JSON.parse(text))
      .map(({ tenantId, localAccountId, isHomeTenant }) => [tenantId, localAccountId, isHomeTenant]);
  assertEquals([Object.keys(sections().Account!), tenants()], [[key], [["guest-tenant", "as guest", false]]]);
  assertEquals([sections().Account![key]!.realm, sections().Account![key]!.local_account_id], [
    homeTenant,
    HOME.split(".")[0],
  ]);
  tokenCache.deserialize(tokenCache.serialize());
  assertEquals(
    cache.users.user(ownerOf(USER))?.profiles.get("guest-tenant")?.info.localAccountId,
    "as guest",
  );
  await save();
  assertEquals([Object.keys(sections().Account!), tenants()], [[key], [
    ["guest-tenant", "as guest", false],
    [UTID, "object1234", true],
  ]]);
});

test("in MSAL Node's dialect guests are written once, but for those who have an entry of their own", async () => {
  const both = openCache({ dialect: "node" });
  await both.save({ realm: "guest-tenant", account: { localAccountId: "as guest" } });
  await both.save();
  assertEquals(Object.keys(both.sections().Account!), [`${HOME}-${NODE_HOST}-${UTID}`]);
  const { Account } = documentOf("MSAL Python");
  const [guest] = Object.values(Account!).map((entry) => ({ ...entry, realm: "guest-tenant" }));
  const text = document({}, { Account: { ...Account, guest } });
  const { sections } = openCache({ dialect: "node", text });
  assertEquals(Object.keys(sections().Account!).sort(), [...Object.keys(Account!), "guest"].sort());
});

test("in MSAL Node's dialect hosts are those that it keeps tokens under", async () => {
  const rows: Record<string, string> = {
    "login.microsoftonline.com": "login.windows.net",
    "sts.windows.net": "login.windows.net",
    "login.partner.microsoftonline.cn": "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn": "login.partner.microsoftonline.cn",
    "login.usgovcloudapi.net": "login.microsoftonline.us",
    "login.sovcloud-identity.fr": "login.sovcloud-identity.fr",
    "idp.Example.com": "idp.Example.com",
  };
  await eachRow(
    Object.fromEntries(Object.entries(rows).map((row) => [row[0], row])),
    async ([environment, host]) => {
      const { save, sections } = openCache({ dialect: "node" });
      await save({ key: { environment }, familyId: "1" });
      const hosts = Object.values(sections()).flatMap(Object.values<Entry>).map((entry) => entry.environment);
      assertEquals(hosts, Array.from({ length: 5 }, () => host));
    },
  );
});

test("2.8 in both dialects an app token is written twice, read back as one, and renewed in both places", async () => {
  const { ask, tokenCache, server } = client("both");
  server.otherwise({ refresh_in: 1800 });
  await ask();
  const end = String(NOW + 3600);
  const both = (secret: string) => ({
    [PYTHON_KEY]: pythonEntry({ ...ENDS, secret, extended_expires_on: end }),
    [NODE_KEY]: nodeEntry({ ...ENDS, secret, extended_expires_on: end }),
  });
  assertEquals(accessTokensOf(tokenCache.serialize()), both("AT 1"));
  const again = client("both", tokenCache.serialize());
  assertEquals([again.tokenCache.size, again.tokenCache.serialize()], [1, tokenCache.serialize()]);
  again.server.otherwise({ refresh_in: 1800, access_token: "AT 2" });
  const claims = { access_token: { nbf: null } };
  assertEquals((await again.ask({ claims })).accessToken, "AT 2");
  assertEquals(accessTokensOf(again.tokenCache.serialize()), both("AT 2"));
});

test("2.8 in both dialects entries of others keep key and members, and the missing one is added", async () => {
  const rows: Record<string, [string, Entry][]> = {
    "MSAL Python's": [["p", pythonEntry({ note: 1 })]],
    "MSAL Node's": [["n", nodeEntry({ note: 2 })]],
    "two": [["p", pythonEntry({ note: 1 })], ["n", nodeEntry({ note: 2 })]],
    "two, the newer one MSAL Node's": [["p", pythonEntry()], [
      "n",
      nodeEntry({ cached_at: String(NOW + 5) }),
    ]],
    "four": [
      ["n", nodeEntry({ cached_at: String(NOW + 5) })],
      ["p", pythonEntry({ note: 1 })],
      ["q", pythonEntry({ cached_at: String(NOW - 5) })],
      ["m", nodeEntry()],
    ],
  };
  await eachRow(rows, async (entries) => {
    const { ask, tokenCache } = client("both", document(Object.fromEntries(entries)));
    assertEquals(tokenCache.size, 1);
    const old = Object.fromEntries(entries);
    const keys = [old.p ? "p" : PYTHON_KEY, old.n ? "n" : NODE_KEY];
    assertEquals(Object.keys(accessTokensOf(tokenCache.serialize())), keys);
    await ask({ claims: { access_token: { nbf: null } } });
    const [python, node] = keys.map((key) => accessTokensOf(tokenCache.serialize())[key]!);
    assertEquals([python!.secret, node!.secret], ["AT 1", "AT 1"]);
    assertEquals([python!.note, node!.note], [old.p?.note, old.n?.note]);
    assertEquals([python!.environment, node!.environment], ["login.microsoftonline.com", NODE_HOST]);
    assertEquals([python!.home_account_id, node!.home_account_id], [null, ""]);
  });
});

test("in both dialects users' entries are MSAL Python's alone, which both libraries read", async () => {
  const [both, python] = (["both", "python"] as const).map((dialect) => openCache({ dialect }));
  for (const { save } of [both!, python!]) await save({ familyId: "1" });
  assertEquals(both!.sections(), python!.sections());
});

test("2.8 of two entries of one token the dialect's own stays when it is written, and the other goes", async () => {
  const text = document({ p: pythonEntry(), n: nodeEntry(), k: accessTokenOf("MSAL Node 7") });
  const rows: Record<Dialect, string[]> = { python: ["p", "k"], node: ["n", "k"], both: ["p", "n", "k"] };
  await eachRow(rows, (kept) => {
    const dialect = (Object.keys(rows) as Dialect[]).find((one) => rows[one] === kept)!;
    const { tokenCache } = client(dialect, text);
    assertEquals(Object.keys(accessTokensOf(tokenCache.serialize())), kept);
  });
});

test("what one MSAL wrote keeps its spelling in every dialect, unknown members and sections too", async () => {
  for (const dialect of ["python", "node"] as const) {
    for (const writer of ["MSAL Python", "MSAL Node 7", "MSAL.NET"]) {
      const sections = { ...documentOf(writer, true), "Something of the future": { a: [1, null] } };
      const { cache, save, sections: written } = openCache({ dialect, text: JSON.stringify(sections) });
      const [redeemed] = cache.users.family(USER, "1");
      await save({
        redeemed: redeemed!,
        refreshToken: { secret: "RT 2", familyId: "1" },
        accessToken: { scopes: ["s1", "s2"], secret: "AT 2", cachedAt: NOW + 1 },
        familyId: "1",
      });
      const after = written();
      for (const [name, section] of Object.entries(sections)) {
        assertEquals(
          Object.keys(after[name]!).sort(),
          Object.keys(section).sort(),
          `${name} of ${writer} in ${dialect}`,
        );
      }
      const secrets = Object.values(after.RefreshToken!).map(({ secret }) => secret);
      assertEquals(secrets, ["RT 2"]);
      assertEquals(after["Something of the future"] as unknown, { a: [1, null] });
    }
  }
});

test("a partition in a store is written in the dialect, and a cold isolate of any dialect reads it", async () => {
  for (const dialect of ["python", "node", "both"] as const) {
    const clock = new FakeClock();
    const store = countingStore(clock);
    const one = client(dialect, "", { store });
    await one.ask();
    await one.ask({ fmiPath: "agent/1" });
    await openCache({ store, dialect, clock }).save();
    const homes = [...store.values.values()].flatMap((text) => Object.values(accessTokensOf(text)))
      .map((entry) => entry.home_account_id);
    const apps = dialect === "both" ? [null, ""] : [dialect === "node" ? "" : null];
    assertEquals(homes, [...apps, ...apps, HOME]);
    for (const other of ["python", "node", "both"] as const) {
      const cold = client(other, "", { store });
      assertEquals((await cold.ask()).tokenSource, "cache");
      assertEquals((await cold.ask({ fmiPath: "agent/1" })).tokenSource, "cache");
      assertEquals((await cold.ask({ fmiPath: `${dialect}/${other}` })).tokenSource, "identity_provider");
      const user = openCache({ store, dialect: other, clock });
      await user.cache.users.load(USER);
      assertEquals(user.secrets(), ["a refresh token"]);
      assertEquals(user.cache.users.user(ownerOf(USER))?.profiles.get(UTID)?.info.username, "John Doe");
    }
  }
});
