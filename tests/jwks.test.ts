/** Signing keys: which count (R-091, R-095..R-098, R-102), how often they are asked for (R-087..R-090), and outages. */
import { assert, assertEquals } from "@std/assert";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import { readKeySet } from "../src/jwt/key_set.ts";
import {
  codeOf,
  CORRELATION,
  encodeJson,
  entra,
  entraFixture,
  type FixtureOptions,
  goodClaims,
  keyPair,
  keySet,
  NONCE,
  signParts,
  signToken,
  tokenFixture,
} from "./support/id_tokens.ts";
import type { Store } from "../mod.ts";
import { settle } from "./support/app_fixture.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const bytes = (length: number, first: number, last: number): string => {
  const value = new Uint8Array(length).fill(0x55);
  value[0] = first;
  value[length - 1] = last;
  return encodeBase64Url(value);
};
const N = bytes(256, 0x80, 0xff);
const RSA = { kty: "RSA", n: N, e: "AQAB", kid: "k" };
const EC = { kty: "EC", crv: "P-256", x: bytes(32, 1, 1), y: bytes(32, 1, 1), kid: "k" };

const KEYS: [string, unknown, boolean][] = [
  ["R-096 2048 bits", RSA, true],
  ["R-096 2047 bits", { ...RSA, n: bytes(256, 0x7f, 0xff) }, false],
  ["R-096 1024 bits", { ...RSA, n: bytes(128, 0x80, 0xff) }, false],
  ["R-096 512 bits", { ...RSA, n: bytes(64, 0x80, 0xff) }, false],
  ["R-096 512 bits behind zeros", { ...RSA, n: encodeBase64Url(new Uint8Array(300).fill(1, 236)) }, false],
  ["R-098 8192 bits", { ...RSA, n: bytes(1024, 0x80, 0xff) }, true],
  ["R-098 8193 bits", { ...RSA, n: bytes(1025, 0x01, 0xff) }, false],
  ["R-098 a modulus of 200 kB", { ...RSA, n: "VVVV".repeat(50_000) }, false],
  ["R-097 exponent 3", { ...RSA, e: "Aw" }, true],
  ["R-097 exponent 1", { ...RSA, e: "AQ" }, false],
  ["R-097 exponent 1 behind zeros", { ...RSA, e: "AAAB" }, false],
  ["R-097 exponent 0", { ...RSA, e: "AA" }, false],
  ["R-097 exponent 65536", { ...RSA, e: "AQAA" }, false],
  ["R-097 exponent of 40 bits", { ...RSA, e: bytes(5, 0x80, 1) }, false],
  ["R-097 no exponent", { ...RSA, e: undefined }, false],
  ["a modulus with padding", { ...RSA, n: `${N}=` }, false],
  ["no modulus", { ...RSA, n: undefined }, false],
  ["a modulus that is no text", { ...RSA, n: [N] }, false],
  ["R-095 use sig", { ...RSA, use: "sig" }, true],
  ["R-095 use enc", { ...RSA, use: "enc" }, false],
  ["R-095 use a list", { ...RSA, use: ["sig"] }, false],
  ["R-095 use null", { ...RSA, use: null }, false],
  ["R-095 key_ops verify", { ...RSA, key_ops: ["verify"] }, true],
  ["R-095 key_ops without verify", { ...RSA, key_ops: ["sign"] }, false],
  ["R-095 key_ops a text", { ...RSA, key_ops: "verify" }, false],
  ...["d", "p", "q", "k", "priv"].map((name): [string, unknown, boolean] => [
    `R-095 a private or symmetric key with ${name}`,
    { ...RSA, [name]: "AQAB" },
    false,
  ]),
  ["R-095 a symmetric key", { kty: "oct", k: "c2VjcmV0", kid: "k" }, false],
  ["R-095 kty of another case", { ...RSA, kty: "rsa" }, false],
  ["R-095 no kty", { ...RSA, kty: undefined }, false],
  ["an elliptic curve", EC, true],
  ["R-095 an elliptic curve of kty OKP", { ...EC, kty: "OKP" }, false],
  ["R-095 no curve", { ...EC, crv: undefined }, false],
  ["Ed25519", { kty: "OKP", crv: "Ed25519", x: bytes(32, 1, 1) }, true],
  ["R-095 Ed25519 of kty EC", { kty: "EC", crv: "Ed25519", x: bytes(32, 1, 1) }, false],
  ["no kid", { ...RSA, kid: undefined }, true],
  ["R-093 kid a number", { ...RSA, kid: 5 }, false],
  ["R-093 kid too long", { ...RSA, kid: "k".repeat(257) }, false],
  ["null", null, false],
  ["a text", "RSA", false],
  ["a list", [RSA], false],
];
for (const [what, key, usable] of KEYS) {
  test(`${what}: a key that ${usable ? "counts" : "does not"}`, () => {
    const sound = { ...RSA, kid: "sound" };
    const fail = (why: string): never => {
      throw new Error(why);
    };
    assertEquals(readKeySet({ keys: [sound, key] }, fail).length, usable ? 2 : 1);
  });
}

