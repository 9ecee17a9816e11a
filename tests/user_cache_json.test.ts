/** Users as MSAL's JSON: written as MSAL Python writes them, read by fields whoever wrote them, and never spoilt. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { document, type Entry, NOW, USER_SECTIONS } from "./support/documents.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";
import { claims, HOME, jwt, openCache, ownerOf, USER, type UserTokensOver, UTID } from "./support/users.ts";

const HOST = "login.example.com";
/** The event E1 of MSAL Python's own tests; its clock shows 1000. */
const E1: UserTokensOver = {
  key: { environment: HOST, homeAccountId: "uid.utid", clientId: "my_client_id" },
  realm: "contoso",
  accessToken: { tokenType: "some type", cachedAt: 1000, expiresOn: 4600 },
  refreshToken: { lastModified: 1000 },
};

test("T1 T3 T4 T5 T6 a user's entries are those of MSAL Python, keys included", async () => {
  const { save, sections } = openCache();
  await save(E1);
  const secret = jwt(claims({ oid: "object1234", preferred_username: "John Doe" }));
  const user = { home_account_id: "uid.utid", environment: HOST };
  const client = { ...user, client_id: "my_client_id" };
  assertEquals(sections(), {
    AccessToken: {
      [`uid.utid-${HOST}-accesstoken-my_client_id-contoso-s1 s2 s3`]: {
        ...client,
        credential_type: "AccessToken",
        cached_at: "1000",
        expires_on: "4600",
        extended_expires_on: "4600",
        realm: "contoso",
        secret: "an access token",
        target: "s1 s2 s3",
        token_type: "some type",
      },
    },
    RefreshToken: {
      [`uid.utid-${HOST}-refreshtoken-my_client_id--s1 s2 s3`]: {
        ...client,
        credential_type: "RefreshToken",
        last_modification_time: "1000",
        secret: "a refresh token",
        target: "s1 s2 s3",
      },
    },
    Account: {
      [`uid.utid-${HOST}-contoso`]: {
        ...user,
        realm: "contoso",
        local_account_id: "object1234",
        username: "John Doe",
        authority_type: "MSSTS",
      },
    },
    IdToken: {
      [`uid.utid-${HOST}-idtoken-my_client_id-contoso-`]: {
        ...client,
        credential_type: "IdToken",
        realm: "contoso",
        secret,
      },
    },
    AppMetadata: {
      [`appmetadata-${HOST}-my_client_id`]: { client_id: "my_client_id", environment: HOST },
    },
  });
});

test("T7 T8 T9 T10 T11 ADFS: the keys are MSAL Python's, the home account is ours", async () => {
  // MSAL Python's home account is the bare sub, so that two issuers' users may be one; ours names the issuer.
  const host = "fs.msidlab8.com";
  const home = `https://${host}/adfs#subject`;
  const { save, sections } = openCache();
  await save({
    key: { environment: host, homeAccountId: home, clientId: "my_client_id" },
    realm: "adfs",
    account: { localAccountId: "subject", username: "JaneDoe@example.com", authorityType: "ADFS" },
  });
  const written = sections();
  assertEquals(Object.values(written).flatMap(Object.keys), [
    `${home}-${host}-accesstoken-my_client_id-adfs-s1 s2 s3`,
    `${home}-${host}-adfs`,
    `${home}-${host}-idtoken-my_client_id-adfs-`,
    `${home}-${host}-refreshtoken-my_client_id--s1 s2 s3`,
    `appmetadata-${host}-my_client_id`,
  ]);
  assertEquals(Object.values(written.AccessToken!).map((one) => [one.home_account_id, one.realm]), [[
    home,
    "adfs",
  ]]);
  assertEquals(Object.values(written.Account!).map((one) => [one.username, one.authority_type]), [
    ["JaneDoe@example.com", "ADFS"],
  ]);
});

