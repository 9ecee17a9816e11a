/** What an answer of the token endpoint becomes: and table B.21. */
import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import * as library from "../mod.ts";
import { type AnyAuthError, AuthError, describeAadsts, isAuthError, TokenCache } from "../mod.ts";
import { answer, CORRELATION_ID, errorAnswer, fixture, thrown, tokenAnswer } from "./support/app_fixture.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

/** The error of a call that is answered like this. */
async function errorFor(
  status: number,
  error: unknown,
  members: Record<string, unknown> = {},
): Promise<AnyAuthError> {
  return await fixture(() => jsonResponse({ error, ...members }, status)).refused({
    correlationId: CORRELATION_ID,
  });
}

/** Table B.21; where it names two classes, the first of ours counts. */
const AADSTS: [string, string][] = [
  [
    "16000 50058 50072 50074 50076 50079 50078 50089 70008 700082 700084 70043 50132 50133 50173",
    "interaction",
  ],
  ["50097 50129 53000 53001 50158 50140 50125 50055 50144 65001 700020 70000 70016", "interaction"],
  ["65004 70018 70019 90119 90120 50020 50034 51004 90072 500208 50126 50056", "user"],
  [
    "90094 90095 50105 53003 530035 530032 53011 500212 500213 50053 50057 50000 90036 90092",
    "administrator",
  ],
  ["50196 54005 501481 50147 501491 700005 901002 7000114 50013 500133 240002", "protocol"],
  [
    "50011 700016 700011 70001 7000215 7000222 7000218 700025 700027 50012 50048 90002 50059 90019",
    "configuration",
  ],
  ["900382 900432 90038 50194 9001023 90124 90130 9002332 500011 50001 65005 650057 650056", "configuration"],
  ["70011 28002 28003 700022 700023 90009 90008 700054 70005 700229 100007", "configuration"],
  ["50033 90006 90012 90024 90033 90090 50087 70012 80002 80005 90055 50166", "transient"],
];
for (const [codes, classification] of AADSTS) {
  test(`R-177 B.21 the codes ${codes.slice(0, 30)}... are ${classification}, each with a hint`, () => {
    for (const code of codes.split(" ").map(Number)) {
      const info = describeAadsts([code]);
      assertEquals(info?.classification, classification, `${code}`);
      assert((info?.hint.length ?? 0) > 5, `${code}`);
    }
  });
}

test("R-177 B.21 an app's error has class and hint of the codes that an app meets, and its message tells the hint", async () => {
  const codes = [7000215, 7000222, 700016, 90002, 500011];
  for (const code of codes) {
    const error = await errorFor(400, "invalid_request", { error_codes: [code] });
    assert("hint" in error && error.hint !== undefined, `${code}`);
    assertEquals([error.classification, error.errorCodes], [describeAadsts([code])?.classification, [code]]);
    assertStringIncludes(error.message, error.hint);
    assertStringIncludes(error.message, `AADSTS${code}`);
  }
});

test("R-177 describeAadsts takes any numbers, and finds the first that is known", () => {
  assertEquals(describeAadsts([]), undefined);
  for (const code of [0, -50058, 5, 500, 5005, 123456, 1.5, NaN, Infinity, 1e21]) {
    assertEquals(describeAadsts([code]), undefined);
  }
  assertEquals(describeAadsts([123456, 65001, 7000215])?.classification, "interaction");
});

test("R-177 the number decides hints only: error and suberror decide whether a user must act", async () => {
  const wrong = await errorFor(400, "invalid_request", { error_codes: [50076] });
  assertEquals(wrong.name, "ServerError");
  const right = await errorFor(400, "interaction_required", { error_codes: [7000215] });
  assertEquals(right.name, "InteractionRequiredAuthError");
});

const NUMBERS: [string, Record<string, unknown>, number[], string | undefined][] = [
  ["an unknown code", { error_codes: [123456] }, [123456], undefined],
  [
    "the first known code counts",
    { error_codes: [123456, 7000215, 90033] },
    [123456, 7000215, 90033],
    "configuration",
  ],
  ["not from the middle of the description", { error_description: "See AADSTS7000215: x" }, [], undefined],
  ["no number", { error_codes: ["7000215", null, {}, 1.5, NaN] }, [], undefined],
  ["no list", { error_codes: 7000215 }, [], undefined],
  ["a list without end", { error_codes: Array(5_000).fill(1) }, Array(10).fill(1), undefined],
  ["a description without end", { error_description: `AADSTS${"9".repeat(5_000)}` }, [], undefined],
  ["part of a known code", { error_codes: [5005, 500, 0, -50058] }, [5005, 500, 0, -50058], undefined],
];
for (const [what, members, codes, classification] of NUMBERS) {
  test(`R-177 error codes: ${what}`, async () => {
    const error = await errorFor(400, "invalid_request", members);
    assert("errorCodes" in error);
    assertEquals([error.errorCodes, error.classification], [
      codes,
      classification as typeof error.classification,
    ]);
  });
}

