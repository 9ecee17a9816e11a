/**
 * Documents that are swapped, forged or weakened, decision 8.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { base64url, exportJWK, generateKeyPair, SignJWT } from "jose";
import { isAuthError, MemoryStore, type Store } from "../mod.ts";
import {
  callback,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  nonceOf,
  REDIRECT_URI,
  SECRET,
  signingKey,
  TENANT_ID,
} from "./support/entra_double.ts";
import { type Answer, jsonResponse, type RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const SCOPES = ["User.Read"];
const ASK = { account: HOME_ACCOUNT_ID, scopes: SCOPES };
const ISSUER = "https://idp.example/realms/main";
const HOUR_MS = 3_600_000;

let foreign: Promise<{ privateKey: CryptoKey; jwk: Any }> | undefined;
/** The attacker's own key, under the name of the authority's. */
function attackersKey(): Promise<{ privateKey: CryptoKey; jwk: Any }> {
  return foreign ??= generateKeyPair("RS256", { extractable: true }).then(async (
    { privateKey, publicKey },
  ) => ({
    privateKey: privateKey as CryptoKey,
    jwk: { ...await exportJWK(publicKey), kid: "test-key", use: "sig" },
  }));
}

function document(over: object = {}): Record<string, unknown> {
  return {
    issuer: ISSUER,
    authorization_endpoint: `${ISSUER}/authorize`,
    token_endpoint: `${ISSUER}/token`,
    jwks_uri: `${ISSUER}/keys`,
    ...over,
  };
}

/** Signs in, and tells by which code that failed; `""` where it did not. */
async function outcome(
  entra: EntraDouble,
  app: Any,
  claims: object = {},
  members: object = {},
): Promise<string> {
  try {
    const flow = await entra.settle(
      app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI }),
    ) as Any;
    entra.next(await entra.answer({ nonce: nonceOf(flow), ...claims }, members as Any));
    await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    return "";
  } catch (error) {
    assert(isAuthError(error), String(error));
    return error.code;
  }
}

async function oidcOutcome(
  over: object,
  setUp: (entra: EntraDouble) => void = () => {},
): Promise<[string, EntraDouble]> {
  const entra = entraDouble();
  const { jwk } = await signingKey();
  entra.documents = ({ url }) =>
    url.endsWith("/.well-known/openid-configuration")
      ? jsonResponse(document(over))
      : jsonResponse({ keys: [jwk] });
  setUp(entra);
  const app = entra.confidential({ authority: undefined, oidcAuthority: ISSUER });
  return [await outcome(entra, app, { iss: ISSUER, tid: undefined, oid: undefined }), entra];
}

test("R-064 R-065 a document cannot switch to none or HS256, nor to nothing: no code is lost to a wrong one", async () => {
  const rows: [unknown, string][] = [
    [undefined, ""],
    [["RS256"], ""],
    [["none", "RS256", "HS256"], ""],
    [[], "id_token_algorithm_refused"],
    [["none"], "id_token_algorithm_refused"],
    [
      ["HS256", "HS384", "HS512", "NONE", "rs256", "RS1", "", null, { toString: "RS256" }],
      "id_token_algorithm_refused",
    ],
    [["ES256"], "id_token_algorithm_refused"],
    ["RS256", ""],
    [{ RS256: true }, ""],
  ];
  for (const [algorithms, expected] of rows) {
    const [code] = await oidcOutcome({ id_token_signing_alg_values_supported: algorithms });
    assertEquals(code, expected, JSON.stringify(algorithms));
  }
});

test("R-065 tokens that are unsigned or signed by what is public are refused, whatever the document says", async () => {
  const { jwk } = await signingKey();
  const algorithms = ["none", "HS256", "RS256"];
  for (
    const [alg, key] of [["HS256", JSON.stringify(jwk)], ["HS256", SECRET], ["HS256", jwk.n], [
      "none",
      "",
    ]] as const
  ) {
    const entra = entraDouble();
    entra.documents = ({ url }) =>
      url.endsWith("/.well-known/openid-configuration")
        ? jsonResponse(document({ id_token_signing_alg_values_supported: algorithms }))
        : jsonResponse({ keys: [jwk, { kty: "oct", k: base64url.encode("x"), kid: "oct" }] });
    const app = entra.confidential({ authority: undefined, oidcAuthority: ISSUER });
    const flow = await entra.settle(app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI }));
    const payload = (await entra.idToken({ iss: ISSUER, nonce: nonceOf(flow) })).split(".")[1]!;
    const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
    const id_token = alg === "none"
      ? `${base64url.encode('{"alg":"none","kid":"test-key"}')}.${payload}.`
      : await new SignJWT(claims).setProtectedHeader({ alg, kid: "test-key" }).sign(
        new TextEncoder().encode(key),
      );
    entra.next(await entra.answer({}, { id_token }));
    const { code } = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assert(["id_token_algorithm_refused", "id_token_malformed"].includes(code), code);
    assertEquals(entra.tokenCache.size, 0);
  }
});

