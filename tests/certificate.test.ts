/** What an assertion says, by authority and certificate: R-167, and rows P1 to P8, Z13 and Z14 of MSAL Python. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { AuthorityType, CredentialContext } from "../mod.ts";
import {
  type AnyCredential,
  assertionOf,
  CLIENT_ID,
  contextOf,
  methodOf,
  NOW_MS,
  proofOf,
  refusal,
  shown,
  TOKEN_ENDPOINT,
} from "./support/assertions.ts";
import {
  certificate,
  encryptedPkcs8,
  fromBase64Url,
  keyPem,
  pem,
  type TestCertificate,
  type TestKeys,
  testKeys,
} from "./support/certificates.ts";
import { oid, OIDS, sequence } from "./support/der_writer.ts";
import { test } from "./support/suite.ts";

const ENTRA: readonly AuthorityType[] = ["aad", "b2c", "ciam", "dsts"];
const SHA1 = "A1B2C3D4E5F6A1B2C3D4E5F6A1B2C3D4E5F6A1B2";
const SHA256 = "A1B2C3D4E5F6A1B2".repeat(4);
const X5T = "obLD1OX2obLD1OX2obLD1OX2obI";

function hex(base64url: unknown): string {
  const bytes = fromBase64Url(String(base64url));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

interface Own {
  readonly keys: TestKeys;
  readonly own: TestCertificate;
  readonly privateKey: string;
}

let made: Promise<Own> | undefined;

/** A key with its certificate. */
function ownCertificate(): Promise<Own> {
  return made ??= testKeys().then(async (keys) => ({
    keys,
    own: await certificate(keys),
    privateKey: keyPem(keys),
  }));
}

for (const type of ENTRA) {
  test(`P1 R-167 key and certificate, ${type}: PS256 with x5t#S256 and x5c`, async () => {
    const { keys, own, privateKey } = await ownCertificate();
    const credential = { privateKey, publicCertificate: own.pem };
    const { header } = await proofOf(credential, keys.publicJwk, contextOf(type));
    assertEquals(Object.keys(header).sort(), ["alg", "typ", "x5c", "x5t#S256"]);
    assertEquals([header.alg, header.typ, header.x5c], ["PS256", "JWT", [own.base64]]);
    assertEquals(hex(header["x5t#S256"]), own.thumbprintSha256);
  });

  test(`P2 key and SHA-1 thumbprint, ${type}: RS256 with it, without padding`, async () => {
    const { keys, privateKey } = await ownCertificate();
    for (
      const thumbprint of [
        SHA1,
        SHA1.toLowerCase(),
        SHA1.replace(/..(?=.)/g, "$&:"),
        ` \u200e${SHA1.replace(/../g, "$& ")}`,
      ]
    ) {
      const { header } = await proofOf({ privateKey, thumbprint }, keys.publicJwk, contextOf(type));
      assertEquals(header, { alg: "RS256", typ: "JWT", x5t: X5T });
    }
  });

  test(`P3 key, SHA-1 thumbprint and certificate, ${type}: RS256 with it, and x5c`, async () => {
    const { keys, own, privateKey } = await ownCertificate();
    const credential = { privateKey, publicCertificate: own.pem, thumbprint: own.thumbprint };
    const { header } = await proofOf(credential, keys.publicJwk, contextOf(type));
    assertEquals(Object.keys(header).sort(), ["alg", "typ", "x5c", "x5t"]);
    assertEquals([header.alg, header.x5c, hex(header.x5t)], ["RS256", [own.base64], own.thumbprint]);
  });

  test(`P5 key only, ${type}: an error that names the members that are missing`, async () => {
    const { keys, privateKey } = await ownCertificate();
    for (const key of [privateKey, keys.jwk, keys.privateKey]) {
      const error = await refusal(
        { privateKey: key, thumbprint: "", publicCertificate: "" },
        contextOf(type),
      );
      assertEquals([error.name, error.code], ["ClientConfigurationError", "invalid_client_credential"]);
      assertStringIncludes(error.message, "publicCertificate");
      assertStringIncludes(error.message, "thumbprintSha256");
    }
  });

  test(`P6 key and SHA-256 thumbprint, ${type}: PS256 with it`, async () => {
    const { keys, privateKey } = await ownCertificate();
    const { header } = await proofOf(
      { privateKey, thumbprintSha256: SHA256 },
      keys.publicJwk,
      contextOf(type),
    );
    assertEquals([header.alg, hex(header["x5t#S256"]), "x5t" in header], ["PS256", SHA256, false]);
  });

  test(`P7 both thumbprints, ${type}: PS256`, async () => {
    const { keys, privateKey } = await ownCertificate();
    const credential = { privateKey, thumbprint: SHA1, thumbprintSha256: SHA256 };
    const { header } = await proofOf(credential, keys.publicJwk, contextOf(type));
    assertEquals([header.alg, hex(header["x5t#S256"]), "x5t" in header], ["PS256", SHA256, false]);
  });
}