const INTERACTION: [string, string | undefined, string][] = [
  ["interaction_required", undefined, "interaction_required"],
  ["login_required", undefined, "login_required"],
  ["consent_required", undefined, "consent_required"],
  ["bad_token", undefined, "bad_token"],
  ["invalid_grant", "basic_action", "interaction_required"],
  ["invalid_grant", "additional_action", "interaction_required"],
  ["invalid_grant", "message_only", "interaction_required"],
  ["invalid_grant", "user_password_expired", "interaction_required"],
  ["invalid_grant", "consent_required", "consent_required"],
  ["invalid_grant", "bad_token", "bad_token"],
];
for (const [name, suberror, code] of INTERACTION) {
  test(`R-178 ${name} ${suberror ?? ""}: InteractionRequiredAuthError ${code}, with the claims verbatim`, async () => {
    const claims = '{"access_token": {"acrs":{"essential":true, "value":"c1"}}}';
    const error = await errorFor(400, name, { suberror, claims });
    assertInstanceOf(error, library.InteractionRequiredAuthError);
    assertEquals([error.code, error.claims, error.status, error.retryable], [
      code as typeof error.code,
      claims,
      400,
      false,
    ]);
    assert(!JSON.stringify(error).includes("acrs") && !error.message.includes("acrs"));
  });
}

for (
  const [name, suberror] of [
    ["invalid_grant", "client_mismatch"],
    ["invalid_grant", "token_expired"],
    ["Interaction_Required"],
    ["interaction_required_x"],
    ["invalid_client", "constructor"],
  ]
) {
  test(`R-178 ${name} ${suberror ?? ""} of an app needs no user`, async () => {
    assertEquals((await errorFor(400, name, { suberror })).name, "ServerError");
  });
}

const RETRYABLE: [number, unknown, boolean][] = [
  [400, "temporarily_unavailable", true],
  [400, "server_error", true],
  [503, "anything", true],
  [500, undefined, true],
  [429, undefined, true],
  [429, "invalid_request", true],
  [400, "invalid_client", false],
  [401, "invalid_client", false],
  [400, "unauthorized_client", false],
  [400, "invalid_scope", false],
  [400, "invalid_request", false],
  [400, "unsupported_grant_type", false],
  [400, "invalid_grant", false],
  [403, "access_denied", false],
  [200, "invalid_grant", false],
  // Nothing says that these may pass: no error is no server_error.
  [400, undefined, false],
  [401, undefined, false],
  [403, undefined, false],
  [404, undefined, false],
  [400, { code: "Forbidden" }, false],
  [400, "not a code", false],
];
for (const [status, name, retryable] of RETRYABLE) {
  test(`R-183 status ${status} with error ${JSON.stringify(name)}: retryable is ${retryable}`, async () => {
    const error = await errorFor(status, name);
    assert("retryable" in error);
    assertEquals([error.retryable, error.status], [retryable, status]);
  });
}

test("R-046 status 200 with an error is that error, whatever else it holds", async () => {
  const error = await errorFor(200, "invalid_grant", {
    access_token: "AT",
    token_type: "Bearer",
    expires_in: 9,
  });
  assert("error" in error);
  assertEquals([error.name, error.error, error.status], ["ServerError", "invalid_grant", 200]);
});

test("R-176 an error keeps code, status, ids and timestamp; the description apart from what is printed", async () => {
  const error = await errorFor(401, "invalid_client", {
    error_description: "AADSTS7000215: app of jane@contoso.example\r\nTrace ID: x",
    error_codes: [7000215],
    trace_id: "9f0e9a1c-0000-4a7e-8b1a-000000000001",
    timestamp: "2026-01-01 00:00:00Z",
    suberror: "x",
  });
  assertEquals(JSON.parse(JSON.stringify(error)), {
    name: "ServerError",
    code: "server_error",
    correlationId: CORRELATION_ID,
    message: error.message,
    status: 401,
    error: "invalid_client",
    errorCodes: [7000215],
    suberror: "x",
    traceId: "9f0e9a1c-0000-4a7e-8b1a-000000000001",
    timestamp: "2026-01-01 00:00:00Z",
    retryable: false,
    throttledLocally: false,
    classification: "configuration",
    hint: "hint" in error ? error.hint : "",
  });
  assertEquals(
    "errorDescription" in error && error.errorDescription,
    "AADSTS7000215: app of jane@contoso.example",
  );
  assert(!`${error.message}${error.stack}`.includes("jane@"));
  assertEquals([error.errorCode, isAuthError(error), error instanceof Error], ["server_error", true, true]);
});

