/** What an application can observe, and what no observer may break. */
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { type AuthError, CacheError, type MsalEvent, TokenCache } from "../mod.ts";
import { createEmit } from "../src/runtime/events.ts";
import { FAILURES } from "./support/failures.ts";
import { faultyStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import {
  bench,
  cached,
  eachRow,
  oidcBench,
  refusal,
  SCOPES,
  TENANT,
  tokenServer,
} from "./support/token_server.ts";

const ID = "11111111-2222-4333-8444-555555555555";

/** The types of events, without those of single requests. */
function types(events: readonly MsalEvent[]): string[] {
  return events.map(({ type }) => type);
}

test("a new token tells of the request and of the token; a hit of the token alone", async () => {
  const { ask, events } = bench();
  await ask({ correlationId: ID });
  assertEquals(events, [
    {
      type: "request_completed",
      purpose: "token",
      host: "login.microsoftonline.com",
      status: 200,
      durationMs: 0,
      attempt: 1,
      correlationId: ID,
    },
    {
      type: "token_acquired",
      tokenSource: "identity_provider",
      refreshReason: "no_cached_token",
      tenantId: TENANT,
      scopes: SCOPES,
      correlationId: ID,
    },
  ]);
  events.length = 0;
  await ask();
  assertEquals(events, [{
    type: "token_acquired",
    tokenSource: "cache",
    refreshReason: "not_applicable",
    tenantId: TENANT,
    scopes: SCOPES,
    correlationId: "",
  }]);
});

test("followers of a flight hear of their token, and of the leader's id", async () => {
  const { ask, events } = bench();
  await Promise.all([ask({ correlationId: ID }), ask(), ask()]);
  assertEquals(types(events), ["request_completed", "token_acquired", "token_acquired", "token_acquired"]);
  assertEquals([...new Set(events.map(({ correlationId }) => correlationId))], [ID]);
});

test("a failed call tells of its attempts and its failure, by the error that the caller gets", async () => {
  const { askFor, events } = bench({}, tokenServer(refusal(500), refusal(500)));
  const error = await assertRejects(() => askFor(2_000, { correlationId: ID })) as AuthError;
  assertEquals(types(events), ["request_completed", "request_retried", "request_completed", "token_failed"]);
  const last = events.at(-1)!;
  assert("error" in last && last.error === error);
  assertEquals([...new Set(events.map(({ correlationId }) => correlationId))], [ID]);
  assertEquals(error.correlationId, ID);
});

test("every way to fail is told once as token_failed, refusals before anything is sent included", async () => {
  const rows: Record<string, () => Promise<unknown>> = {};
  const benches: Record<string, ReturnType<typeof bench>> = {};
  for (const name of ["network", "400 invalid_client", "redirect"]) {
    const made = benches[name] = bench({}, tokenServer(FAILURES[name]!, FAILURES[name]!));
    rows[name] = () => made.askFor(10_000);
  }
  const requests = {
    "scopes": { scopes: [] },
    "tenant": { tenantId: "common" },
    "claims": { claims: "{" },
    "reserved": { extraBodyParameters: { scope: "x" } },
    "aborted": { signal: AbortSignal.abort() },
    "waitUntil": { waitUntil: "no" as never },
  };
  for (const [name, request] of Object.entries(requests)) {
    const made = benches[name] = bench();
    rows[name] = () => made.ask(request);
  }
  await eachRow(rows, async (call, name) => {
    await assertRejects(call);
    assertEquals(benches[name]!.count("token_failed"), 1);
  });
});

test("throttled tells of a call that was answered from memory", async () => {
  const { ask, events, count } = bench({}, tokenServer(refusal(400, { error: "foo" })));
  await assertRejects(() => ask());
  assertEquals(count("throttled"), 0);
  events.length = 0;
  await assertRejects(() => ask());
  assertEquals(types(events), ["throttled", "token_failed"]);
});

test("refresh_failed tells of a failure that the caller did not notice", async () => {
  const { ask, events, clock } = bench({}, tokenServer({ refresh_in: 1 }, refusal(400, { error: "foo" })));
  await ask();
  await clock.advance(1_000);
  events.length = 0;
  await ask({ correlationId: ID });
  assertEquals(types(events), ["request_completed", "refresh_failed", "token_acquired"]);
  assertEquals(events[2], {
    type: "token_acquired",
    tokenSource: "cache",
    refreshReason: "proactive_refresh",
    tenantId: TENANT,
    scopes: SCOPES,
    correlationId: ID,
  });
});

test("R-044 scopes_missing names the scopes that were not granted", async () => {
  const { ask, events } = oidcBench({}, tokenServer({ scope: "read" }));
  await ask({ scopes: ["read", "write", "admin"], correlationId: ID });
  assertEquals(events.filter(({ type }) => type === "scopes_missing"), [
    { type: "scopes_missing", scopes: ["write", "admin"], correlationId: ID },
  ]);
});

const nothing = () => Promise.resolve(undefined);

test("R-128 cache_failed tells of a store's failure, without the store's words", async () => {
  const fault = () => {
    throw new Error("canary");
  };
  // What could not be read is not written over.
  for (
    const [over, codes] of [[{}, ["cache_read_failed"]], [{ get: nothing }, ["cache_write_failed"]]] as const
  ) {
    const store = faultyStore(fault, over);
    const { ask, events } = cached({ tokenCache: new TokenCache({ store }) });
    await ask();
    const failed = events.flatMap((event) => event.type === "cache_failed" ? [event.error.code] : []);
    assertEquals<readonly string[]>([...new Set(failed)], codes);
    assertFalse(events.some((event) => "error" in event && event.error.message.includes("canary")));
  }
});

test("observers that throw harm nobody, and do not silence each other", async () => {
  let told = 0;
  let logged = 0;
  const onEvent = () => {
    told++;
    throw new Error("observer");
  };
  const line = () => {
    logged++;
    throw new Error("logger");
  };
  const logger = { debug: line, info: line, warn: line, error: line };
  const { ask, askFor, server } = bench({ onEvent, logger });
  await ask();
  await ask();
  server.next(refusal(500), refusal(500));
  await assertRejects(() => askFor(2_000, { tenantId: "other.example" }), Error, "status 500");
  assertEquals([told, logged], [7, 7]);
});

test("an async observer that rejects is no unhandled rejection", async () => {
  // Not a real promise: an unhandled one would end the whole run. Whoever listens to it calls its then.
  let heard = 0;
  const rejected = {
    then: (_: unknown, fail?: (error: Error) => void) => (heard++, fail?.(new Error("observer"))),
  };
  const { ask, clock } = bench({ onEvent: () => rejected as never });
  assertEquals((await ask()).accessToken, "AT 1");
  await clock.advance(0);
  assertEquals(heard, 2);
});

test("a logger may have any of its methods or none, and each line has a level", async () => {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    const lines: string[] = [];
    const { ask, askFor, server } = bench({ logger: { [level]: (line: string) => void lines.push(line) } });
    await ask();
    server.next(refusal(500), refusal(500));
    await assertRejects(() => askFor(2_000, { tenantId: "other.example" }));
    const counts = { debug: 4, info: 1, warn: 0, error: 1 };
    assertEquals(lines.length, counts[level], level);
    for (const line of lines) assert(/^msal-edge [a-z_]+ \S[^\n]*$/.test(line), line);
  }
  assertEquals((await bench({ logger: {} }).ask()).accessToken, "AT 1");
});

