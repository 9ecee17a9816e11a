/**
 * Users of isolates that share a store: removal, failed reads, and what each may take for gone.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import {
  callback,
  clientInfo,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  nonceOf,
  OTHER_TENANT_ID,
  REDIRECT_URI,
} from "./support/entra_double.ts";
import { partitionsIn } from "./support/locking_store.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred } from "./support/token_server.ts";

const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
const HOUR_MS = 3_600_000;
const GUEST = {
  tid: OTHER_TENANT_ID,
  iss: `${HOST}/${OTHER_TENANT_ID}/v2.0`,
  oid: OTHER_TENANT_ID,
  sub: "guest",
};

for (const cas of [true, false]) {
  const kind = cas ? "compares and sets" : "does not compare";

  test(`R-116 a user whom one isolate removed is gone in the others, with a store that ${kind}`, async () => {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const [one, two] = [1, 2].map(() => entra.confidential({ tokenCache: new TokenCache({ store }) }));
    await entra.signIn(one!);
    await entra.settle(two!.acquireTokenSilent(ASK));
    await one!.removeAccount(HOME_ACCOUNT_ID);
    await entra.clock.advance(HOUR_MS);
    assertEquals((await entra.refused(two!.acquireTokenSilent(ASK))).code, "no_tokens_found");
    assertEquals([entra.posts.length, partitionsIn(store)], [1, 0]);
    assertEquals(await two!.getAccount(HOME_ACCOUNT_ID), null);
  });

  test(`R-110 a read that fails is no removal, and overwrites nothing, with a store that ${kind}`, async () => {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const tokenCache = new TokenCache({ store });
    const app = entra.confidential({ authority: `${HOST}/common`, tokenCache });
    await entra.signIn(app);
    await entra.signIn(app, GUEST);
    const before = [...store.values.values()].join();
    const { get } = store;
    store.get = () => Promise.reject(new Error("down"));
    await entra.clock.advance(10_000);
    entra.next(await entra.answer(), await entra.answer());
    const renewed = await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals([renewed.tokenSource, renewed.account?.homeAccountId], [
      "identity_provider",
      HOME_ACCOUNT_ID,
    ]);
    assertEquals([...store.values.values()].join(), before, "nothing is written over what could not be read");
    store.get = get;
    await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals(entra.posts.at(-1)?.form.get("refresh_token"), "RT 3", "memory has kept the new one");
    const cold = entra.confidential({ authority: `${HOST}/common`, tokenCache: new TokenCache({ store }) });
    assertEquals((await cold.getAccount(HOME_ACCOUNT_ID))?.tenantProfiles.length, 2);
  });
}

test("a store that sees new values late does not sign its users out", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock, false);
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(app);
  const { get } = store;
  store.get = () => Promise.resolve(undefined);
  await entra.clock.advance(60_000);
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  store.get = get;
  assertEquals((await app.acquireTokenSilent(ASK)).accessToken, "AT 2");
});

test("removing a family's user in a process that knows nothing takes the family's token along", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  await entra.signIn(entra.public({ tokenCache: new TokenCache({ store }) }), {}, { foci: "1" });
  await entra.public({ tokenCache: new TokenCache({ store }) }).removeAccount(HOME_ACCOUNT_ID);
  assert(![...store.values.values()].join().includes("RT 1"));
});

test("foci of an issuer that is not Microsoft makes no family", async () => {
  const entra = entraDouble();
  const issuer = "https://idp.example.com";
  entra.documents = ({ url }) =>
    url.endsWith("/openid-configuration")
      ? Response.json({
        issuer,
        jwks_uri: `${issuer}/discovery/v2.0/keys`,
        token_endpoint: `${issuer}/token`,
        authorization_endpoint: `${issuer}/auth`,
      })
      : undefined;
  const app = entra.confidential({ authority: undefined, oidcAuthority: issuer });
  const flow = await entra.settle(app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI }));
  assertEquals(flow.issuer, issuer, "R-036");
  const claims = { iss: issuer, nonce: nonceOf(flow), tid: undefined, oid: undefined };
  entra.next(await entra.answer(claims, { foci: "1", client_info: undefined }));
  const { account } = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assert(!entra.tokenCache.serialize().includes("family_id"));
  // Two calls for different scopes spend each refresh token once: the second waits for the first one's successor.
  const renewed = { ...claims, nonce: undefined };
  entra.next(
    await entra.answer(renewed, { client_info: undefined }),
    await entra.answer(renewed, { client_info: undefined }),
  );
  const calls = ["mail", "files"].map((scope) =>
    app.acquireTokenSilent({ account: account!, scopes: [scope] })
  );
  await entra.settle(Promise.all(calls));
  assertEquals(entra.posts.slice(1).map(({ form }) => form.get("refresh_token")), ["RT 1", "RT 2"]);
  const other = await entra.refused(
    app.acquireTokenByAuthCodeFlow({ ...flow, issuer: "https://evil.example" }, callback(flow)),
  );
  assertEquals(other.code, "auth_flow_mismatch");
});

test("R-109 a refresh token that a caller brought is kept where the issuer does not rotate it", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  entra.next(await entra.answer({}, { refresh_token: undefined }), await entra.answer());
  const { account } = await entra.settle(
    app.acquireTokenByRefreshToken({ refreshToken: "brought", scopes: ["User.Read"] }),
  );
  await entra.settle(
    app.acquireTokenSilent({ account: account!, scopes: ["User.Read"], forceRefresh: true }),
  );
  assertEquals(entra.posts.at(-1)?.form.get("refresh_token"), "brought");
});

test("R-050 a refresh without an ID token whose client_info names another user is refused", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  const before = entra.tokenCache.serialize();
  entra.next(await entra.answer({}, { id_token: undefined, client_info: clientInfo(OTHER_TENANT_ID) }));
  const error = await entra.refused(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assertEquals([error.code, entra.tokenCache.serialize()], ["account_mismatch", before]);
});

test("a token of a user whom memory forgot is not renewed while it is fresh", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const tokenCache = new TokenCache({ store, memory: { maxEntries: 2 } });
  const app = entra.confidential({ tokenCache });
  await entra.signIn(app);
  for (const oid of ["1", "2"].map((digit) => OTHER_TENANT_ID.replace(/^./, digit))) {
    await entra.signIn(app, { oid, sub: oid }, { client_info: clientInfo(oid) });
  }
  const sent = entra.posts.length;
  for (let call = 0; call < 5; call++) {
    assertEquals((await entra.settle(app.acquireTokenSilent(ASK))).account?.homeAccountId, HOME_ACCOUNT_ID);
  }
  assertEquals(entra.posts.length, sent);
});

test("a credential that fails does not use a sign-in up, and R-038 a refusal does", async () => {
  const entra = entraDouble();
  let fails = true;
  const app = entra.confidential({
    clientCredential: () =>
      fails ? Promise.reject(new Error("vault")) : Promise.resolve("a secret of the client"),
  });
  const flow = await app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
  assertEquals(
    (await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)))).code,
    "client_credential_failed",
  );
  fails = false;
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  const refused = await app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
  const answer = { error: "access_denied", state: refused.state };
  assertEquals((await entra.refused(app.acquireTokenByAuthCodeFlow(refused, answer))).code, "server_error");
  assertEquals(
    (await entra.refused(app.acquireTokenByAuthCodeFlow(refused, callback(refused)))).code,
    "auth_flow_used",
  );
});

for (const cas of [true, false]) {
  test(`a sign-in after a removal elsewhere is no removal while it is being written (${cas ? "cas" : "no cas"})`, async () => {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const [one, two] = [1, 2].map(() => entra.confidential({ tokenCache: new TokenCache({ store }) }));
    await entra.signIn(two!);
    await one!.removeAccount(HOME_ACCOUNT_ID);
    await entra.clock.advance(HOUR_MS);
    const { promise: gate, resolve: open } = deferred<void>();
    store.beforeSet = () => gate;
    const kept: Promise<unknown>[] = [];
    const flow = await two!.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
    entra.next(await entra.answer({ nonce: nonceOf(flow) }), await entra.answer({}, { scope: "Mail.Read" }));
    const waitUntil = (promise: Promise<unknown>): void => void kept.push(promise);
    await entra.settle(two!.acquireTokenByAuthCodeFlow(flow, callback(flow), { waitUntil }));
    const mail = two!.acquireTokenSilent({ ...ASK, scopes: ["Mail.Read"], waitUntil });
    assertEquals((await entra.settle(mail)).account?.homeAccountId, HOME_ACCOUNT_ID);
    open();
    await entra.settle(Promise.all(kept));
    assertEquals([partitionsIn(store), (await two!.getAccount(HOME_ACCOUNT_ID))?.homeAccountId], [
      1,
      HOME_ACCOUNT_ID,
    ]);
  });
}

test("one read that fails does not keep a sign-in out of the store", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const { get } = store;
  let fails = 1;
  store.get = (key) => fails-- > 0 ? Promise.reject(new Error("down")) : get(key);
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store }) }));
  assertEquals(store.values.size, 1);
});

test("two refresh tokens of the same second: the one that came last is redeemed", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(app);
  for (const _ of [1, 2, 3]) {
    entra.next(await entra.answer());
    await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  }
  assertEquals(entra.posts.slice(1).map(({ form }) => form.get("refresh_token")), ["RT 1", "RT 2", "RT 3"]);
});

test("R-116 a list that cannot be read makes removeAccount say that it did not remove everywhere", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const app = entra.public({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(app);
  store.get = () => Promise.reject(new Error("down"));
  assertEquals((await entra.refused(app.removeAccount(HOME_ACCOUNT_ID))).code, "cache_write_failed");
});

test("a sign-in's refresh token is the one that counts, however many renewals there were in that second", async () => {
  for (const isStored of [false, true]) {
    const entra = entraDouble();
    const tokenCache = new TokenCache(isStored ? { store: countingStore(entra.clock) } : {});
    const app = entra.confidential({ tokenCache });
    await entra.signIn(app);
    for (const _ of [1, 2, 3]) {
      entra.next(await entra.answer());
      await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    }
    await entra.signIn(app, {}, { refresh_token: "RT of the sign-in" });
    entra.next(await entra.answer());
    await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
    assertEquals(entra.posts.at(-1)?.form.get("refresh_token"), "RT of the sign-in");
  }
});