test("R-102 of a key only its public numbers are kept for the import", () => {
  const odd = { ...RSA, alg: "RS256", use: "sig", key_ops: ["verify"], ext: false, x5c: ["x"], issuer: "i" };
  const [key] = readKeySet({ keys: [odd] }, () => assert(false) as never);
  assertEquals(key?.jwk, { kty: "RSA", n: N, e: "AQAB" });
  assertEquals([key?.kid, key?.alg, key?.issuer, key?.kind], ["k", "RS256", "i", "RSA"]);
});

/** A tenant whose key set a test can change. */
async function movable(options: FixtureOptions = {}) {
  const state = { document: await keySet("common") as unknown, up: true };
  const respond = (): Answer => () => {
    if (!state.up) throw new TypeError("reset");
    return jsonResponse(state.document);
  };
  const one = tokenFixture(entra("common"), respond, options);
  const issuer = await one.metadata.issuer("common", CORRELATION, undefined);
  const validate = async (
    header: Record<string, unknown> = {},
    name: "main" | "other" = "main",
  ): Promise<string> => {
    const token = await signToken(goodClaims("common", one.clock), header, name);
    const expected = { issuer, tenant: "common", nonce: NONCE };
    return await settle(one.clock, codeOf(one.validator.validate(token, expected, CORRELATION, undefined)));
  };
  return { ...one, state, issuer, validate };
}
const jwkOf = async (name: "main" | "other", kid: string) => ({ ...(await keyPair(name)).jwk, kid });

test("R-087 a thousand cold validations at once: one download", async () => {
  const one = await movable();
  const token = await signToken(goodClaims("common", one.clock));
  const expected = { issuer: one.issuer, tenant: "common", nonce: NONCE };
  const all = Array.from(
    { length: 1_000 },
    () => codeOf(one.validator.validate(token, expected, CORRELATION, undefined)),
  );
  assertEquals([...new Set(await settle(one.clock, Promise.all(all)))], ["accepted"]);
  assertEquals(one.requests.length, 1);
});

test("R-088 fifty random kids: one extra download, and the keys that there were go on", async () => {
  const one = await movable();
  for (let n = 0; n < 50; n++) {
    assertEquals(await one.validate({ kid: `random-${n}` }), "id_token_key_not_found");
  }
  assertEquals(one.requests.length, 2);
  assertEquals(await one.validate(), "accepted");
  await one.clock.advance(5 * MINUTE - 1);
  await one.validate({ kid: "x" });
  assertEquals(one.requests.length, 2);
  await one.clock.advance(1);
  await one.validate({ kid: "x" });
  await one.validate({ kid: "y" });
  assertEquals(one.requests.length, 3);
});

test("R-090 an older key set in the store does not take the place of the one in memory", async () => {
  const held = new Map<string, string>();
  let writable = true;
  const store: Store = {
    cas: false,
    get: (key) => Promise.resolve(held.has(key) ? { value: held.get(key)! } : undefined),
    set: (key, value) => Promise.resolve({ ok: writable && held.set(key, value).size > 0 }),
    delete: () => Promise.resolve(),
  };
  const one = await movable({ store });
  await one.validate();
  writable = false;
  await one.clock.advance(MINUTE);
  one.state.document = { keys: [await jwkOf("other", "new")] };
  assertEquals(await one.validate({ kid: "new" }, "other"), "accepted");
  one.state.up = false;
  await one.clock.advance(2 * HOUR);
  assertEquals(await one.validate({ kid: "new" }, "other"), "accepted");
  assertEquals(one.events.filter(({ type }) => type === "metadata_stale").length, 1);
});

