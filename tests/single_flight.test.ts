/** Everybody who asks for the same token at the same time shares one request, and nobody else does. */
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { fc } from "./support/property.ts";
import { type ClientCredentialRequest, ServerError, TokenCache } from "../mod.ts";
import { SingleFlight } from "../src/store/single_flight.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";
import {
  bench,
  eachRow,
  gate,
  isPending,
  oidcBench,
  refusal,
  tokenBody,
  tokenServer,
} from "./support/token_server.ts";

test("R-103 R-104 of 50 cold calls at once one sends a request, and all get its token", async () => {
  let secrets = 0;
  const { ask, server, clock } = bench({ clientCredential: () => `secret ${++secrets}` });
  const results = await Promise.all(Array.from({ length: 50 }, () => ask()));
  assertEquals([...new Set(results.map(({ accessToken }) => accessToken))], ["AT 1"]);
  assertEquals([server.requests.length, secrets, clock.pending], [1, 1, 0]);
});

test("R-104 R-105 distinct requests never share a flight, equal ones do", async () => {
  // Order and case of scopes do not tell requests apart; everything else does.
  const claims = { access_token: { nbf: { value: "1" } } };
  const other = { access_token: { nbf: { value: "2" } } };
  const requests: Record<string, Partial<ClientCredentialRequest>> = {
    "plain": {},
    "other scopes": { scopes: ["write"] },
    "more scopes": { scopes: ["read", "write"] },
    "scopes that join alike": { scopes: ["readwrite"] },
    "claims": { claims },
    "other claims": { claims: other },
    "path": { fmiPath: "a" },
    "other path": { fmiPath: "b" },
    "path of delimiters": { fmiPath: "a\n1:b" },
    "path and claims": { fmiPath: "a", claims },
    "body": { extraBodyParameters: { a: "b" } },
    "body of another name": { extraBodyParameters: { ab: "", b: "a" } },
    "query": { extraQueryParameters: { a: "b" } },
    "body named as a query is keyed": { extraBodyParameters: { "?a": "b" } },
    "forwarded claims": { forwardedClientClaims: claims },
    "other forwarded claims": { forwardedClientClaims: other },
  };
  const { ask, server } = oidcBench();
  const twice = [...Object.values(requests), ...Object.values(requests)];
  const tokens = (await Promise.all(twice.map((request) => ask({ scopes: ["read"], ...request })))).map((
    { accessToken },
  ) => accessToken);
  const names = Object.keys(requests);
  const shared = names.flatMap((a, i) =>
    names.filter((_, j) => j > i && tokens[i] === tokens[j]).map((b) => `${a} = ${b}`)
  );
  assertEquals(shared, []);
  assertEquals(tokens.slice(names.length), tokens.slice(0, names.length));
  assertEquals(server.requests.length, names.length);
});

test("R-104 R-105 distinct tenants never share a flight; the spelling of one does not matter", async () => {
  const { ask, server } = bench();
  const tenants = ["a.example", "b.example", "A.Example", "11111111-2222-4333-8444-55555555555A"];
  const tokens = (await Promise.all(tenants.map((tenantId) => ask({ tenantId })))).map((
    { accessToken },
  ) => accessToken);
  assertEquals(server.requests.length, 3);
  assertEquals(tokens[2], tokens[0]);
  assertEquals(new Set(tokens).size, 3);
});

test("R-104 an error is shared by those who wait, and by nobody after them", async () => {
  const { ask, server, clock } = bench();
  server.next(refusal(401, { error: "invalid_client" }));
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => ask()));
  const reasons = outcomes.map((outcome) => outcome.status === "rejected" ? outcome.reason : undefined);
  assert(reasons.every((reason) => reason instanceof ServerError));
  assertEquals([server.requests.length, clock.pending], [1, 0]);
  assertEquals((await ask()).accessToken, "AT 2");
});

test("R-105 a follower's signal ends its own wait and nothing else", async () => {
  const { ask, server, clock } = bench();
  const late = gate();
  server.next(late.answer);
  const leader = ask();
  const controller = new AbortController();
  const follower = ask({ signal: controller.signal });
  await clock.advance(0);
  controller.abort();
  await assertRejects(() => follower, Error, "signal was aborted");
  assert(await isPending(clock, leader));
  assertFalse(server.requests[0]!.signal!.aborted);
  late.open();
  assertEquals([(await leader).accessToken, server.requests.length], ["AT late", 1]);
});

test("R-105 the leader's signal does not take the request from its followers", async () => {
  const { ask, server, clock } = bench();
  const late = gate();
  server.next(late.answer);
  const controller = new AbortController();
  const leader = ask({ signal: controller.signal });
  const followers = [ask(), ask({ signal: new AbortController().signal })];
  await clock.advance(0);
  controller.abort();
  await assertRejects(() => leader, Error, "signal was aborted");
  late.open();
  const tokens = (await Promise.all(followers)).map(({ accessToken }) => accessToken);
  assertEquals([tokens, server.requests.length], [["AT late", "AT late"], 1]);
  // The abandoned work is not lost: its token is in the cache.
  assertEquals((await ask()).tokenSource, "cache");
});

