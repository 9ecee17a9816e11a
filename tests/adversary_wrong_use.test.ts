/**
 * Wrong use of every method of users: R-186, always a rejected promise with an error of the library that names the member.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type AuthCodeFlow,
  claimsChallengeOf,
  createAuthorizedFetch,
  type DeviceFlow,
  isAuthError,
  openAuthCodeFlow,
  sealAuthCodeFlow,
} from "../mod.ts";
import { thrown } from "./support/app_fixture.ts";
import { callback, entraDouble, HOME_ACCOUNT_ID, REDIRECT_URI } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const WRONG: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  zero: 0,
  number: 7,
  NaN: NaN,
  bigint: 7n,
  text: "text",
  empty: "",
  true: true,
  list: [],
  "list of null": [null],
  symbol: Symbol("s"),
  function: () => {},
  date: new Date(0),
  "getter that throws": Object.defineProperty({}, "scopes", {
    enumerable: true,
    get: () => {
      throw new RangeError("secret text of a getter");
    },
  }),
  "without prototype": Object.create(null),
};

const FLOW: AuthCodeFlow = {
  version: 1,
  authUri: "",
  state: "a-state",
  nonce: "a-nonce",
  codeVerifier: "v".repeat(43),
  redirectUri: REDIRECT_URI,
  scopes: ["User.Read"],
  clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
  authority: "https://login.microsoftonline.com/7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
  correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c",
  expiresAt: 4_000_000_000,
};
const DEVICE: DeviceFlow = {
  version: 1,
  userCode: "ABC",
  deviceCode: "a device code",
  verificationUri: "https://microsoft.com/devicelogin",
  message: "m",
  clientId: FLOW.clientId,
  authority: FLOW.authority,
  scopes: ["User.Read"],
  correlationId: FLOW.correlationId,
  expiresAt: 4_000_000_000,
  intervalSeconds: 5,
};
const SIGN_IN = { scopes: ["User.Read"], redirectUri: REDIRECT_URI };
const CODE = { ...SIGN_IN, code: "c", codeVerifier: "v".repeat(43) };
const OWN = { state: "S".repeat(16), nonce: "N".repeat(16), codeChallenge: "C".repeat(43) };
const SILENT = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
const MIGRATE = { refreshToken: "r", scopes: ["User.Read"] };

/** Runs a call, which must not throw at once; the error of its promise, `undefined` where it succeeds. */
async function outcome(call: () => unknown): Promise<Any> {
  let promise: Any;
  try {
    promise = call();
  } catch (error) {
    throw new Error(`it threw at once: ${String(error)}`);
  }
  assert(promise instanceof Promise, "no promise");
  try {
    await promise;
    return undefined;
  } catch (error) {
    assert(isAuthError(error), `no error of the library: ${String(error)}`);
    return error;
  }
}

test("R-186 a request that is none is a rejected promise with an error of the library, for every method", async () => {
  const found: string[] = [];
  for (const [what, wrong] of Object.entries(WRONG) as [string, Any][]) {
    const entra = entraDouble();
    const app = entra.public();
    const calls: Record<string, () => unknown> = {
      initiateAuthCodeFlow: () => app.initiateAuthCodeFlow(wrong),
      "acquireTokenByAuthCodeFlow flow": () => app.acquireTokenByAuthCodeFlow(wrong, callback(FLOW)),
      "acquireTokenByAuthCodeFlow response": () => app.acquireTokenByAuthCodeFlow(FLOW, wrong),
      getAuthorizationRequestUrl: () => app.getAuthorizationRequestUrl(wrong),
      acquireTokenByAuthorizationCode: () => app.acquireTokenByAuthorizationCode(wrong),
      acquireTokenSilent: () => app.acquireTokenSilent(wrong),
      acquireTokenByRefreshToken: () => app.acquireTokenByRefreshToken(wrong),
      acquireTokenInteractive: () => app.acquireTokenInteractive(wrong),
      initiateDeviceFlow: () => app.initiateDeviceFlow(wrong),
      acquireTokenByDeviceFlow: () => app.acquireTokenByDeviceFlow(wrong),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error = await outcome(call);
      const fits = error?.name === "ClientConfigurationError" ||
        (name.endsWith("response") && error?.code === "invalid_auth_response") ||
        (name.endsWith("response") && error?.code === "state_not_found") ||
        (what.startsWith("getter") && error?.code === "unexpected_error");
      if (!fits) found.push(`${name}(${what}): ${error?.name} ${error?.code} ${error?.message}`);
      if (String(error?.message).includes("secret text")) found.push(`${name}(${what}) quotes`);
    }
    assertEquals(entra.posts.length, 0, what);
  }
  assertEquals(found, []);
});

