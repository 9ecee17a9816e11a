/** What is kept between the beginning of a sign-in and its answer, row L1. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type AuthCodeFlow,
  openAuthCodeFlow,
  readAuthCodeFlow,
  sealAuthCodeFlow,
} from "../src/request/auth_code_flow.ts";
import { createSealer } from "../src/crypto/seal.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const SECRET = "kX9v2Qm7Lr4Tz8Wn1Bc6Yd3Hf5Jg0PsA";
const OLD = "Zq3Vw8Ex1Rt6Yb9Un4Im7Op2Al5Sk0Dj";
const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/** A flow as most are. */
const FLOW: AuthCodeFlow = {
  version: 1,
  authUri:
    `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/authorize?client_id=6731de76&scope=openid`,
  state: "mZ0J3c5Q1rV7tX9yB2dF4h",
  nonce: "aS1dF2gH3jK4lZ5xC6vB7n",
  codeVerifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  redirectUri: "https://portal.contoso.com/auth/callback",
  scopes: ["User.Read", "Mail.Read", "offline_access", "openid", "profile"],
  clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
  authority: `https://login.microsoftonline.com/${TENANT}`,
  issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  appState: "/reports/2026?tab=all",
  correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c",
  expiresAt: 1_795_000_600,
};
const FULL: AuthCodeFlow = {
  ...FLOW,
  claims: '{"id_token":{"auth_time":{"essential":true}}}',
  maxAge: 0,
  responseMode: "form_post",
};
const { issuer: _issuer, appState: _appState, ...LEAST } = FLOW;

test("a flow is read as it was kept, as JSON or in memory, and nothing else of it", () => {
  for (const flow of [FLOW, FULL, LEAST]) {
    assertEquals(readAuthCodeFlow(flow), flow);
    assertEquals(readAuthCodeFlow(JSON.parse(JSON.stringify(flow))), flow);
    const more = JSON.parse(`{"__proto__":{"polluted":1},"more":1,${JSON.stringify(flow).slice(1)}`);
    assertEquals(readAuthCodeFlow(more), flow);
  }
  assertEquals(({} as { polluted?: unknown }).polluted, undefined);
});

test("a flow that was read does not change with the one that was given", () => {
  const scopes = ["a"];
  const given = { ...FLOW, scopes };
  const read = readAuthCodeFlow(given);
  scopes.push("b");
  given.state = "other";
  assertEquals([read.scopes, read.state], [["a"], FLOW.state]);
});

/** What is no flow. */
const NONE: Readonly<Record<string, unknown>> = {
  "undefined (R-032)": undefined,
  "null": null,
  "an empty object (L1)": {},
  "a text": JSON.stringify(FLOW),
  "a number": 1,
  "a list": [FLOW],
  "a Map": new Map(Object.entries(FLOW)),
  "a getter that throws": {
    ...FLOW,
    get state(): string {
      throw new Error(FLOW.codeVerifier);
    },
  },
  "a proxy that throws": new Proxy(FLOW, {
    ownKeys: () => {
      throw new Error(FLOW.codeVerifier);
    },
  }),
  "scopes that throw": {
    ...FLOW,
    scopes: new Proxy([], {
      get: () => {
        throw new Error(FLOW.codeVerifier);
      },
    }),
  },
  "inherited members": Object.create(FLOW),
};
/** What a member of a flow is not. */
const MEMBERS: readonly [keyof AuthCodeFlow, ...unknown[]][] = [
  ["version", undefined, 0, 2, "1", null],
  ["authUri", undefined, null, 1],
  ["state", undefined, null, "", 1, ["x"]],
  ["nonce", undefined, null, "", {}],
  ["codeVerifier", undefined, "", "short", "x".repeat(129), `${FLOW.codeVerifier}=`, [FLOW.codeVerifier]],
  ["redirectUri", undefined, "", 1],
  ["scopes", undefined, "a b", [1], [""], {}, [["a"]]],
  ["clientId", undefined, ""],
  ["authority", undefined, ""],
  ["issuer", null, "", 1],
  ["claims", null, {}],
  ["maxAge", null, -1, "60", NaN, 1.5],
  ["responseMode", null, "fragment", ["query"]],
  ["appState", null, {}, 5],
  ["correlationId", undefined, null],
  ["expiresAt", undefined, null, NaN, Infinity, "1795000600"],
];
const members = MEMBERS.flatMap(([name, ...values]) =>
  values.map((
    value,
  ): [string, unknown] => [`${name} ${JSON.stringify(value)} ${value}`, { ...FLOW, [name]: value }])
);
for (const [name, value] of [...Object.entries(NONE), ...members]) {
  test(`no flow: ${name}`, () => {
    const error = thrown(() => readAuthCodeFlow(value));
    assertEquals([error.code, "option" in error && error.option], ["invalid_request", "flow"]);
    assert(!error.message.includes(FLOW.codeVerifier) && error.cause === undefined);
  });
}

