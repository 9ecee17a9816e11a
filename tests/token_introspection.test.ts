/** What a token is good for: R-211, RFC 7662, RFC 9701. */
import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { introspectToken, type IntrospectTokenRequest, revokeToken } from "../src/token_operations/mod.ts";
import { entraDouble } from "./support/entra_double.ts";
import { idle } from "./support/idle.ts";
import { type KeyName, keyPair, signToken } from "./support/id_tokens.ts";
import { CLIENT_ID, ISSUER, type OidcDouble, oidcDouble, SECRET } from "./support/oidc_double.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { deferred, eachRow } from "./support/token_server.ts";

const TOKEN = "an-opaque-token";
const REQUEST = { token: TOKEN };
const SIGNED = { ...REQUEST, signedResponse: true };

const ask = (oidc: OidcDouble, request: IntrospectTokenRequest = REQUEST) =>
  introspectToken(oidc.confidential(), request);

test("RFC 7662 section 2: the token goes along with the client's credential, and the claims come back", async () => {
  const oidc = oidcDouble();
  const said = {
    active: true,
    scope: "orders.read orders.write",
    client_id: "shop",
    sub: "ada",
    aud: ["orders", "stock"],
    iss: ISSUER,
    exp: oidc.clock.now() / 1000 + 600,
    cnf: { jkt: "a thumbprint" },
    tenant: "contoso",
  };
  oidc.next(said);
  const request = { ...REQUEST, tokenTypeHint: "access_token", expectedAudience: "orders" };
  assertEquals<unknown>(await ask(oidc, request), said);
  const [post] = oidc.posts;
  assertEquals([post?.url, post?.headers.get("accept"), ...post!.form], [
    `${ISSUER}/introspect`,
    "application/json",
    ["client_id", CLIENT_ID],
    ["token", TOKEN],
    ["token_type_hint", "access_token"],
    ["client_secret", SECRET],
  ]);
});

test("R-211 only true is active: false is not, nothing else is an answer", async () => {
  const oidc = oidcDouble();
  oidc.next({ active: false, sub: "ada" });
  assertEquals(await ask(oidc), { active: false });
  for (const active of ["true", 1, null, undefined, {}, [true], "yes"]) {
    oidc.next({ active, sub: "ada" });
    assertEquals((await oidc.refused(ask(oidc))).code, "invalid_response");
  }
});

test("R-211 a token that has ended, is of another issuer, or is told of in other types does not count", async () => {
  const now = oidcDouble().clock.now() / 1000;
  await eachRow<[object, string]>({
    "expired": [{ exp: now - 121 }, "inactive"],
    "expired, as far as clocks may differ": [{ exp: now - 60 }, "active"],
    "not yet valid": [{ nbf: now + 121 }, "inactive"],
    "another issuer": [{ iss: "https://evil.example" }, "invalid_response"],
    "our issuer with a slash": [{ iss: `${ISSUER}/` }, "invalid_response"],
    "an end in words": [{ exp: "tomorrow" }, "invalid_response"],
    "an end of null": [{ exp: null }, "invalid_response"],
    "an endless one": [{ exp: 1e999 }, "invalid_response"],
    "a list of scopes": [{ scope: ["orders.read"] }, "invalid_response"],
    "a number as subject": [{ sub: 5 }, "invalid_response"],
    "nothing more": [{}, "active"],
  }, async ([members, outcome]) => {
    const oidc = oidcDouble();
    oidc.next(() =>
      new Response(JSON.stringify({ active: true, ...members }), {
        headers: { "content-type": "application/json" },
      })
    );
    const found = await oidc.settle(ask(oidc)).then(
      ({ active }) => active ? "active" : "inactive",
      ({ code }) => code,
    );
    assertEquals(found, outcome);
  });
});

test("R-211 a token of another API is refused, also from memory; one that does not say is, too", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  oidc.next({ active: true, aud: "orders" });
  const asked = (expectedAudience: string | readonly string[]) =>
    introspectToken(app, { ...REQUEST, expectedAudience });
  assertEquals((await asked(["stock", "orders"])).active, true);
  const error = await oidc.refused(asked("stock"));
  assertEquals([error.code as string, (error as { status?: number }).status, oidc.posts.length], [
    "access_token_audience_mismatch",
    401,
    1,
  ]);
  for (const aud of [undefined, [], "orders2", ["order", "s"], 5, { orders: true }]) {
    oidc.next({ active: true, aud });
    const request = { token: `${TOKEN}-${JSON.stringify(aud)}`, expectedAudience: "orders" };
    assertEquals((await oidc.refused(ask(oidc, request))).code as string, "access_token_audience_mismatch");
  }
});

