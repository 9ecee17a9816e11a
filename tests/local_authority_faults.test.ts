/** The local authority goes wrong on demand, and only as often as it was told to. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Fault, LocalAuthority } from "../src/testing/mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const DISCOVERY = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration";
const INSTANCE =
  `https://login.microsoftonline.com/common/discovery/instance?authorization_endpoint=${DISCOVERY}`;
const GRAPH = "https://graph.microsoft.com/v1.0/organization";

async function statusOf(authority: LocalAuthority, url = DISCOVERY): Promise<number> {
  const response = await authority.fetch(url, { redirect: "manual" });
  await response.body?.cancel();
  return response.status;
}

async function statuses(authority: LocalAuthority, count: number): Promise<number[]> {
  const all: number[] = [];
  while (all.length < count) all.push(await statusOf(authority));
  return all;
}

test("a fault happens once by default, or as many times as it says", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "discovery", kind: "throttled" });
  assertEquals(await statuses(authority, 2), [429, 200]);
  authority.fault({ on: "discovery", kind: "server_error", times: 2 });
  assertEquals(await statuses(authority, 3), [500, 500, 200]);
});

test("a fault without end is undone by what fault() returned, once and for all", async () => {
  const authority = new LocalAuthority();
  const undo = authority.fault({ on: "any", kind: "server_error", times: Infinity });
  assertEquals(await statuses(authority, 3), [500, 500, 500]);
  undo();
  undo();
  assertEquals(await statuses(authority, 2), [200, 200]);
});

test("an authority goes down at run time, everywhere and for its pages, and comes up again", async () => {
  const authority = new LocalAuthority();
  const { tenantId } = authority.defaults;
  const login = `https://login.microsoftonline.com/${tenantId}`;
  const paths = ["discovery/v2.0/keys", "oauth2/v2.0/token", "oauth2/v2.0/authorize", "oauth2/v2.0/logout"];
  const urls = [DISCOVERY, INSTANCE, GRAPH, ...paths.map((path) => `${login}/${path}`)];
  const up = authority.fault({ on: "any", kind: "network", times: Infinity });
  for (const url of [...urls, ...urls]) await assertRejects(() => authority.fetch(url), TypeError);
  up();
  for (const url of urls) assert(await statusOf(authority, url) > 0);
});

test("keys rotate: the old one stays in the key set, unless it is taken away", async () => {
  const authority = new LocalAuthority();
  const kids = async (): Promise<string[]> => {
    const response = await authority.fetch("https://login.microsoftonline.com/common/discovery/v2.0/keys");
    return (await response.json()).keys.map(({ kid }: { kid: string }) => kid);
  };
  const [first = ""] = await kids();
  await authority.rotateKeys();
  const [second = "", ...old] = await kids();
  assertEquals([old, first === second], [[first], false]);
  await authority.rotateKeys({ keepOld: false });
  const last = await kids();
  assertEquals([last.length, last.includes(first), last.includes(second)], [1, false, false]);
});

test("older faults happen first, and clearFaults() forgets the rest", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "any", kind: "throttled" });
  authority.fault({ on: "discovery", kind: "server_error", status: 503 });
  authority.fault({ on: "discovery", kind: "html", times: Infinity });
  assertEquals(await statuses(authority, 2), [429, 503]);
  authority.clearFaults();
  const response = await authority.fetch(DISCOVERY);
  assertEquals(response.headers.get("content-type"), "application/json; charset=utf-8");
  await response.body?.cancel();
});

test("a fault does not happen on other endpoints", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "token", kind: "server_error" });
  authority.fault({ on: "jwks", kind: "server_error" });
  authority.fault({ on: "api", kind: "throttled" });
  assertEquals(await statusOf(authority), 200);
  assertEquals(await statusOf(authority, INSTANCE), 200);
  assertEquals(await statusOf(authority, GRAPH), 429);
  assertEquals(await statusOf(authority, GRAPH), 401);
  assertEquals(await statusOf(authority, "https://login.microsoftonline.com/common/discovery/keys"), 500);
});

test("the log names the fault that was played", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "discovery", kind: "throttled" });
  await statuses(authority, 2);
  assertEquals(authority.requests.map(({ fault, status }) => [fault, status]), [["throttled", 429], [
    undefined,
    200,
  ]]);
});

test("throttling carries Retry-After as it was given", async () => {
  const authority = new LocalAuthority();
  const date = "Sun, 22 Nov 2026 13:00:00 GMT";
  for (const [retryAfter, header] of [[7, "7"], ["7", "7"], [date, date], ["-1", "-1"]] as const) {
    authority.fault({ on: "discovery", kind: "throttled", retryAfter, status: 503 });
    const response = await authority.fetch(DISCOVERY);
    assertEquals([response.status, response.headers.get("retry-after")], [503, header]);
    assertEquals((await response.json()).error_codes, [90055]);
  }
  authority.fault({ on: "discovery", kind: "throttled" });
  const bare = await authority.fetch(DISCOVERY);
  assertEquals(bare.headers.get("retry-after"), null);
  await bare.body?.cancel();
});

test("a server error has a JSON body, or none, and Graph's shape on the API", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "any", kind: "server_error" });
  assertEquals((await (await authority.fetch(DISCOVERY)).json()).error, "temporarily_unavailable");
  authority.fault({ on: "any", kind: "server_error", empty: true, status: 502 });
  const empty = await authority.fetch(DISCOVERY);
  assertEquals([empty.status, await empty.text()], [502, ""]);
  authority.fault({ on: "api", kind: "server_error" });
  assertEquals((await (await authority.fetch(GRAPH)).json()).error.code, "InternalServerError");
});

test("bodies that are not what they claim", async () => {
  const authority = new LocalAuthority();
  const played = async (fault: Fault): Promise<[number, string, string]> => {
    authority.fault(fault);
    const response = await authority.fetch(DISCOVERY);
    return [response.status, response.headers.get("content-type") ?? "", await response.text()];
  };
  const json = "application/json; charset=utf-8";
  const [status, type, page] = await played({ on: "any", kind: "html" });
  assertEquals([status, type], [200, "text/html; charset=utf-8"]);
  assert(page.startsWith("<!DOCTYPE html>"));
  assertEquals((await played({ on: "any", kind: "html", status: 503, html: "<p>" }))[2], "<p>");
  assertEquals((await played({ on: "any", kind: "not_json" })).slice(0, 2), [200, json]);
  assertEquals(await played({ on: "any", kind: "not_json", body: "" }), [200, json, ""]);
  assertEquals(await played({ on: "any", kind: "json", body: null }), [200, json, "null"]);
  const custom: Fault = {
    on: "any",
    kind: "json",
    body: [1],
    status: 400,
    headers: { "content-type": "text/plain" },
  };
  assertEquals(await played(custom), [400, "text/plain", "[1]"]);
  const [, truncatedType, half] = await played({ on: "any", kind: "truncated" });
  assertEquals([truncatedType, half.startsWith('{"token_endpoint"')], [json, true]);
  assertThrows(() => JSON.parse(half), SyntaxError);
});

test("a slow answer comes when the clock says so", async () => {
  const clock = new FakeClock();
  const authority = new LocalAuthority({ clock });
  authority.fault({ on: "discovery", kind: "slow", delayMs: 30_000 });
  const pending = statusOf(authority);
  await clock.advance(29_999);
  assertEquals(authority.requests.map(({ status, fault }) => [status, fault]), [[0, "slow"]]);
  await clock.advance(1);
  assertEquals(await pending, 200);
  assertEquals(authority.requests[0]?.status, 200);
});

test("an aborted signal ends a slow answer with its own reason, and leaves no timer", async () => {
  const clock = new FakeClock();
  const authority = new LocalAuthority({ clock });
  authority.fault({ on: "discovery", kind: "slow", delayMs: 30_000 });
  const controller = new AbortController();
  const pending = authority.fetch(DISCOVERY, { signal: controller.signal });
  await clock.advance(0);
  assertEquals(clock.pending, 1);
  controller.abort(new RangeError("enough"));
  await assertRejects(() => pending, RangeError, "enough");
  assertEquals(clock.pending, 0);
});

test("a network fault rejects like a failed fetch, on the loopback face it is an empty 500", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "discovery", kind: "network" });
  await assertRejects(() => authority.fetch(DISCOVERY), TypeError, "fetch failed");
  assertEquals(authority.requests[0]?.status, 0);
  authority.fault({ on: "discovery", kind: "network" });
  const response = await authority.handler(
    new Request("http://127.0.0.1/common/.well-known/openid-configuration"),
  );
  assertEquals([response.status, await response.text()], [500, ""]);
});

test("an oversized answer is valid JSON of exactly the size it was given", async () => {
  const authority = new LocalAuthority();
  for (const bytes of [14, 16_384, 16_385, 100_000]) {
    authority.fault({ on: "discovery", kind: "oversized", bytes, contentLength: 10 });
    const response = await authority.fetch(DISCOVERY);
    assertEquals(response.headers.get("content-length"), "10");
    const text = await response.text();
    assertEquals(text.length, bytes);
    assertEquals(JSON.parse(text).padding.length, bytes - 14);
  }
});

test("an oversized answer is made while it is read: cancelling stops it, an abort breaks it", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "discovery", kind: "oversized", bytes: Number.MAX_SAFE_INTEGER, times: 2 });
  const cancelled = (await authority.fetch(DISCOVERY)).body!.getReader();
  assertEquals((await cancelled.read()).value?.byteLength, 16_384);
  await cancelled.cancel();
  const controller = new AbortController();
  const aborted = (await authority.fetch(DISCOVERY, { signal: controller.signal })).body!.getReader();
  await aborted.read();
  controller.abort(new RangeError("enough"));
  await assertRejects(async () => {
    for (let reads = 0; reads < 3; reads++) await aborted.read();
  }, RangeError);
});

test("a fault that makes no sense is refused when it is set", () => {
  const authority = new LocalAuthority();
  const wrong: unknown[] = [
    null,
    {},
    { on: "token" },
    { on: "tokens", kind: "html" },
    { on: "token", kind: "constructor" },
    { on: "token", kind: "slow" },
    { on: "token", kind: "slow", delayMs: "1" },
    { on: "token", kind: "redirect" },
    { on: "token", kind: "html", times: 0 },
    { on: "token", kind: "html", times: NaN },
    { on: "token", kind: "html", times: "2" },
    { on: "token", kind: "html", status: 204 },
    { on: "token", kind: "html", status: 99 },
  ];
  for (const fault of wrong) {
    assertThrows(() => authority.fault(fault as Fault), TypeError, "Cannot set a fault");
  }
});

test("a request is refused with any AADSTS code, as while a certificate is renewed", async () => {
  const authority = new LocalAuthority();
  const url = `https://login.microsoftonline.com/${authority.defaults.tenantId}/oauth2/v2.0/token`;
  const ask = async (): Promise<unknown[]> => {
    const response = await authority.fetch(url, { method: "POST", body: new URLSearchParams() });
    const { error, error_codes, error_description, suberror, claims } = await response.json();
    return [response.status, error, error_codes, error_description.split(" ")[0], suberror, claims];
  };
  for (const code of [700027, 700024, 7000214, 1000502, 7000274, 7000277]) {
    authority.fault({ on: "token", kind: "entra_error", code });
    assertEquals(await ask(), [401, "invalid_client", [code], `AADSTS${code}:`, undefined, undefined]);
  }
  authority.fault({
    on: "token",
    kind: "entra_error",
    code: 50173,
    error: "invalid_grant",
    suberror: "bad_token",
    claims: "{}",
  });
  assertEquals(await ask(), [400, "invalid_grant", [50173], "AADSTS50173:", "bad_token", "{}"]);
  authority.fault({ on: "token", kind: "entra_error", code: 90033, status: 503, text: "Later." });
  assertEquals((await ask()).slice(0, 3), [503, "invalid_client", [90033]]);
  const nameless = { on: "token", kind: "entra_error" } as unknown as Fault;
  assertThrows(() => authority.fault(nameless), TypeError, '"code" must be a number');
});
