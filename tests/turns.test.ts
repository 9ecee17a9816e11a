/** Isolates that renew one after the other, where their store has locks: one request, and no refresh token sent twice. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { type AuthenticationResult, type Store, TokenCache } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { LATENCY_MS, later, rotatingWorld, settleSlowly } from "./support/isolates.ts";
import { type LockingStore, lockingStore } from "./support/locking_store.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { type Bench, bench, deferred, eachRow, gate, refusal, tokenServer } from "./support/token_server.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";

const HOUR_MS = 3_600_000;
const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };

/** Applications over one store that ask one token endpoint, which takes a while. */
function appWorld(store?: (clock: FakeClock) => Store) {
  const clock = new FakeClock();
  const locking = lockingStore(clock);
  const server = tokenServer();
  let count = 0;
  server.otherwise(() =>
    later(
      clock,
      LATENCY_MS,
      () => jsonResponse({ token_type: "Bearer", expires_in: 3600, access_token: `AT ${++count}` }),
    )
  );
  const shared = store?.(clock) ?? locking;
  const isolate = (options: object = {}): Bench =>
    bench({ clock, tokenCache: new TokenCache({ store: shared }), ...options }, server);
  return { clock, store: locking, server, isolate };
}

function tokens(results: readonly AuthenticationResult[]): string[] {
  return [...new Set(results.map(({ accessToken }) => accessToken))];
}

/** Takes the only lease that was asked for so far, as an isolate does that then dies. */
async function isolateThatDies(store: LockingStore, ask: () => Promise<unknown>, clock: FakeClock) {
  ask().catch(() => {});
  await clock.advance(0);
  assertEquals(store.leases.filter(({ isTaken }) => isTaken).length, 1);
}

/** A clock of an isolate that has been frozen: nothing there ever ends. */
function frozen(clock: FakeClock): FakeClock {
  return Object.assign(new FakeClock(clock.now()), { now: () => clock.now() });
}

test("a new token costs three reads, one write and one lease; a cold hit one read; a warm one nothing", async () => {
  const { clock, store, isolate } = appWorld();
  await settleSlowly(clock, isolate().ask());
  assertEquals(store.count(), { get: 3, lock: 1, set: 1, release: 1 });
  const cold = isolate();
  await cold.ask();
  assertEquals(store.count(), { get: 1 });
  await cold.ask();
  assertEquals(store.count(), {});
});

test("a user's new token costs the same; a user whom nobody knows costs no lease", async () => {
  const entra = entraDouble();
  const store = lockingStore(entra.clock);
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(isolate());
  store.count();
  await entra.settle(isolate().acquireTokenSilent(ASK));
  assertEquals(store.count(), { get: 1 });
  await entra.clock.advance(HOUR_MS);
  entra.next(await entra.answer());
  const app = isolate();
  await entra.settle(app.acquireTokenSilent(ASK));
  assertEquals(store.count(), { get: 3, lock: 1, set: 1, release: 1 });
  await app.acquireTokenSilent(ASK);
  assertEquals(store.count(), {});
  const other = HOME_ACCOUNT_ID.replace(/^./, "b");
  assertEquals(
    (await entra.refused(app.acquireTokenSilent({ ...ASK, account: other }))).code,
    "no_tokens_found",
  );
  // One for the user, one for the user with the family: MSAL's order.
  assertEquals(store.count(), { get: 3 });
});

test("R-104 50 isolates whose app token has ended send one request", async () => {
  const { clock, store, server, isolate } = appWorld();
  const all = Array.from({ length: 50 }, () => isolate());
  await settleSlowly(clock, Promise.all(all.map(({ ask }) => ask())));
  assertEquals(server.requests.length, 1);
  await clock.advance(HOUR_MS);
  store.count();
  const results = await settleSlowly(clock, Promise.all(all.map(({ ask }) => ask())));
  assertEquals([tokens(results), server.requests.length], [["AT 2"], 2]);
  const { get = 0, set, lock = 0 } = store.count();
  assertEquals(set, 1);
  assert(get <= 6 * 50 && lock <= 5 * 50, `${get} reads, ${lock} leases`);
});

test("R-104 isolates that ask for other scopes or tenants do not wait for each other", async () => {
  const { clock, store, server, isolate } = appWorld();
  const requests = [{}, { tenantId: "fabrikam.example" }, { fmiPath: "a" }, {
    scopes: ["https://vault.example/.default"],
  }];
  await settleSlowly(clock, Promise.all(requests.map((request) => isolate().ask(request))));
  assertEquals([server.requests.length, store.leases.map(({ isTaken }) => isTaken)], [4, [
    true,
    true,
    true,
    true,
  ]]);
  for (const { key } of store.leases) assert(/^msal-edge\.turns\.v1\.[\w-]{43}$/.test(key), key);
});

