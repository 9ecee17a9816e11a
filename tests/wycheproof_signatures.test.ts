/**
 * Project Wycheproof's vectors for the signatures of tokens, RS256, PS256 and ES256, by the verifier on each runtime. Messages that
 * are no text cannot be what a JWS signs, and are counted.
 */
import { assertEquals } from "@std/assert";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import { decodeBinary } from "../src/crypto/base64url_decode.ts";
import { readKeySet, selectKey } from "../src/jwt/key_set.ts";
import { SignatureVerifier } from "../src/jwt/signature.ts";
import { test } from "./support/suite.ts";
import es256 from "./vectors/ecdsa_secp256r1_sha256_p1363_test.json" with { type: "json" };
import ps256 from "./vectors/rsa_pss_2048_sha256_mgf1_32_test.json" with { type: "json" };
import rs256 from "./vectors/rsa_signature_2048_sha256_test.json" with { type: "json" };

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: string;
}

interface Group {
  readonly publicKey: Readonly<Record<"modulus" | "publicExponent" | "wx" | "wy", string | undefined>>;
  readonly tests: readonly Vector[];
}

/** A missing NULL in the encoding of the hash, which PKCS #1 allows and no runtime takes. */
const REFUSED_THOUGH_ACCEPTABLE: Readonly<Record<string, readonly number[]>> = { RS256: [8] };

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function textOf(hex: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(hex));
  } catch {
    return undefined;
  }
}

/** The set's own JWKs leave zeros out where RFC 7518 section 6.2.1.2 wants them. */
function keyOf({ publicKey: { modulus, publicExponent, wx, wy } }: Group): JsonWebKey {
  const number = (hex = "", bytes = 0): string =>
    encodeBase64Url(bytesOf(hex.replace(/^(?:00)+/, "").padStart(2 * bytes, "0")));
  return modulus === undefined
    ? { kty: "EC", crv: "P-256", x: number(wx, 32), y: number(wy, 32) }
    : { kty: "RSA", n: number(modulus), e: number(publicExponent) };
}

async function isAccepted(alg: string, group: Group, vector: Vector, signed: string): Promise<boolean> {
  const refuse = (why: string): never => {
    throw new Error(why);
  };
  const signature = decodeBinary(encodeBase64Url(bytesOf(vector.sig))) ?? "";
  const token = { alg, kid: undefined, typ: undefined, claims: {}, signed, signature };
  const found = selectKey(readKeySet({ keys: [keyOf(group)] }, refuse), token, refuse);
  return found !== undefined && await new SignatureVerifier(alg, found.kind, found.jwk).verifies(token);
}

/** Of each set: how many vectors there are, and how many of their messages are text. */
const FILES = { RS256: [rs256, 259, 258], PS256: [ps256, 108, 107], ES256: [es256, 262, 262] } as const;
for (const [alg, [file, count, expectedTexts]] of Object.entries(FILES)) {
  test(`Wycheproof ${alg}: ${expectedTexts} of ${count} signatures are judged as they should be`, async () => {
    const groups = file.testGroups as unknown as readonly Group[];
    const wrong: string[] = [];
    let texts = 0;
    for (const group of groups) {
      for (const vector of group.tests) {
        const signed = textOf(vector.msg);
        if (signed === undefined) continue;
        texts++;
        const accepted = await isAccepted(alg, group, vector, signed);
        const refusable = REFUSED_THOUGH_ACCEPTABLE[alg]?.includes(vector.tcId);
        const expected = vector.result === "valid" || (vector.result === "acceptable" && !refusable);
        if (accepted !== expected) wrong.push(`${vector.tcId} ${vector.comment}: ${accepted}`);
      }
    }
    assertEquals([wrong, texts, file.numberOfTests], [[], expectedTexts, count]);
  });
}
