/** Cache documents of MSAL Python, Node, .NET, Go and Java: used by what their entries say, and given back as they were. */
import { assertEquals, assertFalse } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { ownerKey } from "../src/cache/token_index.ts";
import { accessTokenOf, documentOf, type Sections, WRITERS } from "./support/dialects.ts";
import { accessTokensOf, document, type Entry, NOW } from "./support/documents.ts";
import { HOSTILE } from "./support/hostile_documents.ts";
import { test } from "./support/suite.ts";
import { cached, eachRow } from "./support/token_server.ts";
import { HOME, openCache, type OpenedCache, ownerOf, USER, UTID } from "./support/users.ts";

const BY_WRITER = Object.fromEntries(WRITERS.map((writer) => [writer, writer]));
const APP = ownerKey(USER.environment, USER.clientId, "");

/** The secret of an access token in memory. */
function found({ cache }: OpenedCache, owner: string, key: string): string | undefined {
  return cache.index.find(owner, UTID, key, NOW * 1000)?.secret;
}

/** Times are written as texts, whatever they were. */
function inTexts(sections: Sections): Sections {
  const texts = (entry: Entry) =>
    Object.fromEntries(Object.entries(entry).map(([k, v]) => [k, typeof v === "number" ? `${v}` : v]));
  const all = Object.entries(sections).map(([name, section]) => [
    name,
    Object.fromEntries(Object.entries(section).map(([key, entry]) => [key, texts(entry)])),
  ]);
  return Object.fromEntries(all);
}

test("the application and the user of every MSAL are found: tokens, account and client", async () => {
  await eachRow(BY_WRITER, (writer) => {
    const opened = openCache({ text: JSON.stringify(documentOf(writer)) });
    const record = opened.cache.users.user(ownerOf(USER))!;
    assertEquals(found(opened, APP, "https://graph.microsoft.com/.default"), "an app's token");
    assertEquals([found(opened, record.owner, "s1"), found(opened, record.owner, "s1 s2")], [
      "a user's token",
      "a user's token",
    ]);
    assertEquals(record.refreshTokens.map(({ secret }) => secret), ["a refresh token"]);
    const { info, idToken } = record.profiles.get(UTID)!;
    assertEquals([info.homeAccountId, info.username, info.tenantId], [HOME, "John Doe", UTID]);
    assertEquals(idToken?.claims.oid, "object1234");
    // Where a client of no family has no entry, nothing is known of its family.
    assertEquals(record.familyId, writer.includes("Node") ? undefined : "");
  });
});

test("what every MSAL wrote comes back as it was", async () => {
  await eachRow(BY_WRITER, (writer) => {
    for (const isFamily of [false, true]) {
      const { sections } = openCache({ text: JSON.stringify(documentOf(writer, isFamily)) });
      const { Account, ...rest } = inTexts(documentOf(writer, isFamily));
      assertEquals(sections(), { ...rest, Account: Account! });
    }
  });
});

test("a family's refresh token of every MSAL is the family's, and names the client's family", async () => {
  await eachRow(BY_WRITER, (writer) => {
    const { cache, secrets } = openCache({ text: JSON.stringify(documentOf(writer, true)) });
    assertEquals(cache.users.family(USER, "1").map(({ secret }) => secret), ["a refresh token"]);
    assertEquals([secrets(), cache.users.user(ownerOf(USER))?.familyId], [[], "1"]);
  });
});

test("a renewed app token of every MSAL keeps its key and its spelling, and both of MSAL.NET's extended ends", async () => {
  await eachRow(BY_WRITER, async (writer) => {
    const scopes = "https://graph.microsoft.com/.default";
    const { AccessToken } = documentOf(writer);
    const [, [key, entry] = []] = Object.entries(AccessToken!);
    const ageing = { ...entry, realm: "contoso.onmicrosoft.com", refresh_on: String(NOW - 1) };
    const { ask, tokenCache } = cached();
    tokenCache.deserialize(document({ [key!]: ageing }));
    assertEquals((await ask({ scopes: [scopes] })).accessToken, "AT 1");
    const end = String(NOW + 3600);
    assertEquals(accessTokensOf(tokenCache.serialize())[key!], {
      ...entry,
      realm: "contoso.onmicrosoft.com",
      secret: "AT 1",
      cached_at: String(NOW),
      expires_on: end,
      extended_expires_on: end,
      ...(writer === "MSAL.NET" && { ext_expires_on: end }),
    });
  });
});

test("an extended end is what the answer said, though MSAL Node adds the token's life to it", async () => {
  await eachRow(BY_WRITER, (writer) => {
    const { cache } = openCache({ text: JSON.stringify(documentOf(writer)) });
    const token = cache.index.find(APP, UTID, "https://graph.microsoft.com/.default", NOW * 1000);
    assertEquals(token?.extendedExpiresOn, NOW + 7200);
  });
});

test("entries of every alias of a cloud are one cloud's, and of no other", () => {
  const clouds = [
    ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    ["login.microsoftonline.us", "login.usgovcloudapi.net"],
    ["login.microsoftonline.de"],
    ["login-us.microsoftonline.com"],
    ["login.sovcloud-identity.fr"],
    ["login.windows.net.evil.example"],
  ];
  for (const hosts of clouds) {
    for (const host of hosts) {
      const opened = openCache({
        text: document({ k: accessTokenOf("MSAL Node 7", true, { environment: host.toUpperCase() }) }),
      });
      for (const asked of clouds.flat()) {
        const secret = found(
          opened,
          ownerKey(asked, "my_client", ""),
          "https://graph.microsoft.com/.default",
        );
        assertEquals(secret !== undefined, hosts.includes(asked), `${host} for ${asked}`);
      }
    }
  }
});

