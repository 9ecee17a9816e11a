/** what is secret in a user's sign-in shows up nowhere but in the request, whoever echoes it and wherever. */
import { assert, assertEquals } from "@std/assert";
import { isAuthError, openAuthCodeFlow, sealAuthCodeFlow, type Store, TokenCache } from "../mod.ts";
import {
  clientInfo,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  nonceOf,
  REDIRECT_URI,
} from "./support/entra_double.ts";
import { printed } from "./support/printed.ts";
import { jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const MARK = "cAnArY7";
const canary = (name: string): string => `${MARK}.${name}.0123456789`;
const SECRET = canary("client-secret");
const CODE = canary("code");
const ACCESS = canary("access");
const REFRESH = canary("refresh");
const DEVICE = canary("device");
const UPN = `${MARK}@contoso.example`;
const CLAIMS = { access_token: { who: { value: canary("claim") } } };
const SCOPES = ["User.Read"];
const ASK = { account: HOME_ACCOUNT_ID, scopes: SCOPES };

interface Scene {
  readonly entra: EntraDouble;
  readonly lines: string[];
  readonly options: Any;
}

function scene(options: object = {}): Scene {
  const entra = entraDouble();
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  return { entra, lines, options: { logger, clientCredential: SECRET, ...options } };
}

/** The secrets that events, lines, errors and URLs tell; those of a URL that carries them by protocol are passed over. */
function leaks({ entra, lines }: Scene, values: unknown[], secrets: readonly string[]): string[] {
  const urls = [...entra.posts, ...entra.gets].map(({ url }) => url);
  const told = [...values.map(printed), ...entra.events.map(printed), ...lines, ...urls].join("\n");
  const base64 = (text: string) => btoa(text).slice(0, 16);
  return [...new Set([...secrets.flatMap((secret) => [secret, encodeURIComponent(secret), base64(secret)])])]
    .filter((text) => text.length > 3 && told.includes(text));
}

/** Where a hostile authority puts what it knows. */
const PLACES: Record<string, (text: string) => Response | Promise<Response>> = {
  error: (text) => Response.json({ error: text }, { status: 400 }),
  "error with status 200": (text) => Response.json({ error: text, error_description: text, id_token: text }),
  suberror: (text) => Response.json({ error: "invalid_grant", suberror: text }, { status: 400 }),
  error_description: (text) =>
    Response.json({ error: "x", error_description: `AADSTS50020: ${text}` }, { status: 400 }),
  trace_id: (text) =>
    Response.json({ error: "x", trace_id: text, timestamp: text, correlation_id: text }, { status: 401 }),
  "token_type": (text) => Response.json({ access_token: text, token_type: text, refresh_token: text }),
  "a member's name": (text) => Response.json({ [text]: text }, { status: 500 }),
  "Retry-After": (text) => Response.json({}, { status: 429, headers: { "retry-after": text } }),
  "a page": (text) => new Response(text, { headers: { "content-type": "text/html" } }),
  "broken JSON": (text) => new Response(`{"${text}`, { headers: { "content-type": "application/json" } }),
  "a redirect": (text) =>
    new Response(null, { status: 302, headers: { location: `https://e.example/${text}` } }),
  "a failing fetch": (text) => Promise.reject(Object.assign(new TypeError(text, { cause: text }), { text })),
  "a thrown Response": (text) => Promise.reject(new Response(text)),
};

/** A call, and what of its request is secret. */
const FLOWS: Record<
  string,
  (one: Scene, answer: (request: RecordedRequest) => Any) => Promise<[unknown, string[]]>
> = {
  "a code": async ({ entra, options }, answer) => {
    const app = entra.confidential(options);
    const flow = await app.initiateAuthCodeFlow({
      scopes: SCOPES,
      redirectUri: REDIRECT_URI,
      claims: CLAIMS,
    });
    entra.next(answer);
    const response = { code: CODE, state: flow.state };
    const error = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, response).catch((error) => error));
    return [error, [flow.codeVerifier, flow.nonce, MARK]];
  },
  "a code of one's own": async ({ entra, options }, answer) => {
    const app = entra.confidential(options);
    entra.next(answer);
    const codeVerifier = canary("verifier-of-forty-three-characters-or-more");
    const request = {
      code: CODE,
      codeVerifier,
      scopes: SCOPES,
      redirectUri: REDIRECT_URI,
      nonce: canary("nonce"),
      claims: CLAIMS,
    };
    return [await entra.settle(app.acquireTokenByAuthorizationCode(request).catch((error) => error)), [MARK]];
  },
  "a refresh": async ({ entra, options }, answer) => {
    const app = entra.confidential(options);
    await entra.signIn(app, { preferred_username: UPN }, { refresh_token: REFRESH, access_token: ACCESS });
    await entra.clock.advance(3_600_000);
    entra.next(answer, answer);
    const first = await entra.settle(
      app.acquireTokenSilent({ ...ASK, claims: CLAIMS }).catch((error) => error),
    );
    // And as it is recalled.
    const second = await entra.settle(
      app.acquireTokenSilent({ ...ASK, claims: CLAIMS }).catch((error) => error),
    );
    assert(isAuthError(second));
    assert(!printed(second).includes(MARK), printed(second));
    return [first, [MARK]];
  },
  "a migration": async ({ entra, options }, answer) => {
    entra.next(answer, answer);
    const call = entra.confidential(options).acquireTokenByRefreshToken({
      refreshToken: REFRESH,
      scopes: SCOPES,
      claims: CLAIMS,
    });
    return [await entra.settle(call.catch((error) => error)), [MARK]];
  },
  "a device's poll": async ({ entra, options: { clientCredential: _, ...options } }, answer) => {
    const app = entra.public(options);
    entra.next({ device_code: DEVICE, user_code: canary("user"), verification_uri: "https://x.example" });
    const flow = await entra.settle(app.initiateDeviceFlow({ scopes: SCOPES, claims: CLAIMS }));
    entra.next(answer);
    const call = app.acquireTokenByDeviceFlow(flow, { poll: "once" });
    return [await entra.settle(call.catch((error) => error)), [MARK]];
  },
};

