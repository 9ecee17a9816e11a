/**
 * On behalf of many: who shares a request, who shares a store, and that nobody gets another's token.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type AuthenticationResult, MemoryStore, TokenCache } from "../mod.ts";
import {
  answerAll,
  answering,
  assertionOf,
  type Caller,
  caller,
  FILES,
  homeOf,
  jwtOf,
} from "./support/callers.ts";
import { type EntraDouble, entraDouble } from "./support/entra_double.ts";
import { later } from "./support/isolates.ts";
import { lockingStore } from "./support/locking_store.ts";
import { fc } from "./support/property.ts";
import type { RecordedRequest } from "./support/scripted_fetch.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";

/** Whether a result is a caller's own. */
function isOf({ accessToken, account, idTokenClaims }: AuthenticationResult, who: Caller): boolean {
  return accessToken.startsWith(`AT ${who.oid} `) && account?.homeAccountId === homeOf(who) &&
    idTokenClaims?.oid === who.oid;
}

/** Answers after a moment. */
function slowly(entra: EntraDouble, ms: number) {
  const answer = answering(entra) as (request: RecordedRequest) => Promise<Response>;
  return (request: RecordedRequest) => later(entra.clock, ms, () => answer(request));
}

test("R-104: 50 callers with one assertion cost one request; each other assertion one more", async () => {
  const entra = entraDouble();
  entra.next(...Array.from({ length: 9 }, () => slowly(entra, 100)));
  const app = entra.confidential();
  const assertions = [1, 2, 3].map((nth) => assertionOf(entra, caller(nth)));
  const calls = Array.from(
    { length: 150 },
    (_, nth) => app.acquireTokenOnBehalfOf({ userAssertion: assertions[nth % 3]!, scopes: FILES }),
  );
  const results = await entra.settle(Promise.all(calls));
  results.forEach((result, nth) => assert(isOf(result, caller(nth % 3 + 1))));
  assertEquals(entra.posts.length, 3);
});

test("R-104: forced calls share a request with their like alone", async () => {
  const entra = entraDouble();
  entra.next(...Array.from({ length: 9 }, () => slowly(entra, 100)));
  const app = entra.confidential();
  const userAssertion = assertionOf(entra, caller(1));
  const ask = (request: object) => app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES, ...request });
  const claims = ['{"access_token":{"a":null}}', '{"access_token":{"b":null}}'];
  const requests = [{}, { forceRefresh: true }, { claims: claims[0] }, { claims: claims[1] }];
  await entra.settle(Promise.all([...requests, ...requests].map(ask)));
  assertEquals(entra.posts.length, 4);
});

test("R-106: waitUntil is told of the work", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const kept: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void kept.push(promise);
  const app = entra.confidential();
  const userAssertion = assertionOf(entra, caller(1));
  await entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES, waitUntil }));
  assert(kept.length > 0);
});

test("R-105: whatever the order, nobody gets another user's token", async () => {
  const step = fc.record({
    who: fc.integer({ min: 1, max: 6 }),
    jti: fc.integer({ min: 0, max: 1 }),
    scope: fc.constantFrom("Files.Read", "Mail.Read"),
    isolate: fc.integer({ min: 0, max: 2 }),
    delayMs: fc.constantFrom(0, 0, 50, 400_000),
    forceRefresh: fc.boolean(),
  });
  const wire = fc.array(fc.constantFrom(0, 10, 200, -1), { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      wire,
      fc.boolean(),
      async (steps, times, cas) => {
        const entra = entraDouble();
        const down = () => Promise.resolve(Response.json({ error: "server_error" }, { status: 503 }));
        entra.next(...Array.from({ length: 200 }, (_, nth) => {
          const ms = times[nth % times.length]!;
          return ms < 0 ? down : slowly(entra, ms);
        }));
        const store = countingStore(entra.clock, cas);
        const apps = [0, 1, 2].map((nth) =>
          entra.confidential({
            tokenCache: new TokenCache({ store, memory: { maxEntries: nth === 2 ? 2 : 100 } }),
          })
        );
        const calls: Promise<void>[] = [];
        for (const { who, jti, scope, isolate, delayMs, forceRefresh } of steps) {
          const user = caller(who);
          const userAssertion = jwtOf({ ...user, scp: "s", jti, exp: entra.clock.now() / 1000 + 7_200 });
          const call = apps[isolate]!.acquireTokenOnBehalfOf({
            userAssertion,
            scopes: [scope],
            forceRefresh,
          });
          calls.push(call.then((result) => {
            assert(isOf(result, user), `${result.accessToken} for ${user.oid}`);
            assert(result.accessToken.includes(scope));
          }, (error) => assertEquals(error.name, "ServerError")));
          if (delayMs > 0) await entra.clock.advance(delayMs);
        }
        await entra.settle(Promise.all(calls));
      },
    ),
    { numRuns: 25 },
  );
});

test("R-117: another isolate finds the token by one read; a new one is one write", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
  const userAssertion = assertionOf(entra, caller(1));
  const request = { userAssertion, scopes: FILES };
  await entra.settle(isolate().acquireTokenOnBehalfOf(request));
  // One to look, one to merge.
  assertEquals(store.take(), { get: 2, set: 1, delete: 0 });
  const other = isolate();
  const result = await entra.settle(other.acquireTokenOnBehalfOf(request));
  assert(isOf(result, caller(1)));
  assertEquals([result.tokenSource, result.metadata.cacheLevel], ["cache", "store"]);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  await entra.settle(other.acquireTokenOnBehalfOf(request));
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 });
  assertEquals(entra.posts.length, 1);
  assertEquals(
    (await entra.settle(other.acquireTokenOnBehalfOf({ ...request, scopes: ["Mail.Read"] }))).tokenSource,
    "identity_provider",
  );
  // Both are in one value.
  assertEquals([store.values.size, [...store.values.values()][0]!.match(/"AccessToken"/g)?.length], [1, 3]);
});