test("R-186 the second argument that is none is a configuration error, too", async () => {
  const found: string[] = [];
  for (const what of ["null", "number", "text", "true"]) {
    const entra = entraDouble();
    const app = entra.public();
    const wrong = WRONG[what] as Any;
    const calls: Record<string, () => unknown> = {
      acquireTokenByAuthCodeFlow: () => app.acquireTokenByAuthCodeFlow(FLOW, callback(FLOW), wrong),
      acquireTokenByDeviceFlow: () => app.acquireTokenByDeviceFlow(DEVICE, wrong),
      getAccounts: () => app.getAccounts(wrong),
      getAccount: () => app.getAccount(wrong === "text" ? "" : wrong),
      removeAccount: () => app.removeAccount(wrong === "text" ? "" : wrong),
      getSignOutUrl: () => app.getSignOutUrl(wrong),
    };
    for (const [name, call] of Object.entries(calls)) {
      // Nothing is asked for there, so nothing but null is no request either.
      if (name === "getSignOutUrl" && wrong === null) continue;
      const error = await outcome(call);
      if (error?.name !== "ClientConfigurationError") {
        found.push(`${name}(${what}): ${error?.code} ${error?.message}`);
      }
    }
    assertEquals(entra.posts.length, 0, what);
  }
  assertEquals(found, []);
});

const EXTRAS = ["extraQueryParameters", "extraBodyParameters"];
/** What those take that continue something, and what those take that begin. */
const CONTINUING = ["scopes", "signal", ...EXTRAS];
const BEGINNING = [...CONTINUING, "tenantId", "claims", "correlationId"];

const MEMBERS: [string, (app: Any, over: Any) => unknown, string[]][] = [
  ["initiateAuthCodeFlow", (app, over) => app.initiateAuthCodeFlow({ ...SIGN_IN, ...over }), [
    "scopes",
    "redirectUri",
    "prompt",
    "loginHint",
    "domainHint",
    "responseMode",
    "maxAge",
    "extraScopesToConsent",
    "extraQueryParameters",
    "claims",
    "tenantId",
    "appState",
    "correlationId",
    "signal",
  ]],
  [
    "getAuthorizationRequestUrl",
    (app, over) => app.getAuthorizationRequestUrl({ ...SIGN_IN, ...OWN, ...over }),
    ["scopes", "state", "nonce", "codeChallenge", "maxAge", "tenantId"],
  ],
  [
    "acquireTokenByAuthCodeFlow",
    (app, over) => app.acquireTokenByAuthCodeFlow(FLOW, callback(FLOW), over),
    [...CONTINUING, "waitUntil"],
  ],
  [
    "acquireTokenByAuthorizationCode",
    (app, over) => app.acquireTokenByAuthorizationCode({ ...CODE, ...over }),
    [...BEGINNING, "waitUntil", "code", "redirectUri", "codeVerifier", "nonce", "maxAge"],
  ],
  [
    "acquireTokenSilent",
    (app, over) => app.acquireTokenSilent({ ...SILENT, ...over }),
    [...BEGINNING, "waitUntil", "account"],
  ],
  [
    "acquireTokenByRefreshToken",
    (app, over) => app.acquireTokenByRefreshToken({ ...MIGRATE, ...over }),
    [...BEGINNING, "waitUntil", "refreshToken"],
  ],
  [
    "initiateDeviceFlow",
    (app, over) => app.initiateDeviceFlow({ scopes: ["User.Read"], ...over }),
    BEGINNING,
  ],
  [
    "acquireTokenByDeviceFlow",
    (app, over) => app.acquireTokenByDeviceFlow(DEVICE, { poll: "once", ...over }),
    ["signal", "waitUntil", "poll", "onProgress"],
  ],
  ["getSignOutUrl", (app, over) => app.getSignOutUrl(over), [
    "postLogoutRedirectUri",
    "tenantId",
    "idTokenHint",
    "logoutHint",
    "state",
    "extraQueryParameters",
  ]],
];

for (const [name, call, members] of MEMBERS) {
  test(`R-186 ${name}: a member of a wrong type is refused by its name, before anything is sent`, async () => {
    const found: string[] = [];
    for (const member of members) {
      for (
        const [what, wrong] of [["null", null], ["number", -7.5], ["true", true], ["object", { a: 1 }], [
          "list",
          [1],
        ]]
      ) {
        // An object is what these take.
        if (what === "object" && member === "claims") continue;
        const entra = entraDouble();
        const error = await outcome(() => call(entra.public(), { [member as string]: wrong }));
        const named = error?.name === "ClientConfigurationError" && error.option === member;
        if (!named) found.push(`${member}: ${what}: ${error?.name} ${error?.code} ${error?.option}`);
        if (entra.posts.length > 0) found.push(`${member}: ${what}: sent`);
      }
    }
    assertEquals(found, []);
  });
}

