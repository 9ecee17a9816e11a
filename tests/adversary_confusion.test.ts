/**
 * One user's token never reaches another.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  type AccountInfo,
  type AuthCodeFlow,
  type AuthenticationResult,
  isAuthError,
  TokenCache,
} from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import {
  callback,
  CLIENT_ID,
  clientInfo,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  nonceOf,
  OTHER_TENANT_ID,
  REDIRECT_URI,
  signed,
  signingKey,
  TENANT_ID,
  USER_ID,
} from "./support/entra_double.ts";
import { jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const SCOPES = ["User.Read"];
const HOUR_MS = 3_600_000;
const guid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;

/** Users whose every answer says whose it is, by their numbers. */
function crowd(entra: EntraDouble, size: number) {
  const users = Array.from({ length: size }, (_, n) => ({ oid: guid(n), sub: `sub ${n}`, n }));
  const answerTo = async (n: number, claims: object, members: object): Promise<Response> => {
    const { oid, sub } = users[n]!;
    return Response.json(
      await entra.answer({ oid, sub, preferred_username: `u${n}@x`, ...claims }, {
        client_info: clientInfo(oid),
        ...members,
      }),
    );
  };
  const redeemed = (flows: readonly AuthCodeFlow[]) => ({ form }: RecordedRequest): Promise<Response> => {
    const n = Number(form.get("code"));
    const members = { access_token: `AT ${n} first`, refresh_token: `RT ${n}` };
    return answerTo(n, { nonce: nonceOf(flows[n]!) }, members);
  };
  let turn = 0;
  // Some requests fail, and the answers come in another order.
  const refreshed = async ({ form }: RecordedRequest): Promise<Response> => {
    const n = Number(/^RT (\d+)/.exec(form.get("refresh_token") ?? "")?.[1]);
    const mine = turn++;
    if (mine % 7 === 0) throw new TypeError("reset");
    if (mine % 11 === 0) return Response.json({ error: "server_error" }, { status: 503 });
    for (let i = 0; i < mine % 5; i++) await Promise.resolve();
    const kind = form.get("scope")?.includes("Mail.Read") ? "mail" : "user";
    return await answerTo(n, {}, {
      access_token: `AT ${n} ${kind}`,
      refresh_token: `RT ${n} next`,
      scope: undefined,
    });
  };
  return { users, redeemed, refreshed };
}

function assertIsOf(n: number, accessToken: string, result: AuthenticationResult): void {
  const { account, idTokenClaims } = result;
  // Also of those who were evicted meanwhile.
  assertEquals(
    [result.accessToken, account?.homeAccountId, idTokenClaims?.oid],
    [accessToken, `${guid(n)}.${TENANT_ID}`, guid(n)],
  );
}

test("R-105 R-117 200 users at once, with faults, retries and single flight: everybody gets their own token", async () => {
  const entra = entraDouble();
  const tokenCache = new TokenCache({ store: countingStore(entra.clock), memory: { maxEntries: 250 } });
  const app = entra.confidential({ tokenCache });
  const { users, redeemed, refreshed } = crowd(entra, 200);
  const flows = await Promise.all(
    users.map(() => app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI })),
  );
  entra.next(...users.map(() => redeemed(flows)));
  const signedIn = await entra.settle(Promise.all(
    flows.map((flow, n) => app.acquireTokenByAuthCodeFlow(flow, callback(flow, { code: `${n}` }))),
  ));
  signedIn.forEach((result, n) => assertIsOf(n, `AT ${n} first`, result));
  assertEquals(entra.gets.length, 1);
  await entra.clock.advance(HOUR_MS);
  entra.next(...Array.from({ length: 2_000 }, () => refreshed));
  const calls = users.flatMap(({ oid, n }) =>
    [SCOPES, ["Mail.Read"], SCOPES].map(async (scopes, i) => {
      const account = i === 2 ? `${oid}.${TENANT_ID}`.toUpperCase() : `${oid}.${TENANT_ID}`;
      const result = await app.acquireTokenSilent({ account, scopes }).catch((error) => error);
      return { result, n, kind: scopes === SCOPES ? "user" : "mail" };
    })
  );
  let served = 0;
  const failures: Record<string, number> = {};
  for (const { result, n, kind } of await entra.settle(Promise.all(calls))) {
    if (result instanceof Error) {
      assert(isAuthError(result), String(result));
      failures[result.code] = (failures[result.code] ?? 0) + 1;
      continue;
    }
    served++;
    assertIsOf(n, `AT ${n} ${kind}`, result as AuthenticationResult);
  }
  assert(served > 400, JSON.stringify(failures));
});

