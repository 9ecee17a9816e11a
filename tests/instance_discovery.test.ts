/** Which hosts instance discovery is asked about, who is asked, and what its answer decides. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { allowInsecureLoopback, MemoryStore, PublicClientApplication, TokenCache } from "../mod.ts";
import { instanceTrust } from "../src/authority/instances.ts";
import {
  answer,
  CLIENT_ID,
  errorAnswer,
  failure,
  type Fixture,
  fixture,
  type Overrides,
  SECRET,
  settle,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { type Answer, jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const MICROSOFT = "https://login.microsoftonline.com/common/discovery/instance";
const HOST = "login.private.example";
const AUTHORITY = `https://${HOST}/contoso.example`;
const HOUR = 3_600_000;
const ASKING: Overrides = { authority: AUTHORITY, instanceDiscovery: true };

/** An answer that lists these hosts as one cloud. */
function listing(...aliases: unknown[]): Record<string, unknown> {
  const [host] = aliases;
  return {
    tenant_discovery_endpoint: `https://${host}/contoso.example/.well-known/openid-configuration`,
    "api-version": "1.1",
    metadata: [
      {
        preferred_network: "login.microsoftonline.com",
        preferred_cache: "login.windows.net",
        aliases: ["login.microsoftonline.com", "login.windows.net"],
      },
      { preferred_network: host, preferred_cache: host, aliases },
    ],
  };
}

const isDiscovery = ({ url }: RecordedRequest): boolean => url.includes("/discovery/instance");
/** A script that answers instance discovery, and tokens that are over at once. */
const asked = (verdict: Answer) => (request: RecordedRequest): Answer =>
  isDiscovery(request) ? verdict : tokenAnswer({ expires_in: 1 });
const listed = (...hosts: unknown[]): Answer => () => jsonResponse(listing(...hosts));
const questions = ({ http }: Fixture): RecordedRequest[] => http.requests.filter(isDiscovery);
const hostsOf = ({ http }: Fixture): string[] => http.requests.map(({ url }) => new URL(url).host);

test("U6 Microsoft is asked about an unknown host, before anything is sent to it", async () => {
  const one = fixture(asked(listed(HOST)), ASKING);
  assertEquals((await one.acquire()).accessToken, "AT");
  const [question, token] = one.http.requests;
  const { origin, pathname, searchParams } = new URL(question!.url);
  assertEquals(origin + pathname, MICROSOFT);
  assertEquals(Object.fromEntries(searchParams), {
    "api-version": "1.1",
    authorization_endpoint: `${AUTHORITY}/oauth2/v2.0/authorize`,
  });
  assertEquals([question!.method, question!.redirect, question!.body], ["GET", "manual", ""]);
  assertEquals(token!.url, `${AUTHORITY}/oauth2/v2.0/token`);
  assertEquals(one.http.requests.length, 2);
});

test("Z40 the port of the authority is part of the question, and of the answer", async () => {
  const authority = "https://good.example:8443/t";
  const one = fixture(asked(listed("good.example:8443")), { ...ASKING, authority });
  await one.acquire();
  const named = new URL(questions(one)[0]!.url).searchParams.get("authorization_endpoint");
  assertEquals(named, `${authority}/oauth2/v2.0/authorize`);
  const other = fixture(asked(listed("good.example")), { ...ASKING, authority });
  assertEquals([(await other.refused()).code, other.http.requests.length], ["untrusted_authority", 1]);
});

