/** The cache as MSAL's JSON: written so that MSAL Python reads it, read by fields whatever the keys are. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { fc } from "./support/property.ts";
import { CacheError, TokenCache } from "../mod.ts";
import {
  accessTokensOf,
  document,
  type Entry,
  NODE_KEY,
  nodeEntry,
  NOW,
  PYTHON_KEY,
  pythonEntry,
  USER_SECTIONS,
} from "./support/documents.ts";
import { anyDocument, HOSTILE } from "./support/hostile_documents.ts";
import { test } from "./support/suite.ts";
import { cached, type CachedBench, eachRow, oidcCached, tokenServer } from "./support/token_server.ts";

/** An application whose cache was deserialised. */
function loaded(text: string): CachedBench {
  const made = cached();
  made.tokenCache.deserialize(text);
  return made;
}

/** Whether a plain request is answered from this document. */
async function answers(text: string): Promise<string | undefined> {
  const { ask } = loaded(text);
  const { tokenSource, accessToken } = await ask();
  return tokenSource === "cache" ? accessToken : undefined;
}

test("T1 Z15 an app token is written as MSAL Python writes it", async () => {
  const { ask, tokenCache } = cached({}, tokenServer({ ext_expires_in: 7200, refresh_in: 1800 }));
  await ask();
  assertEquals(JSON.parse(tokenCache.serialize()), {
    AccessToken: {
      [PYTHON_KEY]: {
        credential_type: "AccessToken",
        secret: "AT 1",
        home_account_id: null,
        environment: "login.microsoftonline.com",
        client_id: "my_client",
        target: "https://graph.microsoft.com/.default",
        realm: "contoso.onmicrosoft.com",
        token_type: "Bearer",
        cached_at: String(NOW),
        expires_on: String(NOW + 3600),
        extended_expires_on: String(NOW + 7200),
        refresh_on: String(NOW + 1800),
      },
    },
  });
});

test("T1 several scopes are written sorted, the client id in its own case, the key in lower case", async () => {
  const { ask, tokenCache } = oidcCached({ clientId: "My_Client" }, tokenServer({ scope: "s2 S1 s3" }));
  await ask({ scopes: ["s3", "s2", "S1"] });
  const [[key, entry] = []] = Object.entries(accessTokensOf(tokenCache.serialize()));
  assertEquals(key, "-idp.example.com-accesstoken-my_client--s1 s2 s3");
  assertEquals([entry?.client_id, entry?.target, entry?.realm, entry?.refresh_on], [
    "My_Client",
    "S1 s2 s3",
    "",
    undefined,
  ]);
});

test("entries are found by their fields, whatever their keys and dialect", async () => {
  const rows: Record<string, [string, Entry]> = {
    "MSAL Python": [PYTHON_KEY, pythonEntry()],
    "MSAL Node 7": [NODE_KEY, nodeEntry()],
    "MSAL Node 3": [`${NODE_KEY}-`, nodeEntry({ requestedClaims: "", requestedClaimsHash: "" })],
    "MSAL.NET without Bearer": [
      PYTHON_KEY,
      pythonEntry({ token_type: undefined, home_account_id: undefined }),
    ],
    "wrong key (T15)": ["wrong-key", pythonEntry()],
    "empty key": ["", pythonEntry()],
    "key of a prototype": ["constructor", pythonEntry()],
    "alias": ["k", pythonEntry({ environment: "sts.windows.net" })],
    "host in capitals": ["k", pythonEntry({ environment: "Login.MicrosoftOnline.COM" })],
    "client and tenant in capitals": [
      "k",
      pythonEntry({ client_id: "MY_CLIENT", realm: "Contoso.OnMicrosoft.com" }),
    ],
    "scopes in capitals": ["k", pythonEntry({ target: "HTTPS://graph.microsoft.com/.DEFAULT" })],
    "more scopes": ["k", pythonEntry({ target: "openid https://graph.microsoft.com/.default profile" })],
    "spaces": ["k", pythonEntry({ target: "  https://graph.microsoft.com/.default  " })],
    "numbers": ["k", pythonEntry({ cached_at: NOW, expires_on: NOW + 3600 })],
    "token type in capitals": ["k", pythonEntry({ token_type: "BEARER" })],
  };
  await eachRow(rows, async ([key, entry]) => {
    assertEquals(await answers(document({ [key]: entry })), "an app token");
  });
});

