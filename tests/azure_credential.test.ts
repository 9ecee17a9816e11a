/** A credential for the Azure SDK: its shape, its limits, and whose tokens it gives. */
import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import type { AccessToken, GetTokenOptions as RealOptions, TokenCredential } from "@azure/core-auth";
import { decodeJwt } from "jose";
import {
  type AuthenticationResult,
  ClientAuthError,
  ConfidentialClientApplication,
  PublicClientApplication,
} from "../mod.ts";
import { LocalAuthority } from "../src/testing/mod.ts";
import { LEDGER_API, ON_BEHALF_OF, ORDERS_APP } from "./support/on_behalf_of_scene.ts";
import {
  type AbortSignalLike,
  createTokenCredential,
  type CredentialRequest,
  type GetTokenOptions,
  type TokenSource,
} from "../src/azure/mod.ts";
import {
  AUTHORITY,
  CLIENT_ID,
  failure,
  fixture,
  type Overrides,
  SECRET,
  settle,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { entraDouble, TENANT_ID } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const SCOPE = "https://vault.azure.net/.default";
const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
const CAE = { access_token: { xms_cc: { values: ["cp1"] } } };
const OTHER = "1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9";

function scene(overrides: Overrides = {}, answers = 1) {
  const made = fixture(
    Array.from({ length: answers }, (_, i) => tokenAnswer({ access_token: `AT${i}` })),
    overrides,
  );
  const credential: TokenCredential = createTokenCredential(made.app);
  const get = (options?: GetTokenOptions, scopes: string | string[] = SCOPE): Promise<AccessToken | null> =>
    settle(made.clock, credential.getToken(scopes, options as RealOptions));
  return { ...made, credential, get };
}

/** A source that keeps what it was asked for. */
function recording(result: Partial<AuthenticationResult> = {}) {
  const asked: CredentialRequest[] = [];
  const source: TokenSource = (request) => {
    asked.push(request);
    return Promise.resolve({ accessToken: "AT", tokenType: "Bearer", expiresOn: new Date(5_000), ...result });
  };
  return { asked, credential: createTokenCredential(source) };
}

/** A signal that is none of the platform's. */
class OwnSignal implements AbortSignalLike {
  aborted = false;
  readonly listeners = new Set<(event: unknown) => void>();
  addEventListener(_: "abort", listener: (event: unknown) => void): void {
    this.listeners.add(listener);
  }
  removeEventListener(_: "abort", listener: (event: unknown) => void): void {
    this.listeners.delete(listener);
  }
  abort(): void {
    this.aborted = true;
    for (const listener of this.listeners) listener({ type: "abort" });
  }
}

test("an application is a TokenCredential: the token, its times in milliseconds, from the cache the second time", async () => {
  const { get, clock, http } = scene();
  const token = await get();
  assertEquals(token, { token: "AT0", expiresOnTimestamp: clock.now() + 3_600_000, tokenType: "Bearer" });
  assertEquals(await get(undefined, [SCOPE, SCOPE]), token);
  assertEquals(http.requests.length, 1);
  assertEquals(new URLSearchParams(http.requests[0]?.body).get("scope"), SCOPE);
});

test("refresh_in becomes refreshAfterTimestamp", async () => {
  const { app, clock } = fixture([tokenAnswer({ expires_in: 86_400, refresh_in: 43_200 })]);
  const token = await settle(clock, createTokenCredential(app).getToken(SCOPE));
  assertEquals(token.refreshAfterTimestamp, clock.now() + 43_200_000);
});

test("a credential shows nothing: no secret in JSON", () => {
  const { credential } = scene();
  assertFalse(JSON.stringify(credential).includes(SECRET));
  assertEquals(Object.keys(credential), ["getToken"]);
});

test("claims of a challenge are sent, and the cache is passed by", async () => {
  const { get, http } = scene({}, 2);
  await get();
  assertEquals((await get({ claims: CLAIMS }))?.token, "AT1");
  assertEquals(new URLSearchParams(http.requests[1]?.body).get("claims"), CLAIMS);
});

test("enableCae asks for cp1, and keeps that token apart from the one of a client that cannot answer challenges", async () => {
  const { get, http } = scene({}, 3);
  assertEquals((await get())?.token, "AT0");
  assertEquals((await get({ enableCae: true }))?.token, "AT1");
  assertEquals((await get({ enableCae: true }))?.token, "AT1");
  assertEquals((await get({ enableCae: false }))?.token, "AT0");
  assertEquals((await get({ enableCae: true, claims: CLAIMS }))?.token, "AT2");
  assertEquals((await get({ enableCae: true }))?.token, "AT2");
  const claims = http.requests.map(({ body }) =>
    JSON.parse(new URLSearchParams(body).get("claims") ?? "null")
  );
  assertEquals(claims, [null, CAE, {
    access_token: { ...JSON.parse(CLAIMS).access_token, ...CAE.access_token },
  }]);
});

test("an application that declares cp1 itself has one token for both", async () => {
  const { get, http } = scene({ clientCapabilities: ["cp1", "other"] });
  await get({ enableCae: true });
  await get();
  assertEquals(http.requests.length, 1);
  const { access_token } = JSON.parse(new URLSearchParams(http.requests[0]?.body).get("claims") ?? "");
  assertEquals(access_token.xms_cc.values, ["cp1", "other"]);
});

test("a challenge that names the application's own tenant is followed", async () => {
  const { get, http } = scene({ authority: `https://login.microsoftonline.com/${TENANT_ID}` });
  await get({ tenantId: TENANT_ID.toUpperCase() });
  assert(http.requests[0]?.url.includes(TENANT_ID));
});

const FOREIGN: Readonly<Record<string, Overrides>> = {
  "a tenant of its own": {},
  "consumers and a list": {
    authority: "https://login.microsoftonline.com/common",
    allowedTenants: [TENANT_ID],
  },
};
for (const [name, overrides] of Object.entries(FOREIGN)) {
  test(`a hostile API's tenant is refused and nothing is sent: ${name}`, async () => {
    const { get, http } = scene(overrides, 0);
    const { code, message } = await failure(get({ tenantId: OTHER }));
    assertEquals([code, http.requests.length], ["invalid_tenant", 0]);
    assert(message.includes("additionallyAllowedTenants"));
  });
}

for (const list of [["*"], [OTHER.toUpperCase()]]) {
  test(`another tenant is asked where it is allowed: ${list}`, async () => {
    const { app, http, clock } = fixture([tokenAnswer()]);
    const credential = createTokenCredential(app, { additionallyAllowedTenants: list });
    await settle(clock, credential.getToken(SCOPE, { tenantId: OTHER }));
    assert(http.requests[0]?.url.includes(OTHER));
  });
}

test("an application for many tenants gets a token of the tenant that is asked for, and of those on its list", async () => {
  const common = "https://login.microsoftonline.com/common";
  for (const overrides of [{ authority: common }, { authority: common, allowedTenants: [OTHER] }]) {
    const { get, http } = scene(overrides);
    await get({ tenantId: OTHER });
    assert(http.requests[0]?.url.includes(OTHER));
  }
});

test("proof of possession is refused clearly, and nothing is sent", async () => {
  const { get, http } = scene({}, 0);
  const error = await failure(get({
    proofOfPossessionOptions: { nonce: "n", resourceRequestMethod: "GET", resourceRequestUrl: "https://x" },
  }));
  assertEquals([error.code, http.requests.length], ["invalid_request", 0]);
  assert(error.message.includes("proofOfPossessionOptions"));
});

for (const scopes of [[], "", [""], [SCOPE, 5], null] as unknown as string[][]) {
  test(`scopes that are none are refused: ${JSON.stringify(scopes)}`, async () => {
    const { get } = scene({}, 0);
    assertEquals((await failure(get({}, scopes))).code, "invalid_scopes");
  });
}

test("scopes of two APIs are refused", async () => {
  const { get } = scene({}, 0);
  assertEquals(
    (await failure(get({}, [SCOPE, "https://graph.microsoft.com/.default"]))).code,
    "invalid_scopes",
  );
});

const never = (): Promise<never> => new Promise(() => {});

for (const kind of ["the platform's", "another make's"]) {
  test(`a signal of ${kind} ends the wait, and is left alone afterwards`, async () => {
    const own = new OwnSignal();
    const controller = new AbortController();
    const isOwn = kind.startsWith("another");
    let heard: AbortSignal | undefined;
    const credential = createTokenCredential((request) => {
      heard = request.signal;
      return never();
    });
    const waiting = failure(credential.getToken(SCOPE, { abortSignal: isOwn ? own : controller.signal }));
    const reason = new Error("enough");
    if (isOwn) own.abort();
    else controller.abort(reason);
    const error = await waiting;
    assert(error instanceof ClientAuthError && error.code === "request_aborted");
    if (!isOwn) assertStrictEquals(error.cause, reason);
    assert(heard?.aborted);
    assertEquals(own.listeners.size, 0);
  });
}

test("a signal that is aborted already asks nobody", async () => {
  const { asked, credential } = recording();
  const error = await failure(credential.getToken(SCOPE, { abortSignal: AbortSignal.abort() }));
  assertEquals([error.code, asked.length], ["request_aborted", 0]);
});

test("a signal's listener goes when the token is there", async () => {
  const own = new OwnSignal();
  const { credential } = recording();
  await credential.getToken(SCOPE, { abortSignal: own });
  assertEquals(own.listeners.size, 0);
});

for (const abortSignal of [{}, { aborted: false }, 1] as unknown as AbortSignalLike[]) {
  test(`what is no signal is refused: ${JSON.stringify(abortSignal)}`, async () => {
    const { credential } = recording();
    assertEquals((await failure(credential.getToken(SCOPE, { abortSignal }))).code, "invalid_request");
  });
}

test("requestOptions.timeout ends the wait by the application's clock, and clears its timer", async () => {
  const clock = new FakeClock();
  const { app } = fixture(() => never, { clock }, clock);
  const waiting = failure(createTokenCredential(app).getToken(SCOPE, { requestOptions: { timeout: 50 } }));
  await clock.advance(49);
  let over = false;
  waiting.then(() => over = true);
  await clock.advance(0);
  assertFalse(over);
  await clock.advance(1);
  const error = await waiting;
  assertEquals([error.name, error.code], ["NetworkError", "request_timeout"]);
});

test("a timeout that no timer takes is none, and what is no number is refused", async () => {
  const { credential } = recording();
  for (const timeout of [0, -1, 2 ** 31, Infinity]) {
    assertEquals((await credential.getToken(SCOPE, { requestOptions: { timeout } })).token, "AT");
  }
  for (const timeout of [NaN, "5"] as number[]) {
    const { code } = await failure(credential.getToken(SCOPE, { requestOptions: { timeout } }));
    assertEquals(code, "invalid_request");
  }
});

test("a user's token comes from the cache of their sign-in, and another account's does not", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const { account, accessToken } = await entra.signIn(app, {}, { scope: "openid profile User.Read" }, [
    "User.Read",
  ]);
  assert(account);
  const credential: TokenCredential = createTokenCredential({ app, account });
  assertEquals((await credential.getToken(["User.Read"]))?.token, accessToken);
  const stranger = createTokenCredential({ app, account: `${OTHER}.${OTHER}` });
  const error = await failure(stranger.getToken(["User.Read"]));
  assertEquals([error.name, error.code], ["InteractionRequiredAuthError", "no_tokens_found"]);
});

