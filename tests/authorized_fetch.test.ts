/** A fetch that has the token, section 3.4.3 of Microsoft.Identity.Web. */
import { assert, assertEquals, assertFalse, assertRejects, assertStrictEquals } from "@std/assert";
import { ClientAuthError, InteractionRequiredAuthError } from "../mod.ts";
import {
  type AuthorizedFetchOptions,
  createAuthorizedFetch,
  type TokenChallenge,
} from "../src/client/authorized_fetch.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { idle } from "./support/idle.ts";
import { type Answer, type ScriptedFetch, scriptedFetch } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const API = "https://api.example";
const URL_OF_ME = `${API}/v1.0/me?x=1`;
const CLAIMS = '{"access_token":{"nbf":{"essential":true}}}';
const TOKEN = "cAnArY.access.token";

const unauthorized = (claims: string = CLAIMS, error = "insufficient_claims") => (): Response =>
  new Response("no", {
    status: 401,
    headers: { "www-authenticate": `Bearer error="${error}", claims="${btoa(claims)}"` },
  });
const ok = (): Response => new Response("yes");

interface Api extends ScriptedFetch {
  readonly call: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  readonly challenges: TokenChallenge[];
}

function api(script: Answer[], options: Partial<AuthorizedFetchOptions> = {}): Api {
  const http = scriptedFetch(script);
  const challenges: TokenChallenge[] = [];
  const call = createAuthorizedFetch({
    origins: [API],
    fetch: http.fetch,
    acquireToken: (challenge) => {
      challenges.push(challenge);
      return Promise.resolve({ accessToken: TOKEN + challenges.length, tokenType: "Bearer" });
    },
    ...options,
  });
  return { ...http, call, challenges };
}

test("a request goes out with a token, what the caller said, and no redirect is followed (R-002)", async () => {
  const { call, requests, challenges, assertDone } = api([ok]);
  const init = { method: "PATCH", body: "{}", headers: { "content-type": "application/json" } };
  assertEquals(await (await call(URL_OF_ME, { ...init, redirect: "follow" })).text(), "yes");
  const [{ url, method, body, headers, redirect } = {}] = requests;
  assertEquals([url, method, body, redirect], [URL_OF_ME, "PATCH", "{}", "manual"]);
  assertEquals([headers?.get("authorization"), headers?.get("content-type")], [
    `Bearer ${TOKEN}1`,
    "application/json",
  ]);
  assertEquals(challenges, [{ claims: undefined, signal: undefined }]);
  assertDone();
});

test("a GET needs nothing but its URL, and the token type is the token's", async () => {
  const { call, requests } = api([ok, ok], {
    acquireToken: () => Promise.resolve({ accessToken: "x", tokenType: "Other" }),
  });
  await call(new URL(URL_OF_ME));
  await call(new Request(URL_OF_ME, { headers: { accept: "a/b" } }));
  assertEquals(requests.map(({ method, body, url }) => [method, body, url]), [
    ["GET", "", URL_OF_ME],
    ["GET", "", URL_OF_ME],
  ]);
  assertEquals(requests.map(({ headers }) => headers.get("authorization")), ["Other x", "Other x"]);
  assertEquals(requests[1]?.headers.get("accept"), "a/b");
});

test("the global fetch is looked up at each call", async () => {
  const own = globalThis.fetch;
  const { call } = api([], { fetch: undefined });
  try {
    const seen: string[] = [];
    globalThis.fetch = ((url: string) => {
      seen.push(url);
      return Promise.resolve(ok());
    }) as typeof fetch;
    await call(URL_OF_ME);
    assertEquals(seen, [URL_OF_ME]);
  } finally {
    globalThis.fetch = own;
  }
});

test("claims that the API asks for are acquired once, and the request is sent once more", async () => {
  let cancelled = false;
  const first = (): Response =>
    new Response(new ReadableStream({ cancel: () => void (cancelled = true) }), {
      status: 401,
      headers: unauthorized()().headers,
    });
  const { call, requests, challenges, assertDone } = api([first, ok]);
  const { signal } = new AbortController();
  const response = await call(URL_OF_ME, { method: "POST", body: "x", signal });
  assertEquals(await response.text(), "yes");
  assertEquals(challenges.map(({ claims }) => claims), [undefined, CLAIMS]);
  assertStrictEquals(challenges[1]?.signal, challenges[0]?.signal);
  assertEquals(requests.map(({ headers, body }) => [headers.get("authorization"), body]), [
    [`Bearer ${TOKEN}1`, "x"],
    [`Bearer ${TOKEN}2`, "x"],
  ]);
  assert(cancelled);
  assertDone();
});