test("R-117 R-124 Z35 entries of anything else never answer a plain request", async () => {
  const rows: Record<string, Entry> = {
    "user": { home_account_id: "uid.utid" },
    "home id of a wrong type": { home_account_id: 7 },
    "home id that is an object": { home_account_id: { uid: "u" } },
    "client": { client_id: "other" },
    "no client": { client_id: null },
    "tenant": { realm: "fabrikam" },
    "no tenant": { realm: undefined },
    "cloud": { environment: "login.microsoftonline.us" },
    "look-alike host": { environment: "login.microsoftonline.com.evil.example" },
    "scope": { target: "https://graph.microsoft.com/.defaults" },
    "no scope": { target: undefined },
    "scopes in an array": { target: ["https://graph.microsoft.com/.default"] },
    "expired": { expires_on: String(NOW) },
    "expires never": { expires_on: undefined },
    "expires in words": { expires_on: "tomorrow" },
    "expires at a negative time": { expires_on: -1 },
    "expires at a fraction": { expires_on: NOW + 3600.5 },
    "expires in exponents": { expires_on: "1e12" },
    "expires in hexadecimal": { expires_on: "0xFFFFFFFF" },
    "no secret": { secret: "" },
    "secret of a wrong type": { secret: 7 },
    "ssh-cert (Z35)": { token_type: "ssh-cert" },
    "pop": { token_type: "pop" },
    "token type of a wrong type": { token_type: 7 },
    "key id (Z35)": { key_id: "key1" },
    "key id of .NET": { kid: "key1" },
    "key id of Go": { keyid: "key1" },
    "key id behind an empty one": { key_id: "", kid: "key1" },
    "key id of a wrong type": { key_id: 7 },
    "extended": { ext_cache_key: "n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg" },
    "extended, hash of a wrong type": { ext_cache_key: 7 },
    "extended by Node": { additionalCacheKeyComponents: { fmi_path: "value" } },
    "extended by Node, value of a wrong type": { additionalCacheKeyComponents: { fmi_path: 7 } },
    "extended by Node, no object": { additionalCacheKeyComponents: "fmi_path" },
    "extended by Node, by a name of prototypes": {
      additionalCacheKeyComponents: JSON.parse('{"__proto__":"x"}'),
    },
    "extended by .NET": { ext: { fmi_path: "value" } },
    "extended by .NET behind an empty map": { additionalCacheKeyComponents: {}, ext: { fmi_path: "value" } },
    "on behalf of, Node": { userAssertionHash: "hash" },
    "on behalf of, .NET": { user_assertion_hash: "hash" },
    "on behalf of, Go": { userAssertionHash: "", user_assertion_hash: "hash=" },
    "on behalf of, hash of a wrong type": { userAssertionHash: 7 },
    "a refresh token": { credential_type: "RefreshToken" },
  };
  await eachRow(rows, async (over) => {
    assertEquals(await answers(document({ [PYTHON_KEY]: pythonEntry(over) })), undefined);
  });
});

test("R-124 an invalid entry is no token, and costs the valid one beside it nothing", async () => {
  const invalid = [null, 7, "text", [], {}, { secret: "x" }, [pythonEntry()], pythonEntry({ secret: null })];
  await eachRow(Object.fromEntries(invalid.map((entry, i) => [String(i), entry])), async (entry) => {
    const { ask, tokenCache } = loaded(document({ a: entry, [PYTHON_KEY]: pythonEntry(), b: entry }));
    assertEquals([tokenCache.size, (await ask()).accessToken], [1, "an app token"]);
    assertEquals(accessTokensOf(tokenCache.serialize())[PYTHON_KEY], pythonEntry());
  });
});

test("R-043 R-124 no entry makes a token that lives for ever or a date that is none", async () => {
  const rows = [Number.MAX_SAFE_INTEGER, 8_640_000_000_001, "999999999999", "99999999999999999999", 1e300];
  await eachRow(Object.fromEntries(rows.map((time) => [String(time), time])), async (time) => {
    for (const name of ["expires_on", "extended_expires_on", "refresh_on", "cached_at"]) {
      const { ask } = loaded(document({ k: pythonEntry({ [name]: time }) }));
      const { expiresOn, refreshOn, extendedExpiresOn } = await ask();
      for (const date of [expiresOn, refreshOn, extendedExpiresOn]) {
        assertFalse(Number.isNaN(date?.getTime()), `${name} gives a date that is none`);
      }
    }
  });
});

