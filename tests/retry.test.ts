/** One more try and no more, and Retry-After in every shape. */
import { assert, assertEquals } from "@std/assert";
import { fc } from "./support/property.ts";
import { parseRetryAfter } from "../src/net/retry.ts";
import {
  answer,
  CORRELATION_ID,
  discovery,
  errorAnswer,
  failure,
  fixture,
  OIDC,
  SCOPE,
  settle,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const throttled = (status: number, retryAfter?: string) =>
  answer(
    status,
    '{"error":"temporarily_unavailable"}',
    retryAfter === undefined ? {} : { "retry-after": retryAfter },
  );

const PASSING: [string, Answer][] = [
  ["500", throttled(500)],
  ["502 with HTML", answer(502, "<p>", { "content-type": "text/html" })],
  ["503", throttled(503)],
  ["504 with nothing", answer(504, null)],
  ["599", throttled(599)],
  ["a network failure", new TypeError("connection reset")],
  ["a network failure that is no Error", () => Promise.reject("reset")],
  ["a body that breaks off", () => broken()],
];

function broken(): Response {
  const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError("reset")) });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

for (const [what, first] of PASSING) {
  test(`R-181 ${what}: one more try, and its success counts`, async () => {
    const { acquire, http, events, clock } = fixture([first, tokenAnswer()]);
    const result = await acquire({ correlationId: CORRELATION_ID });
    assertEquals([result.accessToken, result.tokenSource], ["AT", "identity_provider"]);
    assertEquals(http.requests[0]?.body, http.requests[1]?.body);
    assertEquals(
      events.filter(({ type }) => type === "request_retried").map((event) => event.correlationId),
      [
        CORRELATION_ID,
      ],
    );
    assertEquals([http.requests.length, clock.pending], [2, 0]);
  });

  test(`R-181 ${what}, twice: an error, and never a third request`, async () => {
    const { refused, http, clock } = fixture([first, first, tokenAnswer()]);
    await refused();
    assertEquals([http.requests.length, clock.pending], [2, 0]);
  });
}

const FINAL: [string, Answer, string][] = [
  ["400", errorAnswer(400, "invalid_scope"), "server_error"],
  ["401", errorAnswer(401, "invalid_client"), "server_error"],
  ["403", errorAnswer(403, "access_denied"), "server_error"],
  ["404 HTML", answer(404, "<p>", { "content-type": "text/html" }), "server_error"],
  ["408", answer(408, "{}"), "server_error"],
  ["429", throttled(429), "throttled"],
  ["429 with Retry-After", throttled(429, "1"), "throttled"],
  ["503 with Retry-After", throttled(503, "1"), "server_error"],
  ["500 with Retry-After: 0", throttled(500, "0"), "server_error"],
  ["503 with a Retry-After nobody can read", throttled(503, "soon"), "server_error"],
  ["200 with an error", errorAnswer(200, "server_error"), "server_error"],
  ["200 HTML", answer(200, "<p>", { "content-type": "text/html" }), "invalid_response"],
  ["200 without a token", answer(200, "{}"), "invalid_response"],
  ["a redirect", answer(307, null), "redirect_refused"],
];
for (const [what, first, code] of FINAL) {
  test(`R-181 ${what} is not tried again`, async () => {
    const { refused, http } = fixture([first, tokenAnswer()]);
    assertEquals([(await refused()).code, http.requests.length], [code, 1]);
  });
}

test("R-181 the second try comes after 1 to 1.5 s, with jitter", async () => {
  const { random } = Math;
  try {
    for (const [value, delay] of [[0, 1_000], [0.999, 1_499.5]] as const) {
      Math.random = () => value;
      const { app, http, clock } = fixture([throttled(500), tokenAnswer()]);
      const call = app.acquireTokenForClient({ scopes: [SCOPE] });
      await clock.advance(delay - 1);
      assertEquals(http.requests.length, 1);
      await clock.advance(1);
      assertEquals((await call).accessToken, "AT");
    }
  } finally {
    Math.random = random;
  }
});

test("R-181 the error of the second try is the one that is thrown, and names its attempt", async () => {
  const { refused } = fixture([throttled(500), new TypeError("reset")]);
  const error = await refused();
  assertEquals("attempt" in error && [error.code, error.attempt], ["network_error", 2]);
  const other = await fixture([new TypeError("reset"), errorAnswer(400, "invalid_scope")]).refused();
  assertEquals("error" in other && other.error, "invalid_scope");
});

