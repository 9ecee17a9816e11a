/** `oidcAuthority`: discovery is asked once, believed only from the issuer itself, and outlived. */
import { assert, assertEquals } from "@std/assert";
import { allowInsecureLoopback, type ClientCredentialRequest, type Store } from "../mod.ts";
import {
  answer,
  discovery,
  failure,
  fixture,
  ISSUER,
  OIDC,
  oidcScript,
  type Overrides,
  settle,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type Answer, jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const HOUR = 3_600_000;
const WELL_KNOWN = "/.well-known/openid-configuration";

const document = (members: Record<string, unknown> = {}, issuer = ISSUER) => () =>
  jsonResponse(discovery(members, issuer));
const metadataRequests = (requests: readonly RecordedRequest[]): number =>
  requests.filter(({ url }) => url.endsWith(WELL_KNOWN)).length;
/** Tokens that are over at once, so that every call needs the endpoint. */
const shortLived = tokenAnswer({ expires_in: 1 });

test("R-021 discovery once for fifty callers at once and for later calls; the token request goes where it says", async () => {
  const { app, acquire, http, clock } = fixture(oidcScript(document(), shortLived), OIDC);
  const request = (n: number): ClientCredentialRequest => ({ scopes: [`s${n}`] });
  await settle(
    clock,
    Promise.all(Array.from({ length: 50 }, (_, n) => app.acquireTokenForClient(request(n)))),
  );
  await acquire();
  assertEquals(metadataRequests(http.requests), 1);
  assertEquals([...new Set(http.requests.slice(1).map(({ url }) => url))], [`${ISSUER}/token`]);
});

const ISSUERS: [string, string][] = [
  [ISSUER, `${ISSUER}${WELL_KNOWN}`],
  [`${ISSUER}/`, `${ISSUER}${WELL_KNOWN}`],
  [`${ISSUER}${WELL_KNOWN}`, `${ISSUER}${WELL_KNOWN}`],
  [`${ISSUER}${WELL_KNOWN}/`, `${ISSUER}${WELL_KNOWN}`],
  ["https://IDP.example:443/realms/main", `${ISSUER}${WELL_KNOWN}`],
  ["https://idp.example", `https://idp.example${WELL_KNOWN}`],
  ["https://idp.example/", `https://idp.example${WELL_KNOWN}`],
  ["https://idp.example:8443/a", `https://idp.example:8443/a${WELL_KNOWN}`],
];
for (const [oidcAuthority, expected] of ISSUERS) {
  test(`R-022 oidcAuthority ${oidcAuthority} is discovered at ${expected}`, async () => {
    const issuer = expected.slice(0, -WELL_KNOWN.length);
    const { acquire, http } = fixture(oidcScript(document({}, issuer)), {
      authority: undefined,
      oidcAuthority,
    });
    await acquire();
    assertEquals(http.requests[0]?.url, expected);
  });
}

for (const path of ["/realms/Main", "/Tenant-ABC/v2.0", "/a/B"]) {
  test(`R-021 an issuer whose path has capitals, ${path}: the second call is a cache hit`, async () => {
    const issuer = `https://idp.example${path}`;
    const { acquire, http } = fixture(oidcScript(document({}, issuer)), {
      authority: undefined,
      oidcAuthority: issuer,
    });
    assertEquals((await acquire()).tokenSource, "identity_provider");
    assertEquals((await acquire()).tokenSource, "cache");
    assertEquals(http.requests.length, 2);
  });
}

const REFUSED: readonly unknown[] = [
  "http://idp.example",
  "https://u:p@idp.example",
  "https://idp.example/x#y",
  "https://idp.example/x?y=z",
  "https://idp.example/a/../b",
  "https://idp.example/%2e%2e",
  "https://idp.example\\x",
  "https://idp.example /x",
  "idp.example",
  "",
  null,
  5,
  {},
  [],
];
for (const oidcAuthority of REFUSED) {
  test(`R-004 R-011 oidcAuthority ${JSON.stringify(oidcAuthority)} is refused before any request`, () => {
    const error = thrown(() => fixture([], { authority: undefined, oidcAuthority: oidcAuthority as string }));
    assertEquals("option" in error && error.option, "oidcAuthority");
  });
}

/** Documents that must not be believed: each by itself ends the call before a token is asked for. */
const BAD: [string, Answer, string][] = [
  ["another issuer", document({ issuer: `${ISSUER}INVALID` }), "issuer_mismatch"],
  ["another host's issuer", document({ issuer: "https://evil.example/realms/main" }), "issuer_mismatch"],
  ["an issuer of another case", document({ issuer: "https://idp.example/Realms/Main" }), "issuer_mismatch"],
  ["an http issuer", document({ issuer: "http://idp.example/realms/main" }), "issuer_mismatch"],
  ["an issuer with two slashes", document({ issuer: `${ISSUER}//` }), "issuer_mismatch"],
  ["an empty issuer", document({ issuer: "" }), "issuer_mismatch"],
  ["no issuer", document({ issuer: undefined }), "endpoints_resolution_error"],
  ["issuer null", document({ issuer: null }), "endpoints_resolution_error"],
  ["an issuer list", document({ issuer: [ISSUER] }), "endpoints_resolution_error"],
  ["an issuer object", document({ issuer: { toString: ISSUER } }), "endpoints_resolution_error"],
  ["no token endpoint", document({ token_endpoint: undefined }), "endpoints_resolution_error"],
  ["null", answer(200, "null"), "endpoints_resolution_error"],
  ["a list", answer(200, "[]"), "endpoints_resolution_error"],
  ["truncated JSON", answer(200, '{"issuer":"'), "endpoints_resolution_error"],
  ["nothing", answer(200, ""), "endpoints_resolution_error"],
  ["HTML", answer(200, "<p>", { "content-type": "text/html" }), "endpoints_resolution_error"],
  ["404", answer(404, "{}"), "endpoints_resolution_error"],
  ["500", answer(500, "{}"), "endpoints_resolution_error"],
  ["429", answer(429, "{}", { "retry-after": "9" }), "endpoints_resolution_error"],
  ["a network failure", new TypeError("reset"), "network_error"],
  ["a good document with status 203", answer(203, JSON.stringify(discovery())), "endpoints_resolution_error"],
  ...[
    "",
    "token",
    "/token",
    "http://idp.example/token",
    "https://u:p@idp.example/token",
    "https://idp.example/token#x",
    "ftp://idp.example/token",
    "javascript:alert(1)",
    "https://127.0.0.1/token",
    "https://127.1/token",
    "https://2130706433/token",
    "https://0x7f.1/token",
    "https://localhost/token",
    "https://localhost./token",
    "https://idp.localhost/token",
    "https://0.0.0.0/token",
    "https://10.1.2.3/token",
    "https://172.16.0.1/token",
    "https://192.168.0.1/token",
    "https://100.64.0.1/token",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/token",
    "https://[::]/token",
    "https://[::ffff:10.0.0.1]/token",
    "https://[fe80::1]/token",
    "https://[fd00::1]/token",
    "https://[fc00::1]/token",
    5,
    null,
    {},
    ["https://idp.example/token"],
  ].map((endpoint): [string, Answer, string] => [
    `token endpoint ${JSON.stringify(endpoint)}`,
    document({ token_endpoint: endpoint }),
    "endpoints_resolution_error",
  ]),
];
for (const [what, response, code] of BAD) {
  test(`R-015 R-019 R-021 a discovery document with ${what} is an error, and no token is asked for`, async () => {
    const { refused, http, clock } = fixture([response], OIDC);
    assertEquals((await refused()).code, code);
    assertEquals([http.requests.length, clock.pending], [1, 0]);
  });
}

test("R-019 for a Microsoft issuer the token endpoint stays in its cloud", async () => {
  const oidcAuthority = "https://login.microsoftonline.com/contoso/v2.0";
  const first = async (token_endpoint: string): Promise<string> => {
    const { app, clock } = fixture(oidcScript(document({ token_endpoint }, oidcAuthority)), {
      authority: undefined,
      oidcAuthority,
    });
    const call = settle(clock, app.acquireTokenForClient({ scopes: [] }));
    return await call.then(() => "accepted", (error) => error.code);
  };
  assertEquals(await first("https://login.microsoftonline.com/contoso/oauth2/v2.0/token"), "accepted");
  assertEquals(await first("https://login.windows.net/contoso/oauth2/v2.0/token"), "accepted");
  for (
    const host of [
      "login.partner.microsoftonline.cn",
      "login.microsoftonline.us",
      "evil.example",
      "login.windows.net:444",
    ]
  ) {
    assertEquals(await first(`https://${host}/t`), "endpoints_resolution_error");
  }
});

test("R-004 R-019 a loopback issuer may name loopback endpoints, over http where that is allowed", async () => {
  const issuer = "http://127.0.0.1:8080/x";
  const overrides: Overrides = { authority: undefined, oidcAuthority: issuer, [allowInsecureLoopback]: true };
  assertEquals((await fixture(oidcScript(document({}, issuer)), overrides).acquire()).accessToken, "AT");
  for (const token_endpoint of ["http://idp.example/t", "http://10.0.0.1/t"]) {
    const { refused } = fixture([document({ token_endpoint }, issuer)], overrides);
    assertEquals((await refused()).code, "endpoints_resolution_error");
  }
});

test("R-188 a document full of hostile names changes nothing", async () => {
  const text = JSON.stringify(discovery()).replace(
    /}$/,
    ',"__proto__":{"token_endpoint":"https://evil.example"},"constructor":1}',
  );
  const { acquire, http } = fixture(oidcScript(answer(200, text)), OIDC);
  await acquire();
  assertEquals(http.requests[1]?.url, `${ISSUER}/token`);
  const inherited = fixture([answer(200, `{"__proto__":${JSON.stringify(discovery())}}`)], OIDC);
  assertEquals((await inherited.refused()).code, "endpoints_resolution_error");
});

