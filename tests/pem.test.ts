/** Private keys in every shape that people have them in, msal-node-dotnet.md 5.5. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertionOf, contextOf, methodOf, proofOf, refusal } from "./support/assertions.ts";
import {
  base64,
  certificate,
  encryptedKeyInfo,
  encryptedPkcs8,
  type EncryptionOptions,
  keyPem,
  pem,
  pkcs1,
  pkcs8,
  sec1,
  type TestKeys,
  testKeys,
  traditionalPem,
} from "./support/certificates.ts";
import { der, integer, NULL, octets, oid, OIDS, sequence } from "./support/der_writer.ts";
import { test } from "./support/suite.ts";

const GENERIC = contextOf("oidc");
const BAGS =
  "Bag Attributes\n    localKeyID: 01 02\n    friendlyName: mine\nKey Attributes: <No Attributes>\n";

/** What people do to PEM. */
const CHANGES: readonly [string, (text: string) => string][] = [
  ["as openssl writes it", (text) => text],
  ["with CRLF", (text) => text.replaceAll("\n", "\r\n")],
  ["with CR alone", (text) => text.replaceAll("\n", "\r")],
  ["on one line with \\n spelt out", (text) => text.replaceAll("\n", "\\n")],
  ["on one line with \\r\\n spelt out", (text) => text.replaceAll("\n", "\\r\\n")],
  ["on one line with \\\\n spelt out twice", (text) => text.replaceAll("\n", "\\\\n")],
  ["in quotes, with \\n spelt out", (text) => `"${text.replaceAll("\n", "\\n")}"`],
  ["with spaces for line breaks", (text) => text.replaceAll("\n", " ")],
  ["without any line break", (text) => text.replaceAll("\n", "")],
  ["indented", (text) => text.replace(/^/gm, "    ")],
  ["with a byte order mark", (text) => `\ufeff${text}`],
  ["with blank lines", (text) => text.replaceAll("\n", "\n\n")],
  ["without a line break at its end", (text) => text.trim()],
  ["with bag attributes before it", (text) => BAGS + text],
  ["with text behind it", (text) => `${text}\n# the key of the daemon -- renew it in May\n`],
  ["as base64 alone", (text) => text.replace(/-----.*-----\n/g, "")],
  ["as base64 on one line", (text) => text.replace(/-----.*-----\n/g, "").replaceAll("\n", "")],
];
const SHAPES: readonly [string, (keys: TestKeys) => string][] = [
  ["PKCS#8", keyPem],
  ["PKCS#1 or SEC 1", traditionalPem],
];
for (const kind of ["RSA", "EC"] as const) {
  for (const [shape, write] of SHAPES) {
    for (const [what, change] of CHANGES) {
      test(`R-194 ${kind} as ${shape} ${what}: signs`, async () => {
        const keys = await testKeys(kind);
        const { header } = await proofOf({ privateKey: change(write(keys)) }, keys.publicJwk, GENERIC);
        assertEquals(header, { alg: kind === "RSA" ? "PS256" : "ES256", typ: "JWT" });
      });
    }
  }
}

test("R-194 a curve's parameters before the key, as openssl ecparam writes them: signs", async () => {
  const keys = await testKeys("EC");
  const privateKey = pem("EC PARAMETERS", oid(OIDS.p256)) + traditionalPem(keys);
  await proofOf({ privateKey }, keys.publicJwk, GENERIC);
});

test("5.5 key and certificates in one text, in any order: the certificate is found, and its thumbprint sent", async () => {
  const keys = await testKeys();
  const own = await certificate(keys);
  const authority = await testKeys("EC", "authority");
  const above = await certificate(authority);
  for (const change of [(text: string) => text, (text: string) => text.replaceAll("\n", "\\n")]) {
    for (const parts of [[keyPem(keys), own.pem, above.pem], [own.pem, keyPem(keys), BAGS, above.pem]]) {
      const { header } = await proofOf({ privateKey: change(parts.join("")) }, keys.publicJwk);
      assertEquals(header.x5c, [own.base64, above.base64]);
      assertEquals([header.alg, typeof header["x5t#S256"]], ["PS256", "string"]);
    }
  }
});