test("R-009 members of the wrong type or shape are left out, not believed", async () => {
  const error = await errorFor(400, "line\nbreak", {
    suberror: ["x"],
    trace_id: "<script>",
    timestamp: "now\r\n",
    error_description: { x: 1 },
    claims: { x: 1 },
    correlation_id: "another",
  });
  assert("suberror" in error);
  assertEquals(
    [error.suberror, error.traceId, error.timestamp, error.errorDescription],
    Array(4).fill(undefined),
  );
  assertEquals([error.code, error.correlationId], ["server_error", CORRELATION_ID]);
  const long = await errorFor(400, "invalid_grant", { error_description: "x".repeat(100_000) });
  assertEquals("errorDescription" in long && long.errorDescription?.length, 500);
});

test("R-176 a correlation id is on every error of a call, made up where the caller gave none", async () => {
  for (
    const script of [[errorAnswer(400, "x")], [new TypeError("a"), new TypeError("b")], [answer(302, null)]]
  ) {
    const { refused, events } = fixture(script);
    const error = await refused();
    assert(/^[0-9a-f-]{36}$/.test(error.correlationId ?? ""), error.code);
    assertEquals(events.find(({ type }) => type === "token_failed")?.correlationId, error.correlationId);
  }
});

const NO_TOKEN: [string, Record<string, unknown>, string][] = [
  ["R-041 no access_token", { access_token: undefined }, "access_token"],
  ["R-041 an empty access_token", { access_token: "" }, "access_token"],
  ["R-041 access_token null", { access_token: null }, "access_token"],
  ["R-041 access_token a number", { access_token: 5 }, "access_token"],
  ["R-041 access_token a list", { access_token: ["AT"] }, "access_token"],
  ["R-041 access_token an object", { access_token: { toString: "AT" } }, "access_token"],
  ["R-042 no token_type", { token_type: undefined }, "token_type"],
  ["R-042 an empty token_type", { token_type: "" }, "token_type"],
  ["R-042 token_type null", { token_type: null }, "token_type"],
  ["R-042 token_type mac", { token_type: "mac" }, "token_type"],
  ["R-042 token_type DPoP that nobody asked for", { token_type: "DPoP" }, "token_type"],
  ["R-042 token_type pop", { token_type: "pop" }, "token_type"],
  ["R-042 token_type of two", { token_type: "Bearer DPoP" }, "token_type"],
  ["R-042 token_type a list", { token_type: ["Bearer"] }, "token_type"],
];
for (const [what, members, named] of NO_TOKEN) {
  test(`${what}: invalid_response that names ${named}, nothing is cached`, async () => {
    const tokenCache = new TokenCache();
    const { refused } = fixture([tokenAnswer({ access_token: "canary-AT", ...members })], { tokenCache });
    const error = await refused();
    assertEquals([error.name, error.code, tokenCache.size], ["ServerError", "invalid_response", 0]);
    assertStringIncludes(error.message, named);
    assert(!error.message.includes("canary-AT"));
  });
}

for (const token_type of ["Bearer", "bearer", "bEARER", "BEARER"]) {
  test(`R-042 token_type ${token_type} is accepted, and told as Bearer`, async () => {
    assertEquals((await fixture([tokenAnswer({ token_type })]).acquire()).tokenType, "Bearer");
  });
}

/** What the answer says, as JSON text, and how long the token counts in seconds. */
const LIFETIMES: [string, number][] = [
  ['"expires_in":3600', 3600],
  ['"expires_in":"3600"', 3600],
  ['"expires_in":" 3600 "', 3600],
  ['"expires_in":3599.9', 3599],
  ['"expires_in":"3599.9"', 3599],
  ['"expires_in":0', 0],
  ['"expires_in":-5', 0],
  ['"expires_in":"-5"', 0],
  ['"expires_in":-1e309', 0],
  ['"expires_in":1e309', 86_400],
  ['"expires_in":1e20', 86_400],
  ['"expires_in":86401', 86_400],
  [`"expires_in":"${"9".repeat(400)}"`, 86_400],
  ['"expires_in":"abc"', 600],
  ['"expires_in":""', 600],
  ['"expires_in":"1e9"', 600],
  ['"expires_in":"0x10"', 600],
  ['"expires_in":"NaN"', 600],
  ['"expires_in":"Infinity"', 600],
  ['"expires_in":null', 600],
  ['"expires_in":true', 600],
  ['"expires_in":[3600]', 600],
  ['"expires_in":{}', 600],
  ['"x":1', 600],
  ['"expires_on":1767229200', 3600],
  ['"expires_on":"1767229200"', 3600],
  ['"expires_on":1', 0],
];
for (const [members, seconds] of LIFETIMES) {
  test(`R-043 ${members.slice(0, 40)}: the token counts for ${seconds} s`, async () => {
    const { acquire, clock } = fixture([
      answer(200, `{"access_token":"AT","token_type":"Bearer",${members}}`),
    ]);
    const { expiresOn } = await acquire();
    assertEquals((expiresOn.getTime() - clock.now()) / 1000, seconds);
  });
}

