/**
 * Long-running on-behalf-of: a process goes on for a user after the call, until somebody stops it.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { type AuthenticationResult, InteractionRequiredAuthError, type Store, TokenCache } from "../mod.ts";
import { answerAll, answering, assertionOf, type Caller, caller, FILES, homeOf } from "./support/callers.ts";
import {
  type EntraDouble,
  entraDouble,
  HOST,
  OTHER_TENANT_ID,
  type Reply,
  TENANT_ID,
} from "./support/entra_double.ts";
import { later } from "./support/isolates.ts";
import { lockingStore, partitionsIn } from "./support/locking_store.ts";
import { fc } from "./support/property.ts";
import type { RecordedRequest } from "./support/scripted_fetch.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred } from "./support/token_server.ts";

const KEY = "a-key-that-is-hard-to-guess";

/** A process: an isolate over a store, or over its memory alone. */
function processOf(entra: EntraDouble, store?: Store, options: Record<string, unknown> = {}) {
  const tokenCache = new TokenCache(store ? { store } : {});
  // The application's own memory, where a test says so.
  const app = entra.confidential({ tokenCache, ...options });
  const starting = (who: Caller, request: Record<string, unknown> = {}) =>
    app.initiateLongRunningProcessInWebApi({
      userAssertion: assertionOf(entra, who),
      scopes: FILES,
      sessionKey: KEY,
      ...request,
    });
  const going = (request: Record<string, unknown> = {}) =>
    app.acquireTokenInLongRunningProcess({ sessionKey: KEY, scopes: FILES, ...request });
  return {
    app,
    tokenCache,
    starting,
    going,
    start: (who: Caller, request?: Record<string, unknown>) => entra.settle(starting(who, request)),
    go: (request?: Record<string, unknown>) => entra.settle(going(request)),
    refused: (request?: Record<string, unknown>) => entra.refused(going(request)),
    stop: (key = KEY) => entra.settle(app.stopLongRunningProcessInWebApi(key)),
  };
}

function scene(store?: (entra: EntraDouble) => Store, options?: Record<string, unknown>) {
  const entra = entraDouble();
  answerAll(entra);
  return { entra, posts: entra.posts, ...processOf(entra, store?.(entra), options) };
}

/** Whether a result is a user's own. */
function isOf({ accessToken, account }: AuthenticationResult, who: Caller): boolean {
  return accessToken.startsWith(`AT ${who.oid} `) && account?.homeAccountId === homeOf(who);
}

const refusal = (body: object): Reply => () => Promise.resolve(Response.json(body, { status: 400 }));

/** Answers when it is told to. */
function held(entra: EntraDouble) {
  const { promise, resolve } = deferred<void>();
  const answer = answering(entra) as (request: RecordedRequest) => Promise<Response>;
  return { reply: (request: RecordedRequest) => promise.then(() => answer(request)), open: () => resolve() };
}

test("a process begins by the assertion, and goes on by the refresh token", async () => {
  const { entra, start, go, posts } = scene();
  const { sessionKey, result } = await start(caller(1));
  assertEquals([sessionKey, result.tokenSource], [KEY, "identity_provider"]);
  assert(isOf(result, caller(1)));
  assertEquals(posts[0]!.form.get("scope"), "Files.Read offline_access openid profile");
  assertEquals(posts[0]!.form.get("requested_token_use"), "on_behalf_of");
  const hit = await go();
  assertEquals([hit.accessToken, hit.tokenSource], [result.accessToken, "cache"]);
  assertEquals(hit.idTokenClaims?.oid, caller(1).oid);
  // Long after the assertion has ended.
  await entra.clock.advance(86_400_000);
  const renewed = await go();
  assert(isOf(renewed, caller(1)));
  assertEquals(posts[1]!.form.get("grant_type"), "refresh_token");
  assertEquals(posts[1]!.headers.get("x-anchormailbox"), `Oid:${homeOf(caller(1)).replace(".", "@")}`);
  assert(isOf(await go({ scopes: ["Mail.Read"] }), caller(1)));
  // each time by the newest.
  const sent = posts.slice(1).map(({ form }) => form.get("refresh_token"));
  assertEquals([sent.length, new Set(sent).size], [2, 2]);
});