test("of several entries for one token the one cached last answers, and the others are not written again", async () => {
  const times = [NOW - 30, NOW - 10, NOW - 20];
  const entries = times.map((time) => pythonEntry({ secret: `cached at ${time}`, cached_at: String(time) }));
  const { ask, tokenCache } = loaded(document({ x: entries[0], y: entries[1], z: entries[2] }));
  assertEquals((await ask()).accessToken, `cached at ${NOW - 10}`);
  assertEquals(Object.keys(accessTokensOf(tokenCache.serialize())), ["y"]);
});

test("a refreshed entry keeps its key, its spelling and the fields that we do not know", async () => {
  const ages = { "an ageing entry": 3600, "one with seconds left": 200, "an expired one": -10 };
  await eachRow(ages, async (left) => {
    const strange = { note: { deep: [1, null] }, Note: "x", "": 0 };
    const entry = nodeEntry({
      environment: "sts.windows.net",
      realm: "Contoso.OnMicrosoft.com",
      client_id: "My_Client",
      expires_on: String(NOW + left),
      refresh_on: String(NOW - 1),
      cached_at: String(NOW - 3600),
      ...strange,
    });
    const { ask, tokenCache } = loaded(document({ [NODE_KEY]: entry }));
    assertEquals((await ask()).accessToken, "AT 1");
    const { refresh_on: _, ...kept } = entry;
    assertEquals(accessTokensOf(tokenCache.serialize()), {
      [NODE_KEY]: {
        ...kept,
        secret: "AT 1",
        cached_at: String(NOW),
        expires_on: String(NOW + 3600),
        extended_expires_on: String(NOW + 3600),
      },
    });
  });
});

test("a token is never written under scopes that it does not have", async () => {
  // An entry that only answered the same question has another target: its spelling is not this token's.
  const { tokenCache, server, ask: askFor } = oidcCached();
  const ask = (scope: string) => askFor({ scopes: [scope] });
  server.next({ scope: "v1 v2", expires_in: 200 });
  await ask("x");
  tokenCache.deserialize(tokenCache.serialize());
  server.next({ scope: "x", access_token: "for x alone" });
  await ask("x");
  for (const entry of Object.values(accessTokensOf(tokenCache.serialize()))) {
    if (entry.secret === "for x alone") assertEquals(entry.target, "x");
  }
  tokenCache.deserialize(tokenCache.serialize());
  assertFalse((await ask("v1")).accessToken === "for x alone");
});

test("no token is lost because another entry was kept under its key", async () => {
  const foreign = pythonEntry({ key_id: "key1", secret: "bound to a key" });
  const { ask, tokenCache } = loaded(document({ [PYTHON_KEY]: foreign }));
  await ask();
  const secrets = Object.values(accessTokensOf(tokenCache.serialize())).map(({ secret }) => secret);
  assertEquals(secrets.sort(), ["AT 1", "bound to a key"]);
});

test("other sections and users' entries survive a change and a round trip", async () => {
  const sections = {
    ...USER_SECTIONS,
    IdToken: { k: { credential_type: "IdToken", secret: "x.y.z" } },
    Whatever: [1, "two", { three: null }],
    "": null,
  };
  const user = pythonEntry({
    home_account_id: "uid.utid",
    realm: "utid",
    target: "s1 s2",
    secret: "a user's",
  });
  const { ask, tokenCache } = loaded(document({ u: user }, sections));
  await ask();
  const { AccessToken, ...rest } = JSON.parse(tokenCache.serialize());
  assertEquals(rest, sections);
  assertEquals(AccessToken.u, user);
  assertEquals(Object.keys(AccessToken).length, 2);
});

test("entries that we cannot use but others can survive a round trip: on behalf of, bound to a key", () => {
  const entries = {
    "on behalf of": nodeEntry({ home_account_id: "uid.utid", userAssertionHash: "hash", secret: "obo" }),
    "bound": pythonEntry({ token_type: "pop", key_id: "key1", secret: "bound" }),
    "of a path": nodeEntry({ additionalCacheKeyComponents: { fmi_path: "a" }, secret: "fmi" }),
  };
  const { tokenCache } = loaded(document(entries));
  assertEquals(accessTokensOf(tokenCache.serialize()), entries);
});