test("R-004 R-011 a private cloud's own endpoint is asked in Microsoft's place, and must be one that may be", async () => {
  for (
    const instanceDiscovery of ["https://discovery.example/instance", new URL("https://discovery.example/i")]
  ) {
    const one = fixture(asked(listed(HOST)), { ...ASKING, instanceDiscovery });
    const script = one.acquire();
    await script.catch(() => {});
    assert(one.http.requests[0]!.url.startsWith(`${instanceDiscovery}?api-version=1.1&`));
  }
  const wrong: unknown[] = [
    "http://discovery.example/instance",
    "http://127.0.0.1/instance",
    "https://u:p@discovery.example/instance",
    "https://discovery.example/instance#x",
    "https://discovery.example/instance?x=1",
    "https://discovery.example/../x",
    "ftp://discovery.example/instance",
    "true",
    "",
    null,
    0,
    1,
    {},
    [],
  ];
  for (const instanceDiscovery of wrong) {
    const error = thrown(() => fixture([], { ...ASKING, instanceDiscovery: instanceDiscovery as boolean }));
    assertEquals("option" in error && error.option, "instanceDiscovery", String(instanceDiscovery));
  }
  const insecure = { instanceDiscovery: "http://127.0.0.1:8080/instance", [allowInsecureLoopback]: true };
  fixture([], { ...ASKING, ...insecure });
});

/** What ends the call without a request to the host that was asked about. */
const NO: Readonly<Record<string, [Answer, string]>> = {
  "invalid_instance": [errorAnswer(400, "invalid_instance"), "untrusted_authority"],
  "invalid_instance with status 200": [errorAnswer(200, "invalid_instance"), "untrusted_authority"],
  "invalid_instance beside a list that has the host": [
    () => jsonResponse({ ...listing(HOST), error: "invalid_instance" }, 400),
    "untrusted_authority",
  ],
  "another error beside the host": [
    () => jsonResponse({ ...listing(HOST), error: "temporarily_unavailable" }, 400),
    "untrusted_authority",
  ],
  "another error": [errorAnswer(400, "invalid_tenant"), "untrusted_authority"],
  "other hosts": [listed("login.other.example"), "untrusted_authority"],
  "a longer host": [listed(`${HOST}.evil.example`), "untrusted_authority"],
  "a shorter host": [listed("private.example"), "untrusted_authority"],
  "another port": [listed(`${HOST}:8443`), "untrusted_authority"],
  "the host inside a text": [
    () => jsonResponse({ metadata: [{ aliases: `${HOST} and more` }] }),
    "untrusted_authority",
  ],
  "aliases that are none": [listed(null, 5, [HOST], { host: HOST }), "untrusted_authority"],
  "the host as preferred network alone": [
    () => jsonResponse({ metadata: [{ preferred_network: HOST, preferred_cache: HOST }] }),
    "untrusted_authority",
  ],
  "the host of the tenant's discovery alone": [
    () => jsonResponse({ ...listing(HOST), metadata: undefined }),
    "untrusted_authority",
  ],
  "metadata that is none": [() => jsonResponse({ metadata: [null, 5, "x", [HOST]] }), "untrusted_authority"],
  "inherited metadata": [
    answer(200, `{"__proto__":${JSON.stringify(listing(HOST))}}`),
    "untrusted_authority",
  ],
  "nothing": [() => jsonResponse({}), "untrusted_authority"],
  "HTML": [answer(200, "<p>", { "content-type": "text/html" }), "endpoints_resolution_error"],
  "truncated JSON": [answer(200, '{"metadata":['), "endpoints_resolution_error"],
  "a list": [answer(200, "[]"), "endpoints_resolution_error"],
  "not found": [answer(404, JSON.stringify(listing(HOST))), "endpoints_resolution_error"],
  "accepted": [answer(202, JSON.stringify(listing(HOST))), "endpoints_resolution_error"],
  "a redirect": [answer(302, null, { location: AUTHORITY }), "redirect_refused"],
  "a flood": [answer(200, `{"x":"${"x".repeat(300_000)}"}`), "response_too_large"],
  "an outage": [answer(503, "{}"), "network_error"],
  "an outage that lists the host": [answer(500, JSON.stringify(listing(HOST))), "network_error"],
  "an outage that says no": [errorAnswer(503, "invalid_instance"), "network_error"],
  "a throttle": [answer(429, "{}", { "retry-after": "9" }), "network_error"],
  "no connection": [() => Promise.reject(new TypeError("reset")), "network_error"],
};
for (const [what, [verdict, code]] of Object.entries(NO)) {
  test(`U3 R-017 instance discovery that answers with ${what}: ${code}, and the host gets no request`, async () => {
    const one = fixture(asked(verdict), ASKING);
    const error = await one.refused();
    assertEquals(error.code, code);
    assertEquals(
      error.name,
      ["untrusted_authority", "endpoints_resolution_error"].includes(code)
        ? "ClientAuthError"
        : "NetworkError",
    );
    assertEquals([...new Set(hostsOf(one))], ["login.microsoftonline.com"]);
    assertEquals(one.clock.pending, 0);
  });
}

