/** what is secret shows up nowhere but in the request, whoever echoes it and in whatever spelling. */
import { assert, assertEquals } from "@std/assert";
import {
  type ClientCredential,
  isAuthError,
  PublicClientApplication,
  type Store,
  TokenCache,
} from "../mod.ts";
import {
  CLIENT_ID,
  type Fixture,
  fixture,
  OIDC,
  type Overrides,
  SCOPE,
  settle,
  TOKEN_ENDPOINT,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import type { Answer } from "./support/scripted_fetch.ts";
import { printed } from "./support/printed.ts";
import { test } from "./support/suite.ts";

/** Every canary has this in it, in each spelling but base64. */
const MARK = "cAnArY7";
const PLAIN = `${MARK}-secret-0123456789`;
const ODD = `${MARK}~sé cret+&=%/"q\\<x>`;
const TOKEN = `${MARK}-access-token.abc`;
const EXTRA = `${MARK}-assertion.of.somebody`;
const CLAIM = `${MARK}-claim-of-somebody`;

const form = (text: string): string => new URLSearchParams({ s: text }).toString().slice(2);
const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const basic = (secret: string): string => btoa(`${form(CLIENT_ID)}:${form(secret)}`);
const lowerHex = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());

const SPELLINGS: Record<string, (secret: string) => string> = {
  "as it is": (secret) => secret,
  "URL-encoded": encodeURIComponent,
  "form-encoded": form,
  "form-encoded in lower case": (secret) => lowerHex(form(secret)),
  "as JSON": (secret) => JSON.stringify(secret),
  "as base64": base64,
  "as base64url": (secret) => base64(secret).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
  "as Basic": basic,
  "as a form": (secret) => `grant_type=client_credentials&client_secret=${form(secret)}&x=1`,
};

/** What a failure, its events, its log lines and its URLs tell; the secrets in it, if any. */
function leaks({ events, lines, http }: Fixture, error: unknown, secrets: readonly string[]): string[] {
  assert(isAuthError(error), String(error));
  const told = [printed(error), ...events.map(printed), ...lines, ...http.requests.map(({ url }) => url)]
    .join("\n");
  const spelled = secrets.flatMap((secret) => Object.values(SPELLINGS).map((spell) => spell(secret)));
  // The beginning of the base64 of a secret is the beginning of the secret.
  const begun = secrets.map((secret) => base64(secret).slice(0, 20));
  return [MARK, ...spelled, ...begun].filter((text) => told.includes(text));
}

async function assertNoLeak(one: Fixture, secrets: readonly string[], request = {}): Promise<void> {
  const error = await one.refused(request);
  assertEquals(leaks(one, error, secrets), [], printed(error));
}

const json = (body: unknown, status: number): Answer => () => Response.json(body, { status });

/** Where a hostile server puts what it was sent. */
const PLACES: Record<string, (text: string) => Answer> = {
  error_description: (text) =>
    json({ error: "invalid_client", error_description: `AADSTS7000215: ${text} is wrong` }, 401),
  "error_description, across a line": (text) => json({ error: "x", error_description: `\r\n${text}` }, 401),
  error: (text) => json({ error: text }, 400),
  suberror: (text) => json({ error: "invalid_grant", suberror: text }, 400),
  trace_id: (text) => json({ error: "invalid_grant", trace_id: text, timestamp: text, error_uri: text }, 400),
  "an error with status 200": (text) =>
    json({ error: text, error_description: text, access_token: TOKEN }, 200),
  "a name of a member": (text) => json({ error: "x", [text]: 1, error_codes: [text] }, 400),
  "an HTML page": (text) => () =>
    new Response(`<h1>${text}</h1>`, { status: 500, headers: { "content-type": "text/html" } }),
  "broken JSON": (text) => () =>
    new Response(`{"${text}`, { headers: { "content-type": "application/json" } }),
  "a redirect": (text) => () =>
    new Response(null, {
      status: 307,
      headers: { location: `https://evil.example/${encodeURIComponent(text)}` },
    }),
  "Retry-After": (text) => () =>
    new Response("{}", {
      status: 429,
      headers: { "content-type": "application/json", "retry-after": encodeURIComponent(text) },
    }),
  "a content type": (text) => () =>
    new Response("{}", { headers: { "content-type": `x/${encodeURIComponent(text)}` } }),
  "a throwing fetch": (text) => () => {
    throw Object.assign(new TypeError(`cannot send ${text}`, { cause: text }), { body: text });
  },
  "a fetch that throws a text": (text) => () => Promise.reject(text),
  "a body that breaks": (text) => () =>
    new Response(new ReadableStream({ pull: (controller) => controller.error(new Error(text)) }), {
      headers: { "content-type": "application/json" },
    }),
};

