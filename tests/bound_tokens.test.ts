/** App tokens that are bound to a key: their identity, their type, their nonces., Z34, Z35, section 2.8 of MSAL Node. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertStringIncludes } from "@std/assert";
import {
  type AuthScheme,
  ClientAuthError,
  ClientConfigurationError,
  ServerError,
  TokenCache,
} from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import { bindingReply, dpopScheme, plainScheme, popScheme } from "./support/bound_tokens.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { idle } from "./support/idle.ts";
import { verifiedProof } from "./support/proofs.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import {
  cached,
  eachRow,
  gate,
  ISSUER,
  oidcBench,
  oidcCached,
  refusal,
  silence,
  tokenBody,
  tokenServer,
  within,
} from "./support/token_server.ts";

const KEY_1 = plainScheme("key1");
const KEY_2 = plainScheme("key2");
const POP = plainScheme("key1", {
  tokenType: "pop",
  tokenRequest: () => ({ form: { token_type: "pop", req_cnf: "a confirmation" } }),
});
const NONCE = { "dpop-nonce": "nonce-1" };
const wantsNonce = (nonce = "nonce-1") => refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": nonce });
const dpopAnswer = (over: object = {}) => ({ token_type: "DPoP", ...over });

function binding() {
  const bench = oidcCached();
  bench.server.otherwise(bindingReply());
  return bench;
}

test("Z34 Z35 a token of one key never answers a request of another, nor of none, nor of another scheme", async () => {
  const { ask } = binding();
  const plain = [KEY_1, KEY_1, KEY_2, KEY_1, undefined, undefined, POP, KEY_2, POP];
  const seen: string[] = [];
  for (const authScheme of plain) {
    const { accessToken, tokenType, tokenSource } = await ask({ authScheme });
    seen.push(`${accessToken} ${tokenType} ${tokenSource === "cache" ? "cached" : "new"}`);
  }
  assertEquals(seen, [
    "AT 1 DPoP new",
    "AT 1 DPoP cached",
    "AT 2 DPoP new",
    "AT 1 DPoP cached",
    "AT 3 Bearer new",
    "AT 3 Bearer cached",
    "AT 4 pop new",
    "AT 2 DPoP cached",
    "AT 4 pop cached",
  ]);
});

test("Z35 a plain token that covers the scopes does not answer a bound request, and the other way round", async () => {
  const { ask, server } = binding();
  await ask({ scopes: ["a", "b"] });
  await ask({ scopes: ["a"], authScheme: KEY_1 });
  assertEquals(server.requests.length, 2);
  await ask({ scopes: ["b"], authScheme: KEY_2 });
  assertEquals(server.requests.length, 3);
  assertEquals((await ask({ scopes: ["a"] })).accessToken, "AT 1");
});

test("requests at the same time share the work of their own key alone", async () => {
  const { ask, server } = binding();
  const results = await Promise.all(
    [KEY_1, undefined, KEY_2, KEY_1, undefined, POP].map((authScheme) => ask({ authScheme })),
  );
  assertEquals(server.requests.length, 4);
  assertEquals(new Set(results.map(({ accessToken }) => accessToken)).size, 4);
  assertEquals(results.map(({ tokenType }) => tokenType), [
    "DPoP",
    "Bearer",
    "DPoP",
    "DPoP",
    "Bearer",
    "pop",
  ]);
});

test("extra components and a key set tokens apart together", async () => {
  const { ask, server } = binding();
  const extra = { extraBodyParameters: { tier: "gold" } };
  for (const authScheme of [undefined, KEY_1]) {
    for (const more of [{}, extra]) {
      await ask({ authScheme, ...more });
      await ask({ authScheme, ...more });
    }
  }
  assertEquals(server.requests.length, 4);
});

test("R-208 R-042 an answer of another type than the scheme's is refused, and nothing of it is stored", async () => {
  const rows: Record<string, [AuthScheme | undefined, unknown]> = {
    "Bearer for DPoP": [KEY_1, "Bearer"],
    "bearer for DPoP": [KEY_1, "bearer"],
    "pop for DPoP": [KEY_1, "pop"],
    "none for DPoP": [KEY_1, undefined],
    "a list for DPoP": [KEY_1, ["DPoP"]],
    "DPoP and more": [KEY_1, "DPoP Bearer"],
    "N_A for DPoP": [KEY_1, "N_A"],
    "Bearer for pop": [POP, "Bearer"],
    "DPoP for pop": [POP, "DPoP"],
    "DPoP for a plain request": [undefined, "DPoP"],
    "pop for a plain request": [undefined, "pop"],
  };
  await eachRow(rows, async ([authScheme, token_type]) => {
    const { ask, server, tokenCache } = oidcCached();
    server.next({ token_type });
    const error = await failure(ask({ authScheme }));
    assert(error instanceof ServerError);
    assertEquals(error.code, "invalid_response");
    assertStringIncludes(error.message, `token_type is not ${authScheme?.tokenType ?? "Bearer"}`);
    assertFalse(tokenCache.serialize().includes("AT 1"));
    server.next({ token_type: authScheme?.tokenType ?? "Bearer" });
    assertEquals((await ask({ authScheme })).tokenSource, "identity_provider");
  });
});

test("RFC 6749 section 5.1: the token type counts whatever its case", async () => {
  for (const [authScheme, token_type, expected] of [[KEY_1, "dpop", "DPoP"], [POP, "PoP", "pop"]] as const) {
    const { ask, server } = oidcCached();
    server.next({ token_type });
    assertEquals((await ask({ authScheme })).tokenType, expected);
    assertEquals((await ask({ authScheme })).tokenSource, "cache");
  }
});

test("what is no scheme is refused by its name, before anything is sent", async () => {
  const { ask, server } = binding();
  const rows: Record<string, unknown> = {
    "null": null,
    "a text": "dpop",
    "a promise": Promise.resolve(KEY_1),
    "a class": (await dpopScheme()).constructor,
    "another type": { ...KEY_1, tokenType: "Bearer" },
    "a type of another case": { ...KEY_1, tokenType: "dpop" },
    "no key id": { ...KEY_1, keyId: "" },
    "a key id that names a bucket": { ...KEY_1, keyId: `key1${"0".repeat(38)}\n` },
    "a key id of another type": { ...KEY_1, keyId: 7 },
    "a short key id": { ...KEY_1, keyId: "key1" },
    "no token request": { ...KEY_1, tokenRequest: undefined },
    "no headers": { ...KEY_1, apiHeaders: {} },
  };
  await eachRow(rows, async (authScheme) => {
    const error = await failure(ask({ authScheme: authScheme as AuthScheme }));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_request", "authScheme"]);
  });
  assertEquals(server.requests.length, 0);
});

test("R-208 the token request carries a fresh proof of the application's time for the endpoint without query", async () => {
  const { ask, server, clock } = oidcBench();
  const authScheme = await dpopScheme();
  server.otherwise(dpopAnswer());
  await ask({ authScheme, extraQueryParameters: { slice: "x" } });
  await ask({ authScheme, scopes: ["other"] });
  const [first, second] = await Promise.all(
    server.requests.map(({ headers }) => verifiedProof(headers.get("dpop"))),
  );
  assertEquals(server.requests[0]?.url, `${ISSUER}/token?slice=x`);
  const { jti, ...payload } = first?.payload ?? {};
  assertEquals(payload, { htm: "POST", htu: `${ISSUER}/token`, iat: Math.floor(clock.now() / 1000) });
  assertEquals(first?.thumbprint, authScheme.keyId);
  assertNotEquals(jti, second?.payload.jti);
});

test("sections 1.8 and 1.10: a pop request names its key in the form, and nothing in a header", async () => {
  const { ask, server } = cached();
  const authScheme = await popScheme();
  server.next({ token_type: "pop" });
  assertEquals((await ask({ authScheme })).tokenType, "pop");
  const [{ form, headers } = {}] = server.requests;
  assertEquals(form?.get("token_type"), "pop");
  assertEquals(JSON.parse(atob(form?.get("req_cnf") ?? "")), { kid: authScheme.keyId });
  assertEquals([form?.get("key_id"), headers?.get("dpop")], [null, null]);
});

test("R-208 a nonce that the endpoint asks for goes into one more proof, and into those to come", async () => {
  const { ask, server } = oidcBench();
  const authScheme = await dpopScheme();
  server.next(wantsNonce(), dpopAnswer(), dpopAnswer());
  await ask({ authScheme });
  await ask({ authScheme, scopes: ["other"] });
  const proofs = await Promise.all(server.requests.map(({ headers }) => verifiedProof(headers.get("dpop"))));
  assertEquals(proofs.map(({ payload }) => payload.nonce), [undefined, "nonce-1", "nonce-1"]);
  assertEquals(new Set(proofs.map(({ payload }) => payload.jti)).size, 3);
});

test("R-208 a nonce is taken from a success answer, too, and the newest counts", async () => {
  const { ask, server } = oidcBench();
  const nonces = ["nonce-1", "nonce-2", undefined, "nonce-4"];
  server.next(
    ...nonces.map((nonce, nth) => () =>
      Response.json(tokenBody(nth, dpopAnswer()), { headers: nonce ? { "dpop-nonce": nonce } : {} })
    ),
  );
  for (const scope of ["a", "b", "c", "d"]) await ask({ authScheme: KEY_1, scopes: [scope] });
  assertEquals(
    server.requests.map(({ headers }) => headers.get("dpop")?.split(" ")[1]),
    [undefined, "nonce-1", "nonce-2", "nonce-2"],
  );
});

test("R-208 the nonce is tried exactly once, and that refusal answers no later request", async () => {
  const { ask, server, count } = oidcBench();
  server.next(wantsNonce("n-1"), wantsNonce("n-2"), dpopAnswer());
  const error = await failure(ask({ authScheme: KEY_1 }));
  assert(error instanceof ServerError);
  assertEquals([error.error, error.throttledLocally, server.requests.length], ["use_dpop_nonce", false, 2]);
  assertEquals((await ask({ authScheme: KEY_1 })).tokenSource, "identity_provider");
  assertEquals(server.requests.at(-1)?.headers.get("dpop"), `${KEY_1.keyId} n-2`);
  assertEquals(count("throttled"), 0);
});

test("R-208 a refusal without a usable nonce, or for another reason, is not tried again", async () => {
  const rows = {
    "no nonce": refusal(400, { error: "use_dpop_nonce" }),
    "an empty nonce": refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": "" }),
    "a nonce with a space": refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": "a b" }),
    "a quoted nonce": refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": '"a"' }),
    "a long nonce": refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": "x".repeat(1025) }),
    "another error": refusal(400, { error: "invalid_dpop_proof" }, NONCE),
    "another client": refusal(401, { error: "invalid_client" }, NONCE),
  };
  await eachRow(rows, async (reply) => {
    const { ask, server } = oidcBench();
    server.next(reply);
    await failure(ask({ authScheme: KEY_1 }));
    assertEquals(server.requests.length, 1);
  });
});

test("R-208 a plain request is not sent again for a nonce", async () => {
  const { ask, server } = oidcBench();
  server.next(wantsNonce());
  await failure(ask());
  assertEquals(server.requests.length, 1);
});

test("a nonce is for the origin that gave it", async () => {
  const server = tokenServer();
  server.otherwise(() => Response.json(tokenBody(1, dpopAnswer()), { headers: NONCE }));
  const { ask } = cached({}, server);
  await ask({ authScheme: KEY_1 });
  await ask({ authScheme: KEY_1, tenantId: "fabrikam.onmicrosoft.com" });
  assertEquals(server.requests.map(({ headers }) => headers.get("dpop")), [
    KEY_1.keyId,
    `${KEY_1.keyId} nonce-1`,
  ]);
});

test("a second attempt has a proof of its own: nobody takes one twice", async () => {
  const { askFor, server } = oidcBench();
  const authScheme = await dpopScheme();
  server.next(new TypeError("connection reset"), refusal(503), dpopAnswer());
  // A slow machine makes the proof while the clock stands still.
  await failure(askFor(3_000, { authScheme }));
  const proofs = await Promise.all(server.requests.map(({ headers }) => verifiedProof(headers.get("dpop"))));
  assertEquals(new Set(proofs.map(({ payload }) => payload.jti)).size, server.requests.length);
  assertEquals(server.requests.length, 2);
});

test("what the authority says of one key says nothing of another, nor of none", async () => {
  const { ask, server, count } = oidcBench();
  server.next(refusal(400, { error: "invalid_dpop_proof" }));
  server.otherwise(bindingReply());
  await failure(ask({ authScheme: KEY_1 }));
  await failure(ask({ authScheme: KEY_1 }));
  assertEquals([server.requests.length, count("throttled")], [1, 1]);
  await ask({ authScheme: KEY_2 });
  await ask();
  assertEquals(server.requests.length, 3);
});

test("a scheme that throws or hangs fails the call by name, and nothing it says is repeated", async () => {
  const broken = (tokenRequest: () => never | Promise<never>) => plainScheme("key1", { tokenRequest });
  const { ask, askFor, server } = oidcBench();
  const thrown = await failure(ask({
    authScheme: broken(() => {
      throw new TypeError("cAnArY");
    }),
  }));
  assert(thrown instanceof ClientAuthError);
  assertEquals([thrown.code, /cAnArY/.test(thrown.message)], ["auth_scheme_failed", false]);
  const late = await failure(askFor(31_000, { authScheme: broken(() => new Promise<never>(() => {})) }));
  assertEquals(late.code, "auth_scheme_failed");
  assertEquals(server.requests.length, 0);
});

test("an endpoint that hangs ends by the deadline of a token request, nonce or not", async () => {
  const { askFor, server } = oidcBench();
  server.next(wantsNonce(), silence, silence);
  const error = await failure(askFor(62_000, { authScheme: KEY_1 }));
  assertEquals(error.code, "request_timeout");
});

test("no proof and no confirmation shows up in an error that quotes it", async () => {
  const authScheme = plainScheme("key1", {
    tokenRequest: () => ({ form: { req_cnf: "cAnArY-form-1" }, headers: { dpop: "cAnArY-header-1" } }),
  });
  const { ask, server } = oidcBench();
  server.next((request) =>
    Response.json({
      error: "invalid_request",
      error_description: `got ${request.headers.get("dpop")} and ${request.form.get("req_cnf")}`,
    }, { status: 400 })
  );
  const error = await failure(ask({ authScheme }));
  assertFalse(/cAnArY/.test(JSON.stringify(error) + error.message));
});

test("a bound token is found in a shared store by whoever has the key, and by nobody else", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock);
  const server = tokenServer();
  server.otherwise(bindingReply());
  const isolate = () => oidcBench({ clock, tokenCache: new TokenCache({ store }) }, server);
  await isolate().ask({ authScheme: KEY_1 });
  await isolate().ask();
  await isolate().ask({ authScheme: POP });
  assertEquals(server.requests.length, 3);
  const again = await Promise.all([KEY_1, undefined, POP].map((authScheme) => isolate().ask({ authScheme })));
  assertEquals(again.map(({ accessToken, tokenSource }) => `${accessToken} ${tokenSource}`), [
    "AT 1 cache",
    "AT 2 cache",
    "AT 3 cache",
  ]);
  assertEquals((await isolate().ask({ authScheme: KEY_2 })).tokenSource, "identity_provider");
  assertEquals(store.values.size, 4);
});

test("a store that mixes partitions up mixes no keys up", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock);
  const server = tokenServer();
  server.otherwise(bindingReply());
  await oidcBench({ clock, tokenCache: new TokenCache({ store }) }, server).ask({ authScheme: KEY_1 });
  const [bound = ""] = store.values.values();
  const mixed = { ...store, get: () => Promise.resolve({ value: bound, version: "1" }) };
  for (const authScheme of [undefined, KEY_2, POP]) {
    const { ask } = oidcBench({ clock, tokenCache: new TokenCache({ store: mixed }) }, server);
    assertEquals((await ask({ authScheme })).tokenSource, "identity_provider");
  }
});

test("removeTokensForClient forgets bound tokens, too, in memory and in the store", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock);
  const server = tokenServer();
  server.otherwise(bindingReply());
  const { app, ask } = oidcBench({ clock, tokenCache: new TokenCache({ store }) }, server);
  await ask({ authScheme: KEY_1 });
  await ask();
  await app.removeTokensForClient();
  assertFalse([...store.values.values()].some((value) => value.includes("AT ")));
  assertEquals((await ask({ authScheme: KEY_1 })).tokenSource, "identity_provider");
});

test("T13: each key has an entry of its own in MSAL's JSON, with its type and id, and is found again", async () => {
  for (const dialect of ["python", "node"] as const) {
    const { ask, server, tokenCache } = oidcCached({ tokenCache: new TokenCache({ dialect }) });
    server.otherwise(bindingReply());
    for (const authScheme of [undefined, KEY_1, KEY_2, POP]) await ask({ authScheme });
    const text = tokenCache.serialize();
    const entries = Object.entries(JSON.parse(text).AccessToken as Record<string, Record<string, string>>);
    const bound = entries.filter(([, { key_id }]) => key_id !== undefined);
    assertEquals(bound.map(([, { token_type, key_id }]) => [token_type, key_id]).sort(), [
      ["DPoP", KEY_1.keyId],
      ["DPoP", KEY_2.keyId],
      ["pop", KEY_1.keyId],
    ]);
    // Of one key's two tokens MSAL Python would keep one.
    assert(bound.every(([key, { key_id }]) => new RegExp(`-${key_id}-?$`).test(key)));
    const again = new TokenCache({ dialect });
    again.deserialize(text);
    const next = oidcBench({ tokenCache: again }, server);
    for (const authScheme of [undefined, KEY_1, KEY_2, POP]) {
      assertEquals((await next.ask({ authScheme })).tokenSource, "cache");
    }
    assertEquals(again.serialize(), text);
  }
});

test("a key id that ends in a dash does not make an entry MSAL Node's: its extended end stays", async () => {
  const authScheme = plainScheme("k".padEnd(42, "0") + "-");
  const { ask, server, tokenCache, clock } = oidcCached();
  server.next(dpopAnswer({ ext_expires_in: 7200 }));
  const { extendedExpiresOn } = await ask({ authScheme });
  const again = new TokenCache();
  again.deserialize(tokenCache.serialize());
  const found = await oidcBench({ tokenCache: again, clock }, server).ask({ authScheme });
  assertEquals(found.extendedExpiresOn, extendedExpiresOn);
});

test("an entry of another MSAL for the same key is found, whatever it calls the key's id", async () => {
  const rows = { "MSAL Python and Node": "key_id", "MSAL.NET": "kid", "MSAL Go": "keyid" };
  await eachRow(rows, async (member) => {
    const { ask, server, tokenCache } = cached();
    server.next({ token_type: "pop" });
    await ask({ authScheme: POP });
    const text = tokenCache.serialize().replaceAll('"key_id"', `"${member}"`);
    const again = new TokenCache();
    again.deserialize(text);
    const found = await cached({ tokenCache: again }, server).ask({ authScheme: POP });
    assertEquals([found.tokenSource, found.tokenType], ["cache", "pop"]);
  });
});

test("a renewal of one key leaves the others alone, and a good token outlives a failed one", async () => {
  const { ask, askFor, server, clock } = oidcCached();
  server.next(dpopAnswer({ refresh_in: 1000 }), dpopAnswer({ access_token: "other" }));
  await ask({ authScheme: KEY_1 });
  await ask({ authScheme: KEY_2 });
  await clock.advance(2_000_000);
  server.next(refusal(503), refusal(503));
  assertEquals((await askFor(5_000, { authScheme: KEY_1 })).accessToken, "AT 1");
  assertEquals((await ask({ authScheme: KEY_2 })).accessToken, "other");
});

test("a hit of a bound token asks its scheme for nothing", async () => {
  const { ask } = binding();
  await ask({ authScheme: KEY_1 });
  const fail = (): never => {
    throw new Error("asked");
  };
  const { accessToken } = await ask({
    authScheme: plainScheme("key1", { tokenRequest: fail, apiHeaders: fail, apiNonce: fail }),
  });
  assertEquals(accessToken, "AT 1");
});

test("what comes late for one key does not come back for another after a removal", async () => {
  const { app, ask, server } = oidcCached();
  const late = gate(dpopAnswer());
  server.next(late.answer);
  const asked = ask({ authScheme: KEY_1 });
  await idle();
  await app.removeTokensForClient();
  late.open();
  await asked;
  server.otherwise(bindingReply());
  assertEquals((await ask({ authScheme: KEY_1 })).tokenSource, "identity_provider");
  assertEquals((await within(new FakeClock(), 0, ask({ authScheme: KEY_1 }))).tokenSource, "cache");
});
