/** ID tokens that are right (R-053..R-085), what is optional in them, and who a user is (R-050, R-051, R-083..R-086). */
import { assert, assertEquals } from "@std/assert";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import type { IdTokenClaims } from "../src/request/id_token_claims.ts";
import {
  homeAccountIdOf,
  isEmailVerified,
  isGroupOverage,
  readClientInfo,
} from "../src/token/entra_identity.ts";
import type { ExpectedIdToken } from "../src/token/id_token.ts";
import { settle } from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import {
  CLIENT,
  codeOf,
  CORRELATION,
  encodeJson,
  encodeText,
  entra,
  entraFixture,
  type FixtureOptions,
  goodClaims,
  HOME,
  type KeyName,
  keyPair,
  keySet,
  MSA,
  NONCE,
  OID,
  oidc,
  OIDC_ISSUER,
  OTHER,
  type Shape,
  SHAPES,
  signParts,
  signToken,
  tokenFixture,
} from "./support/id_tokens.ts";
import { fc } from "./support/property.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const NOW = Math.floor(new FakeClock().now() / 1000);

interface Row {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly expected?: Partial<ExpectedIdToken>;
  readonly options?: FixtureOptions;
}

async function outcome(shape: Shape, { claims, header, expected, options }: Row): Promise<string> {
  const one = await entraFixture(shape, options);
  const token = await signToken({ ...one.claims, ...claims }, header);
  return await codeOf(
    one.validator.validate(token, { ...one.expected, ...expected }, CORRELATION, undefined),
  );
}

const halfHash = async (text: string, bits = 256): Promise<string> => {
  const digest = await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(text));
  return encodeBase64Url(new Uint8Array(digest).subarray(0, bits / 16));
};

const ACCEPTED: [string, Row | (() => Promise<Row>)][] = [
  ["R-055 aud a list of the client alone", { claims: { aud: [CLIENT] } }],
  ["aud in lower case for a client configured in capitals", { options: { clientId: CLIENT.toUpperCase() } }],
  ["R-056 azp of the client", { claims: { azp: CLIENT } }],
  ["R-057 sub of 255 characters", { claims: { sub: "s".repeat(255) } }],
  ["R-059 iat almost a day ago", { claims: { iat: NOW - 86_400 } }],
  ["R-060 exp a minute ago", { claims: { exp: NOW - 60 } }],
  ["R-061 nbf in 30 seconds", { claims: { nbf: NOW + 30 } }],
  ["R-061 no nbf", { claims: { nbf: undefined } }],
  ["R-062 times with fractions", { claims: { exp: NOW + 1.5, iat: NOW - 0.5 } }],
  ["R-063 no nonce where none is expected", { claims: { nonce: undefined }, expected: { nonce: undefined } }],
  ["R-067 auth_time within max_age", {
    claims: { auth_time: NOW - 3_600 },
    expected: { maxAgeSeconds: 3_600 },
  }],
  ["R-067 an essential acr", {
    claims: { acr: "c1" },
    expected: { essential: [{ name: "acr", values: ["c0", "c1"] }] },
  }],
  ["R-067 an essential class among acrs", {
    claims: { acrs: ["x", "c1"] },
    expected: { essential: [{ name: "acrs", values: ["c1"] }] },
  }],
  ["R-067 essential claims without a value", {
    claims: { acr: "0", auth_time: NOW - 5 },
    expected: { essential: [{ name: "acr", values: [] }, { name: "auth_time", values: [] }] },
  }],
  ["R-068 at_hash without an access token", { claims: { at_hash: "x" } }],
  ["R-068 neither hash", { expected: { accessToken: "AT", code: "CODE" } }],
  ["R-068 both hashes", async () => ({
    claims: { at_hash: await halfHash("AT"), c_hash: await halfHash("CODE") },
    expected: { accessToken: "AT", code: "CODE" },
  })],
  ["R-076 a key of no issuer and no cloud", { header: { kid: "plain" } }],
  ["R-076 a key of a blank issuer", { header: { kid: "blank" } }],
  ["R-079 any tenant", { options: { allowedTenants: "any" } }],
  ["R-079 the tenant among others, in capitals", {
    options: { allowedTenants: [OTHER, HOME.toUpperCase(), MSA] },
  }],
  ["R-092 a header with keys of its own, signed by the right one", {
    header: { jku: "https://evil.example", x5u: "https://evil.example", x5t: "x", jwk: {} },
  }],
  ["no oid", { claims: { oid: undefined } }],
];
for (const shape of SHAPES) {
  for (const [name, row] of ACCEPTED) {
    test(`${name} is accepted: ${shape}`, async () => {
      assertEquals(await outcome(shape, typeof row === "function" ? await row() : row), "accepted");
    });
  }
}