test("U3 the error says invalid_instance, the host, and what to do", async () => {
  const error = await fixture(asked(errorAnswer(400, "invalid_instance")), ASKING).refused();
  for (const part of ["invalid_instance", HOST, "knownAuthorities"]) {
    assertStringIncludes(error.message, part);
  }
  assert(error.correlationId);
});

test("R-017 fifty callers ask once, and later ones for a day not at all", async () => {
  const one = fixture(asked(listed(HOST)), ASKING);
  const scopes = Array.from({ length: 50 }, (_, n) => [`api://${n}/.default`]);
  await settle(one.clock, Promise.all(scopes.map((own) => one.app.acquireTokenForClient({ scopes: own }))));
  await one.acquire();
  await one.acquire({ tenantId: "other.example" });
  await one.clock.advance(24 * HOUR - 10_000);
  await one.acquire();
  assertEquals(questions(one).length, 1);
  await one.clock.advance(10_000);
  await one.acquire();
  assertEquals(questions(one).length, 2);
});

test("R-017 an application that shares an httpCache with another one does not ask again", async () => {
  const clock = new FakeClock();
  const httpCache = new MemoryStore({ clock });
  const first = fixture(asked(listed(HOST)), { ...ASKING, httpCache }, clock);
  await first.acquire();
  const second = fixture(asked(listed("nobody.example")), { ...ASKING, httpCache }, clock);
  await second.acquire();
  assertEquals([questions(first).length, questions(second).length], [1, 0]);
  const other = fixture(asked(errorAnswer(400, "invalid_instance")), {
    ...ASKING,
    httpCache,
    authority: "https://other.example/contoso.example",
  }, clock);
  assertEquals((await other.refused()).code, "untrusted_authority");
});

/** A client whose discovery a test can change. */
function movable() {
  const state: { verdict: Answer } = { verdict: listed(HOST) };
  const one = fixture((request) => asked(state.verdict)(request), ASKING);
  return { state, one };
}

test("R-021 a host that was known outlives an outage of a day, and no longer", async () => {
  const { state, one } = movable();
  await one.acquire();
  state.verdict = answer(503, "{}");
  await one.clock.advance(24 * HOUR);
  assertEquals((await one.acquire()).accessToken, "AT");
  assert(one.events.some(({ type }) => type === "metadata_stale"));
  await one.clock.advance(23 * HOUR);
  assertEquals((await one.acquire()).accessToken, "AT");
  await one.clock.advance(HOUR);
  assertEquals((await one.refused()).code, "network_error");
});

test("R-017 a host that is known no more gets no request from then on", async () => {
  const { state, one } = movable();
  await one.acquire();
  state.verdict = errorAnswer(400, "invalid_instance");
  await one.clock.advance(24 * HOUR);
  for (const _ of [1, 2]) assertEquals((await one.refused()).code, "untrusted_authority");
  assertEquals(hostsOf(one).filter((host) => host === HOST).length, 1);
  state.verdict = listed(HOST);
  assertEquals((await one.acquire()).accessToken, "AT");
});

test("R-017 with background work, one call at most goes by what was known", async () => {
  let verdict: Answer = listed(HOST);
  const one = fixture((request) => asked(verdict)(request), { ...ASKING, waitUntil: "detached" });
  await one.acquire();
  verdict = errorAnswer(400, "invalid_instance");
  await one.clock.advance(24 * HOUR);
  assertEquals((await one.acquire()).accessToken, "AT");
  await one.clock.advance(1_000);
  assertEquals((await one.refused()).code, "untrusted_authority");
});

