/** Tokens exchanged for other ones, RFC 8693. */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import type { ServerError } from "../mod.ts";
import { exchangeToken, type ExchangeTokenRequest, TOKEN_TYPES } from "../src/token_operations/mod.ts";
import { failure } from "./support/app_fixture.ts";
import { entraDouble, REDIRECT_URI } from "./support/entra_double.ts";
import { encodeJson } from "./support/id_tokens.ts";
import { CLIENT_ID, ISSUER, oidcDouble, SECRET } from "./support/oidc_double.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const REQUEST = { subjectToken: "the-subject-token", subjectTokenType: TOKEN_TYPES.accessToken };
const ANSWER = {
  access_token: "the-new-token",
  issued_token_type: TOKEN_TYPES.accessToken,
  token_type: "bearer",
  expires_in: 60,
};
const jwtFor = (aud: unknown): string => `${encodeJson({ alg: "none" })}.${encodeJson({ aud })}.c2ln`;

test("RFC 8693 section 2.1: everything that was asked for is sent, with the client's credential", async () => {
  const oidc = oidcDouble();
  oidc.next({ ...ANSWER, refresh_token: "a refresh token", scope: "stock.read" });
  const result = await exchangeToken(oidc.confidential(), {
    ...REQUEST,
    actorToken: "the-actor-token",
    actorTokenType: TOKEN_TYPES.jwt,
    requestedTokenType: TOKEN_TYPES.accessToken,
    audience: ["stock", "orders"],
    resource: [new URL("https://stock.example/api"), "urn:orders"],
    scopes: ["stock.write", "stock.read"],
    extraBodyParameters: { tenant: "contoso" },
    correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c",
  });
  const [post] = oidc.posts;
  assertEquals(post?.url, `${ISSUER}/token`);
  assertEquals([...post!.form], [
    ["client_id", CLIENT_ID],
    ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
    ["subject_token", REQUEST.subjectToken],
    ["subject_token_type", TOKEN_TYPES.accessToken],
    ["actor_token", "the-actor-token"],
    ["actor_token_type", TOKEN_TYPES.jwt],
    ["requested_token_type", TOKEN_TYPES.accessToken],
    ["resource", "https://stock.example/api"],
    ["resource", "urn:orders"],
    ["audience", "stock"],
    ["audience", "orders"],
    ["scope", "stock.read stock.write"],
    ["tenant", "contoso"],
    ["client_secret", SECRET],
  ]);
  assertEquals(result, {
    accessToken: "the-new-token",
    issuedTokenType: TOKEN_TYPES.accessToken,
    tokenType: "Bearer",
    expiresOn: new Date(oidc.clock.now() + 60_000),
    scopes: ["stock.read"],
    correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c",
  });
  // The refresh token is nowhere to be seen, and a second call is a second request.
  assertFalse(JSON.stringify(result).includes("a refresh token"));
  oidc.next(ANSWER);
  await exchangeToken(oidc.confidential(), REQUEST);
  assertEquals(oidc.posts.length, 2);
});

test("RFC 8693 section 2.2.1: what is no access token is N_A, and what is not said is not made up", async () => {
  const oidc = oidcDouble();
  oidc.next({ ...ANSWER, token_type: "N_A", issued_token_type: TOKEN_TYPES.saml2, expires_in: undefined });
  const { correlationId: _, ...result } = await exchangeToken(oidc.public(), { ...REQUEST, scopes: ["a"] });
  assertEquals(result, {
    accessToken: "the-new-token",
    issuedTokenType: TOKEN_TYPES.saml2,
    tokenType: "N_A",
    scopes: ["a"],
  });
  assertFalse(oidc.posts[0]!.form.has("client_secret"));
});