test("on behalf of a caller: the assertion, the scopes and the challenge reach the application", async () => {
  const { app } = fixture();
  const asked: unknown[] = [];
  app.acquireTokenOnBehalfOf = (request) => {
    asked.push(request);
    const result = { accessToken: "OBO", tokenType: "Bearer", expiresOn: new Date(1) };
    return Promise.resolve(result as AuthenticationResult);
  };
  const waitUntil = () => {};
  const credential = createTokenCredential({ app, userAssertion: "caller's token" }, { waitUntil });
  assertEquals((await credential.getToken(SCOPE, { claims: CLAIMS, enableCae: true })).token, "OBO");
  assertEquals(asked, [{
    scopes: [SCOPE],
    claims: CLAIMS,
    tenantId: undefined,
    waitUntil,
    signal: undefined,
    forwardedClientClaims: undefined,
    userAssertion: "caller's token",
  }]);
});

test("on behalf of a caller, at the local authority: once, and then from the cache", async () => {
  const clock = new FakeClock();
  const authority = new LocalAuthority({ ...ON_BEHALF_OF, clock });
  const app = new ConfidentialClientApplication({
    clientId: ORDERS_APP.clientId,
    clientCredential: ORDERS_APP.secrets[0],
    authority: `https://login.microsoftonline.com/${authority.defaults.tenantId}`,
    fetch: authority.fetch,
    clock,
  });
  const userAssertion = await authority.issueUserToken({
    resource: ORDERS_APP.clientId,
    scopes: ["Orders.Read"],
  });
  const credential = createTokenCredential({ app, userAssertion });
  const token = await credential.getToken("api://ledger/Ledger.Read", { enableCae: true });
  assertEquals(decodeJwt(token.token).aud, LEDGER_API.appId);
  assertEquals(await credential.getToken(["api://ledger/Ledger.Read"]), token);
  assertEquals(authority.countRequests({ kind: "token" }), 1);
  const pay = await failure(credential.getToken("api://payroll/Pay.Read"));
  assertEquals([pay.name, pay.code], ["InteractionRequiredAuthError", "interaction_required"]);
});

