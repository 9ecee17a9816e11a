/**
 * Everything at once: removals, refreshes, stores that fail or lie, eviction, and clocks that jump..
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { base64url, SignJWT } from "jose";
import { isAuthError, type Store, TokenCache } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import {
  callback,
  clientInfo,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  nonceOf,
  REDIRECT_URI,
  signingKey,
  TENANT_ID,
  USER_ID,
} from "./support/entra_double.ts";
import { jumping } from "./support/fake_clock.ts";
import { jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { deferred } from "./support/token_server.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const SCOPES = ["User.Read"];
const ASK = { account: HOME_ACCOUNT_ID, scopes: SCOPES };
const HOUR_MS = 3_600_000;

/** A reply that waits until it is opened. */
async function gated(
  entra: EntraDouble,
  members: Record<string, unknown> = {},
  claims: Record<string, unknown> = {},
) {
  const { promise, resolve: open } = deferred<void>();
  const body = await entra.answer(claims, members);
  return { reply: () => promise.then(() => Response.json(body)), open };
}

const STORES: Record<string, (entra: EntraDouble) => Store | undefined> = {
  memory: () => undefined,
  "a store with CAS": (entra) => countingStore(entra.clock),
  "a store without CAS": (entra) => countingStore(entra.clock, false),
};

for (const [where, makeStore] of Object.entries(STORES)) {
  test(`R-116 removeAccount against a refresh in every order: the user does not reappear, ${where}`, async () => {
    for (const order of ["before the answer", "after the answer", "twice", "while it is written"]) {
      const entra = entraDouble();
      const store = makeStore(entra);
      const make = () => entra.confidential({ tokenCache: new TokenCache(store && { store }) });
      const app = make();
      await entra.signIn(app);
      await entra.clock.advance(HOUR_MS);
      const { reply, open } = await gated(entra);
      entra.next(reply);
      const call = app.acquireTokenSilent(ASK).catch((error) => assert(isAuthError(error)));
      await entra.clock.advance(0);
      const calls: Promise<unknown>[] = [call];
      if (order === "after the answer") open();
      if (order === "while it is written" && store) {
        const counting = store as ReturnType<typeof countingStore>;
        counting.beforeSet = () => {
          counting.beforeSet = undefined;
          calls.push(app.removeAccount(HOME_ACCOUNT_ID));
          return Promise.resolve();
        };
      } else calls.push(app.removeAccount(HOME_ACCOUNT_ID));
      if (order === "twice") calls.push(app.removeAccount(HOME_ACCOUNT_ID));
      open();
      await entra.settle(Promise.all(calls));
      if (calls.length === 1) await entra.settle(app.removeAccount(HOME_ACCOUNT_ID));
      for (const one of [app, ...(store ? [make()] : [])]) {
        assertEquals(await entra.settle(one.getAccount(HOME_ACCOUNT_ID)), null, order);
        assertEquals((await entra.refused(one.acquireTokenSilent(ASK))).code, "no_tokens_found", order);
      }
    }
  });

  test(`R-116 a sign-in that ends after a removal stays out, one that begins after it stays in, ${where}`, async () => {
    const entra = entraDouble();
    const store = makeStore(entra);
    const make = () => entra.confidential({ tokenCache: new TokenCache(store && { store }) });
    const app = make();
    await entra.signIn(app);
    const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
    const { reply, open } = await gated(entra, { access_token: "late" }, { nonce: nonceOf(flow) });
    entra.next(reply);
    const late = app.acquireTokenByAuthCodeFlow(flow, callback(flow));
    await entra.clock.advance(0);
    await entra.settle(app.removeAccount(HOME_ACCOUNT_ID));
    open();
    const { accessToken, account } = await entra.settle(late);
    // Who signed in has a result that says so, though nothing of it is kept.
    assertEquals([accessToken, account?.homeAccountId], ["late", HOME_ACCOUNT_ID]);
    assertEquals(await entra.settle(app.getAccount(HOME_ACCOUNT_ID)), null);
    const again = await entra.signIn(app);
    for (const one of [app, ...(store ? [make()] : [])]) {
      assertEquals((await one.acquireTokenSilent(ASK)).accessToken, again.accessToken);
    }
  });
}

