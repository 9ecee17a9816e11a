/** THE NEGATIVE TABLE: every fault of an access token is refused by its own check, and tells nothing (R-053..R-102, R-153..R-158). */
import { assert, assertEquals } from "@std/assert";
import { isAuthError } from "../mod.ts";
import { encodeBase64Url } from "../src/crypto/base64url.ts";

import {
  API,
  API_URI,
  type ApiFixture,
  apiFixture,
  type ApiOptions,
  APP,
  AS_APP,
  type Claims,
  genericClaims,
  genericFixture,
  userClaims,
  v1Claims,
} from "./support/access_tokens.ts";
import { FakeClock } from "./support/fake_clock.ts";
import {
  encodeJson,
  encodeText,
  HOME,
  type KeyName,
  keyPair,
  MSA,
  OIDC_ISSUER,
  OTHER,
  type Shape,
  SHAPES,
  signParts,
  signToken,
  tenantOf,
} from "./support/id_tokens.ts";
import { printed } from "./support/printed.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

/** A token and its circumstances, to be spoilt in one place. */
interface Draft {
  readonly shape: Shape;
  readonly now: number;
  claims: Claims;
  header: Claims;
  key: KeyName;
  options: ApiOptions;
  payload?: (json: string) => string;
  after?: (token: string) => unknown;
}

type Spoil = (draft: Draft) => void | Promise<void>;
type Code = string | Partial<Record<Shape, string>>;

const claim = (changes: Claims): Spoil => (draft) => void Object.assign(draft.claims, changes);
const header = (changes: Claims): Spoil => (draft) => void Object.assign(draft.header, changes);
const times = (changes: (now: number) => Claims): Spoil => (draft) =>
  void Object.assign(draft.claims, changes(draft.now));
const raw = (payload: (json: string) => string): Spoil => (draft) => void (draft.payload = payload);
const after = (change: (token: string) => unknown): Spoil => (draft) => void (draft.after = change);
const literal = (name: string, text: string): Spoil =>
  raw((json) => json.replace(new RegExp(`"${name}":\\d+`), `"${name}":${text}`));
const part = (token: string, index: number, change: (text: string) => string): string =>
  token.split(".").map((text, i) => i === index ? change(text) : text).join(".");
const bytes = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const unsigned = (alg: unknown): Spoil => (draft) => {
  draft.after = () => `${encodeJson({ typ: "JWT", alg })}.${encodeJson(draft.claims)}.AA`;
};
const issuerOf = (tid: string): string => `https://login.microsoftonline.com/${tid}/v2.0`;

const ISS = "access_token_issuer_mismatch";
const AUD = "access_token_audience_mismatch";
const SUB = "access_token_subject_invalid";
const TIME = "access_token_time_invalid";
const TID = "access_token_tenant_invalid";
const TENANT = "access_token_tenant_mismatch";
const ALG = "access_token_algorithm_refused";
const SIG = "access_token_signature_invalid";
const BAD = "access_token_malformed";
const KEY = "access_token_key_not_found";
const TYP = "access_token_type_refused";
const HEAD = "access_token_header_refused";
const BOUND = "access_token_bound";

