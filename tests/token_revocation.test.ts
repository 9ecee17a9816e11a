/** Tokens taken back: R-212, RFC 7009. */
import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import type { ServerError } from "../mod.ts";
import { revokeToken, type RevokeTokenRequest } from "../src/token_operations/mod.ts";
import { entraDouble } from "./support/entra_double.ts";
import { CLIENT_ID, ISSUER, oidcDouble, SECRET } from "./support/oidc_double.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const REQUEST = { token: "the-token-to-revoke" };

test("RFC 7009 section 2.1: the token goes along with its hint and the client's credential", async () => {
  const oidc = oidcDouble();
  oidc.next(() => new Response(null, { status: 200 }), () => new Response(null, { status: 200 }));
  assertEquals(
    await revokeToken(oidc.confidential(), { ...REQUEST, tokenTypeHint: "refresh_token" }),
    undefined,
  );
  assertEquals([oidc.posts[0]?.url, ...oidc.posts[0]!.form], [
    `${ISSUER}/revoke`,
    ["client_id", CLIENT_ID],
    ["token", REQUEST.token],
    ["token_type_hint", "refresh_token"],
    ["client_secret", SECRET],
  ]);
  await revokeToken(oidc.public(), REQUEST);
  assertEquals(Object.fromEntries(oidc.posts[1]!.form), { client_id: CLIENT_ID, ...REQUEST });
});

test("R-212 a 200 is a success whatever its body, also for a token that nobody knows", async () => {
  await eachRow<() => Response>({
    "no body": () => new Response(null, { status: 200 }),
    "text": () => new Response("ok", { status: 200 }),
    "HTML": () => new Response("<p>", { headers: { "content-type": "text/html" } }),
    "JSON that is cut off": () => new Response("{", { headers: { "content-type": "application/json" } }),
    "an error that is none": () => jsonResponse({ error: "invalid_token" }),
  }, async (answer) => {
    const oidc = oidcDouble();
    oidc.next(answer);
    await revokeToken(oidc.confidential(), REQUEST);
  });
});

test("R-212 any other answer is an error: the token may still be good", async () => {
  await eachRow<[Answer, string]>({
    "204": [() => new Response(null, { status: 204 }), "invalid_response"],
    "202": [() => new Response(null, { status: 202 }), "invalid_response"],
    "unsupported_token_type": [() => jsonResponse({ error: "unsupported_token_type" }, 400), "server_error"],
    "invalid_client": [() => jsonResponse({ error: "invalid_client" }, 401), "server_error"],
    "404": [() => new Response(null, { status: 404 }), "server_error"],
    "429": [() => jsonResponse({}, 429), "throttled"],
    "a redirect": [
      () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
      "redirect_refused",
    ],
    "an outage": [new TypeError("reset"), "network_error"],
  }, async ([answer, code]) => {
    const oidc = oidcDouble();
    oidc.next(answer);
    const error = await oidc.refused(revokeToken(oidc.confidential(), REQUEST));
    assertEquals([error.code, oidc.posts.length], [code as typeof error.code, 1]);
  });
});

test("R-212 a 503 tells when to call again, and holds nothing of the token", async () => {
  const oidc = oidcDouble();
  const body = { error: "temporarily_unavailable", error_description: `${REQUEST.token} ${SECRET}` };
  oidc.next(() => jsonResponse(body, 503, { "retry-after": "120" }));
  const error = await oidc.refused(revokeToken(oidc.confidential(), REQUEST)) as ServerError;
  assertEquals([error.status, error.retryable, error.retryAfterSeconds], [503, true, 120]);
  const told = JSON.stringify([error, error.message, error.errorDescription]);
  assertFalse(told.includes(REQUEST.token) || told.includes(SECRET));
  // It may be tried again at once: a token that leaked cannot wait.
  oidc.next(() => new Response(null));
  await revokeToken(oidc.confidential(), REQUEST);
});

test("R-212 where there is no endpoint, the error says so, and what helps at Microsoft; nothing is sent", async () => {
  const oidc = oidcDouble({ revocation_endpoint: undefined });
  const error = await oidc.refused(revokeToken(oidc.confidential(), REQUEST));
  assertEquals([error.code, oidc.posts.length], ["endpoints_resolution_error", 0]);
  assertStringIncludes(error.message, "revocation_endpoint");
  const entra = entraDouble();
  const refused = await entra.refused(revokeToken(entra.confidential(), REQUEST));
  assertEquals([refused.code, entra.posts.length, entra.gets.length], ["endpoints_resolution_error", 0, 0]);
  assertStringIncludes(refused.message, "removeAccount");
  assertStringIncludes(refused.message, "revokeSignInSessions");
});

test("a request that is wrong is refused before anything is sent", async () => {
  await eachRow<[unknown, string]>({
    "no request": [null, "request"],
    "no token": [{}, "token"],
    "an empty token": [{ token: "" }, "token"],
    "a result in place of its token": [{ token: { accessToken: "a" } }, "token"],
    "a hint that is no word": [{ ...REQUEST, tokenTypeHint: "a b" }, "tokenTypeHint"],
  }, async ([request, option]) => {
    const oidc = oidcDouble();
    const error = await oidc.refused(revokeToken(oidc.confidential(), request as RevokeTokenRequest));
    assertEquals([(error as { option?: string }).option, oidc.gets.length], [option, 0]);
  });
  for (const url of ["http://idp.example/revoke", "https://10.0.0.1/revoke", "revoke", 5]) {
    const oidc = oidcDouble({ revocation_endpoint: url });
    const error = await oidc.refused(revokeToken(oidc.confidential(), REQUEST));
    assertEquals([error.code, oidc.posts.length], ["endpoints_resolution_error", 0]);
  }
});