test("R-078 a token of version 1 has the sts host of its cloud, and the same keys", async () => {
  const row = (tid: string): Row => ({ claims: { ver: "1.0", iss: `https://sts.windows.net/${tid}/` } });
  for (const shape of SHAPES) {
    assertEquals(await outcome(shape, row(shape === "consumers" ? MSA : HOME)), "accepted");
    assertEquals(
      await outcome(shape, { ...row(shape === "consumers" ? MSA : HOME), header: { kid: "foreign" } }),
      "id_token_key_issuer_mismatch",
    );
  }
});

test("R-071 tid may be in capitals, iss may not", async () => {
  assertEquals(await outcome("common", { claims: { tid: HOME.toUpperCase() } }), "accepted");
  const iss = `https://login.microsoftonline.com/${HOME.toUpperCase()}/v2.0`;
  assertEquals(await outcome("common", { claims: { iss } }), "id_token_issuer_mismatch");
});

test("R-075 common takes a personal account and any organisation", async () => {
  for (const tid of [MSA, HOME, OTHER]) {
    const claims = { tid, iss: `https://login.microsoftonline.com/${tid}/v2.0` };
    assertEquals(await outcome("common", { claims }), "accepted");
  }
});

test("R-077 where the document names no cloud, the key's is no rule", async () => {
  const one = await entraFixture("common");
  const expected = { ...one.expected, issuer: { ...one.expected.issuer, cloudInstanceName: undefined } };
  const token = await signToken(one.claims, { kid: "cloud" });
  assertEquals(await codeOf(one.validator.validate(token, expected, CORRELATION, undefined)), "accepted");
});

test("R-060 the tolerance is an option", async () => {
  const claims = { exp: NOW - 200 };
  assertEquals(await outcome("tenant", { claims, options: { clockToleranceSeconds: 201 } }), "accepted");
  assertEquals(
    await outcome("tenant", { claims: { exp: NOW }, options: { clockToleranceSeconds: 0 } }),
    "id_token_expired",
  );
});

test("R-111 a refreshed token: no nonce or the first one, the same user, the same auth_time", async () => {
  const previous = {
    ...goodClaims("tenant", new FakeClock()),
    auth_time: NOW - 60,
  } as unknown as IdTokenClaims;
  const refresh = { nonce: undefined, nonceOptional: true };
  const same = { auth_time: NOW - 60 };
  for (
    const row of [
      { claims: { ...same, nonce: undefined }, expected: { ...refresh, previous } },
      { claims: same, expected: { ...refresh, previous } },
      { claims: {}, expected: { ...refresh, previous } },
      { claims: { nonce: undefined }, expected: { nonceOptional: true, previous } },
      { claims: { nonce: "of somebody else's sign-in" }, expected: refresh },
    ]
  ) assertEquals(await outcome("tenant", row), "accepted");
});

test("R-188 claims are frozen own data properties, whatever their names are", async () => {
  const one = await entraFixture("tenant");
  const json = JSON.stringify(one.claims).replace(
    "{",
    '{"__proto__":{"admin":true},"constructor":"c","toString":"t","hasOwnProperty":"h","toJSON":"j","deep":{"list":[{}]},',
  );
  const token = await signParts(encodeJson({ alg: "RS256", kid: "main" }), encodeText(json));
  const claims = await one.validator.validate(token, one.expected, CORRELATION, undefined);
  assertEquals([Object.getPrototypeOf(claims), (claims as { admin?: boolean }).admin], [
    Object.prototype,
    undefined,
  ]);
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "toJSON", "sub"]) {
    assert(Object.getOwnPropertyDescriptor(claims, name)?.enumerable, name);
  }
  const { list } = claims["deep"] as { list: unknown[] };
  assert([claims, claims["deep"], list, list[0]].every(Object.isFrozen));
});