test("R-089 keys rotated between two tokens: the second is accepted after one download, for all who come at once", async () => {
  const one = await movable();
  assertEquals(await one.validate(), "accepted");
  one.state.document = { keys: [await jwkOf("other", "new")] };
  const token = await signToken(goodClaims("common", one.clock), { kid: "new" }, "other");
  const expected = { issuer: one.issuer, tenant: "common", nonce: NONCE };
  const all = Array.from(
    { length: 50 },
    () => codeOf(one.validator.validate(token, expected, CORRELATION, undefined)),
  );
  assertEquals([...new Set(await settle(one.clock, Promise.all(all)))], ["accepted"]);
  assertEquals(one.requests.length, 2);
  assertEquals(await one.validate(), "id_token_key_not_found");
});

test("R-088 a renewal that fails is an outage, and is tried again a minute later", async () => {
  const one = await movable();
  await one.validate();
  one.state.up = false;
  assertEquals(await one.validate({ kid: "new" }, "other"), "network_error");
  one.state.up = true;
  one.state.document = { keys: [await jwkOf("other", "new"), await jwkOf("main", "main")] };
  assertEquals(await one.validate({ kid: "new" }, "other"), "id_token_key_not_found");
  await one.clock.advance(MINUTE);
  assertEquals(await one.validate({ kid: "new" }, "other"), "accepted");
});

test("R-090 after an hour the keys are asked for again; one that is gone counts no more", async () => {
  const one = await movable();
  await one.validate();
  one.state.document = { keys: [await jwkOf("other", "new")] };
  await one.clock.advance(HOUR - 1);
  assertEquals([await one.validate(), one.requests.length], ["accepted", 1]);
  await one.clock.advance(1);
  assertEquals(await one.validate(), "id_token_key_not_found");
  assertEquals(await one.validate({ kid: "new" }, "other"), "accepted");
});

test("R-090 while renewing fails the last keys serve for a day, an event says so, and then it is an outage", async () => {
  const one = await movable();
  await one.validate();
  one.state.up = false;
  await one.clock.advance(HOUR);
  assertEquals([await one.validate(), await one.validate()], ["accepted", "accepted"]);
  const stale = () =>
    one.events.flatMap((event) => event.type === "metadata_stale" ? [event.error.code] : []);
  // Two attempts, and no more within a minute.
  assertEquals([stale(), one.requests.length], [["network_error"], 3]);
  await one.clock.advance(22 * HOUR);
  assertEquals([await one.validate(), stale().length], ["accepted", 2]);
  await one.clock.advance(HOUR);
  assertEquals(await one.validate(), "network_error");
});

test("R-090 with waitUntil a renewal keeps nobody waiting", async () => {
  const one = await movable();
  const token = await signToken(goodClaims("common", one.clock));
  const expected = { issuer: one.issuer, tenant: "common", nonce: NONCE };
  const kept: Promise<unknown>[] = [];
  const validate = () =>
    codeOf(one.validator.validate(token, expected, CORRELATION, (promise) => void kept.push(promise)));
  await validate();
  one.state.document = { keys: [await jwkOf("other", "new")] };
  await one.clock.advance(HOUR - 30_000);
  await one.clock.advance(30_000);
  assertEquals(await validate(), "accepted");
  await settle(one.clock, Promise.all(kept));
  assertEquals([one.requests.length, kept.length], [2, 2]);
  assertEquals(await validate(), "id_token_key_not_found");
});

const BAD: [string, unknown][] = [
  ["no keys", {}],
  ["keys null", { keys: null }],
  ["keys an object", { keys: { 0: RSA } }],
  ["an empty list", { keys: [] }],
  ["no usable key", { keys: [{ ...RSA, use: "enc" }, null, 5] }],
  ["R-098 101 keys", { keys: Array.from({ length: 101 }, () => RSA) }],
];
for (const [what, document] of BAD) {
  test(`a key set with ${what} is refused, and does not replace a good one`, async () => {
    const one = await movable();
    const good = one.state.document;
    one.state.document = document;
    assertEquals(await one.validate(), "endpoints_resolution_error");
    one.state.document = good;
    assertEquals(await one.validate(), "accepted");
    one.state.document = document;
    await one.clock.advance(HOUR);
    assertEquals(await one.validate(), "accepted");
    assertEquals(one.events.filter(({ type }) => type === "metadata_stale").length, 1);
  });
}

