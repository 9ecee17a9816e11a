/** Why an API refused: RFC 9110 section 11.6.1, R-188, R-189, R-195, R-196, R-204, section 3.1.8 of MSAL.NET. */
import { assert, assertEquals } from "@std/assert";
import {
  type ChallengeSource,
  claimsChallengeOf,
  parseWwwAuthenticate,
} from "../src/request/www_authenticate.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

/** A challenge as a list: the scheme, what stands instead of parameters, the parameters. */
type Plain = [string, string | undefined, Record<string, string>];

const parse = (header: string): Plain[] =>
  parseWwwAuthenticate(header).map(({ scheme, token68, parameters }) => [
    scheme,
    token68,
    { ...parameters } as Record<string, string>,
  ]);

/** A header and its challenges. */
const HEADERS: Readonly<Record<string, [string, ...Plain[]]>> = {
  "nothing": [""],
  "blank": [" \t "],
  "a scheme alone": ["Bearer", ["Bearer", undefined, {}]],
  "a scheme and a space": ["Bearer ", ["Bearer", undefined, {}]],
  "one parameter": ['Bearer realm="x"', ["Bearer", undefined, { realm: "x" }]],
  "a token": ["Bearer error=invalid_token", ["Bearer", undefined, { error: "invalid_token" }]],
  "several": ['Bearer a=1, b="2",c=3', ["Bearer", undefined, { a: "1", b: "2", c: "3" }]],
  "spaces around the sign": ['Bearer a = "1" , b =2', ["Bearer", undefined, { a: "1", b: "2" }]],
  "names in capitals": ['bearer Error="X"', ["bearer", undefined, { error: "X" }]],
  "an empty value": ['Bearer realm="", error="e"', ["Bearer", undefined, { realm: "", error: "e" }]],
  "commas and signs in quotes": ['Bearer a="1, Basic b=2"', ["Bearer", undefined, { a: "1, Basic b=2" }]],
  "escapes": ['Bearer a="say \\"hi\\" \\\\ \\x"', ["Bearer", undefined, { a: 'say "hi" \\ x' }]],
  "an escaped quote at the end": ['Bearer a="x\\"", b=1', ["Bearer", undefined, { a: 'x"', b: "1" }]],
  "empty members of the list": [",, Bearer a=1,, ,b=2,", ["Bearer", undefined, { a: "1", b: "2" }]],
  "two challenges": [
    'Bearer realm="x", error="e", Basic realm="y"',
    ["Bearer", undefined, { realm: "x", error: "e" }],
    ["Basic", undefined, { realm: "y" }],
  ],
  "the challenges of RFC 9110": [
    'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
    ["Basic", undefined, { realm: "simple" }],
    ["Newauth", undefined, { realm: "apps", type: "1", title: 'Login to "apps"' }],
  ],
  "a scheme alone before another": [
    "Negotiate, NTLM, Basic realm=x",
    ["Negotiate", undefined, {}],
    ["NTLM", undefined, {}],
    ["Basic", undefined, { realm: "x" }],
  ],
  "token68": [
    "Negotiate YWJj/+-._~==, Basic realm=x",
    ["Negotiate", "YWJj/+-._~==", {}],
    ["Basic", undefined, { realm: "x" }],
  ],
  "token68 with one sign": ["Negotiate YWJ=", ["Negotiate", "YWJ=", {}]],
  "token68 without one": ["NTLM TlRM", ["NTLM", "TlRM", {}]],
  "base64 without quotes": ["Bearer claims=eyJ/+==, a=1", ["Bearer", undefined, {
    claims: "eyJ/+==",
    a: "1",
  }]],
  "a URL without quotes": [
    "Bearer authorization_uri=https://login.example/common/oauth2/authorize, error=e",
    ["Bearer", undefined, { authorization_uri: "https://login.example/common/oauth2/authorize", error: "e" }],
  ],
  "the first of two of a name": ['Bearer a="1", A="2"', ["Bearer", undefined, { a: "1" }]],
  "a parameter before any scheme": ["a=1, Bearer b=2", ["Bearer", undefined, { b: "2" }]],
  "a string that does not end": ['Bearer a=1, b="x, Basic c=2', ["Bearer", undefined, { a: "1" }]],
  "a string that ends in an escape": ['Bearer b="x\\', ["Bearer", undefined, {}]],
  "junk between": ["Bearer a=1, ;;;, @, b=2", ["Bearer", undefined, { a: "1", b: "2" }]],
  "resource_metadata (RFC 9728)": [
    'Bearer resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
    ["Bearer", undefined, { resource_metadata: "https://api.example/.well-known/oauth-protected-resource" }],
  ],
};
for (const [name, [header, ...challenges]] of Object.entries(HEADERS)) {
  test(`a header is split: ${name}`, () => assertEquals(parse(header), challenges));
}

