/** THE NEGATIVE TABLE: every fault of an ID token, for each kind of Entra authority, is refused by its own check. */
import { assert, assertEquals } from "@std/assert";
import { isAuthError } from "../mod.ts";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import type { ExpectedIdToken } from "../src/token/id_token.ts";
import {
  CORRELATION,
  encodeJson,
  encodeText,
  entraFixture,
  type FixtureOptions,
  goodClaims,
  HOME,
  type KeyName,
  keyPair,
  MSA,
  NONCE,
  OID,
  OTHER,
  type Shape,
  SHAPES,
  signParts,
  signToken,
  tenantOf,
} from "./support/id_tokens.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { redeemed } from "./support/redeemed_token.ts";
import { test } from "./support/suite.ts";

/** A token and its circumstances, to be spoilt in one place. */
interface Draft {
  readonly shape: Shape;
  readonly now: number;
  claims: Record<string, unknown>;
  header: Record<string, unknown>;
  key: KeyName;
  expected: Partial<ExpectedIdToken>;
  options: FixtureOptions;
  /** The payload's JSON, where it is none that `JSON.stringify` writes. */
  payload?: (json: string) => string;
  /** Changes the signed token. */
  after?: (token: string) => unknown;
}

type Spoil = (draft: Draft) => void | Promise<void>;
/** The code, or the code by shape; a shape without one is passed over. */
type Code = string | Partial<Record<Shape, string>>;

const claim = (changes: Record<string, unknown>): Spoil => (draft) => {
  Object.assign(draft.claims, changes);
};
const without = (name: string): Spoil => (draft) => void delete draft.claims[name];
const header = (changes: Record<string, unknown>): Spoil => (draft) => {
  Object.assign(draft.header, changes);
};
const times = (changes: (now: number) => Record<string, unknown>): Spoil => (draft) => {
  Object.assign(draft.claims, changes(draft.now));
};
const raw = (payload: (json: string) => string): Spoil => (draft) => {
  draft.payload = payload;
};
const after = (change: (token: string) => unknown): Spoil => (draft) => {
  draft.after = change;
};
const expect = (changes: Partial<ExpectedIdToken>): Spoil => (draft) => {
  draft.expected = changes;
};
const part = (token: string, index: number, change: (text: string) => string): string =>
  token.split(".").map((text, i) => i === index ? change(text) : text).join(".");
const bytes = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
/** Where the token's JSON has a number that JSON.stringify cannot write. */
const literal = (name: string, text: string): Spoil =>
  raw((json) => json.replace(new RegExp(`"${name}":\\d+`), `"${name}":${text}`));
/** An HMAC keyed with what everybody knows. */
const hmac = (keyOf: () => Promise<string>): Spoil => (draft) => {
  draft.after = async () => {
    const input = `${encodeJson({ typ: "JWT", alg: "HS256", kid: "main" })}.${encodeJson(draft.claims)}`;
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const text = new TextEncoder();
    const key = await crypto.subtle.importKey("raw", text.encode(await keyOf()), algorithm, false, ["sign"]);
    return `${input}.${
      encodeBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, text.encode(input))))
    }`;
  };
};
const publicPem = async (): Promise<string> => {
  const { n = "", e = "" } = (await keyPair("main")).jwk;
  const key = await crypto.subtle.importKey(
    "jwk",
    { kty: "RSA", n, e },
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    true,
    ["verify"],
  );
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", key) as ArrayBuffer);
  return `-----BEGIN PUBLIC KEY-----\n${
    btoa(String.fromCharCode(...spki)).replace(/.{64}/g, "$&\n")
  }\n-----END PUBLIC KEY-----\n`;
};
const unsigned = (alg: unknown): Spoil => (draft) => {
  draft.after = () => `${encodeJson({ typ: "JWT", alg })}.${encodeJson(draft.claims)}.AA`;
};

const issuerOf = (tid: string): string => `https://login.microsoftonline.com/${tid}/v2.0`;
const ISS = "id_token_issuer_mismatch";
const AUD = "id_token_audience_mismatch";
const SUB = "id_token_subject_invalid";
const TIME = "id_token_time_invalid";
const TID = "id_token_tenant_invalid";
const ALG = "id_token_algorithm_refused";
const SIG = "id_token_signature_invalid";
const BAD = "id_token_malformed";
const KEY = "id_token_key_not_found";
const NO_NONCE = "nonce_mismatch";

