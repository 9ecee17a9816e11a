/** Tries to break credentials, msal-node-dotnet.md 3.4.2 and 5.5. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { decodeJwt } from "jose";
import type { AuthScheme, ClientCredential } from "../mod.ts";
import { kubernetesAssertion } from "../src/client_assertions/mod.ts";
import { DpopAuthScheme } from "../src/proof_of_possession/mod.ts";
import { readDer } from "../src/credential/der.ts";
import { pfxCredential } from "../src/pfx/mod.ts";
import {
  discovery,
  errorAnswer,
  failure,
  type Fixture,
  fixture,
  OIDC,
  oidcScript,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { contextOf, proofOf, refusal } from "./support/assertions.ts";
import { base64, certificate, keyPem, pem, testKeys } from "./support/certificates.ts";
import { der, integer, NULL, octets, oid, OIDS, sequence } from "./support/der_writer.ts";
import { test } from "./support/suite.ts";

const GENERIC = contextOf("oidc");
const OTHER_SCOPE = { scopes: ["api://other/.default"] };
const stale = errorAnswer(401, "invalid_client", { error_codes: [700024] });
const THUMBPRINT = "A".repeat(64);

const asBase64 = (text: string): string => text.replace(/-----.*-----\n/g, "").replaceAll("\n", "");

/** What else environment variables, JSON files and vaults make of PEM. */
const SHAPES: readonly [string, (text: string) => string][] = [
  ["as base64 in double quotes", (text) => `"${asBase64(text)}"`],
  ["as base64 in single quotes", (text) => `'${asBase64(text)}'\n`],
  ["as base64 of the whole text", btoa],
  [
    "as base64 of the whole text, with line breaks and quotes",
    (text) => `"${btoa(text).replace(/.{76}/g, "$&\r\n")}"`,
  ],
  ["with slashes escaped, as PHP writes JSON", (text) => JSON.stringify(text).replaceAll("/", "\\/")],
  ["as JSON in JSON", (text) => JSON.stringify(JSON.stringify(text))],
  ["with a backslash at each line's end", (text) => text.replaceAll("\n", "\\\n")],
];
for (const [what, change] of SHAPES) {
  test(`R-194 a key and a certificate ${what}: signs`, async () => {
    const keys = await testKeys();
    const { pem: text, base64: leaf } = await certificate(keys);
    const credential = { privateKey: change(keyPem(keys)), publicCertificate: change(text) };
    const { header } = await proofOf(credential, keys.publicJwk);
    assertEquals(header.x5c, [leaf]);
  });
}

