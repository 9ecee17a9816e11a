/** The scopes of a user's token, section 2.11 of MSAL Python, row Z45. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decorateScopes, requireUserScopes } from "../src/request/scopes.ts";
import { thrown } from "./support/app_fixture.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const GRAPH = "https://graph.microsoft.com";
const APP = "6731de76-14a6-49ae-97bc-6eba6914391e";
const SHOUTED = APP.toUpperCase();

/** Scopes that go together, at Entra and anywhere. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  "none (Z45)": [],
  "one of Graph": ["User.Read"],
  "several of Graph": ["User.Read", "Mail.Read"],
  "Graph with and without its name": ["User.Read", `${GRAPH}/Mail.Read`],
  "Graph in two spellings": [`${GRAPH}/User.Read`, "https://GRAPH.microsoft.com/Mail.Read"],
  "Graph by its id": ["00000003-0000-0000-c000-000000000000/User.Read", "Mail.Read"],
  "Graph of the US government": ["https://graph.microsoft.us/User.Read", "Mail.Read"],
  "Graph of the US military": ["https://dod-graph.microsoft.us/User.Read", "Mail.Read"],
  "Graph of China": ["https://microsoftgraph.chinacloudapi.cn/User.Read", "Mail.Read"],
  "email": ["email", "User.Read"],
  "all of one API": [`${GRAPH}/.default`],
  "all of one API, twice": ["api://x/.default", "API://x/.default"],
  "all of Graph": [".default"],
  "two of one API": ["api://contoso/a", "api://contoso/b"],
  "an API by id and by URI": [`api://${APP}/a`, `${APP}/b`],
  "the client itself (B2C)": [APP],
  "the client itself and a scope of its own": [APP, `${SHOUTED}/read`],
  "a resource with a slash at its end": [
    "https://management.azure.com//user_impersonation",
    "https://management.azure.com/x",
  ],
};
for (const [name, scopes] of Object.entries(GOOD)) {
  test(`R-024 R-025 scopes go together: ${name}`, () => {
    requireUserScopes(scopes, true);
    requireUserScopes(scopes, false);
  });
}

/** Scopes that no token of Entra's holds together; elsewhere the issuer decides. */
const NOT_AT_ENTRA: Readonly<Record<string, [string, readonly string[]]>> = {
  "R-024 two APIs": ["extraScopesToConsent", ["api://a/x", "api://b/x"]],
  "R-024 Graph and an API": ["extraScopesToConsent", ["User.Read", "api://b/x"]],
  "R-024 Graph by name and an API": ["extraScopesToConsent", [`${GRAPH}/User.Read`, "api://b/x"]],
  "R-024 two hosts": ["extraScopesToConsent", ["https://a.example/x", "https://b.example/x"]],
  "R-024 two paths": ["extraScopesToConsent", ["https://a.example/one/x", "https://a.example/two/x"]],
  "R-024 all of two APIs": ["extraScopesToConsent", ["api://a/.default", "api://b/.default"]],
  "R-024 the client itself and Graph": ["extraScopesToConsent", [APP, "User.Read"]],
  "R-024 no Graph, though it looks like it": [
    "extraScopesToConsent",
    ["https://graph.microsoft.com.evil.example/x", "User.Read"],
  ],
  "R-025 all and one of an API": [".default", ["api://a/.default", "api://a/x"]],
  "R-025 all and one of Graph": [".default", [`${GRAPH}/.default`, "User.Read"]],
  "R-025 all and one, in capitals": [".default", ["api://a/.DEFAULT", "api://a/x"]],
};
for (const [name, [advice, scopes]] of Object.entries(NOT_AT_ENTRA)) {
  test(`${name}: refused at Entra with advice, R-023 sent to others unchanged`, () => {
    const error = thrown(() => requireUserScopes(scopes, true));
    assertEquals([error.code, "option" in error && error.option], ["invalid_scopes", "scopes"]);
    assertStringIncludes(error.message, advice);
    requireUserScopes(scopes, false);
    assertEquals(decorateScopes(scopes).filter((scope) => !scopes.includes(scope)).length, 3);
  });
}

/** What is never a list of scopes. */
const NEVER: readonly unknown[] = [
  undefined,
  null,
  "User.Read",
  new Set(["User.Read"]),
  [undefined],
  [""],
  ["User.Read Mail.Read"],
  ["a\nb"],
  ['"x"'],
  ["openid"],
  ["profile"],
  ["User.Read", "offline_access"],
  new Array(1),
];
for (const [i, scopes] of NEVER.entries()) {
  test(`R-024 no list of scopes: ${i} ${JSON.stringify(scopes)}`, () => {
    for (const isEntra of [true, false]) {
      assertEquals(thrown(() => requireUserScopes(scopes, isEntra)).code, "invalid_scopes");
    }
  });
}

/** What is asked for, what is left out, and what is sent. */
const SENT: Readonly<Record<string, [readonly string[], readonly string[], string]>> = {
  "none (Z45)": [[], [], "offline_access openid profile"],
  "one (Z10)": [["s1"], [], "offline_access openid profile s1"],
  "sorted by code point (Z3)": [["User.Read"], [], "User.Read offline_access openid profile"],
  "twice": [["a", "a"], [], "a offline_access openid profile"],
  "twice, in another case": [["User.Read", "user.read"], [], "User.Read offline_access openid profile"],
  "a reserved one in capitals": [["OpenID", "a"], [], "a offline_access openid profile"],
  "the client itself": [[APP], [], `${APP} offline_access openid profile`],
  "none is added": [["a"], ["offline_access", "openid", "profile"], "a"],
  "no refresh token": [["a"], ["offline_access"], "a openid profile"],
};
for (const [name, [scopes, exclude, sent]] of Object.entries(SENT)) {
  test(`R-025 what is sent for: ${name}`, () => {
    assertEquals(decorateScopes(scopes, exclude).join(" "), sent);
  });
}

test("R-025 R-196 whatever the scopes, each is sent once and sorted, and those for an ID token are there", () => {
  const scope = fc.oneof(
    fc.constantFrom("a", "A", "openid", "OPENID", "Profile", "__proto__"),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(fc.property(fc.array(scope), (scopes) => {
    const sent = decorateScopes(scopes);
    assertEquals(sent, [...sent].sort());
    const keys = sent.map((one) => one.toLowerCase());
    assertEquals(new Set(keys).size, keys.length);
    for (const one of [...scopes, "openid", "profile", "offline_access"]) {
      assert(keys.includes(one.toLowerCase()));
    }
    for (const one of ["openid", "profile", "offline_access"]) assert(sent.includes(one));
  }));
});

test("R-189 long scopes are judged in no time", () => {
  const start = performance.now();
  for (const one of ["/", "a/", ".default", "-", "api://", "0"]) {
    const long = one.repeat(1_000_000 / one.length);
    requireUserScopes([long], true);
    thrown(() => requireUserScopes([`x${long}/y`, `z${long}/.default`], true));
  }
  assert(performance.now() - start < 5_000);
});