test("a line of what belongs to no call has a dash for the correlation id", () => {
  const lines: string[] = [];
  const emit = createEmit(undefined, { warn: (line) => void lines.push(line) });
  emit?.({ type: "cache_failed", error: new CacheError("cache_read_failed", "Cannot read") });
  assertEquals(lines, ["msal-edge cache_failed [-] cache_read_failed: Cannot read"]);
});

test("no event or line holds a secret, a token or what the authority wrote", async () => {
  const seen: string[] = [];
  const line = (text: string) => void seen.push(text);
  const keep = (event: MsalEvent) =>
    void seen.push(JSON.stringify(event), String("error" in event && event.error));
  const description = "AADSTS7000215: Invalid client secret canary-description for user@contoso.com";
  const server = tokenServer({ access_token: "canary-token", refresh_in: 1 });
  const { ask, askFor, clock } = bench({
    clientCredential: "canary-secret",
    onEvent: keep,
    logger: { debug: line, info: line, warn: line, error: line },
  }, server);
  await ask();
  await clock.advance(1_000);
  server.otherwise(() =>
    Response.json({ error: "invalid_client", error_description: `${description} canary-secret` }, {
      status: 400,
    })
  );
  await askFor(2_000);
  await assertRejects(() => ask({ tenantId: "other.example", fmiPath: "canary-path" }));
  server.otherwise(() => Promise.reject(new TypeError("cannot send client_secret=canary-secret")));
  await assertRejects(() => askFor(5_000, { tenantId: "third.example", claims: '{"canary-claim":{}}' }));
  assert(seen.length > 10);
  for (const text of seen) assertFalse(text.includes("canary"), text);
});

test("an observer may ask for a token itself", async () => {
  const nested: Promise<unknown>[] = [];
  let asked = false;
  const made = bench({
    onEvent: ({ type }) => {
      if (type !== "token_acquired" || asked) return;
      asked = true;
      nested.push(made.ask());
    },
  });
  await made.ask();
  await Promise.all(nested);
  assertEquals([nested.length, made.server.requests.length], [1, 1]);
});