test("a challenge's claims are asked for by each isolate, without a lease", async () => {
  const { clock, store, server, isolate } = appWorld();
  const claims = { claims: '{"access_token":{"nbf":{"value":"1"}}}' };
  await settleSlowly(clock, Promise.all([isolate(), isolate()].map(({ ask }) => ask(claims))));
  assertEquals([server.requests.length, store.leases.length], [2, 0]);
});

test("R-103 50 isolates whose user's token has ended send one request", async () => {
  const entra = entraDouble();
  const store = lockingStore(entra.clock);
  const all = Array.from({ length: 50 }, () => entra.confidential({ tokenCache: new TokenCache({ store }) }));
  await entra.signIn(all[0]!);
  await entra.settle(Promise.all(all.map((app) => app.acquireTokenSilent(ASK))));
  await entra.clock.advance(HOUR_MS);
  const answer = await entra.answer();
  entra.next(() => later(entra.clock, LATENCY_MS, () => Response.json(answer)));
  const results = await settleSlowly(entra.clock, Promise.all(all.map((app) => app.acquireTokenSilent(ASK))));
  assertEquals([tokens(results), entra.posts.length], [["AT 2"], 2]);
});

test("R-107 50 isolates of a user whose refresh tokens count once send one request", async () => {
  const { entra, account, isolate, sent } = await rotatingWorld(lockingStore);
  const all = Array.from({ length: 50 }, () => isolate());
  const silent = { account, scopes: ["User.Read"] };
  await entra.settle(Promise.all(all.map((app) => app.acquireTokenSilent(silent))));
  await entra.clock.advance(HOUR_MS);
  const results = await settleSlowly(
    entra.clock,
    Promise.all(all.map((app) => app.acquireTokenSilent(silent))),
  );
  assertEquals([tokens(results), sent()], [["AT 2"], ["RT 1"]]);
});

test("R-107 R-109 isolates that force a refresh, or ask for other scopes, never send a refresh token twice", async () => {
  for (const cas of [true, false]) {
    const stores: LockingStore[] = [];
    const { entra, account, isolate, sent } = await rotatingWorld((clock) => {
      stores.push(lockingStore(clock, cas));
      return stores[0]!;
    });
    const all = Array.from({ length: 6 }, () => isolate());
    await entra.settle(
      Promise.all(all.map((app) => app.acquireTokenSilent({ account, scopes: ["User.Read"] }))),
    );
    const calls = all.map((app, n) =>
      app.acquireTokenSilent(
        n % 2 === 0
          ? { account, scopes: ["User.Read"], forceRefresh: true }
          : { account, scopes: [`scope${n}`] },
      )
    );
    const results = await settleSlowly(entra.clock, Promise.all(calls));
    assertEquals([results.length, new Set(sent()).size, sent().length], [6, 6, 6], `cas ${cas}`);
    const leases = stores[0]!.leases;
    assertEquals(new Set(leases.map(({ key }) => key)).size, 1);
    // Three documents, two requests, and what is between them: see `flightDeadlineMs`.
    assert(leases.every(({ leaseMs }) => leaseMs >= 61_000));
  }
});

test("a leader whose request dies loses its lease: one of those who wait takes over", async () => {
  const { clock, store, server, isolate } = appWorld();
  server.next(() => new Promise<Response>(() => {}));
  await isolateThatDies(store, isolate({ clock: frozen(clock) }).ask, clock);
  const results = Promise.all(Array.from({ length: 10 }, () => isolate().ask()));
  await clock.advance(3_900);
  assertEquals(server.requests.length, 1);
  assertEquals(tokens(await settleSlowly(clock, results)), ["AT 1"]);
  assertEquals(server.requests.length, 2);
});

test("those who wait for a user's dead leader take over when its lease has ended, and not before", async () => {
  let store: LockingStore | undefined;
  const { entra, account, isolate, sent } = await rotatingWorld((clock) => store = lockingStore(clock));
  const silent = { account, scopes: ["User.Read"] };
  await entra.clock.advance(HOUR_MS);
  // It has not sent anything yet.
  const dead = isolate({ clock: frozen(entra.clock), fetch: () => new Promise(() => {}) });
  await isolateThatDies(store!, () => dead.acquireTokenSilent(silent), entra.clock);
  const call = Promise.all(Array.from({ length: 6 }, () => isolate().acquireTokenSilent(silent)));
  await entra.clock.advance(60_000);
  assertEquals(sent(), []);
  assertEquals([tokens(await settleSlowly(entra.clock, call)), sent()], [["AT 2"], ["RT 1"]]);
});

