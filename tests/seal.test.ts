/** Sealed texts. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { createSealer } from "../src/crypto/seal.ts";
import { thrown } from "./support/app_fixture.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const SECRET = "kX9v2Qm7Lr4Tz8Wn1Bc6Yd3Hf5Jg0PsA";
const OLD = "Zq3Vw8Ex1Rt6Yb9Un4Im7Op2Al5Sk0Dj";
const OTHER = "Gh7Jk2Lz9Xc4Vb1Nm6Qw3Er8Ty5Ui0Op";
const sealer = (secrets: string | readonly string[] = SECRET, label = "test") =>
  createSealer(secrets, label, "secret");

test("R-121 a text comes back where it was sealed, and no text is sealed alike twice", async () => {
  const { seal, open } = sealer();
  for (const text of ["", "x", '{"a":"é😀"}', "\ufeffmark", "\u0000", "y".repeat(300_000)]) {
    const sealed = await seal(text, "key");
    assertMatch(sealed, /^1\.[\w-]{8}\.[\w-]+$/);
    assertEquals(await open(sealed, "key"), text);
    assertNotEquals(await seal(text, "key"), sealed);
  }
});

test("R-121 what is sealed cannot be read in it", async () => {
  const sealed = await sealer().seal("a plain text that nobody may read", "a context");
  const bytes = atob(sealed.split(".")[2]!.replaceAll("-", "+").replaceAll("_", "/"));
  for (const text of ["plain", "context", SECRET]) assert(!(sealed + bytes).includes(text));
});

const swap = (char: string | undefined) => char === "A" ? "B" : "A";
/** What somebody may make of a sealed text, and in which context they put it. */
const TAMPERED: Readonly<Record<string, (sealed: string) => [unknown, string?]>> = {
  "another context": (sealed) => [sealed, "key2"],
  "no context": (sealed) => [sealed, ""],
  "a longer context": (sealed) => [sealed, "key."],
  "the last character": (sealed) => [sealed.slice(0, -1) + swap(sealed.at(-1))],
  "the first character of the IV": (sealed) => [sealed.slice(0, 11) + swap(sealed[11]) + sealed.slice(12)],
  "the key's name": (sealed) => [`1.AAAAAAAA.${sealed.slice(11)}`],
  "the version": (sealed) => [`2${sealed.slice(1)}`],
  "cut by one": (sealed) => [sealed.slice(0, -1)],
  "cut to the IV": (sealed) => [sealed.slice(0, 27)],
  "cut to the header": (sealed) => [sealed.slice(0, 11)],
  "one more": (sealed) => [`${sealed}A`],
  "four more": (sealed) => [`${sealed}AAAA`],
  "padded": (sealed) => [`${sealed}=`],
  "a space": (sealed) => [`${sealed} `],
  "twice": (sealed) => [sealed + sealed],
  "empty": () => [""],
  "undefined": () => [undefined],
  "null": () => [null],
  "a number": () => [1],
  "an object that says it is a text": (sealed) => [{ toString: () => sealed }],
  "__proto__": () => ["1.__proto__.AAAA"],
};
for (const [name, change] of Object.entries(TAMPERED)) {
  test(`R-121 a sealed text does not open when changed: ${name}`, async () => {
    const { seal, open } = sealer();
    const sealed = await seal("text", "key");
    const [changed, context = "key"] = change(sealed);
    assertEquals(await open(changed, context), undefined);
    assertEquals(await open(sealed, "key"), "text");
  });
}

test("R-121 R-196 whichever bit is flipped, a sealed text does not open, and nothing throws", async () => {
  const { seal, open } = sealer();
  const sealed = await seal("a text of some length", "key");
  for (let i = 0; i < sealed.length; i++) {
    const changed = sealed.slice(0, i) + swap(sealed[i]) + sealed.slice(i + 1);
    assertEquals(await open(changed, "key"), undefined, changed);
  }
});

test("R-122 the first secret seals and any opens; without it nothing does", async () => {
  const old = await sealer(OLD).seal("text", "key");
  const both = sealer([SECRET, OLD]);
  assertEquals(await both.open(old, "key"), "text");
  const fresh = await both.seal("text", "key");
  assertEquals(await sealer(SECRET).open(fresh, "key"), "text");
  assertEquals(await sealer(OLD).open(fresh, "key"), undefined);
  assertEquals(await sealer([OTHER, SECRET]).open(old, "key"), undefined);
});