test("R-213 an answer without its types, or of another type or audience than asked for, is refused", async () => {
  const asks = { requestedTokenType: TOKEN_TYPES.jwt, audience: "stock", resource: "https://stock.example" };
  const jwt = { issued_token_type: TOKEN_TYPES.jwt };
  await eachRow<[object, Partial<ExchangeTokenRequest>]>({
    "no token": [{ access_token: undefined }, {}],
    "an empty token": [{ access_token: "" }, {}],
    "a token that is no text": [{ access_token: 5 }, {}],
    "no issued_token_type": [{ issued_token_type: undefined }, {}],
    "an empty one": [{ issued_token_type: "" }, {}],
    "a list of them": [{ issued_token_type: [TOKEN_TYPES.accessToken] }, {}],
    "no token_type": [{ token_type: undefined }, {}],
    "a list of token types": [{ token_type: ["Bearer"] }, {}],
    "an unknown token_type": [{ token_type: "mac" }, {}],
    "one of the language's own": [{ token_type: "constructor" }, {}],
    "a token that is bound to a key that nobody has": [{ token_type: "DPoP" }, {}],
    "an access token that is N_A": [{ token_type: "N_A" }, {}],
    "another type than asked for": [{}, { requestedTokenType: TOKEN_TYPES.refreshToken }],
    "another audience": [{ ...jwt, access_token: jwtFor("orders") }, asks],
    "other audiences": [{ ...jwt, access_token: jwtFor(["orders", 5]) }, asks],
    "no audience at all": [{ ...jwt, access_token: jwtFor([]) }, asks],
  }, async ([members, request]) => {
    const oidc = oidcDouble();
    oidc.next({ ...ANSWER, ...members });
    const error = await oidc.refused(exchangeToken(oidc.confidential(), { ...REQUEST, ...request }));
    assertEquals(error.code, "invalid_response");
    assertFalse(JSON.stringify([error, error.message]).includes("the-new-token"));
  });
  for (const aud of ["stock", ["orders", "stock"], "https://stock.example", undefined]) {
    const oidc = oidcDouble();
    oidc.next({ ...ANSWER, ...jwt, access_token: jwtFor(aud) });
    assertEquals((await exchangeToken(oidc.confidential(), { ...REQUEST, ...asks })).tokenType, "Bearer");
  }
});

test("R-213 a URL object is written with a slash at its end: the audience may have none", async () => {
  const resource = new URL("https://stock.example");
  const oidc = oidcDouble();
  const jwt = { issued_token_type: TOKEN_TYPES.jwt };
  oidc.next({ ...ANSWER, ...jwt, access_token: jwtFor("https://stock.example") });
  assertEquals((await exchangeToken(oidc.confidential(), { ...REQUEST, resource })).tokenType, "Bearer");
  for (const aud of ["https://stock.example/x", "https://stock.example//", "https://stock.exampl"]) {
    oidc.next({ ...ANSWER, ...jwt, access_token: jwtFor(aud) });
    const error = await oidc.refused(exchangeToken(oidc.confidential(), { ...REQUEST, resource }));
    assertEquals(error.code, "invalid_response");
  }
});

test("RFC 8693 section 2.2.2: a refusal is the authority's error, without any of the tokens", async () => {
  const oidc = oidcDouble();
  const error_description = `${REQUEST.subjectToken} the-actor-token ${SECRET}`;
  oidc.next(() => jsonResponse({ error: "invalid_target", error_description }, 400));
  const request = { ...REQUEST, actorToken: "the-actor-token", actorTokenType: TOKEN_TYPES.jwt };
  const error = await oidc.refused(exchangeToken(oidc.confidential(), request)) as ServerError;
  assertEquals([error.code, error.error], ["server_error", "invalid_target"]);
  const told = JSON.stringify([error, error.message, error.errorDescription]);
  for (const secret of [REQUEST.subjectToken, "the-actor-token", SECRET]) assertFalse(told.includes(secret));
});

