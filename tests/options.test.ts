/** Bad options and bad requests: an error of the library that names the option, never anything else. */
import { assert, assertEquals } from "@std/assert";
import { fc } from "./support/property.ts";
import {
  type ClientCredentialRequest,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  isAuthError,
  MemoryStore,
  PublicClientApplication,
  type RemoveTokensRequest,
  TokenCache,
} from "../mod.ts";
import {
  AUTHORITY,
  CLIENT_ID,
  failure,
  fixture,
  ISSUER,
  OIDC,
  type Overrides,
  SCOPE,
  SECRET,
  settle,
  TENANT,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import type { ScriptedFetch } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const noop = (): void => {};
const NUMBERS: readonly unknown[] = [NaN, Infinity, -Infinity, -1, 0, 0.5, 2_147_483_648, "5", true, 5n];
const show = (value: unknown): string => {
  if (typeof value === "object" && value !== null) {
    return JSON.stringify(value, (_, v) => typeof v === "bigint" ? `${v}n` : v);
  }
  return typeof value === "function" ? "a function" : String(value);
};

const BAD: [option: string, values: readonly unknown[]][] = [
  ["clientId", [undefined, null, "", " ", "a b", "a\n", "é", "x".repeat(257), 5, {}, ["x"]]],
  ["timeoutMs", [
    ...NUMBERS,
    ...NUMBERS.flatMap((token) => [{ token }, { metadata: token }]),
  ]],
  ["maxResponseBytes", [
    ...NUMBERS,
    ...NUMBERS.flatMap((token) => [{ token }, { metadata: token }]),
  ]],
  ["knownAuthorities", [null, "login.example.com", {}, 5, [""], [{}], ["https://x"]]],
  ["clientCapabilities", [null, "cp1", {}, [""]]],
  ["fetch", [null, 5, "x", {}]],
  ["clock", [5, "x", {}, { now: Date.now }, { now: 1, setTimeout: noop, clearTimeout: noop }]],
  ["onEvent", [null, 5, "x", {}]],
  ["tokenCache", [
    null,
    5,
    "x",
    {},
    [],
    noop,
    { get: noop, set: noop, delete: noop },
    new MemoryStore(),
    new Map(),
  ]],
  ["httpCache", [null, 5, "x", {}, [], noop, { get: noop, set: noop }, { get: 1, set: 1, delete: 1 }]],
  ["appName", [null, "", "\n", "é"]],
  ["appVersion", [null, "", "\n", "é"]],
];
for (const [option, values] of BAD) {
  for (const value of values) {
    test(`R-186 option ${option}: ${show(value)} is refused, and named`, () => {
      const error = thrown(() => fixture([], { [option]: value }));
      assertEquals([error.name, "option" in error && error.option], ["ClientConfigurationError", option]);
      const { clientCredential: _, ...rest } = {
        clientCredential: SECRET,
        clientId: CLIENT_ID,
        [option]: value,
      };
      assertEquals(thrown(() => new PublicClientApplication(rest as never)).code, error.code);
    });
  }
}

test("R-014 telemetry that is not true is refused, or none is sent: a text from the environment must not turn it on", async () => {
  for (const telemetry of ["false", "0", 0, null]) {
    let http: ScriptedFetch;
    try {
      const one = fixture([tokenAnswer()], { telemetry: telemetry as unknown as boolean });
      await one.acquire();
      http = one.http;
    } catch (error) {
      assert(isAuthError(error), String(error));
      continue;
    }
    assertEquals(http.requests[0]?.headers.has("x-client-sku"), false, show(telemetry));
  }
});

/** Values that TypeScript refuses; whether we do is a question of size, but nothing else may come of them. */
const LOOSE: [option: string, values: readonly unknown[]][] = [
  ["logger", [null, 5, "x", true, noop, { error: 5 }]],
  ["waitUntil", [null, 5, "x", {}, true]],
  ["clock", [null]],
  ["timeoutMs", [null, []]],
  ["appName", [5, {}, [], Symbol("x"), Object.create(null)]],
  ["knownAuthorities", [[null], [5], [{}], [Symbol("x")], [["x"]]]],
  ["clientCapabilities", [[5], [["cp1"]], [Symbol("x")]]],
  ["authority", [null, [], {}, Object.create(null), Symbol("x"), [Object.create(null)], {
    instance: Object.create(null),
    tenant: "x",
  }]],
];
for (const [option, values] of LOOSE) {
  test(`R-186 option ${option} of a wrong type: a client that works, or an error of the library`, async () => {
    for (const value of values) {
      try {
        await fixture(() => tokenAnswer(), { [option]: value }).acquire({ tenantId: TENANT });
      } catch (error) {
        assert(isAuthError(error) && error.code !== "unexpected_error", `${show(value)}: ${error}`);
      }
    }
  });
}

test("R-186 good values at the edges are taken", () => {
  const edges: Overrides[] = [
    { timeoutMs: 1 },
    { timeoutMs: 2_147_483_647 },
    { timeoutMs: {} },
    { timeoutMs: { token: 1, metadata: undefined } },
    { maxResponseBytes: { metadata: 1 } },
    { clientId: "x" },
    { clientCapabilities: [] },
    { knownAuthorities: [] },
    { logger: {} },
    { logger: console },
    { waitUntil: "detached" },
    { tokenCache: new TokenCache(), httpCache: new MemoryStore() },
  ];
  for (const overrides of edges) assert(fixture([], overrides).app.clientId);
});

test("R-186 options that are none at all", () => {
  for (const options of [undefined, null, 5, "x", true, [], noop, Symbol("x")]) {
    thrown(() => new ConfidentialClientApplication(options as never));
    thrown(() => new PublicClientApplication(options as never));
  }
});

const STORE_BOUNDS: readonly unknown[] = [NaN, -1, 0, 0.5, "5", null];
for (const bound of STORE_BOUNDS) {
  test(`R-187 MemoryStore and TokenCache refuse a bound of ${show(bound)}: it would be none, or never be met`, () => {
    for (const name of ["maxEntries", "maxBytes"]) {
      assertEquals(
        thrown(() => new TokenCache({ memory: { [name]: bound } as never })).name,
        "ClientConfigurationError",
      );
    }
    assertEquals(
      thrown(() => new MemoryStore({ maxEntries: bound as never })).name,
      "ClientConfigurationError",
    );
  });
}

test("R-186 TokenCache and MemoryStore refuse options that are none", () => {
  for (const options of [null, 5, "x"]) {
    thrown(() => new TokenCache(options as never));
    thrown(() => new TokenCache({ memory: options as never }));
    thrown(() => new MemoryStore(options as never));
  }
  thrown(() => new TokenCache({ store: {} as never }));
});

const REQUESTS: [member: string, values: readonly unknown[]][] = [
  ["signal", [null, 5, "x", {}, { aborted: false }]],
  ["waitUntil", [5, "x", {}, true]],
  ["fmiPath", [null, "", 123, true, [], {}, new Uint8Array(1)]],
  ["extraQueryParameters", [{ a: 5 }, { a: null }, { a: ["b"] }, { client_id: "x" }]],
  ["extraBodyParameters", [{ a: 5 }, { a: undefined }, { SCOPE: "x" }, { Client_Secret: "x" }]],
];
for (const [member, values] of REQUESTS) {
  for (const value of values) {
    test(`R-186 A65 request member ${member}: ${show(value)} is refused, and named, and nothing is sent`, async () => {
      const { refused, http } = fixture([tokenAnswer()]);
      const error = await refused({ [member]: value });
      assertEquals([error.name, "option" in error && error.option], ["ClientConfigurationError", member]);
      assertEquals(http.requests.length, 0);
    });
  }
}

test("R-186 what a cold call refuses, a warm one refuses, too: no plain token for a request that is not plain", async () => {
  const wrong: [string, unknown][] = [
    ...[
      "fmiPath",
      "claims",
      "forwardedClientClaims",
      "correlationId",
      "extraBodyParameters",
      "extraQueryParameters",
      "signal",
      "waitUntil",
      "tenantId",
    ].map((name): [string, unknown] => [name, null]),
    ["scopes", { length: 1, 0: SCOPE }],
    ["tenantId", `${TENANT}/`],
  ];
  for (const [member, value] of wrong) {
    const { acquire, refused } = fixture([tokenAnswer()]);
    await acquire();
    const outcome = await refused({ [member]: value }).then(
      (error) => "option" in error && error.option,
      String,
    );
    assertEquals(outcome, member);
  }
});

const RESERVED =
  ("client_id client_secret client_assertion client_assertion_type grant_type scope claims code " +
    "refresh_token assertion username password redirect_uri state nonce code_verifier client_info fmi_path " +
    "requested_token_use device_code").split(" ");
test("R-165 no extra parameter can change who asks for what, in any case", async () => {
  for (const member of ["extraQueryParameters", "extraBodyParameters"]) {
    for (const name of [...RESERVED, "SCOPE", "Grant_Type"]) {
      const error = await fixture().refused({ [member]: { [name]: "x" } });
      assertEquals([error.code, "option" in error && error.option], ["reserved_parameter", member], name);
    }
  }
});

test("R-186 removeTokensForClient refuses junk with an error of the library; null is nothing in particular", async () => {
  for (
    const request of [{ tenantId: 5 }, { tenantId: "a/b" }, { fmiPath: 5 }, { fmiPath: "" }, {
      tenantId: "common",
    }]
  ) {
    const { app, clock } = fixture();
    await failure(settle(clock, app.removeTokensForClient(request as unknown as RemoveTokensRequest)));
  }
  const { app, clock } = fixture();
  const outcome = await settle(clock, app.removeTokensForClient(null as unknown as RemoveTokensRequest))
    .catch((error) => error);
  assert(outcome === undefined || isAuthError(outcome), String(outcome));
});

test("R-186 a waitUntil that throws, as the bare method of a Workers context does, is named", async () => {
  const waitUntil = () => {
    throw new TypeError("Illegal invocation");
  };
  const { refused } = fixture(() => tokenAnswer(), { waitUntil });
  const error = await refused();
  assertEquals("option" in error && error.option, "waitUntil");
});

test("R-186 listeners that throw hurt nobody", async () => {
  const angry = () => {
    throw new Error("listener");
  };
  const logger = { debug: angry, info: angry, warn: angry, error: angry };
  assertEquals((await fixture([tokenAnswer()], { onEvent: angry, logger }).acquire()).accessToken, "AT");
});

const junk = fc.oneof(
  fc.anything({
    withNullPrototype: true,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
  }),
  fc.constantFrom<unknown>(
    undefined,
    null,
    "",
    0,
    -1,
    NaN,
    noop,
    Symbol("x"),
    SCOPE,
    [SCOPE],
    TENANT,
    AUTHORITY,
    ISSUER,
  ),
  fc.func(fc.anything()),
);
const maybe = <T>(good: T): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(good) }, junk);

