/** What the loopback receiver makes of a request, without a server. */
import { assertEquals } from "@std/assert";
import { type Expectation, isLoopbackAddress, judge, type LoopbackRequest } from "../src/host/judge.ts";
import { test } from "./support/suite.ts";

const FORM = "application/x-www-form-urlencoded";
const GOOD = "code=test_auth_code_12345&state=test_state_67890";
const expected: Expectation = {
  port: 8400,
  path: "/",
  responseMode: "form_post",
  isExpected: (state) => state === "test_state_67890",
};
const inQuery: Expectation = { ...expected, responseMode: "query" };

function get(target: string, change: Partial<LoopbackRequest> = {}): LoopbackRequest {
  return { method: "GET", target, host: "localhost:8400", contentType: undefined, body: "", ...change };
}

function post(body: string | undefined, change: Partial<LoopbackRequest> = {}): LoopbackRequest {
  return get("/", { method: "POST", contentType: FORM, body, ...change });
}

function assertVerdict(request: LoopbackRequest, expectation: Expectation, wanted: string): void {
  const { status, page, answer } = judge(request, expectation);
  const got = `${status} ${page}${answer ? ` ${answer}` : ""}`;
  assertEquals(got, wanted, JSON.stringify(request));
}

test("R7, R8: a posted code or error with the state is the answer", () => {
  assertVerdict(post(GOOD), expected, `200 success ${GOOD}`);
  const refused = "error=access_denied&error_description=User+denied+access&state=test_state_67890";
  assertVerdict(post(refused), expected, `400 error ${refused}`);
  const charset = { contentType: "Application/X-WWW-Form-Urlencoded ; charset=UTF-8" };
  assertVerdict(post(GOOD, charset), expected, `200 success ${GOOD}`);
});

test("R9, R-031: an answer without the one state is a mismatch, and no answer", () => {
  const states: Record<string, string> = {
    "missing": "",
    "empty": "&state=",
    "another": "&state=other",
    "another case": "&state=TEST_STATE_67890",
    "a prefix": "&state=test_state_6789",
    "with more": "&state=test_state_678900",
    "twice the same": "&state=test_state_67890&state=test_state_67890",
    "twice, the good first": "&state=test_state_67890&state=x",
    "an array": "&state[]=test_state_67890",
    "another name": "&State=test_state_67890",
    "garbage": "&state=%zz%",
  };
  for (const [row, state] of Object.entries(states)) {
    for (const kind of ["code=c", "error=access_denied"]) {
      assertVerdict(post(kind + state), expected, "400 mismatch");
      assertVerdict(get(`/?${kind}${state}`), inQuery, "400 mismatch");
    }
    assertEquals(judge(post(`error=e${state}`), expected).answer, undefined, row);
  }
});

test("a code in the address is refused with form_post, whatever its state; an error is the answer", () => {
  assertVerdict(get(`/?${GOOD}`), expected, "400 unsupported");
  assertVerdict(get("/?code=c&state=other"), expected, "400 unsupported");
  assertVerdict(get("/?code=c&error=e&state=test_state_67890"), expected, "400 unsupported");
  const refused = "error=access_denied&state=test_state_67890";
  assertVerdict(get(`/?${refused}`), expected, `400 error ${refused}`);
});

test("with query a code in the address is the answer, and nothing is posted", () => {
  assertVerdict(get(`/?${GOOD}`), inQuery, `200 success ${GOOD}`);
  assertVerdict(post(GOOD), inQuery, "405 misdirected");
  assertVerdict(get(`/?${GOOD}`, { method: "HEAD" }), inQuery, "200 waiting");
  assertVerdict(
    get("/?code=a?b&state=test_state_67890"),
    inQuery,
    "200 success code=a%3Fb&state=test_state_67890",
  );
});