/** A generic issuer and its keys, of several kinds. */
async function generic(
  algorithms: readonly string[],
  changes: Record<string, unknown> = {},
  expected: Partial<ExpectedIdToken> = {},
) {
  const names: KeyName[] = ["main", "ec", "ec384", "ed"];
  const keys = await Promise.all(names.map(async (kid) => ({ ...(await keyPair(kid)).jwk, kid })));
  const one = tokenFixture(oidc, () => jsonResponse({ keys }), { clientId: "Client" });
  const issuer = {
    issuer: OIDC_ISSUER,
    jwksUri: `${OIDC_ISSUER}/keys`,
    issParameterSupported: false,
    algorithms,
  };
  const claims = { iss: OIDC_ISSUER, sub: "1", aud: "Client", iat: NOW, exp: NOW + 60, ...changes };
  const validate = async (name: KeyName, header = {}): Promise<string> => {
    const token = await signToken(claims, header, name);
    return await codeOf(
      one.validator.validate(token, { issuer, tenant: "realms/main", ...expected }, CORRELATION, undefined),
    );
  };
  return validate;
}

test("R-065 a generic issuer's algorithms are those that it announces", async () => {
  const all = await generic(["RS256", "ES256", "ES384", "Ed25519", "EdDSA"]);
  for (const name of ["main", "ec", "ec384", "ed"] as const) assertEquals(await all(name), "accepted");
  assertEquals(await all("ed", { alg: "EdDSA" }), "accepted");
  const some = await generic(["ES256"]);
  assertEquals(await some("ec"), "accepted");
  for (const name of ["main", "ec384", "ed"] as const) {
    assertEquals(await some(name), "id_token_algorithm_refused");
  }
});

test("R-095 a key of another kind than the algorithm needs is not selected", async () => {
  const all = await generic(["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256"]);
  for (
    const header of [{ alg: "ES256", kid: "ec384" }, { alg: "ES256", kid: "main" }, {
      alg: "EdDSA",
      kid: "ec",
    }]
  ) {
    assertEquals(await all("ec", header), "id_token_key_not_found");
  }
  for (
    const header of [{ alg: "RS256", kid: "ec" }, { alg: "ES512", kid: "ec" }, { alg: "HS256", kid: "main" }]
  ) {
    assertEquals(await all("main", header), "id_token_key_not_found");
  }
  for (const alg of ["RS512", "PS256"]) {
    assertEquals(await all("main", { alg }), "id_token_signature_invalid");
  }
});

test("R-068 at_hash is made with the hash of the token's algorithm", async () => {
  const algorithms = ["RS256", "ES384", "Ed25519"];
  for (const [name, bits] of [["main", 256], ["ec384", 384], ["ed", 512]] as const) {
    for (const made of [256, 384, 512]) {
      const claims = { at_hash: await halfHash("AT", made) };
      const validate = await generic(algorithms, claims, { accessToken: "AT" });
      assertEquals(await validate(name), made === bits ? "accepted" : "id_token_access_token_hash_mismatch");
    }
  }
});

test("a generic issuer: its name and the client's are exact, a tenant is no rule", async () => {
  for (const tid of [undefined, "not a guid", HOME]) {
    assertEquals(await (await generic(["RS256"], { tid }))("main"), "accepted");
  }
  for (const iss of [`${OIDC_ISSUER}/`, OIDC_ISSUER.toUpperCase(), [OIDC_ISSUER], undefined]) {
    assertEquals(await (await generic(["RS256"], { iss }))("main"), "id_token_issuer_mismatch");
  }
  assertEquals(await (await generic(["RS256"], { aud: "client" }))("main"), "id_token_audience_mismatch");
});

test("R-066 property: a token with any change to its characters never validates", async () => {
  const one = await entraFixture("common");
  const token = await signToken(one.claims);
  const validate = (text: string) =>
    codeOf(one.validator.validate(text, one.expected, CORRELATION, undefined));
  const place = fc.integer({ min: 0, max: token.length - 1 });
  await fc.assert(
    fc.asyncProperty(place, fc.string({ maxLength: 3 }), fc.nat(3), async (at, text, remove) => {
      const changed = token.slice(0, at) + text + token.slice(at + remove);
      const code = await validate(changed);
      assertEquals(code === "accepted", changed === token);
      assert(changed === token || /^id_token_/.test(code), code);
    }),
    { numRuns: 300 },
  );
});

