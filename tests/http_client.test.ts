/** Transport, requirements: redirects, deadlines, body caps, content types, headers, the injected fetch. */
import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import type { FetchFunction } from "../mod.ts";
import {
  answer,
  CLIENT_ID,
  CORRELATION_ID,
  discovery,
  failure,
  fixture,
  OIDC,
  oidcScript,
  SECRET,
  settle,
  TOKEN_ENDPOINT,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const REDIRECTS = [301, 302, 303, 307, 308];
const ELSEWHERE = "https://evil.example/collect?loot=1";
const MIB = 1_048_576;

const redirect = (status: number) => (): Response =>
  new Response(null, { status, headers: { location: ELSEWHERE } });

/** A body that counts what is pulled from it; `bytes` may be Infinity. */
function countedBody(bytes: number, onCancel: () => void | Promise<void> = () => {}) {
  const seen = { pulled: 0, cancelled: false };
  const head = new TextEncoder().encode('{"token_type":"Bearer","expires_in":3600,"access_token":"');
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (seen.pulled >= bytes) return controller.close();
      const left = bytes - seen.pulled;
      const chunk = new Uint8Array(left <= 16_385 ? left : 16_384).fill(0x61);
      if (seen.pulled === 0) chunk.set(head);
      if (seen.pulled + chunk.length >= bytes) chunk.set([0x22, 0x7d], chunk.length - 2);
      seen.pulled += chunk.length;
      controller.enqueue(chunk);
    },
    cancel() {
      seen.cancelled = true;
      return onCancel();
    },
  }, { highWaterMark: 0 });
  return { seen, body };
}

for (const status of REDIRECTS) {
  test(`R-001 a token endpoint that answers ${status} gets no second request, and the error names the status`, async () => {
    const { refused, http, clock } = fixture([redirect(status)]);
    const error = await refused();
    assertEquals([error.name, error.code], ["NetworkError", "redirect_refused"]);
    assertEquals("status" in error && error.status, status);
    assertStringIncludes(error.message, String(status));
    assert(!error.message.includes("evil.example"));
    assertEquals(http.requests.map(({ url }) => url), [TOKEN_ENDPOINT]);
    assertEquals(clock.pending, 0);
  });

  test(`R-003 a discovery document behind a ${status} is not fetched from there`, async () => {
    const { refused, http } = fixture([redirect(status)], OIDC);
    assertEquals((await refused()).code, "redirect_refused");
    assertEquals(http.requests.length, 1);
  });
}

test("R-001 a redirect that the runtime hides (opaqueredirect, status 0) is refused too", async () => {
  const opaque = new Response(null, { status: 200 });
  Object.defineProperty(opaque, "type", { value: "opaqueredirect" });
  Object.defineProperty(opaque, "status", { value: 0 });
  const { refused, http } = fixture([opaque]);
  await refused();
  assertEquals(http.requests.length, 1);
});

test("R-001 R-203 a redirect whose body refuses to be let go is refused all the same, at once", async () => {
  const { body } = countedBody(Infinity, () => new Promise(() => {}));
  const { refused, http } = fixture([() => new Response(body, { status: 302 }), redirect(302)]);
  const error = await refused();
  assertEquals([error.code, http.requests.length], ["redirect_refused", 1]);
});

test("R-002 every request is made with redirect: manual: discovery, token and the second attempt", async () => {
  const script: Answer[] = [jsonResponse(discovery()), new Response(null, { status: 500 }), tokenAnswer()];
  const { acquire, http } = fixture(script, OIDC);
  await acquire();
  assertEquals(http.requests.map((request) => request.redirect), ["manual", "manual", "manual"]);
});

test("R-005 no answer in 10 s: aborted twice, a typed error, no timer left", async () => {
  const { app, http, clock } = fixture(() => () => new Promise(() => {}));
  const call = failure(app.acquireTokenForClient({ scopes: ["x/.default"] }));
  await clock.advance(9_999);
  assertEquals(http.requests[0]?.signal?.aborted, false);
  await clock.advance(1);
  assertEquals(http.requests[0]?.signal?.aborted, true);
  await clock.advance(1_500);
  assertEquals(http.requests.length, 2);
  await clock.advance(10_000);
  const error = await call;
  assertEquals([error.name, error.code], ["NetworkError", "request_timeout"]);
  assertEquals("attempt" in error && [error.attempt, error.status], [2, 0]);
  assertEquals([http.requests.length, clock.pending], [2, 0]);
});