test("5.5 a certificate's text may hold the key, too", async () => {
  const keys = await testKeys();
  const own = await certificate(keys);
  const publicCertificate = keyPem(keys) + own.pem;
  const { header } = await proofOf({ privateKey: keys.jwk, publicCertificate }, keys.publicJwk);
  assertEquals(header.x5c, [own.base64]);
});

const ENCRYPTIONS: readonly EncryptionOptions[] = [
  {},
  { prf: "SHA-1", keyBits: 128 },
  { prf: "SHA-1", keyBits: 256, iterations: 1 },
  { prf: "SHA-256", keyBits: 128, iterations: 100_000 },
  { prf: "SHA-384", keyBits: 256 },
  { prf: "SHA-512", keyBits: 256, iterations: 600 },
];
for (const encryption of ENCRYPTIONS) {
  const { prf = "SHA-256", keyBits = 256, iterations = 2048 } = encryption;
  for (const kind of ["RSA", "EC"] as const) {
    test(`R-194 ${kind} encrypted by PBKDF2 with ${prf} (${iterations}) and AES-${keyBits}-CBC: signs`, async () => {
      const keys = await testKeys(kind);
      const encrypted = await encryptedPkcs8(keys.pkcs8, "pässword \u{1f511}", encryption);
      const passphrase = "pässword \u{1f511}";
      for (const privateKey of [pem("ENCRYPTED PRIVATE KEY", encrypted), base64(encrypted)]) {
        await proofOf({ privateKey, passphrase }, keys.publicJwk, GENERIC);
      }
    });
  }
}

test("R-194 AES-192: signs, or names the command where the runtime has none", async () => {
  const keys = await testKeys();
  let encrypted: Uint8Array;
  try {
    encrypted = await encryptedPkcs8(keys.pkcs8, "secret", { keyBits: 192 });
  } catch {
    return;
  }
  await proofOf({ privateKey: base64(encrypted), passphrase: "secret" }, keys.publicJwk, GENERIC);
});

const COMMAND = "openssl pkcs8 -topk8 -v2 aes-256-cbc";

/** An encryption that is not for us, each part of it as it is given. */
function pbes2(kdf: Uint8Array, cipher: Uint8Array): Uint8Array<ArrayBuffer> {
  return encryptedKeyInfo(sequence(oid(OIDS.pbes2), sequence(kdf, cipher)), new Uint8Array(64));
}

function pbkdf2(iterations: number, prf: string = OIDS["SHA-256"]): Uint8Array<ArrayBuffer> {
  const parameters = sequence(octets(new Uint8Array(8)), integer(iterations), sequence(oid(prf), NULL));
  return sequence(oid(OIDS.pbkdf2), parameters);
}

const AES = sequence(oid(OIDS.aes256), octets(new Uint8Array(16)));
const UNREADABLE: readonly [string, Uint8Array][] = [
  ["scrypt", pbes2(sequence(oid(OIDS.scrypt), sequence(octets(new Uint8Array(8)), integer(16384))), AES)],
  ["3DES", pbes2(pbkdf2(2048), sequence(oid(OIDS.tripleDes), octets(new Uint8Array(8))))],
  ["HMAC with SHA-224", pbes2(pbkdf2(2048, OIDS["SHA-224"]), AES)],
  [
    "PBES1",
    encryptedKeyInfo(sequence(oid(OIDS.pbeSha1TripleDes), sequence(octets(new Uint8Array(8)))), NULL),
  ],
  ["more iterations than are bearable", pbes2(pbkdf2(10_000_001), AES)],
  ["no iteration", pbes2(pbkdf2(0), AES)],
  ["nothing that is known", encryptedKeyInfo(sequence(), new Uint8Array(16))],
  ["a salt that is elsewhere", pbes2(sequence(oid(OIDS.pbkdf2), sequence(sequence(), integer(1))), AES)],
];
for (const [what, encrypted] of UNREADABLE) {
  test(`R-194 a key encrypted by ${what}: refused at once, and the command named`, async () => {
    const privateKey = pem("ENCRYPTED PRIVATE KEY", encrypted);
    const error = await refusal({ privateKey, passphrase: "secret-canary" }, GENERIC);
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertStringIncludes(error.message, COMMAND);
    assert(!error.message.includes("canary"));
  });
}

