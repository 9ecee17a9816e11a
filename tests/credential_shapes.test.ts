/** Which shape of a credential is which, and what a client assertion must be: R-168, A60-A64, A89-A92, Z46. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ClientCredential, ConfidentialClientApplication, type CredentialContext } from "../mod.ts";
import { CredentialMember } from "../src/credential/credential_member.ts";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import {
  AUTHORITY,
  CLIENT_ID,
  CORRELATION_ID,
  fixture,
  SCOPE,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const OPTIONS = { clientId: CLIENT_ID, authority: AUTHORITY };
const NOW_S = new FakeClock().now() / 1000;
const KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----";

function part(value: unknown): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
}

/** A JWT that nobody signed. */
function jwt(claims: Record<string, unknown> = {}, signature = "c2ln"): string {
  return [part({ alg: "RS256" }), part(claims), signature].join(".");
}

/** What is refused when the client is made, and what the message names. */
const WRONG: readonly [string, unknown, RegExp][] = [
  ["PEM as a bare string", KEY, /PEM: give \{ privateKey, publicCertificate \}/],
  ["PEM as a secret", { clientSecret: KEY }, /PEM: give \{ privateKey, publicCertificate \}/],
  ["a JWT as a bare string", jwt(), /JWT: give \{ clientAssertion \}/],
  ["a JWT with a line break as a bare string", `${jwt()}\n`, /JWT: give \{ clientAssertion \}/],
  ["a secret and a key", { clientSecret: "s", privateKey: KEY }, /clientSecret and privateKey are two/],
  [
    "a secret and an assertion",
    { clientAssertion: jwt(), clientSecret: "s" },
    /clientSecret and clientAssertion/,
  ],
  ["a key and a signer", { privateKey: KEY, sign: () => new Uint8Array() }, /privateKey and sign are two/],
  [
    "an assertion and a signer",
    { clientAssertion: jwt(), sign: () => new Uint8Array() },
    /clientAssertion and sign/,
  ],
  ["three proofs", { clientAssertion: jwt(), clientSecret: "s", privateKey: KEY }, /two proofs/],
  [
    "a key and a signer",
    { privateKey: KEY, sign: () => new Uint8Array(256) },
    /privateKey and sign are two proofs/,
  ],
  ["a PFX", { pfx: new Uint8Array(4), passphrase: "p" }, /pfxCredential of @msal-edge\/msal\/pfx/],
  ["a PFX and a secret", { pfx: new Uint8Array(4), clientSecret: "s" }, /clientSecret and pfx are two/],
  ["Z46 no member", {}, /give a secret, \{ clientSecret \}, \{ clientAssertion \}/],
  ["Z46 an empty assertion", { clientAssertion: "" }, /clientAssertion is empty: check where it comes from/],
  ["Z46 empty members alone", { clientSecret: "", privateKey: "", sign: undefined }, /clientSecret is empty/],
  ["a certificate without a key", { publicCertificate: KEY, thumbprint: "AB" }, /give a secret/],
  ["a signer that is no function", { sign: "RS256" }, /sign must be a function/],
  ["an assertion that is null", { clientAssertion: null }, /must be a JWT/],
  ["an assertion that is a promise", { clientAssertion: Promise.resolve(jwt()) }, /must be a JWT/],
  ["an assertion of one part", { clientAssertion: "static-jwt" }, /must be a JWT/],
  ["an assertion of two parts", { clientAssertion: "eyJhIjoxfQ.eyJhIjoxfQ" }, /must be a JWT/],
  ["an assertion of five parts, which is encrypted", { clientAssertion: "a.b.c.d.e" }, /must be a JWT/],
  ["an assertion without a signature", { clientAssertion: jwt({}, "") }, /must be a JWT/],
  ["an assertion with a space in it", { clientAssertion: jwt().replace(".", " .") }, /must be a JWT/],
  ["a path as an assertion", { clientAssertion: "/var/run/secrets/token" }, /must be a JWT/],
  ["an assertion above 16 KiB", { clientAssertion: jwt({ x: "x".repeat(16_384) }) }, /16384/],
  ["an assertion behind much white space", { clientAssertion: " ".repeat(20_000) + jwt() }, /16384/],
  ["a list with an empty secret in it", ["secret", ""], /empty/],
  ["a list with a list in it", ["secret", ["secret"]], /give a secret/],
  ["a list with two proofs in one", ["secret", { clientSecret: "s", clientAssertion: jwt() }], /two proofs/],
  ["a list with a hole", ["secret", undefined], /give a secret/],
];
for (const [what, wrong, message] of WRONG) {
  test(`R-168 ${what} is refused when the client is made, with the shape that is right, and not repeated`, () => {
    const error = thrown(() =>
      new ConfidentialClientApplication({ ...OPTIONS, clientCredential: wrong as ClientCredential })
    );
    assertEquals([error.code, "option" in error && error.option], [
      "invalid_client_credential",
      "clientCredential",
    ]);
    assert(message.test(error.message), error.message);
    assert(!/MII|eyJ|secrets\/token/.test(error.message));
  });
}

