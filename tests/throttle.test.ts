/**
 * Throttling: R-180 and section 8.6 of MSAL Python's catalogue (H rows), with Z23, Z52 and Z54.
 *
 * We do better than MSAL Python in: claims are part of the key for 429 and 5xx, too (H5); Retry-After may be a date; a
 * success is never kept, whatever its headers (5.2, last sentence).
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ConfidentialClientApplication, MemoryStore } from "../mod.ts";
import {
  answer,
  CLIENT_ID,
  CORRELATION_ID,
  errorAnswer,
  failure,
  type Fixture,
  fixture,
  OIDC,
  oidcScript,
  type Overrides,
  SCOPE,
  settle,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import type { ClientCredentialRequest } from "../mod.ts";

type Request = Partial<ClientCredentialRequest>;

const busy = (status: number, retryAfter?: string) =>
  answer(status, '{"error":"temporarily_unavailable","error_codes":[90055]}', {
    ...(retryAfter !== undefined && { "retry-after": retryAfter }),
  });

/** How many requests each call sent, in order. */
async function sent({ refused, http }: Fixture, requests: readonly Request[]): Promise<number[]> {
  const counts: number[] = [];
  for (const request of requests) {
    const before = http.requests.length;
    await refused(request);
    counts.push(http.requests.length - before);
  }
  return counts;
}

const ROWS: [string, Answer, Overrides, Request[], number[]][] = [
  ["H2 429 with Retry-After: 1, twice", busy(429, "1"), {}, [{}, {}], [1, 0]],
  ["H3 503 with Retry-After: 1, twice", busy(503, "1"), {}, [{}, {}], [1, 0]],
  ["Z23 503 with Retry-After: 7, twice", busy(503, "7"), {}, [{}, {}], [1, 0]],
  // MSAL Python shares this one: its key has no claims. Ours does, a challenge is another request.
  ["H5 429, other claims", busy(429, "9"), {}, [{ claims: '{"bar":1}' }, { claims: '{"foo":1}' }, {}], [
    1,
    1,
    1,
  ]],
  ["H6 429, other scope", busy(429, "9"), {}, [{}, { scopes: ["api://two/.default"] }], [1, 1]],
  [
    "H7 400, claims foo twice, bar twice",
    errorAnswer(400, "invalid_grant"),
    {},
    ["foo", "foo", "bar", "bar"].map((name) => ({ claims: { [name]: 1 } })),
    [1, 0, 1, 0],
  ],
  ["Z52 429, another secret each time", busy(429, "5"), { clientCredential: rotating() }, [{}, {}, {}], [
    1,
    0,
    0,
  ]],
  ["Z54 429 without Retry-After", busy(429), {}, [{}, {}], [1, 0]],
  ["Z54 429 with Retry-After: 0", busy(429, "0"), {}, [{}, {}], [1, 1]],
  ["Z54 404", errorAnswer(404, "not_found"), {}, [{}, {}], [1, 1]],
  ["Z54 404 with Retry-After: 3", busy(404, "3"), {}, [{}, {}], [1, 0]],
  ["R-180 401 is not kept", errorAnswer(401, "invalid_client"), {}, [{}, {}], [1, 1]],
  ["R-180 403 is not kept", errorAnswer(403, "access_denied"), {}, [{}, {}], [1, 1]],
  ["R-180 400 is kept", errorAnswer(400, "unauthorized_client"), {}, [{}, {}], [1, 0]],
  ["R-180 Z26 400 without error is kept", answer(400, '{"foo":1}'), {}, [{}, {}], [1, 0]],
  ["R-180 500 is kept after its second try", busy(500), {}, [{}, {}], [2, 0]],
  ["R-180 tenants are apart", busy(429, "9"), {}, [{}, { tenantId: "other.example" }, {}], [1, 1, 0]],
  ["R-180 fmiPath is part of the key", busy(429, "9"), {}, [{}, { fmiPath: "a" }, { fmiPath: "b" }], [
    1,
    1,
    1,
  ]],
  ["R-180 extra body is part of the key", busy(429, "9"), {}, [{}, { extraBodyParameters: { a: "b" } }], [
    1,
    1,
  ]],
  ["R-180 extra query is part of the key", busy(429, "9"), {}, [{}, { extraQueryParameters: { a: "b" } }], [
    1,
    1,
  ]],
  [
    "R-180 no two parameters are spelled alike in the key",
    busy(429, "9"),
    {},
    [{ extraBodyParameters: { "a=b": "c" } }, { extraBodyParameters: { a: "b=c" } }],
    [1, 1],
  ],
  ["R-180 the correlation id is not", busy(429, "9"), {}, [{}, { correlationId: CORRELATION_ID }], [1, 0]],
  ["R-180 neither a redirect nor a flood is kept", answer(302, null), {}, [{}, {}], [1, 1]],
  ["R-180 nor a success that is none", answer(200, "{}", { "retry-after": "60" }), {}, [{}, {}], [1, 1]],
  ["R-180 R-046 nor an error with 200", errorAnswer(200, "invalid_grant"), {}, [{}, {}], [1, 1]],
];