test("R-011 a document that names endpoints without TLS, with names, at addresses or of another issuer is refused, nothing sent there", async () => {
  const wrong: Record<string, unknown>[] = [
    ...[
      "http://idp.example/keys",
      "https://user@idp.example/keys",
      "https://127.0.0.1/keys",
      "https://169.254.169.254/k",
    ],
    ...[
      "https://localhost/keys",
      "https://[::1]/keys",
      "https://x.localhost/keys",
      "ftp://idp.example/k",
      "javascript:1",
    ],
    ...["//idp.example/keys", "/keys", "", 5, ["https://idp.example/keys"], "https://idp.example/keys#x"],
  ].flatMap((url) => [{ jwks_uri: url }, { token_endpoint: url }, { authorization_endpoint: url }]);
  const issuers = [
    `${ISSUER}x`,
    "https://evil.example",
    `${ISSUER}/..`,
    ISSUER.toUpperCase(),
    [ISSUER],
    "",
    null,
    undefined,
    7,
  ];
  for (const over of [...wrong, ...issuers.map((issuer) => ({ issuer }))]) {
    const [code, entra] = await oidcOutcome(over);
    assert(
      ["endpoints_resolution_error", "issuer_mismatch"].includes(code),
      `${JSON.stringify(over)}: ${code}`,
    );
    assertEquals([entra.posts.length, entra.gets.length], [0, 1], JSON.stringify(over));
  }
});

test("R-012 R-016 keys and endpoints of another cloud or host are refused for an authority of the kind of Entra", async () => {
  const domain = "contoso.example";
  const base = `${HOST}/${TENANT_ID}`;
  const metadata = (over: object) => ({
    issuer: `${base}/v2.0`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    ...over,
  });
  for (
    const over of [
      { jwks_uri: "https://evil.example/keys" },
      { jwks_uri: "https://login.microsoftonline.us/common/discovery/v2.0/keys" },
      { jwks_uri: "https://login.microsoftonline.com.evil.example/keys" },
      { token_endpoint: "https://evil.example/token" },
      { issuer: "https://evil.example/v2.0" },
      { issuer: `https://login.microsoftonline.us/${TENANT_ID}/v2.0` },
      { issuer: `${HOST}/{tenantid}/v2.0` },
      { issuer: `${HOST}/common/v2.0` },
      { jwks_uri: undefined },
    ]
  ) {
    const entra = entraDouble();
    entra.documents = ({ url }) => url.includes(".well-known") ? jsonResponse(metadata(over)) : undefined;
    const code = await outcome(entra, entra.confidential({ authority: `${HOST}/${domain}` }));
    assert(
      ["endpoints_resolution_error", "issuer_mismatch"].includes(code),
      `${JSON.stringify(over)}: ${code}`,
    );
    assertEquals([entra.posts.length, entra.tokenCache.size], [0, 0]);
  }
});

test("R-010 endpoints that redirect are refused, and nothing is sent after", async () => {
  for (const where of ["/keys", "/token", "/.well-known/openid-configuration"]) {
    for (const status of [301, 302, 303, 307, 308]) {
      const entra = entraDouble();
      const { jwk } = await signingKey();
      const redirect = (): Response =>
        new Response(null, { status, headers: { location: "https://evil.example/x" } });
      entra.documents = ({ url }) =>
        url.endsWith(where)
          ? redirect()
          : url.includes(".well-known")
          ? jsonResponse(document())
          : jsonResponse({ keys: [jwk] });
      const app = entra.confidential({ authority: undefined, oidcAuthority: ISSUER });
      let code = "";
      try {
        const flow = await entra.settle(
          app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI }),
        );
        entra.next(redirect);
        await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
      } catch (error) {
        code = (error as Any).code;
      }
      assertEquals(code, "redirect_refused", `${where} ${status}`);
      assert(![...entra.gets, ...entra.posts].some(({ url }) => url.includes("evil")));
    }
  }
});

