/**
 * Project Wycheproof's vectors for JSON Web Signatures and keys. Their payloads are no claims, so each goes by the parts that
 * verify a token: the reader of its header, the key set and the verifier.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeBinary } from "../src/crypto/base64url_decode.ts";
import { decodeJsonPart, type JsonObject } from "../src/jwt/compact.ts";
import { readKeySet, selectKey } from "../src/jwt/key_set.ts";
import { SignatureVerifier } from "../src/jwt/signature.ts";
import { test } from "./support/suite.ts";
import confusions from "./vectors/json_web_crypto_test.json" with { type: "json" };
import keys from "./vectors/json_web_key_test.json" with { type: "json" };
import signatures from "./vectors/json_web_signature_test.json" with { type: "json" };

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly jws: unknown;
  readonly result: string;
}

interface Group {
  readonly comment: string;
  readonly private?: JsonObject;
  readonly public?: JsonObject;
  readonly tests: readonly Vector[];
}

const SYMMETRIC = "its key is symmetric: nobody's tokens are verified with one here (R-091)";
const OTHER_ALG = "its key is said to be for another algorithm than the token's";
const ROCA =
  "a key's prime factors are not looked at, as no runtime does: whoever can set an authority's keys needs no weak one";

const ENCRYPTED = "it is encrypted, a JWE: no authority of this library encrypts its tokens";

/** Valid ones that are refused, and invalid ones that are not, each with the reason. */
const DEVIATIONS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  signature: {
    1: SYMMETRIC,
    346: OTHER_ALG,
    347: OTHER_ALG,
    348: SYMMETRIC,
    350: OTHER_ALG,
    351: OTHER_ALG,
    352: SYMMETRIC,
    ...Object.fromEntries([357, 358, 359, 372, 373, 376, 377].map((id) => [id, SYMMETRIC])),
  },
  crypto: { 1: SYMMETRIC, 46: ROCA, 48: SYMMETRIC, 50: ENCRYPTED, 67: ENCRYPTED },
  key: { 2: SYMMETRIC, 7: ROCA, 13: SYMMETRIC, 14: SYMMETRIC, 15: SYMMETRIC },
};

const refuse = (why: string): never => {
  throw new Error(why);
};

async function isAccepted({ jws }: Vector, key: JsonObject): Promise<boolean> {
  const parts = typeof jws === "string" ? jws.split(".") : [];
  const [header = "", payload = "", last = ""] = parts;
  const { alg, kid, crit } = decodeJsonPart(header) ?? {};
  const signature = decodeBinary(last);
  if (parts.length !== 3 || !signature || decodeBinary(payload) === undefined || crit !== undefined) {
    return false;
  }
  const token = {
    alg: `${alg}`,
    kid: kid as string | undefined,
    typ: undefined,
    claims: {},
    signed: `${header}.${payload}`,
    signature,
  };
  try {
    const found = selectKey(readKeySet("keys" in key ? key : { keys: [key] }, refuse), token, refuse);
    return found !== undefined &&
      await new SignatureVerifier(token.alg, found.kind, found.jwk).verifies(token);
  } catch (error) {
    assert(/^(?:it has no usable key|key_ambiguous)$/.test((error as Error).message), String(error));
    return false;
  }
}

const FILES = {
  signature: signatures.testGroups,
  key: keys.testGroups,
  crypto: confusions.testGroups,
} as unknown as Record<
  string,
  readonly Group[]
>;

for (const [name, groups] of Object.entries(FILES)) {
  const deviations = DEVIATIONS[name]!;
  for (const [index, group] of groups.entries()) {
    test(`Wycheproof JSON Web ${name} ${index}: ${group.comment}`, async () => {
      for (const vector of group.tests) {
        const { tcId, comment, result } = vector;
        const accepted = await isAccepted(vector, group.public ?? group.private ?? {});
        const deviates = accepted !== (result === "valid");
        assertEquals(deviates, Object.hasOwn(deviations, tcId), `${tcId} ${comment}: ${accepted}`);
      }
    });
  }
  test(`Wycheproof JSON Web ${name}: each deviation is of a vector`, () => {
    const ids = groups.flatMap(({ tests }) => tests.map(({ tcId }) => `${tcId}`));
    assertEquals(Object.keys(deviations).filter((id) => !ids.includes(id)), []);
  });
}