test("R-194 a key encrypted in openssl's old way: refused at once, and the command named", async () => {
  const keys = await testKeys();
  const head = "-----BEGIN RSA PRIVATE KEY-----\n";
  const info = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0123456789ABCDEF0123456789ABCDEF\n\n";
  const privateKey = traditionalPem(keys).replace(head, head + info);
  for (const text of [privateKey, privateKey.replaceAll("\n", "\r\n"), privateKey.replaceAll("\n", "\\n")]) {
    const error = await refusal({ privateKey: text, passphrase: "secret" }, GENERIC);
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertStringIncludes(error.message, COMMAND);
  }
});

test("R-194 a wrong passphrase is said so, each time, and neither it nor the key is repeated", async () => {
  const keys = await testKeys("EC");
  const privateKey = pem(
    "ENCRYPTED PRIVATE KEY",
    await encryptedPkcs8(keys.pkcs8, "right", { iterations: 1 }),
  );
  for (let count = 0; count < 300; count++) {
    const error = await refusal({ privateKey, passphrase: `wrong-canary-${count}` }, GENERIC);
    assertEquals([error.code, error.when], ["invalid_client_credential", "asked"]);
    assert(error.message.endsWith("passphrase is wrong for privateKey"), error.message);
  }
});

test("R-194 a method with a wrong passphrase stays usable, and goes on to say so", async () => {
  const keys = await testKeys("EC");
  const privateKey = pem("ENCRYPTED PRIVATE KEY", await encryptedPkcs8(keys.pkcs8, "right"));
  const method = methodOf({ privateKey, passphrase: "wrong" });
  const said = await Promise.all([1, 2, 3].map(() => method.apply(GENERIC).catch(({ code }) => code)));
  assertEquals(
    [...said, await method.apply(GENERIC).catch(({ code }) => code)],
    Array(4).fill(
      "invalid_client_credential",
    ),
  );
});

for (const passphrase of [undefined, ""]) {
  test(`R-194 an encrypted key with the passphrase ${JSON.stringify(passphrase)}: refused at once`, async () => {
    const keys = await testKeys("EC");
    const privateKey = pem("ENCRYPTED PRIVATE KEY", await encryptedPkcs8(keys.pkcs8, "right"));
    const error = await refusal({ privateKey, passphrase }, GENERIC);
    assertEquals(error.when, "made");
    assertStringIncludes(error.message, "passphrase is missing");
  });
}

test("R-194 a passphrase for a key that has none: refused at once, whatever the key is; an empty one is absent", async () => {
  const keys = await testKeys();
  for (const privateKey of [keyPem(keys), traditionalPem(keys), keys.jwk, keys.privateKey]) {
    const error = await refusal({ privateKey, passphrase: "secret-canary" }, GENERIC);
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertStringIncludes(error.message, "not encrypted");
    assert(!error.message.includes("canary"));
    await assertionOf(methodOf({ privateKey, passphrase: "" }), GENERIC);
  }
});

/** A modulus of so many bits, which no runtime has to look at. */
function modulus(bits: number): string {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0x5b);
  bytes[0] = 1 << (bits - 1) % 8;
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const WEAK: readonly [string, JsonWebKey][] = [
  ["R-096 of 512 bits", { n: modulus(512) }],
  ["R-096 of 1024 bits", { n: modulus(1024) }],
  ["R-096 of 2047 bits", { n: modulus(2047) }],
  ["R-098 of 8193 bits", { n: modulus(8193) }],
  ["R-098 of 16384 bits", { n: modulus(16_384) }],
  ["R-097 with the exponent 1", { e: "AQ" }],
  ["R-097 with the exponent 2", { e: "Ag" }],
  ["R-097 with an even exponent", { e: "AQAC" }],
  ["R-097 with an exponent of 33 bits", { e: "AQAAAAE" }],
];
for (const [what, members] of WEAK) {
  test(`${what}: refused at once, in every shape`, async () => {
    const keys = await testKeys();
    const jwk = { ...keys.jwk, ...members };
    for (
      const privateKey of [
        jwk,
        pem("RSA PRIVATE KEY", pkcs1(jwk)),
        pem("PRIVATE KEY", pkcs8("RSA", pkcs1(jwk))),
      ]
    ) {
      const error = await refusal({ privateKey }, GENERIC);
      assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
      assertStringIncludes(error.message, "2048 to 8192 bits");
    }
  });
}