test("R-036 a document that changes between beginning and end: keys of the new one count, tokens of the old one do not pass", async () => {
  const { jwk } = await signingKey();
  const { jwk: evil } = await attackersKey();
  for (
    const [second, keys, expected] of [
      [{ jwks_uri: `${ISSUER}/other` }, evil, "id_token_signature_invalid"],
      [{ jwks_uri: `${ISSUER}/other` }, jwk, ""],
      [{ token_endpoint: "http://evil.example/token" }, jwk, ""],
      [{ issuer: "https://evil.example" }, jwk, ""],
    ] as const
  ) {
    const entra = entraDouble();
    let over: object = {};
    entra.documents = ({ url }) => {
      if (url.includes(".well-known")) return jsonResponse(document(over));
      return jsonResponse({ keys: [url.endsWith("/other") ? keys : jwk] });
    };
    const app = entra.confidential({ authority: undefined, oidcAuthority: ISSUER });
    assertEquals(await outcome(entra, app, { iss: ISSUER, tid: undefined, oid: undefined }), "");
    over = second;
    await entra.clock.advance(25 * HOUR_MS);
    assertEquals(
      await outcome(entra, app, { iss: ISSUER, tid: undefined, oid: undefined }),
      expected,
      JSON.stringify(second),
    );
    assert(![...entra.gets, ...entra.posts].some(({ url }) => url.includes("evil")));
  }
});

/** A store that an attacker reads and writes. */
function sharedStore(entra: EntraDouble): { store: Store; values: Map<string, string> } {
  const inner = new MemoryStore({ clock: entra.clock });
  const values = new Map<string, string>();
  const store: Store = {
    cas: false,
    get: (key) => Promise.resolve(values.has(key) ? { value: values.get(key)! } : undefined),
    set: (key, value) => {
      values.set(key, value);
      return inner.set(key, value, { expiresAtMs: Infinity });
    },
    delete: (key) => Promise.resolve(void values.delete(key)),
  };
  return { store, values };
}

const FORGERIES: Record<string, (value: Any, evil: string) => unknown> = {
  "another text": (value, evil) => ({ ...value, text: evil }),
  "another time": (value) => ({ ...value, fetchedAtMs: value.fetchedAtMs + 1 }),
  "no MAC": ({ mac: _, ...value }, evil) => ({ ...value, text: evil }),
  "a MAC that is a list": (value, evil) => ({ ...value, mac: [value.mac], text: evil }),
  "a MAC with toString": (value, evil) => ({
    ...value,
    mac: { length: 43, toString: value.mac },
    text: evil,
  }),
  "a text that is a list": (value, evil) => ({ ...value, text: [value.text, evil] }),
  "bare": (_, evil) => JSON.parse(evil),
  "__proto__": (value, evil) => JSON.parse(`{"__proto__":${JSON.stringify({ ...value, text: evil })}}`),
  "null": () => null,
  "a number": () => 7,
};

test("decision 8: whoever writes to the store of httpCache cannot make keys believed, with a static secret and without", async () => {
  const { jwk: evil } = await attackersKey();
  const text = JSON.stringify({ keys: [evil] });
  for (const clientCredential of [SECRET, () => Promise.resolve(SECRET)]) {
    for (const [what, forge] of Object.entries(FORGERIES)) {
      const entra = entraDouble();
      const { store, values } = sharedStore(entra);
      assertEquals(await outcome(entra, entra.confidential({ httpCache: store })), "");
      const [value = ""] = values.values();
      const planted = JSON.stringify(forge(JSON.parse(value), text));
      // Under whatever name it is looked for.
      const httpCache: Store = { ...store, get: () => Promise.resolve({ value: planted }) };
      const gets = entra.gets.length;
      assertEquals(await outcome(entra, entra.confidential({ httpCache, clientCredential })), "", what);
      // What does not count is downloaded.
      assertEquals(entra.gets.length, gets + 1, what);
    }
  }
});

test("decision 8: a document moved under another document's name, or sealed by another application, is a miss", async () => {
  const entra = entraDouble();
  const { store, values } = sharedStore(entra);
  const other = `${HOST}/common`;
  assertEquals(await outcome(entra, entra.confidential({ httpCache: store })), "");
  assertEquals(await outcome(entra, entra.confidential({ httpCache: store, authority: other })), "");
  const [[one, first], [two, second]] = [...values].filter(([key]) => key.includes("document")) as Any;
  values.set(one, second);
  values.set(two, first);
  const gets = entra.gets.length;
  assertEquals(await outcome(entra, entra.confidential({ httpCache: store })), "");
  assertEquals(entra.gets.length, gets + 1);
  assertEquals(
    await outcome(entra, entra.confidential({ httpCache: store, clientCredential: `${SECRET}2` })),
    "",
  );
  assertEquals(entra.gets.length, gets + 2);
  // And a document of one's own is believed: once more nothing is downloaded.
  assertEquals(await outcome(entra, entra.confidential({ httpCache: store })), "");
  assertEquals(entra.gets.length, gets + 2);
});

