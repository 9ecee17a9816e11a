/** What constructors refuse, and what routes ask of a token that is valid. */
import { assert, assertEquals } from "@std/assert";
import { allowInsecureLoopback, isAuthError, MemoryStore } from "../mod.ts";
import {
  type AccessTokenRequirements,
  AccessTokenValidator,
  type AccessTokenValidatorOptions,
  IdTokenValidator,
} from "../src/validate/mod.ts";
import { API, apiFixture, APP, AS_APP, type Claims, userToken } from "./support/access_tokens.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { HOME, OIDC_ISSUER, OTHER } from "./support/id_tokens.ts";
import { test } from "./support/suite.ts";

const AUTHORITY = `https://login.microsoftonline.com/${HOME}`;
const GOOD: AccessTokenValidatorOptions = { authority: AUTHORITY, audience: API };
const MISSING: unknown = undefined;

type Wrong = Record<string | symbol, unknown>;
const WRONG: [string, Wrong, string, string, string?][] = [
  [
    "R-153 no audience",
    { audience: MISSING },
    "invalid_option",
    "audience",
    "is the variable that it comes from set",
  ],
  [
    "R-153 audience null",
    { audience: null },
    "invalid_option",
    "audience",
    "is the variable that it comes from set",
  ],
  [
    "R-153 an audience of a variable that is not set",
    { audience: [API, MISSING] },
    "invalid_option",
    "audience",
    "variable",
  ],
  [
    "R-153 an audience made of such a variable",
    { audience: `api://${MISSING}` },
    "invalid_option",
    "audience",
    "variable",
  ],
  ['R-153 audience "undefined"', { audience: "undefined" }, "invalid_option", "audience", "variable"],
  ["R-153 an empty audience", { audience: "" }, "invalid_option", "audience"],
  ["R-153 an audience of spaces", { audience: "  " }, "invalid_option", "audience"],
  ["R-153 two audiences in one text", { audience: `${API} ${APP}` }, "invalid_option", "audience"],
  ["R-153 an empty list", { audience: [] }, "invalid_option", "audience", "empty"],
  ["R-153 a list with an empty text", { audience: [API, ""] }, "invalid_option", "audience"],
  ["R-153 a wildcard", { audience: "*" }, "invalid_option", "audience", "wildcards"],
  ["R-153 a wildcard at the end", { audience: "api://*" }, "invalid_option", "audience", "wildcards"],
  ["R-153 an expression", { audience: /./ }, "invalid_option", "audience"],
  ["R-153 a function", { audience: () => true }, "invalid_option", "audience"],
  ["R-153 a list in a list", { audience: [[API]] }, "invalid_option", "audience"],
  [
    "R-153 Microsoft Graph",
    { audience: "https://graph.microsoft.com" },
    "invalid_option",
    "audience",
    "Graph",
  ],
  [
    "R-153 Microsoft Graph by its id",
    { audience: "00000003-0000-0000-C000-000000000000" },
    "invalid_option",
    "audience",
  ],
  ["no authority", { authority: MISSING }, "invalid_authority", "authority", "missing"],
  ["two authorities", { oidcAuthority: OIDC_ISSUER }, "conflicting_authority", "oidcAuthority"],
  [
    "an authority on a host that is not Microsoft's",
    { authority: "https://evil.example/x" },
    "untrusted_authority",
    "authority",
  ],
  [
    "an authority in http",
    { authority: `http://login.microsoftonline.com/${HOME}` },
    "authority_uri_insecure",
    "authority",
  ],
  [
    "an authority made of a variable that is not set",
    { authority: `https://login.microsoftonline.com/${MISSING}` },
    "invalid_tenant",
    "authority",
  ],
  ...["common", "organizations", "consumers"].map((tenant): [string, Wrong, string, string, string] => [
    `R-079 ${tenant} without allowedTenants`,
    { authority: `https://login.microsoftonline.com/${tenant}` },
    "invalid_option",
    "allowedTenants",
    'say "any"',
  ]),
  ["R-079 no tenant allowed", { allowedTenants: [] }, "invalid_option", "allowedTenants", "empty"],
  [
    "R-079 allowed tenants of which one is a domain",
    { allowedTenants: [HOME, "contoso.example"] },
    "invalid_option",
    "allowedTenants",
  ],
  [
    "R-079 an allowed tenant that is not set",
    { allowedTenants: [MISSING] },
    "invalid_option",
    "allowedTenants",
  ],
  ["R-079 allowedTenants a text", { allowedTenants: HOME }, "invalid_option", "allowedTenants"],
  ["R-079 allowedTenants null", { allowedTenants: null }, "invalid_option", "allowedTenants"],
  [
    "R-079 tenants of an issuer that has none",
    { authority: MISSING, oidcAuthority: OIDC_ISSUER, allowedTenants: [HOME] },
    "invalid_option",
    "allowedTenants",
  ],
  [
    "R-060 a tolerance of more than 300 seconds",
    { clockToleranceSeconds: 301 },
    "invalid_option",
    "clockToleranceSeconds",
  ],
  ["R-060 a negative tolerance", { clockToleranceSeconds: -1 }, "invalid_option", "clockToleranceSeconds"],
  [
    "R-060 a tolerance that is no number",
    { clockToleranceSeconds: NaN },
    "invalid_option",
    "clockToleranceSeconds",
  ],
  [
    "a known authority with a scheme",
    { knownAuthorities: ["https://x.example"] },
    "invalid_option",
    "knownAuthorities",
  ],
  ["an httpCache that is no store", { httpCache: {} }, "invalid_store", "httpCache"],
  [
    "a short httpCacheSecret",
    { httpCache: new MemoryStore(), httpCacheSecret: "secret" },
    "invalid_option",
    "httpCacheSecret",
  ],
  ["a fetch that is none", { fetch: "fetch" }, "invalid_option", "fetch"],
  ["a timeout of nothing", { timeoutMs: 0 }, "invalid_option", "timeoutMs"],
  ["a cap that is a text", { maxResponseBytes: "1" }, "invalid_option", "maxResponseBytes"],
  ["a clock that is none", { clock: Date }, "invalid_option", "clock"],
  ["a logger that is none", { logger: true }, "invalid_option", "logger"],
  ["an onEvent that is none", { onEvent: {} }, "invalid_option", "onEvent"],
  ["a waitUntil that is none", { waitUntil: true }, "invalid_option", "waitUntil"],
];
for (const [name, changes, code, option, words = ""] of WRONG) {
  test(`the constructors refuse ${name}`, () => {
    const makers = [() => new AccessTokenValidator({ ...GOOD, ...changes } as never)];
    if (!("audience" in changes)) {
      makers.push(() =>
        new IdTokenValidator({ authority: AUTHORITY, clientId: APP, ...changes } as never) as never
      );
    }
    for (const make of makers) {
      const error = thrown(make) as { code: string; option?: string; message: string };
      assertEquals([error.code, error.option], [code, option]);
      assert(error.message.includes(words), error.message);
    }
  });
}