const ANSWERS: [string, () => Answer, string, number][] = [
  ["404", () => jsonResponse({ keys: [RSA] }, 404), "endpoints_resolution_error", 1],
  ["203", () => jsonResponse({ keys: [RSA] }, 203), "endpoints_resolution_error", 1],
  ["500 twice", () => jsonResponse({}, 500), "endpoints_resolution_error", 2],
  [
    "HTML",
    () => new Response("<p>", { headers: { "content-type": "text/html" } }),
    "endpoints_resolution_error",
    1,
  ],
  ["a list", () => jsonResponse([]), "endpoints_resolution_error", 1],
  [
    "a redirect",
    () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
    "redirect_refused",
    1,
  ],
  ["300 kB", () => jsonResponse({ keys: ["x".repeat(300_000)] }), "response_too_large", 1],
  ["a reset", () => new TypeError("reset"), "network_error", 2],
];
for (const [what, respond, code, requests] of ANSWERS) {
  test(`decision 7: a key set that answers ${what} is an outage`, async () => {
    const one = tokenFixture(entra("common"), respond);
    const issuer = await one.metadata.issuer("common", CORRELATION, undefined);
    assertEquals(
      await settle(one.clock, codeOf(one.validator.prepare(issuer, CORRELATION, undefined))),
      code,
    );
    assertEquals([one.requests.length, one.clock.pending], [requests, 0]);
  });
}

test("R-091 a token without kid: one suitable key is taken, of several none", async () => {
  const one = await movable();
  const validate = async (): Promise<string> => {
    const token = await signParts(encodeJson({ alg: "RS256" }), encodeJson(goodClaims("common", one.clock)));
    const expected = { issuer: one.issuer, tenant: "common", nonce: NONCE };
    return await codeOf(one.validator.validate(token, expected, CORRELATION, undefined));
  };
  const { kid: _, ...anonymous } = await jwkOf("main", "");
  one.state.document = { keys: [anonymous, (await keyPair("ec")).jwk, { kty: "oct", k: "AA" }] };
  assertEquals(await validate(), "accepted");
  one.state.document = { keys: [anonymous, await jwkOf("other", "x")] };
  await one.clock.advance(HOUR);
  assertEquals(await validate(), "id_token_key_ambiguous");
});

test("R-091 a kid that an RSA key and a curve share names neither", async () => {
  const one = await movable();
  one.state.document = { keys: [await jwkOf("main", "main"), { ...(await keyPair("ec")).jwk, kid: "main" }] };
  assertEquals(await one.validate(), "id_token_key_ambiguous");
});

test("R-102 a key is imported once for many tokens", async () => {
  const { subtle } = crypto;
  const { importKey } = subtle;
  let imports = 0;
  const one = await movable();
  // deno-lint-ignore no-explicit-any -- the overloads do not matter
  subtle.importKey = function (this: unknown, format: string, ...rest: any[]) {
    if (format === "jwk") imports++;
    // deno-lint-ignore no-explicit-any -- likewise
    return (importKey as any).call(subtle, format, ...rest);
  } as never;
  try {
    for (let n = 0; n < 5; n++) assertEquals(await one.validate(), "accepted");
    assertEquals(imports, 1);
  } finally {
    subtle.importKey = importKey;
  }
});

test("R-187 a thousand key sets are kept, not more: what is used stays", async () => {
  const document = await keySet("common");
  const one = tokenFixture(entra("common"), () => jsonResponse(document));
  const ask = (n: number) =>
    one.jwks.keys(`https://login.microsoftonline.com/${n}/keys`, CORRELATION, undefined);
  const [used, idle] = [await ask(0), await ask(1)];
  for (let n = 2; n <= 1_500; n++) {
    await ask(n);
    if (n % 100 === 0) assert(await ask(0) === used);
  }
  assertEquals(one.requests.length, 1_501);
  assert(await ask(1) !== idle);
});

test("R-076 keys with the issuer of their own tenant count", async () => {
  for (const shape of ["tenant", "consumers", "organizations"] as const) {
    const one = await entraFixture(shape);
    const token = await signToken(one.claims);
    assertEquals(
      await codeOf(one.validator.validate(token, one.expected, CORRELATION, undefined)),
      "accepted",
    );
  }
});
