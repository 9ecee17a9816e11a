/** A fetch that proves who sends: R-208 for APIs, RFC 9449 sections 7.1 and 9, MSAL.NET 3.1.8. */
import { assert, assertEquals, assertFalse, assertStrictEquals } from "@std/assert";
import { type AuthScheme, ClientAuthError, ClientConfigurationError } from "../mod.ts";
import {
  type AuthorizedFetchOptions,
  createAuthorizedFetch,
  type TokenChallenge,
} from "../src/client/authorized_fetch.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { dpopScheme, plainScheme, popScheme } from "./support/bound_tokens.ts";
import { verifiedProof, verifiedRequest } from "./support/proofs.ts";
import { type Answer, type ScriptedFetch, scriptedFetch } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const API = "https://api.example";
const URL_OF_ME = `${API}/v1.0/me?x=1`;
const TOKEN = "an.access.token";
const CLAIMS = '{"access_token":{"nbf":{"essential":true}}}';

const ok = (nonce?: string) => (): Response =>
  new Response("yes", { headers: nonce === undefined ? {} : { "dpop-nonce": nonce } });
const wantsNonce = (nonce = "n-1", challenge = 'DPoP error="use_dpop_nonce"') => (): Response =>
  new Response("no", { status: 401, headers: { "www-authenticate": challenge, "dpop-nonce": nonce } });
const wantsClaims = (): Response =>
  new Response("no", {
    status: 401,
    headers: { "www-authenticate": `Bearer error="insufficient_claims", claims="${btoa(CLAIMS)}"` },
  });

interface Api extends ScriptedFetch {
  readonly call: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  readonly challenges: TokenChallenge[];
  /** The nonces that were sent, for a {@linkcode plainScheme} that writes them into its header. */
  nonces(): (string | null)[];
}

const TELLING = plainScheme("key1", {
  apiHeaders: ({ accessToken, nonce = "-" }) =>
    Promise.resolve({ authorization: `DPoP ${accessToken}`, dpop: nonce }),
});

async function telling(): Promise<AuthScheme> {
  const scheme = await dpopScheme();
  return { ...TELLING, apiNonce: (answer) => scheme.apiNonce(answer) };
}

function api(
  script: Answer[],
  authScheme: AuthScheme | undefined,
  options: Partial<AuthorizedFetchOptions> = {},
): Api {
  const http = scriptedFetch(script);
  const challenges: TokenChallenge[] = [];
  const call = createAuthorizedFetch({
    origins: [API, "https://other.example"],
    fetch: http.fetch,
    authScheme,
    acquireToken: (challenge) => {
      challenges.push(challenge);
      const tokenType = challenge.authScheme?.tokenType ?? "Bearer";
      return Promise.resolve({ accessToken: TOKEN, tokenType });
    },
    ...options,
  });
  return { ...http, call, challenges, nonces: () => http.requests.map(({ headers }) => headers.get("dpop")) };
}

test("R-208 each request has a proof of its own method, URL, token and time", async () => {
  const authScheme = await dpopScheme();
  const { call, requests, challenges } = api([ok(), ok()], authScheme, {
    clock: { now: () => 1_562_262_618_999 },
  });
  await call(URL_OF_ME);
  await call(`${API}/v1.0/me?x=2#part`, { method: "put", body: "{}" });
  const proofs = await Promise.all(requests.map(({ headers }) => verifiedProof(headers.get("dpop"))));
  assertEquals(requests.map(({ headers }) => headers.get("authorization")), [
    `DPoP ${TOKEN}`,
    `DPoP ${TOKEN}`,
  ]);
  assertEquals(proofs.map(({ payload: { htu, iat } }) => [htu, iat]), [
    [`${API}/v1.0/me`, 1_562_262_618],
    [`${API}/v1.0/me`, 1_562_262_618],
  ]);
  assertEquals(proofs[0]?.payload.htm, "GET");
  // As this runtime spells it: what is signed is what is sent.
  assertEquals(proofs[1]?.payload.htm, new Request(API, { method: "put" }).method);
  assertEquals(new Set(proofs.map(({ payload }) => payload.jti)).size, 2);
  assert(proofs.every(({ payload }) => typeof payload.ath === "string"));
  assertStrictEquals(challenges[0]?.authScheme, authScheme);
});

