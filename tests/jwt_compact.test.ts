/** The reader of compact tokens: strict in every part (R-093, R-094, R-099..R-101), and never another error than ours. */
import { assert, assertEquals } from "@std/assert";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import { decodeBase64Url } from "../src/crypto/base64url_decode.ts";
import { decodeJsonPart, type JwtFault, parseCompact } from "../src/jwt/compact.ts";
import { encodeJson, encodeText } from "./support/id_tokens.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

class Refused extends Error {
  readonly fault: JwtFault;
  constructor(fault: JwtFault) {
    super(fault);
    this.fault = fault;
  }
}
const fail = (fault: JwtFault): never => {
  throw new Refused(fault);
};
function faultOf(text: unknown): string {
  try {
    parseCompact(text, fail);
    return "read";
  } catch (error) {
    assert(error instanceof Refused, String(error));
    return error.fault;
  }
}

const token = (header: unknown, claims: unknown = {}, signature = "AA"): string =>
  `${encodeJson(header)}.${encodeJson(claims)}.${signature}`;

const ROWS: [string, unknown, string][] = [
  ["the least", token({ alg: "x" }), "read"],
  ["a kid", token({ alg: "x", kid: "k" }), "read"],
  ["a kid of 256 characters", token({ alg: "x", kid: "k".repeat(256) }), "read"],
  ["a kid of 257 characters", token({ alg: "x", kid: "k".repeat(257) }), "header_refused"],
  ["crit null", token({ alg: "x", crit: null }), "header_refused"],
  ["b64 true", token({ alg: "x", b64: true }), "header_refused"],
  ["zip null", token({ alg: "x", zip: null }), "header_refused"],
  [
    "members of an inherited name",
    `${encodeText('{"alg":"x","__proto__":{"crit":1}}')}.${encodeJson({})}.AA`,
    "read",
  ],
  [
    "an inherited alg",
    `${encodeText('{"__proto__":{"alg":"x"}}')}.${encodeJson({})}.AA`,
    "algorithm_refused",
  ],
  ["an empty header object", token({}), "algorithm_refused"],
  ["a header list", token([]), "malformed"],
  ["a header null", token(null), "malformed"],
  ["an empty header", `.${encodeJson({})}.AA`, "malformed"],
  ["an empty payload", `${encodeJson({ alg: "x" })}..AA`, "malformed"],
  ["alg twice", `${encodeText('{"alg":"x","alg":"x"}')}.${encodeJson({})}.AA`, "malformed"],
  [
    "a claim twice, once with a space",
    `${encodeJson({ alg: "x" })}.${encodeText('{"a":1,"a" :2}')}.AA`,
    "malformed",
  ],
  [
    "a claim twice, once over two lines",
    `${encodeJson({ alg: "x" })}.${encodeText('{"a":1,"a"\n:2}')}.AA`,
    "malformed",
  ],
  [
    "white space wherever it may be",
    `${encodeJson({ alg: "x" })}.${encodeText(' { "a" : 1 ,\n"b"\t: ":" }')}.AA`,
    "read",
  ],
  ["a signature of one character", token({ alg: "x" }, {}, "A"), "malformed"],
  ["stray bits in the signature", token({ alg: "x" }, {}, "AB"), "malformed"],
  ["stray bits in the header", token({ alg: "x" }).replace(/^(.*?).\./, "$1B."), "malformed"],
  ["a colon in a text", token({ alg: "x" }, { "a:b": ':"{' }), "read"],
  ["a quote escaped at the end of a text", token({ alg: "x" }, { a: '\\"', b: "\\" }), "read"],
  ["a token in a token", token({ alg: "x" }, { a: { b: { a: 1 } } }), "read"],
  ["sixteen thousand dots", ".".repeat(16_000), "malformed"],
  [
    "sixteen thousand brackets",
    `${encodeJson({ alg: "x" })}.${encodeText("[".repeat(6_000) + "]".repeat(6_000))}.AA`,
    "malformed",
  ],
  [
    "an object as deep as it goes",
    `${encodeJson({ alg: "x" })}.${encodeText('{"a":'.repeat(2_000) + "1" + "}".repeat(2_000))}.AA`,
    "?",
  ],
];
for (const [what, text, fault] of ROWS) {
  test(`R-099 R-100 R-101 ${what}: ${fault}`, () => {
    const found = faultOf(text);
    if (fault === "?") assert(found === "read" || found === "malformed", found);
    else assertEquals(found, fault);
  });
}

test("R-100 16 KiB are read, one character more is not", () => {
  const padded = (length: number): string => {
    const head = `${encodeJson({ alg: "x" })}.${encodeJson({})}.`;
    return head + "A".repeat(length - head.length);
  };
  const lengths = [16_384, 16_383, 16_382, 16_381].map((length) => faultOf(padded(length)));
  assert(lengths.includes("read"));
  assert([16_385, 16_386, 16_387, 16_388].every((length) => faultOf(padded(length)) === "malformed"));
});

test("R-099 property: bytes come back, and no other text decodes to them", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assertEquals([...decodeBase64Url(encodeBase64Url(bytes))!], [...bytes]);
  }));
  fc.assert(fc.property(fc.string(), (text) => {
    const bytes = decodeBase64Url(text);
    assert(bytes === undefined || encodeBase64Url(bytes) === text);
  }));
});

test("R-101 property: JSON objects come back; with any member written twice they do not", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
    const json = JSON.stringify(value);
    const read = decodeJsonPart(encodeText(json));
    assertEquals(JSON.stringify(read), JSON.stringify(JSON.parse(json)));
    for (const name of Object.keys(value)) {
      const twice = json.replace("{", () => `{${JSON.stringify(name)}:1,`);
      assertEquals(decodeJsonPart(encodeText(twice)), undefined);
    }
  }));
});

test("R-196 property: anything is read or refused, and nothing else is thrown", () => {
  fc.assert(fc.property(fc.anything(), (value) => void faultOf(value)));
  const part = fc.oneof(fc.string(), fc.jsonValue().map(encodeJson), fc.string().map(encodeText));
  fc.assert(fc.property(fc.array(part, { maxLength: 6 }), (parts) => void faultOf(parts.join("."))));
});