test("R-096 R-098 keys of 2048 and of 8192 bits are not refused for their size", async () => {
  const { jwk } = await testKeys();
  for (const bits of [2048, 8192]) methodOf({ privateKey: { ...jwk, n: modulus(bits) } });
});

const P384 = { crv: "P-384" };
const NOT_KEYS: readonly [string, (keys: TestKeys, ec: TestKeys) => unknown, string][] = [
  ["an empty text", () => "", "no PEM"],
  ["white space", () => " \n\t", "no PEM"],
  ["a file's name", () => "./certs/key.pem", "not its name"],
  ["any text", () => "correct horse battery staple", "no PEM"],
  ["a key without its BEGIN line", (keys) => keyPem(keys).replace(/^.*\n/, ""), "lacks a BEGIN or END line"],
  [
    "a key without its END line",
    (keys) => keyPem(keys).replace(/-----END.*/, ""),
    "lacks a BEGIN or END line",
  ],
  [
    "lines that do not agree",
    (keys) => keyPem(keys).replace("END PRIVATE", "END RSA PRIVATE"),
    "lacks a BEGIN",
  ],
  ["a key that is cut off", (keys) => keyPem(keys).replace(/(?:.*\n){3}(-----END)/, "$1"), "cut off"],
  ["a key with a line twice", (keys) => keyPem(keys).replace(/\n(.*\n)/, "\n$1$1"), "cut off"],
  ["a key with a foreign character", (keys) => keyPem(keys).replace("MII", "MI!"), "no PEM"],
  ["base64 that is cut off", (keys) => base64(keys.pkcs8).slice(0, 800), "cut off"],
  ["base64 with something behind it", (keys) => base64(Uint8Array.of(...keys.pkcs8, 0)), "cut off"],
  ["a certificate", async (keys) => (await certificate(keys)).pem, "0 private keys"],
  ["a public key", (keys) => pem("PUBLIC KEY", keys.spki), "0 private keys"],
  ["a public key as base64", (keys) => base64(keys.spki), "RSA or P-256"],
  ["two keys", (keys, ec) => keyPem(keys) + keyPem(ec), "2 private keys"],
  ["a key for SSH", () => pem("OPENSSH PRIVATE KEY", sequence()), "ssh-keygen -p -m PKCS8"],
  [
    "a key of another curve",
    (_, ec) => pem("PRIVATE KEY", pkcs8("EC", sec1(ec.jwk), OIDS.p384)),
    "RSA or P-256",
  ],
  [
    "a key of Ed25519",
    () => pem("PRIVATE KEY", sequence(integer(0), sequence(oid("1.3.101.112")), octets(NULL))),
    "RSA",
  ],
  ["an empty sequence", () => pem("PRIVATE KEY", sequence()), "RSA or P-256"],
  ["a key of several primes", (keys) => {
    const key = keys.traditional.slice();
    // The version, behind tag and length of the sequence.
    key[6] = 1;
    return pem("RSA PRIVATE KEY", key);
  }, "RSA or P-256"],
  ["a P-256 key without its public part", (_, { jwk: { d = "" } }) => {
    const secret = Uint8Array.from(
      atob(d.replaceAll("-", "+").replaceAll("_", "/")),
      (one) => one.charCodeAt(0),
    );
    return pem("EC PRIVATE KEY", sequence(integer(1), octets(secret), der(0xa0, oid(OIDS.p256))));
  }, "openssl ec -in key.pem"],
  ["an endless bundle", () => pem("CERTIFICATE", sequence()).repeat(2_000), "too long"],
  ["a number", () => 5, "PEM text, a JWK or a CryptoKey"],
  ["null", () => null, "PEM text, a JWK or a CryptoKey"],
  ["an empty object", () => ({}), "PEM text, a JWK or a CryptoKey"],
  ["bytes", () => new TextEncoder().encode("key"), "PEM text, a JWK or a CryptoKey"],
  ["a list", () => [{}], "PEM text, a JWK or a CryptoKey"],
  [
    "a key pair",
    ({ privateKey, publicKey }) => ({ privateKey, publicKey }),
    "PEM text, a JWK or a CryptoKey",
  ],
  ["a JWK as JSON", ({ jwk }) => JSON.stringify(jwk), "JSON.parse"],
  ["R-095 a public JWK", ({ publicJwk }) => publicJwk, "give the private one"],
  ["R-095 a public JWK of P-256", (_, { publicJwk }) => publicJwk, "give the private one"],
  ["R-095 a symmetric JWK", () => ({ kty: "oct", k: "AAAA" }), "RSA key"],
  ["R-095 a JWK of Ed25519", () => ({ kty: "OKP", crv: "Ed25519", d: "AAAA", x: "AAAA" }), "RSA key"],
  ["R-095 a JWK of P-384", (_, { jwk }) => ({ ...jwk, ...P384 }), "RSA key"],
  ["R-095 a JWK for encryption", ({ jwk }) => ({ ...jwk, use: "enc" }), "for something else"],
  ["R-095 a JWK that may only verify", ({ jwk }) => ({ ...jwk, key_ops: ["verify"] }), "for something else"],
  ["R-095 a JWK with odd key_ops", ({ jwk }) => ({ ...jwk, key_ops: "sign" }), "for something else"],
  ["R-095 a JWK for RSA-OAEP", ({ jwk }) => ({ ...jwk, alg: "RSA-OAEP-256" }), "for something else"],
  ["R-095 a JWK for RS512", ({ jwk }) => ({ ...jwk, alg: "RS512" }), "for something else"],
  ["R-095 an RSA JWK for ES256", ({ jwk }) => ({ ...jwk, alg: "ES256" }), "for something else"],
  ["R-095 an EC JWK for PS256", (_, { jwk }) => ({ ...jwk, alg: "PS256" }), "for something else"],
  ["a JWK without primes", ({ jwk: { kty, n, e, d } }) => ({ kty, n, e, d }), "lacks"],
  ["a JWK with a number that is none", ({ jwk }) => ({ ...jwk, p: 5 }), "lacks"],
  ["a JWK whose modulus is loose base64url", ({ jwk }) => ({ ...jwk, n: `${jwk.n}=` }), "2048 to 8192 bits"],
  ["a JWK of EC without y", (_, { jwk: { kty, crv, x, d } }) => ({ kty, crv, x, d }), "lacks"],
];
for (const [what, make, why] of NOT_KEYS) {
  test(`R-194 ${what} is no private key: refused at once, and says what is wrong`, async () => {
    const keys = await testKeys();
    const error = await refusal({ privateKey: await make(keys, await testKeys("EC")) }, GENERIC);
    assertEquals([error.name, error.code, error.when], [
      "ClientConfigurationError",
      "invalid_client_credential",
      "made",
    ]);
    assertStringIncludes(error.message, why);
    const secret = keyPem(keys).split("\n")[3]!;
    assert(!error.message.includes(secret) && !error.message.includes(keys.jwk.d!));
  });
}

