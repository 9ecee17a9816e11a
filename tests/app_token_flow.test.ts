/** App tokens: what is sent, what a hit costs, when a token is too old. */
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { ClientConfigurationError, type ClientCredentialRequest, ServerError, TokenCache } from "../mod.ts";
import { document, pythonEntry } from "./support/documents.ts";
import { FakeClock, jumping } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";
import {
  bench,
  cached,
  deferred,
  eachRow,
  HOST,
  ISSUER,
  oidcBench,
  refusal,
  SCOPES,
  silence,
  TENANT,
  tokenServer,
} from "./support/token_server.ts";

/** Puts a counter in the place of a method; gives the count, and takes the counter away again. */
function spy(target: object, name: string): { count: number; restore(): void } {
  const original = Reflect.get(target, name) as (...args: unknown[]) => unknown;
  const own = Object.getOwnPropertyDescriptor(target, name);
  const state = {
    count: 0,
    restore: () =>
      void (own ? Object.defineProperty(target, name, own) : Reflect.deleteProperty(target, name)),
  };
  const value = (...args: unknown[]) => {
    state.count++;
    return original.apply(target, args);
  };
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return state;
}

test("the first token is exactly one POST to the tenant's own endpoint", async () => {
  const { ask, server } = bench();
  const result = await ask();
  assertEquals(result.accessToken, "AT 1");
  assertEquals(server.requests.map(({ method, url }) => `${method} ${url}`), [
    `POST ${HOST}/${TENANT}/oauth2/v2.0/token`,
  ]);
});

test("a hit sends nothing, calls no credential, makes no hash, no id and no timer", async () => {
  let called = 0;
  const { ask, server, clock, events } = bench({ clientCredential: () => `secret ${++called}` });
  await ask();
  assertEquals(called, 1);
  events.length = 0;
  const spies = [
    spy(crypto, "randomUUID"),
    spy(crypto, "getRandomValues"),
    ...["digest", "sign", "importKey"].map((name) => spy(crypto.subtle, name)),
  ];
  try {
    const hit = await ask();
    assertEquals(hit.tokenSource, "cache");
    assertEquals(spies.map(({ count }) => count), [0, 0, 0, 0, 0]);
    // The spies work: something that is sent does make an id, hashes and signs.
    await ask({ tenantId: "other.example" });
    assert(spies[0]!.count === 1 && spies[3]!.count > 0, "the spies saw nothing");
  } finally {
    for (const { restore } of spies) restore();
  }
  assertEquals([server.requests.length, clock.pending, called], [2, 0, 2]);
});

test("a hit's promise settles in the microtask in which it is awaited", async () => {
  const { ask } = bench();
  await ask();
  let settled = false;
  const hit = ask().then(() => settled = true);
  await Promise.resolve();
  assert(settled);
  await hit;
});

test("a new token's result and a hit's have every field as documented", async () => {
  const server = tokenServer({ ext_expires_in: 7200, refresh_in: 1800 });
  const { ask, clock } = bench({}, server);
  const correlationId = "11111111-2222-4333-8444-555555555555";
  const start = clock.now();
  const common = {
    accessToken: "AT 1",
    tokenType: "Bearer" as const,
    expiresOn: new Date(start + 3_600_000),
    refreshOn: new Date(start + 1_800_000),
    extendedExpiresOn: new Date(start + 7_200_000),
    scopes: SCOPES,
    account: null,
    tenantId: TENANT,
  };
  assertEquals(await ask({ correlationId }), {
    ...common,
    tokenSource: "identity_provider",
    correlationId,
    metadata: { cacheLevel: "none", refreshReason: "no_cached_token", durationMs: 0 },
  });
  assertEquals(server.requests[0]?.headers.get("client-request-id"), correlationId);
  const hit = {
    ...common,
    tokenSource: "cache" as const,
    metadata: { cacheLevel: "memory" as const, refreshReason: "not_applicable" as const, durationMs: 0 },
  };
  assertEquals(await ask(), { ...hit, correlationId: "" });
  assertEquals(await ask({ correlationId }), { ...hit, correlationId });
});

test("nobody can change a cached token through a result", async () => {
  const { ask, tokenCache } = cached();
  const text = async () => (await ask(), tokenCache.serialize());
  const before = await text();
  tokenCache.deserialize(before);
  try {
    ((await ask()).scopes as string[]).push("Mail.ReadWrite");
  } catch {
    // A frozen array is what is wanted.
  }
  assertEquals([(await ask()).scopes, await text()], [SCOPES, before]);
});