test("a leader that is slower than its lease loses it: both get tokens, and its release frees nobody else's", async () => {
  const { clock, store, server, isolate } = appWorld();
  const slow = gate();
  const next = gate({ access_token: "AT next" });
  server.next(slow.answer, next.answer);
  const call = isolate().ask();
  await clock.advance(100);
  const other = isolate().ask();
  await clock.advance(5_200);
  assertEquals(server.requests.length, 2, "the other one has taken over");
  slow.open();
  assertEquals((await call).accessToken, "AT late");
  assertEquals(await store.lock(store.leases[0]!.key, 1_000), undefined);
  next.open();
  assertEquals((await other).accessToken, "AT next");
  assertEquals((await isolate().ask()).tokenSource, "cache");
});

test("the lease is given back after a failure: the next one asks at once", async () => {
  const { clock, server, store, isolate } = appWorld();
  server.next(refusal(401, { error: "invalid_client" }));
  assertEquals((await failure(isolate().ask())).code, "server_error");
  const { requests } = server;
  assertEquals((await settleSlowly(clock, isolate().ask())).accessToken, "AT 1");
  assertEquals([requests.length, store.count()], [2, { get: 5, lock: 2, release: 2, set: 1 }]);
});

test("the lease outlasts the call until the token is stored", async () => {
  const { clock, store, server, isolate } = appWorld();
  server.next({});
  const { promise, resolve } = deferred<void>();
  store.beforeSet = () => promise;
  const kept: Promise<unknown>[] = [];
  const call = isolate().ask({ waitUntil: (work) => void kept.push(work) });
  assertEquals((await call).accessToken, "AT 1");
  assertEquals(store.calls.filter((one) => one.startsWith("release")), []);
  const other = isolate().ask();
  await clock.advance(500);
  resolve();
  await Promise.all(kept);
  assertEquals(store.calls.filter((one) => one.startsWith("release")).length, 1);
  assertEquals([(await settleSlowly(clock, other)).accessToken, server.requests.length], ["AT 1", 1]);
});

test("R-110 the same for a user whose token is stored in the background, or not at all", async () => {
  for (const isBroken of [false, true]) {
    let store: LockingStore | undefined;
    const { entra, account, isolate } = await rotatingWorld((clock) => store = lockingStore(clock));
    const silent = { account, scopes: ["User.Read"], forceRefresh: true };
    const app = isolate();
    const { promise, resolve } = deferred<void>();
    store!.beforeSet = () => promise;
    const kept: Promise<unknown>[] = [];
    const call = app.acquireTokenSilent({ ...silent, waitUntil: (work) => void kept.push(work) });
    assertEquals((await settleSlowly(entra.clock, call)).accessToken, "AT 2");
    assertEquals(store!.calls.filter((one) => one.startsWith("release")), []);
    if (isBroken) store!.beforeSet = () => Promise.reject(new Error("down"));
    else resolve();
    await settleSlowly(entra.clock, Promise.all(kept));
    assertEquals(store!.calls.filter((one) => one.startsWith("release")).length, 1);
    store!.beforeSet = undefined;
    assertEquals((await settleSlowly(entra.clock, app.acquireTokenSilent(silent))).accessToken, "AT 3");
  }
});

const BROKEN: Record<string, Store["lock"]> = {
  "throws": () => {
    throw new TypeError("canary");
  },
  "rejects": () => Promise.reject(new Error("canary")),
  "hangs": () => new Promise<never>(() => {}),
  "gives what is no lease": () => Promise.resolve({} as never),
};

test("R-128 a lock that throws, hangs or lies costs a bounded wait and an event, never the token", async () => {
  await eachRow(BROKEN, async (lock) => {
    const { clock, isolate } = appWorld((clock) => ({ ...countingStore(clock), ...(lock && { lock }) }));
    const { askFor, events } = isolate();
    assertEquals((await askFor(2_500)).accessToken, "AT 1");
    const codes = events.flatMap((event) => event.type === "cache_failed" ? [event.error.code] : []);
    assertEquals(codes, ["cache_lock_failed"]);
    assertFalse(JSON.stringify(events).includes("canary"));
    assertEquals(clock.pending, 0);
  });
});

test("a lease that comes when nobody waits for it any more is given back", async () => {
  const late = deferred<void>();
  let stores: LockingStore | undefined;
  const { clock, isolate } = appWorld((clock) => {
    const store = stores = lockingStore(clock);
    const { lock } = store;
    return Object.assign(store, {
      lock: (key: string, ms: number) => late.promise.then(() => lock(key, ms)),
    });
  });
  await isolate().askFor(2_500);
  late.resolve();
  await clock.advance(0);
  assertEquals(stores!.calls.filter((one) => one.startsWith("release")).length, 1);
});

