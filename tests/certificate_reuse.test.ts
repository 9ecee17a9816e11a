/** How long an assertion serves, and keys that are elsewhere: R-167. */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { AssertionAlgorithm, AssertionSigner, AuthorityType } from "../mod.ts";
import {
  assertionOf,
  contextOf,
  methodOf,
  NOW_MS,
  proofOf,
  refusal,
  shown,
  verified,
} from "./support/assertions.ts";
import { certificate, rawSignature, type TestKeys, testKeys } from "./support/certificates.ts";
import { integer, sequence } from "./support/der_writer.ts";
import { runtime, test } from "./support/suite.ts";

const THUMBPRINT = "A1B2C3D4E5F6A1B2".repeat(4);
const MINUTE_MS = 60_000;

/** A clock to set. */
function clockAt(nowMs: number = NOW_MS): { nowMs: number; readonly now: () => number } {
  const clock = { nowMs, now: (): number => clock.nowMs };
  return clock;
}

/** A key as a vault has it. */
function vault(keys: TestKeys): { sign: AssertionSigner; calls: [number, AssertionAlgorithm][] } {
  const calls: [number, AssertionAlgorithm][] = [];
  const sign: AssertionSigner = async (data, algorithm) => {
    calls.push([data.length, algorithm]);
    if (algorithm === "ES256") return await rawSignature(keys, data);
    const name = algorithm === "PS256" ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
    const key = await crypto.subtle.importKey("jwk", keys.jwk, { name, hash: "SHA-256" }, false, ["sign"]);
    return await crypto.subtle.sign({ name, saltLength: 32 }, key, data);
  };
  return { sign, calls };
}

for (const type of ["aad", "b2c", "ciam", "adfs", "dsts"] as const) {
  test(`${type}: an assertion serves for nine of its ten minutes, and then a new one is made`, async () => {
    const keys = await testKeys();
    const clock = clockAt();
    const publicCertificate = (await certificate(keys)).pem;
    const method = methodOf({ privateKey: keys.jwk, publicCertificate }, clock);
    const context = contextOf(type);
    const first = await assertionOf(method, context);
    clock.nowMs += 9 * MINUTE_MS - 1;
    assertEquals(await assertionOf(method, { ...context, correlationId: "another" }), first);
    clock.nowMs += 1;
    const second = await assertionOf(method, context);
    assertNotEquals(second, first);
    assertEquals((await verified(second, keys.publicJwk)).payload.iat, Math.floor(clock.nowMs / 1000));
    assertEquals(await assertionOf(method, context), second);
  });
}

test("a generic issuer gets a new assertion with each request, which serves for a minute: it refuses a jti twice", async () => {
  const keys = await testKeys("EC");
  const method = methodOf({ privateKey: keys.jwk });
  const all = await Promise.all([1, 2, 3, 4].map(() => assertionOf(method, contextOf("oidc"))));
  const payloads = await Promise.all(all.map(async (one) => (await verified(one, keys.publicJwk)).payload));
  assertEquals(new Set(payloads.map(({ jti }) => jti)).size, 4);
  for (const { exp, iat } of payloads) assertEquals(Number(exp) - Number(iat), 60);
});

test("an assertion serves for one endpoint and client alone", async () => {
  const keys = await testKeys();
  const method = methodOf({ privateKey: keys.jwk, thumbprintSha256: THUMBPRINT });
  const contexts = [
    contextOf(),
    contextOf("aad", { tokenEndpoint: "https://login.microsoftonline.com/b/oauth2/v2.0/token" }),
    contextOf("aad", { clientId: "another" }),
  ];
  const all = await Promise.all([...contexts, ...contexts].map((context) => assertionOf(method, context)));
  assertEquals([new Set(all).size, all.slice(0, 3)], [3, all.slice(3)]);
  for (const [at, { clientId, tokenEndpoint }] of contexts.entries()) {
    const { payload } = await verified(all[at]!, keys.publicJwk);
    assertEquals([payload.iss, payload.aud], [clientId, tokenEndpoint]);
  }
});

test("a clock that is set back makes a new assertion", async () => {
  const keys = await testKeys();
  const clock = clockAt();
  const method = methodOf({ privateKey: keys.jwk, thumbprintSha256: THUMBPRINT }, clock);
  const first = await assertionOf(method);
  clock.nowMs -= 1;
  const second = await assertionOf(method);
  assertNotEquals(second, first);
  assertEquals(await assertionOf(method), second);
});

test("an assertion that the authority refused is not given again", async () => {
  const keys = await testKeys();
  const method = methodOf({ privateKey: keys.jwk, thumbprintSha256: THUMBPRINT });
  const [first, late] = [await method.apply(contextOf()), await method.apply(contextOf())];
  first.refused?.([700024]);
  const second = await assertionOf(method);
  assertNotEquals(second, first.form.client_assertion);
  // Another call, which had the same one, hears of it later.
  late.refused?.([700024]);
  assertEquals(await assertionOf(method), second);
});