test("a key is made where none is given: 256 bits, another one each time", async () => {
  const { app, entra, go } = scene();
  const keys = new Set<string>();
  for (const who of [caller(1), caller(2)]) {
    const userAssertion = assertionOf(entra, who);
    const { sessionKey } = await entra.settle(
      app.initiateLongRunningProcessInWebApi({ userAssertion, scopes: FILES }),
    );
    assertMatch(sessionKey, /^[\w-]{43}$/);
    keys.add(sessionKey);
    assert(isOf(await go({ sessionKey }), who));
  }
  assertEquals(keys.size, 2);
});

test("a key that is none is refused, and not told", async () => {
  const { app, entra, posts, refused } = scene();
  for (
    const sessionKey of [
      null,
      7,
      "",
      "too-short",
      "has a space in it, and more",
      "x".repeat(1_025),
      `${KEY}\n`,
    ]
  ) {
    const calls = [
      refused({ sessionKey }),
      entra.refused(app.stopLongRunningProcessInWebApi(sessionKey as string)),
      entra.refused(app.initiateLongRunningProcessInWebApi({
        userAssertion: assertionOf(entra, caller(1)),
        scopes: FILES,
        sessionKey: sessionKey as string,
      })),
    ];
    for (const error of await Promise.all(calls)) {
      assertEquals([error.code, (error as { option?: string }).option], ["invalid_request", "sessionKey"]);
    }
  }
  assertEquals((await refused({ sessionKey: undefined })).code, "invalid_request");
  assertEquals(posts.length, 0);
});

test("an unknown key: the user has to begin the process", async () => {
  for (const store of [undefined, countingStore(entraDouble().clock)]) {
    const { refused, posts } = scene(store && (() => store));
    const error = await refused();
    assert(error instanceof InteractionRequiredAuthError);
    assertEquals(error.code, "no_tokens_found");
    assertEquals(posts.length, 0);
  }
  const { refused } = scene(undefined, { authority: `${HOST}/common` });
  assertEquals((await refused()).code, "no_tokens_found");
});

test("another isolate goes on: one read for a token that is there, and one write for a new one", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  await processOf(entra, store).start(caller(1));
  assertEquals(store.values.size, 1);
  store.take();
  const other = processOf(entra, store);
  const hit = await other.go();
  assert(isOf(hit, caller(1)));
  assertEquals([hit.tokenSource, hit.metadata.cacheLevel], ["cache", "store"]);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  assert(isOf(await processOf(entra, store).go({ scopes: ["Mail.Read"] }), caller(1)));
  assertEquals(store.take().set, 1);
  assertEquals(entra.posts.length, 2);
  assert(store.writes.at(-1)!.options.expiresAtMs - entra.clock.now() >= 90 * 86_400_000);
  for (const key of store.values.keys()) assertMatch(key, /^msal-edge\.tokens\.v1\.[\w-]{43}$/);
});

test("an authority of many tenants goes on in the tenant where the process began", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const options = { authority: `${HOST}/common` };
  const first = processOf(entra, store, options);
  const who = caller(1, OTHER_TENANT_ID);
  await first.start(who);
  assertEquals((await first.go()).tokenSource, "cache");
  const other = processOf(entra, store, options);
  assert(isOf(await other.go(), who));
  assert(isOf(await other.go({ scopes: ["Mail.Read"] }), who));
  assertEquals(entra.posts.map(({ url }) => url.split("/")[3]), [OTHER_TENANT_ID, OTHER_TENANT_ID]);
  // Another tenant, in which the user is a guest.
  const guest = await other.go({ tenantId: TENANT_ID });
  assertEquals([guest.tenantId, guest.account?.homeAccountId], [TENANT_ID, homeOf(who)]);
  assertEquals((await processOf(entra, store, options).go()).tenantId, OTHER_TENANT_ID);
});

test("initiate looks into the cache where the same assertion began the same process", async () => {
  const { entra, start, go, posts } = scene();
  const userAssertion = assertionOf(entra, caller(1));
  const { result } = await start(caller(1), { userAssertion });
  const again = await start(caller(1), { userAssertion });
  assertEquals([again.result.accessToken, posts.length], [result.accessToken, 1]);
  await start(caller(1), { userAssertion, forceRefresh: true });
  await start(caller(1), { userAssertion: assertionOf(entra, caller(1), { jti: "new" }) });
  assertEquals(posts.length, 3);
  await go({ scopes: ["Mail.Read"] });
  // Whatever the cache has, the assertion must not have ended.
  await entra.clock.advance(3_600_000);
  const late = start(caller(1), { userAssertion }).catch((error) => error.code);
  assertEquals(await late, "user_assertion_expired");
});