test("R-047 Z20 a token with less than 300 s left is replaced, one with more is served", async () => {
  await eachRow({ "299": [299, 2], "300": [300, 2], "301": [301, 1], "302": [302, 1] }, async (row) => {
    const [expires_in, requests] = row as [number, number];
    const { ask, server } = bench({}, tokenServer({ expires_in }));
    await ask();
    const second = await ask();
    assertEquals(server.requests.length, requests);
    assertEquals(second.accessToken, `AT ${requests}`);
  });
});

test("R-047 a token ages with the clock: served while it has more than 300 s left", async () => {
  const { ask, server, clock } = bench();
  await ask();
  await clock.advance(3_299_999);
  assertEquals((await ask()).accessToken, "AT 1");
  await clock.advance(1);
  assertEquals([(await ask()).accessToken, server.requests.length], ["AT 2", 2]);
  assertEquals((await ask()).accessToken, "AT 2");
});

test("R-047 a lifetime counts from when the request started", async () => {
  const { promise, resolve } = deferred<void>();
  const slow = () =>
    promise.then(() => Response.json({ token_type: "Bearer", expires_in: 310, access_token: "T" }));
  const { ask, clock } = bench({}, tokenServer(slow));
  const start = clock.now();
  const first = ask();
  await clock.advance(9_000);
  resolve();
  assertEquals((await first).expiresOn, new Date(start + 310_000));
});

test("A36 A37 an expired token is replaced and the telemetry says why", async () => {
  // MSAL Python asks again at every call when refresh_in is negative; we take it for no refresh_in at all.
  const server = tokenServer({ expires_in: 0 }, { refresh_in: -100 });
  const { ask } = bench({}, server);
  await ask();
  const second = await ask();
  assertEquals([second.accessToken, second.tokenSource], ["AT 2", "identity_provider"]);
  assertEquals((await ask()).tokenSource, "cache");
  assertEquals(server.requests.map(({ headers }) => headers.get("x-client-current-telemetry")), [
    "4|730,2|",
    "4|730,3|",
  ]);
});

test("R-201 a clock that jumps back breaks nothing: the token is still served", async () => {
  const { clock, offset } = jumping(new FakeClock());
  const { ask, server } = bench({ clock: clock as FakeClock });
  await ask();
  offset.ms = -3_600_000;
  assertEquals((await ask()).tokenSource, "cache");
  assertEquals(server.requests.length, 1);
});

test("an answer that is no token is cached as nothing, and refused again for a minute only", async () => {
  const { ask, server, clock } = bench();
  server.next(refusal(400, { error: "foo" }));
  await assertRejects(() => ask(), ServerError, "foo");
  await assertRejects(() => ask(), ServerError, "nothing was sent");
  assertEquals(server.requests.length, 1);
  await clock.advance(60_000);
  assertEquals([(await ask()).accessToken, server.requests.length], ["AT 2", 2]);
});

test("a caller may reuse and change its request object while calls are under way", async () => {
  // What is sent has to be what is cached: a later change must not put another path's token into this one's place.
  const { ask, server } = oidcBench({}, tokenServer());
  server.otherwise((request) =>
    Response.json({
      token_type: "Bearer",
      expires_in: 3600,
      access_token: `for ${request.form.get("scope")} of ${request.form.get("fmi_path")}`,
    })
  );
  const request = { scopes: ["read"], fmiPath: "path/a" };
  const first = ask(request);
  const shared = request.scopes;
  shared[0] = "write";
  assertEquals((await first).accessToken, "for read of path/a");
  assertEquals((await ask({ scopes: ["read"], fmiPath: "path/a" })).accessToken, "for read of path/a");
});

test("a path that changes in one request object does not change whose token is cached", async () => {
  const { app, server } = bench();
  server.otherwise((request) =>
    Response.json({
      token_type: "Bearer",
      expires_in: 3600,
      access_token: `token of ${request.form.get("fmi_path")}`,
    })
  );
  const request = { scopes: SCOPES, fmiPath: "agent/1" };
  const calls = ["agent/1", "agent/2", "agent/3"].map((path) => {
    request.fmiPath = path;
    return app.acquireTokenForClient(request);
  });
  const tokens = (await Promise.all(calls)).map(({ accessToken }) => accessToken);
  assertEquals(tokens, ["token of agent/1", "token of agent/2", "token of agent/3"]);
});