test("R-005 a fetch that ignores its signal does not keep the caller", async () => {
  const { refused, clock } = fixture([], { fetch: () => new Promise(() => {}), timeoutMs: 1 });
  assertEquals((await refused()).code, "request_timeout");
  assertEquals(clock.pending, 0);
});

test("R-005 discovery has a deadline of its own, 5 s", async () => {
  const { app, http, clock } = fixture(() => () => new Promise(() => {}), OIDC);
  const call = failure(app.acquireTokenForClient({ scopes: [] }));
  // The name of the document in the store is a hash, which takes its time.
  while (http.requests.length === 0) await clock.advance(0);
  await clock.advance(4_999);
  assertEquals(http.requests[0]?.signal?.aborted, false);
  await clock.advance(1);
  assertEquals([(await call).code, clock.pending], ["request_timeout", 0]);
});

test("R-005 timeoutMs counts for each purpose", async () => {
  const { app, http, clock } = fixture(() => () => new Promise(() => {}), {
    ...OIDC,
    timeoutMs: { metadata: 70 },
  });
  const call = failure(app.acquireTokenForClient({ scopes: [] }));
  while (http.requests.length === 0) await clock.advance(0);
  await clock.advance(69);
  assertEquals(http.requests[0]?.signal?.aborted, false);
  await clock.advance(1);
  assertEquals((await call).code, "request_timeout");
});

test("R-005 headers in time and a body that never ends: the same deadline", async () => {
  const half = () =>
    new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) });
  const { refused, clock } = fixture(() => answer(200, half()));
  assertEquals((await refused()).code, "request_timeout");
  assertEquals(clock.pending, 0);
});

test("R-005 R-203 a body that came too late is let go, even if the fetch ignores its signal", async () => {
  let cancelled = 0;
  const endless = () => new ReadableStream({ cancel: () => void cancelled++ });
  const fetch: FetchFunction = () => Promise.resolve(answer(200, endless())());
  const { refused, clock } = fixture([], { fetch, timeoutMs: 900 });
  assertEquals((await refused()).code, "request_timeout");
  await clock.advance(0);
  assertEquals(cancelled, 2);
});

test("R-005 a signal that is aborted already: nothing is sent", async () => {
  const { refused, http } = fixture();
  assertEquals((await refused({ signal: AbortSignal.abort() })).code, "request_aborted");
  assertEquals(http.requests.length, 0);
});

test("R-005 a caller who aborts gets its reason as cause; whoever shares the request still gets the token", async () => {
  let respond = (_: Response): void => {};
  const { app, clock, http } = fixture([() => new Promise<Response>((resolve) => respond = resolve)]);
  const controller = new AbortController();
  const request = { scopes: ["x/.default"] };
  const leader = failure(app.acquireTokenForClient({ ...request, signal: controller.signal }));
  const follower = app.acquireTokenForClient(request);
  await clock.advance(0);
  const reason = new RangeError("enough");
  controller.abort(reason);
  const error = await leader;
  assertEquals([error.code, error.cause], ["request_aborted", reason]);
  respond(tokenAnswer()());
  assertEquals((await settle(clock, follower)).accessToken, "AT");
  assertEquals([http.requests.length, clock.pending], [1, 0]);
});

test("R-005 a success leaves no timer", async () => {
  const { acquire, clock } = fixture([tokenAnswer()]);
  await acquire();
  assertEquals(clock.pending, 0);
});

for (const [length, says] of [["no", undefined], ["a small", "10"], ["a true", String(MIB + 1)]] as const) {
  test(`R-006 a body over 1 MiB with ${length} content-length is not read to its end, and is cancelled`, async () => {
    const { seen, body } = countedBody(Infinity);
    const headers: Record<string, string> = says === undefined ? {} : { "content-length": says };
    const { refused, http } = fixture([answer(200, body, headers)]);
    const error = await refused();
    assertEquals([error.name, error.code, seen.cancelled], ["NetworkError", "response_too_large", true]);
    assert(seen.pulled <= MIB + 4 * 16_384, `pulled ${seen.pulled}`);
    assertEquals(http.requests.length, 1);
  });
}