test("assertions and keys are never one another's", async () => {
  const { entra, app, refused } = scene();
  const userAssertion = assertionOf(entra, caller(1)).slice(0, 1_000);
  await entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
  assertEquals((await refused({ sessionKey: userAssertion })).code, "no_tokens_found");
});

test("R-105: another user's assertion takes a process over wholly", async () => {
  for (const make of [undefined, "own memory", true, false]) {
    const entra = entraDouble();
    answerAll(entra);
    const store = typeof make === "boolean" ? countingStore(entra.clock, make) : undefined;
    const here = processOf(entra, store, make === "own memory" ? { tokenCache: undefined } : {});
    await here.start(caller(1));
    await here.go({ scopes: ["Mail.Read"] });
    await entra.clock.advance(2_000);
    await here.start(caller(2));
    for (const scopes of [FILES, ["Mail.Read"], ["Calendars.Read"]]) {
      assert(isOf(await here.go({ scopes }), caller(2)), scopes[0]);
    }
    const texts = [here.tokenCache.serialize(), ...store?.values.values() ?? []];
    for (const text of texts) assert(!text.includes(caller(1).oid));
    if (store) assert(isOf(await processOf(entra, store).go({ scopes: ["Mail.Read"] }), caller(2)));
  }
});

test("R-105: nobody shares a request with who had the process before", async () => {
  for (const options of [{}, { tokenCache: undefined }]) await takenOverMeanwhile(options);
});

async function takenOverMeanwhile(options: Record<string, unknown>): Promise<void> {
  const entra = entraDouble();
  const { reply, open } = held(entra);
  const here = processOf(entra, undefined, options);
  entra.next(answering(entra));
  await here.start(caller(1));
  entra.next(reply, ...Array.from({ length: 9 }, () => answering(entra)));
  const slow = here.going({ scopes: ["Mail.Read"] });
  slow.catch(() => {});
  await entra.clock.advance(10);
  await here.start(caller(2));
  const mine = await here.go({ scopes: ["Mail.Read"] });
  assert(isOf(mine, caller(2)));
  open();
  // It was asked for while the process was the first user's; nothing of it is kept.
  assert(isOf(await entra.settle(slow), caller(1)));
  assert(isOf(await here.go({ scopes: ["Mail.Read"] }), caller(2)));
  assert(!here.tokenCache.serialize().includes(caller(1).oid));
}

test("R-105: two users who begin one process at once do not share a request", async () => {
  const entra = entraDouble();
  const gates = [held(entra), held(entra)];
  entra.next(...gates.map(({ reply }) => reply));
  const here = processOf(entra);
  const calls = [caller(1), caller(2)].map((who) => here.starting(who));
  await entra.clock.advance(10);
  for (const { open } of gates) open();
  const results = await entra.settle(Promise.all(calls));
  results.forEach(({ result }, nth) => assert(isOf(result, caller(nth + 1))));
});

test("R-105: an outage does not give who begins a process the token of who had it", async () => {
  const entra = entraDouble();
  entra.next(answering(entra), ...Array.from({ length: 8 }, () => new Error("down")));
  const here = processOf(entra);
  await here.start(caller(1));
  assertEquals((await entra.refused(here.starting(caller(2)))).name, "NetworkError");
  assertEquals((await entra.refused(here.starting(caller(2), { forceRefresh: true }))).name, "NetworkError");
});

test("R-112: a renewal elsewhere does not bring back who had the process before", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const [one, two] = [processOf(entra, store), processOf(entra, store)];
  entra.next(answering(entra));
  await one.start(caller(1));
  const { reply, open } = held(entra);
  entra.next(reply, ...Array.from({ length: 9 }, () => answering(entra)));
  const slow = one.going({ scopes: ["Mail.Read"] });
  await entra.clock.advance(2_000);
  await two.start(caller(2));
  open();
  await entra.settle(slow);
  assert(isOf(await two.go({ scopes: ["Mail.Read"] }), caller(2)));
  assert(isOf(await processOf(entra, store).go(), caller(2)));
  // The isolate that had the first user has heard of it by its write.
  assert(isOf(await one.go(), caller(2)));
  for (const text of store.values.values()) assert(!text.includes(caller(1).oid));
});

