/** How an answer is read. */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { isAuthError } from "../mod.ts";
import {
  type AuthorizationResponseRules,
  readAuthorizationResponse,
} from "../src/request/authorization_response.ts";
import { failure } from "./support/app_fixture.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const REDIRECT = "https://app.example/auth/Callback";
const QUERY: AuthorizationResponseRules = { redirectUri: REDIRECT };
const FORM: AuthorizationResponseRules = { redirectUri: REDIRECT, responseMode: "form_post" };
const CODE = "0.AXoA-canary-code";
const ANSWER = `code=${CODE}&state=st+1%2B&session_state=x`;
const READ = { code: CODE, state: "st 1+", session_state: "x" };
const FORM_TYPE = "application/x-www-form-urlencoded";

const url = (query = ANSWER, path = REDIRECT): string => `${path}?${query}`;
const get = (query = ANSWER, path = REDIRECT): Request => new Request(url(query, path));
const post = (body: BodyInit = ANSWER, type: string = FORM_TYPE, path = REDIRECT): Request =>
  new Request(path, { method: "POST", body, headers: { "content-type": type } });
const read = async (response: unknown, rules = QUERY) =>
  Object.fromEntries(await readAuthorizationResponse(response, rules));

function formData(query: string): FormData {
  const form = new FormData();
  for (const [name, value] of new URLSearchParams(query)) form.append(name, value);
  return form;
}

/** What another realm's or a framework's request may look like. */
function foreign(members: Record<string, unknown> = {}): unknown {
  const headers = { get: (name: string) => name === "content-type" ? FORM_TYPE : null };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const char of ANSWER) yield await Promise.resolve(new TextEncoder().encode(char));
  }
  return { url: REDIRECT, method: "POST", headers, body: chunks(), bodyUsed: false, ...members };
}

/** Every form in which an application may have the answer; made in the test, where workerd can read a body. */
const FORMS: Readonly<Record<string, () => [unknown, AuthorizationResponseRules?]>> = {
  "a URL as text": () => [url()],
  "a URL": () => [new URL(url())],
  "another realm's URL (R-204)": () => [{ href: url() }],
  "URLSearchParams": () => [new URLSearchParams(ANSWER)],
  "URLSearchParams of a form": () => [new URLSearchParams(ANSWER), FORM],
  "FormData": () => [formData(ANSWER), FORM],
  "a Map": () => [new Map(Object.entries(READ))],
  "an object": () => [{ ...READ }],
  "an object with something undefined": () => [{ ...READ, error: undefined, id_token: undefined }],
  "an object without a prototype": () => [Object.assign(Object.create(null), READ)],
  "a GET": () => [get()],
  "a GET that was asked for": () => [get(), { redirectUri: REDIRECT, responseMode: "query" }],
  "a GET to another origin: a proxy ends TLS": () => [get(ANSWER, "http://10.0.0.1:8080/auth/Callback")],
  "a POST": () => [post(), FORM],
  "a POST with a charset": () => [post(ANSWER, `${FORM_TYPE}; charset=utf-8`), FORM],
  "a POST in capitals": () => [post(ANSWER, FORM_TYPE.toUpperCase()), FORM],
  "a POST whose URL has parameters, too":
    () => [post(ANSWER, FORM_TYPE, `${REDIRECT}?code=evil&state=evil`), FORM],
  "another realm's POST (R-204)": () => [foreign(), FORM],
  "another realm's GET (R-204)": () => [foreign({ url: url(), method: "GET", body: null })],
};
for (const [name, given] of Object.entries(FORMS)) {
  test(`an answer is read from ${name}`, async () => assertEquals(await read(...given()), READ));
}

test("an error may come by redirection although a form was asked for", async () => {
  const query = "error=access_denied&state=st";
  for (const response of [get(query), url(query), post(query)]) {
    assertEquals(await read(response, FORM), { error: "access_denied", state: "st" });
  }
});

test("a redirect URI of an app's own scheme is held against the answer, too", async () => {
  const rules = { redirectUri: "com.example.app:/cb" };
  assertEquals(await read(`com.example.app:/cb?${ANSWER}`, rules), READ);
  assertEquals((await failure(read(`com.example.app:/other?${ANSWER}`, rules))).code, "auth_flow_mismatch");
});

test("R-193 a body of 64 KiB is read, and one of a byte more is not", async () => {
  const fill = (bytes: number) => `${ANSWER}&x=${"x".repeat(bytes - ANSWER.length - 3)}`;
  assertEquals((await read(post(fill(65_536)), FORM)).code, CODE);
  assertEquals((await failure(read(post(fill(65_537)), FORM))).code, "invalid_auth_response");
});