test("R-194 what is no key of ours is told what it is and what to do", async () => {
  const keys = await testKeys();
  const pfx = sequence(integer(3), sequence(oid(OIDS.commonName), der(0xa0, octets(new Uint8Array(300)))));
  const pkcs8Of = (name: Uint8Array, inside: Uint8Array) =>
    pem("PRIVATE KEY", sequence(integer(0), name, octets(inside)));
  const CASES: readonly (readonly [unknown, RegExp])[] = [
    [JSON.stringify(keys.jwk), /JSON\.parse/],
    [` ${JSON.stringify(keys.jwk, null, 2)}`, /JSON\.parse/],
    [base64(pfx), /pfxCredential/],
    [new Uint8Array(pfx), /pfxCredential/],
    ["/etc/keys/app.pem", /the file's text, not its name/],
    [pkcs8Of(sequence(oid("1.3.101.112")), octets(new Uint8Array(32))), /must be an RSA or P-256 key/],
    [
      pkcs8Of(sequence(oid("1.2.840.10040.4.1"), sequence(integer(7), integer(7), integer(7))), integer(5)),
      /RSA or P-256/,
    ],
    [
      pkcs8Of(sequence(oid(OIDS.ec), oid(OIDS.p384)), sequence(integer(1), octets(new Uint8Array(48)))),
      /RSA or P-256/,
    ],
    [pem("DSA PRIVATE KEY", sequence(...[0, 7, 7, 7, 7, 5].map(integer))), /RSA or P-256/],
    [pem("PUBLIC KEY", keys.spki), /0 private keys/],
    [{ ...keys.jwk, d: undefined }, /public key: give the private one/],
  ];
  for (const [privateKey, expected] of CASES) {
    const error = await refusal({ privateKey }, GENERIC);
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertMatch(error.message, expected);
  }
  // Its passphrase is no mistake.
  const { message } = await refusal({ privateKey: base64(pfx), passphrase: "hush" }, GENERIC);
  assertMatch(message, /pfxCredential/);
});

/** Bytes that mean harm. */
const HOSTILE: readonly [string, Uint8Array<ArrayBuffer>][] = [
  ["an indefinite length", Uint8Array.of(0x30, 0x80, 2, 1, 0, 0, 0)],
  ["a length of 127 bytes", Uint8Array.of(0x30, 0xff, ...new Uint8Array(127).fill(0xff))],
  ["a length of four bytes", Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff)],
  ["a length that ends the bytes", Uint8Array.of(0x30, 0x82, 1)],
  ["a tag alone", Uint8Array.of(0x30)],
  ["elements without content", der(0x30, new Uint8Array(30_000))],
  [
    "sequences in sequences",
    Array.from({ length: 3_000 }).reduce<Uint8Array<ArrayBuffer>>((inner) => sequence(inner), NULL),
  ],
  ["numbers that hold nothing", sequence(...Array.from({ length: 9 }, () => der(2)))],
  [
    "numbers of thousands of bytes",
    sequence(integer(0), integer(new Uint8Array(30_000).fill(255)), ...[1, 1, 1, 1, 1, 1, 1].map(integer)),
  ],
  ["PKCS#8 of nothing", sequence(integer(0), sequence(oid(OIDS.rsa), NULL), octets(new Uint8Array()))],
];
for (const [what, bytes] of HOSTILE) {
  test(`R-194 DER with ${what} is refused at once, as key and as certificate`, async () => {
    const keys = await testKeys();
    for (const text of [base64(bytes), pem("PRIVATE KEY", bytes)]) {
      assertEquals((await refusal({ privateKey: text }, GENERIC)).code, "invalid_client_credential");
    }
    const publicCertificate = pem("CERTIFICATE", bytes);
    assertEquals(
      (await refusal({ privateKey: keys.jwk, publicCertificate })).code,
      "invalid_client_credential",
    );
  });
}

test("R-194 a megabyte of DER is read without recursion, and text of that size not at all", async () => {
  assertEquals(readDer(new Uint8Array(1 << 20)).length, 1 << 19);
  for (const privateKey of ["A".repeat(1 << 20), "-----BEGIN ".repeat(1 << 16), "-".repeat(48_000)]) {
    assertEquals((await refusal({ privateKey }, GENERIC)).code, "invalid_client_credential");
  }
});

test("R-168 R-186 credentials that cannot be read are refused, and what reading them threw is not repeated", async () => {
  const fail = (): never => {
    throw new Error("hunter2");
  };
  const everything = new Proxy({}, {
    get: (_, name) => name === "then" ? undefined : fail(),
    has: fail,
    ownKeys: fail,
    getPrototypeOf: fail,
    getOwnPropertyDescriptor: fail,
  });
  const getter = {
    get clientSecret(): string {
      return fail();
    },
  };
  const HARM: readonly unknown[] = [
    everything,
    getter,
    { privateKey: everything },
    { privateKey: [everything], thumbprint: everything },
    {
      privateKey: {
        kty: "RSA",
        get n(): string {
          return fail();
        },
      },
    },
    { privateKey: keyPem(await testKeys()), thumbprint: { toString: fail } },
    { privateKey: keyPem(await testKeys()), thumbprint: Symbol("hunter2") },
  ];
  for (const harm of HARM) {
    const error = thrown(() => fixture([], { clientCredential: harm as ClientCredential }));
    const { refused, events, http } = fixture([], { clientCredential: () => harm as string });
    const later = [await refused(), await refused()];
    assertEquals(error.code, "invalid_client_credential");
    for (const one of [error, ...later]) {
      assertMatch(one.code, /^invalid_client_credential|client_credential_failed$/);
      assert(!`${one.message} ${one.stack} ${JSON.stringify(one)}`.includes("hunter2"));
    }
    assertEquals([http.requests.length, JSON.stringify(events).includes("hunter2")], [0, false]);
  }
  const error = await fixture([], { clientCredential: () => Promise.reject(everything) }).refused();
  assertEquals(error.code, "client_credential_failed");
});