test("R-208 an API's nonce goes into one more request, and into those to come, of that origin alone", async () => {
  const { call, nonces, challenges } = api([wantsNonce(), ok(), ok("n-2"), ok(), ok()], await telling());
  assertEquals((await call(URL_OF_ME)).status, 200);
  await call(URL_OF_ME);
  await call(URL_OF_ME);
  await call("https://other.example/");
  assertEquals(nonces(), ["-", "n-1", "n-1", "n-2", "-"]);
  // The token is the same: nobody is asked for another one.
  assertEquals(challenges.length, 4);
});

test("R-208 the nonce is tried exactly once: a second refusal is the answer", async () => {
  const { call, requests, nonces } = api([wantsNonce("n-1"), wantsNonce("n-2")], await telling());
  const response = await call(URL_OF_ME);
  assertEquals([response.status, await response.text(), requests.length], [401, "no", 2]);
  assertEquals(nonces(), ["-", "n-1"]);
});

test("R-208 the scheme of the challenge counts whatever its case; other refusals are the answer", async () => {
  const rows: Record<string, [string, string, number]> = {
    "lower case": ['dpop error="use_dpop_nonce"', "n-1", 2],
    "among others": ['Bearer realm="x", DPOP algs="ES256", error=use_dpop_nonce', "n-1", 2],
    "Bearer": ['Bearer error="use_dpop_nonce"', "n-1", 1],
    "another error": ['DPoP error="invalid_token"', "n-1", 1],
    "no nonce": ['DPoP error="use_dpop_nonce"', "", 1],
    "a nonce that is none": ['DPoP error="use_dpop_nonce"', "a b", 1],
  };
  await eachRow(rows, async ([challenge, nonce, count]) => {
    const { call, requests } = api([wantsNonce(nonce, challenge), ok()], await telling());
    assertEquals((await call(URL_OF_ME)).status, count === 2 ? 200 : 401);
    assertEquals(requests.length, count);
  });
});

test("bodies that can be sent again are; of the others the 401 is the answer", async () => {
  const bytes = new TextEncoder().encode("body");
  const stream = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
  const rows: Record<string, () => Parameters<Api["call"]>> = {
    text: () => [URL_OF_ME, { method: "POST", body: "body" }],
    bytes: () => [URL_OF_ME, { method: "POST", body: bytes }],
    stream: () => [URL_OF_ME, { method: "POST", body: stream() }],
    request: () => [new Request(URL_OF_ME, { method: "POST", body: "body" })],
  };
  await eachRow(rows, async (make) => {
    const script = [wantsNonce(), wantsClaims, ok()];
    const { call, requests, challenges } = api(script, await telling());
    assertEquals((await call(...make())).status, 200);
    assertEquals(requests.map(({ body }) => body), ["body", "body", "body"]);
    assertEquals(challenges.map(({ claims }) => claims), [undefined, CLAIMS]);
  });
  const once = { async *[Symbol.asyncIterator]() {} } as unknown as BodyInit;
  const fetch = (): Promise<Response> => Promise.resolve(wantsNonce()());
  const { call } = api([], await telling(), { fetch });
  assertEquals((await call(URL_OF_ME, { method: "POST", body: once })).status, 401);
});

test("claims and a nonce are asked for once each, in either order or together", async () => {
  const both = (): Response =>
    new Response("no", {
      status: 401,
      headers: {
        "www-authenticate": `Bearer error="insufficient_claims", claims="${
          btoa(CLAIMS)
        }", DPoP error="use_dpop_nonce"`,
        "dpop-nonce": "n-1",
      },
    });
  const rows: Record<string, [Answer[], number, number]> = {
    "nonce first": [[wantsNonce(), wantsClaims, ok()], 200, 3],
    "claims first": [[wantsClaims, wantsNonce(), ok()], 200, 3],
    "together": [[both, ok()], 200, 2],
    "for ever": [[both, both], 401, 2],
    "nonces for ever": [[wantsNonce(), wantsClaims, wantsNonce()], 401, 3],
  };
  await eachRow(rows, async ([script, status, count]) => {
    const { call, requests, challenges, assertDone } = api(script, await telling());
    assertEquals((await call(URL_OF_ME)).status, status);
    assertEquals([requests.length, challenges.length], [count, 2]);
    assertDone();
  });
});