const FAULTS: [string, Code, Spoil][] = [
  // Issuer and tenant.
  ["R-053 iss with a 1 at its end", ISS, (draft) => void (draft.claims["iss"] += "1")],
  [
    "R-053 iss of another host",
    ISS,
    (draft) => claim({ iss: `https://evil.example/${tenantOf(draft.shape)}/v2.0` })(draft),
  ],
  [
    "R-053 iss of another cloud",
    ISS,
    (draft) => claim({ iss: `https://login.microsoftonline.us/${tenantOf(draft.shape)}/v2.0` })(draft),
  ],
  ["R-053 iss with a slash at its end", ISS, (draft) => void (draft.claims["iss"] += "/")],
  ["R-053 no iss", ISS, claim({ iss: undefined })],
  ["R-053 iss a number", ISS, claim({ iss: 5 })],
  ["R-053 CVE-2025-30144 iss a list", ISS, (draft) => claim({ iss: [draft.claims["iss"]] })(draft)],
  ["R-071 iss the template itself", ISS, claim({ iss: issuerOf("{tenantid}") })],
  [
    "R-078 iss of version 1 in a token of version 2",
    ISS,
    (draft) => claim({ iss: `https://sts.windows.net/${tenantOf(draft.shape)}/` })(draft),
  ],
  ["R-078 iss of version 2 in a token of version 1", ISS, claim({ ver: "1.0" })],
  ["R-078 version 1 of another tenant", ISS, claim({ ver: "1.0", iss: `https://sts.windows.net/${OTHER}/` })],
  ["R-072 iss is not of tid's tenant", ISS, claim({ iss: issuerOf(OTHER) })],
  ["R-072 tid is not the tenant inside iss", {
    tenant: TENANT,
    consumers: TENANT,
    organizations: ISS,
    common: ISS,
  }, claim({ tid: OTHER })],
  [
    "R-074 a token of another tenant",
    { tenant: TENANT, consumers: TENANT },
    claim({ tid: OTHER, iss: issuerOf(OTHER) }),
  ],
  [
    "R-075 a personal account's token",
    { tenant: TENANT, organizations: TENANT },
    claim({ tid: MSA, iss: issuerOf(MSA) }),
  ],
  ["R-075 an organisation's token", { consumers: TENANT }, claim({ tid: HOME, iss: issuerOf(HOME) })],
  ["R-072 no tid", TID, claim({ tid: undefined })],
  ["R-071 tid $&", TID, claim({ tid: "$&", iss: issuerOf("{tenantid}") })],
  ["R-071 tid ../x", TID, claim({ tid: "../x", iss: issuerOf("../x") })],
  ["R-071 tid a list", TID, (draft) => claim({ tid: [draft.claims["tid"]] })(draft)],
  ["R-073 tid and TID", TID, (draft) => claim({ TID: draft.claims["tid"] })(draft)],
  ["R-073 Tid before tid", TID, (draft) => void (draft.claims = { Tid: OTHER, ...draft.claims })],
  [
    "R-079 a tenant that is not allowed",
    "tenant_not_allowed",
    (draft) => void (draft.options = { allowedTenants: [OTHER] }),
  ],
  // Audience.
  ["R-153 aud of another API", AUD, claim({ aud: "api://another" })],
  ["R-153 aud with a 1 at its end", AUD, (draft) => void (draft.claims["aud"] += "1")],
  ["R-153 aud in capitals", AUD, claim({ aud: API.toUpperCase() })],
  ["R-153 aud with a slash at its end", AUD, claim({ aud: `${API_URI}/` })],
  ["R-153 aud that begins like ours", AUD, claim({ aud: API_URI.slice(0, -1) })],
  ["R-153 no aud", AUD, claim({ aud: undefined })],
  ["R-153 aud empty", AUD, claim({ aud: "" })],
  ["R-153 aud an empty list", AUD, claim({ aud: [] })],
  ["R-153 aud a list of others", AUD, claim({ aud: [APP, "api://another"] })],
  ["R-153 aud a list with something that is no text", AUD, claim({ aud: [API, 5] })],
  ["R-153 aud a list in a list", AUD, claim({ aud: [[API]] })],
  ["R-153 aud an object", AUD, claim({ aud: { [API]: true } })],
  ["R-153 a token for Microsoft Graph", AUD, claim({ aud: "00000003-0000-0000-c000-000000000000" })],
  ["R-153 a token for Microsoft Graph, version 1", AUD, claim({ aud: "https://graph.microsoft.com" })],
  // What kind of token.
  ["R-154 a nonce and no scp", TYP, claim({ nonce: "n", scp: undefined })],
  [
    "R-154 a nonce and roles, as an ID token of a user with roles",
    TYP,
    claim({ nonce: "n", scp: undefined, roles: ["Orders.All"] }),
  ],
  [
    "R-154 an ID token without nonce, with roles",
    TYP,
    claim({ azp: undefined, azpacr: undefined, scp: undefined, roles: ["Orders.All"] }),
  ],
  [
    "R-154 an ID token whose subject is its object, as at B2C",
    TYP,
    claim({ ...AS_APP, idtyp: undefined, azp: undefined, azpacr: undefined }),
  ],
  ["R-154 an ID token of version 1", TYP, (draft) => {
    draft.claims = { ...v1Claims(new FakeClock(), draft.shape), appid: undefined, scp: undefined };
  }],
  ["R-154 at_hash", TYP, claim({ at_hash: "x" })],
  ["R-154 c_hash", TYP, claim({ c_hash: "x" })],
  ["R-154 typ of a logout token", TYP, header({ typ: "logout+jwt" })],
  ["R-154 typ of a DPoP proof", TYP, header({ typ: "dpop+jwt" })],
  ["R-154 typ pop", TYP, header({ typ: "pop" })],
  ["R-154 typ that begins well", TYP, header({ typ: "JWT; x" })],
  ["R-154 typ id+jwt", TYP, header({ typ: "id+jwt" })],
  ["R-154 typ empty", TYP, header({ typ: "" })],
  ["R-154 typ null", TYP, header({ typ: null })],
  ["R-154 typ a list", TYP, header({ typ: ["JWT"] })],
  // Subject.
  ["R-057 no sub", SUB, claim({ sub: undefined })],
  ["R-057 sub empty", SUB, claim({ sub: "" })],
  ["R-057 sub a number", SUB, claim({ sub: 5 })],
  ["R-057 sub of 256 characters", SUB, claim({ sub: "s".repeat(256) })],
  ["R-057 sub with a line end", SUB, claim({ sub: "s\n" })],
  ["oid that is no GUID", SUB, claim({ oid: "jane" })],
  ["oid a list", SUB, claim({ oid: [APP] })],
  // Bound to a key: as Bearer anybody could have sent it.
  ["R-209 bound by DPoP", BOUND, claim({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } })],
  ["R-210 bound to a TLS certificate", BOUND, claim({ cnf: { "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsX" } })],
  ["R-209 bound to a key in it", BOUND, claim({ cnf: { jwk: { kty: "RSA", e: "AQAB", n: "AQAB" } } })],
  ["R-209 bound as Entra's signed requests", BOUND, claim({ cnf: { kid: "k", xms_ksl: "sw" } })],
  ["R-209 bound to what nobody knows", BOUND, claim({ cnf: { other: 1 } })],
  ["R-209 bound to nothing", BOUND, claim({ cnf: {} })],
  ["R-209 bound as a text", BOUND, claim({ cnf: "k" })],
  ["R-209 bound as false", BOUND, claim({ cnf: false })],
  ["R-209 bound, version 1", BOUND, (draft) => {
    draft.claims = { ...v1Claims(new FakeClock(), draft.shape), cnf: { kid: "k" } };
  }],
  // Times.
  ["R-060 exp six minutes ago", "access_token_expired", times((now) => ({ exp: now - 360 }))],
  ["R-060 exp two minutes ago", "access_token_expired", times((now) => ({ exp: now - 120 }))],
  ["R-060 no exp", TIME, claim({ exp: undefined })],
  ["R-061 nbf in an hour", "access_token_not_yet_valid", times((now) => ({ nbf: now + 3600 }))],
  ["R-061 iat in an hour", "access_token_not_yet_valid", times((now) => ({ iat: now + 3600 }))],
  ...["exp", "nbf", "iat"].flatMap((name): [string, Code, Spoil][] => [
    [`R-062 ${name} a text`, TIME, times((now) => ({ [name]: `${now + (name === "exp" ? 600 : -600)}` }))],
    [`R-062 ${name} an object`, TIME, claim({ [name]: { valueOf: 1 } })],
    [`R-062 ${name} a list`, TIME, times((now) => ({ [name]: [now] }))],
    [`R-062 ${name} null`, TIME, claim({ [name]: null })],
    [`R-062 ${name} true`, TIME, claim({ [name]: true })],
    [`R-062 ${name} negative`, TIME, claim({ [name]: -1 })],
    [`R-062 ${name} 1e400`, TIME, literal(name, "1e400")],
    [`R-062 ${name} NaN`, BAD, literal(name, "NaN")],
  ]),
  // Keys.
  ["R-076 a key of another tenant", "access_token_key_issuer_mismatch", header({ kid: "foreign" })],
  ["R-076 a key of another host", "access_token_key_issuer_mismatch", header({ kid: "foreign-host" })],
  ["R-078 R-076 version 1 with a key of another tenant", "access_token_key_issuer_mismatch", (draft) => {
    draft.claims = v1Claims(new FakeClock(), draft.shape);
    draft.header = { kid: "foreign" };
  }],
  ["R-077 a key of another cloud", "access_token_key_cloud_mismatch", header({ kid: "cloud" })],
  ["R-088 an unknown kid", KEY, header({ kid: "unknown" })],
  ["R-093 kid __proto__", KEY, header({ kid: "__proto__" })],
  ["R-093 kid constructor", KEY, header({ kid: "constructor" })],
  ["R-093 kid a path", KEY, header({ kid: "../../dev/null" })],
  ["R-093 kid of 10 kB", HEAD, header({ kid: "k".repeat(10_000) })],
  ["R-093 kid a number", HEAD, header({ kid: 5 })],
  ["R-091 no kid, and several keys", "access_token_key_ambiguous", header({ kid: undefined })],
  ["R-091 a kid that two keys have", "access_token_key_ambiguous", header({ kid: "twice" })],
  ["R-095 a key for encryption", KEY, header({ kid: "encryption" })],
  ["R-095 a key whose operations do not hold verify", KEY, header({ kid: "operations" })],
  ["R-095 a key for another algorithm", KEY, header({ kid: "rs512" })],
  ["R-095 a private key", KEY, header({ kid: "private" })],
  ["R-095 a symmetric key", KEY, header({ kid: "symmetric" })],
  // Algorithms and headers.
  ["R-064 alg none", ALG, unsigned("none")],
  ["R-064 alg NONE", ALG, unsigned("NONE")],
  ["R-064 no alg", ALG, unsigned(undefined)],
  [
    "R-064 alg none and no signature",
    BAD,
    after((token) => `${encodeJson({ alg: "none" })}.${token.split(".")[1]}.`),
  ],
  ["R-064 two parts", BAD, after((token) => token.split(".").slice(0, 2).join("."))],
  ["R-065 HS256", ALG, header({ alg: "HS256" })],
  ["R-065 HS256 by the key for encryption", ALG, header({ alg: "HS256", kid: "symmetric" })],
  ["R-065 PS256 at Entra", ALG, header({ alg: "PS256" })],
  ["R-065 ES256 at Entra", ALG, (draft) => void (draft.key = "ec")],
  ["R-065 an algorithm named constructor", ALG, header({ alg: "constructor" })],
  ["R-092 a header that brings its own key", KEY, async (draft) => {
    draft.key = "other";
    draft.header = { jwk: (await keyPair("other")).jwk, kid: "mine" };
  }],
  ["R-092 a header that names its own key set", KEY, (draft) => {
    draft.key = "other";
    draft.header = { jku: "https://evil.example/keys", x5u: "https://evil.example/cert", kid: "mine" };
  }],
  ["R-094 crit", HEAD, header({ crit: ["exp"], exp: 1 })],
  ["R-094 b64 false", HEAD, header({ b64: false })],
  ["R-070 zip", HEAD, header({ zip: "DEF" })],
  // Signature.
  [
    "R-066 every byte of the signature changed",
    SIG,
    after((token) => part(token, 2, (text) => encodeBase64Url(bytes(text).map((b) => b ^ 0x5a)))),
  ],
  [
    "R-066 a signature cut short",
    SIG,
    after((token) => part(token, 2, (text) => encodeBase64Url(bytes(text).subarray(0, 128)))),
  ],
  [
    "R-066 a signature too long",
    SIG,
    after((token) => part(token, 2, (text) => encodeBase64Url(new Uint8Array([...bytes(text), 0])))),
  ],
  ["R-066 no signature", BAD, after((token) => part(token, 2, () => ""))],
  ["R-066 signed with another key", SIG, (draft) => {
    draft.key = "other";
    draft.header = { kid: "main" };
  }],
  [
    "R-066 a claim changed after signing",
    SIG,
    after((token) =>
      part(
        token,
        1,
        (text) => encodeText(new TextDecoder().decode(bytes(text)).replace("Files.Read", "Files.Full")),
      )
    ),
  ],
  // Form.
  ["R-100 undefined", BAD, after(() => undefined)],
  ["R-100 null", BAD, after(() => null)],
  ["R-100 empty", BAD, after(() => "")],
  ["R-100 a number", BAD, after(() => 5)],
  ["R-100 a list of itself", BAD, after((token) => [token])],
  ["R-100 an object that becomes itself", BAD, after((token) => ({ toString: () => token }))],
  [
    "R-100 JSON serialisation",
    BAD,
    after((token) => {
      const [head, payload, signature] = token.split(".");
      return JSON.stringify({ protected: head, payload, signature });
    }),
  ],
  ["R-100 four parts", BAD, after((token) => `${token}.AA`)],
  ["R-070 five parts", "access_token_encrypted", after((token) => `${token}.AA.AA`)],
  ["R-100 more than 16 KiB", BAD, claim({ big: "x".repeat(16_384) })],
  ["R-151 with the scheme before it", BAD, after((token) => `Bearer ${token}`)],
  ["R-099 a line end after it", BAD, after((token) => `${token}\n`)],
  ["R-099 padding", BAD, after((token) => `${token}==`)],
  ["R-099 the other alphabet", BAD, after((token) => part(token, 2, (text) => `${text.slice(0, -4)}+/+/`))],
  ["R-099 stray bits at the end", BAD, after((token) => part(token, 2, (text) => text.slice(0, -1) + "x"))],
  ["R-101 claims that are a list", BAD, raw((json) => `[${json}]`)],
  ["R-101 claims null", BAD, raw(() => "null")],
  ["R-101 a claim twice", BAD, raw((json) => json.replace("{", '{"scp":"Everything",'))],
  ["R-101 a claim twice, once escaped", BAD, raw((json) => json.replace("{", '{"s\\u0063p":"Everything",'))],
  [
    "R-101 a claim twice, with white space before its colon",
    BAD,
    raw((json) => json.replace("{", '{"scp"\t :"Everything",')),
  ],
  [
    "R-101 a claim twice, and a text that looks like a claim",
    BAD,
    raw((json) => json.replace("{", '{"x":"\\":","scp" :"Everything",')),
  ],
  ["R-101 a claim twice, deep inside", BAD, raw((json) => json.replace("{", '{"x":[{"a":1,"a":2}],'))],
  [
    "R-101 invalid UTF-8",
    BAD,
    after((token) =>
      part(
        token,
        1,
        (text) => encodeBase64Url(new Uint8Array([...bytes(text).subarray(0, -2), 0xff, 0x22, 0x7d])),
      )
    ),
  ],
];

