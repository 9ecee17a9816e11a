/** Entra's signed HTTP requests by themselves: section 8.14 (test_e2e), sections 1.8 and 1.10 of MSAL Python, 3.1.8 of MSAL.NET. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertStrictEquals } from "@std/assert";
import { base64url } from "jose";
import { ClientConfigurationError } from "../mod.ts";
import { PopAuthScheme } from "../src/proof_of_possession/mod.ts";
import { failure } from "./support/app_fixture.ts";
import { printed } from "./support/printed.ts";
import { verifiedRequest } from "./support/proofs.ts";
import { test } from "./support/suite.ts";

const URL_OF_API = "https://www.Contoso.com/Path1/Path2?queryParam1=a&queryParam2=b";

test("test_e2e: the claims m, u, p and nonce are the request's, and another library verifies the signature", async () => {
  const scheme = await PopAuthScheme.generate();
  const { authorization } = await scheme.apiHeaders({
    method: "get",
    url: URL_OF_API,
    accessToken: "an.access.token",
    nonce: "the nonce",
    nowSeconds: 1_700_000_000,
  });
  const { header, payload: { cnf, ...payload }, thumbprint } = await verifiedRequest(authorization);
  assertEquals(header, { alg: "RS256", kid: scheme.keyId, typ: "pop" });
  assertEquals(payload, {
    at: "an.access.token",
    ts: 1_700_000_000,
    m: "GET",
    u: "www.contoso.com",
    p: "/Path1/Path2",
    nonce: "the nonce",
  });
  assertEquals(Object.keys(cnf), ["jwk"]);
  assertEquals(thumbprint, scheme.keyId);
});

test("a port that is not the scheme's own is part of u, and a nonce is made where none was given", async () => {
  const scheme = await PopAuthScheme.generate();
  const request = { method: "POST", url: "https://api.example:8443/", accessToken: "t" };
  const [one, other] = await Promise.all(
    [request, request].map(async (about) => verifiedRequest((await scheme.apiHeaders(about)).authorization)),
  );
  assertEquals([one?.payload.u, one?.payload.p], ["api.example:8443", "/"]);
  assert(/^[\da-f]{32}$/.test(one?.payload.nonce));
  assertNotEquals(one?.payload.nonce, other?.payload.nonce);
});

test("a token of 100,000 characters is signed, too", async () => {
  const scheme = await PopAuthScheme.generate();
  const accessToken = "a".repeat(100_000);
  const { authorization } = await scheme.apiHeaders({ method: "GET", url: URL_OF_API, accessToken });
  assertEquals((await verifiedRequest(authorization)).payload.at, accessToken);
});

test("section 1.10: the token request names the key, and nothing of it is in what is printed", async () => {
  const scheme = await PopAuthScheme.generate();
  const { form = {}, headers } = scheme.tokenRequest();
  assertEquals(form.token_type, "pop");
  assertEquals(JSON.parse(new TextDecoder().decode(base64url.decode(`${form.req_cnf}`))), {
    kid: scheme.keyId,
  });
  assertStrictEquals(headers, undefined);
  assertEquals(JSON.parse(JSON.stringify(scheme)), { tokenType: "pop", keyId: scheme.keyId });
  assertFalse(/CryptoKey|privateKey/.test(printed(scheme)));
});

test("only RSA keys with RS256 are taken, which is all that Entra takes", async () => {
  const publicExponent = new Uint8Array([1, 0, 1]);
  const pairs = [
    await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]),
    await crypto.subtle.generateKey(
      { name: "RSA-PSS", modulusLength: 2048, publicExponent, hash: "SHA-256" },
      false,
      ["sign", "verify"],
    ),
  ];
  for (const pair of pairs) {
    const error = await failure(PopAuthScheme.fromKeyPair(pair as CryptoKeyPair));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_option", "keyPair"]);
  }
  const own = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent, hash: "SHA-256" },
    false,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  const scheme = await PopAuthScheme.fromKeyPair(own);
  const { authorization } = await scheme.apiHeaders({ method: "GET", url: URL_OF_API, accessToken: "t" });
  assertEquals((await verifiedRequest(authorization)).thumbprint, scheme.keyId);
});

test("MSAL.NET 3.1.8: the nonce of a challenge, and the next nonce of an answer", async () => {
  const scheme = await PopAuthScheme.generate();
  const nonceOf = (status: number, headers: Record<string, string>) =>
    scheme.apiNonce({ status, headers: new Headers(headers) });
  const challenge = {
    "www-authenticate": 'Bearer realm="x", pop nonce="n-1", authorization_uri="https://x"',
  };
  assertEquals(nonceOf(401, challenge), { nonce: "n-1", isRequired: true });
  assertEquals(nonceOf(200, challenge), { nonce: "n-1", isRequired: false });
  assertEquals(nonceOf(200, { "authentication-info": 'nextnonce="n-2"' }), {
    nonce: "n-2",
    isRequired: false,
  });
  assertEquals(nonceOf(200, { "authentication-info": 'PoP x="1", nextnonce="n-2"' }), {
    nonce: "n-2",
    isRequired: false,
  });
  for (
    const headers of [
      {},
      { "www-authenticate": 'Bearer nonce="n-1"' },
      { "www-authenticate": "PoP" },
      { "www-authenticate": 'PoP nonce=""' },
      { "www-authenticate": 'PoP nonce="a b"' },
      { "authentication-info": 'nonce="n-1"' },
      { "authentication-info": `nextnonce="${"x".repeat(2000)}"` },
    ]
  ) assertStrictEquals(nonceOf(401, headers as Record<string, string>), undefined);
});