const REDIRECT = "https://app.example/callback";
test("R-017 no URL of an unknown host is made for a browser, and no code is sent to it", async () => {
  const one = fixture(asked(errorAnswer(400, "invalid_instance")), ASKING);
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    initiate: () => one.app.initiateAuthCodeFlow({ scopes: ["a"], redirectUri: REDIRECT }),
    url: () =>
      one.app.getAuthorizationRequestUrl({
        scopes: ["a"],
        redirectUri: REDIRECT,
        state: "state-of-twenty-letters",
        nonce: "nonce-of-twenty-letters",
        codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      }),
    signOut: () => one.app.getSignOutUrl({}),
    redeem: () =>
      one.app.acquireTokenByAuthorizationCode({
        code: "c",
        scopes: ["a"],
        redirectUri: REDIRECT,
        codeVerifier: "a-verifier-that-is-long-enough-for-the-endpoint",
        nonce: "nonce-of-twenty-letters",
      }),
    refresh: () => one.app.acquireTokenByRefreshToken({ refreshToken: "rt", scopes: ["a"] }),
    onBehalfOf: () => one.app.acquireTokenOnBehalfOf({ userAssertion: "e30.e30.e30", scopes: ["a"] }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const error = await failure(settle(one.clock, call()));
    assertEquals(error.code, "untrusted_authority", `${name}: ${error.message}`);
  }
  const consent = () =>
    one.app.getAdminConsentUrl({ redirectUri: REDIRECT, state: "state-of-twenty-letters" });
  assertEquals(thrown(consent).code, "untrusted_authority");
  assertEquals([...new Set(hostsOf(one))], ["login.microsoftonline.com"]);
  const device = new PublicClientApplication({
    clientId: CLIENT_ID,
    ...ASKING,
    fetch: one.http.fetch,
    clock: one.clock,
  });
  const flow = failure(settle(one.clock, device.initiateDeviceFlow({ scopes: ["a"] })));
  assertEquals((await flow).code, "untrusted_authority");
});

/** hosts that look like Microsoft's. */
const LOOKALIKES = [
  "login.microsoftonline.com.evil.example",
  "evil-login.microsoftonline.com",
  "evil.login.microsoftonline.com",
  "login.microsoftonline.com.",
  "login.microsoftonline.com:444",
  "login-microsoftonline.com",
  "login.microsoftonline.co",
  "login.micros0ftonline.com",
  "xn--login-microsoftonline.com",
  "microsoftonline.com",
  "westus.login.microsoftonline.com.evil.example",
  "evil-ciamlogin.com",
  "contoso.ciamlogin.com.evil.example",
  "fakeb2clogin.com",
  "169.254.169.254",
  "10.0.0.1",
  "[::1]",
  "localhost",
  "metadata.google.internal",
];
for (const host of LOOKALIKES) {
  test(`R-017 R-018 SSRF: with instanceDiscovery, ${host} gets no request; Microsoft gets the only one`, async () => {
    const one = fixture(asked(errorAnswer(400, "invalid_instance")), {
      ...ASKING,
      authority: `https://${host}/contoso`,
    });
    assertEquals((await one.refused()).code, "untrusted_authority");
    assertEquals(hostsOf(one), ["login.microsoftonline.com"]);
    const plain = () => fixture([], { authority: `https://${host}/contoso` });
    assertEquals(thrown(plain).code, "untrusted_authority");
  });
}