test("R-006 exactly 1 MiB is read, one byte more is not; an error status is kept", async () => {
  const { acquire, refused } = fixture([
    answer(200, countedBody(MIB).body),
    answer(403, countedBody(MIB + 1).body),
  ]);
  assertEquals((await acquire()).accessToken.length, MIB - 57 - 2);
  const error = await refused({ tenantId: "other.example" });
  assertEquals("status" in error && [error.code, error.status], ["response_too_large", 403]);
});

test("R-006 caps are options, for each purpose; a discovery document may have 256 KiB", async () => {
  const padded = (bytes: number) => discovery({ pad: "x".repeat(bytes) });
  const over = fixture([jsonResponse(padded(262_144))], OIDC);
  assertEquals((await over.refused()).code, "response_too_large");
  const under = fixture([jsonResponse(padded(260_000)), tokenAnswer()], OIDC);
  assertEquals((await under.acquire()).accessToken, "AT");
  const small = fixture([tokenAnswer({ pad: "x".repeat(900) })], { maxResponseBytes: { token: 900 } });
  assertEquals((await small.refused()).code, "response_too_large");
});

test("R-006 a flood whose cancel() never ends does not keep the caller", async () => {
  const { body } = countedBody(Infinity, () => new Promise(() => {}));
  const { refused } = fixture([answer(200, body)]);
  assertEquals((await refused()).code, "response_too_large");
});

const CONTENT_TYPES: [string, boolean][] = [
  ["application/json", true],
  ["application/json; charset=utf-8", true],
  ["APPLICATION/JSON ;charset=UTF-8", true],
  ["application/problem+json", true],
  ["text/json", false],
  ["text/html", false],
  ["text/plain", false],
  ["application/jsonp", false],
  ["application/x-json", false],
  ["xapplication/json", false],
  ["application/json-seq", false],
  ["application/jwt", false],
  ["text/html, application/json", false],
  ["", false],
];
for (const [type, accepted] of CONTENT_TYPES) {
  test(`R-007 a success of type "${type}" is ${accepted ? "read" : "refused"}`, async () => {
    const good = JSON.stringify({ token_type: "Bearer", access_token: "AT", expires_in: 60 });
    const body = new TextEncoder().encode(good);
    const { app, clock } = fixture([
      () => new Response(body, { headers: type ? { "content-type": type } : {} }),
    ]);
    const call = settle(clock, app.acquireTokenForClient({ scopes: ["x/.default"] }));
    if (accepted) return assertEquals((await call).accessToken, "AT");
    const error = await failure(call);
    assertEquals([error.name, error.code], ["ServerError", "invalid_response"]);
  });
}

for (const text of ["null", "[]", '"x"', "1", "true", "", "{", "\u0000", '{"a":1}{"b":2}', "\ufeffnull"]) {
  test(`R-008 a success whose body is ${JSON.stringify(text)} is a typed error`, async () => {
    const { refused } = fixture([answer(200, text)]);
    const error = await refused({ correlationId: CORRELATION_ID });
    assertEquals([error.name, error.code], ["ServerError", "invalid_response"]);
    assertEquals(error.correlationId, CORRELATION_ID);
  });
}

const JUNK = "<h1>Marker-9f1 contoso</h1>";
const BROKEN: [string, string, string][] = [
  ["HTML", "text/html", JUNK],
  ["HTML that says JSON", "application/json", JUNK],
  ["truncated JSON", "application/json", `{"error":"Marker-9f1`],
  ["nothing", "application/json", ""],
  ["a JSON string", "application/json", '"Marker-9f1"'],
  ["an array", "application/json", '["Marker-9f1"]'],
];
for (const [what, type, body] of BROKEN) {
  test(`R-009 error statuses with ${what} keep status and correlation id, and not the body`, async () => {
    for (const status of [400, 401, 403, 404, 429, 500, 503]) {
      const { refused } = fixture(() => answer(status, body, { "content-type": type }));
      const error = await refused({ correlationId: CORRELATION_ID });
      assertEquals(error.name, "ServerError");
      assertEquals("status" in error && [error.status, error.correlationId], [status, CORRELATION_ID]);
      assertStringIncludes(error.message, String(status));
      const told = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join();
      assert(!/Marker-9f1|SyntaxError|JSON at|position/.test(told), told);
    }
  });
}