test("the constructor refuses a wrong maxVerifiedBytes, and options that are none", () => {
  for (const maxVerifiedBytes of [-1, "1", NaN, null]) {
    const error = thrown(() => new AccessTokenValidator({ ...GOOD, maxVerifiedBytes } as never));
    assertEquals(error.code, "invalid_option");
  }
  for (const options of [undefined, null, 5, "x"]) {
    assert(isAuthError(thrown(() => new AccessTokenValidator(options as never))));
    assert(isAuthError(thrown(() => new IdTokenValidator(options as never))));
  }
});

test("what may be said: known hosts, loopback by its symbol, any tenant by name", () => {
  for (
    const options of [
      { authority: "https://login.example.com/contoso.example", knownAuthorities: ["LOGIN.example.com"] },
      { authority: `http://127.0.0.1:8080/${HOME}`, [allowInsecureLoopback]: true },
      { authority: "https://login.microsoftonline.com/common", allowedTenants: "any" },
      { authority: undefined, oidcAuthority: new URL(OIDC_ISSUER) },
      { audience: ["api://orders-null-and-undefined-things", "https://api.example.com/v1"] },
    ] as const
  ) assert(new AccessTokenValidator({ ...GOOD, ...options }));
});

const SCOPE = "access_token_scope_missing";
const ROLE = "access_token_role_missing";
const ACTOR = "access_token_actor_not_allowed";
const APP_CLAIMS: Claims = AS_APP;
const OK = "accepted";