test("T9 what MSAL Python wrote for ADFS is still an account, by its bare sub", () => {
  const user = { home_account_id: "subject", environment: "fs.msidlab8.com" };
  const text = document({}, {
    Account: {
      k: { ...user, realm: "adfs", local_account_id: "subject", username: "Jane", authority_type: "ADFS" },
    },
    RefreshToken: { k: { ...user, client_id: "my_client", secret: "an RT" } },
  });
  const { cache } = openCache({ text });
  const record = cache.users.user(
    ownerOf({ ...USER, environment: "fs.msidlab8.com", homeAccountId: "subject" }),
  );
  assertEquals(record?.profiles.get("adfs")?.info.username, "Jane");
  assertEquals(record?.refreshTokens.map(({ secret }) => secret), ["an RT"]);
});

test("Z16 keys are in lower case but for AppMetadata; entries keep every case", async () => {
  const device = "urn:ietf:params:oauth:grant-type:device_code";
  const { save, sections } = openCache();
  await save({
    key: { clientId: "CID-Mixed", homeAccountId: "UID-A.TID-B" },
    realm: "Common",
    accessToken: { scopes: ["User.Read", "openid", "profile"], extendedExpiresOn: NOW + 7199 },
    refreshToken: { target: "User.Read openid profile", familyId: "1" },
    account: { accountSource: device },
    familyId: "1",
  });
  const { AccessToken, RefreshToken, Account, AppMetadata } = sections();
  const host = "login.microsoftonline.com";
  const [[key, entry] = []] = Object.entries(AccessToken!);
  assertEquals(key, `uid-a.tid-b-${host}-accesstoken-cid-mixed-common-user.read openid profile`);
  assertEquals([entry?.realm, entry?.target, entry?.home_account_id, entry?.extended_expires_on], [
    "Common",
    "User.Read openid profile",
    "UID-A.TID-B",
    String(NOW + 7199),
  ]);
  assertEquals(AppMetadata, {
    [`appmetadata-${host}-CID-Mixed`]: { client_id: "CID-Mixed", environment: host, family_id: "1" },
  });
  assertEquals(Object.values(RefreshToken!).map((one) => [one.family_id, one.target]), [
    ["1", "User.Read openid profile"],
  ]);
  assertEquals(Object.values(Account!).map((one) => one.account_source), [device]);
});

test("T14 refresh_on is written for a user's access token, too", async () => {
  const { save, sections } = openCache();
  await save({ ...E1, accessToken: { cachedAt: 1000, expiresOn: 4600, refreshOn: 2800 } });
  assertEquals(Object.values(sections().AccessToken!)[0]?.refresh_on, "2800");
});

test("Z17 Z36 of overlapping access tokens each is kept, and case does not matter", async () => {
  const { save, cache } = openCache();
  await save({ accessToken: { scopes: ["Two.A", "Two.B"], secret: "both" } });
  await save({ accessToken: { scopes: ["Two.B", "Two.C"], secret: "other" } });
  const secretOf = (key: string) => cache.index.find(ownerOf(USER), UTID, key, NOW * 1000)?.secret;
  assertEquals(["two.a", "two.a two.b", "two.c", "two.a two.c"].map(secretOf), [
    "both",
    "both",
    "other",
    undefined,
  ]);
});

/** What MSAL Node 7 wrote, as it ran. */
const NODE: Record<string, Record<string, Entry>> = {
  Account: {
    "uid.utid-login.windows.net-utid": {
      home_account_id: "uid.utid",
      environment: "login.windows.net",
      realm: "utid",
      local_account_id: "uid",
      username: "a@x",
      authority_type: "MSSTS",
      name: "A",
      client_info: "eyJ1aWQiOiJ1aWQiLCJ1dGlkIjoidXRpZCJ9",
      tenantProfiles: [
        '{"tenantId":"utid","localAccountId":"uid","name":"A","username":"a@x","isHomeTenant":true}',
      ],
    },
  },
  IdToken: {
    "uid.utid-login.windows.net-idtoken-c1-utid--": {
      home_account_id: "uid.utid",
      environment: "login.windows.net",
      credential_type: "IdToken",
      client_id: "C1",
      secret: jwt(claims({ oid: "uid" })),
      realm: "utid",
    },
  },
  AccessToken: {
    "uid.utid-login.windows.net-accesstoken-c1-utid-user.read openid profile-": {
      home_account_id: "uid.utid",
      environment: "login.windows.net",
      credential_type: "AccessToken",
      client_id: "C1",
      secret: "an AT",
      realm: "utid",
      target: "User.Read openid profile",
      cached_at: String(NOW),
      expires_on: String(NOW + 3600),
      extended_expires_on: String(NOW + 10_800),
      refresh_on: String(NOW + 1800),
      token_type: "Bearer",
    },
  },
  RefreshToken: {
    "uid.utid-login.windows.net-refreshtoken-c1---": {
      home_account_id: "uid.utid",
      environment: "login.windows.net",
      credential_type: "RefreshToken",
      client_id: "C1",
      secret: "an RT",
    },
  },
  AppMetadata: {},
};
const NODE_USER = { ...USER, clientId: "c1", homeAccountId: "uid.utid" };

