/** ID tokens that no client should accept, and keys that change, on demand. */
import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { Fault, IdTokenForgery } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { CLI, HOST, type Json, UserScene } from "./support/user_scene.ts";

async function keySet(scene: UserScene): Promise<ReturnType<typeof createLocalJWKSet>> {
  const response = await scene.authority.fetch(`${HOST}/common/discovery/v2.0/keys`);
  return createLocalJWKSet(await response.json());
}

async function forged(scene: UserScene, forgery: IdTokenForgery): Promise<Json> {
  scene.authority.fault({ on: "token", kind: "id_token", ...forgery });
  return await scene.tokens();
}

test("R-063: claims of the next ID token are replaced, added and removed", async () => {
  const scene = new UserScene();
  const { id_token } = await forged(scene, { claims: { nonce: "other", extra: [1], tid: undefined } });
  const claims = decodeJwt(id_token);
  assertEquals([claims["nonce"], claims["extra"], "tid" in claims], ["other", [1], false]);
  await jwtVerify(id_token, await keySet(scene), { currentDate: new Date(scene.clock.now()) });
  assertEquals(decodeJwt((await scene.tokens()).id_token)["nonce"], "the-nonce");
});

test("R-094: the header of the next ID token is replaced", async () => {
  const scene = new UserScene();
  const { id_token } = await forged(scene, { header: { kid: undefined, crit: ["x"], x: 1, alg: "RS512" } });
  assertEquals(decodeProtectedHeader(id_token), { typ: "JWT", alg: "RS512", crit: ["x"], x: 1 });
});

test("R-064 to R-066: signatures that must be refused", async () => {
  const scene = new UserScene();
  const keys = await keySet(scene);
  for (const signature of ["broken", "foreign_key"] as const) {
    const { id_token } = await forged(scene, { signature });
    const { kid, alg } = decodeProtectedHeader(id_token);
    const own = decodeProtectedHeader((await scene.tokens()).id_token);
    assertEquals([kid, alg], [own.kid, "RS256"]);
    await assertRejects(() => compactVerify(id_token, keys), Error, "signature verification failed");
  }
  const unsigned = (await forged(scene, { signature: "none" })).id_token;
  assertEquals([decodeProtectedHeader(unsigned).alg, unsigned.split(".")[2]], ["none", ""]);
  const { id_token } = await forged(scene, { signature: "hs256" });
  const { protectedHeader } = await compactVerify(id_token, new TextEncoder().encode("s3cret"));
  assertEquals(protectedHeader.alg, "HS256");
});

test("R-065: a client without a secret gets HMAC with the public key", async () => {
  const scene = new UserScene();
  const jwks = await (await scene.authority.fetch(`${HOST}/common/discovery/v2.0/keys`)).json();
  const [{ n, e }] = jwks.keys;
  const code = await scene.code({ client_id: CLI.clientId });
  scene.authority.fault({ on: "token", kind: "id_token", signature: "hs256" });
  const { body } = await scene.redeem(code, { client_id: CLI.clientId, client_secret: undefined });
  await compactVerify(body.id_token, new TextEncoder().encode(JSON.stringify({ kty: "RSA", n, e })));
});

test("an ID token can be left out", async () => {
  const scene = new UserScene();
  const body = await forged(scene, { omit: true });
  assertEquals(["id_token" in body, "access_token" in body], [false, true]);
});

test("a fault of ID tokens waits for one, happens as often as it says, and is in the log", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  scene.authority.fault({ on: "token", kind: "id_token", claims: { nonce: "odd" }, times: 2 });
  await scene.refresh(refresh_token, { scope: "User.Read" });
  await scene.refresh(refresh_token, { client_secret: "wrong" });
  const nonces: unknown[] = [];
  for (let round = 0; round < 3; round++) {
    nonces.push(decodeJwt((await scene.refresh(refresh_token)).body.id_token)["nonce"]);
  }
  assertEquals(nonces, ["odd", "odd", undefined]);
  assertEquals(scene.authority.countRequests({ fault: "id_token" }), 2);
});

test("a fault of ID tokens does not hide other faults, nor they it", async () => {
  const scene = new UserScene();
  const { refresh_token } = await scene.tokens();
  scene.authority.fault({ on: "token", kind: "id_token", omit: true });
  scene.authority.fault({ on: "token", kind: "throttled" });
  assertEquals((await scene.refresh(refresh_token)).status, 429);
  assertFalse("id_token" in (await scene.refresh(refresh_token)).body);
  assert("id_token" in (await scene.refresh(refresh_token)).body);
});

test("a fault of ID tokens that makes no sense is refused, and one can be taken back", async () => {
  const scene = new UserScene();
  const wrong = [
    { on: "jwks", kind: "id_token" },
    { on: "any", kind: "id_token" },
    { on: "token", kind: "id_token", signature: "es256" },
    { on: "token", kind: "id_token", times: 0 },
  ];
  for (const fault of wrong) {
    assertThrows(() => scene.authority.fault(fault as unknown as Fault), TypeError, "Cannot set a fault");
  }
  scene.authority.fault({ on: "token", kind: "id_token", omit: true })();
  assert("id_token" in await scene.tokens());
});

test("an ID token that is signed without a request can be forged too", async () => {
  const scene = new UserScene();
  const token = await scene.authority.issueIdToken({ signature: "none", header: { typ: undefined } });
  assertEquals(Object.keys(decodeProtectedHeader(token)), ["alg", "kid"]);
  const claims = decodeJwt(
    await scene.authority.issueIdToken({ claims: { aud: ["x"] }, lifetimeSeconds: -60 }),
  );
  assertEquals([claims.aud, claims.exp], [["x"], scene.clock.now() / 1000 - 60]);
});

test("R-089: after a rotation tokens have another key, and the old one stays in the key set", async () => {
  const scene = new UserScene();
  const before = (await scene.tokens()).id_token;
  await scene.authority.rotateKeys();
  const after = (await scene.tokens()).id_token;
  const keys = await keySet(scene);
  for (const token of [before, after]) await compactVerify(token, keys);
  assert(decodeProtectedHeader(before).kid !== decodeProtectedHeader(after).kid);
});

test("R-090: a rotation that drops the old keys leaves one, and Graph no longer accepts the old tokens", async () => {
  const scene = new UserScene();
  const { access_token, id_token } = await scene.tokens();
  await scene.authority.rotateKeys({ keepOld: false });
  await assertRejects(async () => compactVerify(id_token, await keySet(scene)), Error, "no applicable key");
  assertEquals((await scene.graph("v1.0/me", access_token)).status, 401);
  assertEquals((await scene.graph("v1.0/me", (await scene.tokens()).access_token)).status, 200);
});

test("faults can be set on the endpoints of a sign-in", async () => {
  const scene = new UserScene();
  scene.authority.fault({ on: "devicecode", kind: "throttled" });
  scene.authority.fault({ on: "userinfo", kind: "throttled" });
  const fields = { client_id: CLI.clientId, scope: "openid" };
  assertEquals((await scene.post(fields, undefined, "devicecode")).status, 429);
  const { status, body } = await scene.graph("oidc/userinfo", "");
  assertEquals([status, body.error.code], [429, "TooManyRequests"]);
});