test("R-117: each assertion has a value of its own, by a name that tells nothing", async () => {
  const entra = entraDouble();
  answerAll(entra);
  for (const partitionNames of ["hashed", "suggested"] as const) {
    const store = countingStore(entra.clock);
    const app = entra.confidential({ tokenCache: new TokenCache({ store, partitionNames }) });
    const assertions = [caller(1), caller(2)].flatMap((who) =>
      ["a", "b"].map((jti) => assertionOf(entra, who, { jti }))
    );
    for (const userAssertion of assertions) {
      await entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
    }
    assertEquals(store.values.size, 4);
    for (const key of store.values.keys()) assert(/^msal-edge\.tokens\.v1\.[\w-]{43}$/.test(key), key);
  }
});

test("R-163: a value lasts no longer than the assertion, nor than the tokens in it", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  const nowMs = entra.clock.now();
  const rows = [[600, 3600, 600], [7200, 3600, 3600]] as const;
  for (const [assertionSeconds, tokenSeconds, ends] of rows) {
    entra.next(answering(entra, { expires_in: tokenSeconds }));
    const userAssertion = assertionOf(entra, caller(1), { exp: nowMs / 1000 + assertionSeconds });
    await entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
    assertEquals(store.writes.at(-1)!.options.expiresAtMs, nowMs + ends * 1000);
  }
});

test("R-121: a sealed store serves, and holds nothing to read", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const seal = "b8Zr2mQeXw5Jt0uYk9LcVn4sGh7PdFa1";
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store, seal }) });
  const request = { userAssertion: assertionOf(entra, caller(1)), scopes: FILES };
  await entra.settle(isolate().acquireTokenOnBehalfOf(request));
  assert(isOf(await entra.settle(isolate().acquireTokenOnBehalfOf(request)), caller(1)));
  assertEquals(entra.posts.length, 1);
  for (const text of store.values.values()) assert(!text.includes("AT ") && !text.includes("Account"));
});

test("R-117: a store that mixes its values up mixes no users up", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const store = countingStore(entra.clock);
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  const [first, second] = [assertionOf(entra, caller(1)), assertionOf(entra, caller(2))];
  for (const userAssertion of [first, second]) {
    await entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: FILES }));
  }
  const values = [...store.values.values()];
  let reads = 0;
  const mixing = { ...store, get: () => Promise.resolve({ value: values[reads++ % 2]!, version: "1" }) };
  const other = entra.confidential({ tokenCache: new TokenCache({ store: mixing }) });
  for (let round = 0; round < 6; round++) {
    for (const [userAssertion, who] of [[first, caller(1)], [second, caller(2)]] as const) {
      const request = { userAssertion, scopes: FILES, forceRefresh: round % 2 === 1 };
      assert(isOf(await entra.settle(other.acquireTokenOnBehalfOf(request)), who));
    }
  }
});

test("isolates with a lock ask one after the other, and the second finds what the first got", async () => {
  const entra = entraDouble();
  entra.next(slowly(entra, 300), slowly(entra, 300));
  const store = lockingStore(entra.clock);
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
  const request = { userAssertion: assertionOf(entra, caller(1)), scopes: FILES };
  const results = await entra.settle(
    Promise.all([isolate(), isolate()].map((app) => app.acquireTokenOnBehalfOf(request))),
  );
  for (const result of results) assert(isOf(result, caller(1)));
  assertEquals(entra.posts.length, 1);
});

test("R-112: two isolates that write at once lose nothing", async () => {
  const entra = entraDouble();
  entra.next(...Array.from({ length: 6 }, () => slowly(entra, 50)));
  const store = new MemoryStore({ clock: entra.clock });
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
  const userAssertion = assertionOf(entra, caller(1));
  const all = ["a", "b", "c", "d"];
  const ask = (scope: string) => isolate().acquireTokenOnBehalfOf({ userAssertion, scopes: [scope] });
  await entra.settle(Promise.all(all.map(ask)));
  const again = await entra.settle(Promise.all(all.map(ask)));
  assertEquals(again.map(({ tokenSource }) => tokenSource), all.map(() => "cache"));
});

test("R-110: a store that fails costs nobody the token", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const fail = () => Promise.reject(new Error("down"));
  const store = { cas: false, get: fail, set: fail, delete: fail };
  const app = entra.confidential({ tokenCache: new TokenCache({ store }) });
  const request = { userAssertion: assertionOf(entra, caller(1)), scopes: FILES };
  assert(isOf(await entra.settle(app.acquireTokenOnBehalfOf(request)), caller(1)));
  assert(isOf(await entra.settle(app.acquireTokenOnBehalfOf(request)), caller(1)));
  assertEquals(entra.posts.length, 1);
});

test("R-119: a memory that is too small asks again, and gives everybody their own", async () => {
  const entra = entraDouble();
  answerAll(entra);
  const app = entra.confidential({
    tokenCache: new TokenCache({ memory: { maxEntries: 3, maxBytes: 60_000 } }),
  });
  const everybody = [1, 2, 3, 4, 5, 6].map((nth) => caller(nth));
  const assertions = everybody.map((who) => assertionOf(entra, who));
  for (let round = 0; round < 3; round++) {
    for (const [nth, who] of everybody.entries()) {
      const request = { userAssertion: assertions[nth]!, scopes: FILES };
      assert(isOf(await entra.settle(app.acquireTokenOnBehalfOf(request)), who));
    }
  }
});