for (const [place, answerWith] of Object.entries(PLACES)) {
  for (const [spelling, spell] of Object.entries(SPELLINGS)) {
    test(`R-170 the client secret ${spelling}, echoed in ${place}, is told by nobody`, async () => {
      for (const secret of [PLAIN, ODD]) {
        for (const method of ["client_secret_post", "client_secret_basic"] as const) {
          const overrides = { clientCredential: { clientSecret: secret, method } };
          const one = fixture(() => answerWith(spell(secret)), overrides);
          await assertNoLeak(one, [secret]);
          // And when it is recalled from the HTTP cache.
          if (place !== "a throwing fetch") await assertNoLeak(one, [secret]);
        }
      }
    });
  }

  test(`R-170 an assertion in extraBodyParameters and claims, echoed in ${place}, are told by nobody`, async () => {
    const request = {
      extraBodyParameters: { x_assertion: EXTRA },
      claims: { access_token: { who: { value: CLAIM } } },
      forwardedClientClaims: { who: CLAIM },
    };
    for (const canary of [EXTRA, CLAIM]) {
      const one = fixture(() => answerWith(canary));
      await assertNoLeak(one, [canary], request);
      assert(one.http.requests.length > 0);
    }
  });
}

test("R-170 a token in an answer that is refused is told by nobody", async () => {
  for (
    const members of [{ token_type: "mac" }, { token_type: TOKEN }, { error: "x" }, { error: TOKEN }, {
      error: "x",
      error_description: TOKEN,
    }, {
      access_token: "",
      refresh_token: TOKEN,
    }]
  ) {
    await assertNoLeak(fixture([tokenAnswer({ access_token: TOKEN, ...members })]), [TOKEN]);
  }
});

test("R-170 a secret or token that comes back as the scope of a success is in no event and no log line", async () => {
  for (const scope of [PLAIN, TOKEN, form(ODD)]) {
    const clientCredential = scope === PLAIN ? PLAIN : ODD;
    const { acquire, events, lines } = fixture([tokenAnswer({ scope, access_token: TOKEN })], {
      clientCredential,
    });
    await acquire();
    assert(![...events.map(printed), ...lines].join().includes(MARK));
  }
});

test("R-170 a success is told without its token", async () => {
  const { acquire, events, lines } = fixture([tokenAnswer({ access_token: TOKEN })], {
    clientCredential: PLAIN,
  });
  await acquire();
  await acquire();
  assert(events.length >= 3 && lines.length === events.length);
  assert(![...events.map(printed), ...lines].join().includes(MARK));
});

const boom = (): never => {
  throw Object.assign(new Error(PLAIN, { cause: PLAIN }), { secret: PLAIN, name: "Error" });
};
const FUNCTIONS: [string, ClientCredential][] = [
  ["throws", boom],
  ["rejects with a text", () => Promise.reject(PLAIN)],
  ["rejects with an object", () => Promise.reject({ toString: () => PLAIN, toJSON: () => PLAIN })],
  ["throws an Error named after it", () => {
    throw Object.assign(new Error("x"), { name: MARK });
  }],
  ["throws an object with a name", () => Promise.reject({ name: MARK })],
  ["returns something wrong", () => ({ wrong: PLAIN }) as unknown as string],
  ["returns PEM", () => `-----BEGIN PRIVATE KEY-----\n${PLAIN}`],
  ["returns it with a space", () => ` ${PLAIN}`],
];
for (const [what, clientCredential] of FUNCTIONS) {
  test(`R-170 a credential function that ${what}: its secret is told by nobody`, async () => {
    await assertNoLeak(fixture([], { clientCredential }), [PLAIN]);
  });
}

const throwingStore = (how: (value: string) => never | Promise<never>): Store => ({
  cas: true,
  get: () => how(PLAIN),
  set: (_, value) => how(value),
  delete: () => how(PLAIN),
});
const STORES: [string, Store][] = [
  [
    "throws at once",
    throwingStore((value) => {
      throw new Error(value, { cause: PLAIN });
    }),
  ],
  ["rejects", throwingStore((value) => Promise.reject(Object.assign(new Error(value), { value })))],
  ["rejects with a text", throwingStore((value) => Promise.reject(value))],
  ["rejects with an object that has a name", throwingStore(() => Promise.reject({ name: MARK }))],
];
for (const [what, store] of STORES) {
  for (const option of ["tokenCache", "httpCache"] as const) {
    test(`R-170 R-128 a ${option} that ${what}: neither secret nor token in any event or line, and the call succeeds`, async () => {
      const { acquire, app, clock, events, lines } = fixture([tokenAnswer({ access_token: TOKEN })], {
        [option]: option === "httpCache" ? store : new TokenCache({ store }),
        clientCredential: PLAIN,
      });
      assertEquals((await acquire()).accessToken, TOKEN);
      // That the store keeps them is not kept from who removes them.
      await settle(clock, app.removeTokensForClient().catch((error) => assert(isAuthError(error))));
      const told = [...events.map(printed), ...lines].join();
      assert(told.includes("cache_failed") && !told.includes(MARK), told);
    });
  }
}

