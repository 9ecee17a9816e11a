/** What an answer is held against, rows L1, L2, RFC 9207. */
import { assertEquals, assertFalse, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { InteractionRequiredAuthError, ServerError } from "../mod.ts";
import { checkAuthorizationResponse, type ExpectedAnswer } from "../src/token/authorization_answer.ts";
import { failure } from "./support/app_fixture.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const STATE = "cAnArY-state-0123456789";
const NONCE = "cAnArY-nonce-0123456789";
const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const HOST = "https://login.microsoftonline.com";
const ISSUER = `${HOST}/${TENANT}/v2.0`;
const TEMPLATE = `${HOST}/{tenantid}/v2.0`;
const CORRELATION_ID = "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c";
const EXPECTED: ExpectedAnswer = {
  state: STATE,
  issuer: () => Promise.resolve({ issuer: ISSUER, issParameterSupported: false }),
  host: "login.microsoftonline.com",
  correlationId: CORRELATION_ID,
  secrets: [NONCE],
};

/** Another issuer, or one that promises `iss`. */
const issued = (issuer: string, issParameterSupported = true): Partial<ExpectedAnswer> => ({
  issuer: () => Promise.resolve({ issuer, issParameterSupported }),
});

const check = (answer: Record<string, string>, expected: Partial<ExpectedAnswer> = {}) =>
  checkAuthorizationResponse(new Map(Object.entries(answer)), { ...EXPECTED, ...expected });

test("a good answer gives its code, and client_info where there is one", async () => {
  assertEquals(await check({ state: STATE, code: "C" }), { code: "C", clientInfo: undefined });
  assertEquals(await check({ state: STATE, code: "C", client_info: "I", session_state: "x" }), {
    code: "C",
    clientInfo: "I",
  });
});

/** What is wrong with an answer, whatever else it holds: the error's code, the answer, what was expected. */
const REFUSED: Readonly<Record<string, [string, Record<string, string>, Partial<ExpectedAnswer>?]>> = {
  "R-031 no state": ["state_not_found", { code: "C" }],
  "R-031 an empty state": ["state_not_found", { code: "C", state: "" }],
  "L1 a flow without a state": ["state_not_found", { code: "C", state: STATE }, { state: "" }],
  "R-032 neither has a state": ["state_not_found", { code: "C", state: "" }, { state: "" }],
  "L2 another state": ["state_mismatch", { state: "2" }, { state: "1" }],
  "R-031 another state with a code": ["state_mismatch", { code: "C", state: "other" }],
  "R-031 the beginning of the state": ["state_mismatch", { code: "C", state: STATE.slice(0, -1) }],
  "R-031 more than the state": ["state_mismatch", { code: "C", state: `${STATE}x` }],
  "R-031 the state in another case": ["state_mismatch", { code: "C", state: STATE.toLowerCase() }],
  "R-039 an error without a state": ["state_not_found", { error: "access_denied", error_description: "D" }],
  "R-039 an error with another state": ["state_mismatch", { error: "access_denied", state: "x" }],
  "R-035 another issuer": ["issuer_mismatch", { code: "C", state: STATE, iss: `${HOST}/evil/v2.0` }],
  "R-035 an empty issuer": ["issuer_mismatch", { code: "C", state: STATE, iss: "" }],
  "R-035 a slash more": ["issuer_mismatch", { code: "C", state: STATE, iss: `${ISSUER}/` }],
  "R-035 no issuer, though promised": [
    "issuer_mismatch",
    { code: "C", state: STATE },
    issued(ISSUER),
  ],
  "R-035 another issuer's error": [
    "issuer_mismatch",
    { error: "access_denied", state: STATE, iss: "https://evil.example" },
  ],
  "neither code nor error": ["invalid_auth_response", { state: STATE }],
  "an empty code": ["invalid_auth_response", { state: STATE, code: "" }],
};
for (const [name, [code, answer, expected]] of Object.entries(REFUSED)) {
  test(`an answer is refused: ${name}`, async () => {
    const error = await failure(check(answer, expected));
    assertEquals([error.name, error.code, error.correlationId], ["ClientAuthError", code, CORRELATION_ID]);
    assertFalse(JSON.stringify([error.message, error]).match(/cAnArY|evil|access_denied/)?.[0]);
  });
}

/** Which `iss` belongs to which issuer. */
const ISSUERS: readonly [string, string, boolean][] = [
  [ISSUER, ISSUER, true],
  [ISSUER, TEMPLATE, true],
  [`${HOST}/${TENANT.toUpperCase()}/v2.0`, TEMPLATE, true],
  [TEMPLATE, TEMPLATE, false],
  [`${HOST}//v2.0`, TEMPLATE, false],
  [`${HOST}/v2.0`, TEMPLATE, false],
  [`${HOST}/contoso.com/v2.0`, TEMPLATE, false],
  [`${HOST}/common/v2.0`, TEMPLATE, false],
  [`${HOST}/${TENANT}/v1.0`, TEMPLATE, false],
  [`${HOST}/${TENANT}`, TEMPLATE, false],
  [`${HOST}/${TENANT}/x/v2.0`, TEMPLATE, false],
  [`${HOST}.evil.example/${TENANT}/v2.0`, TEMPLATE, false],
  [`https://evil.example/${TENANT}/v2.0`, TEMPLATE, false],
  [`${HOST}/${TENANT}\n/v2.0`, TEMPLATE, false],
  [`${HOST}/72f988bf86f141af91ab2d7cd011db47----/v2.0`, TEMPLATE, false],
];
for (const [iss, issuer, fits] of ISSUERS) {
  test(`R-035 iss ${JSON.stringify(iss)} ${fits ? "fits" : "does not fit"} ${issuer}`, async () => {
    const answer = check({ code: "C", state: STATE, iss }, issued(issuer));
    if (fits) assertEquals((await answer).code, "C");
    else assertEquals((await failure(answer)).code, "issuer_mismatch");
  });
}

for (const error of ["interaction_required", "login_required", "consent_required"] as const) {
  test(`R-038 ${error} asks for the user`, async () => {
    const refused = await failure(
      check({ state: STATE, iss: ISSUER, error, error_description: "AADSTS50058: x" }),
    );
    assertInstanceOf(refused, InteractionRequiredAuthError);
    assertEquals([refused.code, refused.error, refused.errorCodes, refused.status], [
      error,
      error,
      [50058],
      0,
    ]);
    assertEquals(refused.correlationId, CORRELATION_ID);
  });
}

/** Other errors, and whether the same may succeed later. */
const ERRORS: Readonly<Record<string, [string, boolean]>> = {
  access_denied: ["server_error", false],
  invalid_request: ["server_error", false],
  unauthorized_client: ["server_error", false],
  invalid_scope: ["server_error", false],
  unsupported_response_type: ["server_error", false],
  account_selection_required: ["server_error", false],
  server_error: ["server_error", true],
  temporarily_unavailable: ["server_error", true],
};
for (const [error, [code, retryable]] of Object.entries(ERRORS)) {
  test(`R-038 ${error} is a ServerError`, async () => {
    const refused = await failure(check({ state: STATE, error }));
    assertInstanceOf(refused, ServerError);
    assertEquals([refused.code, refused.error, refused.retryable], [code, error, retryable]);
  });
}

test("R-038 an error wins over a code", async () => {
  assertEquals(
    (await failure(check({ state: STATE, code: "C", error: "access_denied" }))).code,
    "server_error",
  );
});

test("R-038 an error that is no word is kept out of the message", async () => {
  for (const error of ["<script>alert(1)</script>", "", "a b", "x".repeat(65)]) {
    const refused = await failure(check({ state: STATE, error }));
    assertInstanceOf(refused, ServerError);
    assertFalse(refused.message.includes("script") || refused.error.includes(" "));
  }
});

test("R-170 R-173 the description is kept aside: not in the message nor in JSON, secrets removed", async () => {
  const error_description = `AADSTS65004: user@contoso.com declined <b>; ${STATE} ${NONCE}\r\nTrace ID: x`;
  const refused = await failure(check({ state: STATE, error: "access_denied", error_description }));
  assertInstanceOf(refused, ServerError);
  assertEquals(refused.errorDescription, "AADSTS65004: user@contoso.com declined <b>; [redacted] [redacted]");
  assertFalse(/user@contoso|cAnArY/.test(refused.message + JSON.stringify(refused) + refused.stack));
  assertStringIncludes(refused.message, "access_denied (AADSTS65004)");
  assertFalse(Object.keys(refused).includes("errorDescription"));
});

test("R-031 R-196 whatever the state, only the flow's own is good", async () => {
  const state = fc.string({ unit: "grapheme" });
  await fc.assert(
    fc.asyncProperty(state, state, async (given, own) => {
      const good = given === own && own !== "";
      const outcome = await check({ state: given, code: "C" }, { state: own }).then(() => true, () => false);
      assertEquals(outcome, good);
    }),
    { numRuns: 200 },
  );
});

test("an answer that is not this flow's costs no look at the issuer", async () => {
  let asked = 0;
  const issuer = () => {
    asked++;
    return Promise.reject(new Error("not to be asked"));
  };
  for (const answer of [{ code: "C" }, { code: "C", state: "x" }] as Record<string, string>[]) {
    await failure(check(answer, { issuer }));
  }
  assertEquals(asked, 0);
});