test("R-117 what is bound to an assertion, a key or components is invisible to plain questions, and survives", async () => {
  const components = { fmi_path: "value" };
  const rows: Record<string, Entry> = {
    "on behalf of, MSAL Node": { userAssertionHash: "aGFzaA" },
    "on behalf of, MSAL.NET and Java": { user_assertion_hash: "aGFzaA" },
    "on behalf of, MSAL Go": { user_assertion_hash: "aGFzaA==" },
    "key of MSAL Python and Node": { key_id: "key", token_type: "pop" },
    "key of MSAL.NET": { kid: "key", token_type: "pop" },
    "key of MSAL Go": { keyid: "key", token_type: "pop" },
    "key without a type": { kid: "key" },
    "components of MSAL Node": { additionalCacheKeyComponents: components },
    "components of MSAL.NET": { ext: components },
    "hash of MSAL Python and Go": { ext_cache_key: "n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg" },
  };
  await eachRow(rows, (over) => {
    for (const isApp of [true, false]) {
      const entry = accessTokenOf("MSAL Node 7", isApp, over);
      const opened = openCache({ text: document({ k: entry }) });
      const owner = isApp ? APP : ownerOf(USER);
      for (const key of ["s1", "https://graph.microsoft.com/.default"]) {
        assertEquals(found(opened, owner, key), undefined);
      }
      assertEquals(opened.sections().AccessToken, { k: entry });
    }
  });
});

test("extra components that are known by any of the three hashes are found by the path alone", async () => {
  const fmiPath = "agent-app-id";
  const rows: Record<string, string> = {
    "MSAL Python and Go": "a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m",
    "MSAL.NET": "zl7jaw0gyg7i6gif4rjezmr7ba4n68orslwrke-a1lw",
    "MSAL Node": "i6ufsungkjzcpsxareif4vlmurc-xz7cwba-lo_l6re",
  };
  await eachRow(rows, async (ext_cache_key) => {
    for (const writer of WRITERS) {
      const entry = accessTokenOf(writer, true, { ext_cache_key, realm: "contoso.onmicrosoft.com" });
      const { ask, tokenCache } = cached();
      tokenCache.deserialize(document({ k: entry }));
      assertEquals((await ask({ fmiPath })).tokenSource, "cache");
      assertEquals((await ask()).tokenSource, "identity_provider");
      tokenCache.deserialize(document({ k: entry }));
      assertEquals((await ask({ fmiPath: "other" })).tokenSource, "identity_provider");
    }
  });
});

test("2.8 of several entries of one ID token the newest counts, wherever it stands", () => {
  const { IdToken } = documentOf("MSAL Python");
  const [[key, entry] = []] = Object.entries(IdToken!);
  const signed = (oid: string, iat: number): Entry => {
    const claims = { iss: "i", sub: "s", aud: "a", exp: NOW, iat, oid };
    return { ...entry, secret: `h.${btoa(JSON.stringify(claims))}.s` };
  };
  const [older, newer] = [signed("older", NOW - 9), signed("newer", NOW - 1)];
  for (const all of [{ a: older, [key!]: newer }, { a: newer, [key!]: older }]) {
    const { cache, sections } = openCache({ text: document({}, { IdToken: all }) });
    assertEquals(cache.users.user(ownerOf(USER))?.profiles.get(UTID)?.idToken?.claims.oid, "newer");
    assertEquals(Object.values(sections().IdToken!), [newer]);
  }
});

/** What no library writes. */
const BAD: Readonly<Record<string, unknown>> = {
  "nothing": null,
  "a number": 7,
  "a text": "text",
  "a list": [],
  "no members": {},
  "no host": { secret: "x", client_id: "my_client", home_account_id: HOME, expires_on: "9" },
  "a prototype": JSON.parse('{"__proto__":{"secret":"x"}}'),
};

test("R-124 a bad entry beside the good ones of any MSAL costs none of them, in any section", async () => {
  await eachRow(BY_WRITER, (writer) => {
    const good = documentOf(writer);
    for (const [name, section] of Object.entries(good)) {
      const bad = Object.entries(BAD);
      const mixed = { ...good, [name]: { ...Object.fromEntries(bad), ...section } };
      const { sections, cache } = openCache({ text: JSON.stringify(mixed) });
      const written = sections();
      for (const [key, entry] of Object.entries(inTexts(good)[name]!)) {
        assertEquals(written[name]![key], entry, name);
      }
      assertEquals(cache.users.user(ownerOf(USER))?.refreshTokens.length, 1);
      assertEquals(cache.index.size, 2);
    }
  });
});

test("R-124 hostile documents change no prototype in any dialect, and what was read is read again", async () => {
  await eachRow(HOSTILE, (text) => {
    for (const dialect of ["python", "node", "both"] as const) {
      const cache = new TokenCache({ dialect });
      cache.deserialize(text);
      const size = cache.size;
      cache.deserialize(cache.serialize());
      assertEquals(cache.size, size);
      assertFalse("polluted" in {});
    }
  });
});