/** Ids that have confused caches before. */
const ODD_IDS = [
  "a",
  "A",
  "a.b",
  "a/b",
  "a-b",
  "a|b",
  "a b",
  "a#b",
  "a%23b",
  "__proto__",
  "constructor",
  "toString",
  "ä",
  "a\u0308",
  "İ",
  "i̇",
  "ſ",
  "s",
  "K",
  "k",
  "\u200ba",
  "a\ud800",
  "a\ufffd",
  "x".repeat(255),
  "x".repeat(254),
];

test("R-051 R-117 R-188 subjects that look alike at one issuer are different users, in memory, in JSON and in a store", async () => {
  const entra = entraDouble();
  const issuer = "https://idp.example/realms/main";
  entra.documents = ({ url }) => {
    if (url.endsWith("/keys")) return async () => jsonResponse({ keys: [(await signingKey()).jwk] });
    return jsonResponse({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
    });
  };
  const store = countingStore(entra.clock);
  const options = (tokenCache: TokenCache) => ({ authority: undefined, oidcAuthority: issuer, tokenCache });
  const app = entra.confidential(options(new TokenCache({ store })));
  const memory = new TokenCache();
  const shared = entra.confidential(options(memory));
  for (const one of [app, shared]) {
    for (const sub of ODD_IDS) {
      await entra.signIn(one, { iss: issuer, sub, oid: undefined, tid: undefined }, {
        access_token: `AT of ${sub}`,
      });
    }
  }
  const again = new TokenCache();
  again.deserialize(memory.serialize());
  const readers = {
    memory: shared,
    "JSON": entra.confidential(options(again)),
    "cold store": entra.confidential(options(new TokenCache({ store }))),
  };
  const found: string[] = [];
  const posts = entra.posts.length;
  for (const [where, reader] of Object.entries(readers)) {
    for (const sub of ODD_IDS) {
      const result = await reader.acquireTokenSilent({ account: `${issuer}#${sub}`, scopes: SCOPES }).catch((
        error,
      ) => error);
      const { accessToken, idTokenClaims } = result as AuthenticationResult;
      // A lone surrogate has no spelling in UTF-8.
      if (sub === "a\ud800") {
        assert(accessToken === undefined || accessToken.startsWith("AT of a"));
        continue;
      }
      if (accessToken !== `AT of ${sub}` || idTokenClaims?.sub !== sub) {
        found.push(`${where} ${sub.slice(0, 20)}: ${accessToken ?? result}`);
      }
    }
  }
  assertEquals(found, []);
  assertEquals(entra.posts.length, posts);
});

test("R-051 equal subjects at two issuers that share a cache are two users", async () => {
  const tokenCache = new TokenCache();
  const apps = ["https://idp.example/a", "https://idp.example/b", "https://idp2.example/a"].map((issuer) => {
    const entra = entraDouble();
    entra.documents = ({ url }) =>
      url.endsWith("/keys") ? async () => jsonResponse({ keys: [(await signingKey()).jwk] }) : jsonResponse({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
      });
    return { entra, issuer, app: entra.public({ authority: undefined, oidcAuthority: issuer, tokenCache }) };
  });
  for (const { entra, issuer, app } of apps) {
    await entra.signIn(app, { iss: issuer, sub: "same", oid: undefined, tid: undefined }, {
      access_token: issuer,
    });
  }
  for (const { issuer, app, entra } of apps) {
    const account = `${issuer}#same`;
    assertEquals((await app.acquireTokenSilent({ account, scopes: SCOPES })).accessToken, issuer);
    assertEquals((await app.getAccounts()).map(({ homeAccountId }) => homeAccountId), [account]);
    for (const other of apps.filter((one) => one.issuer !== issuer)) {
      const account = `${other.issuer}#same`;
      // Above all its refresh token is not sent to this one's endpoint.
      const error = await entra.refused(app.acquireTokenSilent({ account, scopes: SCOPES }));
      assertEquals([error.code, entra.posts.length], ["no_tokens_found", 1]);
      assertEquals(await app.getAccount(account), null);
    }
  }
});

test("R-117 a store that answers every key with one user's partition serves nobody else with it", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store }) }));
  const [[, value] = ["", ""]] = [...store.values].filter(([, text]) => text.includes("AT 1"));
  const mixed = new TokenCache({
    store: {
      cas: false,
      get: () => Promise.resolve({ value }),
      set: () => Promise.resolve({ ok: true }),
      delete: () => Promise.resolve(),
    },
  });
  const app = entra.confidential({ tokenCache: mixed });
  const other = `${OTHER_TENANT_ID}.${TENANT_ID}`;
  assertEquals(await app.getAccount(other), null);
  const error = await entra.refused(app.acquireTokenSilent({ account: other, scopes: SCOPES }));
  assertEquals(error.code, "no_tokens_found");
  const foreign = entra.confidential({ tokenCache: mixed, clientId: OTHER_TENANT_ID });
  // An account is of no client, and tells no more than the user's name; tokens are of one.
  const none = await entra.refused(foreign.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES }));
  assertEquals(none.code, "no_tokens_found");
  const cloud = entra.confidential({
    tokenCache: mixed,
    authority: `https://login.microsoftonline.us/${TENANT_ID}`,
  });
  assertEquals(await cloud.getAccount(HOME_ACCOUNT_ID), null);
  assertEquals(entra.posts.length, 1);
  // The user whose it is has it.
  assertEquals(
    (await app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES })).accessToken,
    "AT 1",
  );
});