test("R-193 a body that never ends is let go of", async () => {
  let pulled = 0;
  let cancelled = false;
  const body = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(10_000).fill(0x61));
    },
    cancel: () => void (cancelled = true),
  });
  const headers = { get: () => FORM_TYPE };
  const error = await failure(read({ url: REDIRECT, method: "POST", headers, body }, FORM));
  assertEquals([error.code, cancelled], ["invalid_auth_response", true]);
  assert(pulled < 10);
});

const throws = (): never => {
  throw new Error(CODE);
};
const file = (): FormData => {
  const form = formData(ANSWER);
  form.append("file", new Blob(["x"]), "x.txt");
  return form;
};
const used = async (): Promise<Request> => {
  const request = post();
  await request.text();
  return request;
};
/** What is no answer to this sign-in: the code of the error, what is given, and how the sign-in was begun. */
const REFUSED: Readonly<Record<string, () => [string, unknown, AuthorizationResponseRules?]>> = {
  "R-192 code twice": () => ["duplicate_parameter", url(`${ANSWER}&code=x`)],
  "R-031 state twice": () => ["duplicate_parameter", url(`${ANSWER}&state=st+1%2B`)],
  "R-192 twice in URLSearchParams": () => ["duplicate_parameter", new URLSearchParams(`${ANSWER}&code=x`)],
  "R-192 twice in FormData": () => ["duplicate_parameter", formData(`${ANSWER}&state=x`)],
  "R-192 twice in a POST": () => ["duplicate_parameter", post(`${ANSWER}&code=x`), FORM],
  "R-192 error twice": () => ["duplicate_parameter", url("error=a&error=b&state=st")],
  "R-031 an array of states": () => ["duplicate_parameter", { ...READ, state: ["st 1+", "x"] }],
  "R-031 an array of one": () => ["duplicate_parameter", { ...READ, state: ["st 1+"] }],
  "R-040 an ID token": () => ["unexpected_token", url(`${ANSWER}&id_token=x`)],
  "R-040 an access token": () => ["unexpected_token", url(`${ANSWER}&access_token=x`)],
  "R-040 a token": () => ["unexpected_token", { ...READ, token: "x" }],
  "R-040 a JARM response": () => ["unexpected_token", url("response=x.y.z")],
  "R-040 an empty ID token": () => ["unexpected_token", url(`${ANSWER}&id_token=`)],
  "R-040 in a POST": () => ["unexpected_token", post(`${ANSWER}&id_token=x`), FORM],
  "R-040 beside an error": () => ["unexpected_token", url("error=x&state=st&access_token=y")],
  "R-036 another path": () => ["auth_flow_mismatch", get(ANSWER, "https://app.example/auth/other")],
  "R-036 the path in another case":
    () => ["auth_flow_mismatch", get(ANSWER, "https://app.example/auth/callback")],
  "R-036 a slash more": () => ["auth_flow_mismatch", url(ANSWER, `${REDIRECT}/`)],
  "R-036 a POST to another path": () => [
    "auth_flow_mismatch",
    post(ANSWER, FORM_TYPE, "https://app.example/x"),
    FORM,
  ],
  "R-036 a URL with another path": () => ["auth_flow_mismatch", new URL(url(ANSWER, "https://app.example/"))],
  "R-036 a code by GET, a form was asked for": () => ["invalid_auth_response", get(), FORM],
  "R-036 a code in a URL, a form was asked for": () => ["invalid_auth_response", url(), FORM],
  "R-036 a form, nothing was asked for": () => ["invalid_auth_response", post()],
  "R-036 a form, query was asked for":
    () => ["invalid_auth_response", post(), { ...QUERY, responseMode: "query" }],
  "another method": () => ["invalid_auth_response", new Request(url(), { method: "PUT" })],
  "another method with a form": () => ["invalid_auth_response", foreign({ method: "PUT" }), FORM],
  "HEAD": () => ["invalid_auth_response", new Request(url(), { method: "HEAD" })],
  "the fragment": () => ["invalid_auth_response", `${REDIRECT}#${ANSWER}`],
  "the fragment with a state first":
    () => ["invalid_auth_response", new URL(`${REDIRECT}#state=x&id_token=y`)],
  "the fragment as well": () => ["invalid_auth_response", `${url()}#access_token=x`],
  "R-193 multipart": () => [
    "invalid_auth_response",
    post(formData(ANSWER), "multipart/form-data; boundary=x"),
    FORM,
  ],
  "R-193 JSON": () => ["invalid_auth_response", post(JSON.stringify(READ), "application/json"), FORM],
  "R-193 plain text": () => ["invalid_auth_response", post(ANSWER, "text/plain"), FORM],
  "R-193 no content type": () => ["invalid_auth_response", foreign({ headers: { get: () => null } }), FORM],
  "R-193 another type that begins alike":
    () => ["invalid_auth_response", post(ANSWER, `${FORM_TYPE}x`), FORM],
  "R-193 a file": () => ["invalid_auth_response", file(), FORM],
  "a body that was read": () => ["invalid_auth_response", used(), FORM],
  "a number": () => ["invalid_auth_response", { ...READ, state: 5 }],
  "null in it": () => ["invalid_auth_response", { ...READ, state: null }],
  "an object in it": () => ["invalid_auth_response", { ...READ, state: { toString: () => "st 1+" } }],
  "undefined": () => ["invalid_auth_response", undefined],
  "null": () => ["invalid_auth_response", null],
  "a number alone": () => ["invalid_auth_response", 5],
  "a text that is no URL": () => ["invalid_auth_response", ANSWER],
  "a relative URL": () => ["invalid_auth_response", `/auth/Callback?${ANSWER}`],
  "an empty text": () => ["invalid_auth_response", ""],
  "a function": () => ["auth_flow_mismatch", Object.assign(() => 1, { href: "https://app.example/?x" })],
  "a getter that throws": () => ["invalid_auth_response", {
    get code() {
      return throws();
    },
  }],
  "a proxy that throws":
    () => ["invalid_auth_response", new Proxy({}, { ownKeys: throws, get: () => undefined })],
  "an iterator that throws": () => ["invalid_auth_response", { [Symbol.iterator]: throws }],
  "an iterator of no pairs": () => ["invalid_auth_response", [1, 2]],
  "a body that throws": () => [
    "invalid_auth_response",
    foreign({ body: { [Symbol.asyncIterator]: throws } }),
    FORM,
  ],
  "a body of texts": () => ["invalid_auth_response", foreign({ body: [ANSWER] }), FORM],
  "a request without an absolute URL":
    () => ["invalid_auth_response", foreign({ url: "/auth/Callback" }), FORM],
};
for (const [name, given] of Object.entries(REFUSED)) {
  test(`no answer: ${name}`, async () => {
    const [code, response, rules] = given();
    const error = await failure(read(await response, rules));
    assertEquals([error.name, error.code], ["ClientAuthError", code]);
    assertFalse(JSON.stringify([error.message, error.cause, error.stack]).includes(CODE));
  });
}