function rotating(): () => string {
  let count = 0;
  return () => `secret-${++count}`;
}

for (const [name, response, overrides, requests, expected] of ROWS) {
  test(`${name}: ${expected.join(", ")} requests sent`, async () => {
    const one = fixture(() => response, overrides);
    assertEquals(await sent(one, requests), expected);
    assertEquals(one.clock.pending, 0);
  });
}

test("R-180 a network failure is not kept: the next call asks again", async () => {
  assertEquals(await sent(fixture(() => new TypeError("reset")), [{}, {}]), [2, 2]);
});

test("R-180 the local error says that nothing was sent, until when, and with this call's correlation id", async () => {
  const { app, refused, clock, events, lines } = fixture([busy(429, "30")]);
  const first = await refused();
  assertEquals("throttledLocally" in first && [first.code, first.throttledLocally], ["throttled", false]);
  await clock.advance(10_500);
  const second = await settle(
    clock,
    failure(app.acquireTokenForClient({ scopes: [SCOPE], correlationId: CORRELATION_ID })),
  );
  assert("throttledLocally" in second);
  assertEquals([second.code, second.status, second.throttledLocally], ["throttled", 429, true]);
  assertEquals([second.retryAfterSeconds, second.retryable, second.correlationId], [
    20,
    true,
    CORRELATION_ID,
  ]);
  assertEquals(second.errorCodes, [90055]);
  assertStringIncludes(second.message, "nothing was sent");
  assertEquals(events.filter(({ type }) => type === "throttled").length, 1);
  assert(lines.some((line) => line.includes("throttled") && line.includes(CORRELATION_ID)));
});

test("R-180 a 400 is kept for 60 s and not longer, as what it was: no time to wait, no retry", async () => {
  const { refused, acquire, clock, http } = fixture([
    errorAnswer(400, "unauthorized_client", { error_codes: [700016], error_description: "AADSTS700016: x" }),
    tokenAnswer(),
  ]);
  await refused();
  await clock.advance(59_999);
  const error = await refused();
  assert("throttledLocally" in error);
  assertEquals([error.code, error.error, error.throttledLocally, error.retryable], [
    "server_error",
    "unauthorized_client",
    true,
    false,
  ]);
  assertEquals(error.errorCodes, [700016]);
  await clock.advance(1);
  assertEquals([(await acquire()).accessToken, http.requests.length], ["AT", 2]);
});