test("R-021 the first failure is an error for all who wait, and is not remembered", async () => {
  const script = [answer(503, "{}"), document(), tokenAnswer(), tokenAnswer()];
  const { app, clock, http } = fixture(script, OIDC);
  const ask = (scope: string) => app.acquireTokenForClient({ scopes: [scope] });
  const errors = await settle(clock, Promise.all(["a", "b"].map((scope) => failure(ask(scope)))));
  assertEquals([errors.map(({ code }) => code), http.requests.length], [
    ["endpoints_resolution_error", "endpoints_resolution_error"],
    1,
  ]);
  await settle(clock, Promise.all(["a", "b"].map(ask)));
});

/** An issuer whose discovery a test can break. */
function movable() {
  const state = { up: true, endpoint: `${ISSUER}/token` };
  const respond = (): Response => {
    if (!state.up) throw new TypeError("unreachable");
    return document({ token_endpoint: state.endpoint })();
  };
  return { state, one: fixture(oidcScript(respond as () => Response, shortLived), OIDC) };
}

test("R-021 a document counts for 24 h, then is asked for again, once", async () => {
  const { state, one } = movable();
  await one.acquire();
  state.endpoint = `${ISSUER}/moved`;
  await one.clock.advance(24 * HOUR - 1);
  await one.acquire();
  assertEquals(metadataRequests(one.http.requests), 1);
  await one.clock.advance(1);
  await one.acquire();
  await one.acquire();
  assertEquals([metadataRequests(one.http.requests), one.http.requests.at(-1)?.url], [2, `${ISSUER}/moved`]);
});