/** Makes the token of a draft. */
async function tokenOf(draft: Draft): Promise<unknown> {
  const { claims, header: over, key, payload = (json) => json, after: change = (token) => token } = draft;
  const alg = { main: "RS256", other: "RS256", ec: "ES256", ec384: "ES384", ed: "Ed25519" }[key];
  const head = encodeJson({ typ: "JWT", alg, kid: key, ...over });
  return change(await signParts(head, encodeText(payload(JSON.stringify(claims))), key));
}

/** Nothing of a token, and no claim of it, is in anything that an error or an event tells. */
function assertSilent(one: ApiFixture, error: Error, token: unknown): void {
  const told = [printed(error), error.stack, one.events.map(printed), ...one.requests.map(({ url }) => url)]
    .join();
  const parts = typeof token === "string"
    ? token.split(".").flatMap((text) => [text, text.slice(0, 24)])
    : [];
  for (const secret of [...parts.filter((text) => text.length > 20), "Jane", "Files.Read", "AAAAAAAAAAAA"]) {
    assert(!told.includes(secret), `${secret} in ${told}`);
  }
}

for (const shape of SHAPES) {
  for (const [name, code, spoil] of FAULTS) {
    const expected = typeof code === "string" ? code : code[shape];
    if (expected === undefined) continue;
    test(`${name}: ${expected}, ${shape}`, async () => {
      const clock = new FakeClock();
      const now = Math.floor(clock.now() / 1000);
      const draft: Draft = {
        shape,
        now,
        claims: userClaims(clock, shape),
        header: {},
        key: "main",
        options: {},
      };
      await spoil(draft);
      const token = await tokenOf(draft);
      const one = await apiFixture(shape, { clock, ...draft.options });
      const error = await one.refused(token);
      assertEquals([error.code, error.status, error.error], [expected, 401, "invalid_token"]);
      assert(isAuthError(error) && error.claims === undefined && error.scopes === undefined);
      assertSilent(one, error, token);
      // what needs no key is found before keys are asked for.
      const needsKey = [SIG, KEY].includes(expected) || /_key_/.test(expected);
      assertEquals(one.requests.length > 0, needsKey, "requests");
      assertEquals((await one.refused(token)).code, expected, "R-159: a refused token is refused again");
    });
  }
}