test("Z46 members that are undefined or empty are as good as absent, as variables that are not set are", async () => {
  const unset = { privateKey: "", publicCertificate: undefined, clientAssertion: "", passphrase: "" };
  const clientCredential = { ...unset, clientSecret: "secret" } as ClientCredential;
  const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
  await acquire();
  assertEquals(http.requests[0]?.form.get("client_secret"), "secret");
});

test("a JWT is a secret where it is called one, as Apple's are", async () => {
  const { acquire, http } = fixture([tokenAnswer()], { clientCredential: { clientSecret: jwt() } });
  await acquire();
  assertEquals(http.requests[0]?.form.get("client_secret"), jwt());
});

const GOOD = jwt({ exp: NOW_S + 1 });
const ASSERTIONS: readonly [string, ClientCredential][] = [
  ["a text", { clientAssertion: GOOD }],
  ["a text with a line break at its end, as files have", { clientAssertion: `${GOOD}\n` }],
  ["a function", { clientAssertion: () => GOOD }],
  ["an async function of a file's text", {
    clientAssertion: async () => await Promise.resolve(`${GOOD}\r\n`),
  }],
  ["a function that returns { clientAssertion }", () => ({ clientAssertion: GOOD })],
  [
    "an async function that returns { clientAssertion: function }",
    async () => await Promise.resolve({ clientAssertion: () => GOOD }),
  ],
  ["a list of one", [{ clientAssertion: GOOD }]],
];
for (const [what, clientCredential] of ASSERTIONS) {
  test(`R-168 A60 A62 { clientAssertion } by ${what}: RFC 7523's form, and no secret`, async () => {
    const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
    await acquire();
    const [{ form, headers }] = http.requests as [typeof http.requests[0]];
    assertEquals(form.get("client_assertion"), GOOD);
    assertEquals(form.get("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assertEquals([form.has("client_secret"), headers.get("authorization")], [false, null]);
  });
}

test("R-168 A60 A89-A91 an assertion's function is called with the context for each request that is sent, never for a hit", async () => {
  const seen: CredentialContext[] = [];
  const clientAssertion = (context: CredentialContext): string => jwt({ n: seen.push(context) });
  const { acquire, http } = fixture(() => tokenAnswer(), { clientCredential: { clientAssertion } });
  await acquire({ correlationId: CORRELATION_ID, fmiPath: "agent_app_123" });
  await acquire({ fmiPath: "agent_app_123" });
  await acquire({ claims: { access_token: { acrs: { essential: true } } } });
  assertEquals(seen.map(({ fmiPath }) => fmiPath), ["agent_app_123", undefined]);
  assertEquals(seen.map((context) => "fmiPath" in context), [true, false]);
  assertEquals(seen.map(({ claims }) => claims), [undefined, '{"access_token":{"acrs":{"essential":true}}}']);
  assertEquals(seen.map((context) => "rejectedBy" in context), [false, false]);
  assertEquals(http.requests.map(({ form }) => form.get("client_assertion")), [jwt({ n: 1 }), jwt({ n: 2 })]);
});

const BAD_RESULTS: readonly [string, unknown, string][] = [
  ["nothing", undefined, "invalid_client_credential"],
  ["a number", 5, "invalid_client_credential"],
  ["an empty text, as an unset variable", "", "invalid_client_credential"],
  ["an object with the token", { accessToken: GOOD }, "invalid_client_credential"],
  ["a sentence", "no token for you", "invalid_client_credential"],
  ["more than 16 KiB", jwt({ x: "x".repeat(16_384) }), "invalid_client_credential"],
  ["one that ended now", jwt({ exp: NOW_S }), "client_credential_failed"],
  ["one that ended long ago", jwt({ exp: 1 }), "client_credential_failed"],
  ["one that ended, after a line break", `\n${jwt({ exp: NOW_S - 1 })}\n`, "client_credential_failed"],
];
for (const [what, result, code] of BAD_RESULTS) {
  test(`R-168 an assertion's function that gives ${what}: ${code}, and nothing is sent`, async () => {
    for (
      const clientCredential of [{ clientAssertion: () => result }, () => ({
        clientAssertion: () => result,
      })]
    ) {
      const { refused, http, clock } = fixture([], {
        clientCredential: clientCredential as ClientCredential,
      });
      const error = await refused();
      assertEquals([error.code, http.requests.length, clock.pending], [code, 0, 0]);
      assert(!error.message.includes("eyJ"));
    }
  });
}

test("R-168 a static assertion that has ended is found at the request, before anything is sent", async () => {
  const clock = new FakeClock();
  const clientCredential = { clientAssertion: GOOD };
  const { app, acquire, refused, http } = fixture([tokenAnswer()], { clientCredential }, clock);
  await acquire();
  await clock.advance(1_000);
  assertEquals((await refused({ scopes: ["api://two/.default"] })).code, "client_credential_failed");
  assertEquals(http.requests.length, 1);
  // A hit needs no credential.
  assertEquals((await app.acquireTokenForClient({ scopes: [SCOPE] })).tokenSource, "cache");
});

test("an assertion whose payload is not to be read, or has no exp, is the authority's to judge", async () => {
  for (const clientAssertion of ["eyJ.bm8.c2ln", jwt(), jwt({ exp: "1" }), jwt({ exp: null })]) {
    const { acquire, http } = fixture([tokenAnswer()], { clientCredential: { clientAssertion } });
    await acquire();
    assertEquals(http.requests[0]?.form.get("client_assertion"), clientAssertion);
  }
});

test("R-186 an assertion that the authority repeats is in no error, event or line", async () => {
  const body = JSON.stringify({
    error: "invalid_client",
    error_description: `AADSTS50012: ${GOOD} is wrong`,
  });
  const refusal = () => new Response(body, { status: 401, headers: { "content-type": "application/json" } });
  const { refused, events, lines } = fixture([refusal], { clientCredential: { clientAssertion: GOOD } });
  const error = await refused();
  const told = `${error.message} ${"errorDescription" in error && error.errorDescription} ${
    JSON.stringify(events)
  } ${lines}`;
  assertStringIncludes(told, "is wrong");
  assert(!told.includes(GOOD.split(".")[1]!));
});

test("R-168 what the library itself threw inside a function is told, what others threw is named alone", async () => {
  const inner = fixture(() => new TypeError("connection refused"));
  const clientCredential = async (): Promise<string> => (await inner.acquire()).accessToken;
  const error = await fixture([], { clientCredential }).refused({ correlationId: CORRELATION_ID });
  assertEquals([error.code, error.correlationId], ["client_credential_failed", CORRELATION_ID]);
  assertStringIncludes(
    error.message,
    "clientCredential threw NetworkError: Cannot get a token: login.microsoftonline.com",
  );
});

test("a function that returns a list, a function or a PFX gave no credential", async () => {
  for (const result of [["secret"], () => "secret", { pfx: new Uint8Array() }, jwt(), KEY]) {
    const { refused, http } = fixture([], { clientCredential: () => result as string });
    assertEquals([(await refused()).code, http.requests.length], ["invalid_client_credential", 0]);
  }
});

/** A member whose function returns these in turn, and how many methods were made of them. */
async function methodsMade(results: readonly unknown[]): Promise<number> {
  let calls = 0;
  let made = 0;
  const applied = { form: {}, headers: {}, secrets: [] };
  const member = new CredentialMember(() => results[calls++], () => {
    made++;
    return { apply: () => Promise.resolve(applied) };
  });
  const context = {
    ...OPTIONS,
    authorityType: "aad",
    tenantId: "t",
    tokenEndpoint: "e",
    correlationId: "c",
  } as const;
  for (const _ of results) assertEquals(await member.apply(context), applied);
  return made;
}

test("what is made of a key is kept for as long as a function returns the same key and certificate", async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  const jwk = { kty: "EC", crv: "P-256", x: "x", y: "y", d: "d", key_ops: ["sign"] };
  const sign = () => new Uint8Array();
  const SAME: readonly (readonly [unknown, unknown])[] = [
    ["secret", "secret"],
    [{ privateKey: KEY, publicCertificate: "A" }, { publicCertificate: "A", privateKey: KEY }],
    [{ privateKey, publicCertificate: "A" }, { privateKey, publicCertificate: "A" }],
    [{ privateKey: jwk }, { privateKey: structuredClone(jwk) }],
    [{ sign, publicCertificate: "A" }, { sign, publicCertificate: "A" }],
  ];
  for (const [one, other] of SAME) assertEquals(await methodsMade([one, other, one, other]), 1);
  const OTHER: readonly (readonly [unknown, unknown])[] = [
    ["secret", "secret2"],
    [{ privateKey: KEY, publicCertificate: "A" }, { privateKey: KEY, publicCertificate: "B" }],
    [{ privateKey: KEY }, { privateKey: KEY, sendX5c: true }],
    [{ privateKey }, { privateKey: publicKey }],
    [{ privateKey: jwk }, { privateKey: { ...jwk, d: "e" } }],
    [{ privateKey: jwk }, { privateKey: { ...jwk, key_ops: ["verify"] } }],
    [{ sign }, { sign: () => new Uint8Array() }],
    [{ clientSecret: "a" }, "a"],
  ];
  // Those of two tenants, say, are kept side by side.
  for (const [one, other] of OTHER) assertEquals(await methodsMade([one, other, one, other]), 2);
});

test("of a function that never returns the same again no more than eight are kept", async () => {
  const secrets = Array.from({ length: 9 }, (_, n) => `secret-${n}`);
  assertEquals(await methodsMade([...secrets, ...secrets.slice(1)]), 9);
  assertEquals(await methodsMade([...secrets, "secret-0"]), 10);
});

test("an object that a function returns is read when it is returned: changing it later makes another credential", async () => {
  const shared: Record<string, unknown> = { clientSecret: "before" };
  const { acquire, http } = fixture(() => tokenAnswer(), {
    clientCredential: () => shared as unknown as string,
  });
  await acquire();
  shared.clientSecret = "after";
  await acquire({ scopes: ["api://two/.default"] });
  assertEquals(http.requests.map(({ form }) => form.get("client_secret")), ["before", "after"]);
});