test("R-122 R-132 another label is another key", async () => {
  const sealed = await sealer(SECRET, "session").seal("text", "key");
  assertEquals(await sealer(SECRET, "session").open(sealed, "key"), "text");
  for (const label of ["transaction", "session ", "", "Session"]) {
    assertEquals(await sealer(SECRET, label).open(sealed, "key"), undefined);
  }
});

test("R-122 label and context are not mistaken for each other", async () => {
  const sealed = await sealer(SECRET, "a").seal("text", "b.c");
  for (const [label, context] of [["a.b", "c"], ["a", "c"], ["ab", ".c"], ["", "ab.c"]] as const) {
    assertEquals(await sealer(SECRET, label).open(sealed, context), undefined);
  }
});

test("R-123 an IV never comes twice", async () => {
  const { seal } = sealer();
  const ivs = new Set<string>();
  // Some at a time: 20 000 promises at once are another test.
  for (let round = 0; round < 20; round++) {
    const sealed = await Promise.all(Array.from({ length: 1_000 }, () => seal("", "")));
    for (const text of sealed) ivs.add(text.slice(11, 27));
  }
  assertEquals(ivs.size, 20_000);
});

/** The format in WebCrypto's words: what another program would have to do. */
async function openByHand(sealed: string, secret: string, label: string, context: string): Promise<string> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const base64url = (text: string) =>
    Uint8Array.from(
      atob(text.replaceAll("-", "+").replaceAll("_", "/")),
      (char) => char.charCodeAt(0),
    );
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(context)));
  const hashed = btoa(String.fromCharCode(...hash)).replaceAll("+", "-").replaceAll("/", "_").replace(
    "=",
    "",
  );
  const base = await crypto.subtle.importKey("raw", bytes(secret), "HKDF", false, ["deriveBits"]);
  const derive = (info: string, bits: number) =>
    crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytes(info) },
      base,
      bits,
    );
  const id = new Uint8Array(await derive(`msal-edge seal 1 id ${label.length}:${label}`, 48));
  const key = await derive(`msal-edge seal 1 key ${label.length}:${label}${hashed}`, 256);
  const [version, named = "", body = ""] = sealed.split(".");
  assertEquals([version, base64url(named)], ["1", id]);
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const additionalData = bytes(`1.${named}.${context}`);
  const iv = base64url(body).subarray(0, 12);
  return new TextDecoder().decode(
    await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData },
      aes,
      base64url(body).subarray(12),
    ),
  );
}

test("R-121 R-122 the format is AES-256-GCM under a key that HKDF makes of secret, label and context", async () => {
  for (const context of ["", "msal-edge.tokens.v1.x", "k".repeat(2_000), "ä€😀"]) {
    const sealed = await sealer(SECRET, "store").seal("text", context);
    assertEquals(await openByHand(sealed, SECRET, "store", context), "text");
  }
});

test("R-123 no key seals two contexts: with the AAD of the other one a text does not open either", async () => {
  const { seal } = sealer();
  const id = (await seal("", "a")).slice(2, 10);
  const noted: { key: unknown; aad: string }[] = [];
  const { encrypt } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.encrypt = function (algorithm, key, data) {
    const { additionalData } = algorithm as AesGcmParams;
    noted.push({ key, aad: new TextDecoder().decode(additionalData) });
    return encrypt.call(this, algorithm, key, data);
  };
  const sealed: string[] = [];
  try {
    for (const context of ["a", "b"]) sealed.push(await seal("text", context));
  } finally {
    SubtleCrypto.prototype.encrypt = encrypt;
  }
  assertEquals(noted.map(({ aad }) => aad), [`1.${id}.a`, `1.${id}.b`]);
  const [a, b] = noted.map(({ key }) => key as CryptoKey);
  const bytes = Uint8Array.from(
    atob(sealed[0]!.slice(11).replaceAll("-", "+").replaceAll("_", "/")),
    (char) => char.charCodeAt(0),
  );
  const openWith = (key: CryptoKey) =>
    crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: bytes.subarray(0, 12),
        additionalData: new TextEncoder().encode(noted[0]!.aad),
      },
      key,
      bytes.subarray(12),
    ).then(() => "opened", () => "refused");
  assertEquals([await openWith(a!), await openWith(b!)], ["opened", "refused"]);
});

