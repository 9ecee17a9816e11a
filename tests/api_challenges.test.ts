/** What an API answers to those whom it cannot serve: ..R-164; RFC 6750 section 3. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  type AuthError,
  CacheError,
  ClientAuthError,
  ClientConfigurationError,
  createAuthorizedFetch,
  InteractionRequiredAuthError,
  NetworkError,
  ServerError,
} from "../mod.ts";
import { claimsChallengeOf, parseWwwAuthenticate } from "../src/request/www_authenticate.ts";
import { bearerChallenge, encodeClaims, plainText } from "../src/web/challenge.ts";
import { AccessTokenError, createApiAuth } from "../src/web/mod.ts";
import { API, type ApiAnswer, type ApiScene, apiScene, takeApart } from "./support/api_scene.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, ORDERS } from "./support/user_scene.ts";

const CORRELATION = "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c";
/** What must not be told. */
const CANARY = "canary-in-a-message";
const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"},"name":{"value":"é>?"}}}';

const details = { status: 400, error: "x", errorCodes: [], retryable: false, throttledLocally: false };
const interaction = (code: "interaction_required" | "consent_required" | "bad_token", claims?: string) =>
  new InteractionRequiredAuthError(code, CANARY, { ...details, claims }, CORRELATION);

const answerTo = async (error: unknown, one: ApiScene = apiScene()): Promise<ApiAnswer> =>
  await takeApart(one.api.refuse(error, new Request(API)));

/** An error, and the answer: status, error of the challenge, error of the body, Retry-After. */
type Row = [
  error: AuthError,
  status: number,
  challenge: string | undefined,
  body: string,
  retryAfter?: string,
];

const ANSWERS: Readonly<Record<string, Row>> = {
  "a token that is no good": [
    new AccessTokenError(
      "access_token_expired",
      "It has expired",
      { status: 401, error: "invalid_token" },
      CORRELATION,
    ),
    401,
    "invalid_token",
    "invalid_token",
  ],
  "a request that is no good": [
    new AccessTokenError(
      "access_token_request_invalid",
      "Two",
      { status: 400, error: "invalid_request" },
      CORRELATION,
    ),
    400,
    "invalid_request",
    "invalid_request",
  ],
  "a scope that is missing": [
    new AccessTokenError(
      "access_token_scope_missing",
      "x",
      { status: 403, error: "insufficient_scope" },
      CORRELATION,
    ),
    403,
    "insufficient_scope",
    "insufficient_scope",
  ],
  "R-163 an assertion that has expired since": [
    // deno-lint-ignore no-explicit-any -- the code is of another part
    new ClientAuthError("user_assertion_expired" as any, CANARY, CORRELATION),
    401,
    "invalid_token",
    "invalid_token",
  ],
  "R-164 claims that the authority asks for": [
    interaction("interaction_required", CLAIMS),
    401,
    "insufficient_claims",
    "insufficient_claims",
  ],
  "R-164 claims beside a consent": [
    interaction("consent_required", CLAIMS),
    401,
    "insufficient_claims",
    "insufficient_claims",
  ],
  "a user who must sign in": [interaction("bad_token"), 401, "interaction_required", "interaction_required"],
  "a consent that is missing": [interaction("consent_required"), 403, "consent_required", "consent_required"],
  "an authority that cannot be reached": [
    new NetworkError("network_error", CANARY, CORRELATION),
    503,
    undefined,
    "temporarily_unavailable",
    "5",
  ],
  "an authority that throttles": [
    new ServerError(
      "throttled",
      CANARY,
      { ...details, status: 429, retryable: true, retryAfterSeconds: 6.2 },
      CORRELATION,
    ),
    503,
    undefined,
    "temporarily_unavailable",
    "7",
  ],
  "an authority that is down": [
    new ServerError("server_error", CANARY, {
      ...details,
      status: 503,
      retryable: true,
      retryAfterSeconds: 0,
    }, CORRELATION),
    503,
    undefined,
    "temporarily_unavailable",
    "1",
  ],
  "documents that cannot be had": [
    new ClientAuthError("endpoints_resolution_error", CANARY, CORRELATION),
    503,
    undefined,
    "temporarily_unavailable",
    "5",
  ],
  "a secret that is wrong": [
    new ServerError(
      "server_error",
      CANARY,
      { ...details, status: 401, error: "invalid_client" },
      CORRELATION,
    ),
    500,
    undefined,
    "server_error",
  ],
  "another fault of ours": [
    new ClientAuthError("unexpected_error", CANARY, CORRELATION),
    500,
    undefined,
    "server_error",
  ],
  "a store that fails": [
    new CacheError("cache_read_failed", CANARY, CORRELATION),
    500,
    undefined,
    "server_error",
  ],
};
for (const [name, [error, status, challenge, code, retryAfter]] of Object.entries(ANSWERS)) {
  test(`R-138 an error is answered, and tells nothing: ${name}`, async () => {
    const one = apiScene();
    const answer = await answerTo(error, one);
    assertEquals([answer.status, answer.challenge?.error], [status, challenge]);
    assertEquals(answer.headers.get("retry-after"), retryAfter ?? null);
    assertEquals(answer.headers.get("cache-control"), "no-store");
    assertEquals(answer.headers.get("vary"), "Authorization");
    assertEquals(answer.headers.get("content-type"), "application/json");
    assertEquals(Object.keys(answer.body), ["error", "error_description", "correlationId"]);
    assertEquals([answer.body.error, answer.body.correlationId], [code, CORRELATION]);
    assertFalse(JSON.stringify([answer.body, ...answer.headers]).includes(CANARY));
    const told = one.events.flatMap((event) => event.type === "request_failed" ? [event.error] : []);
    assertEquals(told, status >= 500 ? [error] : []);
  });
}