test("T16 hasStateChanged tells of what serialize would write anew", async () => {
  const { ask, app, tokenCache } = cached();
  assertFalse(tokenCache.hasStateChanged);
  await ask();
  assert(tokenCache.hasStateChanged);
  const text = tokenCache.serialize();
  assertFalse(tokenCache.hasStateChanged);
  await ask();
  assertFalse(tokenCache.hasStateChanged, "a hit changes nothing");
  await ask({ tenantId: "other.example" });
  assert(tokenCache.hasStateChanged);
  tokenCache.deserialize(text);
  assertFalse(tokenCache.hasStateChanged);
  await app.removeTokensForClient({ tenantId: "nobody.example" });
  assertFalse(tokenCache.hasStateChanged, "nothing was removed");
  await app.removeTokensForClient();
  assert(tokenCache.hasStateChanged);
});

test("deserialize replaces what is there; nothing at all empties it", async () => {
  const { ask, tokenCache } = cached();
  await ask({ tenantId: "other.example" });
  tokenCache.deserialize(document({ [PYTHON_KEY]: pythonEntry() }, { Note: {} }));
  assertEquals([tokenCache.size, (await ask()).accessToken], [1, "an app token"]);
  for (const nothing of [undefined, "", "{}", '{"AccessToken":{}}']) {
    tokenCache.deserialize(nothing);
    assertEquals([tokenCache.size, tokenCache.serialize()], [0, '{"AccessToken":{}}']);
  }
  assertThrows(() => new TokenCache().deserialize("null"), CacheError);
});

test("what an application serialised serves another one without a request", async () => {
  for (
    const request of [{}, { fmiPath: "a/b" }, { extraBodyParameters: { a: "b" } }, { tenantId: "x.example" }]
  ) {
    const one = cached();
    await one.ask(request);
    const two = loaded(one.tokenCache.serialize());
    assertEquals((await two.ask(request)).accessToken, "AT 1");
    assertEquals(two.server.requests.length, 0);
  }
  for (const scope of ["granted", undefined]) {
    const one = oidcCached();
    one.server.otherwise(scope === undefined ? {} : { scope });
    for (const scopes of [["asked"], [], ["Asked", "B"]]) await one.ask({ scopes });
    const two = oidcCached();
    two.tokenCache.deserialize(one.tokenCache.serialize());
    for (const scopes of [["asked"], [], ["Asked", "B"]]) {
      assertEquals((await two.ask({ scopes })).tokenSource, "cache", `${scopes} granted as ${scope}`);
    }
  }
});

test("R-124 R-188 hostile names and depths change no prototype, and cost nobody else's entry", async () => {
  await eachRow(HOSTILE, async (text) => {
    const { ask, tokenCache } = loaded(text);
    assertEquals((await ask()).accessToken, "an app token");
    const again = loaded(tokenCache.serialize());
    assertEquals((await again.ask()).accessToken, "an app token");
    assertEquals(({} as Entry).polluted, undefined);
    assertEquals(Object.getPrototypeOf({}), Object.prototype);
  });
});

test("R-124 a text that is no document throws a CacheError and leaves the memory as it was", () => {
  const { tokenCache } = loaded(document({ [PYTHON_KEY]: pythonEntry() }, USER_SECTIONS));
  const before = tokenCache.serialize();
  const text = before.slice(0, 400);
  const truncated = Array.from(text, (_, end) => text.slice(0, end + 1));
  const wrong = [
    "[]",
    "null",
    "7",
    '"text"',
    "true",
    "NaN",
    "{}{}",
    "{'a':1}",
    "\ufeff{}",
    "\0",
    "{".repeat(10_000),
  ];
  for (const bad of [...wrong, ...truncated, ...[7, true, {}, []] as unknown as string[]]) {
    const error = assertThrows(() => tokenCache.deserialize(bad), CacheError);
    assertEquals(error.code, "invalid_cache");
    assertFalse(JSON.stringify(error).includes("an app token") || error.stack?.includes("an app token"));
    assertEquals([tokenCache.hasStateChanged, tokenCache.serialize()], [false, before]);
  }
});

test("R-124 R-196 any text gives a CacheError or a cache whose JSON comes back the same (property)", () => {
  fc.assert(
    fc.property(anyDocument, (text) => {
      const cache = new TokenCache();
      try {
        cache.deserialize(text);
      } catch (error) {
        assert(error instanceof CacheError, `${error}`);
        return;
      }
      const sizes = [cache.size, cache.users];
      const written = cache.serialize();
      const parsed: unknown = JSON.parse(written);
      cache.deserialize(written);
      assertEquals([cache.size, cache.users], sizes, "a token or a user was lost on the way");
      assertEquals(JSON.parse(cache.serialize()), parsed);
      assertEquals(Object.keys(Object.prototype), []);
    }),
    { numRuns: 1_000 },
  );
});