test("an account that the caller forged gets the tokens of its homeAccountId alone, whatever else it says", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ authority: `${HOST}/common` });
  await entra.signIn(app, {}, { access_token: "AT A" });
  await entra.signIn(app, { oid: guid(7), sub: "b" }, {
    access_token: "AT B",
    client_info: clientInfo(guid(7)),
  });
  const b = (await app.getAccount(`${guid(7)}.${TENANT_ID}`))!;
  const forged: AccountInfo = { ...b, homeAccountId: HOME_ACCOUNT_ID };
  assertEquals((await app.acquireTokenSilent({ account: forged, scopes: SCOPES })).accessToken, "AT A");
  for (
    const homeAccountId of ["__proto__", "constructor", `${USER_ID}`, `.${TENANT_ID}`, `${HOME_ACCOUNT_ID}.x`]
  ) {
    const error = await entra.refused(
      app.acquireTokenSilent({ account: { ...b, homeAccountId }, scopes: SCOPES }),
    );
    assertEquals(error.code, "no_tokens_found");
  }
  for (const tenantId of ["__proto__", "../x", "", 7, null] as Any[]) {
    const { accessToken } = await app.acquireTokenSilent({ account: { ...b, tenantId }, scopes: SCOPES });
    assertEquals(accessToken, "AT B");
  }
  entra.next(() => Response.json({ error: "invalid_request" }, { status: 400 }));
  await entra.refused(
    app.acquireTokenSilent({ account: { ...b, tenantId: OTHER_TENANT_ID }, scopes: SCOPES }),
  );
  assertEquals(entra.posts.at(-1)?.url, `${HOST}/${OTHER_TENANT_ID}/oauth2/v2.0/token`);
});

/** Changes everything of a request that can be changed. */
function spoil(request: Any): void {
  request.scopes?.splice(0, 1, "Evil.All");
  for (const name of ["extraBodyParameters", "extraQueryParameters"]) {
    if (request[name]) Object.assign(request[name], { x: "evil", client_id: "evil" });
  }
  Object.assign(request, {
    account: "evil",
    tenantId: OTHER_TENANT_ID,
    claims: '{"evil":1}',
    refreshToken: "evil",
  });
}

/** A request that fits every method. */
function anyRequest(): Any {
  return {
    scopes: ["User.Read"],
    extraBodyParameters: { x: "1" },
    extraQueryParameters: { y: "2" },
    redirectUri: REDIRECT_URI,
    code: "c",
    codeVerifier: "v".repeat(43),
    refreshToken: "RT 0",
    account: HOME_ACCOUNT_ID,
    nonce: undefined,
  };
}

test("a request that is changed after the call began changes nothing: silent, code, device and migration", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const device = {
    device_code: "DC",
    user_code: "UC",
    verification_uri: "https://x.example",
    expires_in: 900,
    interval: 5,
  };
  const calls: Record<string, (one: Any) => Promise<unknown>> = {
    code: (one) => app.acquireTokenByAuthorizationCode(one),
    silent: (one) => app.acquireTokenSilent({ ...one, scopes: one.scopes, forceRefresh: true }),
    migration: (one) => app.acquireTokenByRefreshToken(one),
    device: (one) => app.initiateDeviceFlow(one),
  };
  for (const [name, call] of Object.entries(calls)) {
    const one = anyRequest();
    entra.next(name === "device" ? device : await entra.answer({}, { scope: undefined }));
    const promise = call(one);
    spoil(one);
    const result = await entra.settle(promise) as Any;
    const { url, body } = entra.posts.at(-1)!;
    assert(!/evil/i.test(decodeURIComponent(url + body)), `${name}: ${body}`);
    assert(!/evil/i.test(JSON.stringify(result)), name);
    assert(url.includes(`/${TENANT_ID}/`) && url.includes("y=2") && body.includes("x=1"), name);
  }
});

test("R-036 a flow and a redemption that are changed after the call began change nothing", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const flow = await app.initiateAuthCodeFlow({
    scopes: ["User.Read", "Mail.Read"],
    redirectUri: REDIRECT_URI,
  });
  const own = { ...flow, scopes: [...flow.scopes] };
  const redemption = anyRequest();
  entra.next(await entra.answer({ nonce: nonceOf(flow) }, { scope: undefined }));
  const promise = app.acquireTokenByAuthCodeFlow(own, callback(flow), {
    scopes: redemption.scopes,
    extraBodyParameters: redemption.extraBodyParameters,
  });
  spoil(redemption);
  spoil(own);
  const result = await entra.settle(promise);
  assertEquals(result.scopes, ["User.Read"]);
  assert(!/evil/i.test(entra.posts.at(-1)!.body));
});