test("R-211 what was said counts for a minute at most, never beyond the token, and not for other applications", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  const again = (more: object = {}) => introspectToken(app, { ...REQUEST, ...more });
  oidc.next({ active: true, sub: "1" }, { active: true, sub: "2" }, { active: true, sub: "3" });
  await again();
  await oidc.clock.advance(59_999);
  assertEquals((await again()) as unknown, { active: true, sub: "1" });
  await oidc.clock.advance(1);
  assertEquals((await again()) as unknown, { active: true, sub: "2" });
  assertEquals((await again({ maxAgeSeconds: 0 })) as unknown, { active: true, sub: "3" });
  await oidc.clock.advance(5_000);
  oidc.next({ active: true, sub: "4" }, { active: true, sub: "5" });
  assertEquals((await again({ maxAgeSeconds: 5 })) as unknown, { active: true, sub: "4" });
  assertEquals((await ask(oidc)) as unknown, { active: true, sub: "5" });
  const ending = { active: true, exp: oidc.clock.now() / 1000 + 10 };
  const other = { token: "another-token" };
  oidc.next(ending, { active: false });
  assertEquals((await introspectToken(app, other)).active, true);
  await oidc.clock.advance(10_000);
  assertEquals(await introspectToken(app, other), { active: false });
  // What does not count is not remembered.
  oidc.next({ active: true });
  assertEquals((await introspectToken(app, other)).active, true);
});

test("R-211 what the caller changes of an answer is not what the next one gets", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  oidc.next({ active: true, scope: "orders.read" });
  const first = await introspectToken(app, REQUEST);
  Object.assign(first, { scope: "everything" });
  assertEquals((await introspectToken(app, REQUEST)) as unknown, { active: true, scope: "orders.read" });
});

test("R-212 a token that was taken back is asked about anew", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  oidc.next({ active: true }, () => new Response(null), { active: false });
  assertEquals((await introspectToken(app, REQUEST)).active, true);
  await revokeToken(app, REQUEST);
  assertEquals(await introspectToken(app, REQUEST), { active: false });
});

test("R-211 R-212 what was asked before a token was taken back is not remembered after it", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  const late = deferred<Response>();
  oidc.next(() => late.promise, () => new Response(null), { active: false });
  const early = introspectToken(app, REQUEST);
  while (oidc.posts.length === 0) await idle();
  await oidc.settle(revokeToken(app, REQUEST));
  late.resolve(jsonResponse({ active: true }));
  assertEquals((await early).active, true);
  assertEquals(await introspectToken(app, REQUEST), { active: false });
});

test("R-212 a revocation without an answer may have been one: what was said before is forgotten", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  oidc.next({ active: true }, new TypeError("lost"), { active: false });
  assertEquals((await introspectToken(app, REQUEST)).active, true);
  assertEquals((await oidc.refused(revokeToken(app, REQUEST))).code, "network_error");
  assertEquals(await introspectToken(app, REQUEST), { active: false });
});

test("R-211 an answer that is no use, and a refusal, are errors without the token; they let nobody in", async () => {
  const body = { error: "invalid_client", error_description: `${TOKEN} ${SECRET}` };
  await eachRow<[Answer, string]>({
    "no JSON": [() => new Response("true"), "invalid_response"],
    "a list": [() => jsonResponse([{ active: true }]), "invalid_response"],
    "an error with status 200": [() => jsonResponse({ active: true, error: "x" }), "server_error"],
    "201": [() => jsonResponse({ active: true }, 201), "invalid_response"],
    "invalid_client": [() => jsonResponse(body, 401), "server_error"],
    "a redirect": [
      () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
      "redirect_refused",
    ],
  }, async ([answer, code]) => {
    const oidc = oidcDouble();
    oidc.next(answer);
    const error = await oidc.refused(ask(oidc));
    assertEquals(error.code, code as typeof error.code);
    const told = JSON.stringify([
      error,
      error.message,
      (error as { errorDescription?: string }).errorDescription,
    ]);
    assertFalse(told.includes(TOKEN) || told.includes(SECRET));
  });
});