test("R-186 R-196 options of random junk: a client, or an error of the library that names its option", () => {
  const options = fc.record({
    clientId: maybe(CLIENT_ID),
    authority: maybe<unknown>(AUTHORITY),
    oidcAuthority: maybe(undefined),
    knownAuthorities: maybe(undefined),
    clientCredential: maybe(SECRET),
    tokenCache: maybe(undefined),
    httpCache: maybe(undefined),
    fetch: maybe(undefined),
    timeoutMs: maybe(undefined),
    maxResponseBytes: maybe(undefined),
    clientCapabilities: maybe(undefined),
    appName: maybe(undefined),
    clock: maybe(undefined),
    logger: maybe(undefined),
    onEvent: maybe(undefined),
    waitUntil: maybe(undefined),
  }, { requiredKeys: [] });
  const names =
    /^(options|clientId|authority(\.\w+)?|oidcAuthority|knownAuthorities|clientCredential|tokenCache|httpCache|fetch|timeoutMs|maxResponseBytes|clientCapabilities|appName|clock|logger|onEvent|waitUntil)$/;
  fc.assert(
    fc.property(fc.oneof(options, junk), (value) => {
      try {
        new ConfidentialClientApplication(value as ConfidentialClientOptions);
      } catch (error) {
        assert(isAuthError(error), String(error));
        assert("option" in error && names.test(String(error.option)), error.message);
      }
    }),
    { numRuns: 1_500 },
  );
});