test("R-021 while discovery fails, the last document serves; an event says so, and a minute passes between tries", async () => {
  const { state, one } = movable();
  await one.acquire();
  state.up = false;
  await one.clock.advance(24 * HOUR);
  assertEquals((await one.acquire()).accessToken, "AT");
  await one.acquire();
  const stale = one.events.filter((event) => event.type === "metadata_stale");
  assertEquals([stale.length, metadataRequests(one.http.requests)], [1, 2]);
  assert("error" in stale[0]! && stale[0].error.code === "network_error");
  await one.clock.advance(60_000);
  await one.acquire();
  assertEquals(metadataRequests(one.http.requests), 3);
});

test("R-021 the last document serves for 24 h more at least, and a bad answer does not replace it", async () => {
  for (const broken of [() => document({ issuer: "https://evil.example" })(), () => answer(200, "null")()]) {
    let respond: () => Response = document();
    const one = fixture(oidcScript(() => respond(), shortLived), OIDC);
    await one.acquire();
    respond = broken;
    await one.clock.advance(47.9 * HOUR);
    assertEquals((await one.acquire()).accessToken, "AT");
    assertEquals(one.http.requests.at(-1)?.url, `${ISSUER}/token`);
  }
});

test("R-021 a background refresh keeps nobody waiting", async () => {
  let respond: () => Response | Promise<Response> = document();
  const script = (request: RecordedRequest): Answer =>
    request.url.endsWith(WELL_KNOWN) ? () => respond() : shortLived;
  const { app, acquire, clock } = fixture(script, { ...OIDC, waitUntil: "detached" });
  await acquire();
  respond = () => new Promise(() => {});
  await clock.advance(24 * HOUR);
  const call = app.acquireTokenForClient({ scopes: [] });
  await clock.advance(0);
  await clock.advance(0);
  let done = false;
  call.then(() => done = true);
  await clock.advance(0);
  assert(done);
  await clock.advance(6_000);
  assertEquals(clock.pending, 0);
});

test("R-019 decision 8: nothing that somebody put into a shared httpCache decides where a token is asked for", async () => {
  const clock = new FakeClock();
  const evil = JSON.stringify({
    tokenEndpoint: "https://evil.example/t",
    token_endpoint: "https://evil.example/t",
  });
  const keys: string[] = [];
  const httpCache: Store = {
    cas: false,
    get: (key) => (keys.push(key), Promise.resolve({ value: evil })),
    set: () => Promise.resolve({ ok: true }),
    delete: () => Promise.resolve(),
  };
  const { acquire, http } = fixture(oidcScript(document(), shortLived), { ...OIDC, httpCache }, clock);
  await acquire();
  assert(keys.length > 0);
  assertEquals(http.requests.map(({ url }) => url), [`${ISSUER}${WELL_KNOWN}`, `${ISSUER}/token`]);
});

test("R-019 tenantId is refused with an oidcAuthority, which has no tenants", async () => {
  const { refused, http } = fixture([], OIDC);
  const error = await refused({ tenantId: "contoso.example" });
  assertEquals(["option" in error && error.option, http.requests.length], ["tenantId", 0]);
});