test("R-211 where there is no endpoint, or a request is wrong, nothing is sent", async () => {
  const none = oidcDouble({ introspection_endpoint: undefined });
  const error = await none.refused(ask(none));
  assertEquals([error.code, none.posts.length], ["endpoints_resolution_error", 0]);
  assertStringIncludes(error.message, "introspection_endpoint");
  const entra = entraDouble();
  const refused = await entra.refused(introspectToken(entra.confidential(), REQUEST));
  assertEquals([refused.code, entra.posts.length], ["endpoints_resolution_error", 0]);
  await eachRow<[unknown, string]>({
    "no token": [{}, "token"],
    "a whole header": [{ token: "Bearer abc" }, "token"],
    "a longer memory": [{ ...REQUEST, maxAgeSeconds: 61 }, "maxAgeSeconds"],
    "a memory of no number": [{ ...REQUEST, maxAgeSeconds: NaN }, "maxAgeSeconds"],
    "no audience at all": [{ ...REQUEST, expectedAudience: [] }, "expectedAudience"],
    "an empty audience": [{ ...REQUEST, expectedAudience: "" }, "expectedAudience"],
  }, async ([request, option]) => {
    const oidc = oidcDouble();
    const failed = await oidc.refused(ask(oidc, request as IntrospectTokenRequest));
    assertEquals([(failed as { option?: string }).option, oidc.gets.length], [option, 0]);
  });
});

/** A signed answer, and an authority that has the key. */
async function signedScene(
  claims: object = {},
  header: Readonly<Record<string, unknown>> = {},
  key: KeyName = "main",
): Promise<OidcDouble> {
  const { jwk } = await keyPair("main");
  const oidc = oidcDouble({}, { keys: [{ ...jwk, kid: "main", use: "sig" }] });
  const iat = oidc.clock.now() / 1000;
  const said = {
    iss: ISSUER,
    aud: CLIENT_ID,
    iat,
    token_introspection: { active: true, sub: "ada" },
    ...claims,
  };
  const jwt = await signToken(said, { typ: "token-introspection+jwt", kid: "main", ...header }, key);
  oidc.next(() => new Response(jwt, { headers: { "content-type": "application/token-introspection+jwt" } }));
  return oidc;
}

test("RFC 9701 a signed answer is asked for, verified and read", async () => {
  const oidc = await signedScene({ aud: ["other", CLIENT_ID] });
  assertEquals((await oidc.settle(ask(oidc, SIGNED))) as unknown, { active: true, sub: "ada" });
  assertEquals(oidc.posts[0]?.headers.get("accept"), "application/token-introspection+jwt");
  // One that comes without being asked for is verified all the same.
  const other = await signedScene();
  assertEquals((await other.settle(ask(other))).active, true);
});

test("R-211 RFC 9701 section 5: a signed answer of another kind, to others, of others or of another time is refused", async () => {
  const now = oidcDouble().clock.now() / 1000;
  await eachRow<[object, Record<string, unknown>, KeyName?]>({
    "another type": [{}, { typ: "JWT" }],
    "no type": [{}, { typ: undefined }],
    "an access token": [{}, { typ: "at+jwt" }],
    "another issuer": [{ iss: "https://evil.example" }, {}],
    "no issuer": [{ iss: undefined }, {}],
    "another client": [{ aud: "other" }, {}],
    "no audience": [{ aud: undefined }, {}],
    "an old answer": [{ iat: now - 421 }, {}],
    "one of the future": [{ iat: now + 121 }, {}],
    "one without time": [{ iat: undefined }, {}],
    "a time in words": [{ iat: `${now}` }, {}],
    "one that has expired": [{ exp: now - 121 }, {}],
    "nothing said": [{ token_introspection: undefined }, {}],
    "a list": [{ token_introspection: [{ active: true }] }, {}],
    "active outside": [{ active: true, token_introspection: {} }, {}],
    "active as text": [{ token_introspection: { active: "true" } }, {}],
    "no signature": [{}, { alg: "none" }],
    "a symmetric one": [{}, { alg: "HS256" }],
    "another key": [{}, {}, "other"],
    "a key that is not listed": [{}, { kid: "unknown" }],
    "an extension": [{}, { crit: ["exp"] }],
  }, async ([claims, header, key]) => {
    const oidc = await signedScene(claims, header, key);
    const error = await oidc.refused(ask(oidc, SIGNED));
    assertEquals(error.code, "invalid_response");
    assertFalse(error.message.includes(TOKEN));
  });
});

test("R-211 where a signed answer must come, a plain one is refused, and a remembered plain one does not do", async () => {
  const oidc = oidcDouble();
  const app = oidc.confidential();
  oidc.next({ active: true }, { active: true });
  assertEquals((await introspectToken(app, REQUEST)).active, true);
  assertEquals((await oidc.refused(introspectToken(app, SIGNED))).code, "invalid_response");
  const encrypted = oidcDouble();
  encrypted.next(() =>
    new Response("a.b.c.d.e", { headers: { "content-type": "application/token-introspection+jwt" } })
  );
  assertEquals((await encrypted.refused(ask(encrypted, SIGNED))).code, "invalid_response");
});