test("a timeout that no timer takes does not end the wait at once", async () => {
  const late = async (): Promise<AuthenticationResult> => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    return { accessToken: "AT", tokenType: "Bearer", expiresOn: new Date(1) } as AuthenticationResult;
  };
  const credential = createTokenCredential(late);
  assertEquals((await credential.getToken(SCOPE, { requestOptions: { timeout: 2 ** 31 } })).token, "AT");
});

test("a function is asked, and judges the tenant itself", async () => {
  const { asked, credential } = recording({ refreshOn: new Date(4_000) });
  const token = await credential.getToken("a", { tenantId: OTHER, claims: CLAIMS, enableCae: true });
  assertEquals(token, {
    token: "AT",
    expiresOnTimestamp: 5_000,
    refreshAfterTimestamp: 4_000,
    tokenType: "Bearer",
  });
  const [{ scopes, tenantId, claims, signal } = {}] = asked as Partial<CredentialRequest>[];
  assertEquals([scopes, tenantId, claims, signal], [["a"], OTHER, CLAIMS, undefined]);
});

const WRONG: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  "no token": { tokenType: "Bearer", expiresOn: new Date(1) },
  "no time": { accessToken: "AT", tokenType: "Bearer", expiresOn: new Date(NaN) },
  "a type that Azure's clients do not know": {
    accessToken: "AT",
    tokenType: "ssh-cert",
    expiresOn: new Date(1),
  },
};
for (const [name, result] of Object.entries(WRONG)) {
  test(`what a function gives is checked: ${name}`, async () => {
    const credential = createTokenCredential(() => Promise.resolve(result as AuthenticationResult));
    assertEquals((await failure(credential.getToken(SCOPE))).code, "unexpected_error");
  });
}