test("R-138 a configuration that is wrong is answered without its details, and told to who listens", async () => {
  const one = apiScene();
  const error = new ClientConfigurationError("invalid_option", "app", CANARY);
  const { status, body, headers } = await answerTo(error, one);
  assertEquals([status, Object.keys(body)], [500, ["error", "error_description"]]);
  assertEquals(headers.has("www-authenticate"), false);
  assertEquals(one.events.map(({ type }) => type), ["request_failed"]);
});

for (
  const error of [new TypeError(CANARY), "text", undefined, null, { name: "AccessTokenError", status: 200 }]
) {
  test(`R-138 what is none of ours is thrown again: ${String(error)}`, () => {
    const { api, events } = apiScene();
    let caught: unknown = "nothing";
    try {
      api.refuse(error, new Request(API));
    } catch (thrown) {
      caught = thrown;
    }
    assert(caught === error);
    assertEquals(events, []);
  });
}

test("R-138 an error of another copy of the library is answered alike", async () => {
  const foreign = Object.assign(new Error(CANARY), { name: "NetworkError", code: "network_error" });
  Object.defineProperty(foreign, Symbol.for("@msal-edge/msal.AuthError"), { value: true });
  assertEquals((await answerTo(foreign)).status, 503);
});

test("R-164 the claims travel to the caller, who can read them", () => {
  const { api } = apiScene();
  const response = api.refuse(interaction("interaction_required", CLAIMS), new Request(API));
  assertEquals(claimsChallengeOf(response), CLAIMS);
  const header = response.headers.get("www-authenticate") ?? "";
  assert(/^[\x20-\x7e]+$/.test(header));
  // As clients read it that know of nothing but this: the text between the quotes, and atob.
  const claims = /claims="([^"]+)"/.exec(header)?.[1] ?? "";
  const bytes = Uint8Array.from(atob(claims), (one) => one.charCodeAt(0));
  assertEquals(new TextDecoder().decode(bytes), CLAIMS);
  assert(
    header.startsWith(
      `Bearer realm="", authorization_uri="${HOST}/${CONTOSO.id}/oauth2/v2.0/authorize", error=`,
    ),
  );
});

test("R-164 a caller's authorized fetch satisfies the challenge", async () => {
  const one = apiScene();
  let isStepped = false;
  const route = one.api.protect(() => {
    if (!isStepped) throw interaction("interaction_required", CLAIMS);
    return new Response("done");
  }, { scopes: ["Orders.Read"] });
  const asked: (string | undefined)[] = [];
  const call = createAuthorizedFetch({
    origins: [API],
    acquireToken: async ({ claims }) => {
      asked.push(claims);
      isStepped = claims !== undefined;
      return { accessToken: await one.token(), tokenType: "Bearer" };
    },
    fetch: (url, init) => route(new Request(url, init)),
  });
  assertEquals(await (await call(`${API}/orders`)).text(), "done");
  assertEquals(asked, [undefined, CLAIMS]);
});