test("R-028 a flow comes back from its seal but for authUri, with any of the secrets", async () => {
  for (const flow of [FLOW, FULL, LEAST]) {
    const sealed = await sealAuthCodeFlow(flow, OLD);
    assertEquals(await openAuthCodeFlow(sealed, [SECRET, OLD]), { ...flow, authUri: "" });
  }
});

test("R-133 R-191 a sealed flow is below 1 kB, fits a cookie as it is, and hides everything", async () => {
  const sealed = await sealAuthCodeFlow(FLOW, SECRET);
  assertLess(sealed.length, 1_000);
  assertMatch(sealed, /^[\w.-]+$/);
  for (const text of Object.values(FLOW)) assert(!sealed.includes(String(text)) || text === 1);
});

test("R-133 a flow that is too large for a cookie is refused, and the error says what to shorten", async () => {
  const error = await failure(sealAuthCodeFlow({ ...FLOW, appState: "x".repeat(2_500) }, SECRET));
  assertEquals([error.code, "option" in error && error.option], ["invalid_request", "flow"]);
  for (const text of ["appState", "claims"]) assertStringIncludes(error.message, text);
  assertLess(error.message.length, 300);
  const sealed = await sealAuthCodeFlow({ ...FLOW, appState: "x".repeat(2_000) }, SECRET);
  assertLess(sealed.length, 3_801);
});

test("R-175 a flow is sealed with a good secret or not at all", async () => {
  for (const secret of ["", "short", "undefined", undefined, []]) {
    const error = await failure(sealAuthCodeFlow(FLOW, secret as string));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", "secret"]);
    assertEquals((await failure(openAuthCodeFlow("", secret as string))).code, "invalid_option");
  }
  assertEquals((await failure(sealAuthCodeFlow({} as AuthCodeFlow, SECRET))).code, "invalid_request");
});

/** What a cookie may hold that is no flow of this application. */
const FOREIGN: Readonly<Record<string, (sealed: string) => unknown>> = {
  "nothing (R-032)": () => undefined,
  "an empty text": () => "",
  "plain JSON": () => JSON.stringify(FLOW),
  "the beginning": (sealed) => sealed.slice(0, 500),
  "a changed character": (sealed) =>
    sealed.slice(0, 40) + (sealed[40] === "A" ? "B" : "A") + sealed.slice(41),
  "another version": (sealed) => `2${sealed.slice(1)}`,
  "junk": () => "junk",
};
for (const [name, change] of Object.entries(FOREIGN)) {
  test(`R-132 a flow is not opened from ${name}`, async () => {
    const sealed = await sealAuthCodeFlow(FLOW, SECRET);
    const error = await failure(openAuthCodeFlow(change(sealed) as string, SECRET));
    assertEquals([error.name, error.code], ["ClientAuthError", "auth_flow_mismatch"]);
  });
}

test("R-132 a flow is not opened with another secret, nor what was sealed for something else", async () => {
  const sealed = await sealAuthCodeFlow(FLOW, SECRET);
  assertEquals((await failure(openAuthCodeFlow(sealed, OLD))).code, "auth_flow_mismatch");
  const session = await createSealer(SECRET, "session", "secret").seal(JSON.stringify(FLOW), "");
  assertEquals((await failure(openAuthCodeFlow(session, SECRET))).code, "auth_flow_mismatch");
});

test("R-196 whatever was kept, it is a flow or an error of the library", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(FULL)));
  const kept = fc.oneof(
    fc.anything(),
    fc.dictionary(fc.constantFrom(...Object.keys(FULL), "__proto__"), value).map((some) => ({
      ...FULL,
      ...some,
    })),
  );
  fc.assert(fc.property(kept, (value) => {
    try {
      assertEquals(readAuthCodeFlow(value).version, 1);
    } catch (error) {
      assertEquals((error as { code?: string }).code, "invalid_request");
    }
  }));
});
