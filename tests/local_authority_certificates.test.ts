/** The local authority checks assertions signed with certificates as Entra ID does. */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { base64url, decodeJwt } from "jose";
import { LocalAuthority } from "../src/testing/mod.ts";
import { AssertionScene, CLIENT_ID, type Outcome, TOKEN_ENDPOINT } from "./support/local_assertions.ts";
import { makeCertificate } from "./support/made_certificates.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, FABRIKAM, type Json } from "./support/user_scene.ts";

const registered = await makeCertificate();
const other = await makeCertificate({ commonName: "other.example" });

function scene(app: Json = {}): AssertionScene {
  return new AssertionScene({ certificates: [registered.pem], ...app });
}

function seen({ status, error, code }: Outcome): unknown[] {
  return [status, error, code];
}

const REJECTED = [401, "invalid_client", 700027];

test("an assertion of a registered certificate gets a token that says so", async () => {
  const here = scene();
  const headers: Json[] = [
    {},
    { alg: "RS256" },
    { "x5t#S256": undefined, x5t: registered.x5t },
    { x5t: registered.x5t },
    // MSAL Python pads.
    { alg: "RS256", "x5t#S256": undefined, x5t: `${registered.x5t}=` },
    { "x5t#S256": `${registered.x5tS256}=` },
    { "x5t#S256": undefined, kid: hexOf(registered.x5t) },
    { x5c: [registered.base64] },
  ];
  for (const header of headers) {
    const { status, body } = await here.ask(await here.assertion(registered, { header }));
    assertEquals(status, 200, JSON.stringify({ header, body }));
    assertEquals(decodeJwt(body["access_token"])["appidacr"], "2");
  }
});