test("R-188 parameters have no prototype, and no name is special", () => {
  const [challenge] = parseWwwAuthenticate('Bearer __proto__="x", constructor=y, hasOwnProperty=z');
  assertEquals(Object.getPrototypeOf(challenge!.parameters), null);
  assertEquals(Object.keys(challenge!.parameters), ["__proto__", "constructor", "hasownproperty"]);
  assertEquals([challenge!.parameters.tostring, challenge!.parameters.__proto__], [undefined, "x"]);
});

test("R-204 a header is read from headers and from responses, real and foreign, and joined where there are several", () => {
  const headers = new Headers([["www-authenticate", "Basic realm=a"], [
    "WWW-Authenticate",
    "Bearer error=b",
  ]]);
  const sources: ChallengeSource[] = [
    headers,
    new Response(null, { status: 401, headers }),
    { get: () => "Basic realm=a, Bearer error=b" },
    { headers: { get: () => "Basic realm=a, Bearer error=b" } },
  ];
  for (const source of sources) {
    assertEquals(parseWwwAuthenticate(source).map(({ scheme }) => scheme), ["Basic", "Bearer"]);
  }
  assertEquals(parseWwwAuthenticate(new Response()), []);
});

const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"},"name":{"value":"é>?"}}}';
const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const base64url = (text: string): string =>
  base64(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const caeOf = (claims: string, error = "insufficient_claims"): string =>
  `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ` +
  `error="${error}", claims="${claims}"`;

/** Headers with claims. */
const ASKED: Readonly<Record<string, string>> = {
  "base64": caeOf(base64(CLAIMS)),
  "base64url": caeOf(base64url(CLAIMS)),
  "base64 without padding": caeOf(base64(CLAIMS).replaceAll("=", "")),
  "base64url with padding": caeOf(base64(CLAIMS).replaceAll("+", "-").replaceAll("/", "_")),
  "without quotes": `Bearer error=insufficient_claims, claims=${base64(CLAIMS)}`,
  "in another order and case": `BEARER Claims="${base64(CLAIMS)}",ERROR="insufficient_claims"`,
  "interaction_required": caeOf(base64(CLAIMS), "interaction_required"),
  "after other challenges": `Negotiate abc==, DPoP algs="ES256", ${caeOf(base64(CLAIMS))}`,
  "for a token that is bound": caeOf(base64(CLAIMS)).replace("Bearer", "DPoP"),
  "for a signed request, in another case": caeOf(base64(CLAIMS)).replace("Bearer", "pop"),
  "among several schemes": `Bearer realm="", DPoP error="insufficient_claims", claims="${base64(CLAIMS)}"`,
  "after one that is broken": `${caeOf("!")}, ${caeOf(base64(CLAIMS))}`,
};
for (const [name, header] of Object.entries(ASKED)) {
  test(`R-195 claims are found: ${name}`, () => {
    assertEquals(claimsChallengeOf(header), CLAIMS);
    const response = new Response(null, { status: 401, headers: { "www-authenticate": header } });
    assertEquals(claimsChallengeOf(response), CLAIMS);
  });
}

/** Headers without claims that can be used. */
const NOT_ASKED: Readonly<Record<string, string>> = {
  "nothing": "",
  "no claims": 'Bearer error="insufficient_claims"',
  "empty claims": caeOf(""),
  "another error": caeOf(base64(CLAIMS), "invalid_token"),
  "no error": `Bearer claims="${base64(CLAIMS)}"`,
  "another scheme": caeOf(base64(CLAIMS)).replace("Bearer", "Basic"),
  "a scheme that begins alike": caeOf(base64(CLAIMS)).replace("Bearer", "BearerX"),
  "a scheme that ends alike": caeOf(base64(CLAIMS)).replace("Bearer", "xPoP"),
  "no base64": caeOf("!!!"),
  "plain JSON": caeOf(CLAIMS.replaceAll('"', '\\"')),
  "no JSON": caeOf(base64("claims")),
  "half an object": caeOf(base64(CLAIMS.slice(0, -1))),
  "a list": caeOf(base64("[]")),
  "null": caeOf(base64("null")),
  "a text": caeOf(base64('"x"')),
  "no UTF-8": caeOf(btoa('{"a":"\xff\xfe"}')),
  "deep": caeOf(base64(`{"a":${"[".repeat(8_000)}${"]".repeat(8_000)}}x`)),
  "too much": caeOf(base64(`{"a":"${"x".repeat(40_000)}"}`)),
  "a challenge in a string": `Basic realm="${caeOf("x").replaceAll('"', "'")}"`,
};
for (const [name, header] of Object.entries(NOT_ASKED)) {
  test(`R-195 no claims: ${name}`, () => assertEquals(claimsChallengeOf(header), undefined));
}

test("R-189 a long header, of whatever it is made, is split in no time", () => {
  const pieces = [
    "a",
    " ",
    "=",
    ",",
    '"',
    "\\",
    "a=",
    "a =",
    "a ",
    "a,",
    'a="',
    'a="x',
    'a="\\',
    '\\"',
    'a="",',
    "Bearer ",
    "Bearer a==, ",
    "a b=c ",
    "\t",
    "a\t=\t",
    "é",
    "a;",
  ];
  const start = performance.now();
  for (const head of ["", "Bearer ", 'Bearer a="', "Bearer a", "Bearer a="]) {
    for (const piece of pieces) {
      for (const tail of ["", "!", '"', "x", "="]) {
        parseWwwAuthenticate(head + piece.repeat(20_000 / piece.length) + tail);
      }
    }
  }
  for (const piece of pieces) claimsChallengeOf(caeOf(piece.repeat(1_000_000 / piece.length)));
  assert(performance.now() - start < 15_000, `${performance.now() - start} ms`);
});

const token = fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,8}$/);
test("R-196 whatever challenges are written, they are read", () => {
  const value = fc.string({ maxLength: 12 });
  const names = fc.uniqueArray(token.map((name) => name.toLowerCase()), { minLength: 1, maxLength: 4 });
  const challenge = fc.tuple(token, names, fc.array(value, { minLength: 4, maxLength: 4 }));
  fc.assert(fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
    const header = challenges.map(([scheme, names, values]) => {
      const quoted = names.map((name, i) => `${name}="${values[i]!.replace(/[\\"]/g, "\\$&")}"`);
      return `${scheme} ${quoted.join(", ")}`;
    });
    assertEquals(
      parse(header.join(", ")),
      challenges.map(([scheme, names, values]) => [
        scheme,
        undefined,
        Object.fromEntries(names.map((name, i) => [name, values[i]!])),
      ]),
    );
  }));
});

test("R-196 whatever the header, nothing throws", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "Bearer",
      "claims",
      "error",
      "insufficient_claims",
      "=",
      '"',
      "\\",
      ",",
      " ",
      base64(CLAIMS),
    ),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece).map((pieces) => pieces.join("")), (header) => {
      for (const { scheme, parameters } of parseWwwAuthenticate(header)) {
        assert(scheme !== "");
        for (const [name, value] of Object.entries(parameters)) {
          assertEquals([name.toLowerCase(), typeof value], [name, "string"]);
        }
      }
      const claims = claimsChallengeOf(header);
      if (claims !== undefined) JSON.parse(claims);
    }),
    { numRuns: 2_000 },
  );
});