const FAULTS: [string, Code, Spoil][] = [
  // Issuer.
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
  [
    "R-053 iss of an alias",
    ISS,
    (draft) => claim({ iss: `https://login.windows.net/${tenantOf(draft.shape)}/v2.0` })(draft),
  ],
  [
    "R-053 iss in http",
    ISS,
    (draft) => void (draft.claims["iss"] = issuerOf(tenantOf(draft.shape)).replace("s:", ":")),
  ],
  ["R-053 iss with a slash at its end", ISS, (draft) => void (draft.claims["iss"] += "/")],
  [
    "R-053 iss in capitals",
    ISS,
    (draft) => void (draft.claims["iss"] = issuerOf(tenantOf(draft.shape)).toUpperCase()),
  ],
  ["R-053 no iss", ISS, without("iss")],
  ["R-053 iss null", ISS, claim({ iss: null })],
  ["R-053 iss a number", ISS, claim({ iss: 5 })],
  [
    "R-053 CVE-2025-30144 iss a list with the right one",
    ISS,
    (draft) => claim({ iss: [draft.claims["iss"]] })(draft),
  ],
  ["R-071 iss the template itself", ISS, claim({ iss: issuerOf("{tenantid}") })],
  [
    "R-078 iss of version 1 in a token of version 2",
    ISS,
    (draft) => claim({ iss: `https://sts.windows.net/${tenantOf(draft.shape)}/` })(draft),
  ],
  ["R-078 iss of version 2 in a token of version 1", ISS, claim({ ver: "1.0" })],
  [
    "R-078 version 1 of another cloud",
    ISS,
    (draft) => claim({ ver: "1.0", iss: `https://sts.chinacloudapi.cn/${tenantOf(draft.shape)}/` })(draft),
  ],
  ["R-078 version 1 of another tenant", ISS, claim({ ver: "1.0", iss: `https://sts.windows.net/${OTHER}/` })],
  // Tenants.
  ["R-072 tid is not the tenant inside iss", {
    tenant: "id_token_tenant_mismatch",
    consumers: "id_token_tenant_mismatch",
    organizations: ISS,
    common: ISS,
  }, claim({ tid: OTHER })],
  ["R-072 iss is not of tid's tenant", ISS, claim({ iss: issuerOf(OTHER) })],
  ["R-074 a token of another tenant", {
    tenant: "id_token_tenant_mismatch",
    consumers: "id_token_tenant_mismatch",
  }, claim({ tid: OTHER, iss: issuerOf(OTHER) })],
  ["R-075 a personal account's token", {
    tenant: "id_token_tenant_mismatch",
    organizations: "id_token_tenant_mismatch",
  }, claim({ tid: MSA, iss: issuerOf(MSA) })],
  [
    "R-075 an organisation's token",
    { consumers: "id_token_tenant_mismatch" },
    claim({ tid: HOME, iss: issuerOf(HOME) }),
  ],
  ["R-072 no tid", TID, without("tid")],
  ["R-071 tid empty", TID, claim({ tid: "", iss: issuerOf("") })],
  ["R-071 tid $&", TID, claim({ tid: "$&", iss: issuerOf("{tenantid}") })],
  ["R-071 tid ../x", TID, claim({ tid: "../x", iss: issuerOf("../x") })],
  ["R-071 tid a domain", TID, claim({ tid: "contoso.example", iss: issuerOf("contoso.example") })],
  ["R-071 tid a list", TID, (draft) => claim({ tid: [draft.claims["tid"]] })(draft)],
  ["R-071 tid an object", TID, claim({ tid: { toString: HOME } })],
  ["R-071 tid a number", TID, claim({ tid: 5 })],
  ["R-071 tid a GUID and more", TID, (draft) => void (draft.claims["tid"] += "\n")],
  ["R-073 tid and TID", TID, (draft) => claim({ TID: draft.claims["tid"] })(draft)],
  ["R-073 TID before tid", TID, (draft) => void (draft.claims = { Tid: OTHER, ...draft.claims })],
  ["R-073 TID alone", TID, (draft) => (claim({ TID: draft.claims["tid"] })(draft), without("tid")(draft))],
  [
    "R-079 a tenant that is not allowed",
    "tenant_not_allowed",
    (draft) => void (draft.options = { allowedTenants: [OTHER] }),
  ],
  ["R-079 no tenant allowed", "tenant_not_allowed", (draft) => void (draft.options = { allowedTenants: [] })],
  // Keys.
  ["R-076 a key of another tenant", "id_token_key_issuer_mismatch", header({ kid: "foreign" })],
  ["R-076 a key of another host", "id_token_key_issuer_mismatch", header({ kid: "foreign-host" })],
  ["R-077 a key of another cloud", "id_token_key_cloud_mismatch", header({ kid: "cloud" })],
  ["R-088 an unknown kid", KEY, header({ kid: "unknown" })],
  ["R-093 kid __proto__", KEY, header({ kid: "__proto__" })],
  ["R-093 kid constructor", KEY, header({ kid: "constructor" })],
  ["R-093 kid a path", KEY, header({ kid: "../../dev/null" })],
  ["R-093 kid of 10 kB", "id_token_header_refused", header({ kid: "k".repeat(10_000) })],
  ["R-093 kid a number", "id_token_header_refused", header({ kid: 5 })],
  ["R-093 kid null", "id_token_header_refused", header({ kid: null })],
  ["R-093 kid empty", KEY, header({ kid: "" })],
  ["R-091 no kid, and several keys", "id_token_key_ambiguous", header({ kid: undefined })],
  ["R-091 a kid that two keys have", "id_token_key_ambiguous", header({ kid: "twice" })],
  ["R-095 a key for encryption", KEY, header({ kid: "encryption" })],
  ["R-095 a key whose operations do not hold verify", KEY, header({ kid: "operations" })],
  ["R-095 a key for another algorithm", KEY, header({ kid: "rs512" })],
  ["R-095 a private key", KEY, header({ kid: "private" })],
  ["R-095 a symmetric key", KEY, header({ kid: "symmetric" })],
  // Algorithms and headers.
  ["R-064 alg none", ALG, unsigned("none")],
  ["R-064 alg None", ALG, unsigned("None")],
  ["R-064 alg NONE", ALG, unsigned("NONE")],
  ["R-064 no alg", ALG, unsigned(undefined)],
  ["R-064 alg a list", ALG, unsigned(["RS256"])],
  [
    "R-064 alg none and no signature",
    BAD,
    after((token) => `${encodeJson({ alg: "none" })}.${token.split(".")[1]}.`),
  ],
  ["R-064 two parts", BAD, after((token) => token.split(".").slice(0, 2).join("."))],
  ["R-065 HS256 with the client's secret", ALG, hmac(() => Promise.resolve("secret"))],
  ["R-065 HS256 with the public key as PEM", ALG, hmac(publicPem)],
  [
    "R-065 HS256 with the public key as JWK",
    ALG,
    hmac(async () => JSON.stringify((await keyPair("main")).jwk)),
  ],
  ["R-065 an algorithm that the authority does not announce", ALG, header({ alg: "RS512" })],
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
  ["R-094 crit", "id_token_header_refused", header({ crit: ["exp"], exp: 1 })],
  ["R-094 crit empty", "id_token_header_refused", header({ crit: [] })],
  ["R-094 b64 false", "id_token_header_refused", header({ b64: false })],
  ["R-070 zip", "id_token_header_refused", header({ zip: "DEF" })],
  // Signature.
  [
    "R-066 every byte of the signature changed",
    SIG,
    after((token) => part(token, 2, (text) => encodeBase64Url(bytes(text).map((b) => b ^ 0x5a)))),
  ],
  [
    "R-066 one bit of the signature changed",
    SIG,
    after((token) =>
      part(token, 2, (text) => encodeBase64Url(bytes(text).map((b, i) => i === 7 ? b ^ 1 : b)))
    ),
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
      part(token, 1, (text) => encodeText(new TextDecoder().decode(bytes(text)).replace("Jane", "John")))
    ),
  ],
  // Form.
  ["R-045 no ID token", "id_token_missing", after(() => undefined)],
  ["R-100 null", BAD, after(() => null)],
  ["R-100 empty", BAD, after(() => "")],
  ["R-100 a number", BAD, after(() => 5)],
  ["R-100 a list of itself", BAD, after((token) => [token])],
  [
    "R-100 JSON serialisation",
    BAD,
    after((token) => {
      const [protectedHeader, payload, signature] = token.split(".");
      return JSON.stringify({ protected: protectedHeader, payload, signature });
    }),
  ],
  ["R-100 four parts", BAD, after((token) => `${token}.AA`)],
  ["R-100 six parts", BAD, after((token) => `${token}.AA.AA.AA`)],
  ["R-070 five parts", "id_token_encrypted", after((token) => `${token}.AA.AA`)],
  ["R-100 more than 16 KiB", BAD, claim({ big: "x".repeat(16_384) })],
  ["R-099 a space before it", BAD, after((token) => ` ${token}`)],
  ["R-099 a line end after it", BAD, after((token) => `${token}\n`)],
  ["R-099 padding", BAD, after((token) => `${token}==`)],
  ["R-099 the other alphabet", BAD, after((token) => part(token, 2, (text) => `${text.slice(0, -4)}+/+/`))],
  ["R-099 stray bits at the end", BAD, after((token) => part(token, 2, (text) => text.slice(0, -1) + "x"))],
  ["R-101 claims that are a list", BAD, raw((json) => `[${json}]`)],
  ["R-101 claims that are a text", BAD, raw((json) => JSON.stringify(json))],
  ["R-101 claims that are no JSON", BAD, raw((json) => json.slice(0, -1))],
  ["R-101 claims null", BAD, raw(() => "null")],
  ["R-101 a claim twice", BAD, raw((json) => json.replace("{", '{"sub":"somebody",'))],
  ["R-101 a claim twice, once escaped", BAD, raw((json) => json.replace("{", '{"s\\u0075b":"somebody",'))],
  ["R-101 a claim twice, deep inside", BAD, raw((json) => json.replace("{", '{"x":[{"a":1,"a":2}],'))],
  ["R-101 invalid UTF-8", BAD, (draft) => {
    draft.after = (token) =>
      part(
        token,
        1,
        (text) => encodeBase64Url(new Uint8Array([...bytes(text).subarray(0, -2), 0xff, 0x22, 0x7d])),
      );
  }],
  ["R-101 a byte order mark", BAD, raw((json) => `\ufeff${json}`)],
  // Audience and user.
  ["R-054 aud with a 1 at its end", AUD, (draft) => void (draft.claims["aud"] += "1")],
  ["R-054 aud of another application", AUD, claim({ aud: OTHER })],
  ["R-054 no aud", AUD, without("aud")],
  ["R-054 aud an empty list", AUD, claim({ aud: [] })],
  ["R-054 aud null", AUD, claim({ aud: null })],
  ["R-055 aud with a second one", AUD, (draft) => claim({ aud: [draft.claims["aud"], OTHER] })(draft)],
  [
    "R-055 aud with a second one, azp right",
    AUD,
    (draft) => claim({ aud: [draft.claims["aud"], OTHER], azp: draft.claims["aud"] })(draft),
  ],
  ["R-055 aud a list in a list", AUD, (draft) => claim({ aud: [[draft.claims["aud"]]] })(draft)],
  ["R-056 azp of another application", "id_token_authorized_party_mismatch", claim({ azp: OTHER })],
  ["R-056 azp null", "id_token_authorized_party_mismatch", claim({ azp: null })],
  ["R-057 no sub", SUB, without("sub")],
  ["R-057 sub empty", SUB, claim({ sub: "" })],
  ["R-057 sub a number", SUB, claim({ sub: 5 })],
  ["R-057 sub of 256 characters", SUB, claim({ sub: "s".repeat(256) })],
  ["oid that is no GUID", SUB, claim({ oid: "jane" })],
  ["oid a list", SUB, claim({ oid: [OID] })],
  // Times.
  ["R-058 no iat", TIME, without("iat")],
  ["R-058 iat a text", TIME, times((now) => ({ iat: `${now}` }))],
  ["R-059 iat a week ago", "id_token_too_old", times((now) => ({ iat: now - 7 * 86_400 }))],
  [
    "R-059 iat a day and three minutes ago",
    "id_token_too_old",
    times((now) => ({ iat: now - 86_400 - 180 })),
  ],
  ["R-059 iat in an hour", "id_token_not_yet_valid", times((now) => ({ iat: now + 3_600 }))],
  ["R-060 exp six minutes ago", "id_token_expired", times((now) => ({ exp: now - 360 }))],
  ["R-060 exp two minutes ago", "id_token_expired", times((now) => ({ exp: now - 120 }))],
  ["R-060 no exp", TIME, without("exp")],
  ["R-061 nbf in an hour", "id_token_not_yet_valid", times((now) => ({ nbf: now + 3_600 }))],
  ["R-062 exp a text", TIME, times((now) => ({ exp: `${now + 3600}` }))],
  ["R-062 exp without end", TIME, literal("exp", "1e400")],
  ["R-062 exp negative", TIME, claim({ exp: -1 })],
  ["R-062 exp an object", TIME, claim({ exp: {} })],
  ["R-062 exp null", TIME, claim({ exp: null })],
  ["R-062 exp true", TIME, claim({ exp: true })],
  ["R-062 nbf a text", TIME, times((now) => ({ nbf: `${now}` }))],
  ["R-062 nbf null", TIME, claim({ nbf: null })],
  ["R-062 nbf negative and without end", TIME, literal("nbf", "-1e400")],
  ["R-062 iat without end", TIME, literal("iat", "1e400")],
  ["R-062 iat negative", TIME, claim({ iat: -1 })],
  // The sign-in.
  ["R-063 another nonce", NO_NONCE, claim({ nonce: `${NONCE}1` })],
  ["R-063 no nonce", NO_NONCE, without("nonce")],
  ["R-063 nonce empty", NO_NONCE, claim({ nonce: "" })],
  ["R-063 nonce a list", NO_NONCE, claim({ nonce: [NONCE] })],
  ["R-063 a nonce that nobody expects", NO_NONCE, expect({ nonce: undefined })],
  [
    "R-067 no auth_time where max_age was asked for",
    "id_token_auth_time_invalid",
    expect({ maxAgeSeconds: 3_600 }),
  ],
  ["R-067 auth_time too long ago", "id_token_auth_time_invalid", (draft) => {
    draft.claims["auth_time"] = draft.now - 3_600 - 121;
    draft.expected = { maxAgeSeconds: 3_600 };
  }],
  ["R-067 auth_time a text", "id_token_auth_time_invalid", times((now) => ({ auth_time: `${now}` }))],
  [
    "R-067 no acr where one is essential",
    "id_token_acr_mismatch",
    expect({ essential: [{ name: "acr", values: ["c1"] }] }),
  ],
  [
    "R-067 no acr of any value",
    "id_token_acr_mismatch",
    expect({ essential: [{ name: "acr", values: [] }] }),
  ],
  [
    "R-067 no auth_time where it is essential",
    "id_token_auth_time_invalid",
    expect({ essential: [{ name: "auth_time", values: [] }] }),
  ],
  ["R-067 acr of two essential claims", "id_token_acr_mismatch", (draft) => {
    draft.claims["acr"] = "c1";
    draft.expected = { essential: [{ name: "acr", values: ["c1"] }, { name: "acrs", values: ["c1"] }] };
  }],
  ["R-067 a limit that is no number", "id_token_auth_time_invalid", (draft) => {
    draft.claims["auth_time"] = draft.claims["iat"];
    draft.expected = { maxAgeSeconds: "60" as never };
  }],
  ["R-067 auth_time in the future", "id_token_auth_time_invalid", times((now) => ({ auth_time: now + 600 }))],
  ["R-067 another acr than the essential one", "id_token_acr_mismatch", (draft) => {
    draft.claims["acr"] = "c2";
    draft.claims["acrs"] = ["c3", "c4"];
    draft.expected = { essential: [{ name: "acrs", values: ["c1"] }] };
  }],
  ["R-068 a wrong at_hash", "id_token_access_token_hash_mismatch", (draft) => {
    draft.claims["at_hash"] = "77QmUPtjPfzWtF2AnpK9RQ";
    draft.expected = { accessToken: "AT" };
  }],
  ["R-068 at_hash a number", "id_token_access_token_hash_mismatch", (draft) => {
    draft.claims["at_hash"] = 5;
    draft.expected = { accessToken: "AT" };
  }],
  ["R-068 a wrong c_hash", "id_token_code_hash_mismatch", (draft) => {
    draft.claims["c_hash"] = "77QmUPtjPfzWtF2AnpK9RQ";
    draft.expected = { code: "CODE" };
  }],
  // A refresh.
  ...(["sub", "oid"] as const).map((name): [string, Code, Spoil] => [
    `R-111 another ${name} than before the refresh`,
    "id_token_user_mismatch",
    (draft) => {
      const previous = { ...draft.claims, [name]: name === "sub" ? "invalid" : OTHER };
      draft.expected = { previous: previous as never };
    },
  ]),
  ["R-111 another tenant than before the refresh", "id_token_user_mismatch", (draft) => {
    draft.expected = { previous: { ...draft.claims, tid: OTHER } as never };
  }],
  ["R-111 another issuer than before the refresh", "id_token_user_mismatch", (draft) => {
    draft.expected = { previous: { ...draft.claims, iss: "https://idp.example" } as never };
  }],
  ["R-111 oid came or went in the refresh", "id_token_user_mismatch", (draft) => {
    draft.expected = { previous: { ...draft.claims, oid: undefined } as never };
  }],
  ["R-111 another auth_time than before the refresh", "id_token_user_mismatch", (draft) => {
    draft.claims["auth_time"] = draft.now;
    draft.expected = { previous: { ...draft.claims, auth_time: draft.now - 60 } as never };
  }],
  ["R-111 another nonce than before the refresh", NO_NONCE, (draft) => {
    draft.expected = {
      nonce: undefined,
      nonceOptional: true,
      previous: { ...draft.claims, nonce: "first" } as never,
    };
  }],
];