test("R-194 numbers that are no key: the runtime's refusal is a typed error, each time", async () => {
  const { jwk } = await testKeys("EC");
  const method = methodOf({ privateKey: { ...jwk, d: "AAAA" } });
  for (let count = 0; count < 2; count++) {
    const error = await method.apply(GENERIC).catch((thrown) => thrown);
    assertEquals(error.code, "invalid_client_credential");
    assertStringIncludes(error.message, "this runtime refuses privateKey: ");
  }
});

const CRYPTO_KEYS: readonly [string, RsaHashedImportParams | EcKeyImportParams, string][] = [
  ["RSA-PSS", { name: "RSA-PSS", hash: "SHA-256" }, "PS256"],
  ["RSASSA-PKCS1-v1_5", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, "RS256"],
  ["ECDSA", { name: "ECDSA", namedCurve: "P-256" }, "ES256"],
];
for (const [what, algorithm, alg] of CRYPTO_KEYS) {
  test(`a CryptoKey for ${what} that nobody can export signs by ${alg}`, async () => {
    const { jwk, publicJwk } = await testKeys(alg === "ES256" ? "EC" : "RSA");
    const privateKey = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
    assertEquals((await proofOf({ privateKey }, publicJwk, GENERIC)).header.alg, alg);
  });
}

