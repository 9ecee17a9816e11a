/** PFX files as credentials: R-194, and rows Z13 and Z14 of the MSAL Python reference. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ClientConfigurationError } from "../mod.ts";
import { type PfxContents, readPfx } from "../src/pfx/mod.ts";
import {
  base64,
  certificate,
  type TestCertificate,
  type TestKeys,
  testKeys,
} from "./support/certificates.ts";
import { costlyScheme, legacyScheme, makePfx, type PfxOptions } from "./support/pfx_files.ts";
import { test } from "./support/suite.ts";

const PASSPHRASE = "Grüße, hush-€😀";

/** A key, its certificate, and the two that issued it. */
async function chain(): Promise<
  { keys: TestKeys; certificates: readonly [TestCertificate, TestCertificate, TestCertificate] }
> {
  const [keys, middle, root] = [
    await testKeys("RSA", "own"),
    await testKeys("EC", "middle"),
    await testKeys("EC", "root"),
  ];
  return {
    keys,
    certificates: [
      await certificate(keys, { commonName: "app", issuer: { keys: middle, commonName: "middle" } }),
      await certificate(middle, { commonName: "middle", issuer: { keys: root, commonName: "root" } }),
      await certificate(root, { commonName: "root" }),
    ],
  };
}

/** A file with the chain in it, root first. */
async function fileOf(
  options: PfxOptions = {},
): Promise<{ file: Uint8Array<ArrayBuffer>; contents: PfxContents }> {
  const { keys, certificates: [leaf, middle, root] } = await chain();
  const file = await makePfx({
    keys: [{ der: keys.pkcs8 }],
    certificates: [root, leaf, middle],
    passphrase: PASSPHRASE,
    ...options,
  });
  const key = base64(keys.pkcs8).replace(/.{1,64}/g, "$&\n");
  return {
    file,
    contents: {
      privateKey: `-----BEGIN PRIVATE KEY-----\n${key}-----END PRIVATE KEY-----\n`,
      publicCertificate: leaf.pem + middle.pem + root.pem,
    },
  };
}

/** The error of a file that cannot be used; it never says what was given. */
async function refusal(
  pfx: unknown,
  passphrase: unknown = PASSPHRASE,
  option: "pfx" | "passphrase" = "pfx",
): Promise<string> {
  const error = await assertRejects(
    () => readPfx(pfx as string, passphrase as string),
    ClientConfigurationError,
  );
  assertEquals([error.code, error.option], ["invalid_client_credential", option], error.message);
  for (const secret of ["hush", "Gr", "MII", PASSPHRASE]) {
    assert(!error.message.includes(secret), error.message);
  }
  assertEquals(error.cause, undefined);
  return error.message;
}