/** The assertions of calls one after another, each for another scope. */
async function assertionsOf(
  { acquire, http }: Fixture,
  steps: readonly (() => void)[],
): Promise<(string | null)[]> {
  for (const [at, step] of steps.entries()) {
    step();
    await acquire({ scopes: [`api://${at}/.default`] });
  }
  return http.requests.map(({ form }) => form.get("client_assertion"));
}

test("R-168 a JWK whose numbers were replaced in place is another key", async () => {
  const [old, next] = [await testKeys(), await testKeys("RSA", "next")];
  const privateKey: JsonWebKey = { ...old.jwk };
  const world = fixture(() => tokenAnswer(), {
    clientCredential: () => ({ privateKey, thumbprintSha256: THUMBPRINT }),
  });
  const rotate = (): void => void Object.assign(privateKey, next.jwk);
  const [first, second, third] = await assertionsOf(world, [() => {}, () => {}, rotate]);
  assertEquals(first, second);
  assertNotEquals(second, third);
});

test("R-168 a member that is undefined is not the same as one of another name", async () => {
  const { jwk: privateKey } = await testKeys();
  const GIVEN = [{ thumbprintSha256: THUMBPRINT, keyId: undefined }, {
    thumbprintSha256: THUMBPRINT,
    thumbprint: "B".repeat(40),
  }];
  let at = 0;
  const world = fixture(() => tokenAnswer(), { clientCredential: () => ({ privateKey, ...GIVEN[at] }) });
  const [first, second] = await assertionsOf(world, [() => at = 0, () => at = 1]);
  assertNotEquals(first, second);
});

test("3.4.2 R-168 an assertion that the authority refused is in no later request, with a key that never changes, too", async () => {
  const { jwk: privateKey } = await testKeys();
  const clientCredential = { privateKey, thumbprintSha256: THUMBPRINT };
  const alone = fixture([stale, tokenAnswer()], { clientCredential });
  assertEquals((await alone.refused()).code, "server_error");
  await alone.acquire();
  const [first, second] = alone.http.requests.map(({ form }) => form.get("client_assertion"));
  assertNotEquals(first, second);
  const list = fixture([stale, tokenAnswer(), stale, tokenAnswer()], {
    clientCredential: [clientCredential, "last"],
  });
  await list.acquire();
  await list.acquire(OTHER_SCOPE);
  const sent = list.http.requests.map(({ form }) => form.get("client_assertion"));
  assertEquals([sent.length, new Set(sent).size], [4, 3]);
});

test("R-168 R-194 the mistakes that a function finds come as they are", async () => {
  const keys = await testKeys();
  const pfx = await failure(
    (async () => await pfxCredential({ pfx: Uint8Array.of(0x30, 0) })({} as never))(),
  );
  const CASES: readonly (readonly [ClientCredential, string, string])[] = [
    [pfxCredential({ pfx: Uint8Array.of(0x30, 0) }), "invalid_client_credential", pfx.message],
    [
      () => ({ privateKey: keys.publicJwk }),
      "invalid_client_credential",
      "Cannot use clientCredential: privateKey is a public key",
    ],
    [
      { clientAssertion: kubernetesAssertion({ readToken: () => "" }) },
      "invalid_client_credential",
      "Cannot use clientCredential: the assertion",
    ],
    [
      { clientAssertion: kubernetesAssertion({ readToken: () => Promise.reject(new RangeError("x")) }) },
      "client_credential_failed",
      "Cannot get a token: clientCredential threw ClientAuthError: Cannot get an assertion: its source threw RangeError",
    ],
  ];
  for (const [clientCredential, code, message] of CASES) {
    const error = await fixture([], { clientCredential }).refused();
    assertEquals([error.code, error.message.slice(0, message.length)], [code, message]);
  }
});