const POLICY: [string, Claims, AccessTokenRequirements, string][] = [
  // Users.
  ["R-155 no requirement and a scope", {}, {}, OK],
  ["R-155 the scope among others", {}, { scopes: ["Orders.Write"] }, OK],
  ["R-155 both scopes", {}, { scopes: ["Orders.Write", "Files.Read"] }, OK],
  ["R-155 one of two scopes", {}, { scopes: ["Orders.Write", "Files.Write"] }, SCOPE],
  ["R-155 a longer scope", { scp: "Files.ReadWrite" }, { scopes: ["Files.Read"] }, SCOPE],
  ["R-155 a scope with more before it", { scp: "My.Files.Read" }, { scopes: ["Files.Read"] }, SCOPE],
  ["R-155 a scope in other case", { scp: "files.read" }, { scopes: ["Files.Read"] }, SCOPE],
  [
    "R-155 scopes with another white space between them",
    { scp: "Files.Read\tx" },
    { scopes: ["Files.Read"] },
    SCOPE,
  ],
  ["R-155 two words asked for as one", {}, { scopes: ["Files.Read Orders.Write"] }, SCOPE],
  ["R-155 scp a list", { scp: ["Files.Read"] }, { scopes: ["Files.Read"] }, SCOPE],
  ["R-155 scp a list, and nothing asked", { scp: ["Files.Read"] }, {}, SCOPE],
  ["R-155 scp an object", { scp: { "Files.Read": true } }, {}, SCOPE],
  ["R-155 scp of spaces", { scp: "  " }, {}, SCOPE],
  ["R-155 neither scp nor roles", { scp: undefined }, {}, SCOPE],
  ["R-155 a user's roles without scp", { scp: undefined, roles: ["Orders.All"] }, {}, SCOPE],
  ["R-155 a user's roles without scp, where roles are asked for", { scp: undefined, roles: ["Orders.All"] }, {
    roles: ["Orders.All"],
  }, SCOPE],
  ["R-155 a user's token where roles of apps are asked for", { roles: ["Orders.All"] }, {
    roles: ["Orders.All"],
  }, ROLE],
  ["R-155 a user's token where either will do", {}, { scopes: ["Files.Read"], roles: ["Orders.All"] }, OK],
  ["R-155 a user's token without the scope, where either will do", { roles: ["Orders.All"] }, {
    scopes: ["X"],
    roles: ["Orders.All"],
  }, SCOPE],
  ["R-155 a role that the user is assigned to", { roles: ["Admin"] }, {
    scopes: ["Files.Read"],
    userRoles: ["Owner", "Admin"],
  }, OK],
  ["R-155 no such role", { roles: ["Reader"] }, { scopes: ["Files.Read"], userRoles: ["Admin"] }, ROLE],
  ["R-155 roles a text", { roles: "Admin" }, { userRoles: ["Admin"] }, ROLE],
  ["R-155 roles a text with the role in it", { roles: "SuperAdmin" }, { userRoles: ["Admin"] }, ROLE],
  ["R-155 roles an object", { roles: { 0: "Admin" } }, { userRoles: ["Admin"] }, ROLE],
  ["R-155 roles with something that is no text", { roles: ["Admin", 5] }, { userRoles: ["Admin"] }, ROLE],
  ["R-155 roles in a list", { roles: [["Admin"]] }, { userRoles: ["Admin"] }, ROLE],
  ["R-188 a role named constructor", {}, { userRoles: ["constructor"] }, ROLE],
  ["R-188 a scope named __proto__", {}, { scopes: ["__proto__"] }, SCOPE],
  ["R-156 an app that is not listed, for a user", {}, { scopes: ["Files.Read"], allowedApps: [OTHER] }, OK],
  // Apps.
  ["R-156 an app with a role, and nothing asked", APP_CLAIMS, {}, OK],
  ["R-156 an app without roles", { ...APP_CLAIMS, roles: undefined }, {}, SCOPE],
  ["R-156 an app with an empty list of roles", { ...APP_CLAIMS, roles: [] }, {}, SCOPE],
  [
    "R-156 an app whose roles are a text",
    { ...APP_CLAIMS, roles: "Orders.All" },
    { roles: ["Orders.All"] },
    SCOPE,
  ],
  ["R-156 an app with one of the roles", APP_CLAIMS, { roles: ["X", "Orders.All"] }, OK],
  ["R-156 an app with another role", APP_CLAIMS, { roles: ["Orders"] }, ROLE],
  ["R-156 an app where scopes are asked for", APP_CLAIMS, { scopes: ["Orders.All"] }, SCOPE],
  ["R-156 an app with scp, where scopes are asked for", { ...APP_CLAIMS, scp: "Files.Read" }, {
    scopes: ["Files.Read"],
  }, SCOPE],
  ["R-156 an app where users' roles are asked for", APP_CLAIMS, { userRoles: ["Orders.All"] }, SCOPE],
  ["R-156 an app where either will do", APP_CLAIMS, { scopes: ["Files.Read"], roles: ["Orders.All"] }, OK],
  ["R-156 an app that is listed", APP_CLAIMS, {
    roles: ["Orders.All"],
    allowedApps: [OTHER, APP.toUpperCase()],
  }, OK],
  ["R-156 an app that is not listed", APP_CLAIMS, { roles: ["Orders.All"], allowedApps: [OTHER] }, ACTOR],
  ["R-156 idtyp user with the object for a subject", { ...APP_CLAIMS, idtyp: "user" }, {
    roles: ["Orders.All"],
  }, SCOPE],
  ["R-156 idtyp in other case", { ...APP_CLAIMS, idtyp: "App" }, { roles: ["Orders.All"] }, SCOPE],
  ["R-156 the object for a subject, and scp", { ...APP_CLAIMS, idtyp: undefined, scp: "Files.Read" }, {
    roles: ["Orders.All"],
  }, ROLE],
  ["R-156 no object, no scp and no idtyp", { ...APP_CLAIMS, idtyp: undefined, oid: undefined }, {
    roles: ["Orders.All"],
  }, SCOPE],
];
for (const [name, claims, requirements, expected] of POLICY) {
  test(`${name}: ${expected}`, async () => {
    const one = await apiFixture();
    const token = await userToken(one, claims);
    // The second time from memory: what a route asks is looked at on each call.
    for (let call = 0; call < 2; call++) {
      if (expected === OK) assert(await one.validate(token, requirements));
      else {
        const { code, status, error, scopes, claims: challenge } = await one.refused(token, requirements);
        assertEquals([code, status, error, challenge], [expected, 403, "insufficient_scope", undefined]);
        assertEquals(scopes, requirements.scopes);
      }
    }
  });
}