test("R-090 the time of a document in a shared store is a number: as a text it would put off every renewal", async () => {
  const entra = entraDouble();
  const { store, values } = sharedStore(entra);
  assertEquals(await outcome(entra, entra.confidential({ httpCache: store })), "");
  for (const [key, value] of values) {
    const kept = JSON.parse(value);
    values.set(key, JSON.stringify({ ...kept, fetchedAtMs: `${kept.fetchedAtMs}` }));
  }
  const app = entra.confidential({ httpCache: store });
  assertEquals(await outcome(entra, app), "");
  const gets = entra.gets.length;
  await entra.clock.advance(2 * HOUR_MS);
  assertEquals(await outcome(entra, app), "");
  assertEquals(entra.gets.length, gets + 1, "keys are renewed every hour");
});

test("R-180 throttle entries that an attacker wrote end within the hour, put no text into errors, and serve no token", async () => {
  const forged: Any[] = [
    { status: 429, error: "x\nFAKE LINE", errorCodes: [] },
    { status: "500\nFAKE LINE", error: "x", errorCodes: [] },
    { status: ["500 FAKE LINE"], error: "x", errorCodes: [] },
    { status: " 500\nFAKE".slice(0, 5), error: "x", errorCodes: [] },
    {
      status: 400,
      error: "x",
      errorCodes: ["FAKE LINE"],
      suberror: "FAKE LINE",
      error_description: "FAKE LINE",
    },
    { status: 400, error: "x", errorCodes: { length: 1, 0: "FAKE LINE" } },
    { status: 400, error: "x", errorCodes: [], untilMs: Infinity },
    { status: 400, error: "x", errorCodes: [], untilMs: "9e99" },
    { status: 200, access_token: "FAKE LINE", error: "x", errorCodes: [] },
    { status: 1e9, error: "constructor", errorCodes: [], claims: { toString: "FAKE LINE" } },
  ];
  for (const entry of forged) {
    const entra = entraDouble();
    const { store, values } = sharedStore(entra);
    const lines: string[] = [];
    const logger = {
      error: (line: string) => void lines.push(line),
      info: (line: string) => void lines.push(line),
    };
    const app = entra.confidential({ httpCache: store, logger });
    await entra.signIn(app);
    await entra.clock.advance(HOUR_MS);
    entra.next(() => Response.json({ error: "slow" }, { status: 400 }));
    await entra.refused(app.acquireTokenSilent(ASK));
    const names = [...values].filter(([key]) => key.includes(".http.")).map(([key]) => key);
    assertEquals(names.length, 1);
    values.set(names[0]!, JSON.stringify({ untilMs: entra.clock.now() + 600_000, ...entry }));
    entra.next(await entra.answer());
    const result = await entra.settle(app.acquireTokenSilent(ASK).catch((error) => error)) as Any;
    assert(isAuthError(result) || result.accessToken === "AT 2", JSON.stringify(entry));
    const told = lines.join("|") + (isAuthError(result) ? result.message + JSON.stringify(result) : "");
    assert(!told.includes("FAKE") && !told.includes("\n"), JSON.stringify(entry) + told);
    if (isAuthError(result)) assertEquals(typeof (result as Any).status, "number", JSON.stringify(entry));
    await entra.clock.advance(3_600_000);
    entra.next(await entra.answer({}, { access_token: "AT 3" }));
    const later = await entra.settle(app.acquireTokenSilent(ASK));
    assert(["AT 2", "AT 3"].includes(later.accessToken));
  }
});

test("R-076 R-077 keys that are for another issuer or cloud do not count", async () => {
  const { jwk } = await signingKey();
  const rows: [object, string][] = [
    [{ issuer: `${HOST}/{tenantid}/v2.0` }, ""],
    [{ issuer: `${HOST}/${TENANT_ID}/v2.0` }, ""],
    [{ issuer: `${HOST}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0` }, "id_token_key_issuer_mismatch"],
    [{ issuer: `${HOST}/{tenantid}/v2.0x` }, "id_token_key_issuer_mismatch"],
    [{ cloud_instance_name: "microsoftonline.us" }, "id_token_key_cloud_mismatch"],
    [{ cloud_instance_name: "microsoftonline.com" }, ""],
    [{ use: "enc" }, "endpoints_resolution_error"],
    [{ alg: "RS512" }, "id_token_key_not_found"],
    [{ d: "AQAB" }, "endpoints_resolution_error"],
    [{ key_ops: ["sign"] }, "endpoints_resolution_error"],
    [{ kid: "__proto__" }, "id_token_key_not_found"],
  ];
  for (const [over, expected] of rows) {
    const entra = entraDouble();
    entra.documents = ({ url }: RecordedRequest): Answer | undefined =>
      url.endsWith("/keys") ? jsonResponse({ keys: [{ ...jwk, ...over }] }) : undefined;
    assertEquals(await outcome(entra, entra.confidential()), expected, JSON.stringify(over));
    if (expected !== "") assertEquals(entra.tokenCache.size, 0);
  }
});