test("property: claims of any kind never validate by chance, and fail with an error of ours", async () => {
  const one = await entraFixture("organizations");
  const names = ["iss", "sub", "aud", "exp", "iat", "tid", "nonce"];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue(), async (name, value) => {
      const token = await signToken({ ...one.claims, [name]: value });
      const code = await codeOf(one.validator.validate(token, one.expected, CORRELATION, undefined));
      const harmless = JSON.stringify(value) === JSON.stringify(one.claims[name]) ||
        (name === "sub" && typeof value === "string" && value !== "" && value.length < 256);
      assertEquals(code === "accepted", harmless, `${name} ${JSON.stringify(value)}: ${code}`);
      assert(harmless || /^(?:id_token_|nonce_)/.test(code), code);
    }),
    { numRuns: 150 },
  );
});

test("decision 7: keys that cannot be read are an outage; prepare tells before a code is spent", async () => {
  const one = tokenFixture(entra(HOME), () => new TypeError("reset"));
  const issuer = await one.metadata.issuer(HOME, CORRELATION, undefined);
  const token = await signToken(goodClaims("tenant", one.clock));
  const calls = [
    codeOf(one.validator.prepare(issuer, CORRELATION, undefined)),
    codeOf(one.validator.validate(token, { issuer, tenant: HOME, nonce: NONCE }, CORRELATION, undefined)),
  ];
  assertEquals(await settle(one.clock, Promise.all(calls)), ["network_error", "network_error"]);
});

test("prepare and twenty tokens: one download", async () => {
  const one = await entraFixture("common");
  await one.validator.prepare(one.expected.issuer, CORRELATION, undefined);
  for (let n = 0; n < 20; n++) {
    await one.validator.validate(await signToken(one.claims), one.expected, CORRELATION, undefined);
  }
  assertEquals(one.requests.map(({ url }) => url), [
    "https://login.microsoftonline.com/common/discovery/v2.0/keys",
  ]);
  assertEquals((await keySet("common")).keys.length, 14);
});

const info = (value: unknown): string => encodeJson(value);
const CLIENT_INFOS: [string, unknown, boolean][] = [
  ["two GUIDs", info({ uid: OID, utid: HOME }), true],
  ["more members", info({ uid: OID, utid: HOME, xms_cdl: "x" }), true],
  ["capitals", info({ uid: OID.toUpperCase(), utid: HOME }), true],
  ["nothing", undefined, false],
  ["null", null, false],
  ["an object", { uid: OID, utid: HOME }, false],
  ["JSON", JSON.stringify({ uid: OID, utid: HOME }), false],
  ["no uid", info({ utid: HOME }), false],
  ["no utid", info({ uid: OID }), false],
  ["uid a number", info({ uid: 5, utid: HOME }), false],
  ["uid a list", info({ uid: [OID], utid: HOME }), false],
  ["uid with a dot", info({ uid: `${OID}.x`, utid: HOME }), false],
  ["uid with a line end", info({ uid: `${OID}\n`, utid: HOME }), false],
  ["utid a domain", info({ uid: OID, utid: "contoso.example" }), false],
  ["uid twice", encodeText(`{"uid":"${OTHER}","uid":"${OID}","utid":"${HOME}"}`), false],
  ["padding", `${info({ uid: OID, utid: HOME })}=`, false],
  ["a list", info([OID, HOME]), false],
  ["2 kB", info({ uid: OID, utid: HOME, x: "x".repeat(2_048) }), false],
  ["junk", "%%%", false],
  ["ids inherited", encodeText(`{"__proto__":{"uid":"${OID}","utid":"${HOME}"}}`), false],
];
for (const [what, text, sound] of CLIENT_INFOS) {
  test(`R-050 client_info of ${what} is ${sound ? "read" : "no client_info"}`, () => {
    assertEquals(readClientInfo(text) !== undefined, sound);
  });
}

test("R-050 property: client_info of any text is read or is not, and nothing is thrown", () => {
  fc.assert(fc.property(fc.anything(), (value) => readClientInfo(value) === undefined));
  fc.assert(fc.property(fc.jsonValue(), (value) => readClientInfo(info(value)) === undefined));
});