test("a second 401 is the answer", async () => {
  const { call, challenges, assertDone } = api([unauthorized(), unauthorized('{"b":1}')]);
  const response = await call(URL_OF_ME);
  assertEquals([response.status, await response.text(), challenges.length], [401, "no", 2]);
  assertDone();
});

const ANSWERS: Readonly<Record<string, () => Response>> = {
  "401 without a challenge": () => new Response("no", { status: 401 }),
  "401 with another error": unauthorized(CLAIMS, "invalid_token"),
  "401 with claims that are none": unauthorized("[]"),
  "403 with claims": () => new Response("no", { status: 403, headers: unauthorized()().headers }),
  "a redirect elsewhere (R-001)": () =>
    new Response("no", { status: 302, headers: { location: "https://evil.example/" } }),
  "500": () => new Response("no", { status: 500 }),
};
for (const [name, answer] of Object.entries(ANSWERS)) {
  test(`an answer is returned as it is: ${name}`, async () => {
    const { call, challenges, assertDone } = api([answer]);
    assertEquals([await (await call(URL_OF_ME)).text(), challenges.length], ["no", 1]);
    assertDone();
  });
}

const bytes = new TextEncoder().encode("body");
function form(): FormData {
  const data = new FormData();
  data.append("a", "b");
  return data;
}
const stream = (): ReadableStream<Uint8Array> => new Blob(["body"]).stream();
/** Bodies that can be sent again: what is given, and a part of what arrives. */
const BODIES: Readonly<Record<string, [() => BodyInit | null | undefined, string]>> = {
  "none": [() => undefined, ""],
  "null": [() => null, ""],
  "a text": [() => "body", "body"],
  "an empty text": [() => "", ""],
  "bytes": [() => bytes, "body"],
  "a buffer": [() => bytes.buffer, "body"],
  "a Blob": [() => new Blob(["body"]), "body"],
  "URLSearchParams": [() => new URLSearchParams({ a: "b" }), "a=b"],
  "FormData": [form, 'name="a"'],
  "a stream": [stream, "body"],
};
for (const [name, [body, part]] of Object.entries(BODIES)) {
  test(`a body is sent again: ${name}`, async () => {
    const { call, requests, assertDone } = api([unauthorized(), ok]);
    const response = await call(URL_OF_ME, { method: "POST", body: body() ?? null });
    assertEquals([response.status, requests.length], [200, 2]);
    for (const request of requests) assert(part === "" ? request.body === "" : request.body.includes(part));
    assertDone();
  });
}

test("a Request's body, method, headers and signal are sent again; init wins over them", async () => {
  const { call, requests, challenges } = api([unauthorized(), ok, ok]);
  const headers = { "content-type": "text/x" };
  const input = new Request(URL_OF_ME, { method: "PUT", body: "body", headers });
  assertEquals((await call(input)).status, 200);
  for (const { method, body, headers } of requests) {
    assertEquals([method, body, headers.get("content-type")], ["PUT", "body", "text/x"]);
  }
  assert(challenges[0]?.signal !== undefined);
  const again = new Request(URL_OF_ME, { method: "PUT", body: "body", headers });
  await call(again, { method: "POST", body: "other", headers: { accept: "a/b" } });
  const [, , last] = requests;
  assertEquals([last?.method, last?.body, last?.headers.get("accept")], ["POST", "other", "a/b"]);
  assertFalse(again.bodyUsed);
});

test("R-204 another realm's Request is taken", async () => {
  const { call, requests } = api([unauthorized(), ok]);
  const request = {
    url: URL_OF_ME,
    method: "POST",
    headers: [["x-a", "b"]],
    body: {},
    arrayBuffer: () => Promise.resolve(bytes.buffer),
  };
  assertEquals((await call(request as unknown as Request)).status, 200);
  assertEquals(requests.map(({ body, headers }) => body + headers.get("x-a")), ["bodyb", "bodyb"]);
});