test("R-186 whatever a fetch, a credential function or a store throws, the caller gets an error of the library", async () => {
  const hostile: unknown[] = [
    undefined,
    null,
    0,
    "",
    Symbol("x"),
    noop,
    Object.create(null),
    Object.freeze(new Error("x")),
    5n,
    [],
    new Proxy({}, {}),
    Object.create(Error.prototype),
  ];
  for (const value of hostile) {
    const reject = () => Promise.reject(value);
    await fixture([], { fetch: reject }).refused();
    await fixture([], { clientCredential: reject }).refused();
    const store = { cas: true, get: reject, set: reject, delete: reject };
    for (const option of ["tokenCache", "httpCache"]) {
      const value = option === "httpCache" ? store : new TokenCache({ store });
      assertEquals((await fixture([tokenAnswer()], { [option]: value }).acquire()).accessToken, "AT");
    }
  }
});

// Last, because a rejection that nobody listens to ends the file.
test("R-186 R-196 requests of random junk: a token, or an error of the library; junk of the request is named", async () => {
  const request = fc.record({
    scopes: maybe([SCOPE]),
    tenantId: maybe(undefined),
    signal: maybe(undefined),
    correlationId: maybe(undefined),
    claims: maybe(undefined),
    forwardedClientClaims: maybe(undefined),
    fmiPath: maybe(undefined),
    waitUntil: maybe<unknown>("detached"),
    extraQueryParameters: maybe(undefined),
    extraBodyParameters: maybe(undefined),
  }, { requiredKeys: [] });
  const { app, clock } = fixture(() => tokenAnswer());
  const generic = fixture(() => Response.json({ issuer: ISSUER, token_endpoint: `${ISSUER}/t` }), OIDC).app;
  await fc.assert(
    fc.asyncProperty(fc.oneof(request, junk), fc.boolean(), async (value, entra) => {
      const call = (entra ? app : generic).acquireTokenForClient(value as ClientCredentialRequest);
      try {
        await settle(clock, call);
      } catch (error) {
        assert(isAuthError(error), String(error));
        assert(error.code !== "unexpected_error", error.message);
      }
    }),
    { numRuns: 150 },
  );
});
