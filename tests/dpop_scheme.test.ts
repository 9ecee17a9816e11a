/** The DPoP scheme by itself: R-208, RFC 9449 sections 4.2, 7.1 and 9, RFC 7638. */
import {
  assert,
  assertEquals,
  assertFalse,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { ClientConfigurationError } from "../mod.ts";
import { DpopAuthScheme, type ProofAlgorithm } from "../src/proof_of_possession/mod.ts";
import { thumbprintOf } from "../src/proof_of_possession/signing_key.ts";
import { failure } from "./support/app_fixture.ts";
import { printed } from "./support/printed.ts";
import { verifiedProof } from "./support/proofs.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const URL_OF_API = "https://Resource.Example.org:443/protectedresource?a=1&b=2#part";
const HTU = "https://resource.example.org/protectedresource";
const EC = { name: "ECDSA", namedCurve: "P-256" };
const rsa = (name: string, modulusLength = 2048, hash = "SHA-256") => ({
  name,
  modulusLength,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash,
});

async function pairOf(algorithm: object, extractable = false): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(algorithm as EcKeyGenParams, extractable, ["sign", "verify"]);
  return pair as CryptoKeyPair;
}

test("RFC 7638 section 3.1 and RFC 9449 section 6.1: the thumbprints of the examples", async () => {
  assertEquals(
    await thumbprintOf({
      e: "AQAB",
      kty: "RSA",
      n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9" +
        "1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    }),
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
  );
  assertEquals(
    await thumbprintOf({
      crv: "P-256",
      kty: "EC",
      x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
      y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    }),
    "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
  );
});

test("R-208 a proof for an API has the method, the URL without query and fragment, and the hash of the token", async () => {
  const scheme = await DpopAuthScheme.generate();
  // The token and the hash of RFC 9449 section 7.1.
  const accessToken = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
  const { authorization, dpop } = await scheme.apiHeaders({
    method: "GET",
    url: URL_OF_API,
    accessToken,
    nowSeconds: 1_562_262_618,
  });
  assertEquals(authorization, `DPoP ${accessToken}`);
  const { header, payload: { jti, ...payload }, thumbprint } = await verifiedProof(dpop);
  assertEquals(header.alg, "ES256");
  assertEquals(thumbprint, scheme.keyId);
  assertEquals(payload, {
    htm: "GET",
    htu: HTU,
    iat: 1_562_262_618,
    ath: "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
  });
  assert(/^[\da-f-]{36}$/.test(jti));
});

test("R-208 the method is signed as fetch sends it: six of them in capitals, others as they are", async () => {
  const scheme = await DpopAuthScheme.generate();
  const signed = async (method: string): Promise<unknown> => {
    const { dpop } = await scheme.apiHeaders({ method, url: "https://api.example/", accessToken: "t" });
    return (await verifiedProof(dpop)).payload.htm;
  };
  for (const method of ["get", "Post", "pUT", "delete", "head", "options"]) {
    assertEquals(await signed(method), method.toUpperCase());
  }
  for (const method of ["patch", "getx", "Report"]) assertEquals(await signed(method), method);
});

test("R-208 each proof has a jti of its own, also for the same request", async () => {
  const scheme = await DpopAuthScheme.generate();
  const request = { url: "https://idp.example/token", nowSeconds: 1 };
  const made = await Promise.all(Array.from({ length: 20 }, () => scheme.tokenRequest(request)));
  const proofs = await Promise.all(made.map(({ headers }) => verifiedProof(headers?.dpop)));
  assertEquals(new Set(proofs.map(({ payload }) => payload.jti)).size, 20);
});

test("R-208 a proof for the token endpoint has no ath, and the nonce where there is one", async () => {
  const scheme = await DpopAuthScheme.generate();
  const asked = { url: "https://idp.example/token?p=1", nowSeconds: 7 };
  for (const nonce of [undefined, "eyJ7S_zG.eyJH0-Z.HX4w-7v"]) {
    const { form, headers } = await scheme.tokenRequest({ ...asked, nonce });
    const { payload: { jti: _, ...payload } } = await verifiedProof(headers?.dpop);
    assertEquals(payload, {
      htm: "POST",
      htu: "https://idp.example/token",
      iat: 7,
      ...(nonce !== undefined && { nonce }),
    });
    assertEquals([form, Object.keys(headers ?? {})], [undefined, ["dpop"]]);
  }
});

test("R-208 every algorithm signs what another library verifies, and no private key can be had", async () => {
  const rows: Record<string, ProofAlgorithm> = { ES256: "ES256", PS256: "PS256", RS256: "RS256" };
  await eachRow(rows, async (algorithm) => {
    const scheme = await DpopAuthScheme.generate({ algorithm });
    const { dpop } = await scheme.apiHeaders({ method: "GET", url: HTU, accessToken: "t" });
    const { header, payload, thumbprint } = await verifiedProof(dpop);
    assertEquals([header.alg, thumbprint], [algorithm, scheme.keyId]);
    assert(Math.abs(payload.iat - Date.now() / 1000) < 60);
    assertEquals(JSON.parse(JSON.stringify(scheme)), { tokenType: "DPoP", keyId: scheme.keyId });
    assertFalse(/CryptoKey|privateKey/.test(printed(scheme)));
  });
});

test("two schemes are two keys, and one key pair is one", async () => {
  const [one, other] = await Promise.all([DpopAuthScheme.generate(), DpopAuthScheme.generate()]);
  assertNotEquals(one.keyId, other.keyId);
  const pair = await pairOf(EC);
  const [first, again] = [await DpopAuthScheme.fromKeyPair(pair), await DpopAuthScheme.fromKeyPair(pair)];
  assertEquals(first.keyId, again.keyId);
  const { dpop } = await again.apiHeaders({ method: "GET", url: HTU, accessToken: "t" });
  assertEquals((await verifiedProof(dpop)).thumbprint, first.keyId);
});

test("R-208 R-094 key pairs that are none, weak, extractable or mixed up are refused by the option's name", async () => {
  const [pair, other, open] = [await pairOf(EC), await pairOf(EC), await pairOf(EC, true)];
  const rows: Record<string, unknown> = {
    "nothing": undefined,
    "null": null,
    "a text": "-----BEGIN PRIVATE KEY-----",
    "a key": pair.privateKey,
    "a JWK": { kty: "EC", d: "secret-d" },
    "no private key": { publicKey: pair.publicKey },
    "no public key": { privateKey: pair.privateKey },
    "the keys the other way round": { privateKey: pair.publicKey, publicKey: pair.privateKey },
    "a private key twice": { privateKey: pair.privateKey, publicKey: open.privateKey },
    "an extractable key": open,
    "the public key of another": { privateKey: pair.privateKey, publicKey: other.publicKey },
    "P-384": await pairOf({ name: "ECDSA", namedCurve: "P-384" }),
    "RSA of 1024 bits": await pairOf(rsa("RSASSA-PKCS1-v1_5", 1024)),
    "RSA with SHA-1": await pairOf(rsa("RSASSA-PKCS1-v1_5", 2048, "SHA-1")),
    "RSA with SHA-512": await pairOf(rsa("RSA-PSS", 2048, "SHA-512")),
    "the public key of another kind": {
      privateKey: pair.privateKey,
      publicKey: (await pairOf(rsa("RSA-PSS"))).publicKey,
    },
    "a secret key": {
      privateKey: await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
      publicKey: pair.publicKey,
    },
  };
  await eachRow(rows, async (keyPair) => {
    const error = await failure(DpopAuthScheme.fromKeyPair(keyPair as CryptoKeyPair));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_option", "keyPair"]);
    assertFalse(error.message.includes("secret-d"));
  });
});

test("an algorithm that nobody should use is refused by its name", async () => {
  for (const algorithm of ["none", "HS256", "ES384", "", null, "toString", 7]) {
    const error = await failure(DpopAuthScheme.generate({ algorithm: algorithm as ProofAlgorithm }));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_option", "algorithm"]);
  }
  assertEquals((await failure(DpopAuthScheme.generate(null as unknown as object))).code, "invalid_request");
});

test("a request that is none is refused by its member's name, and no token is quoted", async () => {
  const scheme = await DpopAuthScheme.generate();
  const good = { method: "GET", url: HTU, accessToken: "t0ken" };
  const rows: Record<string, [object, string]> = {
    "a method with a space": [{ method: "GET /" }, "method"],
    "no method": [{ method: "" }, "method"],
    "a relative URL": [{ url: "/path" }, "url"],
    "another protocol": [{ url: "data:text/plain,x" }, "url"],
    "no token": [{ accessToken: "" }, "accessToken"],
    "a token with a line in it": [{ accessToken: "cAnArY\r\nx: y" }, "accessToken"],
    "a time that is none": [{ nowSeconds: NaN }, "nowSeconds"],
    "a time in milliseconds and more": [{ nowSeconds: 1.5 }, "nowSeconds"],
  };
  await eachRow(rows, async ([over, option]) => {
    const error = await failure(scheme.apiHeaders({ ...good, ...over }));
    assert(error instanceof ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_request", option]);
    assertFalse(/cAnArY|t0ken/.test(error.message));
  });
  await assertRejects(() => scheme.apiHeaders(undefined as never), ClientConfigurationError);
});

test("R-208 RFC 9449 section 9: the nonce of an answer, and whether the request was refused for want of it", async () => {
  const scheme = await DpopAuthScheme.generate();
  const answer = (status: number, challenge: string, nonce = "n-1") =>
    scheme.apiNonce({
      status,
      headers: new Headers({ "www-authenticate": challenge, ...(nonce && { "dpop-nonce": nonce }) }),
    });
  const wanted = { nonce: "n-1", isRequired: true };
  const given = { nonce: "n-1", isRequired: false };
  assertEquals(answer(401, 'DPoP error="use_dpop_nonce"'), wanted);
  assertEquals(answer(401, 'dPoP realm="x", error="use_dpop_nonce", algs="ES256"'), wanted);
  assertEquals(answer(401, "Bearer, DPOP error=use_dpop_nonce"), wanted);
  assertEquals(answer(401, 'DPoP error="invalid_token"'), given);
  assertEquals(answer(401, 'Bearer error="use_dpop_nonce"'), given);
  assertEquals(answer(400, 'DPoP error="use_dpop_nonce"'), given);
  assertEquals(answer(200, ""), given);
  assertStrictEquals(answer(401, 'DPoP error="use_dpop_nonce"', ""), undefined);
  for (const nonce of ['a"b', "a\\b", "a b", "x".repeat(1025), "é"]) {
    assertStrictEquals(answer(401, 'DPoP error="use_dpop_nonce"', nonce), undefined, nonce);
  }
});