test("P8 both thumbprints, AD FS: RS256", async () => {
  const { keys, privateKey } = await ownCertificate();
  const credential = { privateKey, thumbprint: SHA1, thumbprintSha256: SHA256 };
  const { header } = await proofOf(credential, keys.publicJwk, contextOf("adfs"));
  assertEquals(header, { alg: "RS256", typ: "JWT", x5t: X5T });
});

test("P8 both thumbprints, generic issuer: RS256 where that is what it takes; else the better one, unlike MSAL Python", async () => {
  const { keys, privateKey } = await ownCertificate();
  const credential = { privateKey, thumbprint: SHA1, thumbprintSha256: SHA256 };
  for (
    const [signingAlgorithms, alg] of [
      [undefined, "PS256"],
      [["RS256"], "RS256"],
      [["ES256", "RS256", "HS256", "none"], "RS256"],
      [["RS256", "PS256"], "PS256"],
      [["PS256"], "PS256"],
    ] as const
  ) {
    const context = contextOf("oidc", { signingAlgorithms });
    assertEquals((await proofOf(credential, keys.publicJwk, context)).header.alg, alg);
  }
});

test("a generic issuer that takes nothing that the key is for: refused", async () => {
  const { keys } = await ownCertificate();
  const context = contextOf("oidc", { signingAlgorithms: ["ES256", "HS256", "none"] });
  assertStringIncludes((await refusal({ privateKey: keys.jwk }, context)).message, "PS256,RS256");
  // Unless the application knows better.
  const { header } = await proofOf({ privateKey: keys.jwk, algorithm: "RS256" }, keys.publicJwk, context);
  assertEquals(header, { alg: "RS256", typ: "JWT" });
});

