/** Sign-ins that are announced before the browser goes there: R-205, RFC 9126. */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { ConfidentialClientApplication, type ServerError } from "../mod.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { entraDouble, REDIRECT_URI } from "./support/entra_double.ts";
import { CLIENT_ID, ISSUER, type OidcDouble, oidcDouble, SECRET } from "./support/oidc_double.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const REQUEST = { scopes: ["orders.read"], redirectUri: REDIRECT_URI };
const URI = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";
const PUSHED = { request_uri: URI, expires_in: 60 };
const ALWAYS = { pushedAuthorizationRequests: true };
const pushed = (members: object = {}, status = 201): () => Response => () =>
  jsonResponse({ ...PUSHED, ...members }, status);

/** What a browser is told. */
const front = (authUri: string): unknown => Object.fromEntries(new URL(authUri).searchParams);

test("R-205 an announced sign-in says everything behind, and only client_id and request_uri in front", async () => {
  const oidc = oidcDouble();
  oidc.next(pushed());
  const app = oidc.confidential({ ...ALWAYS, clientCapabilities: ["cp1"] });
  const flow = await app.initiateAuthCodeFlow({
    ...REQUEST,
    prompt: "login",
    loginHint: "ada@example",
    maxAge: 60,
    extraQueryParameters: { resource: "https://orders.example", ui: "dark" },
  });
  const [post] = oidc.posts;
  assertEquals([post?.url, post?.redirect, oidc.posts.length], [`${ISSUER}/par`, "manual", 1]);
  const { state, nonce, code_challenge, claims, ...rest } = Object.fromEntries(post!.form);
  assertEquals(rest, {
    client_id: CLIENT_ID,
    client_secret: SECRET,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    scope: "offline_access openid orders.read profile",
    code_challenge_method: "S256",
    login_hint: "ada@example",
    prompt: "login",
    max_age: "60",
    resource: "https://orders.example",
    ui: "dark",
  });
  assertEquals([state, JSON.parse(claims!)], [flow.state, { access_token: { xms_cc: { values: ["cp1"] } } }]);
  assert(nonce !== flow.nonce && code_challenge !== flow.codeVerifier);
  assert(!post!.body.includes(flow.codeVerifier));
  // The endpoint keeps what is its own.
  assertEquals(front(flow.authUri), { policy: "one", client_id: CLIENT_ID, request_uri: URI });
  assert(flow.authUri.startsWith(`${ISSUER}/auth?`));
});

test("R-205 what was announced ends when the authority says; the flow itself goes on while the user types", async () => {
  const oidc = oidcDouble();
  oidc.next(async () => {
    // Lifetimes count from the request.
    await oidc.clock.advance(5_000);
    return pushed({ expires_in: 90.5 })();
  });
  const startedAt = oidc.clock.now() / 1000;
  const flow = await oidc.confidential(ALWAYS).initiateAuthCodeFlow(REQUEST);
  assertEquals(flow.authUriExpiresAt, startedAt + 90);
  assert(flow.expiresAt >= startedAt + 3_600);
});

test("R-205 each sign-in is announced anew", async () => {
  const oidc = oidcDouble();
  oidc.next(pushed(), pushed({ request_uri: `${URI}2` }));
  const app = oidc.confidential(ALWAYS);
  const [first, second] = [await app.initiateAuthCodeFlow(REQUEST), await app.initiateAuthCodeFlow(REQUEST)];
  assertNotEquals(front(first.authUri), front(second.authUri));
  assertNotEquals(oidc.posts[0]?.form.get("state"), oidc.posts[1]?.form.get("state"));
  assertEquals([oidc.posts.length, oidc.gets.length], [2, 1]);
});