test("R-105: an isolate that hears of the new user forgets all of the old one", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const [one, two] = [processOf(entra, store), processOf(entra, store)];
  await one.start(caller(1));
  await one.go({ scopes: ["Mail.Read"] });
  await entra.clock.advance(2_000);
  await two.start(caller(2));
  for (const scopes of [["Calendars.Read"], ["Mail.Read"], FILES]) {
    assert(isOf(await one.go({ scopes }), caller(2)), scopes[0]);
  }
});

test("R-105: nor does it keep the old one's name, whatever the tenants", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const [one, two] = [processOf(entra, store), processOf(entra, store)];
  const there = { tenantId: OTHER_TENANT_ID };
  await one.start(caller(1));
  await entra.clock.advance(2_000);
  await two.start(caller(2), there);
  assert(isOf(await one.go(there), caller(2)));
  assert(isOf(await one.go({ ...there, scopes: ["Mail.Read"] }), caller(2)));
});

test("R-105: nor does a renewal for the old one count that was under way", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const [one, two] = [processOf(entra, store), processOf(entra, store)];
  const { reply, open } = held(entra);
  entra.next(answering(entra), reply, ...Array.from({ length: 9 }, () => answering(entra)));
  await one.start(caller(1));
  const slow = one.going({ scopes: ["Mail.Read"] });
  await entra.clock.advance(2_000);
  await two.start(caller(2));
  assert(isOf(await one.go({ scopes: ["Calendars.Read"] }), caller(2)));
  open();
  assert(isOf(await entra.settle(slow), caller(1)));
  const known = await one.go({ scopes: ["Calendars.Read"] });
  assert(isOf(known, caller(2)));
  assertEquals(known.metadata.cacheLevel, "memory");
  assert(isOf(await one.go({ scopes: ["Mail.Read"] }), caller(2)));
});

test("R-105: of whom memory has forgotten all but a token, that goes, too", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const tokenCache = new TokenCache({ memory: { maxBytes: 30_000 } });
  const here = processOf(entra, undefined, { tokenCache });
  await here.start(caller(1));
  await here.go({ scopes: ["Mail.Read"] });
  for (const nth of [3, 4, 5, 6]) {
    const request = { userAssertion: assertionOf(entra, caller(nth)), scopes: FILES };
    await entra.settle(here.app.acquireTokenOnBehalfOf(request));
  }
  const { Account, AccessToken } = JSON.parse(tokenCache.serialize());
  const isThere = (section: unknown, secret: string) => JSON.stringify(section).includes(secret);
  assertEquals([isThere(Account, caller(1).oid), isThere(AccessToken, caller(1).oid)], [false, true]);
  await here.start(caller(2));
  for (const scopes of [["Mail.Read"], FILES]) assert(isOf(await here.go({ scopes }), caller(2)));
});

test("R-105: a store that shows the old user late does not bring them back", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock, false);
  const [one, two] = [processOf(entra, store), processOf(entra, store)];
  await one.start(caller(1));
  const old = await store.get([...store.values.keys()][0]!);
  await entra.clock.advance(2_000);
  await two.start(caller(2));
  const { get } = store;
  store.get = () => Promise.resolve(old);
  assert(isOf(await two.go({ scopes: ["Mail.Read"] }), caller(2)));
  store.get = get;
  assert(isOf(await two.go(), caller(2)));
  assert(isOf(await processOf(entra, store).go({ scopes: ["Calendars.Read"] }), caller(2)));
});

