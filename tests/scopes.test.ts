/** Which scopes may be asked for: R-165, section 2.11 of MSAL Python, rows A44, A45. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ClientCredentialRequest } from "../mod.ts";
import { joinScopes, scopeKey, splitScopes } from "../src/request/scopes.ts";
import { discovery, fixture, OIDC, oidcScript, SCOPE, tokenAnswer } from "./support/app_fixture.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

/** Never scopes, whatever the authority. */
const NEVER: readonly unknown[] = [
  undefined,
  null,
  "",
  SCOPE,
  5,
  true,
  {},
  { 0: SCOPE, length: 1 },
  new Set([SCOPE]),
  () => [SCOPE],
  [undefined],
  [null],
  [5],
  [""],
  [" "],
  [[SCOPE]],
  [`${SCOPE} ${SCOPE}`],
  [` ${SCOPE}`],
  [`${SCOPE}\n`],
  [`${SCOPE}\u0000`],
  ['"x"'],
  ["x\\y"],
  ["é/.default"],
  ["x\u007f/.default"],
  ["openid"],
  ["profile"],
  ["offline_access"],
  [SCOPE, "openid"],
  new Array(1),
];
/** Good scopes, but not for an app token of Entra's. */
const NOT_FOR_ENTRA: readonly unknown[] = [
  [],
  ["User.Read"],
  ["https://graph.microsoft.com/User.Read"],
  ["https://graph.microsoft.com/.DEFAULT"],
  ["https://graph.microsoft.com/.default/x"],
  ["https://graph.microsoft.com/.default?"],
  [".default"],
  ["/.default"],
  [SCOPE, SCOPE],
  [SCOPE, "api://two/.default"],
  [SCOPE, "User.Read"],
  ["client_id"],
  ["client_id", "foo"],
];
const name = (scopes: unknown): string => String(JSON.stringify(scopes)).slice(0, 60);

for (const scopes of [...NEVER, ...NOT_FOR_ENTRA]) {
  test(`R-165 scopes ${name(scopes)} are refused for an app token of Entra's, and nothing is sent`, async () => {
    const { refused, http } = fixture([tokenAnswer()]);
    const error = await refused({ scopes: scopes as string[] });
    assertEquals([error.code, "option" in error && error.option], ["invalid_scopes", "scopes"]);
    assertEquals(http.requests.length, 0);
  });
}

for (const scopes of NEVER) {
  test(`R-165 scopes ${name(scopes)} are refused for a generic issuer, too`, async () => {
    const { refused, http } = fixture([], OIDC);
    const error = await refused({ scopes: scopes as string[] });
    assertEquals([error.code, "option" in error && error.option], ["invalid_scopes", "scopes"]);
    assertEquals(http.requests.length, 0);
  });
}

test("R-165 an error says how scopes are given, and which one is reserved", async () => {
  const { refused } = fixture();
  assertStringIncludes((await refused({ scopes: SCOPE as unknown as string[] })).message, "array");
  assertStringIncludes((await refused({ scopes: ["offline_access"] })).message, "offline_access");
});

test("R-165 a request that is none is an error about its scopes", async () => {
  const { app } = fixture();
  for (const request of [undefined, null, 5, "x", [], () => 1, Symbol("x")]) {
    const call = app.acquireTokenForClient(request as unknown as ClientCredentialRequest);
    const error = await call.catch((reason) => reason);
    assertEquals([error.code, error.option], ["invalid_scopes", "scopes"]);
  }
});

const SENT: [readonly string[], string | null][] = [
  [[], null],
  [["b", "a"], "a b"],
  [["a", "a"], "a"],
  [["B", "a"], "B a"],
  [["client_id", "foo"], "client_id foo"],
  [["openID"], "openID"],
  [["email"], "email"],
];
for (const [scopes, expected] of SENT) {
  test(`A44 A45 a generic issuer is asked for ${name(scopes)} as ${expected}, sorted and undecorated`, async () => {
    const { acquire, http } = fixture(oidcScript(() => jsonResponse(discovery())), OIDC);
    await acquire({ scopes });
    assertEquals(http.requests[1]?.form.get("scope"), expected);
  });
}

test("R-165 an app token's scope is sent as it was given: case, double slashes, GUIDs", async () => {
  for (
    const scope of [
      "https://API.example//.default",
      "6731DE76-14a6-49ae-97bc-6eba6914391e/.default",
      "api://a b".replace(" ", "-") + "/.default",
    ]
  ) {
    const { acquire, http } = fixture([tokenAnswer()]);
    await acquire({ scopes: [scope] });
    assertEquals(http.requests[0]?.form.get("scope"), scope);
  }
});

test("neither order nor case of scopes matters to the cache; duplicates neither", async () => {
  const { acquire, http } = fixture(oidcScript(() => jsonResponse(discovery())), OIDC);
  await acquire({ scopes: ["B", "a"] });
  for (const scopes of [["a", "b"], ["A", "B", "b"], ["a"], ["b"]]) {
    assertEquals((await acquire({ scopes })).tokenSource, "cache");
  }
  assertEquals((await acquire({ scopes: ["a", "c"] })).tokenSource, "identity_provider");
  assertEquals(http.requests.length, 3);
});

test("R-044 scopes: none named are those asked for; fewer are told by an event and kept as granted; more are kept", async () => {
  const discovered = () => jsonResponse(discovery());
  for (
    const [scope, granted, missing] of [
      [undefined, ["a", "b"], []],
      ["", ["a", "b"], []],
      [5, ["a", "b"], []],
      ["a", ["a"], ["b"]],
      ["b a c", ["b", "a", "c"], []],
    ] as const
  ) {
    const { acquire, events, http } = fixture(oidcScript(discovered, tokenAnswer({ scope })), OIDC);
    assertEquals((await acquire({ scopes: ["a", "b"] })).scopes, [...granted]);
    const told = events.flatMap((event) => event.type === "scopes_missing" ? event.scopes : []);
    assertEquals(told, [...missing]);
    // MSAL Python asks the network again where the grant differs from what was asked for (A72).
    assertEquals([(await acquire({ scopes: ["b", "a"] })).tokenSource, http.requests.length], ["cache", 2]);
  }
});

test("the caller's array is not kept: changing it later, or the result's, changes nothing", async () => {
  const { acquire } = fixture(oidcScript(() => jsonResponse(discovery())), OIDC);
  const scopes = ["a"];
  const first = await acquire({ scopes });
  scopes.push("b");
  assertEquals(first.scopes, ["a"]);
  assertEquals((await acquire({ scopes: ["a"] })).scopes, ["a"]);
  const written = thrownOrDone(() => (first.scopes as string[]).push("evil"));
  assertEquals((await acquire({ scopes: ["a"] })).scopes, ["a"], String(written));
});

function thrownOrDone(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

test("keys and texts of scopes: sorted by code point, split at single and double spaces", () => {
  assertEquals(scopeKey(["b", "A", "a"]), "a b");
  assertEquals(scopeKey([]), "");
  assertEquals(joinScopes(["b", "a", "B", "a"]), "B a b");
  assertEquals(splitScopes("  b  a "), ["b", "a"]);
  assertEquals(splitScopes(""), []);
});