test("R-107 R-109 two isolates that rotate one refresh token at once end with one that works", async () => {
  for (const cas of [true, false]) {
    const entra = entraDouble();
    const store = countingStore(entra.clock, cas);
    const make = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
    await entra.signIn(make());
    await entra.clock.advance(HOUR_MS);
    // The first that comes gets a successor; whoever sends a spent one is refused.
    const alive = new Set(["RT 1"]);
    let count = 100;
    const rotate = async ({ form }: RecordedRequest): Promise<Response> => {
      const sent = form.get("refresh_token") ?? "";
      if (!alive.delete(sent)) return Response.json({ error: "invalid_grant" }, { status: 400 });
      const next = `RT ${++count}`;
      alive.add(next);
      return Response.json(await entra.answer({}, { refresh_token: next, access_token: `AT ${count}` }));
    };
    entra.next(...Array.from({ length: 50 }, () => rotate));
    const isolates = Array.from({ length: 6 }, make);
    await entra.settle(Promise.allSettled(isolates.map((one) => one.acquireTokenSilent(ASK))));
    await entra.clock.advance(HOUR_MS);
    const { accessToken } = await entra.settle(make().acquireTokenSilent(ASK));
    assert(accessToken.startsWith("AT 10"), `${cas}: ${accessToken}`);
  }
});

test("R-110 a waitUntil that throws costs nobody the tokens that a code was spent for", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  const waitUntil = (): never => {
    throw new TypeError("Illegal invocation");
  };
  const { accessToken } = await entra.settle(
    app.acquireTokenByAuthCodeFlow(flow, callback(flow), { waitUntil }),
  );
  assertEquals(accessToken, "AT 2");
  const cold = entra.confidential();
  assertEquals((await cold.acquireTokenSilent(ASK)).accessToken, "AT 2");
});

const LIES: Record<string, Partial<Store>> = {
  "throws at once": {
    get: () => {
      throw new Error("x");
    },
    set: () => {
      throw new Error("x");
    },
    delete: () => {
      throw new Error("x");
    },
  },
  hangs: {
    get: () => new Promise(() => {}),
    set: () => new Promise(() => {}),
    delete: () => new Promise(() => {}),
  },
  "returns no promise": {
    get: (() => undefined) as Any,
    set: (() => undefined) as Any,
    delete: (() => {}) as Any,
  },
  "returns null": { get: () => Promise.resolve(null) as Any, set: () => Promise.resolve(null) as Any },
  "returns numbers": { get: () => Promise.resolve(5) as Any, set: () => Promise.resolve(5) as Any },
  "returns a text": { get: () => Promise.resolve("{}") as Any },
  "returns garbage": { get: () => Promise.resolve({ value: '{"AccessToken":', version: 7 }) as Any },
  "returns getters that throw": {
    get: () =>
      Promise.resolve({
        get value(): string {
          throw new RangeError("x");
        },
      }),
    set: () =>
      Promise.resolve({
        get ok(): boolean {
          throw new RangeError("x");
        },
      }),
  },
  "refuses every write": { cas: true, set: () => Promise.resolve({ ok: false }) },
  "returns 1 MB of nesting": { get: () => Promise.resolve({ value: '{"a":'.repeat(200_000) }) },
};
for (const [what, lie] of Object.entries(LIES)) {
  for (const option of ["tokenCache", "httpCache"] as const) {
    test(`R-128 a ${option} that ${what} costs no sign-in, no refresh and no removal`, async () => {
      const entra = entraDouble();
      const store: Store = {
        cas: false,
        get: () => Promise.resolve(undefined),
        set: () => Promise.resolve({ ok: true }),
        delete: () => Promise.resolve(),
        ...lie,
      };
      const app = entra.confidential(
        option === "httpCache" ? { httpCache: store } : { tokenCache: new TokenCache({ store }) },
      );
      assertEquals((await entra.signIn(app)).accessToken, "AT 1");
      assertEquals((await entra.settle(app.acquireTokenSilent(ASK))).accessToken, "AT 1");
      entra.next(await entra.answer());
      const forced = await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
      assertEquals([forced.accessToken, forced.account?.homeAccountId], ["AT 2", HOME_ACCOUNT_ID]);
      await entra.settle(app.removeAccount(HOME_ACCOUNT_ID).catch((error) => assert(isAuthError(error))));
      const error = await entra.refused(app.acquireTokenSilent(ASK));
      assertEquals(error.code, "no_tokens_found");
    });
  }
}

