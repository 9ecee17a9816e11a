/** The authority says when it would like to be asked for a newer token: `refresh_in`. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { CREDENTIAL_FAILURES, FAILURES, primed, primedVault } from "./support/failures.ts";
import { test } from "./support/suite.ts";
import {
  bench,
  cached,
  eachRow,
  gate,
  isPending,
  refusal,
  silence,
  tokenServer,
} from "./support/token_server.ts";

/** Lives for an hour; a newer one has been wanted since a moment ago. */
const AGED = { expires_in: 3600, refresh_in: 1 };

test("T14 R-049 R-202 refresh_in gives refreshOn, and nothing is refreshed more than a tenth before it", async () => {
  const { ask, server, clock, tokenCache } = cached({}, tokenServer({ refresh_in: 1800 }));
  const start = clock.now();
  assertEquals((await ask()).refreshOn, new Date(start + 1_800_000));
  const [entry] = Object.values<Record<string, unknown>>(JSON.parse(tokenCache.serialize()).AccessToken);
  assertEquals(entry?.refresh_on, String(start / 1000 + 1800));
  await clock.advance(1_619_999);
  assertEquals((await ask()).tokenSource, "cache");
  assertEquals(server.requests.length, 1);
  await clock.advance(180_001);
  const fresh = await ask();
  assertEquals([fresh.accessToken, fresh.tokenSource, server.requests.length], [
    "AT 2",
    "identity_provider",
    2,
  ]);
});

test("R-202 isolates that share a token renew it at different seconds, never after refreshOn", async () => {
  const seconds = new Set<number>();
  for (let isolate = 0; isolate < 12; isolate++) {
    const { ask, server, clock } = cached({}, tokenServer({ refresh_in: 1800 }));
    await ask();
    await clock.advance(1_610_000);
    let second = 1_610;
    for (; server.requests.length === 1 && second <= 1_800; second += 10) {
      await clock.advance(10_000);
      await ask();
    }
    assertEquals(server.requests.length, 2);
    seconds.add(second);
  }
  assert(seconds.size > 3, `all at ${[...seconds]}`);
});

test("A24 R-049 an ageing token is replaced before the call returns where nothing runs in the background", async () => {
  const { ask, server, clock } = await primed(AGED);
  server.next({ access_token: "new AT", refresh_in: 123 });
  const result = await ask();
  assertEquals(result.accessToken, "new AT");
  assertEquals(result.tokenSource, "identity_provider");
  assertEquals(result.metadata.refreshReason, "proactive_refresh");
  assertEquals(result.refreshOn, new Date(clock.now() + 123_000));
  assertEquals(server.requests[1]?.headers.get("x-client-current-telemetry"), "4|730,4|");
  assertEquals((await ask()).accessToken, "new AT");
  assertEquals(server.requests.length, 2);
});

test("A25 R-049 R-113 an ageing token survives every kind of failed refresh", async () => {
  await eachRow(FAILURES, async (failure) => {
    const { askFor, server, count, clock } = await primed(AGED);
    const start = clock.now();
    server.otherwise(failure);
    const result = await askFor(2_000);
    assertEquals([result.accessToken, result.tokenSource], ["AT 1", "cache"]);
    assertEquals(result.refreshOn, new Date(start));
    await clock.advance(60_000);
    assertEquals([count("refresh_failed"), count("token_failed"), clock.pending], [1, 0, 0]);
  });
});

test("R-049 R-113 an ageing token survives a credential function that fails", async () => {
  await eachRow(CREDENTIAL_FAILURES, async (fault) => {
    const { askFor, server, count, clock } = await primedVault(AGED, fault);
    assertEquals((await askFor(2_000)).accessToken, "AT 1");
    await clock.advance(60_000);
    assertEquals([server.requests.length, count("refresh_failed"), clock.pending], [1, 1, 0]);
  });
});

test("R-049 a caller with a good token waits 2 s for a better one, no longer", async () => {
  const { ask, server, clock } = await primed(AGED);
  server.next(silence);
  const call = ask();
  await clock.advance(1_999);
  assert(await isPending(clock, call));
  await clock.advance(1);
  assertFalse(await isPending(clock, call));
  assertEquals((await call).accessToken, "AT 1");
});

test("R-049 a refresh that comes after the 2 s still serves the next call", async () => {
  const { ask, askFor, server, clock } = await primed(AGED);
  const late = gate();
  server.next(late.answer);
  assertEquals((await askFor(2_000)).accessToken, "AT 1");
  late.open();
  await clock.advance(0);
  assertEquals((await ask()).accessToken, "AT late");
  assertEquals([server.requests.length, clock.pending], [2, 0]);
});

test("R-049 a failed proactive refresh is not tried again for 30 s", async () => {
  const { ask, askFor, server, clock } = await primed(AGED);
  server.otherwise(() => Promise.reject(new TypeError("down")));
  await askFor(2_000);
  const tries = server.requests.length;
  for (let call = 0; call < 20; call++) assertEquals((await ask()).accessToken, "AT 1");
  await clock.advance(27_999);
  await ask();
  assertEquals(server.requests.length, tries);
  await clock.advance(1);
  await askFor(2_000);
  assertEquals(server.requests.length, tries + 2);
  // The authority is back: the next refresh succeeds.
  server.otherwise({});
  await clock.advance(30_000);
  assertEquals((await ask()).tokenSource, "identity_provider");
});