test("a CryptoKey that is public, for another hash or for something else is refused at once", async () => {
  const { jwk, publicKey } = await testKeys();
  const imported = (algorithm: RsaHashedImportParams, usage: KeyUsage) =>
    crypto.subtle.importKey("jwk", jwk, algorithm, false, [usage]);
  const hmac = await crypto.subtle.importKey(
    "raw",
    new Uint8Array(32),
    { name: "HMAC", hash: "SHA-256" },
    false,
    [
      "sign",
    ],
  );
  const wrong: [CryptoKey, string][] = [
    [publicKey, "a private CryptoKey"],
    [await imported({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, "sign"), "RSA-PSS SHA-256"],
    [await imported({ name: "RSA-PSS", hash: "SHA-1" }, "sign"), "RSA-PSS SHA-256"],
    [await imported({ name: "RSA-OAEP", hash: "SHA-256" }, "decrypt"), "usage sign"],
    [hmac, "a private CryptoKey"],
  ];
  for (const [privateKey, why] of wrong) {
    const error = await refusal({ privateKey }, GENERIC);
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertStringIncludes(error.message, why);
  }
});

test("R-096 R-097 a CryptoKey is looked at as hard as other keys", async () => {
  const key = (modulusLength: number, ...publicExponent: number[]): unknown => ({
    type: "private",
    usages: ["sign"],
    algorithm: {
      name: "RSA-PSS",
      hash: { name: "SHA-256" },
      modulusLength,
      publicExponent: Uint8Array.from(publicExponent),
    },
  });
  for (
    const privateKey of [
      key(1024, 1, 0, 1),
      key(2048, 1),
      key(2048, 2),
      key(16_384, 3),
      key(2048, 0, 0),
      key(2048),
    ]
  ) {
    assertStringIncludes((await refusal({ privateKey }, GENERIC)).message, "2048 to 8192 bits");
  }
  // What only looks like a key is found by the runtime.
  const error = await refusal({ privateKey: key(2048, 0, 1, 0, 1) }, GENERIC);
  assertEquals([error.code, error.when], ["invalid_client_credential", "asked"]);
});

test("a key is imported once for an algorithm, and so that nobody can export it", async () => {
  const keys = await testKeys();
  const { subtle } = crypto;
  const original = subtle.importKey;
  const imported: unknown[][] = [];
  // deno-lint-ignore no-explicit-any
  const spied = subtle as any;
  spied.importKey = (...parameters: unknown[]) => {
    imported.push(parameters.slice(3));
    // deno-lint-ignore no-explicit-any
    return (original as any).apply(subtle, parameters);
  };
  try {
    const method = methodOf({ privateKey: keyPem(keys) });
    assertEquals(imported, []);
    await Promise.all([1, 2, 3].map(() => method.apply(GENERIC)));
    await method.apply(GENERIC);
    assertEquals(imported, [[false, ["sign"]]]);
  } finally {
    delete spied.importKey;
  }
});

test("R-194 a key that a runtime could not open once is opened by the next call", async () => {
  const keys = await testKeys("EC");
  const privateKey = pem("ENCRYPTED PRIVATE KEY", await encryptedPkcs8(keys.pkcs8, "right"));
  const method = methodOf({ privateKey, passphrase: "right" });
  // deno-lint-ignore no-explicit-any
  const spied = crypto.subtle as any;
  spied.deriveKey = () => Promise.reject(new Error("out of memory"));
  try {
    assertEquals(await method.apply(GENERIC).catch(({ code }) => code), "invalid_client_credential");
  } finally {
    delete spied.deriveKey;
  }
  await assertionOf(method, GENERIC);
});
