/** What a sign-in is made of, row Z1, RFC 7636 appendix B. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { decodeBase64Url } from "../src/crypto/base64url_decode.ts";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import { sha256 } from "../src/crypto/digest.ts";
import { generatePkceCodes, hashNonce, randomToken } from "../src/crypto/pkce.ts";
import { sameText } from "../src/crypto/same_text.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

test("R-026 a verifier has 43 unreserved characters of 32 random bytes, and S256 of it is the challenge", async () => {
  const { verifier, challenge } = await generatePkceCodes();
  assertMatch(verifier, /^[A-Za-z0-9_-]{43}$/);
  assertEquals(decodeBase64Url(verifier)?.length, 32);
  assertEquals(challenge, await sha256(verifier));
  assertNotEquals(challenge, verifier);
});

test("R-026 the challenge of RFC 7636 appendix B comes out", async () => {
  assertEquals(
    await sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

test("R-026 R-027 no value comes twice", async () => {
  const codes = await Promise.all(Array.from({ length: 200 }, generatePkceCodes));
  const tokens = Array.from({ length: 200 }, () => randomToken(16));
  assertEquals(new Set([...codes.map(({ verifier }) => verifier), ...tokens]).size, 400);
  assert(tokens.every((token) => token.length === 22));
  assertEquals(randomToken().length, 43);
});

test("Z1 the nonce on the wire is the lower-case hexadecimal SHA-256 of the one that is kept", async () => {
  assertEquals(
    await hashNonce("IgpxlbdBfJEqjWmV"),
    "740c12bcb452ae1220c297466e10eb7a6c0fb9612ba12eb5e73716f83f3faf0d",
  );
});

const PAIRS: Readonly<Record<string, [string, string, boolean]>> = {
  "the same": ["state", "state", true],
  "both empty": ["", "", true],
  "one empty": ["", "state", false],
  "the first character": ["xtate", "state", false],
  "the last character": ["statx", "state", false],
  "longer": ["state", "statestate", false],
  "shorter": ["state", "stat", false],
  "case": ["State", "state", false],
  "composed differently": ["\u00e9", "e\u0301", false],
};
for (const [name, [a, b, same]] of Object.entries(PAIRS)) {
  test(`R-174 texts are compared: ${name}`, async () => {
    assertEquals(await sameText(a, b), same);
    assertEquals(await sameText(b, a), same);
  });
}

test("R-174 R-196 whatever the texts, they are the same where they are equal", async () => {
  const text = fc.string({ unit: "grapheme", maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(text, text, async (a, b) => assertEquals(await sameText(a, b), a === b)),
    { numRuns: 200 },
  );
});

for (
  const text of ["A", "AA==", "AA=", "A A", "+A", "/A", "é", "AB", "AAB", "AAAAA", "AAAA\n", "\u0000AAA"]
) {
  test(`R-196 base64url is read in one spelling: ${JSON.stringify(text)} is none`, () => {
    assertEquals(decodeBase64Url(text), undefined);
  });
}

test("R-196 whatever the bytes, they come back; whatever the text, it is the bytes' own or is refused", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    assertEquals([...decodeBase64Url(encodeBase64Url(bytes)) ?? []], [...bytes]);
  }));
  const text = fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[\w-]{0,9}$/));
  fc.assert(fc.property(text, (text) => {
    const bytes = decodeBase64Url(text);
    assert(bytes === undefined || encodeBase64Url(bytes) === text, text);
  }));
});