test("R-158 a scope that is missing is named, as callers ask for it", async () => {
  const plain = apiScene();
  const needed = { scopes: ["Orders.Read", "Orders.Write"] };
  const first = await plain.call(`Bearer ${await plain.token()}`, needed);
  assertEquals([first.status, first.challenge?.error], [403, "insufficient_scope"]);
  assertEquals(first.challenge?.scope, "Orders.Read Orders.Write");
  const named = apiScene({
    protectedResource: {
      resource: API,
      scopesSupported: ["api://orders/Orders.Read", "api://orders/Orders.Write"],
    },
  });
  const second = await named.call(`Bearer ${await named.token()}`, needed);
  assertEquals(second.challenge?.scope, "api://orders/Orders.Read api://orders/Orders.Write");
  assertEquals(second.challenge?.resource_metadata, `${API}/.well-known/oauth-protected-resource`);
});

test("R-158 a token that has expired is invalid, and nothing of it is told", async () => {
  const one = apiScene();
  const token = await one.token({ lifetimeSeconds: -3_600 });
  const { status, challenge, body } = await one.call(`Bearer ${token}`);
  assertEquals([status, challenge?.error, body.error], [401, "invalid_token", "invalid_token"]);
  const claims = JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  const told = JSON.stringify([challenge, body]);
  for (const secret of [token, ...token.split("."), claims.oid, claims.sub, claims.preferred_username]) {
    if (secret !== undefined) assertFalse(told.includes(secret), secret);
  }
});

test("R-155 a role that is missing is answered 403", async () => {
  const one = apiScene();
  const { status, challenge } = await one.call(`Bearer ${await one.appToken(["Other"])}`, {
    roles: ["Orders.Read.All"],
  });
  assertEquals([status, challenge?.error], [403, "insufficient_scope"]);
});

test("R-162 who can is told the claims to get, others are refused", async () => {
  const one = apiScene();
  const needed = { scopes: ["Orders.Read"], acrs: ["c1"] };
  const able = await one.call(`Bearer ${await one.token({ claims: { xms_cc: ["CP1"] } })}`, needed);
  assertEquals([able.status, able.challenge?.error, able.challenge?.realm], [401, "insufficient_claims", ""]);
  assertEquals(JSON.parse(atob(able.challenge?.claims ?? "")).access_token.acrs.essential, true);
  const unable = await one.call(`Bearer ${await one.token()}`, needed);
  assertEquals([unable.status, unable.challenge?.claims], [403, undefined]);
  const stepped = await one.call(`Bearer ${await one.token({ claims: { acrs: ["c1"] } })}`, needed);
  assertEquals(stepped.status, 200);
});

test("R-162 an API of many tenants names their shared endpoint", async () => {
  const api = createApiAuth({
    authority: `${HOST}/common`,
    allowedTenants: "any",
    audience: ORDERS.appId,
  });
  const { challenge } = await takeApart(await api.protect(() => new Response())(new Request(API)));
  assertEquals(challenge, { realm: "", authorization_uri: `${HOST}/common/oauth2/v2.0/authorize` });
});

test("a challenge of a generic issuer names no page of Entra's", async () => {
  const api = createApiAuth({ oidcAuthority: "https://issuer.example", audience: "orders" });
  const { challenge } = await takeApart(await api.protect(() => new Response())(new Request(API)));
  assertEquals(challenge, { realm: "" });
});

test("R-138 keys that cannot be had are an outage, not a bad token", async () => {
  const one = apiScene();
  one.scene.authority.fault({ on: "jwks", kind: "network", times: 10 });
  const answer = one.call(`Bearer ${await one.token()}`);
  await one.scene.clock.advance(60_000);
  const { status, headers, challenge } = await answer;
  assertEquals([status, headers.get("retry-after"), challenge], [503, "5", undefined]);
  assertEquals(one.callers.length, 0);
});

test("a challenge is ASCII, and reads back as it was meant", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
    const header = bearerChallenge({
      realm: "",
      error_description: plainText(text),
      left: undefined,
      raw: text,
    });
    assert(/^[\x20-\x7e]*$/.test(header));
    new Headers({ "www-authenticate": header });
    const [challenge, ...others] = parseWwwAuthenticate(header);
    assertEquals([others.length, challenge?.scheme], [0, "Bearer"]);
    assertEquals(challenge?.parameters.raw, text.replace(/[^\x20-\x7e]/g, "?"));
    assert(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(challenge?.parameters.error_description ?? '"'));
    assertFalse("left" in (challenge?.parameters ?? {}));
  }));
});

test("claims of any text are base64 of their UTF-8", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const bytes = Uint8Array.from(atob(encodeClaims(text)), (one) => one.charCodeAt(0));
    assertEquals(bytes, new TextEncoder().encode(text));
  }));
  assertEquals(atob(encodeClaims("x".repeat(100_000))).length, 100_000);
  assertThrows(() => atob("%"));
});