test("R-178 R-180 decision 8: an interaction that is required stays one when it is recalled, with its challenge", async () => {
  const challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
  const { refused } = fixture([errorAnswer(400, "interaction_required", { claims: challenge })]);
  const [first, second] = [await refused(), await refused()];
  assertEquals([first.name, second.name], ["InteractionRequiredAuthError", "InteractionRequiredAuthError"]);
  assertEquals("claims" in first && first.claims, challenge);
  // Without it the next sign-in would not do what the authority asks for, and the loop would go on.
  assertEquals("claims" in second && second.claims, challenge);
});

test("R-180 Z54 a success with Retry-After is never replayed", async () => {
  const answers = ["one", "two"].map((access_token) =>
    tokenAnswer({ access_token, expires_in: 60 }, { "retry-after": "600" })
  );
  const { acquire, http } = fixture(answers);
  assertEquals((await acquire()).accessToken, "one");
  assertEquals((await acquire()).accessToken, "two");
  assertEquals(http.requests.length, 2);
});

test("R-180 a cached token is handed out although its authority throttles", async () => {
  const { acquire, refused, http } = fixture([tokenAnswer(), busy(429, "60")]);
  await acquire();
  await refused({ tenantId: "other.example" });
  assertEquals([(await acquire()).tokenSource, http.requests.length], ["cache", 2]);
});

test("R-180 the credential's function is not called while throttled", async () => {
  let asked = 0;
  const one = fixture([busy(429, "9")], { clientCredential: () => `secret-${++asked}` });
  await sent(one, [{}, {}, {}]);
  assertEquals(asked, 1);
});

test("R-180 the same for a generic issuer, whose discovery is no part of it", async () => {
  const one = fixture(
    oidcScript(
      () => jsonResponse({ issuer: OIDC.oidcAuthority, token_endpoint: "https://idp.example/t" }),
      busy(429, "9"),
    ),
    OIDC,
  );
  assertEquals(await sent(one, [{}, {}]), [2, 0]);
});

/** Two applications over one httpCache; whether the second sends after the first was throttled. */
async function shares(first: Overrides, second: Overrides): Promise<boolean> {
  const clock = new FakeClock();
  const httpCache = new MemoryStore({ clock });
  await fixture([busy(429, "60")], { httpCache, ...first }, clock).refused();
  const other = fixture(() => busy(429, "60"), { httpCache, ...second }, clock);
  await other.refused();
  return other.http.requests.length === 0;
}

const fn = (secret: string) => () => secret;
const SHARING: [string, Overrides, Overrides, boolean][] = [
  ["the same client", {}, {}, true],
  ["the same client in another object, with basic", {}, { clientCredential: { clientSecret: "x" } }, false],
  ["another client id", {}, { clientId: CLIENT_ID.replace("6", "7") }, false],
  ["another secret", { clientCredential: "aaaa" }, { clientCredential: "bbbb" }, false],
  ["functions of the same client", { clientCredential: fn("aaaa") }, { clientCredential: fn("bbbb") }, true],
  ["a function and a secret", { clientCredential: fn("aaaa") }, { clientCredential: "aaaa" }, false],
  [
    "an alias of the same cloud",
    {},
    { authority: "https://login.windows.net/contoso.onmicrosoft.com" },
    true,
  ],
  ["another cloud", {}, { authority: "https://login.microsoftonline.us/contoso.onmicrosoft.com" }, false],
  ["another tenant", {}, { authority: "https://login.microsoftonline.com/fabrikam.example" }, false],
  ["another capability", {}, { clientCapabilities: ["cp1"] }, false],
];
for (const [what, first, second, shared] of SHARING) {
  test(`R-180 applications over one httpCache, ${what}: ${shared ? "throttled together" : "apart"}`, async () => {
    assertEquals(await shares(first, second), shared);
  });
}

test("R-180 applications without a common httpCache are apart", async () => {
  await fixture([busy(429, "60")]).refused();
  const other = fixture([tokenAnswer()]);
  assertEquals((await other.acquire()).accessToken, "AT");
  assert(other.app instanceof ConfidentialClientApplication);
});