test("R-117 what is refused when the cache is empty is refused when it is full, too", async () => {
  // The hit path must not be a way around the checks: texts that are no tenant or scope name nobody's tokens.
  const tenantId = (text: string) => ({ tenantId: text }) as Partial<ClientCredentialRequest>;
  const rows: Record<string, Partial<ClientCredentialRequest>> = {
    "a tenant that names a bucket of a path": tenantId(`${TENANT}\nbearer\n\n=8:fmi_path5:agent`),
    "a tenant that names a bucket of a token type": tenantId(`${TENANT}\npop\nkey1\n`),
    "an empty tenant": tenantId(""),
    "two scopes in one text": { scopes: ["openid https://graph.microsoft.com/.default"] },
    "a scope that is no /.default": { scopes: ["user.read"] },
    "a text for scopes": { scopes: "x" as never },
    "an object like an array": { scopes: { length: 1, 0: SCOPES[0] } as never },
    "a tenant that is null": { tenantId: null as never },
    "a path that is null (A65)": { fmiPath: null as never },
    "claims that are null": { claims: null as never },
    "an empty id": { correlationId: "" },
    "a waitUntil that is none": { waitUntil: 7 as never },
  };
  const fill = (made: ReturnType<typeof cached>) => {
    const ids = ["user.read", "x", "openid https://graph.microsoft.com/.default"];
    const entries = ids.map((target, i) => [`k${i}`, pythonEntry({ target, requested_target: target })]);
    const bound = pythonEntry({ token_type: "pop", key_id: "key1" });
    const empty = pythonEntry({ realm: "" });
    made.tokenCache.deserialize(document({ ...Object.fromEntries(entries), bound, empty }));
  };
  await eachRow(rows, async (request) => {
    await assertRejects(() => bench().ask(request), ClientConfigurationError);
    const warm = cached();
    fill(warm);
    await warm.ask();
    await warm.ask({ fmiPath: "agent" });
    await assertRejects(() => warm.ask(request), ClientConfigurationError);
  });
});

test("R-117 an application of one issuer is not given another issuer's token as a tenant's", async () => {
  const tokenCache = new TokenCache();
  const clock = new FakeClock();
  const other = oidcBench({ oidcAuthority: `${ISSUER}/other`, tokenCache, clock });
  await other.ask({ scopes: ["read"] });
  const { ask } = oidcBench({ oidcAuthority: `${ISSUER}/main`, tokenCache, clock });
  await assertRejects(() => ask({ scopes: ["read"], tenantId: "other" }), ClientConfigurationError);
});

test("removing the signal, or giving one that never aborts, changes nothing", async () => {
  const { ask, server } = bench();
  const { signal } = new AbortController();
  await ask({ signal });
  assertEquals((await ask({ signal })).tokenSource, "cache");
  assertEquals(server.requests.length, 1);
});

test("an aborted signal ends even a hit, and a wait at once", async () => {
  const { ask, server, clock } = bench();
  await ask();
  const gone = AbortSignal.abort("bye");
  const error = await assertRejects(() => ask({ signal: gone }));
  assertEquals((error as Error & { code: string }).code, "request_aborted");
  assertEquals((error as Error).cause, "bye");
  server.next(silence);
  const controller = new AbortController();
  const waiting = ask({ tenantId: "other.example", signal: controller.signal });
  await clock.advance(0);
  controller.abort(new Error("enough"));
  const ended = await assertRejects(() => waiting) as Error & { code: string };
  assertEquals(ended.code, "request_aborted");
  assertFalse(ended.message.includes("enough"));
  // The shared work has a deadline of its own; nothing waits for it for ever.
  await clock.advance(60_000);
  assertEquals(clock.pending, 0);
});

test("R-044 two questions that are answered with the same scopes keep their own tokens", async () => {
  // An issuer whose scope member leaves the audience out, as Keycloak's does: the tokens are for different APIs.
  const { ask, server } = oidcBench();
  server.otherwise({ scope: "profile email" });
  server.next({ scope: "profile email", access_token: "for api1" });
  server.next({ scope: "profile email", access_token: "for api2" });
  assertEquals((await ask({ scopes: ["api1"] })).accessToken, "for api1");
  assertEquals((await ask({ scopes: ["api2"] })).accessToken, "for api2");
  assertEquals((await ask({ scopes: ["api1"] })).accessToken, "for api1");
  assertEquals((await ask({ scopes: ["api2"] })).accessToken, "for api2");
  assertEquals(server.requests.length, 2);
});