test("R-108: after invalid_grant the store is read once more, and what another isolate got is used", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  entra.next(answering(entra), answering(entra), refusal({ error: "invalid_grant" }), answering(entra));
  const one = processOf(entra, store);
  await one.start(caller(1));
  const [key = ""] = store.values.keys();
  const old = await store.get(key);
  await entra.clock.advance(1_000);
  await one.go({ scopes: ["Mail.Read"] });
  let reads = 0;
  const late = { ...store, get: (name: string) => reads++ === 0 ? Promise.resolve(old) : store.get(name) };
  assert(isOf(await processOf(entra, late).go({ scopes: ["Calendars.Read"] }), caller(1)));
  const [, first, second, third] = entra.posts.map(({ form }) => form.get("refresh_token"));
  assertEquals(second, first);
  assertNotEquals(third, first);
});

test("R-178, R-182: a refresh token that is refused means that the user has to begin anew, with the claims", async () => {
  const entra = entraDouble();
  const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  entra.next(answering(entra), refusal({ error: "invalid_grant", claims }), answering(entra));
  const here = processOf(entra);
  await here.start(caller(1));
  for (const _ of [1, 2]) {
    const error = await here.refused({ scopes: ["Mail.Read"] });
    assert(error instanceof InteractionRequiredAuthError);
    assertEquals(error.claims, claims);
  }
  assertEquals(entra.posts.length, 2);
  await here.start(caller(1), { userAssertion: assertionOf(entra, caller(1), { acrs: ["c1"] }) });
});

test("R-111: an answer for another user is refused, and changes nothing", async () => {
  const entra = entraDouble();
  const here = processOf(entra);
  entra.next(answering(entra));
  await here.start(caller(1));
  const { oid, tid } = caller(2);
  entra.next(await entra.answer({ oid, tid, sub: `subject ${oid}` }, { client_info: undefined }));
  const error = await here.refused({ scopes: ["Mail.Read"] });
  assert(["account_mismatch", "id_token_user_mismatch"].includes(error.code));
  assert(isOf(await here.go(), caller(1)));
});

test("R-103: 50 callers share one refresh", async () => {
  const { entra, start, going, posts } = scene();
  await start(caller(1));
  await entra.clock.advance(3_600_000);
  const results = await entra.settle(Promise.all(Array.from({ length: 50 }, () => going())));
  for (const result of results) assert(isOf(result, caller(1)));
  assertEquals(posts.length, 2);
});

test("R-107: isolates with a lock refresh one after the other", async () => {
  const entra = entraDouble();
  const store = lockingStore(entra.clock, false);
  answerAll(entra);
  await processOf(entra, store).start(caller(1));
  await entra.clock.advance(3_600_000);
  const all = [1, 2, 3].map(() => processOf(entra, store).going());
  for (const result of await entra.settle(Promise.all(all))) assert(isOf(result, caller(1)));
  assertEquals(entra.posts.length, 2);
});

test("R-113: an outage leaves the process, and a token that is good serves", async () => {
  const entra = entraDouble();
  entra.next(answering(entra, { refresh_in: 60 }), ...Array.from({ length: 2 }, () => new Error("down")));
  const here = processOf(entra);
  const { result } = await here.start(caller(1));
  await entra.clock.advance(100_000);
  assertEquals((await here.go()).accessToken, result.accessToken);
  answerAll(entra);
  await entra.clock.advance(3_600_000);
  assert(isOf(await here.go(), caller(1)));
});

test("stop removes everything of a key from memory and store, and nothing else", async () => {
  for (const cas of [true, false]) {
    const entra = entraDouble();
    answerAll(entra);
    const store = countingStore(entra.clock, cas);
    const here = processOf(entra, store);
    await here.start(caller(1));
    await here.go({ scopes: ["Mail.Read"] });
    await here.start(caller(1), { sessionKey: `${KEY}-2` });
    await here.stop();
    assertEquals((await here.refused()).code, "no_tokens_found");
    assertEquals((await processOf(entra, store).refused()).code, "no_tokens_found");
    assertEquals(partitionsIn(store), 1);
    assert(isOf(await here.go({ sessionKey: `${KEY}-2` }), caller(1)));
    // It may begin again.
    await entra.clock.advance(1_000);
    await here.start(caller(2));
    assert(isOf(await here.go(), caller(2)));
  }
});

test("stop of what nobody knows does nothing", async () => {
  const { stop, posts } = scene();
  await stop();
  assertEquals(posts.length, 0);
});

