/** Telemetry headers: R-014, and rows A29 to A31, A36, A37, Z5, Z18 of MSAL Python's catalogue, for app tokens. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  answer,
  CORRELATION_ID,
  discovery,
  errorAnswer,
  fixture,
  OIDC,
  oidcScript,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { VERSION } from "../src/runtime/version.ts";

const current = (request?: RecordedRequest) => request?.headers.get("x-client-current-telemetry");
const last = (request?: RecordedRequest) => request?.headers.get("x-client-last-telemetry");
const id = (n: number): string => `${CORRELATION_ID.slice(0, -1)}${n}`;
/** Something new each time, so that the cache and the throttle stay out of it. */
const fresh = (n: number) => ({ scopes: [`api://app${n}/.default`], correlationId: id(n) });

test("R-014 the token request carries exactly these headers", async () => {
  const { acquire, http } = fixture([tokenAnswer()], { appName: "daemon", appVersion: "1.2" });
  await acquire({ correlationId: CORRELATION_ID });
  const headers = Object.fromEntries(http.requests[0]!.headers);
  assertMatch(headers["x-client-os"] ?? "other", /^(deno|bun|node|cloudflare-workers|workerd|other)$/);
  delete headers["x-client-os"];
  assertEquals(headers, {
    "accept": "application/json",
    "client-request-id": CORRELATION_ID,
    "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
    "x-app-name": "daemon",
    "x-app-ver": "1.2",
    "x-client-current-telemetry": "4|730,2|",
    "x-client-last-telemetry": "4|0|||",
    "x-client-sku": "msal-edge",
    "x-client-ver": VERSION,
    "x-ms-lib-capability": "retry-after, h429",
  });
});