test("R-050 R-053..R-056 a hostile token answer never becomes another user's, and leaves nothing behind", async () => {
  const rows: Record<string, [Any, Any?]> = {
    "client_info of another user at home": [{}, { client_info: clientInfo(guid(9)) }],
    "client_info that is no text": [{}, { client_info: { uid: guid(9), utid: TENANT_ID } }],
    "client_info with paths": [{}, { client_info: clientInfo("../x", "y") }],
    "client_info that is huge": [{}, { client_info: "A".repeat(1_000_000) }],
    "client_info of __proto__": [{}, { client_info: btoa('{"__proto__":{"uid":"x","utid":"y"}}') }],
    "an ID token for another client": [{ aud: OTHER_TENANT_ID }],
    "an ID token for two clients": [{ aud: [CLIENT_ID, OTHER_TENANT_ID] }],
    "an ID token of another authorized party": [{ azp: OTHER_TENANT_ID }],
    "tid of another tenant": [{ tid: OTHER_TENANT_ID }],
    "TID beside tid": [{ TID: OTHER_TENANT_ID }],
    "an oid that is no GUID": [{ oid: "__proto__" }],
    "an oid that is a list": [{ oid: [USER_ID] }],
    "no sub": [{ sub: undefined }],
    "a sub that is too long": [{ sub: "x".repeat(256) }],
  };
  for (const [what, [claims, members]] of Object.entries(rows)) {
    const entra = entraDouble();
    const app = entra.confidential();
    const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
    entra.next(await entra.answer({ nonce: nonceOf(flow), ...claims }, members));
    const error = await failure(entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow))));
    assertEquals(error.name, "ClientAuthError", what);
    assertEquals([entra.tokenCache.size, entra.tokenCache.users], [0, 0], what);
  }
});

test("claims called __proto__ and constructor are claims, and change nothing", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  const base = JSON.parse(
    atob(
      (await entra.idToken({ nonce: nonceOf(flow) })).split(".")[1]!.replaceAll("-", "+").replaceAll(
        "_",
        "/",
      ),
    ),
  );
  const claims = JSON.parse(
    `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},${JSON.stringify(base).slice(1)}`,
  );
  entra.next(await entra.answer({}, { id_token: await signed(claims), ["__proto__"]: { polluted: 1 } }));
  const result = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals((result.idTokenClaims as Any).polluted, undefined);
  assertEquals(({} as Any).polluted, undefined);
  const cold = entraDouble();
  cold.tokenCache.deserialize(entra.tokenCache.serialize());
  const { idTokenClaims } = await cold.confidential().acquireTokenSilent({
    account: HOME_ACCOUNT_ID,
    scopes: SCOPES,
  });
  assertEquals(idTokenClaims?.oid, USER_ID);
  assertEquals((idTokenClaims as Any).polluted, undefined);
});

test("scopes of an answer with odd characters are kept as they are, and open nobody else's token", async () => {
  for (
    const scope of [
      "User.Read\nMail.Read",
      "User.Read\tMail.Read",
      "__proto__",
      "User.Read  openid",
      "\u0000",
      "ſ",
      "User.Read ".repeat(2_000),
    ]
  ) {
    const entra = entraDouble();
    const app = entra.confidential();
    await entra.signIn(app, {}, { scope });
    const own = await app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES });
    assertEquals(own.accessToken, "AT 1");
    const error = await entra.refused(
      app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["Mail.Read"] }),
    );
    assertEquals([error.code, entra.posts.at(-1)?.form.get("scope")], [
      "network_error",
      "Mail.Read offline_access openid profile",
    ]);
  }
});

test("R-204 an AbortSignal of another realm ends the call, and one that is half is refused", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: "why",
    addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => void listeners.delete(listener),
  };
  await entra.signIn(app);
  const half = await failure(
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES, signal: { aborted: false } as Any }),
  );
  assertEquals([half.code, "option" in half && half.option], ["invalid_request", "signal"]);
  entra.next(() => new Promise(() => {}));
  const call = app.acquireTokenSilent({
    account: HOME_ACCOUNT_ID,
    scopes: SCOPES,
    forceRefresh: true,
    signal: signal as Any,
  });
  call.catch(() => {});
  await entra.clock.advance(0);
  for (const listener of listeners) listener();
  assertEquals((await failure(call)).code, "request_aborted");
  assertEquals(listeners.size, 0);
});