test("R-205 it is announced where the authority requires it or the option says so, and nowhere else", async () => {
  const required = { require_pushed_authorization_requests: true };
  await eachRow<[object, object, number]>({
    "nobody says so": [{}, {}, 0],
    "the option says no": [{}, { pushedAuthorizationRequests: false }, 0],
    "a text is no requirement": [{ require_pushed_authorization_requests: "true" }, {}, 0],
    "the option": [{}, ALWAYS, 1],
    "the authority": [required, {}, 1],
    "the authority, whatever the option says": [required, { pushedAuthorizationRequests: false }, 1],
  }, async ([members, options, count]) => {
    const oidc = oidcDouble(members as Record<string, unknown>);
    oidc.next(pushed());
    const flow = await oidc.confidential(options).initiateAuthCodeFlow(REQUEST);
    assertEquals([oidc.posts.length, "authUriExpiresAt" in flow], [count, count === 1]);
    assertEquals(new URL(flow.authUri).searchParams.has("state"), count === 0);
  });
});

test("R-205 the URL of a sign-in whose state the caller keeps, a public client, and a receiver", async () => {
  const oidc = oidcDouble();
  oidc.next(pushed(), pushed(), pushed());
  const secrets = { state: "a-state-of-the-caller", nonce: "a-nonce-of-the-caller" };
  const codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  const url = await oidc.confidential(ALWAYS).getAuthorizationRequestUrl({
    ...REQUEST,
    ...secrets,
    codeChallenge,
  });
  assertEquals(front(url), { policy: "one", client_id: CLIENT_ID, request_uri: URI });
  assertEquals(oidc.posts[0]?.form.get("state"), secrets.state);
  const app = oidc.public(ALWAYS);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  assertEquals(front(flow.authUri), { policy: "one", client_id: CLIENT_ID, request_uri: URI });
  assertEquals([oidc.posts[1]?.form.get("client_id"), oidc.posts[1]?.form.get("client_secret")], [
    CLIENT_ID,
    null,
  ]);
  let shown = "";
  const receiver = {
    open: () => ({
      redirectUri: "http://localhost:1/",
      receive: ({ authUri }: { authUri: string }) => {
        shown = authUri;
        return Promise.reject(new Error("enough"));
      },
      close: () => {},
    }),
  };
  await failure(app.acquireTokenInteractive({ scopes: [], receiver: receiver as never }));
  assertEquals(front(shown), { policy: "one", client_id: CLIENT_ID, request_uri: URI });
});

test("R-205 client_secret_basic is a header there, too, and the caller's correlation id goes along", async () => {
  const oidc = oidcDouble();
  oidc.next(pushed());
  const clientCredential = { clientSecret: SECRET, method: "client_secret_basic" } as const;
  const correlationId = "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c";
  const app = oidc.confidential({ ...ALWAYS, clientCredential });
  await app.initiateAuthCodeFlow({ ...REQUEST, correlationId });
  const { form, headers } = oidc.posts[0]!;
  assertEquals([form.has("client_secret"), headers.get("client-request-id")], [false, correlationId]);
  assert(headers.get("authorization")?.startsWith("Basic "));
});

test("R-205 an authority that offers none is told so by an error, and nothing is sent", async () => {
  const none = { pushed_authorization_request_endpoint: undefined };
  await eachRow<[Record<string, unknown>, object]>({
    "the option": [none, ALWAYS],
    "a requirement without an endpoint": [{ ...none, require_pushed_authorization_requests: true }, {}],
  }, async ([members, options]) => {
    const oidc = oidcDouble(members);
    const error = await oidc.refused(oidc.confidential(options).initiateAuthCodeFlow(REQUEST));
    assertEquals([error.code, oidc.posts.length], ["endpoints_resolution_error", 0]);
    assertStringIncludes(error.message, "pushed_authorization_request_endpoint");
  });
  const entra = entraDouble();
  const app = entra.confidential(ALWAYS);
  const error = await entra.refused(app.initiateAuthCodeFlow(REQUEST));
  assertEquals([error.code, entra.posts.length, entra.gets.length], ["endpoints_resolution_error", 0, 0]);
});

test("R-019 R-205 an endpoint that must not be asked is not asked", async () => {
  for (const url of ["http://idp.example/par", "https://127.0.0.1/par", "https://u:p@idp.example/par", 5]) {
    const oidc = oidcDouble({ pushed_authorization_request_endpoint: url });
    const error = await oidc.refused(oidc.confidential(ALWAYS).initiateAuthCodeFlow(REQUEST));
    assertEquals([error.code, oidc.posts.length], ["endpoints_resolution_error", 0]);
  }
});