test("a token of another type than the scheme's is not sent", async () => {
  const rows: Record<string, unknown> = {
    "a Bearer token": { accessToken: TOKEN, tokenType: "Bearer" },
    "a pop token": { accessToken: TOKEN, tokenType: "pop" },
    "no type": { accessToken: TOKEN },
    "no token": { tokenType: "DPoP" },
    "nothing": undefined,
    "a token with a line in it": { accessToken: "a\r\nb: c", tokenType: "DPoP" },
  };
  await eachRow(rows, async (token) => {
    const acquireToken = () => Promise.resolve(token as { accessToken: string; tokenType: string });
    const { call, requests } = api([], await dpopScheme(), { acquireToken });
    const error = await failure(call(URL_OF_ME));
    assert(error instanceof ClientAuthError);
    assertEquals(error.code, "unexpected_error");
    assertFalse(error.message.includes(TOKEN));
    assertEquals(requests.length, 0);
  });
});

test("what is no scheme is refused when the fetch is made; one that throws fails by name alone", async () => {
  for (const authScheme of [null, "DPoP", { ...TELLING, keyId: "" }, Promise.resolve(TELLING)]) {
    const error = thrown(() => api([], authScheme as AuthScheme));
    assert(error instanceof ClientConfigurationError);
    assertEquals(error.option, "authScheme");
  }
  const broken = { ...TELLING, apiHeaders: () => Promise.reject(new TypeError("cAnArY")) };
  const error = await failure(api([], broken).call(URL_OF_ME));
  assertEquals(error.code, "auth_scheme_failed");
  assertFalse(error.message.includes("cAnArY"));
});

test("R-208 without a scheme a bound token is not sent: the error names the option", async () => {
  for (const tokenType of ["DPoP", "dpop", "pop", "PoP"]) {
    const acquireToken = () => Promise.resolve({ accessToken: TOKEN, tokenType });
    const { call, requests } = api([], undefined, { acquireToken });
    const error = await failure(call(URL_OF_ME));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_option", "authScheme"]);
    assertFalse(error.message.includes(TOKEN));
    assertEquals(requests.length, 0);
  }
});

test("R-195 claims that are asked for under a bound token's scheme are asked for", async () => {
  for (const name of ["DPoP", "PoP"]) {
    const wants = (): Response =>
      new Response("no", {
        status: 401,
        headers: { "www-authenticate": `${name} error="insufficient_claims", claims="${btoa(CLAIMS)}"` },
      });
    const { call, challenges } = api([wants, ok()], await telling());
    assertEquals((await call(URL_OF_ME)).status, 200);
    assertEquals(challenges.map(({ claims }) => claims), [undefined, CLAIMS]);
  }
});

test("without a scheme no challenge of DPoP is answered, and the challenge tells of none", async () => {
  const { call, requests, challenges } = api([wantsNonce()], undefined);
  assertEquals((await call(URL_OF_ME)).status, 401);
  assertEquals([requests.length, challenges], [1, [{ claims: undefined, signal: undefined }]]);
});

test("test_e2e: a signed HTTP request carries the token, its method, host and path, and the API's nonces", async () => {
  const authScheme = await popScheme();
  const refused = (): Response =>
    new Response("no", { status: 401, headers: { "www-authenticate": 'PoP nonce="n-1"' } });
  const next = (): Response => new Response("yes", { headers: { "authentication-info": 'nextnonce="n-2"' } });
  const { call, requests } = api([refused, next, ok()], authScheme, {
    origins: ["https://www.contoso.com"],
    clock: { now: () => 1_700_000_000_000 },
  });
  const url = "https://www.Contoso.com/Path1/Path2?queryParam1=a&queryParam2=b";
  assertEquals((await call(url)).status, 200);
  await call(url, { method: "POST" });
  const sent = await Promise.all(
    requests.map(({ headers }) => verifiedRequest(headers.get("authorization"))),
  );
  assertEquals(sent.map(({ payload: { m, u, p, at, ts } }) => [m, u, p, at, ts]), [
    ["GET", "www.contoso.com", "/Path1/Path2", TOKEN, 1_700_000_000],
    ["GET", "www.contoso.com", "/Path1/Path2", TOKEN, 1_700_000_000],
    ["POST", "www.contoso.com", "/Path1/Path2", TOKEN, 1_700_000_000],
  ]);
  assertEquals(sent.slice(1).map(({ payload }) => payload.nonce), ["n-1", "n-2"]);
  assertEquals(requests.map(({ headers }) => headers.get("dpop")), [null, null, null]);
});
