/** The `claims` parameter: R-195, and rows A18 to A22, K1 to K10 of MSAL Python's catalogue. */
import { assert, assertEquals } from "@std/assert";
import { fc } from "./support/property.ts";
import type { ClaimsRequest, ClientCredentialRequest } from "../mod.ts";
import { mergeClaims } from "../src/request/claims.ts";
import { failure, fixture, type Overrides, settle, thrown, tokenAnswer } from "./support/app_fixture.ts";
import { test } from "./support/suite.ts";

const CHALLENGE = '{"id_token": {"auth_time": {"essential": true}}}';
const XMS_CC = { xms_cc: { values: ["foo", "bar"] } };

/** The `claims` of the request that these make. */
async function sentClaims(
  request: Partial<ClientCredentialRequest>,
  overrides: Overrides = {},
): Promise<string | null> {
  const { acquire, http } = fixture([tokenAnswer()], overrides);
  await acquire(request);
  return http.requests[0]!.form.get("claims");
}

const NBF = { essential: true, value: "1563308371" };
const ROWS: [string, Partial<ClientCredentialRequest>, readonly string[], unknown][] = [
  ["A18 challenge and capabilities", { claims: CHALLENGE }, ["foo", "bar"], {
    id_token: { auth_time: { essential: true } },
    access_token: XMS_CC,
  }],
  ["A19 nbf is kept beside xms_cc", { claims: { access_token: { nbf: NBF } } }, ["foo", "bar"], {
    access_token: { nbf: NBF, ...XMS_CC },
  }],
  ["A20 a challenge alone", { claims: CHALLENGE }, [], JSON.parse(CHALLENGE)],
  ["A21 capabilities alone", {}, ["foo", "bar"], { access_token: XMS_CC }],
  ["A22 neither", {}, [], null],
  // MSAL Python overwrites the whole of xms_cc; here what it says beside its values stays.
  [
    "A18 a challenge that has xms_cc",
    { claims: { access_token: { xms_cc: { values: ["x"], essential: true } } } },
    ["foo", "bar"],
    {
      access_token: { xms_cc: { values: ["foo", "bar"], essential: true } },
    },
  ],
  ["A18 access_token null", { claims: { access_token: null, a: 1 } }, ["foo", "bar"], {
    access_token: XMS_CC,
    a: 1,
  }],
  ["A18 access_token a list", { claims: { access_token: [1] } }, ["foo", "bar"], { access_token: XMS_CC }],
  ["K5 forwarded claims alone", { forwardedClientClaims: { a: 1 } }, [], { a: 1 }],
  [
    "K7 forwarded beside xms_cc",
    { forwardedClientClaims: { access_token: { xms_az_nwperimid: { essential: true } } } },
    ["foo", "bar"],
    {
      access_token: { ...XMS_CC, xms_az_nwperimid: { essential: true } },
    },
  ],
  [
    "K8 acrs of both: the forwarded one wins",
    {
      claims: { access_token: { acrs: { essential: true, value: "c1" } } },
      forwardedClientClaims: { access_token: { acrs: { value: "c2" } } },
    },
    [],
    { access_token: { acrs: { essential: true, value: "c2" } } },
  ],
  [
    "K8 forwarded claims are merged last, over the capabilities",
    { forwardedClientClaims: { access_token: { xms_cc: { values: ["own"] } } } },
    ["foo", "bar"],
    {
      access_token: { xms_cc: { values: ["own"] } },
    },
  ],
  ["K8 lists are replaced, not joined", { claims: { a: [1, 2] }, forwardedClientClaims: { a: [3] } }, [], {
    a: [3],
  }],
  [
    "K8 an object over a text, a text over an object",
    { claims: { a: "x", b: { c: 1 } }, forwardedClientClaims: { a: { c: 1 }, b: "x" } },
    [],
    {
      a: { c: 1 },
      b: "x",
    },
  ],
  ["K8 null over an object", { claims: { a: { b: 1 } }, forwardedClientClaims: { a: null } }, [], {
    a: null,
  }],
];
for (const [name, request, clientCapabilities, expected] of ROWS) {
  test(`R-195 ${name}`, async () => {
    const sent = await sentClaims(request, { clientCapabilities });
    assertEquals(JSON.parse(sent ?? "null"), expected);
  });
}