test("calls at the same time share the signing", async () => {
  const keys = await testKeys();
  const { sign, calls } = vault(keys);
  const method = methodOf({ sign, thumbprintSha256: THUMBPRINT });
  const all = await Promise.all(Array.from({ length: 20 }, () => assertionOf(method)));
  // In workerd a function's work can die with its request, so there nobody waits for another's.
  const shared = !runtime.startsWith("workerd");
  assertEquals([new Set(all).size, calls.length], shared ? [1, 1] : [20, 20]);
  const last = await assertionOf(method);
  assertEquals([all.includes(last), calls.length], [true, shared ? 1 : 20]);
});

test("a signer that never answers holds up nobody else for longer than three seconds", async () => {
  const keys = await testKeys();
  const { sign } = vault(keys);
  const clock = clockAt();
  let calls = 0;
  const stuck: AssertionSigner = (...call) => ++calls === 1 ? new Promise(() => {}) : sign(...call);
  const method = methodOf({ sign: stuck, thumbprintSha256: THUMBPRINT }, clock);
  void method.apply(contextOf());
  clock.nowMs += 3_000;
  await assertionOf(method);
  await assertionOf(method);
  assertEquals(calls, 2);
});

test("memory is bounded: of 300 endpoints the oldest are forgotten", async () => {
  const keys = await testKeys();
  const { sign, calls } = vault(keys);
  const method = methodOf({ sign, thumbprintSha256: THUMBPRINT });
  const ask = (at: number) => method.apply(contextOf("aad", { tokenEndpoint: `https://example.com/${at}` }));
  for (let at = 0; at < 300; at++) await ask(at);
  await ask(299);
  await ask(44);
  assertEquals(calls.length, 300);
  await ask(43);
  assertEquals(calls.length, 301);
});

const SIGNERS: readonly [string, "RSA" | "EC", object, AuthorityType, AssertionAlgorithm][] = [
  ["Entra", "RSA", {}, "aad", "PS256"],
  ["Entra, by RS256", "RSA", { algorithm: "RS256" }, "aad", "RS256"],
  ["AD FS", "RSA", {}, "adfs", "RS256"],
  ["a generic issuer", "RSA", {}, "oidc", "PS256"],
  ["a generic issuer, of P-256", "EC", {}, "oidc", "ES256"],
];
for (const [what, kind, members, type, alg] of SIGNERS) {
  test(`a key in a vault, with its certificate, signs for ${what} by ${alg}`, async () => {
    const keys = await testKeys(kind);
    const own = await certificate(keys);
    const { sign, calls } = vault(keys);
    const credential = { sign, publicCertificate: own.pem, ...members };
    const { header } = await proofOf(credential, keys.publicJwk, contextOf(type));
    assertEquals([header.alg, calls.length, calls[0]?.[1]], [alg, 1, alg]);
    assertEquals(header.x5c, type === "oidc" ? undefined : [own.base64]);
  });
}

test("a signer without certificate takes a thumbprint for Entra, and nothing for others", async () => {
  const keys = await testKeys();
  const { sign } = vault(keys);
  await proofOf({ sign, thumbprintSha256: THUMBPRINT }, keys.publicJwk);
  await proofOf({ sign }, keys.publicJwk, contextOf("oidc"));
  assertStringIncludes((await refusal({ sign })).message, "publicCertificate or thumbprintSha256");
  const ec = await testKeys("EC");
  const { header } = await proofOf(
    { sign: vault(ec).sign, algorithm: "ES256", keyId: "k" },
    ec.publicJwk,
    contextOf("oidc"),
  );
  assertEquals(header, { alg: "ES256", typ: "JWT", kid: "k" });
});

test("what a signer gives may be an ArrayBuffer, bytes, or a part of larger bytes", async () => {
  const keys = await testKeys();
  const { sign } = vault(keys);
  const signature = async (...call: Parameters<AssertionSigner>) => new Uint8Array(await sign(...call));
  const within = async (...call: Parameters<AssertionSigner>) => {
    const larger = new Uint8Array(300);
    larger.set(await signature(...call), 20);
    return larger.subarray(20, 276);
  };
  for (const one of [sign, signature, within]) {
    await proofOf({ sign: one, thumbprintSha256: THUMBPRINT }, keys.publicJwk);
  }
});