test("R-186 getAdminConsentUrl throws at once, and errors of the library alone", () => {
  const app = entraDouble().public();
  for (const [what, wrong] of Object.entries(WRONG)) {
    assertEquals(thrown(() => app.getAdminConsentUrl(wrong as Any)).name.length > 0, true, what);
  }
  const request = Object.defineProperty({ redirectUri: REDIRECT_URI }, "state", {
    get: () => {
      throw new RangeError("x");
    },
  });
  assert(isAuthError(thrown(() => app.getAdminConsentUrl(request as Any))));
});

test("R-029 no flow lets extraBodyParameters or extraQueryParameters take a reserved name", async () => {
  const found: string[] = [];
  for (const [name, call, members] of MEMBERS) {
    for (
      const member of EXTRAS.filter((one) => members.includes(one))
    ) {
      for (
        const reserved of [
          "client_id",
          "scope",
          "grant_type",
          "CLIENT_SECRET",
          "redirect_uri",
          "device_code",
          "claims",
        ]
      ) {
        const entra = entraDouble();
        const error = await outcome(() => call(entra.public(), { [member]: { [reserved]: "evil" } }));
        if (error?.code !== "reserved_parameter") found.push(`${name} ${member} ${reserved}: ${error?.code}`);
      }
    }
  }
  assertEquals(found, []);
});

test("R-067 a maxAge that is no number of seconds is refused: it must not switch the check off", async () => {
  for (const maxAge of ["10", NaN, -1, 1.5, {}, null] as Any[]) {
    const entra = entraDouble();
    entra.next(await entra.answer({ nonce: "the nonce", auth_time: 1 }));
    const error = await outcome(() =>
      entra.settle(entra.public().acquireTokenByAuthorizationCode({ ...CODE, nonce: "the nonce", maxAge }))
    );
    assertEquals(error?.option, "maxAge", String(maxAge));
  }
});

test("R-186 helpers refuse what they cannot read by errors of the library", async () => {
  for (const [what, wrong] of Object.entries(WRONG) as [string, Any][]) {
    assert(isAuthError(thrown(() => createAuthorizedFetch(wrong))), what);
    assert(isAuthError(await outcome(() => sealAuthCodeFlow(wrong, "x".repeat(40)))), what);
    assert(
      isAuthError(
        await outcome(() => openAuthCodeFlow(wrong, "k9".repeat(3) + "sQx7Pz0aLm2Vn4Bt6Ry8Wc1Xd3")),
      ),
      what,
    );
  }
  assertEquals(claimsChallengeOf(""), undefined);
});

/** Freezes a value and everything in it. */
function deepFreeze<T>(value: T): T {
  if (
    typeof value === "object" && value !== null && !Object.isFrozen(value) && !(value instanceof AbortSignal)
  ) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

test("frozen requests work, and no request is changed", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const claims = deepFreeze({ access_token: { nbf: { essential: true } } });
  const request = deepFreeze({
    ...SIGN_IN,
    claims,
    extraQueryParameters: { dc: "x" },
    prompt: ["login", "consent"] as Any,
  });
  const flow = deepFreeze(await app.initiateAuthCodeFlow(request));
  entra.next(await entra.answer({ nonce: new URL(flow.authUri).searchParams.get("nonce") }));
  const result = await entra.settle(
    app.acquireTokenByAuthCodeFlow(flow, callback(flow), deepFreeze({ scopes: ["User.Read"] })),
  );
  entra.next(await entra.answer());
  const silent = deepFreeze({
    account: result.account!,
    scopes: ["User.Read"],
    claims,
    extraBodyParameters: { x: "1" },
    extraQueryParameters: { y: "2" },
  });
  await entra.settle(app.acquireTokenSilent(silent));
  const device = deepFreeze({ ...DEVICE });
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenByDeviceFlow(device, deepFreeze({ poll: "once" })));
  assertEquals(entra.posts.length, 3);
});

test("what a result holds may be changed at will: the next result is as before, from memory and from a store", async () => {
  const entra = entraDouble();
  const app = entra.public();
  await entra.signIn(app, { groups: ["g1"], roles: ["reader"], address: { city: "x" } });
  const cold = entraDouble();
  cold.tokenCache.deserialize(entra.tokenCache.serialize());
  for (const one of [app, cold.public()]) {
    const first = await one.acquireTokenSilent(SILENT) as Any;
    const before = JSON.stringify(first);
    const attempts: (() => void)[] = [
      () => first.scopes.push("Evil"),
      () => first.idTokenClaims.groups.push("admins"),
      () => first.idTokenClaims.roles[0] = "admin",
      () => first.idTokenClaims.address.city = "y",
      () => first.idTokenClaims.oid = "evil",
      () => first.account.username = "evil",
      () => first.account.tenantProfiles[0].tenantId = "evil",
      () => first.account.tenantProfiles.push({}),
      () => first.expiresOn.setTime(0),
      () => first.metadata.cacheLevel = "evil",
      () => first.accessToken = "evil",
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch (error) {
        assert(error instanceof TypeError);
      }
    }
    assertEquals(JSON.stringify(await one.acquireTokenSilent(SILENT)), before);
  }
});