test("what is no answer gets a neutral page", () => {
  for (const target of ["/", "/?", "/?x=1", "/?state=test_state_67890", "/?%zz", "/?=&&=="]) {
    assertVerdict(get(target), expected, "200 waiting");
    assertVerdict(get(target, { method: "HEAD" }), expected, "200 waiting");
  }
  for (const path of ["/favicon.ico", "/other", "//", "/%2f", "/..", "/%zz", "//evil.example/"]) {
    for (const query of ["", `?${GOOD}`]) {
      assertVerdict(get(path + query), expected, "404 waiting");
      assertVerdict(get(path + query), inQuery, "404 waiting");
    }
    assertVerdict(post(GOOD, { target: path }), expected, "404 waiting");
  }
});

test("only the path of the redirect URI is answered", () => {
  const callback: Expectation = { ...expected, path: "/auth/callback" };
  assertVerdict(post(GOOD, { target: "/auth/callback" }), callback, `200 success ${GOOD}`);
  for (const target of ["/", "/auth/callback/", "/auth", "/AUTH/CALLBACK", "/auth/./callback"]) {
    assertVerdict(post(GOOD, { target }), callback, "404 waiting");
  }
});

test("a form that is none, or too large, is refused", () => {
  for (const body of ["", "{}", "state=test_state_67890", "id_token=x&state=test_state_67890", "%zz%&==&"]) {
    assertVerdict(post(body), expected, "400 invalid");
  }
  const types = [
    undefined,
    "",
    "text/plain",
    "multipart/form-data; boundary=x",
    `x-${FORM}`,
    `${FORM}x`,
    "application/json",
  ];
  for (const contentType of types) assertVerdict(post(GOOD, { contentType }), expected, "400 invalid");
  assertVerdict(post(undefined), expected, "413 tooLarge");
});

test("a request for another host is refused (DNS rebinding)", () => {
  const hosts = [
    undefined,
    "",
    "localhost",
    "localhost:8401",
    "localhost:08400x",
    "127.0.0.1",
    "127.0.0.2:8400",
    "evil.example:8400",
    "localhost.evil.example:8400",
    "evil.localhost:8400",
    "localhost.:8400",
    "[::1]:8400",
    "0.0.0.0:8400",
    "localhost:8400, evil.example",
    "user@localhost:8400",
  ];
  for (const host of hosts) {
    assertVerdict(post(GOOD, { host }), expected, "421 misdirected");
    assertVerdict(get("/", { host }), expected, "421 misdirected");
  }
  for (const host of ["localhost:8400", "LOCALHOST:8400", "127.0.0.1:8400"]) {
    assertVerdict(post(GOOD, { host }), expected, `200 success ${GOOD}`);
  }
  assertVerdict(post(GOOD, { host: "localhost" }), { ...expected, port: 80 }, `200 success ${GOOD}`);
});

test("a request in a form for proxies, or with another method, is refused", () => {
  for (
    const target of ["http://localhost:8400/", "http://evil.example/", "*", "", "localhost:8400", `?${GOOD}`]
  ) {
    assertVerdict(post(GOOD, { target }), expected, "421 misdirected");
  }
  for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "post", ""]) {
    assertVerdict(post(GOOD, { method }), expected, "405 misdirected");
  }
});

test("nothing is the answer while nobody waits", () => {
  const idle: Expectation = { ...expected, isExpected: undefined };
  assertVerdict(post(GOOD), idle, "200 waiting");
  assertVerdict(get(`/?${GOOD}`), { ...idle, responseMode: "query" }, "200 waiting");
  assertVerdict(post("code=c"), idle, "200 waiting");
});

test("only this machine's addresses are loopback", () => {
  for (const address of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"]) {
    assertEquals(isLoopbackAddress(address), true, address);
  }
  const others = [
    undefined,
    "",
    "10.0.0.1",
    "128.0.0.1",
    "1127.0.0.1",
    "127.0.0.1.evil",
    "::",
    "::2",
    "fe80::1",
    "::ffff:10.0.0.1",
  ];
  for (const address of others) assertEquals(isLoopbackAddress(address), false, address);
});