const CHALLENGE = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const ACRS: [string, Claims, readonly string[], number][] = [
  ["all of them", { acrs: ["c1", "c2"] }, ["c1", "c2"], 200],
  ["one, as a text", { acrs: "c1" }, ["c1"], 200],
  ["none, and a client that understands", { xms_cc: ["cp1"] }, ["c1"], 401],
  ["none, and a client that understands, in capitals", { xms_cc: ["x", "CP1"] }, ["c1"], 401],
  ["another, and a client that understands", { acrs: ["c2"], xms_cc: ["cp1"] }, ["c2", "c1"], 401],
  ["a longer one", { acrs: ["c11"], xms_cc: ["cp1"] }, ["c1"], 401],
  ["a text with it in it", { acrs: "c1 c2", xms_cc: ["cp1"] }, ["c1"], 401],
  ["none, and a client that does not understand", {}, ["c1"], 403],
  ["none, and a client of another capability", { xms_cc: ["cp10"] }, ["c1"], 403],
  ["none, and capabilities that are an object", { xms_cc: { cp1: true } }, ["c1"], 403],
];
for (const [name, claims, acrs, status] of ACRS) {
  test(`R-162 authentication contexts: ${name}: ${status}`, async () => {
    const one = await apiFixture();
    const token = await userToken(one, claims);
    if (status === 200) return void await one.validate(token, { acrs });
    const error = await one.refused(token, { acrs });
    assertEquals([error.code, error.status, error.error], [
      "access_token_claims_insufficient",
      status,
      "insufficient_claims",
    ]);
    assertEquals(error.claims, status === 401 ? CHALLENGE : undefined);
  });
}

test("R-162 what a token may do is looked at before its authentication context", async () => {
  const one = await apiFixture();
  const token = await userToken(one, { xms_cc: ["cp1"] });
  assertEquals((await one.refused(token, { scopes: ["X"], acrs: ["c1"] })).code, SCOPE);
});

const MISUSED: [string, unknown][] = [
  ["a misspelt name", { scope: ["Files.Read"] }],
  ["a name of another option", { audience: [API] }],
  ["a text", { scopes: "Files.Read" }],
  ["an empty list", { scopes: [] }],
  ["an empty text", { roles: [""] }],
  ["a variable that is not set", { roles: [undefined] }],
  ["null", { roles: null }],
  ["an inherited name", Object.create({ scopes: "x" })],
];
for (const [name, requirements] of MISUSED) {
  test(`requirements with ${name} are the program's mistake, and let nobody in`, async () => {
    const one = await apiFixture();
    const token = await userToken(one);
    for (let call = 0; call < 2; call++) {
      const error = await failure(one.validate(token, requirements as never));
      assertEquals([error.name, error.code], ["ClientConfigurationError", "invalid_request"]);
      await one.validate(token);
    }
  });
}