test("R-049 R-200 R-202 with a waitUntil function the caller is not delayed", async () => {
  const kept: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void kept.push(promise);
  for (const where of ["option", "request"]) {
    const { ask, server, clock } = await primed(AGED, where === "option" ? { waitUntil } : {});
    kept.length = 0;
    const late = gate();
    server.next(late.answer);
    const result = await ask(where === "request" ? { waitUntil } : {});
    assertEquals([result.accessToken, result.tokenSource], ["AT 1", "cache"], where);
    assertEquals(result.metadata.refreshReason, "proactive_refresh");
    assert(kept.length > 0, "waitUntil was not called before the call returned");
    assert(kept.every((promise) => typeof promise.then === "function"));
    late.open();
    await Promise.all(kept);
    assertEquals([(await ask()).accessToken, server.requests.length, clock.pending], ["AT late", 2, 0]);
  }
});

test("R-049 R-202 with detached the caller is not delayed either", async () => {
  const { ask, server, clock } = await primed(AGED, { waitUntil: "detached" });
  const late = gate();
  server.next(late.answer);
  assertEquals((await ask()).accessToken, "AT 1");
  late.open();
  await clock.advance(0);
  assertEquals([(await ask()).accessToken, server.requests.length], ["AT late", 2]);
});

test("the request's waitUntil wins over the option", async () => {
  const calls: string[] = [];
  const { ask, clock } = await primed(AGED, { waitUntil: () => void calls.push("option") });
  calls.length = 0;
  await ask({ waitUntil: () => void calls.push("request") });
  await clock.advance(0);
  assertEquals([...new Set(calls)], ["request"]);
});

test("R-049 R-113 a background refresh that fails is invisible, and its promise settles", async () => {
  await eachRow(FAILURES, async (failure) => {
    const kept: Promise<unknown>[] = [];
    const { ask, server, count, clock } = await primed(AGED);
    server.otherwise(failure);
    assertEquals((await ask({ waitUntil: (promise) => void kept.push(promise) })).accessToken, "AT 1");
    await clock.advance(60_000);
    const outcomes = await Promise.allSettled(kept);
    assertEquals(outcomes.map(({ status }) => status), kept.map(() => "fulfilled"));
    assertEquals([count("refresh_failed"), count("token_failed")], [1, 0]);
  });
});

test("R-113 a waitUntil that throws costs nobody a good token", async () => {
  const { ask, count } = await primed(AGED);
  const waitUntil = () => {
    throw new TypeError("Illegal invocation");
  };
  assertEquals((await ask({ waitUntil })).accessToken, "AT 1");
  assertEquals(count("token_failed"), 0);
});

test("R-103 R-049 of 50 callers of an ageing token one refreshes", async () => {
  const { ask, server, clock } = await primed(AGED);
  const late = gate();
  server.next(late.answer);
  const calls = Array.from({ length: 50 }, () => ask());
  await clock.advance(0);
  late.open();
  const tokens = (await Promise.all(calls)).map(({ accessToken }) => accessToken);
  assertEquals(server.requests.length, 2);
  // The one who refreshes waits for it; the others have a good token and do not.
  assertEquals(tokens.filter((token) => token === "AT late").length, 1);
  assertEquals(tokens.filter((token) => token === "AT 1").length, 49);
});

test("R-043 R-049 any refresh_in gives a usable result, and never a token that is asked for again at once", async () => {
  const rows = {
    "a number": ["1800", 1],
    "digits": ['"1800"', 1],
    "words": ['"soon"', 1],
    "null": ["null", 1],
    "an object": ["{}", 1],
    "larger than the lifetime": ["99999", 1],
    "huge": ["1e309", 1],
    "zero": ["0", 1],
    "negative": ["-100", 1],
    "very negative": ["-1e308", 1],
    "negatively infinite": ["-1e309", 1],
  } as const;
  await eachRow(rows, async ([refreshIn, requests]) => {
    const body = `{"token_type":"Bearer","access_token":"T","expires_in":3600,"refresh_in":${refreshIn}}`;
    const { ask, server } = bench();
    server.next(() => new Response(body, { headers: { "content-type": "application/json" } }));
    const { refreshOn, expiresOn } = await ask();
    if (refreshOn !== undefined) {
      assertFalse(Number.isNaN(refreshOn.getTime()), "refreshOn is no date");
      assert(refreshOn <= expiresOn);
    }
    await ask();
    assertEquals(server.requests.length, requests);
  });
});

test("R-049 a refresh that gives the very same token is not repeated at every call", async () => {
  const { ask, server } = await primed({ ...AGED, access_token: "same" });
  server.otherwise({ access_token: "same", expires_in: 3599, refresh_in: 1800 });
  for (let call = 0; call < 10; call++) assertEquals((await ask()).accessToken, "same");
  assertEquals(server.requests.length, 2);
});

test("R-115 a refused refresh is not hammered: one request a minute at most", async () => {
  const { askFor, server } = await primed(AGED);
  server.otherwise(refusal(400, { error: "foo" }));
  for (let call = 0; call < 59; call++) await askFor(1_000);
  assertEquals(server.requests.length, 2);
});