const OTHER_TIMES = [
  "-1e309",
  "1e309",
  "-5",
  '"abc"',
  "null",
  "true",
  "[]",
  "1e18",
  "-1e18",
  '"60"',
  '"-9e99"',
  `"-${"9".repeat(400)}"`,
];
for (const value of OTHER_TIMES) {
  test(`R-043 refresh_in and ext_expires_in ${value.slice(0, 20)}: no date is invalid, none is later than a day`, async () => {
    const body =
      `{"access_token":"AT","token_type":"Bearer","expires_in":3600,"refresh_in":${value},"ext_expires_in":${value}}`;
    const tokenCache = new TokenCache();
    const { acquire, clock } = fixture([answer(200, body)], { tokenCache });
    const { refreshOn, extendedExpiresOn } = await acquire();
    const latest = clock.now() + 86_400_000;
    for (const date of [refreshOn, extendedExpiresOn]) {
      if (date !== undefined) assert(date.getTime() <= latest, String(date));
    }
    assert(!/Infinity|NaN/.test(tokenCache.serialize()));
  });
}

test("R-043 R-052 extendedExpiresOn is never before expiresOn, and is not told where the answer does not have it", async () => {
  const named = await fixture([tokenAnswer({ ext_expires_in: 7200 })]).acquire();
  assertEquals(named.extendedExpiresOn?.getTime(), named.expiresOn.getTime() + 3_600_000);
  for (const members of [{}, { ext_expires_in: 0 }, { ext_expires_in: 60 }, { ext_expires_in: "x" }]) {
    const { expiresOn, extendedExpiresOn } = await fixture([tokenAnswer(members)]).acquire();
    assert(extendedExpiresOn === undefined || extendedExpiresOn >= expiresOn, JSON.stringify(members));
  }
});

test("R-047 a lifetime counts from when its request started, not from when the answer came", async () => {
  const { app, clock } = fixture([
    () => new Promise<Response>((resolve) => clockOf().setTimeout(() => resolve(tokenAnswer()()), 9_000)),
  ]);
  function clockOf() {
    return clock;
  }
  const started = clock.now();
  const call = app.acquireTokenForClient({ scopes: ["x/.default"] });
  await clock.advance(9_000);
  assertEquals((await call).expiresOn.getTime(), started + 3_600_000);
});

// The row of MSAL Python: a token counts while more than 300 s are left.
for (
  const [seconds, source] of [[299, "identity_provider"], [300, "identity_provider"], [301, "cache"], [
    302,
    "cache",
  ]] as const
) {
  test(`R-047 Z20 a token with ${seconds} s left: the second call is served by ${source}`, async () => {
    const { acquire } = fixture(() => tokenAnswer({ expires_in: seconds }));
    await acquire();
    assertEquals((await acquire()).tokenSource, source);
  });
}

test("R-185 R-186 the hierarchy: every class is an AuthError with MSAL's name, and carries the brand", async () => {
  for (
    const name of [
      "ClientAuthError",
      "ClientConfigurationError",
      "InteractionRequiredAuthError",
      "NetworkError",
      "ServerError",
      "CacheError",
    ]
  ) {
    const made = (library as unknown as Record<string, { prototype: unknown }>)[name];
    assert(made?.prototype instanceof AuthError, name);
  }
  const error = await errorFor(400, "x");
  assertEquals([error.name, Object.prototype.toString.call(error)], ["ServerError", "[object Error]"]);
  for (const foreign of [undefined, null, "x", 5, {}, new Error("x"), { name: "AuthError", code: "x" }]) {
    assertEquals(isAuthError(foreign), false);
  }
  assertEquals(isAuthError(thrown(() => fixture([], { clientId: "" }))), true);
});