const GENERIC: [string, string, Claims, Claims?][] = [
  ["R-053 iss with a slash that the document has not", ISS, { iss: `${OIDC_ISSUER}/` }],
  ["R-053 iss of another realm", ISS, { iss: "https://idp.example/realms/other" }],
  ["R-053 iss in capitals", ISS, { iss: OIDC_ISSUER.toUpperCase() }],
  ["R-053 iss a list", ISS, { iss: [OIDC_ISSUER] }],
  ["R-153 another API", AUD, { aud: "https://other.example" }],
  ["R-154 an ID token: a nonce and no scope", TYP, { nonce: "n", scope: undefined }],
  ["R-154 an ID token with at_hash", TYP, { at_hash: "x" }],
  ["R-065 an algorithm that is not announced", ALG, {}, { alg: "PS256" }],
  ["R-065 a symmetric algorithm that is announced", ALG, {}, { alg: "HS256" }],
  ["R-060 expired", "access_token_expired", { exp: 1 }],
  ["R-057 no sub", SUB, { sub: undefined }],
  ["R-209 bound by DPoP", BOUND, { cnf: { jkt: "k" } }],
];
for (const [name, code, claims, head] of GENERIC) {
  test(`${name}, at another issuer: ${code}`, async () => {
    const one = await genericFixture();
    const token = await signToken({ ...genericClaims(one.clock), ...claims }, head);
    assertEquals((await one.refused(token)).code, code);
    // The document is asked for at most: keys of another's token never are.
    assert(one.requests.every(({ url }) => url.endsWith("openid-configuration")));
  });
}