test("R-010 the token request has exactly these headers, the form's content type, and no Origin", async () => {
  const { acquire, http } = fixture([tokenAnswer()], { telemetry: false });
  await acquire();
  const [request] = http.requests;
  assertEquals(Object.fromEntries(request!.headers), {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
  });
  assertEquals(request!.method, "POST");
  assertEquals(Object.fromEntries(request!.form), {
    client_id: CLIENT_ID,
    client_info: "1",
    client_secret: SECRET,
    grant_type: "client_credentials",
    scope: "https://graph.microsoft.com/.default",
  });
});

test("R-010 R-014 the discovery request has an accept header, and nothing else", async () => {
  const { acquire, http } = fixture(oidcScript(() => jsonResponse(discovery())), OIDC);
  await acquire({ correlationId: CORRELATION_ID });
  assertEquals([http.requests[0]?.method, http.requests[0]?.body], ["GET", ""]);
  assertEquals(Object.fromEntries(http.requests[0]!.headers), { accept: "application/json" });
});

test("R-012 the injected fetch makes every request; the global one is not touched", async () => {
  const original = globalThis.fetch;
  let touched = 0;
  globalThis.fetch = () => Promise.reject(new Error(`global fetch ${++touched}`));
  try {
    for (const overrides of [{}, OIDC]) {
      const { acquire } = fixture(oidcScript(() => jsonResponse(discovery())), overrides);
      assertEquals((await acquire()).accessToken, "AT");
    }
  } finally {
    globalThis.fetch = original;
  }
  assertEquals(touched, 0);
});

test("R-012 without the option, the global fetch is looked up at each call, not when the client is made", async () => {
  const { app, clock } = fixture([], { fetch: undefined });
  const original = globalThis.fetch;
  globalThis.fetch = () => Promise.resolve(tokenAnswer({ access_token: "from the global" })());
  try {
    const result = await settle(clock, app.acquireTokenForClient({ scopes: ["x/.default"] }));
    assertEquals(result.accessToken, "from the global");
  } finally {
    globalThis.fetch = original;
  }
});

test("R-013 no URL holds the secret, with either method", async () => {
  for (const method of ["client_secret_post", "client_secret_basic"] as const) {
    const clientCredential = { clientSecret: "canary-in-no-url", method };
    const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
    await acquire({ extraQueryParameters: { dc: "test" } });
    assertEquals(http.requests.map(({ url }) => url), [`${TOKEN_ENDPOINT}?dc=test`]);
  }
});

test("R-009 R-186 a fetch that gives no Response is a network error", async () => {
  for (const junk of [undefined, null, 1, "x", {}, { status: 200 }, { status: 200, headers: {} }]) {
    const { refused } = fixture([], { fetch: () => Promise.resolve(junk as unknown as Response) });
    assertEquals((await refused()).code, "network_error");
  }
  const locked = () => {
    const response = tokenAnswer()();
    response.body!.getReader();
    return Promise.resolve(response);
  };
  assertEquals((await fixture([], { fetch: locked }).refused()).code, "network_error");
  const synchronous: FetchFunction = () => {
    throw new TypeError("at once");
  };
  assertEquals((await fixture([], { fetch: synchronous }).refused()).code, "network_error");
});

test("R-204 a Response of another realm will do", async () => {
  const real = tokenAnswer()();
  const foreign = { status: 200, headers: real.headers, body: real.body, type: "default" };
  const { acquire } = fixture([], { fetch: () => Promise.resolve(foreign as Response) });
  assertStrictEquals((await acquire()).accessToken, "AT");
});

test("the reason of a lost connection is told, as Node and as Deno put it, without the URL", async () => {
  const url = "https://login.microsoftonline.com/cAnArY";
  const causes = [
    Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" }),
    new Error(`error sending request for url (${url}): client error (Connect): dns error: ENOTFOUND`),
  ];
  for (const cause of causes) {
    const lost = () => Promise.reject(new TypeError("fetch failed", { cause }));
    const { refused } = fixture([lost, lost]);
    const { message } = await refused();
    assert(message.includes("ENOTFOUND") && !message.includes("cAnArY"), message);
  }
});