test("a request that is wrong is refused before anything is sent, by the name of its member", async () => {
  await eachRow<[unknown, string]>({
    "no request": [undefined, "request"],
    "no subject token": [{ ...REQUEST, subjectToken: undefined }, "subjectToken"],
    "an empty one": [{ ...REQUEST, subjectToken: "" }, "subjectToken"],
    "one with a line break": [{ ...REQUEST, subjectToken: "a\r\nb" }, "subjectToken"],
    "no type": [{ ...REQUEST, subjectTokenType: undefined }, "subjectTokenType"],
    "a type that is no URI": [{ ...REQUEST, subjectTokenType: "access_token" }, "subjectTokenType"],
    "an actor without type": [{ ...REQUEST, actorToken: "a" }, "actorTokenType"],
    "a type without actor": [{ ...REQUEST, actorTokenType: TOKEN_TYPES.jwt }, "actorToken"],
    "a wanted type that is no URI": [{ ...REQUEST, requestedTokenType: "jwt" }, "requestedTokenType"],
    "an empty audience": [{ ...REQUEST, audience: [""] }, "audience"],
    "a resource that is no URI": [{ ...REQUEST, resource: "stock" }, "resource"],
    "a resource with a fragment": [{ ...REQUEST, resource: "https://stock.example/#a" }, "resource"],
    "a resource that is null": [{ ...REQUEST, resource: [null] }, "resource"],
    "scopes in one text": [{ ...REQUEST, scopes: "a b" }, "scopes"],
    "an extra of the grant's own": [
      { ...REQUEST, extraBodyParameters: { actor_token: "x" } },
      "extraBodyParameters",
    ],
    "an extra resource": [{ ...REQUEST, extraBodyParameters: { resource: "x" } }, "extraBodyParameters"],
    "an extra secret": [{ ...REQUEST, extraBodyParameters: { client_secret: "x" } }, "extraBodyParameters"],
    "a correlation id of two lines": [{ ...REQUEST, correlationId: "a\nb" }, "correlationId"],
  }, async ([request, option]) => {
    const oidc = oidcDouble();
    const error = await oidc.refused(exchangeToken(oidc.confidential(), request as ExchangeTokenRequest));
    assertEquals([(error as { option?: string }).option, oidc.gets.length + oidc.posts.length], [option, 0]);
  });
  assertEquals((await failure(exchangeToken({} as never, REQUEST))).code, "invalid_request");
});

test("at Microsoft's authorities there is no exchange: the error says what there is, and nothing is sent", async () => {
  const entra = entraDouble();
  const error = await entra.refused(exchangeToken(entra.confidential(), REQUEST));
  assertEquals([error.code, entra.posts.length], ["endpoints_resolution_error", 0]);
  assertStringIncludes(error.message, "acquireTokenOnBehalfOf");
});

test("R-214 resource never goes to Entra, however it is meant to", async () => {
  const resource = { resource: "https://graph.microsoft.com" };
  const entra = entraDouble();
  const [app, cli] = [entra.confidential(), entra.public()];
  const scopes = ["https://graph.microsoft.com/.default"];
  await eachRow<() => Promise<unknown>>({
    "an app token's form": () => app.acquireTokenForClient({ scopes, extraBodyParameters: resource }),
    "an app token's query": () => app.acquireTokenForClient({ scopes, extraQueryParameters: resource }),
    "a sign-in": () =>
      app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI, extraQueryParameters: resource }),
    "a device": () => cli.initiateDeviceFlow({ scopes: [], extraBodyParameters: resource }),
    "a device's query": () => cli.initiateDeviceFlow({ scopes: [], extraQueryParameters: resource }),
    "a refresh token": () =>
      app.acquireTokenByRefreshToken({ refreshToken: "RT", scopes: [], extraBodyParameters: resource }),
  }, async (call) => {
    const error = await entra.refused(call());
    assertEquals([error.code, (error as { option?: string }).option], ["reserved_parameter", "resource"]);
  });
  assertEquals(entra.posts.length, 0);
  const oidc = oidcDouble();
  oidc.next({ access_token: "AT", token_type: "Bearer" });
  const flow = await oidc.confidential().initiateAuthCodeFlow({
    scopes: [],
    redirectUri: REDIRECT_URI,
    extraQueryParameters: resource,
  });
  assert(new URL(flow.authUri).searchParams.has("resource"));
  await oidc.confidential().acquireTokenForClient({ scopes: ["a"], extraBodyParameters: resource });
  assertEquals(oidc.posts[0]?.form.get("resource"), resource.resource);
});