const NO_SIGNATURES: readonly [string, (signature: Uint8Array) => unknown][] = [
  ["nothing", () => undefined],
  ["null", () => null],
  ["no bytes", () => new Uint8Array()],
  ["too few bytes", (signature) => signature.subarray(1)],
  ["too many bytes", (signature) => new Uint8Array([...signature, ...new Uint8Array(1024)])],
  ["base64", (signature) => btoa(String.fromCharCode(...signature))],
  ["a list of numbers", (signature) => [...signature]],
  ["an object", (signature) => ({ signature })],
];
for (const [what, change] of NO_SIGNATURES) {
  for (const known of [true, false]) {
    test(`a signer that gives ${what}, certificate ${known ? "known" : "unknown"}: refused, each time`, async () => {
      const keys = await testKeys();
      const publicCertificate = known ? (await certificate(keys)).pem : undefined;
      const sign = (async (data: Uint8Array<ArrayBuffer>) =>
        change(await rawSignature(keys, data))) as unknown as AssertionSigner;
      const method = methodOf({ sign, publicCertificate, thumbprintSha256: known ? undefined : THUMBPRINT });
      for (let count = 0; count < 2; count++) {
        const error = await method.apply(contextOf()).catch((thrown) =>
          thrown
        );
        assertEquals([error.name, error.code], ["ClientConfigurationError", "invalid_client_credential"]);
        assertStringIncludes(error.message, "sign gave no PS256 signature");
      }
    });
  }
}

test("ECDSA in DER, as vaults give it, is refused with or without a certificate", async () => {
  const keys = await testKeys("EC");
  const publicCertificate = (await certificate(keys)).pem;
  const sign: AssertionSigner = async (data) => {
    const raw = await rawSignature(keys, data);
    return sequence(integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  };
  for (const known of [{ publicCertificate }, {}]) {
    const error = await refusal({ sign, algorithm: "ES256", ...known }, contextOf("oidc"));
    assertStringIncludes(error.message, "as JWS has them");
  }
});

test("a signature of another key or algorithm is found by the certificate", async () => {
  const keys = await testKeys();
  const publicCertificate = (await certificate(keys)).pem;
  const foreign = vault(await testKeys("RSA", "foreign")).sign;
  const { sign } = vault(keys);
  const wrong: AssertionSigner = (data) => sign(data, "RS256");
  const garbage: AssertionSigner = () => new Uint8Array(256);
  const stale: AssertionSigner = (data, algorithm) => sign(data.slice(1), algorithm);
  for (const one of [foreign, wrong, garbage, stale]) {
    const error = await refusal({ sign: one, publicCertificate });
    assertEquals([error.code, error.when], ["invalid_client_credential", "asked"]);
    assertStringIncludes(error.message, "sign does not sign by PS256");
  }
});

test("a signer that is no function, or for which the algorithm is not, is refused at once", async () => {
  const keys = await testKeys("EC");
  const publicCertificate = (await certificate(keys)).pem;
  for (const sign of ["sign", null, {}, 5]) {
    assertStringIncludes((await refusal({ sign })).message, "sign must be a function");
  }
  const error = await refusal({ sign: vault(keys).sign, publicCertificate, algorithm: "PS256" });
  assertEquals(error.when, "made");
  assertStringIncludes((await refusal({ sign: vault(keys).sign, publicCertificate })).message, "ES256");
});

const THROWN: readonly [string, () => never][] = [
  ["an Error", () => {
    throw new RangeError("canary-s3cr3t");
  }],
  ["a text", () => {
    throw "canary-s3cr3t";
  }],
  ["nothing", () => {
    throw undefined;
  }],
];
for (const [what, sign] of THROWN) {
  for (const late of [false, true]) {
    test(`R-168 R-186 a signer that throws ${what}${late ? " later" : ""}: client_credential_failed, without it`, async () => {
      const failing = late ? () => Promise.resolve().then(sign) : sign;
      const error = await refusal({ sign: failing, thumbprintSha256: THUMBPRINT });
      assertEquals([error.name, error.code], ["ClientAuthError", "client_credential_failed"]);
      assertEquals([error.correlationId, error.cause], [contextOf().correlationId, undefined]);
      assert(!shown(error).includes("canary-s3cr3t"));
    });
  }
}

test("a signer that failed is asked again by the next call", async () => {
  const keys = await testKeys();
  const { sign } = vault(keys);
  let calls = 0;
  const moody: AssertionSigner = (...call) => {
    if (++calls === 1) throw new Error("vault sealed");
    return sign(...call);
  };
  const method = methodOf({ sign: moody, thumbprintSha256: THUMBPRINT });
  assertEquals(await method.apply(contextOf()).catch(({ code }) => code), "client_credential_failed");
  await verified(await assertionOf(method), keys.publicJwk);
});

test("a signer may spoil the bytes that it gets: what is sent is what was to be signed", async () => {
  const keys = await testKeys();
  const { sign } = vault(keys);
  const spoiling: AssertionSigner = async (data, algorithm) => {
    const signature = await sign(data.slice(), algorithm);
    data.fill(0);
    return signature;
  };
  await proofOf({ sign: spoiling, thumbprintSha256: THUMBPRINT }, keys.publicJwk);
});