test("3.4.2 a list takes a key vault of a class, which is this to its own sign", async () => {
  const { privateKey } = await testKeys();
  class Vault {
    readonly thumbprintSha256 = THUMBPRINT;
    readonly algorithm = "RS256";
    signed = 0;
    async sign(data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
      this.signed++;
      return await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, data);
    }
  }
  const vault = new Vault();
  const { acquire, http } = fixture([stale, tokenAnswer(), tokenAnswer()], {
    clientCredential: ["old", vault],
  });
  await acquire();
  await acquire(OTHER_SCOPE);
  assertEquals(http.requests.map(({ form }) => form.has("client_assertion")), [false, true, true]);
  assertEquals(vault.signed, 1);
});

test("R-168 a function's vault of a class is asked each time: nobody knows what is in it", async () => {
  const { privateKey } = await testKeys();
  class Vault {
    readonly thumbprintSha256 = THUMBPRINT;
    readonly algorithm = "RS256";
    readonly sign = async (data: Uint8Array<ArrayBuffer>) =>
      await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, data);
  }
  const vault = new Vault();
  const GIVEN: readonly unknown[] = [vault, vault, {}];
  let calls = 0;
  const world = fixture(() => tokenAnswer(), { clientCredential: () => GIVEN[calls++] as Vault });
  const [first, second] = await assertionsOf(world, [() => {}, () => {}]);
  assertNotEquals(first, second);
  assertEquals((await world.refused()).code, "invalid_client_credential");
});

test("3.4.2 what a function's key signed is kept while it returns the same key, until the authority refuses it", async () => {
  const { jwk } = await testKeys();
  const clientCredential = () => ({ privateKey: { ...jwk }, thumbprintSha256: THUMBPRINT });
  const world = fixture([tokenAnswer(), tokenAnswer(), stale, tokenAnswer()], { clientCredential });
  const [a, b, c, d] = await assertionsOf(world, [() => {}, () => {}, () => {}]);
  assertEquals([a === b, b === c, c === d], [true, true, false]);
});

/** The ids of the assertions that a generic issuer gets, which answers so. */
async function idsOf(answers: readonly (() => Response)[], authScheme?: AuthScheme): Promise<unknown[]> {
  const { jwk: privateKey } = await testKeys("EC");
  const left = [...answers];
  const script = oidcScript(() => Response.json(discovery()), () => left.shift()!());
  const { acquire, http } = fixture(script, { ...OIDC, clientCredential: { privateKey } });
  await acquire({ scopes: ["read"], authScheme });
  assertEquals(left.length, 0);
  const sent = http.requests.flatMap(({ form }) => form.getAll("client_assertion"));
  return sent.map((assertion) => decodeJwt(assertion).jti);
}

test("R-167 a generic issuer that failed, or whose answer was lost, gets a new jti with the next attempt", async () => {
  const lost = (): never => {
    throw new TypeError("connection reset");
  };
  for (const answers of [[errorAnswer(503, "down"), tokenAnswer()], [lost, tokenAnswer()]]) {
    const ids = await idsOf(answers);
    assertEquals([ids.length, new Set(ids).size], [2, 2]);
  }
});

test("R-167 a generic issuer that wants its nonce in the proof gets a new jti, too: it has seen the first", async () => {
  const nonce = () =>
    Response.json({ error: "use_dpop_nonce" }, { status: 400, headers: { "dpop-nonce": "n1" } });
  const scheme = await DpopAuthScheme.generate();
  const token = tokenAnswer({ token_type: "DPoP" });
  for (const answers of [[nonce, token], [nonce, errorAnswer(503, "down"), token]]) {
    const ids = await idsOf(answers, scheme);
    assertEquals([ids.length, new Set(ids).size], [answers.length, answers.length]);
  }
});