test("what MSAL Node wrote is used, and comes back as it was", () => {
  const { cache, sections } = openCache({ text: JSON.stringify(NODE) });
  const record = cache.users.user(ownerOf(NODE_USER))!;
  assertEquals(record.refreshTokens.map(({ secret, target }) => [secret, target]), [["an RT", ""]]);
  const { info, idToken } = record.profiles.get("utid")!;
  assertEquals([info.username, info.name, idToken?.claims.oid], ["a@x", "A", "uid"]);
  assertEquals(info.tenantProfiles.map(({ isHomeTenant }) => isHomeTenant), [true]);
  assertEquals(cache.index.find(record.owner, "utid", "user.read", NOW * 1000)?.secret, "an AT");
  assertEquals(sections(), NODE);
});

test("MSAL Node's entries keep keys, spelling and members when an answer renews them", async () => {
  const { cache, save, sections } = openCache({ text: JSON.stringify(NODE) });
  const redeemed = cache.users.user(ownerOf(NODE_USER))!.refreshTokens[0]!;
  await save({
    key: NODE_USER,
    realm: "utid",
    accessToken: { scopes: ["User.Read"], secret: "AT 2", cachedAt: NOW + 1 },
    refreshToken: { secret: "RT 2" },
    redeemed,
    account: { username: "b@x", localAccountId: "uid" },
  });
  const { AppMetadata, ...rest } = sections();
  assertEquals(Object.values(AppMetadata!).map(({ client_id }) => client_id), ["c1"]);
  for (const [name, entries] of Object.entries(rest)) {
    assertEquals(Object.keys(entries), Object.keys(NODE[name]!), name);
  }
  const [old, account] = [NODE.Account, rest.Account].map((section) => Object.values(section!)[0]!);
  assertEquals(account, { ...old, username: "b@x" });
  const [refreshToken] = Object.values(rest.RefreshToken!);
  assertEquals([refreshToken?.secret, refreshToken?.environment], ["RT 2", "login.windows.net"]);
});

test("a guest of whom MSAL Node kept an ID token and no account of its own is a profile", () => {
  const guest = {
    ...Object.values(NODE.IdToken!)[0],
    realm: "other",
    secret: jwt(claims({ oid: "g", name: "G" })),
  };
  const sections = { ...NODE, IdToken: { ...NODE.IdToken, g: guest } };
  const { cache, sections: written } = openCache({ text: JSON.stringify(sections) });
  const profile = cache.users.user(ownerOf(NODE_USER))?.profiles.get("other");
  assertEquals([profile?.info.localAccountId, profile?.info.name], ["g", "G"]);
  assertEquals(profile?.info.tenantProfiles.map(({ isHomeTenant }) => isHomeTenant), [true, false]);
  assertEquals(written(), sections);
});

/** A refresh token for tests of what is read. */
function refreshEntry(over: Entry = {}): Entry {
  const { environment, clientId, homeAccountId } = USER;
  return {
    credential_type: "RefreshToken",
    secret: "an RT",
    home_account_id: homeAccountId,
    environment,
    client_id: clientId,
    target: "S1",
    last_modification_time: "1000",
    ...over,
  };
}