/** What is no secret. */
const NO_SECRETS: Readonly<Record<string, unknown>> = {
  "undefined": undefined,
  "null": null,
  "empty": "",
  "blank": " ".repeat(40),
  "31 bytes": SECRET.slice(1),
  "31 bytes between spaces": ` ${SECRET.slice(1)} `,
  "one character": "a".repeat(64),
  "two characters": "ab".repeat(32),
  "a text repeated": "s3cr3t!K".repeat(8),
  "few characters": "abcabbacabcbbacbbcabcbacbabcbabcbabcab",
  "a variable that is not set": `undefined${SECRET}`,
  "an example": "this-is-an-example-Secret-of-length-40-chars",
  "change me": "please-change-me-before-you-deploy-this-app!",
  "a placeholder": "<placeholder for a real value, 32 bytes min>",
  "your": "your-32-byte-cookie-key-goes-right-here-now",
  "a password": "Password1!Password2!Password3!Password4!",
  "digits in order": "01234567890123456789012345678901ABCDEFG",
  "letters in order": "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKL",
  "a number": 12345678901234567890,
  "bytes": new Uint8Array(32).fill(7),
  "an object": { secret: SECRET },
  "no secret": [],
  "a bad one among good ones": [SECRET, "short"],
  "a list in a list": [[SECRET]],
  "a hole": new Array(1),
};
for (const [name, secret] of Object.entries(NO_SECRETS)) {
  test(`R-175 no secret: ${name}`, () => {
    const error = thrown(() => createSealer(secret as string, "test", "cookieSecret"));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", "cookieSecret"]);
    assertStringIncludes(error.message, "32 random bytes");
    assert(!error.message.includes(SECRET.slice(1)), error.message);
  });
}

test("R-175 random bytes are a secret in hexadecimal, base64 and base64url", () => {
  for (let i = 0; i < 500; i++) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const base64 = btoa(String.fromCharCode(...bytes));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    for (const secret of [hex, base64, base64.replaceAll("+", "-").replaceAll("/", "_").replace("=", "")]) {
      sealer(secret);
    }
  }
});

test("R-189 a megabyte is judged as a secret, and refused as a sealed text, in no time", async () => {
  const start = performance.now();
  for (const one of ["ab", "a", "1.", "A", "=", " "]) {
    const long = one.repeat(1_000_000 / one.length);
    thrown(() => sealer(long));
    assertEquals(await sealer().open(`1.AAAAAAAA.${long}!`, ""), undefined);
    assertEquals(await sealer().open(long, ""), undefined);
  }
  assert(performance.now() - start < 5_000);
});

test("R-121 R-196 whatever the text and the context, it opens there alone", async () => {
  const { seal, open } = sealer([SECRET, OLD]);
  const text = fc.string({ unit: "binary" });
  await fc.assert(
    fc.asyncProperty(text, text, text, fc.string(), async (text, context, other, junk) => {
      const sealed = await seal(text, context);
      assertEquals(await open(sealed, context), text);
      if (other !== context) assertEquals(await open(sealed, other), undefined);
      assertEquals(await open(junk, context), undefined);
    }),
    { numRuns: 200 },
  );
});

test("R-121 R-196 wherever it is cut or a bit of it is flipped, a text of any length does not open", async () => {
  const { seal, open } = sealer();
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 40 }), fc.nat(), fc.nat(), async (text, place, bit) => {
      const sealed = await seal(text, "key");
      assertEquals(await open(sealed.slice(0, place % sealed.length), "key"), undefined);
      const at = place % sealed.length;
      const flipped = String.fromCharCode(sealed.charCodeAt(at) ^ (1 << (bit % 7)));
      assertEquals(await open(sealed.slice(0, at) + flipped + sealed.slice(at + 1), "key"), undefined);
    }),
    { numRuns: 200 },
  );
});