const NAMES: Record<string, string[]> = {
  "a code": ["code", "code_verifier", "client_secret", "claims"],
  "a code of one's own": ["code_verifier"],
  "a refresh": ["refresh_token", "claims"],
  "a migration": ["refresh_token", "claims"],
  "a device's poll": ["device_code", "claims"],
};
for (const [flow, run] of Object.entries(FLOWS)) {
  test(`R-170 ${flow}: nothing of the request is told by anybody, wherever the authority echoes it`, async () => {
    const found: string[] = [];
    for (const [place, echo] of Object.entries(PLACES)) {
      for (const name of NAMES[flow] ?? []) {
        const one = scene();
        let text = "";
        const [error, secrets] = await run(one, ({ form }) => {
          text = form.get(name) ?? "";
          if (name === "claims") text = canary("claim");
          return text === "" ? Response.json({ error: "invalid_grant" }, { status: 400 }) : echo(text);
        });
        assert(isAuthError(error), `${flow} ${place} ${name}: ${printed(error).slice(0, 300)}`);
        const told = leaks(one, [error], [...secrets, text]);
        if (told.length > 0) {
          found.push(`${name} in ${place}: ${told} ${(error as Error).message.slice(0, 150)}`);
        }
      }
    }
    assertEquals(found, []);
  });
}

test("R-170 a device code, user code and tokens of an answer that is refused are told by nobody", async () => {
  const found: string[] = [];
  for (const place of ["error", "suberror", "error_description", "trace_id", "verification_uri", "message"]) {
    for (const status of [200, 400]) {
      const one = scene();
      const { clientCredential: _, ...options } = one.options;
      const body = { device_code: DEVICE, user_code: canary("user"), verification_uri: "x", [place]: DEVICE };
      if (status === 200 && place !== "verification_uri") {
        Object.assign(body, { verification_uri: "javascript:x" });
      }
      one.entra.next(() =>
        Response.json({ ...(place === "suberror" && { error: "x" }), ...body }, { status })
      );
      const error = await one.entra.refused(one.entra.public(options).initiateDeviceFlow({ scopes: SCOPES }));
      const told = leaks(one, [error], [MARK]);
      if (told.length > 0) found.push(`${place} ${status}: ${error.message}`);
    }
  }
  assertEquals(found, []);
});

test("R-170 R-038 an authorization response that echoes code, state, nonce and verifier is told by nobody", async () => {
  const found: string[] = [];
  for (const place of ["error", "error_description", "suberror", "trace_id", "iss", "claims", "x"]) {
    for (const name of ["code", "state", "nonce", "codeVerifier"] as const) {
      const one = scene();
      const app = one.entra.confidential(one.options);
      const flow = await app.initiateAuthCodeFlow({
        scopes: SCOPES,
        redirectUri: REDIRECT_URI,
        claims: CLAIMS,
      });
      const text = name === "code" ? CODE : flow[name];
      const response = { code: CODE, state: flow.state, error: "server_error", [place]: text };
      const error = await one.entra.refused(app.acquireTokenByAuthCodeFlow(flow, response));
      const all = [MARK, flow.state, flow.nonce, flow.codeVerifier];
      // What Entra asks for is handed on as it is, and is not enumerable.
      const shown = place === "claims" ? [error.message, JSON.stringify(error)] : [error];
      if (place === "claims") one.entra.events.length = 0;
      const told = leaks(one, shown, all);
      if (told.length > 0) found.push(`${name} in ${place}: ${error.message}`);
    }
  }
  assertEquals(found, []);
});