test("T15 an updated refresh token keeps its key and its spelling, whatever they are", async () => {
  // MSAL Python writes a second entry under the right key and leaves the wrong one behind; we keep the one.
  const entry = refreshEntry({
    environment: "sts.windows.net",
    target: "s2 s1 s3",
    note: { deep: [1, null] },
  });
  const { cache, save, sections } = openCache({
    text: document({}, { RefreshToken: { "wrong-key": entry } }),
  });
  const [redeemed] = cache.users.user(ownerOf(USER))!.refreshTokens;
  await save({ redeemed: redeemed!, refreshToken: { secret: "RT 2" } });
  assertEquals(sections().RefreshToken, {
    "wrong-key": { ...entry, secret: "RT 2", last_modification_time: String(NOW) },
  });
});

test("an end that the authority says is written, and goes with the token that had it", async () => {
  const { save, sections, cache, tokenCache } = openCache();
  await save({ refreshToken: { expiresOn: NOW + 86_400 } });
  tokenCache.deserialize(tokenCache.serialize());
  const [redeemed] = cache.users.user(ownerOf(USER))!.refreshTokens;
  assertEquals(redeemed?.expiresOn, NOW + 86_400);
  await save({ redeemed: redeemed!, refreshToken: { secret: "RT 2" } });
  assertEquals(Object.values(sections().RefreshToken!).map(({ expires_on }) => expires_on), [undefined]);
});

test("of several refresh tokens the newest comes first, else the last of the document; a new one replaces them", async () => {
  const rows = { a: "1001", b: "1003", c: "1002", d: null, e: null };
  const RefreshToken = Object.fromEntries(
    Object.entries(rows).map((
      [secret, time],
    ) => [secret, refreshEntry({ secret, last_modification_time: time })]),
  );
  const other = refreshEntry({ client_id: "other" });
  const { secrets, sections, save, tokenCache } = openCache({
    text: document({}, { RefreshToken: { ...RefreshToken, other } }),
  });
  for (let round = 0; round < 3; round++) {
    assertEquals(secrets(), ["b", "c", "a", "e", "d"]);
    assertEquals(sections().RefreshToken, { ...RefreshToken, other });
    tokenCache.deserialize(tokenCache.serialize());
  }
  await save();
  assertEquals(Object.keys(sections().RefreshToken!).sort(), ["b", "other"]);
  assertEquals(secrets(), ["a refresh token"]);
});

test("R-117 entries of anybody else, of another kind or of an assertion are never a user's", async () => {
  const rows: Record<string, [Entry, boolean]> = {
    "the same": [{}, true],
    "without a type": [{ credential_type: undefined }, true],
    "an alias": [{ environment: "LOGIN.windows.net" }, true],
    "in capitals": [{ client_id: "MY_CLIENT", home_account_id: HOME.toUpperCase() }, true],
    "another client": [{ client_id: "other" }, false],
    "no client": [{ client_id: null }, false],
    "client of a wrong type": [{ client_id: 7 }, false],
    "client with a separator": [{ client_id: "my_client\n" }, false],
    "a client that is a family's place": [{ client_id: "\t1" }, false],
    "another user": [{ home_account_id: "uid.utid" }, false],
    "nobody": [{ home_account_id: null }, false],
    "user of a wrong type": [{ home_account_id: [HOME] }, false],
    "another cloud": [{ environment: "login.microsoftonline.us" }, false],
    "no host": [{ environment: "" }, false],
    "no secret": [{ secret: "" }, false],
    "secret of a wrong type": [{ secret: { a: 1 } }, false],
    "another type": [{ credential_type: "AccessToken" }, false],
    "type of a wrong type": [{ credential_type: {} }, false],
    "a family's": [{ family_id: "1" }, false],
    "family of a wrong type": [{ family_id: 1 }, false],
    "on behalf of, Node": [{ userAssertionHash: "h" }, false],
    "on behalf of, .NET": [{ user_assertion_hash: "h" }, false],
  };
  await eachRow(rows, ([over, found]) => {
    const RefreshToken = { k: refreshEntry(over) };
    const { secrets, sections } = openCache({ text: document({}, { RefreshToken }) });
    assertEquals(secrets().length, found ? 1 : 0);
    assertEquals(sections().RefreshToken, JSON.parse(JSON.stringify(RefreshToken)));
  });
});