test("R-036 the error says what to do behind a proxy that rewrites paths, and R-040 what was not asked for", async () => {
  const { message } = await failure(read(get(ANSWER, "https://app.example/x")));
  assertStringIncludes(message, "URLSearchParams");
  assertStringIncludes((await failure(read(await used(), FORM))).message, "already");
  assertStringIncludes((await failure(read(url("id_token=x")))).message, "id_token");
  assertStringIncludes((await failure(read(`${REDIRECT}#code=x`))).message, "fragment");
});

test("R-188 parameters with the names of an object's own are parameters", async () => {
  const found = await readAuthorizationResponse(url("__proto__=a&constructor=b&toString=c"), QUERY);
  assertEquals([...found], [["__proto__", "a"], ["constructor", "b"], ["toString", "c"]]);
  assertEquals((await failure(read(url("__proto__=a&__proto__=b")))).code, "duplicate_parameter");
});

test("R-196 whatever is given, it is read or refused with an error of the library", async () => {
  const name = fc.oneof(
    fc.constantFrom("code", "state", "id_token", "href", "url", "method", "body"),
    fc.string(),
  );
  const pairs = fc.array(fc.tuple(name, fc.string()), { maxLength: 5 });
  const given = fc.oneof(
    fc.anything({ withMap: true, withSet: true, withTypedArray: true, withNullPrototype: true }),
    fc.dictionary(name, fc.oneof(fc.string(), fc.anything())),
    fc.string().map((tail) => `${REDIRECT}?${tail}`),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    pairs.map((list) => new URLSearchParams(list)),
    pairs.map((list) => post(new URLSearchParams(list).toString())),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => post(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(given, fc.constantFrom(QUERY, FORM), async (response, rules) => {
      try {
        for (const [name, value] of await readAuthorizationResponse(response, rules)) {
          assertEquals([typeof name, typeof value, name === "id_token"], ["string", "string", false]);
        }
      } catch (error) {
        assert(isAuthError(error), String(error));
      }
    }),
    { numRuns: 500 },
  );
});