test("Z13 R-167 what the assertion says: ours to the letter, and the application's own claims", async () => {
  const { keys, own, privateKey } = await ownCertificate();
  const clientClaims = { client_ip: "1.2.3.4", xms_az_claim: { ids: ["a", "b"] } };
  const credential = { privateKey, publicCertificate: own.pem };
  const { payload } = await proofOf(credential, keys.publicJwk, contextOf(), { clientClaims });
  const { jti, ...rest } = payload;
  const iat = Math.floor(NOW_MS / 1000);
  assertEquals(rest, {
    ...clientClaims,
    aud: TOKEN_ENDPOINT,
    iss: CLIENT_ID,
    sub: CLIENT_ID,
    iat,
    nbf: iat,
    exp: iat + 600,
  });
  assertMatch(String(jti), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("Z14 R-167 the same on AD FS: RS256 with x5t, and x5c only where it is asked for or the certificate was given so", async () => {
  const { keys, own, privateKey } = await ownCertificate();
  for (const sendX5c of [undefined, true, false]) {
    const credential = { privateKey, publicCertificate: own.pem, sendX5c };
    const { header } = await proofOf(credential, keys.publicJwk, contextOf("adfs"));
    assertEquals([header.alg, hex(header.x5t), "x5t#S256" in header], ["RS256", own.thumbprint, false]);
    assertEquals(header.x5c, sendX5c === false ? undefined : [own.base64]);
  }
});

test("AD FS: a SHA-256 thumbprint or none is refused, and the SHA-1 thumbprint is asked for", async () => {
  const { privateKey } = await ownCertificate();
  for (const named of [{ thumbprintSha256: SHA256 }, {}]) {
    const error = await refusal({ privateKey, ...named }, contextOf("adfs"));
    assertEquals(error.code, "invalid_client_credential");
    assertStringIncludes(error.message, "SHA-1: give thumbprint");
  }
});

test("x5c is the whole chain, the leaf first, only if it is to be sent", async () => {
  const { keys, own, privateKey } = await ownCertificate();
  const authority = { keys: await testKeys("EC", "authority"), commonName: "Authority" };
  const above = await certificate(authority.keys, { commonName: "Authority" });
  const leaf = await certificate(keys, { issuer: authority });
  const chain = `${leaf.pem}\r\nsubject=CN = Authority\n${above.pem.replaceAll("\n", "\r\n")}`;
  const header = async (sendX5c: boolean | undefined, type: AuthorityType): Promise<unknown> =>
    (await proofOf({ privateKey, publicCertificate: chain, sendX5c }, keys.publicJwk, contextOf(type))).header
      .x5c;
  assertEquals(await header(undefined, "aad"), [leaf.base64, above.base64]);
  assertEquals(await header(true, "oidc"), [leaf.base64, above.base64]);
  assertEquals([await header(false, "aad"), await header(undefined, "oidc")], [undefined, undefined]);
  // The other way round it is not the key's.
  const error = await refusal({ privateKey, publicCertificate: above.pem + leaf.pem });
  assertStringIncludes(error.message, "first certificate of publicCertificate");
  assert(own.base64 !== leaf.base64);
});

for (
  const [what, change] of [
    ["A1 as base64 alone", (text: string) => text.replace(/-----.*-----\n/g, "")],
    ["on one line", (text: string) => text.replaceAll("\n", "\\n")],
    [
      "A2 with CRLF, and text before it",
      (text: string) => `subject=CN = Test\r\n${text.replaceAll("\n", "\r\n")}`,
    ],
    ["with spaces for line breaks", (text: string) => text.replaceAll("\n", " ")],
  ] as const
) {
  test(`R-194 a certificate ${what} is read`, async () => {
    const { keys, own, privateKey } = await ownCertificate();
    const { header } = await proofOf({ privateKey, publicCertificate: change(own.pem) }, keys.publicJwk);
    assertEquals([header.x5c, hex(header["x5t#S256"])], [[own.base64], own.thumbprintSha256]);
  });
}

const NOT_CERTIFICATES: readonly [string, (keys: TestKeys) => unknown | Promise<unknown>, string][] = [
  ["a private key", keyPem, "holds no certificate: give the text with BEGIN CERTIFICATE"],
  ["a public key", (keys) => pem("PUBLIC KEY", keys.spki), "holds no certificate"],
  [
    "a public key as base64",
    (keys) => keyPem({ ...keys, pkcs8: keys.spki }).replace(/-----.*-----\n/g, ""),
    "must be",
  ],
  ["a request for one", () => pem("CERTIFICATE REQUEST", sequence()), "holds no certificate"],
  ["a file's name", () => "/etc/ssl/cert.pem", "not its name"],
  ["an empty sequence", () => pem("CERTIFICATE", sequence()), "must be the certificate"],
  [
    "a certificate that is cut off",
    async (keys) => (await certificate(keys)).pem.replace(/(?:.*\n)(-----END)/, "$1"),
    "cut off",
  ],
  ["a certificate of P-384", async (keys) => {
    const spki = sequence(sequence(oid(OIDS.ec), oid(OIDS.p384)), Uint8Array.of(3, 2, 0, 4));
    return (await certificate(keys, { spki })).pem;
  }, "RSA or P-256"],
  ["a certificate of a weak key", async (keys) => {
    const { publicKey } = await crypto.subtle.generateKey(
      {
        name: "RSASSA-PKCS1-v1_5",
        hash: "SHA-256",
        modulusLength: 1024,
        publicExponent: Uint8Array.of(1, 0, 1),
      },
      true,
      ["sign", "verify"],
    );
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
    return (await certificate(keys, { spki })).pem;
  }, "2048 to 8192 bits"],
  ["a certificate with an end that is no time", async (keys) => {
    const { der } = await certificate(keys);
    const at = der.findIndex((_, index) => der[index] === 0x17 && der[index + 15] === 0x17) + 15;
    der[at + 2] = 0x78;
    return pem("CERTIFICATE", der);
  }, "must be the certificate"],
  [
    "eleven certificates",
    async (keys) => (await certificate(keys)).pem.repeat(11),
    "must be the certificate",
  ],
  ["a number", () => 5, "must be PEM text"],
  ["true, as MSAL Python takes it for PFX", () => true, "must be PEM text"],
];
for (const [what, make, why] of NOT_CERTIFICATES) {
  test(`R-194 ${what} is no certificate: refused at once`, async () => {
    const { keys, privateKey } = await ownCertificate();
    const error = await refusal({ privateKey, publicCertificate: await make(keys) });
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertStringIncludes(error.message, why);
  });
}

test("a certificate of another key is refused, however the key is given, and both are named", async () => {
  const { keys, privateKey } = await ownCertificate();
  const foreign = await certificate(await testKeys("RSA", "foreign"));
  const ec = await certificate(await testKeys("EC"));
  const encrypted = pem("ENCRYPTED PRIVATE KEY", await encryptedPkcs8(keys.pkcs8, "secret"));
  const cases: [object, "made" | "asked"][] = [
    [{ privateKey }, "made"],
    [{ privateKey: keys.jwk }, "made"],
    [{ privateKey: keys.privateKey }, "asked"],
    [{ privateKey: encrypted, passphrase: "secret" }, "asked"],
  ];
  for (const [credential, when] of cases) {
    for (const { pem } of [foreign, ec]) {
      for (const type of ["aad", "adfs", "oidc"] as const) {
        const error = await refusal({ ...credential, publicCertificate: pem }, contextOf(type));
        assertEquals([error.name, error.code], ["ClientConfigurationError", "invalid_client_credential"]);
        assertEquals(error.when, when);
        assertStringIncludes(error.message, "publicCertificate does not belong to privateKey");
      }
    }
  }
});

for (
  const [end, shownEnd] of [["2025-12-31T23:59:59Z", "2025-12-31"], [
    "1999-01-01T00:00:00Z",
    "1999-01-01",
  ]] as const
) {
  test(`a certificate that ended on ${shownEnd} is refused with that date; a generic issuer does not look at it`, async () => {
    const { keys, privateKey } = await ownCertificate();
    const { pem } = await certificate(keys, { notBefore: new Date("1990-01-01"), notAfter: new Date(end) });
    for (const type of [...ENTRA, "adfs"] as const) {
      const error = await refusal({ privateKey, publicCertificate: pem }, contextOf(type));
      assertEquals([error.code, error.when], ["invalid_client_credential", "asked"]);
      assertStringIncludes(error.message, shownEnd);
    }
    await proofOf({ privateKey, publicCertificate: pem }, keys.publicJwk, contextOf("oidc"));
  });
}

test("a certificate counts to its last second, and one that ends after 2049 is read, too", async () => {
  const { keys, privateKey } = await ownCertificate();
  for (
    const notAfter of [new Date(NOW_MS), new Date("2050-01-01T00:00:00Z"), new Date("9999-12-31T23:59:59Z")]
  ) {
    const publicCertificate = (await certificate(keys, { notAfter })).pem;
    const options = { now: () => Math.floor(NOW_MS / 1000) * 1000 };
    await proofOf({ privateKey, publicCertificate }, keys.publicJwk, contextOf(), options);
  }
});

const WRONG: readonly [string, object, string, "made" | "asked"][] = [
  [
    "a SHA-1 thumbprint that is too short",
    { thumbprint: "A1B2C3D4E5F6" },
    "thumbprint must be 40 digits",
    "made",
  ],
  [
    "a SHA-256 thumbprint in the place of SHA-1",
    { thumbprint: SHA256 },
    "thumbprint must be 40 digits",
    "made",
  ],
  ["a SHA-1 thumbprint in the place of SHA-256", { thumbprintSha256: SHA1 }, "must be 64 digits", "made"],
  ["a thumbprint in base64url", { thumbprintSha256: "q".repeat(64) }, "thumbprintSha256 must be 64", "made"],
  ["a thumbprint that is a number", { thumbprint: 5 }, "thumbprint must be 40", "made"],
  ["a thumbprint of another certificate", { thumbprint: SHA1 }, "not that of publicCertificate", "asked"],
  ["a SHA-256 thumbprint of another", { thumbprintSha256: SHA256 }, "not that of publicCertificate", "asked"],
  ["an unknown algorithm", { algorithm: "RS512" }, "algorithm must be one", "made"],
  ["the algorithm none", { algorithm: "none" }, "algorithm must be one", "made"],
  ["another key's algorithm", { algorithm: "ES256" }, "PS256,RS256", "made"],
];
for (const [what, members, why, when] of WRONG) {
  test(`${what}: refused, and the member named`, async () => {
    const { own, privateKey } = await ownCertificate();
    const error = await refusal({ privateKey, publicCertificate: own.pem, ...members });
    assertEquals([error.code, error.when], ["invalid_client_credential", when]);
    assertStringIncludes(error.message, why);
  });
}

test("sendX5c without a certificate is refused", async () => {
  const { privateKey } = await ownCertificate();
  const error = await refusal({ privateKey, thumbprintSha256: SHA256, sendX5c: true });
  assertEquals(error.when, "made");
  assertStringIncludes(error.message, "sendX5c takes publicCertificate");
});

const ALGORITHMS: readonly [string, Partial<AnyCredential>, CredentialContext, string, string][] = [
  ["RS256 on Entra", { algorithm: "RS256" }, contextOf(), "RS256", "x5t"],
  ["PS256 on AD FS", { algorithm: "PS256" }, contextOf("adfs"), "PS256", "x5t#S256"],
  ["RS256 for a generic issuer", { algorithm: "RS256" }, contextOf("oidc"), "RS256", "x5t"],
];
for (const [what, members, context, alg, named] of ALGORITHMS) {
  test(`${what} where it is asked for`, async () => {
    const { keys, own, privateKey } = await ownCertificate();
    const credential = { privateKey, publicCertificate: own.pem, ...members };
    const { header } = await proofOf(credential as AnyCredential, keys.publicJwk, context);
    assertEquals([header.alg, typeof header[named]], [alg, "string"]);
  });
}

test("a CryptoKey signs by what it was imported for, and is refused where that does not do", async () => {
  const { keys, own } = await ownCertificate();
  const imported = (name: string) =>
    crypto.subtle.importKey("jwk", keys.jwk, { name, hash: "SHA-256" }, false, ["sign"]);
  const pss = await imported("RSA-PSS");
  const pkcs1 = await imported("RSASSA-PKCS1-v1_5");
  const publicCertificate = own.pem;
  const alg = async (privateKey: CryptoKey, type: AuthorityType): Promise<unknown> =>
    (await proofOf({ privateKey, publicCertificate }, keys.publicJwk, contextOf(type))).header.alg;
  assertEquals([await alg(pss, "aad"), await alg(pkcs1, "aad"), await alg(pkcs1, "adfs")], [
    "PS256",
    "RS256",
    "RS256",
  ]);
  assertStringIncludes(
    (await refusal({ privateKey: pss, publicCertificate }, contextOf("adfs"))).message,
    "PS256",
  );
  assertEquals((await refusal({ privateKey: pkcs1, publicCertificate, algorithm: "PS256" })).when, "made");
});

test("a P-256 key is for generic issuers; Entra and AD FS take it only where ES256 is asked for", async () => {
  const keys = await testKeys("EC");
  const publicCertificate = (await certificate(keys)).pem;
  const credential = { privateKey: keys.jwk, publicCertificate };
  for (const type of [...ENTRA, "adfs"] as const) {
    assertStringIncludes((await refusal(credential, contextOf(type))).message, "ES256");
  }
  assertEquals((await proofOf(credential, keys.publicJwk, contextOf("oidc"))).header.alg, "ES256");
  const { header } = await proofOf({ ...credential, algorithm: "ES256" }, keys.publicJwk);
  assertEquals([header.alg, typeof header["x5t#S256"]], ["ES256", "string"]);
});

test("kid: a generic issuer gets the one that is given, else the JWK's; Entra only one that is given", async () => {
  const { keys, own } = await ownCertificate();
  const publicCertificate = own.pem;
  const privateKey = { ...keys.jwk, kid: "own-id" } as JsonWebKey;
  const kid = async (members: object, type: AuthorityType): Promise<unknown> =>
    (await proofOf({ privateKey, publicCertificate, ...members }, keys.publicJwk, contextOf(type))).header
      .kid;
  assertEquals(await kid({}, "oidc"), "own-id");
  assertEquals(await kid({ keyId: "given" }, "oidc"), "given");
  assertEquals(await kid({ keyId: "" }, "oidc"), "own-id");
  assertEquals(await kid({ privateKey: keys.jwk }, "oidc"), undefined);
  assertEquals([await kid({}, "aad"), await kid({ keyId: "given" }, "aad")], [undefined, "given"]);
});

test("R-167 aud is the endpoint that the request names, one string, also for another tenant and client", async () => {
  const { keys, privateKey } = await ownCertificate();
  const tokenEndpoint = "https://login.microsoftonline.us/other.example/oauth2/v2.0/token";
  const context = contextOf("aad", { tokenEndpoint, clientId: "another" });
  const { payload } = await proofOf({ privateKey, thumbprintSha256: SHA256 }, keys.publicJwk, context);
  assertEquals([payload.aud, payload.iss, payload.sub], [tokenEndpoint, "another", "another"]);
});

for (const name of ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]) {
  test(`R-167 clientClaims cannot set ${name}: refused at once, unlike MSAL Python`, async () => {
    const { privateKey } = await ownCertificate();
    const clientClaims = { client_ip: "1.2.3.4", [name]: "canary" };
    const error = await refusal({ privateKey }, contextOf("oidc"), { clientClaims });
    assertEquals([error.code, error.when], ["invalid_client_credential", "made"]);
    assertEquals([(error as { option?: string }).option, error.message.includes("canary")], [
      "clientClaims",
      false,
    ]);
    assertStringIncludes(error.message, name);
  });
}

test("clientClaims must be an object that JSON can hold", async () => {
  const { privateKey } = await ownCertificate();
  const cycle: Record<string, unknown> = {};
  cycle.cycle = cycle;
  for (const wrong of [null, [], "{}", 5, cycle, { big: 1n }, () => ({})]) {
    const clientClaims = wrong as unknown as Record<string, unknown>;
    const error = await refusal({ privateKey }, contextOf("oidc"), { clientClaims });
    assertEquals([error.code, (error as { option?: string }).option], [
      "invalid_client_credential",
      "clientClaims",
    ]);
  }
});

test("R-195 clientClaims are kept as they were, and pollute nothing", async () => {
  const { keys, privateKey } = await ownCertificate();
  const clientClaims = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
  const method = methodOf({ privateKey }, { clientClaims });
  clientClaims.a = 2;
  const [, payload = ""] = (await assertionOf(method, contextOf("oidc"))).split(".");
  const json = new TextDecoder().decode(fromBase64Url(payload));
  assert(json.startsWith('{"__proto__":{"polluted":true},"a":1,'), json);
  assertEquals("polluted" in {}, false);
  await proofOf({ privateKey }, keys.publicJwk, contextOf("oidc"), { clientClaims: {} });
});

test("R-186 nothing of a method shows its key, passphrase or assertion", async () => {
  const { keys, own, privateKey } = await ownCertificate();
  const encrypted = pem("ENCRYPTED PRIVATE KEY", await encryptedPkcs8(keys.pkcs8, "canary-s3cr3t"));
  for (
    const credential of [{ privateKey }, { privateKey: keys.jwk }, {
      privateKey: encrypted,
      passphrase: "canary-s3cr3t",
    }]
  ) {
    const method = methodOf({ ...credential, publicCertificate: own.pem });
    const assertion = await assertionOf(method);
    const text = shown(method);
    for (const secret of [privateKey.split("\n")[2]!, keys.jwk.d!, keys.jwk.p!, "canary-s3cr3t", assertion]) {
      assert(!text.includes(secret));
    }
  }
});