test("R-014 each call has a client-request-id of its own, a GUID, and the result tells it", async () => {
  const { acquire, http } = fixture(() => tokenAnswer());
  const results = [await acquire(), await acquire({ scopes: ["api://two/.default"] })];
  const ids = http.requests.map(({ headers }) => headers.get("client-request-id"));
  for (const one of ids) {
    assertMatch(one ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assertEquals(new Set(ids).size, 2);
  assertEquals(results.map(({ correlationId }) => correlationId), ids as string[]);
});

test("R-014 telemetry: false sends none of it; a correlation id that the caller chose is still sent", async () => {
  const { acquire, http } = fixture(() => tokenAnswer(), {
    telemetry: false,
    appName: "daemon",
    appVersion: "1",
  });
  await acquire();
  await acquire(fresh(1));
  const names = http.requests.map(({ headers }) => [...headers.keys()].sort());
  assertEquals(names, [["accept", "content-type"], ["accept", "client-request-id", "content-type"]]);
  assertEquals(http.requests[1]?.headers.get("client-request-id"), id(1));
});

test("R-014 a generic issuer gets no telemetry", async () => {
  const { acquire, http } = fixture(oidcScript(() => jsonResponse(discovery())), {
    ...OIDC,
    appName: "daemon",
  });
  await acquire();
  assertEquals(http.requests.map(({ headers }) => [...headers.keys()].sort()), [["accept"], [
    "accept",
    "content-type",
  ]]);
});

test("R-014 both tries of a request carry the same id", async () => {
  const { acquire, http } = fixture([answer(500, "{}"), tokenAnswer()]);
  await acquire();
  const [first, second] = http.requests.map(({ headers }) => headers.get("client-request-id"));
  assert(first);
  assertEquals(first, second);
});

test("A36 A37 the reason: nothing cached, then expired, then refresh ahead, then a challenge (Z18)", async () => {
  const { acquire, http, clock } = fixture([
    tokenAnswer({ access_token: "AT 1", expires_in: 0 }),
    tokenAnswer({ access_token: "AT 2", refresh_in: 100 }),
    tokenAnswer({ access_token: "AT 3" }),
    tokenAnswer({ access_token: "AT 4" }),
  ]);
  const tokens = [await acquire(), await acquire()];
  // The row has a negative refresh_in, which counts as none or as due; a real one says more.
  await clock.advance(100_000);
  tokens.push(await acquire(), await acquire({ claims: '{"a":1}' }));
  assertEquals(http.requests.map(current), ["4|730,2|", "4|730,3|", "4|730,4|", "4|730,1|"]);
  assertEquals(tokens.map(({ accessToken }) => accessToken), ["AT 1", "AT 2", "AT 3", "AT 4"]);
  assertEquals(tokens.map(({ tokenSource }) => tokenSource), Array(4).fill("identity_provider"));
});

// MSAL Python tells the OAuth error here; the row is about how they add up, which is the same.
test("A29 A30 A31 failures add up, cache hits are counted, and a success clears both", async () => {
  const { acquire, refused, http } = fixture([
    tokenAnswer(),
    errorAnswer(400, "error_1"),
    errorAnswer(400, "error_2"),
    tokenAnswer(),
    tokenAnswer(),
  ]);
  await acquire();
  await acquire();
  await refused(fresh(1));
  await refused(fresh(2));
  await acquire(fresh(3));
  await acquire(fresh(4));
  const lasts = http.requests.map(last);
  assertEquals(lasts[0], "4|0|||");
  assertEquals(lasts[1], "4|1|||");
  assertMatch(lasts[2] ?? "", new RegExp(`^4\\|1\\|730,${id(1)}\\|\\w+\\|$`));
  assertMatch(lasts[3] ?? "", new RegExp(`^4\\|1\\|730,${id(1)},730,${id(2)}\\|\\w+,\\w+\\|$`));
  assertEquals(lasts[4], "4|0|||");
});

test("A29 the header stays under 400 characters however many failures there are", async () => {
  const { refused, http } = fixture(() => errorAnswer(401, "e".repeat(64)));
  for (let n = 0; n < 40; n++) await refused({ correlationId: id(n % 10) });
  for (const request of http.requests) assert((last(request)?.length ?? 0) <= 400);
  assertEquals(last(http.requests[39]), last(http.requests[30]));
});

test("A29 what the server says is no part of a header: no breaking out of it", async () => {
  const { refused, acquire, http } = fixture([
    errorAnswer(400, "x|y,z\r\nx-evil: 1", { suberror: "a|b" }),
    tokenAnswer(),
  ]);
  await refused(fresh(1));
  await acquire(fresh(2));
  assertMatch(last(http.requests[1]) ?? "", new RegExp(`^4\\|0\\|730,${id(1)}\\|[a-z_]+\\|$`));
  assertEquals(http.requests[1]?.headers.has("x-evil"), false);
});

test("R-014 the state is that of one application, not of the module", async () => {
  await fixture([errorAnswer(400, "x")]).refused();
  const { acquire, http } = fixture([tokenAnswer()]);
  await acquire();
  assertEquals(last(http.requests[0]), "4|0|||");
});

for (
  const text of ["a\r\nx-evil: 1", "a\nb", "a\u0000b", "\u00e9", "", "x".repeat(129), null, "a\u007fb"]
) {
  test(`R-014 appName and appVersion ${JSON.stringify(text)?.slice(0, 30)} are refused`, () => {
    for (const name of ["appName", "appVersion"]) {
      const error = thrown(() => fixture([], { [name]: text as string }));
      assertEquals("option" in error && error.option, name);
    }
  });
}

const IDS: readonly unknown[] = [
  "",
  " ",
  "a b",
  "a\r\nx-evil: 1",
  "x".repeat(65),
  "a|b",
  "a,b",
  "é",
  null,
  {},
  Symbol("x"),
];
for (const correlationId of IDS) {
  test(`R-014 correlationId ${String(JSON.stringify(correlationId)).slice(0, 30)} is refused, and nothing is sent`, async () => {
    const { refused, http } = fixture([tokenAnswer()]);
    const error = await refused({ correlationId: correlationId as string });
    assertEquals(["option" in error && error.option, http.requests.length], ["correlationId", 0]);
  });
}