async function run(shape: Shape, spoil?: Spoil) {
  const clock = new FakeClock();
  const draft: Draft = {
    shape,
    now: Math.floor(clock.now() / 1000),
    claims: goodClaims(shape, clock),
    header: {},
    key: "main",
    expected: {},
    options: {},
  };
  await spoil?.(draft);
  const { validator, expected, requests } = await entraFixture(shape, { clock, ...draft.options });
  const signed = draft.payload === undefined
    ? await signToken(draft.claims, draft.header, draft.key)
    : await signParts(
      encodeJson({ alg: "RS256", kid: "main" }),
      encodeText(draft.payload(JSON.stringify(draft.claims))),
    );
  const text = draft.after === undefined ? signed : await draft.after(signed);
  const call = validator.validate(text, { ...expected, ...draft.expected }, CORRELATION, undefined);
  return { call, clock, requests, draft, text };
}

test("the table has at least 45 faults, and for each shape", () => {
  for (const shape of SHAPES) {
    const rows = FAULTS.filter(([, code]) => typeof code === "string" || code[shape] !== undefined);
    assert(rows.length >= 45, `${shape}: ${rows.length}`);
  }
  assertEquals(new Set(FAULTS.map(([name]) => name)).size, FAULTS.length);
});

for (const shape of SHAPES) {
  test(`the token that every row of ${shape} spoils is accepted unspoilt`, async () => {
    const { call, draft } = await run(shape);
    assertEquals({ ...await call } as Record<string, unknown>, draft.claims);
  });
  for (const [name, code, spoil] of FAULTS) {
    const expectedCode = typeof code === "string" ? code : code[shape];
    if (expectedCode === undefined) continue;
    test(`${name}: ${shape}`, async () => {
      const { call, clock, draft, requests, text } = await run(shape, spoil);
      let failure: unknown;
      await call.then(() => {}, (error) => failure = error);
      assert(isAuthError(failure), failure === undefined ? "accepted" : String(failure));
      assertEquals([failure.code, failure.name], [expectedCode, "ClientAuthError"]);
      assertEquals(failure.correlationId, CORRELATION);
      // nothing of the token is told. R-092: nothing that it names is asked.
      const told = `${failure.message}${JSON.stringify(failure)}`;
      const secrets = [NONCE, "Jane", OID, HOME, OTHER, `${text}`].filter((secret) => secret.length > 4);
      assert(secrets.every((secret) => secret === "undefined" || !told.includes(secret)), told);
      assert(requests.every(({ url }) => new URL(url).host === "login.microsoftonline.com"));
      assert(requests.length <= 2);
      // What the token alone is wrong with, an application refuses by the same code, and keeps nothing of the answer.
      if (Object.keys({ ...draft.expected, ...draft.options }).length > 0) return;
      const kept = await redeemed(shape, clock, text);
      assertEquals([kept.error.code, kept.users, /cAnArY/.test(kept.text)], [expectedCode, 0, false]);
    });
  }
}