test("R-108 a store that returns yesterday's refresh token costs one refused request, no sign-in", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock, false);
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store }) }));
  const old = new Map(store.values);
  await entra.clock.advance(HOUR_MS);
  entra.next(await entra.answer());
  await entra.settle(entra.confidential({ tokenCache: new TokenCache({ store }) }).acquireTokenSilent(ASK));
  await entra.clock.advance(HOUR_MS);
  let isStale = true;
  const stale: Store = {
    ...store,
    get: async (key) => {
      const value = old.get(key);
      if (!isStale || value === undefined) return await store.get(key);
      isStale = false;
      return { value };
    },
  };
  entra.next(() => Response.json({ error: "invalid_grant" }, { status: 400 }), await entra.answer());
  const app = entra.confidential({ tokenCache: new TokenCache({ store: stale }) });
  await entra.settle(app.acquireTokenSilent(ASK));
  assertEquals(entra.posts.slice(2).map(({ form }) => form.get("refresh_token")), ["RT 1", "RT 2"]);
});

test("R-119 a user who is too large for the memory, or evicted during the flight, has a result that names them", async () => {
  const entra = entraDouble();
  const tiny = entra.confidential({ tokenCache: new TokenCache({ memory: { maxBytes: 3_000 } }) });
  const big = await entra.signIn(tiny, { name: "n".repeat(3_000) });
  assertEquals([big.account?.homeAccountId, big.idTokenClaims?.oid], [HOME_ACCOUNT_ID, USER_ID]);
  const store = countingStore(entra.clock);
  const tokenCache = new TokenCache({ store, memory: { maxEntries: 1 } });
  const app = entra.confidential({ tokenCache });
  await entra.signIn(app);
  await entra.clock.advance(HOUR_MS);
  const { reply, open } = await gated(entra);
  entra.next(reply);
  const call = app.acquireTokenSilent(ASK);
  await entra.clock.advance(0);
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  const other = { oid: TENANT_ID, sub: "other", nonce: nonceOf(flow) };
  entra.next(await entra.answer(other, { client_info: clientInfo(TENANT_ID) }));
  await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  open();
  const { account, idTokenClaims } = await entra.settle(call);
  assertEquals([account?.homeAccountId, idTokenClaims?.oid], [HOME_ACCOUNT_ID, USER_ID]);
});