test("a body that can be read only once is not sent again: its 401 is the answer", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  }
  const seen: unknown[] = [];
  const body = chunks();
  const { call, challenges } = api([], {
    fetch: (_url, init) => {
      seen.push(init.body);
      return Promise.resolve(unauthorized()());
    },
  });
  const response = await call(URL_OF_ME, { method: "POST", body: body as unknown as BodyInit });
  assertEquals([response.status, await response.text(), challenges.length], [401, "no", 1]);
  assertEquals([seen.length, seen[0] === body], [1, true]);
});

test("the copy of a stream is let go of when it is not needed", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  const { call } = api([], {
    fetch: (_url, init) => {
      // Resolves when the other copy is cancelled, too.
      void (init.body as ReadableStream).cancel();
      return Promise.resolve(ok());
    },
  });
  assertEquals((await call(URL_OF_ME, { method: "POST", body })).status, 200);
  await idle();
  assert(cancelled);
});

test("the copy of a stream that is being sent is left alone", async () => {
  const bodies: BodyInit[] = [];
  const { call } = api([], {
    fetch: (_url, init) =>
      Promise.resolve(bodies.push(init.body as BodyInit) === 1 ? unauthorized()() : ok()),
  });
  assertEquals((await call(URL_OF_ME, { method: "POST", body: stream() })).status, 200);
  for (const body of bodies) assertEquals(await new Response(body).text(), "body");
});

test("a stream goes through the runtime's own fetch", async () => {
  const init = { method: "POST", body: stream() };
  const { call } = api([], {
    // As a runtime's fetch does before anything is sent.
    fetch: async (url, init) => new Response(await new Request(url, init).text()),
  });
  assertEquals(await (await call(URL_OF_ME, init)).text(), "body");
});

/** Where no token goes. */
const ELSEWHERE: readonly string[] = [
  "https://evil.example/",
  "https://api.example.evil.example/",
  "https://api.example:8443/",
  "http://api.example/",
  "https://api.example@evil.example/",
  "https://user@api.example/",
  "https://user:pass@api.example/",
  "https:\\\\evil.example\\api.example",
  "https://sub.api.example/",
  "https://api.example./",
  "//api.example/",
  "/v1.0/me",
  "",
  "data:text/plain,x",
  "blob:https://api.example/x",
  "file:///etc/passwd",
];
for (const url of ELSEWHERE) {
  test(`R-001 R-004 no token is acquired for ${JSON.stringify(url)}`, async () => {
    const { call, challenges, requests } = api([]);
    const request = { url, method: "GET", headers: [] } as unknown as Request;
    for (const input of [url, request]) {
      const error = await failure(call(input));
      assertEquals([error.code, "option" in error && error.option], ["invalid_request", "input"]);
      assertFalse(/user@|pass|plain/.test(error.message), error.message);
    }
    assertEquals([challenges.length, requests.length], [0, 0]);
  });
}

test("R-001 the URL that was judged is the URL that is asked", async () => {
  const { call, requests } = api([ok, ok, ok]);
  for (
    const url of ["https://API.example:443/a/../b", "https:\\\\api.example\\b", " https://api.example/b "]
  ) {
    await call(url);
  }
  assertEquals(requests.map(({ url }) => url), new Array(3).fill(`${API}/b`));
});

test("http on loopback is an origin where it is listed", async () => {
  const { call, requests } = api([ok], { origins: ["http://127.0.0.1:8080", new URL(API)] });
  await call("http://127.0.0.1:8080/x");
  assertEquals(requests.length, 1);
  assertEquals((await failure(call("http://127.0.0.1:8081/x"))).code, "invalid_request");
});

test("an authorization header of the caller's own is refused before a token is acquired", async () => {
  const { call, challenges } = api([]);
  const headers = { AUTHORIZATION: "Bearer own" };
  for (
    const [input, init] of [
      [URL_OF_ME, { headers }],
      [URL_OF_ME, { headers: new Headers(headers) }],
      [URL_OF_ME, { headers: [["Authorization", "x"]] }],
      [new Request(URL_OF_ME, { headers })],
    ] as [string | Request, RequestInit?][]
  ) {
    const error = await failure(call(input, init));
    assertEquals([error.code, "option" in error && error.option], ["invalid_request", "headers"]);
    assertFalse(error.message.includes("own"));
  }
  assertEquals(challenges.length, 0);
});