test("R-170 a hostile ID token, client_info, token or user name of an answer that is refused is told by nobody", async () => {
  const found: string[] = [];
  const rows: Record<string, [Any, Any]> = {
    nonce: [{ nonce: canary("nonce") }, {}],
    aud: [{ aud: canary("aud") }, {}],
    iss: [{ iss: `https://${canary("iss")}` }, {}],
    tid: [{ tid: canary("tid") }, {}],
    sub: [{ sub: [canary("sub")] }, {}],
    exp: [{ exp: canary("exp") }, {}],
    "a text": [{}, { id_token: canary("id") }],
    client_info: [{}, { client_info: canary("info") }],
    token_type: [{}, { token_type: ACCESS }],
    foci: [{ azp: UPN }, { foci: canary("foci"), scope: canary("scope") }],
  };
  for (const [what, [claims, members]] of Object.entries(rows)) {
    const one = scene();
    const app = one.entra.confidential(one.options);
    const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
    const body = await one.entra.answer(
      { nonce: nonceOf(flow), preferred_username: UPN, ...claims },
      { access_token: ACCESS, refresh_token: REFRESH, ...members },
    );
    one.entra.next(body);
    const error = await one.entra.refused(
      app.acquireTokenByAuthCodeFlow(flow, { code: CODE, state: flow.state }),
    );
    const told = leaks(one, [error, app], [
      MARK,
      flow.codeVerifier,
      flow.nonce,
      String(body.id_token),
      clientInfo(),
    ]);
    if (told.length > 0) found.push(`${what}: ${told} ${error.message}`);
  }
  assertEquals(found, []);
});

test("R-170 R-172 after a sign-in neither application, cache, events nor lines tell a token, a claim or a name", async () => {
  const values: string[] = [];
  const store: Store = {
    cas: false,
    get: () => Promise.resolve(undefined),
    set: (key) => {
      values.push(key);
      return Promise.reject(Object.assign(new Error(ACCESS, { cause: REFRESH }), { name: UPN }));
    },
    delete: () => Promise.reject(UPN),
  };
  const one = scene({ tokenCache: new TokenCache({ store }), httpCache: store });
  const app = one.entra.confidential(one.options);
  const { idToken } = await one.entra.signIn(app, { preferred_username: UPN, name: UPN }, {
    access_token: ACCESS,
    refresh_token: REFRESH,
    scope: `User.Read ${canary("scope")}`,
  });
  await app.acquireTokenSilent(ASK);
  one.entra.next(() =>
    Response.json({ error: "interaction_required", error_description: UPN }, { status: 400 })
  );
  const error = await one.entra.refused(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assert(!JSON.stringify(error).includes(MARK) && !error.message.includes(MARK));
  const refused = await one.entra.refused(app.removeAccount(HOME_ACCOUNT_ID));
  const known = [MARK, idToken!, idToken!.split(".")[2]!, HOME_ACCOUNT_ID];
  // The text for people may name the user: it is neither enumerable nor logged.
  const events = one.entra.events.filter((event) => !("error" in event && event.error === error));
  const told = [
    ...events.map(printed),
    ...one.lines,
    printed(refused),
    ...values,
    printed(app),
    printed({ app }),
  ].join("\n");
  assertEquals(known.filter((text) => told.includes(text)), []);
  assert(JSON.stringify(app).length < 200);
});

test("R-170 a sealed flow, its secret and what is in it are in no error of sealing and opening", async () => {
  const secret = "mZ3vQ8xT1kL6pW9rB4nY7cH2dF5gJ0s" + MARK;
  const one = scene();
  const flow = await one.entra.confidential(one.options).initiateAuthCodeFlow({
    scopes: SCOPES,
    redirectUri: REDIRECT_URI,
    appState: canary("app"),
    claims: CLAIMS,
  });
  const sealed = await sealAuthCodeFlow(flow, secret);
  const calls: (() => Promise<unknown>)[] = [
    () => openAuthCodeFlow(`${sealed}x`, secret),
    () => openAuthCodeFlow(sealed.slice(0, -4), secret),
    () => openAuthCodeFlow(sealed, `${secret}other`),
    () => openAuthCodeFlow(sealed, MARK),
    () => sealAuthCodeFlow({ ...flow, appState: canary("x").repeat(500) }, secret),
    () => sealAuthCodeFlow({ ...flow, codeVerifier: MARK }, secret),
    () => sealAuthCodeFlow(flow, [secret, MARK]),
  ];
  for (const call of calls) {
    const error = await call().then(() => "it succeeded", (error) => error);
    assert(isAuthError(error), String(error));
    assert(!printed(error).includes(MARK) && !printed(error).includes(sealed.slice(20, 60)), printed(error));
  }
});

test("R-170 no metadata request or its failure tells anything of the sign-in", async () => {
  for (
    const reply of [
      () => new TypeError(CODE),
      () => jsonResponse({ keys: [CODE] }),
      () => jsonResponse({ error: "x" }, 500),
    ]
  ) {
    const one = scene();
    one.entra.documents = reply;
    const app = one.entra.confidential(one.options);
    const flow = await app.initiateAuthCodeFlow({
      scopes: SCOPES,
      redirectUri: REDIRECT_URI,
      loginHint: UPN,
    });
    const error = await one.entra.refused(
      app.acquireTokenByAuthCodeFlow(flow, { code: "the code", state: flow.state }),
    );
    assertEquals(leaks(one, [error], [flow.state, flow.nonce, flow.codeVerifier, UPN, SECRET]), []);
    for (const { headers, body } of one.entra.gets) {
      assertEquals([body, [...headers].join().includes(MARK)], ["", false]);
    }
  }
});