test("R-157 a token of another issuer or audience, or with an algorithm that never counts, causes no request at all", async () => {
  const one = await genericFixture();
  for (const claims of [{ iss: "https://evil.example" }, { aud: "x" }, { exp: 1 }]) {
    await one.refused(await signToken({ ...genericClaims(one.clock), ...claims }));
  }
  for (const alg of ["none", "HS256", "constructor"]) {
    await one.refused(await signToken(genericClaims(one.clock), { alg }));
  }
  assertEquals(one.requests.length, 0);
});

test("R-066 property: a token with any change to its characters never validates", async () => {
  const one = await apiFixture();
  const token = await signToken(userClaims(one.clock));
  await one.validate(token);
  const place = fc.integer({ min: 0, max: token.length - 1 });
  await fc.assert(
    fc.asyncProperty(place, fc.string({ maxLength: 3 }), fc.nat(3), async (at, text, remove) => {
      const changed = token.slice(0, at) + text + token.slice(at + remove);
      const code = await one.validate(changed).then(() => "accepted", (error) => error.code);
      assertEquals(code === "accepted", changed === token);
      assert(changed === token || /^access_token_/.test(code), code);
    }),
    { numRuns: 200 },
  );
});

test("property: claims of any kind never validate by chance, and fail with an error of ours", async () => {
  const one = await apiFixture("organizations");
  const claims = userClaims(one.clock);
  const names = ["iss", "sub", "aud", "exp", "iat", "tid", "scp", "oid"];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue(), async (name, value) => {
      const token = await signToken({ ...claims, [name]: value });
      const code = await one.validate(token).then(() => "accepted", (error) => error.code);
      const harmless = JSON.stringify(value) === JSON.stringify(claims[name]) || name === "sub" ||
        name === "scp" ||
        (name === "iat" && typeof value === "number" && value >= 0 && value < 1e9);
      assert(harmless || /^access_token_/.test(code), `${name} ${JSON.stringify(value)}: ${code}`);
    }),
    { numRuns: 150 },
  );
});