test("R-181 the credential is asked for once for both tries", async () => {
  let asked = 0;
  const clientCredential = () => `secret-${++asked}`;
  const { acquire, http } = fixture([throttled(500), tokenAnswer()], { clientCredential });
  await acquire();
  assertEquals(http.requests.map(({ form }) => form.get("client_secret")), ["secret-1", "secret-1"]);
});

test("R-181 callers who share a request share its second try", async () => {
  const { app, http, clock } = fixture([throttled(500), throttled(500)]);
  const calls = Array.from({ length: 20 }, () => failure(app.acquireTokenForClient({ scopes: [SCOPE] })));
  const errors = await settle(clock, Promise.all(calls));
  assertEquals([...new Set(errors.map(({ code }) => code))], ["server_error"]);
  assertEquals([http.requests.length, clock.pending], [2, 0]);
});

test("R-181 a caller who gives up between the tries leaves with request_aborted", async () => {
  const { app, clock } = fixture([throttled(500), tokenAnswer()]);
  const controller = new AbortController();
  const call = failure(app.acquireTokenForClient({ scopes: [SCOPE], signal: controller.signal }));
  await clock.advance(500);
  controller.abort();
  assertEquals((await call).code, "request_aborted");
  await clock.advance(2_000);
  assertEquals(clock.pending, 0);
});

const START = Date.UTC(2026, 0, 1);
const inSeconds = (seconds: number): string => new Date(START + seconds * 1000).toUTCString();

/** What the header says, what the error says, and for how long nothing is sent; without a header that counts, 5 s. */
const RETRY_AFTER: [string | undefined, number | undefined, number][] = [
  [undefined, 5, 5],
  ["7", 7, 7],
  [" 7 ", 7, 7],
  ["007", 7, 7],
  ["0", 0, 0],
  ["3600", 3600, 3600],
  ["7200", 3600, 3600],
  ["1000000000", 3600, 3600],
  ["9".repeat(400), 3600, 3600],
  ["-5", 5, 5],
  ["+5", 5, 5],
  ["1.5", 5, 5],
  ["1e3", 5, 5],
  ["0x10", 5, 5],
  ["5, 9", 5, 5],
  ["5;x", 5, 5],
  ["", 5, 5],
  ["soon", 5, 5],
  ["NaN", 5, 5],
  ["Infinity", 5, 5],
  ["2099-01-01T00:00:00Z", 5, 5],
  [inSeconds(90), 90, 90],
  [inSeconds(86_400), 3600, 3600],
  [inSeconds(-90), 0, 0],
  ["Thu, 99 Foo 2026 99:99:99 GMT", 5, 5],
];
for (const [header, says, seconds] of RETRY_AFTER) {
  test(`R-179 Z54 Retry-After: ${String(header).slice(0, 32)} keeps the client away for ${seconds} s`, async () => {
    for (const status of [429, 503]) {
      // Without the header a 503 is tried twice, which takes time of its own.
      if (status === 503 && header === undefined) continue;
      const { app, http, clock } = fixture(() => throttled(status, header), {}, new FakeClock(START));
      const call = () => settle(clock, failure(app.acquireTokenForClient({ scopes: [SCOPE] })));
      const error = await call();
      assertEquals("retryAfterSeconds" in error && error.retryAfterSeconds, says);
      if (seconds > 0) await clock.advance(seconds * 1000 - 1);
      await call();
      assertEquals(http.requests.length, seconds > 0 ? 1 : 2);
      await clock.advance(1);
      await call();
      assertEquals(http.requests.length, seconds > 0 ? 2 : 3);
    }
  });
}

test("R-179 R-196 whatever the header holds, it is read as nothing or as 0 to 3600 s", () => {
  const header = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[A-Z][a-z]{2}, .{0,30}$/),
    fc.integer().map(String),
  );
  fc.assert(
    fc.property(header, fc.integer({ min: 0, max: 4e12 }), (text, nowMs) => {
      const seconds = parseRetryAfter(text, nowMs);
      assert(seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 3600), text);
    }),
    { numRuns: 2000 },
  );
});

test("R-189 a header of a megabyte is read in no time", () => {
  const start = performance.now();
  for (const one of ["9", " ", "A", ",", "Mon, "]) parseRetryAfter(one.repeat(1_000_000 / one.length), START);
  assert(performance.now() - start < 1_000);
});

test("R-181 discovery that fails is an error of this call, and the next call asks again", async () => {
  const { acquire, refused, http } = fixture(
    [throttled(400), jsonResponse(discovery()), tokenAnswer()],
    OIDC,
  );
  assertEquals((await refused()).code, "endpoints_resolution_error");
  assertEquals([(await acquire()).accessToken, http.requests.length], ["AT", 3]);
});