const KNOWN = [
  ...["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"],
  ...["login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "login.microsoftonline.de"],
  ...["login.microsoftonline.us", "login.usgovcloudapi.net", "login-us.microsoftonline.com"],
  ...["login.sovcloud-identity.fr", "login.sovcloud-identity.de", "login.sovcloud-identity.sg"],
];
for (const host of KNOWN) {
  test(`U5 U16 U17 U18 nothing is asked about ${host}, whatever the options`, async () => {
    const authority = `https://${host}/contoso.example`;
    const metadata = { instanceDiscovery: listing("evil.example", ...KNOWN) };
    for (const instanceDiscovery of [undefined, false, true, "https://discovery.example/instance"]) {
      for (const validateAuthority of [true, false]) {
        const overrides = { authority, instanceDiscovery, validateAuthority, metadata };
        const one = fixture(() => tokenAnswer(), overrides);
        await one.acquire();
        await settle(one.clock, one.app.removeTokensForClient());
        assertEquals(one.http.requests.map(({ url }) => new URL(url).pathname), [
          "/contoso.example/oauth2/v2.0/token",
        ]);
        assert(!hostsOf(one).includes("evil.example"));
      }
    }
  });
}

test("U18 a public client lists no accounts, and asks nobody", async () => {
  const one = fixture();
  for (const host of KNOWN) {
    const app = new PublicClientApplication({
      clientId: CLIENT_ID,
      authority: `https://${host}/common`,
      instanceDiscovery: true,
      fetch: one.http.fetch,
    });
    assertEquals(await app.getAccounts(), []);
  }
  assertEquals(one.http.requests.length, 0);
});

test("U20 U21 U22 nobody is asked about hosts that the application vouches for", async () => {
  const vouched: Overrides[] = [
    { knownAuthorities: ["login.private.example"] },
    { knownAuthorities: ["LOGIN.Private.Example"] },
    { validateAuthority: false },
    { metadata: { instanceDiscovery: listing(HOST) } },
  ];
  for (const options of vouched) {
    const one = fixture(() => tokenAnswer(), { ...ASKING, ...options });
    await one.acquire();
    assertEquals(one.http.requests.map(({ url }) => url), [`${AUTHORITY}/oauth2/v2.0/token`]);
  }
  const loopback = fixture(() => tokenAnswer(), {
    authority: "http://127.0.0.1:8080/contoso",
    instanceDiscovery: true,
    [allowInsecureLoopback]: true,
  });
  await loopback.acquire();
  assertEquals(hostsOf(loopback), ["127.0.0.1:8080"]);
});

test("U7 U8 U21 hosts of External ID and B2C are Microsoft's: nothing is asked about them, and no document changes them", () => {
  const hosts = [
    "contoso.ciamlogin.com",
    "contoso.b2clogin.com",
    "login.b2clogin.com",
    "contoso.b2clogin.cn",
  ];
  const metadata = { instanceDiscovery: listing("evil.example", ...hosts) };
  for (const host of hosts) {
    for (const validateAuthority of [undefined, false]) {
      const options = {
        authority: `https://${host}/contoso`,
        instanceDiscovery: true,
        validateAuthority,
        metadata,
      };
      assertEquals(instanceTrust(options, [], false), { hosts: [] });
    }
  }
});

test("U20 U21 R-017 instance discovery speaks for workforce tenants alone: other shapes of unknown hosts are refused", () => {
  for (const path of ["adfs", "tfp/contoso/b2c_1_x", "contoso/b2c_1_x", "dstsv2/contoso", "", "a/b"]) {
    const error = thrown(() => fixture([], { ...ASKING, authority: `https://contoso.com/${path}` }));
    assertEquals("option" in error && error.option, "authority", path);
  }
});

test("R-017 validateAuthority: false trusts the host as it is written, and nothing else of the rules", async () => {
  const one = fixture([tokenAnswer()], {
    authority: "https://idp.example:8443/contoso",
    validateAuthority: false,
  });
  await one.acquire();
  assertEquals(hostsOf(one), ["idp.example:8443"]);
  for (
    const authority of [
      "http://idp.example/contoso",
      "https://u:p@idp.example/contoso",
      "https://idp.example/a_b",
    ]
  ) {
    const error = thrown(() => fixture([], { authority, validateAuthority: false }));
    assertEquals("option" in error && error.option, "authority");
  }
  const unknown = "https://idp.example/contoso";
  for (const validateAuthority of [undefined, true]) {
    const error = thrown(() => fixture([], { authority: unknown, validateAuthority }));
    assertEquals(error.code, "untrusted_authority");
  }
  for (const validateAuthority of ["false", 0, null, ""]) {
    const wrong = validateAuthority as unknown as boolean;
    const error = thrown(() => fixture([], { authority: unknown, validateAuthority: wrong }));
    assertEquals("option" in error && error.option, "validateAuthority");
  }
  assertEquals(
    thrown(() => fixture([], { authority: unknown, instanceDiscovery: false })).code,
    "untrusted_authority",
  );
});

test("an alias of an injected document shares the tokens of its cloud, and the preferred host is asked", async () => {
  const clock = new FakeClock();
  const aliases = ["login.private.example", "sts.private.example", "old.private.example:8443"];
  const document = listing(...aliases);
  const [, cloud] = document["metadata"] as Record<string, unknown>[];
  cloud!["preferred_cache"] = "sts.private.example";
  const metadata = { instanceDiscovery: document };
  const tokenCache = new TokenCache();
  for (const first of aliases) {
    const scope = `api://${first}/.default`;
    for (const host of [first, ...aliases, "STS.Private.Example"]) {
      const options = { authority: `https://${host}/contoso.example`, metadata, tokenCache };
      const one = fixture([tokenAnswer()], options, clock);
      await one.acquire({ scopes: [scope] });
      assertEquals(one.app.authority, AUTHORITY);
      if (one.http.requests.length === 1) assertEquals([host, ...hostsOf(one)], [first, HOST]);
    }
  }
  const entries = Object.values(JSON.parse(tokenCache.serialize()).AccessToken) as Record<string, string>[];
  assertEquals(entries.map(({ environment }) => environment), aliases.map(() => "sts.private.example"));
  const stranger = () => fixture([], { authority: "https://x.private.example/contoso", metadata });
  assertEquals(thrown(stranger).code, "untrusted_authority");
});

test("a new alias of a Microsoft cloud in an injected document is that cloud", async () => {
  const clock = new FakeClock();
  const document = listing(HOST);
  const [cloud] = document["metadata"] as { aliases: string[] }[];
  cloud!.aliases.push("login.new.example");
  const tokenCache = new TokenCache();
  const one = fixture([tokenAnswer()], {
    authority: "https://login.new.example/contoso.example",
    metadata: { instanceDiscovery: document },
    tokenCache,
  }, clock);
  await one.acquire();
  assertEquals(hostsOf(one), ["login.microsoftonline.com"]);
  const authority = "https://login.microsoftonline.com/contoso.example";
  const other = fixture([], { authority, tokenCache }, clock);
  assertEquals((await other.acquire()).tokenSource, "cache");
});

test("R-017 an injected instance discovery that is none is refused by name", () => {
  const entry = { preferred_network: "a.example", preferred_cache: "a.example", aliases: ["a.example"] };
  const wrong: unknown[] = [
    null,
    5,
    [],
    [entry],
    {},
    { metadata: null },
    { metadata: {} },
    { metadata: [null] },
    { metadata: [{ ...entry, preferred_network: undefined }] },
    { metadata: [{ ...entry, preferred_cache: 5 }] },
    { metadata: [{ ...entry, aliases: "a.example" }] },
    ...[
      "https://a.example",
      "a.example/x",
      "u@a.example",
      "a example",
      "",
      "a.example?x",
      "a.example:x",
      5,
      null,
    ]
      .map((host) => ({ metadata: [{ ...entry, aliases: [host] }] })),
  ];
  for (const instanceDiscovery of wrong) {
    const metadata = { instanceDiscovery: instanceDiscovery as Record<string, unknown> };
    const error = thrown(() => fixture([], { metadata }));
    assertEquals(
      "option" in error && error.option,
      "metadata.instanceDiscovery",
      JSON.stringify(instanceDiscovery),
    );
    assertEquals(error.code, "invalid_option");
  }
  const text = { instanceDiscovery: JSON.stringify(listing(HOST)) as unknown as Record<string, unknown> };
  assertStringIncludes(thrown(() => fixture([], { metadata: text })).message, "JSON.parse");
});

test("no error of instance discovery holds the secret", async () => {
  const echo = (request: RecordedRequest): Answer =>
    answer(400, JSON.stringify({ error: SECRET, x: request.url }));
  const error = await fixture(echo, ASKING).refused();
  assert(!`${error.message}${JSON.stringify(error)}`.includes(SECRET));
});