test("a lease that nobody gives back is waited for five seconds, and then everybody asks", async () => {
  const { clock, server, isolate } = appWorld((clock) => ({
    ...countingStore(clock),
    lock: () => Promise.resolve(undefined),
  }));
  const { ask } = isolate();
  const call = ask();
  await clock.advance(4_900);
  assertEquals(server.requests.length, 0);
  await clock.advance(2_000);
  assertEquals([(await call).accessToken, server.requests.length], ["AT 1", 1]);
});

test("the signal of one who waits ends their wait, and nothing else", async () => {
  const { clock, server, isolate } = appWorld();
  const first = isolate().ask();
  await clock.advance(0);
  const controller = new AbortController();
  const waiting = isolate();
  const aborted = waiting.ask({ signal: controller.signal });
  aborted.catch(() => {});
  await clock.advance(50);
  controller.abort();
  assertEquals((await failure(aborted)).code, "request_aborted");
  assertEquals([
    (await settleSlowly(clock, first)).accessToken,
    (await settleSlowly(clock, waiting.ask())).accessToken,
  ], [
    "AT 1",
    "AT 1",
  ]);
  assertEquals(server.requests.length, 1);
});

test("R-113 who has a good token waits for nobody", async () => {
  const { clock, store, server, isolate } = appWorld();
  server.next({ refresh_in: 60 });
  const [one, two] = [isolate(), isolate()];
  await one.ask();
  await two.ask();
  await clock.advance(60_000);
  server.next(() => new Promise<Response>(() => {}));
  one.ask().catch(() => {});
  await clock.advance(0);
  assertEquals(store.leases.at(-1)?.isTaken, true);
  const call = two.ask();
  await clock.advance(2_000);
  assertEquals([(await call).accessToken, server.requests.length], ["AT 1", 2]);
});

test("R-108 after an invalid_grant the store is read once more, within the same turn", async () => {
  const entra = entraDouble();
  const store = lockingStore(entra.clock);
  const [one, two] = [1, 2].map(() => entra.confidential({ tokenCache: new TokenCache({ store }) }));
  await entra.signIn(one!);
  await entra.settle(two!.acquireTokenSilent(ASK));
  await entra.clock.advance(HOUR_MS);
  store.leases.length = 0;
  // Somebody who takes no turns stores a new refresh token while the old one is being redeemed.
  entra.next(async () => {
    await entra.signIn(one!);
    entra.next(await entra.answer({}, { access_token: "AT at last", scope: "Mail.Read" }));
    return Response.json({ error: "invalid_grant" }, { status: 400 });
  });
  const call = two!.acquireTokenSilent({ ...ASK, scopes: ["Mail.Read"] });
  assertEquals((await entra.settle(call)).accessToken, "AT at last");
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")), [null, "RT 1", null, "RT 2"]);
  assertEquals(store.leases.length, 1);
});

test("an issuer that replaces refresh tokens and a store without a lock are told of once", async () => {
  const { entra, account, isolate } = await rotatingWorld((clock) => countingStore(clock));
  const silent = { account, scopes: ["User.Read"], forceRefresh: true };
  const app = isolate();
  for (const _ of [1, 2]) await settleSlowly(entra.clock, app.acquireTokenSilent(silent));
  const told = entra.events.flatMap((event) => event.type === "store_without_lock" ? [event.error] : []);
  assertEquals(told.map(({ name, code }) => `${name} ${code}`), ["CacheError store_without_lock"]);
  assert(/Durable Object, Deno KV or Redis/.test(told[0]!.message));
  assertFalse(/RT \d|AT \d|subject/.test(`${told[0]!.message}${JSON.stringify(told)}`));
  await settleSlowly(entra.clock, isolate().acquireTokenSilent(silent));
  assertEquals(
    entra.events.filter(({ type }) => type === "store_without_lock").length,
    2,
    "each application",
  );
});

test("nobody is told where there is a lock, no store, no new refresh token, or Entra", async () => {
  const locked = await rotatingWorld(lockingStore);
  const silent = { account: locked.account, scopes: ["User.Read"], forceRefresh: true };
  await settleSlowly(locked.entra.clock, locked.isolate().acquireTokenSilent(silent));
  const entra = entraDouble();
  for (const tokenCache of [new TokenCache(), new TokenCache({ store: countingStore(entra.clock) })]) {
    const app = entra.confidential({ tokenCache });
    await entra.signIn(app);
    entra.next(await entra.answer());
    await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  }
  const types = [...locked.entra.events, ...entra.events].map(({ type }) => type);
  assertFalse(types.includes("store_without_lock"));
});