test("R-116: stop beats a renewal that is under way, here and elsewhere", async () => {
  await stoppedInMemory();
  for (const [cas, isHere] of [[true, true], [true, false], [false, true], [false, false]] as const) {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const one = processOf(entra, store);
    const two = isHere ? one : processOf(entra, store);
    entra.next(answering(entra));
    await one.start(caller(1));
    const { reply, open } = held(entra);
    entra.next(reply);
    await entra.clock.advance(1_000);
    const slow = one.going({ scopes: ["Mail.Read"] });
    slow.catch(() => {});
    await entra.clock.advance(1_000);
    await two.stop();
    open();
    await entra.settle(slow.catch(() => {}));
    assertEquals(partitionsIn(store), 0, `${cas} ${isHere}`);
    for (const process of [one, two, processOf(entra, store)]) {
      assertEquals((await process.refused({ scopes: ["Mail.Read"] })).code, "no_tokens_found");
    }
  }
});

async function stoppedInMemory(): Promise<void> {
  const entra = entraDouble();
  const here = processOf(entra, undefined, { tokenCache: undefined });
  const gates = [held(entra), held(entra)];
  entra.next(answering(entra), ...gates.map(({ reply }) => reply));
  await here.start(caller(1));
  const slow = [here.going({ scopes: ["Mail.Read"] }), here.starting(caller(2))];
  await entra.clock.advance(10);
  await here.stop();
  for (const { open } of gates) open();
  await entra.settle(Promise.allSettled(slow));
  assertEquals((await here.refused()).code, "no_tokens_found");
}

test("R-116: stop beats a beginning that is under way", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const here = processOf(entra, store);
  const { reply, open } = held(entra);
  entra.next(reply);
  const slow = here.starting(caller(1));
  await entra.clock.advance(1_000);
  await here.stop();
  open();
  await entra.settle(slow);
  assertEquals([partitionsIn(store), (await here.refused()).code], [0, "no_tokens_found"]);
});

test("a store that does not delete is told of, and the memory is empty all the same", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const here = processOf(entra, { ...store, delete: () => Promise.reject(new Error("down")) });
  await here.start(caller(1));
  const error = await entra.refused(here.app.stopLongRunningProcessInWebApi(KEY));
  assertEquals([error.code, here.tokenCache.size, here.tokenCache.users], ["cache_write_failed", 0, 0]);
});

test("two issuers at one host never get each other's refresh tokens", async () => {
  const entra = entraDouble();
  const root = "https://idp.example.com";
  entra.documents = ({ url }) => {
    const issuer = url.replace("/.well-known/openid-configuration", "");
    return issuer === url ? undefined : Response.json({
      issuer,
      jwks_uri: `${root}/discovery/v2.0/keys`,
      token_endpoint: `${issuer}/token`,
      authorization_endpoint: `${issuer}/auth`,
    });
  };
  const store = countingStore(entra.clock);
  const [one, two] = ["one", "two"].map((name) =>
    processOf(entra, store, { authority: undefined, oidcAuthority: `${root}/${name}` })
  );
  const claims = { iss: `${root}/one`, sub: "anna", tid: undefined, oid: undefined };
  entra.next(await entra.answer(claims, { client_info: undefined }));
  await one!.start(caller(1));
  assertEquals((await one!.go({ scopes: ["User.Read"] })).account?.homeAccountId, `${root}/one#anna`);
  assertEquals((await two!.refused()).code, "no_tokens_found");
  assertEquals(entra.posts.length, 1);
});

test("an issuer that says nothing of users: the process goes on, and is another assertion's wholly", async () => {
  const entra = entraDouble();
  const nobody = { id_token: undefined, client_info: undefined };
  answerAll(entra, nobody);
  const here = processOf(entra);
  await here.start(caller(1));
  const { account, accessToken } = await here.go({ scopes: ["Mail.Read"] });
  assertEquals([account, accessToken.startsWith(`AT ${caller(1).oid}`)], [null, true]);
  await here.start(caller(2));
  assert((await here.go({ scopes: ["Mail.Read"] })).accessToken.startsWith(`AT ${caller(2).oid}`));
});

test("a process that first hears of its user by a refresh goes on", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  entra.next(answering(entra, { id_token: undefined, client_info: undefined }));
  const here = processOf(entra, store);
  assertEquals((await here.start(caller(1))).result.account, null);
  answerAll(entra);
  assert(isOf(await here.go({ scopes: ["Mail.Read"] }), caller(1)));
  assert(isOf(await processOf(entra, store).go({ scopes: ["Calendars.Read"] }), caller(1)));
});