test("what a function throws is wrapped without its message, and errors of ours pass", async () => {
  const own = new ClientAuthError("unexpected_error", "ours");
  assertStrictEquals(await failure(createTokenCredential(() => Promise.reject(own)).getToken(SCOPE)), own);
  for (
    const throwing of [() => Promise.reject(new TypeError(SECRET)), () => {
      throw new TypeError(SECRET);
    }]
  ) {
    const error = await failure(createTokenCredential(throwing).getToken(SCOPE));
    assertEquals(error.code, "unexpected_error");
    assert(error.message.includes("TypeError") && !error.message.includes(SECRET));
  }
});

const SOURCES: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  "a lookalike": () => ({ acquireTokenForClient: () => {} }),
  "no application": () => ({ app: {}, account: "a" }),
  "no account": () => ({ app: fixture().app }),
  "both an account and an assertion": () => ({ app: fixture().app, account: "a", userAssertion: "b" }),
  "an empty assertion": () => ({ app: fixture().app, userAssertion: "" }),
  "a public client's own tokens": () => publicClient(),
  "on behalf of, by a public client": () => ({ app: publicClient(), userAssertion: "a" }),
};
for (const [name, source] of Object.entries(SOURCES)) {
  test(`a source is checked at once: ${name}`, () => {
    assertEquals(thrown(() => createTokenCredential(source() as TokenSource)).code, "invalid_option");
  });
}

function publicClient(): PublicClientApplication {
  return new PublicClientApplication({ clientId: CLIENT_ID, authority: AUTHORITY });
}