test("decision 4: whose user was evicted but not their token asks the store, not the authority", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  // Family members count twice among users, and once among tokens.
  const app = entra.confidential({ tokenCache: new TokenCache({ store, memory: { maxEntries: 4 } }) });
  const ids = [USER_ID, ...Array.from({ length: 3 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`)];
  for (const oid of ids) {
    await entra.signIn(app, { oid, sub: oid }, { client_info: clientInfo(oid), foci: "1" });
  }
  const posts = entra.posts.length;
  for (const waitUntil of [undefined, () => {}]) {
    for (const oid of ids) {
      const account = `${oid}.${TENANT_ID}`;
      const found = await entra.settle(
        app.acquireTokenSilent({ account, scopes: SCOPES, ...(waitUntil && { waitUntil }) }),
      );
      assertEquals(found.account?.homeAccountId, account);
    }
  }
  assertEquals(entra.posts.length, posts);
});

test("50 codes at once: one download of the keys, one request each, and everybody signs in once", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flows = await Promise.all(
    Array.from({ length: 50 }, () => app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI })),
  );
  entra.next(...flows.map(() => async ({ form }: RecordedRequest) => {
    const flow = flows[Number(form.get("code"))]!;
    assertEquals(form.get("code_verifier"), flow.codeVerifier);
    return Response.json(await entra.answer({ nonce: nonceOf(flow) }));
  }));
  const pairs = flows.map((flow, n) => {
    const call = () => app.acquireTokenByAuthCodeFlow(flow, callback(flow, { code: `${n}` }));
    return Promise.allSettled([call(), call()]);
  });
  for (const pair of await entra.settle(Promise.all(pairs))) {
    assertEquals(pair.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    for (const one of pair) if (one.status === "rejected") assertEquals(one.reason.code, "auth_flow_used");
  }
  assertEquals([entra.gets.length, entra.posts.length], [1, 50]);
});

test("R-090 R-201 after a clock that ran a year ahead comes back, keys are renewed as before", async () => {
  const entra = entraDouble();
  const { clock, offset } = jumping(entra.clock);
  const app = entra.confidential({ clock });
  const { privateKey, jwk } = await signingKey();
  let kid = "test-key";
  entra.documents = ({ url }) =>
    url.endsWith("/keys") ? jsonResponse({ keys: [{ ...jwk, kid }] }) : undefined;
  const signIn = async (own: string, signedAs = own): Promise<string> => {
    kid = own;
    const iat = Math.floor(clock.now() / 1000);
    const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
    const token = await entra.idToken({ nonce: nonceOf(flow), iat, nbf: iat, exp: iat + 3600 });
    const claims = JSON.parse(new TextDecoder().decode(base64url.decode(token.split(".")[1]!)));
    const id_token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: signedAs }).sign(
      privateKey,
    );
    entra.next(await entra.answer({}, { id_token }));
    const call = app.acquireTokenByAuthCodeFlow(flow, callback(flow));
    return await entra.settle(call.then(({ accessToken }) => accessToken.slice(0, 2), (error) => error.code));
  };
  assertEquals(await signIn("one"), "AT");
  offset.ms = 365 * 24 * HOUR_MS;
  assertEquals(await signIn("two"), "AT");
  assertEquals(await signIn("two", "unknown"), "id_token_key_not_found");
  offset.ms = 0;
  await entra.clock.advance(600_000);
  // Unknown keys are looked for, and a key that is gone counts no longer than a day.
  assertEquals(await signIn("three"), "AT");
  offset.ms = 365 * 24 * HOUR_MS;
  assertEquals(await signIn("three"), "AT");
  offset.ms = 0;
  await entra.clock.advance(25 * HOUR_MS);
  assertEquals(await signIn("four", "three"), "id_token_key_not_found");
});

test("R-047 R-201 a clock that goes back and forth hands out no token that has ended, and asks once for each hour", async () => {
  const entra = entraDouble();
  const { clock, offset } = jumping(entra.clock);
  const app = entra.confidential({ clock });
  await entra.signIn(app);
  let answer: () => Promise<Response> = () => Promise.reject();
  entra.next(...Array.from({ length: 20 }, () => () => answer()));
  for (const hours of [-48, 0, -1, 0, 2, 0, 30, -30, 0]) {
    offset.ms = hours * HOUR_MS;
    answer = async () => {
      const iat = Math.floor(clock.now() / 1000);
      return Response.json(await entra.answer({ iat, nbf: iat, exp: iat + 3600 }));
    };
    const result = await entra.settle(app.acquireTokenSilent(ASK));
    assert(result.expiresOn.getTime() > clock.now(), `${hours}`);
    assert(result.expiresOn.getTime() < clock.now() + 25 * HOUR_MS, `${hours}`);
  }
  assertEquals(entra.posts.length, 7);
});

test("a listener or receiver that fails at the end costs no tokens, and one that fails at the start costs no code", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const receiver = (over: object): Any => ({
    open: () =>
      Promise.resolve({
        redirectUri: "http://localhost:5000",
        responseMode: "query",
        receive: async ({ authUri, state }: { authUri: string; state: string }) => {
          const nonce = new URL(authUri).searchParams.get("nonce");
          entra.next(await entra.answer({ nonce }));
          return { code: "c", state };
        },
        close: () => Promise.resolve(),
        ...over,
      }),
  });
  for (
    const close of [
      () => Promise.reject(new Error("EADDRINUSE secret")),
      () => {
        throw new Error("x");
      },
    ]
  ) {
    const { account } = await entra.settle(
      app.acquireTokenInteractive({ scopes: SCOPES, receiver: receiver({ close }) }),
    );
    assertEquals(account?.homeAccountId, HOME_ACCOUNT_ID);
  }
  const posts = entra.posts.length;
  for (
    const over of [{ redirectUri: 5 }, { responseMode: "fragment" }, { receive: () => Promise.reject("x") }]
  ) {
    assert(isAuthError(
      await failure(
        entra.settle(app.acquireTokenInteractive({ scopes: SCOPES, receiver: receiver(over) })),
      ),
    ));
  }
  assertEquals(entra.posts.length, posts);
});

const never = (): Promise<Response> => new Promise(() => {});
const endless = (): Promise<Response> =>
  Promise.resolve(
    new Response(new ReadableStream(), { headers: { "content-type": "application/json" } }),
  );
const redeem = async (entra: EntraDouble, signal: AbortSignal) => {
  const app = entra.public();
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  return await app.acquireTokenByAuthCodeFlow(flow, callback(flow), { signal });
};
/** Calls that wait for something that never comes. */
const WAITS: Record<string, (entra: EntraDouble, signal: AbortSignal) => Promise<unknown>> = {
  "initiateAuthCodeFlow, discovery": (entra, signal) =>
    entra.public({ authority: undefined, oidcAuthority: "https://idp.example" }).initiateAuthCodeFlow({
      scopes: SCOPES,
      redirectUri: REDIRECT_URI,
      signal,
    }),
  // The keys are there before the code is sent.
  "acquireTokenByAuthCodeFlow, keys": redeem,
  "acquireTokenByAuthCodeFlow, token": (entra, signal) => {
    entra.documents = undefined;
    entra.next(never);
    return redeem(entra, signal);
  },
  "acquireTokenByAuthCodeFlow, body of the answer": (entra, signal) => {
    entra.documents = undefined;
    entra.next(endless);
    return redeem(entra, signal);
  },
  "initiateDeviceFlow": (entra, signal) => {
    entra.next(never);
    return entra.public().initiateDeviceFlow({ scopes: SCOPES, signal });
  },
  "acquireTokenInteractive, receive": (entra, signal) =>
    entra.public().acquireTokenInteractive({
      scopes: SCOPES,
      signal,
      receiver: {
        open: () =>
          Promise.resolve({
            redirectUri: "http://localhost:5000",
            responseMode: "query",
            receive: () => new Promise(() => {}),
            close: () => Promise.resolve(),
          }),
      },
    }),
  "acquireTokenSilent, domain": (entra, signal) =>
    entra.public({ authority: `${HOST}/contoso.example` }).acquireTokenSilent({ ...ASK, signal }),
};
test("the caller's signal ends every wait: the token, the body of its answer, keys, discovery, the device endpoint, a receiver", async () => {
  const found: string[] = [];
  for (const [name, call] of Object.entries(WAITS)) {
    const entra = entraDouble();
    entra.documents = () => never;
    const controller = new AbortController();
    let code = "waits on";
    call(entra, controller.signal).then(() => code = "done", (error) => code = error.code);
    for (let turn = 0; turn < 5; turn++) await entra.clock.advance(0);
    assertEquals(code, "waits on", name);
    controller.abort();
    for (let turn = 0; turn < 5; turn++) await entra.clock.advance(0);
    if (code !== "request_aborted") found.push(`${name}: ${code}`);
    await entra.clock.advance(60_000);
  }
  assertEquals(found, []);
});

test("a fetch that ignores its signal and answers late changes nothing", async () => {
  const entra = entraDouble();
  const late: ((response: Response) => void)[] = [];
  const app = entra.confidential({
    fetch: (url) => {
      if (url.endsWith("/keys")) {
        return signingKey().then(({ jwk }) => Response.json({ keys: [jwk] }));
      }
      return new Promise((resolve) => late.push(resolve));
    },
  });
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals(error.code, "request_timeout");
  let cancelled = 0;
  const body = new ReadableStream({ cancel: () => void cancelled++ });
  for (const resolve of late) {
    resolve(new Response(body, { headers: { "content-type": "application/json" } }));
  }
  await entra.clock.advance(1_000);
  assertEquals(cancelled, 1);
  assertEquals(entra.tokenCache.size, 0);
});