test("R-124 times that no clock shows are no times", async () => {
  for (const time of [NaN, -1, 1e300, "tomorrow", {}, [], "0x10", 1.5, "99999999999999"]) {
    const RefreshToken = { k: refreshEntry({ last_modification_time: time, expires_on: time }) };
    const { cache, save, secrets } = openCache({ text: document({}, { RefreshToken }) });
    const [token] = cache.users.user(ownerOf(USER))!.refreshTokens;
    assertEquals([token?.lastModified, token?.expiresOn], [0, undefined]);
    await save();
    assertEquals(secrets(), ["a refresh token"]);
  }
});

test("R-124 an ID token whose claims are none is kept for others, and not used", async () => {
  const good = claims();
  const rows: Record<string, [unknown, boolean]> = {
    "the same": [jwt(good), true],
    "base64url": [
      `h.${btoa(JSON.stringify({ ...good, name: "??>>" })).replace(/=*$/, "").replaceAll("/", "_")}.s`,
      true,
    ],
    "several audiences": [jwt({ ...good, aud: ["a", "b"] }), true],
    "no JSON": [`h.${btoa("x")}.s`, false],
    "no base64": ["h.???.s", false],
    "no parts": ["text", false],
    "nothing": ["", false],
    "an array": [jwt([good]), false],
    "null": [jwt(null), false],
    "no issuer": [jwt({ ...good, iss: undefined }), false],
    "no sub": [jwt({ ...good, sub: "" }), false],
    "no audience": [jwt({ ...good, aud: undefined }), false],
    "audiences of a wrong type": [jwt({ ...good, aud: [7] }), false],
    "no end": [jwt({ ...good, exp: undefined }), false],
    "end of a wrong type": [jwt({ ...good, exp: "1" }), false],
    "oid of a wrong type": [jwt({ ...good, oid: {} }), false],
    "name of a wrong type": [jwt({ ...good, name: ["x"] }), false],
    "no UTF-8": [`h.${btoa(JSON.stringify({ ...good, name: "\xff" }))}.s`, false],
    "secret of a wrong type": [7, false],
  };
  await eachRow(rows, ([secret, used]) => {
    const { environment, clientId, homeAccountId } = USER;
    const IdToken = {
      k: { home_account_id: homeAccountId, environment, client_id: clientId, realm: UTID, secret },
    };
    const { cache, sections } = openCache({ text: document({}, { IdToken }) });
    const profile = cache.users.user(ownerOf(USER))?.profiles.get(UTID);
    assertEquals(profile?.idToken !== undefined, used);
    assert(profile === undefined || Object.isFrozen(profile.idToken?.claims));
    assertEquals(sections().IdToken, IdToken);
  });
});

test("an account belongs to every client that has its user's tokens, and is written once", async () => {
  const RefreshToken = { a: refreshEntry({ client_id: "a" }), b: refreshEntry({ client_id: "b" }) };
  const { environment, homeAccountId } = USER;
  const Account = {
    k: { environment, home_account_id: homeAccountId, realm: UTID, username: "John", note: 1 },
  };
  const { cache, sections, save } = openCache({ text: document({}, { RefreshToken, Account }) });
  const namesOf = (clientId: string) =>
    cache.users.users(environment, clientId).map(({ profiles }) => profiles.get(UTID)?.info.username);
  assertEquals([namesOf("a"), namesOf("b"), namesOf("c")], [["John"], ["John"], []]);
  assertEquals(sections().Account, Account);
  await save({ key: { clientId: "c" }, account: { username: "Jane" } });
  const written = { ...Account.k, username: "Jane", local_account_id: "object1234" };
  assertEquals(sections().Account, { k: written });
  for (const clientId of ["c", "a", "b"]) await cache.users.remove({ ...USER, clientId });
  assertEquals(sections().Account, {});
});

test("an account of which no client has tokens is listed for every client, and can be removed", async () => {
  const { environment, homeAccountId } = USER;
  const entry = { environment, home_account_id: homeAccountId, realm: UTID, username: "John", note: 1 };
  const { cache, sections, save } = openCache({ text: document({}, { Account: { k: entry } }) });
  assertEquals(cache.users.users(environment, "any").length, 1);
  assertEquals(cache.users.user(ownerOf(USER)), undefined);
  await save({ account: { username: "John" } });
  assertEquals(sections().Account, { k: { ...entry, local_account_id: "object1234" } });
  assertEquals(cache.users.users(environment, "my_client").length, 1);
  await cache.users.remove(USER);
  assertEquals([sections().Account, cache.users.users(environment, "any")], [{}, []]);
});