const refusedBy = (oidc: OidcDouble, answer: Answer): ReturnType<OidcDouble["refused"]> => {
  oidc.next(answer);
  return oidc.refused(oidc.confidential(ALWAYS).initiateAuthCodeFlow(REQUEST));
};

test("RFC 9126 section 2.3: what cannot be used, and what is refused, is an error of its own", async () => {
  const refusal = (error: string, status = 400) => () => jsonResponse({ error }, status);
  await eachRow<[Answer, string]>({
    "no request_uri": [pushed({ request_uri: undefined }), "invalid_response"],
    "an empty one": [pushed({ request_uri: "" }), "invalid_response"],
    "one that is no URI": [pushed({ request_uri: "6esc" }), "invalid_response"],
    "one with a space": [pushed({ request_uri: "urn:a b" }), "invalid_response"],
    "one of a megabyte": [pushed({ request_uri: `urn:${"x".repeat(1e5)}` }), "invalid_response"],
    "a list": [pushed({ request_uri: [URI] }), "invalid_response"],
    "no lifetime": [pushed({ expires_in: undefined }), "invalid_response"],
    "a lifetime of nothing": [pushed({ expires_in: 0 }), "invalid_response"],
    "a lifetime as text": [pushed({ expires_in: "60" }), "invalid_response"],
    "an endless one": [pushed({ expires_in: 1e300 }), "invalid_response"],
    "no JSON": [() => new Response(URI, { status: 201 }), "invalid_response"],
    "a status without content": [() => new Response(null, { status: 204 }), "invalid_response"],
    "a redirect": [
      () => new Response(null, { status: 303, headers: { location: "https://evil.example" } }),
      "redirect_refused",
    ],
    "invalid_request": [refusal("invalid_request"), "server_error"],
    "invalid_client": [refusal("invalid_client", 401), "server_error"],
    "405": [refusal("invalid_request", 405), "server_error"],
    "413": [refusal("invalid_request", 413), "server_error"],
    "429": [refusal("invalid_request", 429), "throttled"],
    "503": [refusal("temporarily_unavailable", 503), "server_error"],
    "an outage": [new TypeError("reset"), "network_error"],
  }, async ([answer, code]) => {
    const oidc = oidcDouble();
    assertEquals((await refusedBy(oidc, answer)).code, code);
    assertEquals(oidc.posts.length, 1);
  });
});

test("R-205 an error of the endpoint holds no secret and nothing of the sign-in, and is not remembered", async () => {
  const oidc = oidcDouble();
  const error = await refusedBy(oidc, ({ form }) =>
    jsonResponse(
      {
        error: "invalid_request",
        error_description: `${SECRET} ${form.get("state")} ${form.get("nonce")} ${
          form.get("code_challenge")
        }`,
      },
      400,
      { "retry-after": "7" },
    )) as ServerError;
  const { form } = oidc.posts[0]!;
  const told = JSON.stringify([error, error.message, error.errorDescription]);
  for (const secret of [SECRET, form.get("state")!, form.get("nonce")!, form.get("code_challenge")!]) {
    assert(!told.includes(secret));
  }
  assertEquals(error.retryAfterSeconds, 7);
  oidc.next(pushed());
  await oidc.confidential(ALWAYS).initiateAuthCodeFlow(REQUEST);
});

test("R-205 the caller's signal ends the wait, and the option must be true or false", async () => {
  const oidc = oidcDouble();
  const controller = new AbortController();
  oidc.next(() => {
    controller.abort();
    return new Promise<Response>(() => {});
  });
  const { signal } = controller;
  const call = oidc.confidential(ALWAYS).initiateAuthCodeFlow({ ...REQUEST, signal });
  assertEquals((await failure(call)).code, "request_aborted");
  for (const value of ["true", 1, null]) {
    const options = { clientId: "x", clientCredential: "y", pushedAuthorizationRequests: value as never };
    const error = thrown(() => new ConfidentialClientApplication(options));
    assertEquals([error.code, (error as { option?: string }).option], [
      "invalid_option",
      "pushedAuthorizationRequests",
    ]);
  }
});