test("R-195 A20 a challenge that nothing is added to is sent verbatim, spaces and order included", async () => {
  for (const text of [CHALLENGE, '{ "b":1,\n"a":1e2, "b":"\\u0041" }', "{}"]) {
    assertEquals(await sentClaims({ claims: text }), text);
  }
});

test("R-195 what is merged keeps the order of the challenge", async () => {
  const sent = await sentClaims({ claims: '{"z":1,"access_token":{"y":1,"b":2},"a":3}' }, {
    clientCapabilities: ["cp1"],
  });
  assertEquals(sent, '{"z":1,"access_token":{"y":1,"b":2,"xms_cc":{"values":["cp1"]}},"a":3}');
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const WRONG: readonly [string, unknown][] = [
  ["K2 no JSON", "canary-not json"],
  ["K2 a list", "[1, 2]"],
  ["K2 null", "null"],
  ["K2 a number", "123"],
  ["K2 a text", '"canary"'],
  ["K2 true", "true"],
  ["K3 the value 123", 123],
  ["K3 the value null", null],
  ["K3 the value 1.5", 1.5],
  ["K3 the value true", true],
  ["K3 a list value", ["canary"]],
  ["an empty text", ""],
  ["truncated JSON", '{"canary":'],
  ["two objects", '{"canary":1}{}'],
  ["a function", () => "canary"],
  ["a symbol", Symbol("canary")],
  ["a bigint", { canary: 1n }],
  ["a bigint itself", 5n],
  ["a Date", new Date(0)],
  ["a cycle", cyclic],
  ["toJSON that throws", { toJSON: () => fail("canary") }],
  ["toJSON that gives undefined", { toJSON: () => undefined }],
  ["a getter that throws", Object.defineProperty({}, "x", { enumerable: true, get: () => fail("canary") })],
  ["a text too long", JSON.stringify({ canary: "x".repeat(32_768) })],
  ["an object too large", { canary: "x".repeat(32_768) }],
  ["lists nested 30000 deep", "[".repeat(30_000)],
];

function fail(text: string): never {
  throw new Error(text);
}

for (const [what, claims] of WRONG) {
  for (const name of ["claims", "forwardedClientClaims"] as const) {
    test(`R-195 ${name}, ${what}: invalid_claims that names it and does not repeat it, and nothing is sent`, async () => {
      const { refused, http } = fixture([], { clientCapabilities: ["cp1"] });
      const error = await refused({ [name]: claims as ClaimsRequest });
      assertEquals([error.code, "option" in error && error.option, http.requests.length], [
        "invalid_claims",
        name,
        0,
      ]);
      assert(!/canary|JSON at|position|Unexpected/.test(`${error.message} ${error.stack}`));
    });
  }
}

/** Objects in objects, as many as fit into the text that is allowed. */
const BOMB = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;

test("R-195 a depth bomb on both sides of the merge is sent, or is invalid_claims; the process lives", async () => {
  for (
    const request of [{ claims: BOMB }, { forwardedClientClaims: BOMB }, {
      claims: BOMB,
      forwardedClientClaims: BOMB,
    }]
  ) {
    const { app, clock } = fixture(() => tokenAnswer(), { clientCapabilities: ["cp1"] });
    const call = settle(clock, app.acquireTokenForClient({ scopes: ["x/.default"], ...request }));
    const outcome = await call.then(() => "sent", (error) => error.code);
    assert(["sent", "invalid_claims"].includes(outcome), outcome);
  }
});

const POLLUTION = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"access_token":{"__proto__":{"polluted":true}}}',
  '{"a":{"__proto__":{"__proto__":{"polluted":true}}}}',
];
for (const text of POLLUTION) {
  test(`R-195 R-188 ${text} pollutes nothing, and is sent as the data it is`, async () => {
    const sent = await sentClaims({ claims: text, forwardedClientClaims: text }, {
      clientCapabilities: ["cp1"],
    });
    assertEquals(({} as Record<string, unknown>).polluted, undefined);
    assertEquals(([] as unknown as Record<string, unknown>).polluted, undefined);
    assert(sent!.includes('"polluted":true'));
    assertEquals(sent!.includes("__proto__"), text.includes("__proto__"));
  });
}