test("the cache survives being written down, with its processes", async () => {
  const { entra, start, go, tokenCache } = scene();
  await start(caller(1));
  tokenCache.deserialize(tokenCache.serialize());
  assertEquals((await go()).tokenSource, "cache");
  await entra.clock.advance(3_600_000);
  assert(isOf(await go(), caller(1)));
  assertNotEquals(tokenCache.size, 0);
});

test("R-116: a beginning from before a stop does not end the one that came after it", async () => {
  for (const options of [{}, { tokenCache: undefined }]) {
    const entra = entraDouble();
    const here = processOf(entra, undefined, options);
    const { reply, open } = held(entra);
    entra.next(reply, answering(entra));
    const slow = here.starting(caller(1));
    await entra.clock.advance(1_000);
    await here.stop();
    await here.start(caller(2));
    open();
    await entra.settle(slow);
    assert(isOf(await here.go(), caller(2)));
  }
});

/** One step of a story. */
interface Step {
  readonly kind: string;
  readonly who: number;
  readonly scope: string;
  readonly delayMs: number;
}

/** Plays a story, and holds every result against who may have the process. */
async function play(steps: readonly Step[], times: readonly number[], memory: string): Promise<void> {
  const entra = entraDouble();
  const answer = answering(entra) as (request: RecordedRequest) => Promise<Response>;
  entra.next(
    ...Array.from(
      { length: 200 },
      (_, nth) => (request: RecordedRequest) => later(entra.clock, times[nth % 10]!, () => answer(request)),
    ),
  );
  const store = memory === "store" ? countingStore(entra.clock) : undefined;
  const here = processOf(entra, store, memory === "own" ? { tokenCache: undefined } : {});
  const calls: Promise<unknown>[] = [];
  // Whoever has begun the process, or is beginning it.
  let owners = new Set<string>();
  for (const { kind, who, scope, delayMs } of steps) {
    const request = { scopes: [scope] };
    const may = owners;
    if (kind === "stop") calls.push(here.app.stopLongRunningProcessInWebApi(KEY));
    if (kind === "start") {
      owners.add(homeOf(caller(who)));
      calls.push(here.starting(caller(who), request).then(({ result }) => assert(isOf(result, caller(who)))));
    }
    if (kind === "go") calls.push(here.going(request).then((result) => isWhole(result, may), isNobody));
    await entra.clock.advance(delayMs);
    if (delayMs < 3_600_000 || memory === "own") continue;
    await entra.settle(Promise.all(calls));
    // All has settled: one user has it alone.
    const known = new Set(here.tokenCache.serialize().match(/00000000-0000-4000-8000-\d{12}/g));
    assert(known.size <= 1, [...known].join());
    owners = new Set([...known].map((oid) => `${oid}.${TENANT_ID}`));
  }
  await entra.settle(Promise.all(calls));
}

/** Token, account and claims are of one user, who may have the process. */
function isWhole({ accessToken, account, idTokenClaims }: AuthenticationResult, may: ReadonlySet<string>) {
  assertEquals(accessToken.split(" ")[1], idTokenClaims?.oid);
  assertEquals(account?.localAccountId, idTokenClaims?.oid);
  assert(may.has(`${account?.homeAccountId}`));
}

function isNobody(error: { readonly code: string }): void {
  assertEquals(error.code, "no_tokens_found");
}

test("R-105: whatever the order, a process never mixes users up", async () => {
  const step = fc.record({
    kind: fc.constantFrom("start", "go", "go", "stop"),
    who: fc.integer({ min: 1, max: 3 }),
    scope: fc.constantFrom("Files.Read", "Mail.Read"),
    delayMs: fc.constantFrom(0, 20, 1_000, 3_600_000),
  });
  const steps = fc.array(step, { minLength: 5, maxLength: 25 });
  const wire = fc.array(fc.constantFrom(0, 10, 200, 2_000), { minLength: 10, maxLength: 10 });
  const memory = fc.constantFrom("own", "memory", "store");
  await fc.assert(fc.asyncProperty(steps, wire, memory, play), { numRuns: 40 });
});