const FORMS: readonly [string, (file: Uint8Array<ArrayBuffer>) => Uint8Array | ArrayBuffer | string][] = [
  ["bytes", (file) => file],
  ["a buffer", (file) => file.buffer],
  ["a part of a buffer", (file) => {
    const larger = new Uint8Array(file.length + 20);
    larger.set(file, 10);
    return larger.subarray(10, 10 + file.length);
  }],
  ["base64", (file) => base64(file)],
  ["base64 in lines", (file) => base64(file).replace(/.{1,76}/g, "$&\r\n")],
  ["base64 in quotes, with a byte order mark", (file) => `\ufeff"${base64(file)}"\n`],
  ["base64 as PHP writes JSON", (file) => JSON.stringify(base64(file)).replaceAll("/", "\\/")],
  ["base64 with line breaks spelt out", (file) => base64(file).replace(/.{76}/g, "$&\\n")],
  ["base64url", (file) => base64(file).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")],
];
for (const [name, form] of FORMS) {
  test(`R-194 a PFX file is read from ${name}, with its chain in order, leaf first`, async () => {
    const { file, contents } = await fileOf();
    assertEquals(await readPfx(form(file), PASSPHRASE), contents);
  });
}

const MODERN: readonly [string, PfxOptions, passphrase?: string][] = [
  ["PBMAC1", { mac: "PBMAC1" }],
  ["no MAC", { mac: "none" }],
  ["an empty passphrase", { passphrase: "" }, ""],
  ["an empty passphrase, given as none", { passphrase: "" }],
  ["nothing encrypted", { mac: "none", passphrase: undefined }],
];
for (const [name, options, passphrase] of MODERN) {
  test(`R-194 a PFX file with ${name} is read`, async () => {
    const { file, contents } = await fileOf(options);
    const given = options.passphrase === undefined && "mac" in options ? PASSPHRASE : passphrase;
    assertEquals(await readPfx(file, given), contents);
  });
}

test("R-194 a passphrase that is empty opens a file whose MAC was made without one", async () => {
  const { file, contents } = await fileOf({ passphrase: "", mac: "SHA-256", macIterations: 4 });
  assertEquals(await readPfx(file), contents);
});

test("R-194 a key of an elliptic curve is read, linked by its public key", async () => {
  const keys = await testKeys("EC", "own");
  const own = await certificate(keys, { commonName: "ec" });
  const foreign = await certificate(await testKeys("EC", "root"), { commonName: "foreign" });
  const file = await makePfx({ keys: [{ der: keys.pkcs8 }], certificates: [foreign, own], passphrase: "p" });
  assertEquals((await readPfx(file, "p")).publicCertificate, own.pem);
});

test("R-194 of several keys the one that has a certificate counts", async () => {
  const { keys, certificates: [leaf] } = await chain();
  const other = await testKeys("EC", "middle");
  const file = await makePfx({
    // The file's own link is wrong.
    keys: [{ der: other.pkcs8, localKeyId: 1 }, { der: keys.pkcs8 }],
    certificates: [{ der: leaf.der, localKeyId: 1 }],
    passphrase: "p",
  });
  const { privateKey, publicCertificate } = await readPfx(file, "p");
  assertEquals(publicCertificate, leaf.pem);
  assertStringIncludes(privateKey.replaceAll("\n", ""), base64(keys.pkcs8));
});

test("R-194 of a renewed certificate's files the one that the key is linked to counts, else the last to end", async () => {
  const keys = await testKeys("EC", "own");
  const old = await certificate(keys, { notAfter: new Date("2030-01-01T00:00:00Z") });
  const renewed = await certificate(keys, { notAfter: new Date("2031-01-01T00:00:00Z") });
  const linked = await makePfx({
    keys: [{ der: keys.pkcs8, localKeyId: 7 }],
    certificates: [{ der: old.der, localKeyId: 7 }, { der: renewed.der, localKeyId: 8 }],
    passphrase: "p",
  });
  assert((await readPfx(linked, "p")).publicCertificate.startsWith(old.pem));
  const plain = await makePfx({ keys: [{ der: keys.pkcs8 }], certificates: [old, renewed], passphrase: "p" });
  assert((await readPfx(plain, "p")).publicCertificate.startsWith(renewed.pem));
});

test("R-194 a certificate that issued itself and one that is nobody's issuer do not confuse the chain", async () => {
  const { keys, certificates: [leaf, middle] } = await chain();
  const stray = await certificate(await testKeys("EC", "stray"), { commonName: "stray" });
  const file = await makePfx({
    keys: [{ der: keys.pkcs8 }],
    certificates: [stray, middle, leaf],
    passphrase: "p",
  });
  assertEquals((await readPfx(file, "p")).publicCertificate, leaf.pem + middle.pem);
});

test("R-194 the passphrase that is wrong, missing or no text is named as the mistake", async () => {
  const { file } = await fileOf();
  assertStringIncludes(await refusal(file, "hush", "passphrase"), "does not open the PFX file");
  assertStringIncludes(await refusal(file, "", "passphrase"), "has one: give it");
  assertStringIncludes(await refusal(file, 5, "passphrase"), "must be a string");
  const error = await assertRejects(() => readPfx(file), ClientConfigurationError);
  assertEquals(error.option, "passphrase");
  const { file: pbmac1 } = await fileOf({ mac: "PBMAC1" });
  assertStringIncludes(await refusal(pbmac1, "hush", "passphrase"), "does not open");
  const { file: bare } = await fileOf({ mac: "none" });
  assertStringIncludes(await refusal(bare, "hush", "passphrase"), "does not open");
});

const LEGACY: readonly [string, string][] = [
  ["3DES", "1.2.840.113549.1.12.1.3"],
  ["40 bit RC2", "1.2.840.113549.1.12.1.6"],
  ["RC4", "1.2.840.113549.1.12.1.1"],
  ["DES of PKCS#5", "1.2.840.113549.1.5.3"],
];
for (const [name, scheme] of LEGACY) {
  test(`R-194 a file with ${name} is refused with the command that converts it, whatever the passphrase`, async () => {
    const { file } = await fileOf({ scheme: legacyScheme(scheme) });
    const command =
      "openssl pkcs12 -legacy -in old.pfx -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.pfx && rm all.pem";
    assertStringIncludes(await refusal(file), command);
    assertStringIncludes(await refusal(file, "hush"), command);
  });
}

test("PFX lacking key or certificate -> error", async () => {
  assertStringIncludes(await refusal((await fileOf({ keys: [] })).file), "no private key");
  assertStringIncludes(await refusal((await fileOf({ certificates: [] })).file), "no certificate");
});

test("R-194 a key without a certificate of its own, and several with one each, are refused", async () => {
  const [one, other] = [await testKeys("EC", "own"), await testKeys("EC", "middle")];
  const [mine, foreign] = [await certificate(one), await certificate(other)];
  const passphrase = PASSPHRASE;
  const mixed = await makePfx({ keys: [{ der: one.pkcs8 }], certificates: [foreign], passphrase });
  assertStringIncludes(await refusal(mixed), "none of its certificates belongs to its private key");
  const keys = [{ der: one.pkcs8 }, { der: other.pkcs8 }];
  const two = await makePfx({ keys, certificates: [mine, foreign], passphrase });
  assertStringIncludes(await refusal(two), "several keys with certificates");
});

const NO_FILES: readonly [string, unknown, RegExp][] = [
  ["nothing", undefined, /must be the file's bytes/],
  ["null", null, /must be the file's bytes/],
  ["a number", 5, /must be the file's bytes/],
  ["an object", {}, /must be the file's bytes/],
  ["a path", "/etc/app.pfx", /no PFX|no base64/],
  ["empty text", "", /empty/],
  ["no bytes", new Uint8Array(), /empty/],
  ["text that is no base64", "%%%%", /no base64/],
  ["PEM", "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----", /privateKey and publicCertificate/],
  ["PEM as bytes", new TextEncoder().encode("-----BEGIN CERTIFICATE-----\nMII"), /privateKey and publicCert/],
  [
    "PEM behind a byte order mark",
    new TextEncoder().encode("\ufeff-----BEGIN CERTIFICATE-----\n"),
    /publicCert/,
  ],
  [
    "PEM behind text",
    new TextEncoder().encode("Bag Attributes\n-----BEGIN PRIVATE KEY-----\n"),
    /privateKey/,
  ],
  ["base64 as bytes", new TextEncoder().encode("MIIKDwIBAzCCCc"), /bytes of base64 text/],
  ["a page", new TextEncoder().encode("<!doctype html>"), /no PFX/],
  ["one byte", Uint8Array.of(0x30), /cut off/],
  ["an empty sequence", Uint8Array.of(0x30, 0), /no PFX/],
  ["an open end", Uint8Array.of(0x30, 0x80, 2, 1, 3), /no PFX/],
  ["too many bytes", new Uint8Array(1_048_577).fill(0x30), /larger than 1 MiB/],
  ["too long a text", "A".repeat(1_572_865), /larger than 1 MiB/],
];
for (const [name, pfx, why] of NO_FILES) {
  test(`R-194 ${name} is no PFX file: refused with what to do`, async () => {
    const message = await refusal(pfx);
    assert(why.test(message), message);
  });
}

test("R-194 a key or a certificate as DER is no PFX file", async () => {
  const { keys, certificates: [leaf] } = await chain();
  assertStringIncludes(await refusal(keys.pkcs8), "no PFX");
  assertStringIncludes(await refusal(leaf.der), "no PFX");
});

test("R-194 a file that is cut off anywhere is refused, and says so", async () => {
  const { file } = await fileOf();
  for (const length of [2, 3, 4, 5, 20, 100, file.length >> 1, file.length - 1]) {
    assertStringIncludes(await refusal(file.subarray(0, length)), "cut off");
  }
});

test("R-194 a file with any byte changed is refused or is the same, never another key", async () => {
  const { file, contents } = await fileOf();
  const step = 37;
  for (let at = 0; at < file.length; at += step) {
    const changed = file.slice();
    changed[at]! ^= 0x15;
    try {
      assertEquals(await readPfx(changed, PASSPHRASE), contents);
    } catch (error) {
      assert(error instanceof ClientConfigurationError, `${at}: ${error}`);
    }
  }
});

const COSTLY: readonly [string, PfxOptions][] = [
  ["a MAC of a billion iterations", { macIterations: 1_000_000_000 }],
  ["a MAC of 2^31 - 1 iterations", { macIterations: 2 ** 31 - 1 }],
  ["a PBMAC1 of a billion iterations", { mac: "PBMAC1", macIterations: 1_000_000_000 }],
  ["a MAC of a million iterations in JavaScript", { macIterations: 1_000_000 }],
];
for (const [name, options] of COSTLY) {
  test(`R-098 ${name} is refused before it is computed`, async () => {
    assertStringIncludes(
      await refusal((await fileOf(options)).file),
      "its iteration count is too high, or 0: export it again",
    );
  });
}

test("R-098 keys of too many iterations together are refused, also where each alone would do", async () => {
  const { certificates: [leaf] } = await chain();
  const one = await testKeys("EC", "own");
  const scheme = costlyScheme(400_000);
  const file = await makePfx({
    keys: [{ der: one.pkcs8 }, { der: one.pkcs8 }],
    certificates: [leaf],
    passphrase: PASSPHRASE,
    scheme,
  });
  assertStringIncludes(await refusal(file), "iteration count is too high");
  const zero = await makePfx({ keys: [{ der: one.pkcs8 }], passphrase: PASSPHRASE, scheme: costlyScheme(0) });
  assertStringIncludes(await refusal(zero), "iteration count is too high, or 0");
});

test("R-194 contents with a passphrase of their own, and an unknown MAC, are refused by name", async () => {
  const { file } = await fileOf({ innerPassphrase: "another" });
  assertStringIncludes(await refusal(file), "a part does not open");
  const { file: md5 } = await fileOf({ mac: { oid: "1.2.840.113549.2.5" } });
  assertStringIncludes(await refusal(md5), "-macalg sha256");
});