/** Options that hold a secret in each of their shapes. */
const CLIENTS: [string, Overrides][] = [
  ["a string", { clientCredential: PLAIN }],
  ["a shape", { clientCredential: { clientSecret: PLAIN, method: "client_secret_basic" } }],
  ["a generic issuer", { ...OIDC, clientCredential: PLAIN }],
];
for (const [what, overrides] of CLIENTS) {
  test(`R-172 a client with ${what}, and its cache, show neither secret nor token, however they are printed`, async () => {
    const tokenCache = new TokenCache();
    const { app, acquire } = fixture(
      (request) =>
        request.method === "GET"
          ? Response.json({ issuer: OIDC.oidcAuthority, token_endpoint: "https://idp.example/t" })
          : tokenAnswer({ access_token: TOKEN })(),
      { ...overrides, tokenCache },
    );
    await acquire();
    assertEquals(tokenCache.size, 1);
    for (const value of [app, tokenCache, { nested: [app, tokenCache] }]) {
      const told = printed(value) + `${value}` + JSON.stringify({ value }) + printed(Object.entries(value));
      assert(!told.includes(MARK), told);
      assert(!told.includes(base64(PLAIN)));
    }
    for (const value of [app, tokenCache]) {
      const copy = structuredClone(value);
      assert(!printed(copy).includes(MARK));
      assert(!Reflect.ownKeys(value).some((key) => printed(value[key as keyof typeof value]).includes(MARK)));
    }
    assertEquals(Object.keys(JSON.parse(JSON.stringify(app))).sort(), ["authority", "clientId"]);
  });
}

test("R-172 a public client and an empty cache can be printed, too", () => {
  const app = new PublicClientApplication({ clientId: CLIENT_ID });
  assertEquals(JSON.parse(JSON.stringify(app)), {
    clientId: CLIENT_ID,
    authority: "https://login.microsoftonline.com/common",
  });
  assert(printed(new TokenCache()).length > 0);
});

test("R-170 a copy of an error made by structuredClone tells no more than the error", async () => {
  const one = fixture(() => PLACES.error_description!(PLAIN), { clientCredential: PLAIN });
  const error = await one.refused();
  assert(!printed(structuredClone(error)).includes(MARK));
});

test("R-013 R-170 the only place where the secret is: the body, or the Authorization header", async () => {
  for (const method of ["client_secret_post", "client_secret_basic"] as const) {
    const { acquire, http } = fixture([tokenAnswer()], { clientCredential: { clientSecret: PLAIN, method } });
    await acquire();
    const [{ url, body, headers } = { url: "", body: "", headers: new Headers() }] = http.requests;
    assertEquals(url, TOKEN_ENDPOINT);
    const post = method === "client_secret_post";
    assertEquals(body.includes(MARK), post);
    assertEquals(
      [...headers].filter(([, value]) => value.includes(basic(PLAIN))).map(([name]) => name),
      post ? [] : ["authorization"],
    );
    assert(![...headers].some(([, value]) => value.includes(MARK)));
  }
});

test("R-170 what the HTTP cache and the token cache write under: no secret, no scope, no tenant in any key or hint", async () => {
  const written: string[] = [];
  const keys: string[] = [];
  const store: Store = {
    cas: false,
    get: (key) => (keys.push(key), Promise.resolve(undefined)),
    set: (key, value) => (keys.push(key), written.push(value), Promise.resolve({ ok: true })),
    delete: (key) => (keys.push(key), Promise.resolve()),
  };
  const one = fixture([PLACES.error_description!(PLAIN), PLACES.error!(PLAIN)], {
    httpCache: store,
    clientCredential: PLAIN,
  }, new FakeClock());
  await one.refused();
  await one.refused({ scopes: [SCOPE.replace("graph", "other")] });
  assert(keys.length > 0 && written.length > 0);
  assert(!/contoso|graph|default/i.test(keys.join()), keys.join());
  assert(!`${keys}${written}`.includes(MARK), written.join());
});