test("a Request whose body was read is refused", async () => {
  const { call, challenges } = api([]);
  const request = new Request(URL_OF_ME, { method: "POST", body: "x" });
  await request.text();
  assertEquals((await failure(call(request))).code, "invalid_request");
  assertEquals(challenges.length, 0);
});

/** Options that are none. */
const OPTIONS: readonly [string, Record<string, unknown>][] = [
  ["acquireToken", { acquireToken: undefined }],
  ["acquireToken", { acquireToken: TOKEN }],
  ["origins", { origins: undefined }],
  ["origins", { origins: [] }],
  ["origins", { origins: API }],
  ["origins", { origins: ["http://api.example"] }],
  ["origins", { origins: [API, "http://10.0.0.1"] }],
  ["origins", { origins: ["api.example"] }],
  ["origins", { origins: ["https://api.example/v1.0"] }],
  ["origins", { origins: ["https://api.example/?x"] }],
  ["origins", { origins: ["https://user@api.example"] }],
  ["origins", { origins: ["https://*.example/x"] }],
  ["origins", { origins: ["*"] }],
  ["origins", { origins: [""] }],
  ["origins", { origins: [undefined] }],
  ["origins", { origins: ["null"] }],
  ["origins", { origins: ["data:text/plain,x"] }],
];
for (const [option, options] of OPTIONS) {
  test(`no fetch is made with ${option} ${JSON.stringify(Object.values(options))}`, () => {
    const error = thrown(() => api([], options));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", option]);
  });
}

test("what acquireToken rejects with reaches the caller, also for the claims", async () => {
  const details = { status: 400, error: "interaction_required", errorCodes: [], retryable: false };
  const error = new InteractionRequiredAuthError("interaction_required", "x", {
    ...details,
    throttledLocally: false,
  });
  const { call } = api([unauthorized()], {
    acquireToken: ({ claims }) =>
      claims ? Promise.reject(error) : Promise.resolve({ accessToken: "x", tokenType: "Bearer" }),
  });
  assertStrictEquals(await failure(call(URL_OF_ME)), error);
});

/** What `acquireToken` may do wrong. */
const FAULTS: Readonly<Record<string, () => unknown>> = {
  "throws": () => {
    throw new Error(TOKEN);
  },
  "throws no error": () => {
    throw TOKEN;
  },
  "rejects": () => Promise.reject(new TypeError(TOKEN)),
  "gives nothing": () => undefined,
  "gives null": () => null,
  "gives an empty token": () => ({ accessToken: "", tokenType: "Bearer" }),
  "gives no type": () => ({ accessToken: TOKEN }),
  "gives no token": () => ({ tokenType: "Bearer" }),
  "gives a token of two lines": () => ({ accessToken: `${TOKEN}\r\nx: y`, tokenType: "Bearer" }),
  "gives a token that no header takes": () => ({ accessToken: `${TOKEN}\u0100`, tokenType: "Bearer" }),
  "gives a type that is none": () => ({ accessToken: TOKEN, tokenType: "Bearer x" }),
};
for (const [name, fault] of Object.entries(FAULTS)) {
  test(`R-170 an acquireToken that ${name} is an error of the library without the token`, async () => {
    const { call, requests } = api([], { acquireToken: fault as AuthorizedFetchOptions["acquireToken"] });
    const error = await failure(call(URL_OF_ME));
    assert(error instanceof ClientAuthError);
    assertEquals([error.code, requests.length], ["unexpected_error", 0]);
    assertFalse(`${error.stack}${JSON.stringify(error)}${String(error.cause)}`.includes(TOKEN));
  });
}

test("what fetch rejects with reaches the caller, and nothing is sent again", async () => {
  const { call, requests } = api([new TypeError("offline")]);
  await assertRejects(() => call(URL_OF_ME, { method: "POST", body: stream() }), TypeError, "offline");
  assertEquals(requests.length, 1);
  const abort = new AbortController();
  abort.abort(new RangeError("enough"));
  await assertRejects(() => call(URL_OF_ME, { signal: abort.signal }), RangeError, "enough");
});