test("R-195 inherited members of an object are no claims", async () => {
  const claims = Object.assign(Object.create({ inherited: 1 }), { own: 1 });
  assertEquals(await sentClaims({ claims }), '{"own":1}');
});

test("R-195 what is merged is merge(merge(challenge, capabilities), forwarded), for any JSON", () => {
  const object = fc.dictionary(
    fc.constantFrom("a", "b", "access_token", "xms_cc", "__proto__"),
    fc.jsonValue({ maxDepth: 3 }),
  );
  fc.assert(
    fc.property(object, object, (challenge, forwarded) => {
      const before = JSON.stringify([challenge, forwarded]);
      const merged = JSON.parse(mergeClaims(challenge, ["cp1"], forwarded)!);
      assertEquals(JSON.stringify([challenge, forwarded]), before);
      const names = new Set([...Object.keys(challenge), ...Object.keys(forwarded), "access_token"]);
      assertEquals(Object.keys(merged).sort(), [...names].sort());
      for (const [name, value] of Object.entries(forwarded)) {
        if (typeof value !== "object" || value === null) {
          assertEquals(JSON.stringify(merged[name]), JSON.stringify(value));
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("R-195 K6 nothing merged with nothing is nothing", () => {
  assertEquals(mergeClaims(undefined), undefined);
  assertEquals(mergeClaims(undefined, []), undefined);
  assertEquals(thrown(() => mergeClaims("")).code, "invalid_claims");
});

test("K10 E12 claims pass the cache by; forwarded claims are part of what a cached token is for", async () => {
  let count = 0;
  const { acquire, http } = fixture(() => tokenAnswer({ access_token: `AT${++count}` })());
  const source = async (request: Partial<ClientCredentialRequest>) => (await acquire(request)).accessToken;
  assertEquals(await source({ forwardedClientClaims: '{"a":1}' }), "AT1");
  assertEquals(await source({ forwardedClientClaims: '{"a":1}' }), "AT1");
  assertEquals(await source({ forwardedClientClaims: { a: 1 } }), "AT1");
  assertEquals(await source({ forwardedClientClaims: '{"a":2}' }), "AT2");
  assertEquals(await source({}), "AT3");
  assertEquals(await source({ claims: CHALLENGE }), "AT4");
  assertEquals(await source({ claims: CHALLENGE }), "AT5");
  assertEquals(await source({}), "AT5");
  assertEquals(http.requests.map(({ form }) => form.has("client_claims")), Array(5).fill(false));
});

test("R-195 clientCapabilities that are no list of texts are refused", () => {
  for (const clientCapabilities of ["cp1", [""], [null], {}, null]) {
    const error = thrown(() => fixture([], { clientCapabilities: clientCapabilities as string[] }));
    assertEquals("option" in error && error.option, "clientCapabilities");
  }
});

test("R-195 callers with the same challenge at the same time share a request, others do not", async () => {
  const { app, clock, http } = fixture(() => tokenAnswer());
  const ask = (claims?: ClaimsRequest) => app.acquireTokenForClient({ scopes: ["x/.default"], claims });
  await settle(clock, Promise.all([ask(CHALLENGE), ask(CHALLENGE), ask('{"a":1}'), ask()]));
  assertEquals(http.requests.length, 3);
  await settle(clock, failure(ask("x")));
});