test("flaw 5: a family that the document's refresh token names is known again", () => {
  const text = document({}, {
    RefreshToken: { k: refreshEntry({ family_id: "1" }) },
    AppMetadata: { k: { client_id: "my_client", environment: "login.windows.net", note: 1 } },
  });
  const { cache, sections } = openCache({ text });
  assertEquals(cache.users.family(USER, "1").length, 1);
  assertEquals(sections().AppMetadata, {
    k: { client_id: "my_client", environment: "login.windows.net", note: 1, family_id: "1" },
  });
});

test("Z19 removing an account empties its sections and leaves AppMetadata", async () => {
  const { cache, save, sections, tokenCache } = openCache();
  await save();
  tokenCache.deserialize(tokenCache.serialize());
  await cache.users.remove(USER);
  const { AppMetadata, ...rest } = sections();
  assertEquals(rest, { AccessToken: {}, Account: {}, IdToken: {}, RefreshToken: {} });
  assertEquals(Object.keys(AppMetadata!).length, 1);
});

test("T16 users change the state, and only changes do", async () => {
  const { cache, save, tokenCache } = openCache();
  assertFalse(tokenCache.hasStateChanged);
  await save();
  assert(tokenCache.hasStateChanged);
  assertEquals([tokenCache.size, tokenCache.users], [1, 1]);
  const text = tokenCache.serialize();
  assertFalse(tokenCache.hasStateChanged);
  cache.users.user(ownerOf(USER));
  await cache.users.load(USER, "1");
  await cache.users.remove({ ...USER, clientId: "other" });
  assertFalse(tokenCache.hasStateChanged);
  await cache.users.remove(USER);
  assert(tokenCache.hasStateChanged);
  assertEquals([tokenCache.size, tokenCache.users], [0, 0]);
  tokenCache.deserialize(text);
  assertEquals([tokenCache.size, tokenCache.users, tokenCache.hasStateChanged], [1, 1, false]);
  assertEquals(tokenCache.toJSON(), { size: 1, users: 1, hasStateChanged: false });
  tokenCache.deserialize("");
  assertEquals([tokenCache.users, cache.users.user(ownerOf(USER))], [0, undefined]);
});

test("two users that differ by case alone are two entries", async () => {
  const { save, tokenCache, cache } = openCache();
  const homes = ["https://idp.example.com#Sub", "https://idp.example.com#sub"];
  const key = { environment: "idp.example.com" };
  for (const homeAccountId of homes) {
    await save({ key: { ...key, homeAccountId }, refreshToken: { secret: homeAccountId } });
  }
  tokenCache.deserialize(tokenCache.serialize());
  for (const homeAccountId of homes) {
    const record = cache.users.user(ownerOf({ ...USER, ...key, homeAccountId }));
    assertEquals(record?.refreshTokens.map(({ secret }) => secret), [homeAccountId]);
    assertEquals(record?.profiles.size, 1);
  }
});

test("R-124 sections that are none are kept until there is something to write there", async () => {
  const text = '{"Account":7,"IdToken":null,"RefreshToken":[],"AppMetadata":"x"}';
  const { tokenCache, save, sections } = openCache({ text });
  assertEquals(sections() as unknown, { ...JSON.parse(text), AccessToken: {} });
  await save();
  assertEquals(Object.values(sections()).map((section) => Object.keys(section).length), [1, 1, 1, 1, 1]);
  assertEquals(new TokenCache().serialize(), '{"AccessToken":{}}');
  assertEquals(tokenCache.users, 1);
});

test("a cache shows no user to logs", async () => {
  const { tokenCache, save } = openCache({ text: document({}, USER_SECTIONS) });
  await save();
  const shown = JSON.stringify([tokenCache, { ...tokenCache }]) + String(tokenCache);
  for (const secret of ["refresh", "John", HOME, "object1234"]) assertFalse(shown.includes(secret), secret);
});