function hexOf(text: string): string {
  return [...base64url.decode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

test("a certificate is registered as PEM or as base64 of its DER; nonsense is refused when declared", async () => {
  const here = scene({ certificates: [other.pem, registered.base64] });
  assertEquals((await here.ask(await here.assertion(registered))).status, 200);
  const nonsense = ["", "x", "!!", btoa("no certificate"), "MIIB", registered.base64.slice(0, 400)];
  for (const certificate of nonsense) {
    assertThrows(
      () => new LocalAuthority({ apps: [{ clientId: CLIENT_ID, certificates: [certificate] }] }),
      TypeError,
      "Cannot read",
    );
  }
});

test("a certificate that is not registered is refused with AADSTS700027 and its thumbprint", async () => {
  const here = scene();
  const outcome = await here.ask(await here.assertion(other));
  assertEquals(seen(outcome), REJECTED);
  assertStringIncludes(outcome.text, "Reason - The key was not found., Thumbprint of key used by client: '");
  assertStringIncludes(outcome.text, hexOf(other.x5tS256));
  assertEquals(seen(await scene({ certificates: [] }).ask(await here.assertion(registered))), REJECTED);
});

test("a signature by another key than the certificate's is refused with AADSTS700027", async () => {
  const here = scene();
  const header = { "x5t#S256": registered.x5tS256 };
  const outcome = await here.ask(await here.assertion(other, { header }));
  assertEquals(seen(outcome), REJECTED);
  assertMatch(outcome.text, /did not match the expected signature value.*Found key 'Start=01\/01\/2020/);
  const good = await here.assertion(registered);
  const [head = "", , signature = ""] = good.split(".");
  const claims = base64url.encode(JSON.stringify({ ...decodeJwt(good), exp: here.now + 9999 }));
  assertEquals(seen(await here.ask(`${head}.${claims}.${signature}`)), REJECTED);
  assertEquals(seen(await here.ask(`${head}.${claims}.`)), REJECTED);
});

test("two thumbprints must name one certificate", async () => {
  const here = scene({ certificates: [registered.pem, other.pem] });
  assertEquals(
    seen(await here.ask(await here.assertion(registered, { header: { x5t: other.x5t } }))),
    REJECTED,
  );
  const nonsense = await here.assertion(registered, { header: { x5t: "%" } });
  assertEquals(seen(await here.ask(nonsense)), REJECTED);
});

test("a key id is not looked at where there is a thumbprint", async () => {
  const here = scene();
  assertEquals((await here.ask(await here.assertion(registered, { header: { kid: "mine" } }))).status, 200);
});

test("an assertion without any thumbprint is refused with AADSTS5002723", async () => {
  const here = scene();
  const outcome = await here.ask(await here.assertion(registered, { header: { "x5t#S256": undefined } }));
  assertEquals(seen(outcome), [401, "invalid_client", 5002723]);
});

test("weak and foreign algorithms are refused with AADSTS5002738, whatever else is right", async () => {
  const here = scene();
  const good = (await here.assertion(registered)).split(".");
  for (const alg of ["none", "HS256", "RS384", "RS512", "PS384", "ES256", "EdDSA", "rs256", 7, undefined]) {
    const header = base64url.encode(JSON.stringify({ typ: "JWT", "x5t#S256": registered.x5tS256, alg }));
    for (const signature of ["", good[2]]) {
      const outcome = await here.ask(`${header}.${good[1]}.${signature}`);
      assertEquals(seen(outcome), [401, "invalid_client", 5002738], `${alg}`);
    }
  }
  const hmac = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(registered.pem),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const head = base64url.encode(JSON.stringify({ alg: "HS256", "x5t#S256": registered.x5tS256 }));
  const input = `${head}.${good[1]}`;
  const mac = await crypto.subtle.sign("HMAC", hmac, new TextEncoder().encode(input));
  const outcome = await here.ask(`${input}.${base64url.encode(new Uint8Array(mac))}`);
  assertEquals(seen(outcome), [401, "invalid_client", 5002738]);
});

test("a signature of another algorithm than the header names is refused", async () => {
  const here = scene();
  for (const [alg, signedWith] of [["PS256", "RS256"], ["RS256", "PS256"]] as const) {
    const made = await here.assertion(registered, { signedWith });
    const header = base64url.encode(JSON.stringify({ alg, "x5t#S256": registered.x5tS256 }));
    assertEquals(seen(await here.ask([header, ...made.split(".").slice(1)].join("."))), REJECTED);
  }
});

test("a key of less than 2048 bits is refused", async () => {
  const weak = await makeCertificate({ bits: 1024 });
  const here = scene({ certificates: [weak.pem] });
  const header = { alg: "RS256", "x5t#S256": weak.x5tS256 };
  const claims = decodeJwt(await here.assertion(registered));
  const input = [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join(".");
  const signature = await crypto.subtle.sign(
    "RSASSA-PKCS1-v1_5",
    weak.keys.privateKey,
    new TextEncoder().encode(input),
  );
  const outcome = await here.ask(`${input}.${base64url.encode(new Uint8Array(signature))}`);
  assertEquals(seen(outcome), REJECTED);
}, { on: ["deno", "node", "workerd", "workerd-nodejs"] });

test("what is no JWT is refused with AADSTS50027", async () => {
  const here = scene();
  const [head = "", claims = ""] = (await here.assertion(registered)).split(".");
  const crit = base64url.encode(
    JSON.stringify({ alg: "PS256", "x5t#S256": registered.x5tS256, crit: ["b64"], b64: false }),
  );
  for (
    const text of ["x", "..", "a.b.c", `${head}.${claims}`, `${head}.W10.c2ln`, `${crit}.${claims}.c2ln`]
  ) {
    const { status, error, code } = await here.ask(text);
    assertEquals([text, status, error, code], [text, 400, "invalid_request", 50027]);
  }
});

test("the type of the assertion must be named, and be that of a JWT", async () => {
  const here = scene();
  const assertion = await here.assertion(registered);
  const missing = await here.ask(assertion, { client_assertion_type: undefined });
  assertEquals(seen(missing), [400, "invalid_request", 900144]);
  const saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
  for (const type of [saml, "urn:ietf:params:oauth:grant-type:jwt-bearer", "jwt-bearer"]) {
    assertEquals(seen(await here.ask(assertion, { client_assertion_type: type })), [
      400,
      "invalid_request",
      90023,
    ]);
  }
});

test("iss, sub and aud must be there: AADSTS90014", async () => {
  const here = scene();
  for (const name of ["iss", "sub", "aud"]) {
    const outcome = await here.ask(await here.assertion(registered, { claims: { [name]: undefined } }));
    assertEquals(seen(outcome), [400, "invalid_request", 90014]);
    assertStringIncludes(outcome.text, `'${name}'`);
  }
});

test("iss must be the client, and sub the same: AADSTS700021, 50048", async () => {
  const here = scene();
  const stranger = "11111111-0000-4000-8000-000000000001";
  const wrong: [Json, number][] = [
    [{ iss: stranger, sub: stranger }, 700021],
    [{ iss: stranger }, 700021],
    [{ sub: stranger }, 50048],
    [{ sub: 7 }, 50048],
  ];
  for (const [claims, code] of wrong) {
    const outcome = await here.ask(await here.assertion(registered, { claims }));
    assertEquals(seen(outcome), [401, "invalid_client", code]);
  }
});

test("the audience is the endpoint or issuer of the tenant that is asked, on any host of the cloud", async () => {
  const here = scene();
  const hosts = ["login.microsoftonline.com", "login.windows.net", "westeurope.login.microsoft.com"];
  const tenants = [CONTOSO.id, CONTOSO.id.toUpperCase(), ...CONTOSO.domains];
  const audiences = [
    ...hosts.flatMap((host) => tenants.map((tenant) => `https://${host}/${tenant}/oauth2/v2.0/token`)),
    `https://login.microsoftonline.com/${CONTOSO.id}/oauth2/token`,
    `https://login.microsoftonline.com/${CONTOSO.id}/v2.0`,
    `https://sts.windows.net/${CONTOSO.id}/`,
  ];
  for (const aud of audiences) {
    assertEquals((await here.ask(await here.assertion(registered, { claims: { aud } }))).status, 200, aud);
  }
  const regional = TOKEN_ENDPOINT.replace("login.microsoftonline.com", "westus2.login.microsoft.com");
  assertEquals((await here.ask(await here.assertion(registered), {}, regional)).status, 200);
});

test("any other audience is refused with AADSTS700023", async () => {
  const here = scene();
  const audiences: unknown[] = [
    `https://login.microsoftonline.com/${FABRIKAM.id}/oauth2/v2.0/token`,
    "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    `https://login.microsoftonline.us/${CONTOSO.id}/oauth2/v2.0/token`,
    `https://login.partner.microsoftonline.cn/${CONTOSO.id}/oauth2/v2.0/token`,
    `https://login.microsoftonline.com.evil.example/${CONTOSO.id}/oauth2/v2.0/token`,
    `https://evil.example/${CONTOSO.id}/oauth2/v2.0/token`,
    `http://login.microsoftonline.com/${CONTOSO.id}/oauth2/v2.0/token`,
    `https://x@login.microsoftonline.com/${CONTOSO.id}/oauth2/v2.0/token`,
    `https://login.microsoftonline.com:444/${CONTOSO.id}/oauth2/v2.0/token`,
    `${TOKEN_ENDPOINT}?x=y`,
    `${TOKEN_ENDPOINT}#x`,
    `${TOKEN_ENDPOINT}/more`,
    "https://login.microsoftonline.com/%/v2.0",
    "https://login.microsoftonline.com",
    "login.microsoftonline.com",
    "",
    null,
    7,
    [TOKEN_ENDPOINT],
    [TOKEN_ENDPOINT, "https://evil.example"],
    { url: TOKEN_ENDPOINT },
  ];
  for (const aud of audiences) {
    const outcome = await here.ask(await here.assertion(registered, { claims: { aud } }));
    assertEquals(seen(outcome), [401, "invalid_client", 700023], JSON.stringify(aud));
  }
});

test("the times are checked with five minutes of tolerance: AADSTS700024", async () => {
  const here = scene();
  const { now } = here;
  const live: Json[] = [
    { nbf: now + 299 },
    { exp: now - 299 },
    { nbf: undefined },
    { exp: now + 600.75, iat: now + 0.25 },
    { exp: now + 86_400 },
  ];
  for (const claims of live) {
    const outcome = await here.ask(await here.assertion(registered, { claims }));
    assertEquals(outcome.status, 200, JSON.stringify(claims));
  }
  for (const claims of [{ nbf: now + 301 }, { exp: now - 301 }, { exp: undefined }]) {
    const outcome = await here.ask(await here.assertion(registered, { claims }));
    assertEquals(seen(outcome), [401, "invalid_client", 700024]);
    assertMatch(
      outcome.text,
      /Current time: [\d-]+T[\d:.]+Z, assertion valid from \d{4}.*expiry time of assertion/,
    );
  }
  for (const claims of [{ exp: "soon" }, { exp: null }, { exp: 1e30 }, { nbf: {} }]) {
    const outcome = await here.ask(await here.assertion(registered, { claims }));
    assertEquals(seen(outcome), [400, "invalid_request", 50027], JSON.stringify(claims));
  }
});

test("an assertion may come again", async () => {
  const here = scene();
  const assertion = await here.assertion(registered);
  for (let time = 0; time < 3; time++) assertEquals((await here.ask(assertion)).status, 200);
});

test("a registered certificate that has ended, or not begun, is refused as expired", async () => {
  const ended = await makeCertificate({ notAfter: new Date("2021-01-01") });
  const early = await makeCertificate({ notBefore: new Date("2051-01-01") });
  const here = scene({ certificates: [ended.pem, early.pem] });
  for (const certificate of [ended, early]) {
    const outcome = await here.ask(await here.assertion(certificate));
    assertEquals(seen(outcome), REJECTED);
    assertStringIncludes(outcome.text, "Reason - The key used is expired.");
  }
});

test("a public client must not present an assertion, and users' grants take one too", async () => {
  const open = scene({ publicClient: true });
  const refused = await open.ask(await open.assertion(registered));
  assertEquals(seen(refused), [401, "invalid_client", 700025]);
  const here = scene();
  const grant = { grant_type: "refresh_token", refresh_token: "unknown" };
  assertEquals((await here.ask(await here.assertion(registered), grant)).code, 70000);
  assertEquals((await here.ask(await here.assertion(other), grant)).code, 700027);
});

test("no error repeats the assertion", async () => {
  const here = scene();
  for (const certificate of [registered, other]) {
    const assertion = await here.assertion(certificate, { claims: { aud: "https://evil.example" } });
    const { body } = await here.ask(assertion);
    assertEquals(JSON.stringify(body).includes(assertion.split(".")[1] ?? ""), false);
  }
});