test("R-105 a call whose signal was aborted before sends nothing and leads nothing", async () => {
  const { ask, server, clock } = bench();
  await assertRejects(() => ask({ signal: AbortSignal.abort() }), Error, "signal was aborted");
  assertEquals([server.requests.length, clock.pending], [0, 0]);
  assertEquals((await ask()).accessToken, "AT 1");
});

test("R-105 listeners on a long-lived signal do not pile up", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (
    ...args: unknown[]
  ) => (listeners++, Reflect.apply(addEventListener, signal, args));
  signal.removeEventListener = (
    ...args: unknown[]
  ) => (listeners--, Reflect.apply(removeEventListener, signal, args));
  const { ask } = bench({}, tokenServer({ expires_in: 1 }));
  for (let call = 0; call < 5; call++) await ask({ signal });
  assertEquals(listeners, 0);
});

/** Texts that have broken cache keys before. */
const nasty = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }),
  fc.constantFrom("\0", "a\0", "\n", "a\nb", "|", "-", ".", "/", "1:a", "5:hello", "é", "e\u0301", "a b"),
  fc.constantFrom("x".repeat(600), "x".repeat(599) + "y", "__proto__", "constructor"),
);
/** Few values of each, so that two drawn at random differ in one part often. */
const tuple = fc.record({
  clientId: fc.constantFrom("a", "a-b", "b", "a|b", "a:b", "x".repeat(250)),
  tenantId: fc.constantFrom("a.example", "b.example", "a", "b", "b-a.example"),
  scope: fc.constantFrom("a/.default", "a|b/.default", "b/.default", "1:a/.default", "a/.default/.default"),
  fmiPath: fc.option(nasty, { nil: undefined }),
  claims: fc.option(fc.record({ c: nasty }), { nil: undefined }),
});

test("R-105 R-117 two different requests share neither a flight nor a cached token (property)", async () => {
  await fc.assert(
    fc.asyncProperty(tuple, tuple, async (one, two) => {
      const tokenCache = new TokenCache();
      const server = tokenServer();
      const clock = new FakeClock();
      const call = ({ clientId, tenantId, scope, fmiPath, claims }: typeof one) =>
        bench({ clientId, tokenCache, clock }, server).ask({ tenantId, scopes: [scope], fmiPath, claims });
      const equal = JSON.stringify(one) === JSON.stringify(two);
      const [first, second] = await Promise.all([call(one), call(two)]);
      // Two applications: not even equal requests share a flight, but a later one finds the token.
      assert(first.accessToken !== second.accessToken);
      const again = await call({ ...one, claims: undefined });
      const { claims: _one, ...keyed } = one;
      const { claims: _two, ...otherKeyed } = two;
      const sameSlot = JSON.stringify(keyed) === JSON.stringify(otherKeyed);
      const allowed = sameSlot ? [first.accessToken, second.accessToken] : [first.accessToken];
      assert(allowed.includes(again.accessToken), `${equal} ${again.accessToken}`);
    }),
    { numRuns: 300 },
  );
});

test("R-105 two different requests of one application share no flight (property)", async () => {
  await fc.assert(
    fc.asyncProperty(tuple, tuple, async ({ clientId: _one, ...one }, { clientId: _two, ...two }) => {
      const { ask, server, clock } = bench();
      // Answers take a while, so that both requests are under way before either is answered.
      server.otherwise(() => {
        const nth = server.requests.length;
        return clock.advance(0).then(() => Response.json(tokenBody(nth)));
      });
      const calls = [one, two].map(({ scope, ...rest }) => ask({ scopes: [scope], ...rest }));
      const [first, second] = await Promise.all(calls);
      const equal = JSON.stringify(one) === JSON.stringify(two);
      assertEquals(first!.accessToken === second!.accessToken, equal);
      assertEquals(server.requests.length, equal ? 1 : 2);
    }),
    { numRuns: 150 },
  );
});

test("R-104 SingleFlight runs sequential work anew and shares concurrent work", async () => {
  const flights = new SingleFlight<number>(new FakeClock());
  let runs = 0;
  const work = () => Promise.resolve(++runs);
  const options = { deadlineMs: 1_000 };
  assertEquals(await Promise.all([1, 2, 3].map(() => flights.run("k", options, work))), [1, 1, 1]);
  assertEquals(await flights.run("k", options, work), 2);
  assertEquals(await Promise.all([flights.run("a", options, work), flights.run("b", options, work)]), [3, 4]);
});

test("R-104 SingleFlight: work that throws at once is a rejection, and leaves nothing behind", async () => {
  const flights = new SingleFlight<number>(new FakeClock());
  const broken = () => {
    throw new RangeError("at once");
  };
  await eachRow({ once: 1, twice: 2 }, async () => {
    await assertRejects(() => flights.run("k", { deadlineMs: 1_000 }, broken), RangeError);
  });
  assertEquals(await flights.run("k", { deadlineMs: 1_000 }, () => Promise.resolve(7)), 7);
});

test("R-106 SingleFlight: work that outlives its deadline is not joined any more", async () => {
  const clock = new FakeClock();
  const flights = new SingleFlight<number>(clock);
  const leader = flights.run("k", { deadlineMs: 1_000, waitUntil: "detached" }, () => new Promise(() => {}));
  leader.catch(() => {});
  await clock.advance(1_000);
  const next = flights.run("k", { deadlineMs: 1_000 }, () => Promise.resolve(2));
  assertEquals(await next, 2);
  assertEquals(clock.pending, 0);
});