const user = {
  iss: `https://login.microsoftonline.com/${HOME}/v2.0`,
  sub: "s",
  tid: HOME,
  oid: OID,
} as IdTokenClaims;
const idOf = (claims: IdTokenClaims, clientInfo?: unknown, authority = entra("common")): string => {
  try {
    return homeAccountIdOf(authority, claims, clientInfo, CORRELATION);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test("R-050 the home account: client_info, if it names the user of the ID token", () => {
  assertEquals(idOf(user, info({ uid: OID, utid: HOME })), `${OID}.${HOME}`);
  assertEquals(idOf(user, info({ uid: OID.toUpperCase(), utid: HOME })), `${OID.toUpperCase()}.${HOME}`);
  assertEquals(idOf(user, info({ uid: OTHER, utid: HOME })), "client_info_mismatch");
  assertEquals(idOf(user, info({ uid: OTHER, utid: HOME.toUpperCase() })), "client_info_mismatch");
  assertEquals(
    idOf({ ...user, oid: undefined } as never, info({ uid: OTHER, utid: HOME })),
    `${OTHER}.${HOME}`,
  );
  // a guest's object id is not that of their home.
  assertEquals(idOf(user, info({ uid: OTHER, utid: OTHER })), `${OTHER}.${OTHER}`);
  for (const bad of [null, "", "junk", info({}), 5]) assertEquals(idOf(user, bad), "client_info_mismatch");
});

test("R-051 without client_info iss and sub name the user: equal subs of two issuers differ", () => {
  assertEquals(idOf(user), `${user.iss}#s`);
  assert(idOf(user) !== idOf({ ...user, iss: `https://login.microsoftonline.com/${OTHER}/v2.0` }));
  const own = { iss: OIDC_ISSUER, sub: "s" } as IdTokenClaims;
  // At a generic issuer client_info means nothing.
  assertEquals(idOf(own, info({ uid: OID, utid: HOME }), oidc), `${OIDC_ISSUER}#s`);
});

test("R-083 two tenants with the same e-mail are two users", () => {
  const jane = { ...user, email: "jane@contoso.example" };
  const fake = { ...jane, tid: OTHER, oid: OTHER, sub: "t" } as IdTokenClaims;
  assert(idOf(jane, info({ uid: OID, utid: HOME })) !== idOf(fake, info({ uid: OTHER, utid: OTHER })));
});

const EMAILS: [Record<string, unknown>, boolean][] = [
  [{ xms_edov: true }, true],
  [{ xms_edov: 1 }, true],
  [{ xms_edov: "1" }, true],
  [{ email_verified: true }, true],
  [{}, false],
  [{ xms_edov: false }, false],
  [{ xms_edov: 0 }, false],
  [{ xms_edov: "0" }, false],
  [{ xms_edov: "false" }, false],
  [{ xms_edov: {} }, false],
  [{ xms_edov: [1] }, false],
  [{ email_verified: "true" }, false],
  [{ email_verified: 1 }, false],
  [{ xms_edov: true, email: undefined }, false],
  [{ xms_edov: true, email: ["jane@contoso.example"] }, false],
];
for (const [claims, verified] of EMAILS) {
  test(`R-084 e-mail with ${JSON.stringify(claims)} is ${verified ? "" : "not "}verified`, () => {
    assertEquals(isEmailVerified({ ...user, email: "jane@contoso.example", ...claims } as never), verified);
  });
}

const GROUPS: [Record<string, unknown>, boolean][] = [
  [{ _claim_names: { groups: "src1" } }, true],
  [{ hasgroups: true }, true],
  [{ hasgroups: "true" }, true],
  [{}, false],
  [{ groups: ["g"] }, false],
  [{ hasgroups: false }, false],
  [{ _claim_names: null }, false],
  [{ _claim_names: { other: "src1" } }, false],
  [{ _claim_names: "groups" }, false],
];
for (const [claims, overage] of GROUPS) {
  test(`R-086 ${JSON.stringify(claims)} is ${overage ? "" : "no "}overage of groups`, () => {
    assertEquals(isGroupOverage({ ...user, ...claims } as never), overage);
  });
}
