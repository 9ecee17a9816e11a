/** The local authority checks DPoP proofs where it is told to (R-208, R-209). */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { base64url, decodeJwt } from "jose";
import type { LocalAuthorityOptions } from "../src/testing/mod.ts";
import { signedByHand } from "./support/local_assertions.ts";
import {
  dpopProof,
  makeProofKey,
  type ProofKey,
  requestConfirmation,
  tokenHash,
} from "./support/proof_keys.ts";
import { test } from "./support/suite.ts";
import { type Changes, CLI, CONTOSO, HOST, type Json, UserScene, WEB } from "./support/user_scene.ts";

const TOKEN_URL = `${HOST}/${CONTOSO.id}/oauth2/v2.0/token`;
const ME = "https://graph.microsoft.com/v1.0/me";
const key = await makeProofKey();
const other = await makeProofKey("RS256");

interface Answered {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

class Scene extends UserScene {
  constructor(options: LocalAuthorityOptions = {}) {
    super({ dpop: true, ...options });
  }

  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  proof(claims: Json = {}, header: Json = {}, by: ProofKey = key): Promise<string> {
    return dpopProof(by, { htm: "POST", htu: TOKEN_URL, iat: this.now, ...claims }, header);
  }

  async send(fields: Changes, proof?: string): Promise<Answered> {
    const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
    const response = await this.authority.fetch(TOKEN_URL, {
      method: "POST",
      body: new URLSearchParams(given),
      headers: proof === undefined ? {} : { dpop: proof },
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  }

  /** An app token: whatever the proof is checked for, this shows it. */
  app(proof?: string, changes: Changes = {}): Promise<Answered> {
    return this.send({
      grant_type: "client_credentials",
      client_id: WEB.clientId,
      client_secret: WEB.secrets[0],
      scope: "https://graph.microsoft.com/.default",
      ...changes,
    }, proof);
  }

  async redeemed(client: typeof CLI | typeof WEB, proof?: string, changes: Changes = {}): Promise<Answered> {
    const code = await this.code({ client_id: client.clientId, ...changes });
    return await this.send({
      grant_type: "authorization_code",
      client_id: client.clientId,
      client_secret: "secrets" in client ? client.secrets[0] : undefined,
      code,
      redirect_uri: "http://localhost:3000/callback",
      code_verifier: "a-verifier-that-is-long-enough-for-the-endpoint",
    }, proof);
  }

  async refreshed(client: typeof CLI | typeof WEB, refreshToken: string, proof?: string): Promise<Answered> {
    return await this.send({
      grant_type: "refresh_token",
      client_id: client.clientId,
      client_secret: "secrets" in client ? client.secrets[0] : undefined,
      refresh_token: refreshToken,
    }, proof);
  }

  async call(accessToken: string, claims: Json = {}, by: ProofKey = key, scheme = "DPoP"): Promise<Response> {
    const ath = await tokenHash(accessToken);
    const proof = await dpopProof(by, { htm: "GET", htu: ME, iat: this.now, ath, ...claims });
    return await this.authority.fetch(ME, {
      headers: { authorization: `${scheme} ${accessToken}`, dpop: proof },
    });
  }
}

const REFUSED = [400, "invalid_dpop_proof"];

function seen({ status, body }: Answered): unknown[] {
  return [status, body["error"]];
}

test("a request with a proof gets a token that is bound to its key", async () => {
  const scene = new Scene();
  for (const by of [key, other]) {
    const { status, body } = await scene.app(await scene.proof({}, {}, by));
    assertEquals([status, body["token_type"]], [200, "DPoP"]);
    assertEquals(decodeJwt(body["access_token"])["cnf"], { jkt: by.jkt });
  }
  const { body } = await scene.redeemed(WEB, await scene.proof());
  assertEquals([body["token_type"], decodeJwt(body["access_token"])["cnf"]], ["DPoP", { jkt: key.jkt }]);
});

test("without a proof the token is a bearer token, and without the option a proof does nothing", async () => {
  const on = await new Scene().app();
  const off = new Scene({ dpop: false });
  for (const { body } of [on, await off.app(await off.proof()), await off.app("nonsense")]) {
    assertEquals([body["token_type"], decodeJwt(body["access_token"])["cnf"]], ["Bearer", undefined]);
  }
  assertEquals((await off.call(off.authority.defaults.clientId)).status, 401);
});

test("discovery says so, where it is on alone", async () => {
  for (
    const [dpop, algorithms] of [[true, ["ES256", "ES384", "RS256", "PS256"]], [false, undefined]] as const
  ) {
    const { authority } = new Scene({ dpop });
    const url = `${HOST}/${CONTOSO.id}/v2.0/.well-known/openid-configuration`;
    const document = await (await authority.fetch(url)).json();
    assertEquals(document.dpop_signing_alg_values_supported, algorithms);
    assertEquals(document.token_endpoint_auth_methods_supported, [
      "client_secret_post",
      "private_key_jwt",
      "client_secret_basic",
    ]);
  }
});

test("a proof of another request, time or shape is refused", async () => {
  const scene = new Scene();
  const wrong: Json[] = [
    { htm: "GET" },
    { htm: "post" },
    { htm: undefined },
    { htu: `${TOKEN_URL}?x=y` },
    { htu: `${TOKEN_URL}#x` },
    { htu: `${TOKEN_URL}/` },
    { htu: TOKEN_URL.replace("https:", "http:") },
    { htu: TOKEN_URL.replace("login.microsoftonline.com", "evil.example") },
    { htu: undefined },
    { iat: scene.now - 301 },
    { iat: scene.now + 301 },
    { iat: undefined },
    { iat: `${scene.now}` },
    { jti: undefined },
    { jti: "" },
    { jti: 7 },
    { jti: "x".repeat(257) },
  ];
  for (const claims of wrong) {
    assertEquals(seen(await scene.app(await scene.proof(claims))), REFUSED, JSON.stringify(claims));
  }
});

test("a proof of another type, algorithm or key is refused", async () => {
  const scene = new Scene();
  const wrong: Json[] = [
    { typ: "JWT" },
    { typ: undefined },
    { jwk: undefined },
    { jwk: other.jwk },
    { jwk: { ...key.jwk, d: "AQ" } },
    { jwk: { kty: "oct", k: "AQ" } },
    { jwk: "key" },
    { jwk: {} },
  ];
  for (const header of wrong) {
    assertEquals(seen(await scene.app(await scene.proof({}, header))), REFUSED, JSON.stringify(header));
  }
  const [, claims, signature] = (await scene.proof()).split(".");
  for (const alg of ["none", "HS256", "RS256", "ES512"]) {
    const head = base64url.encode(JSON.stringify({ typ: "dpop+jwt", alg, jwk: key.jwk }));
    assertEquals(seen(await scene.app(`${head}.${claims}.${signature}`)), REFUSED);
    assertEquals(seen(await scene.app(`${head}.${claims}.`)), REFUSED);
  }
  assertEquals(seen(await scene.app("nonsense")), REFUSED);
  const two = `${await scene.proof()}, ${await scene.proof()}`;
  assertEquals(seen(await scene.app(two)), REFUSED);
});

test("a proof can be used once", async () => {
  const scene = new Scene();
  const proof = await scene.proof();
  assertEquals((await scene.app(proof)).status, 200);
  assertEquals(seen(await scene.app(proof)), REFUSED);
  // Another key may have the same jti.
  const { jti } = decodeJwt(proof);
  assertEquals((await scene.app(await scene.proof({ jti }, {}, other))).status, 200);
});

test("a token cannot be bound in two ways", async () => {
  const scene = new Scene();
  const req_cnf = requestConfirmation({ kid: key.jkt });
  const { status, body } = await scene.app(await scene.proof(), { token_type: "pop", req_cnf });
  assertEquals([status, body["error"]], [400, "invalid_request"]);
});

test("where a nonce is required, the answer has it, and only a live one is taken", async () => {
  const scene = new Scene({ dpop: { requireNonce: true, nonceLifetimeSeconds: 100 } });
  const refused = await scene.app(await scene.proof());
  assertEquals(seen(refused), [400, "use_dpop_nonce"]);
  const nonce = refused.headers.get("dpop-nonce");
  for (const wrong of ["mine", "", 7]) {
    assertEquals(seen(await scene.app(await scene.proof({ nonce: wrong }))), [400, "use_dpop_nonce"]);
  }
  const { status, headers } = await scene.app(await scene.proof({ nonce }));
  assertEquals([status, headers.get("dpop-nonce")], [200, nonce]);
  await scene.clock.advance(60_000);
  const next = (await scene.app(await scene.proof({ nonce }))).headers.get("dpop-nonce");
  assertNotEquals(next, nonce);
  await scene.clock.advance(60_000);
  assertEquals(seen(await scene.app(await scene.proof({ nonce }))), [400, "use_dpop_nonce"]);
  assertEquals((await scene.app(await scene.proof({ nonce: next }))).status, 200);
});

test("a proof that is refused for its nonce is not used up", async () => {
  const scene = new Scene({ dpop: { requireNonce: true } });
  const nonce = (await scene.app(await scene.proof())).headers.get("dpop-nonce");
  const jti = "the-one";
  assertEquals(seen(await scene.app(await scene.proof({ jti }))), [400, "use_dpop_nonce"]);
  assertEquals((await scene.app(await scene.proof({ jti, nonce }))).status, 200);
});

test("a public client's refresh token is bound to its key, a confidential one's is not", async () => {
  const scene = new Scene();
  const cli = (await scene.redeemed(CLI, await scene.proof())).body["refresh_token"];
  const byOther = await scene.refreshed(CLI, cli, await scene.proof({}, {}, other));
  assertEquals(seen(byOther), [400, "invalid_grant"]);
  assertEquals(seen(await scene.refreshed(CLI, cli)), [400, "invalid_grant"]);
  const { body } = await scene.refreshed(CLI, cli, await scene.proof());
  assertEquals(body["token_type"], "DPoP");
  assertEquals(seen(await scene.refreshed(CLI, body["refresh_token"])), [400, "invalid_grant"]);
  const web = (await scene.redeemed(WEB, await scene.proof())).body["refresh_token"];
  const renewed = await scene.refreshed(WEB, web, await scene.proof({}, {}, other));
  assertEquals(decodeJwt(renewed.body["access_token"])["cnf"], { jkt: other.jkt });
});

test("a code for dpop_jkt is redeemed with that key alone", async () => {
  const scene = new Scene();
  const changes = { dpop_jkt: key.jkt };
  const wrong = await scene.redeemed(CLI, await scene.proof({}, {}, other), changes);
  assertEquals(seen(wrong), [400, "invalid_grant"]);
  assertEquals(seen(await scene.redeemed(CLI, undefined, changes)), [400, "invalid_grant"]);
  assertEquals((await scene.redeemed(CLI, await scene.proof(), changes)).status, 200);
});

test("the API answers a token with a proof of its key", async () => {
  const scene = new Scene();
  const token = (await scene.redeemed(WEB, await scene.proof())).body["access_token"];
  for (const scheme of ["DPoP", "dpop"]) assertEquals((await scene.call(token, {}, key, scheme)).status, 200);
});

test("the API refuses a bound token without its proof, and a proof for anything else", async () => {
  const scene = new Scene();
  const token = (await scene.redeemed(WEB, await scene.proof())).body["access_token"];
  const bearer = (await scene.redeemed(WEB)).body["access_token"];
  assertEquals((await scene.call(token, {}, key, "Bearer")).status, 401);
  assertEquals((await scene.call(bearer)).status, 401);
  assertEquals((await scene.call(bearer, {}, key, "Bearer")).status, 200);
  const without = await scene.authority.fetch(ME, { headers: { authorization: `DPoP ${token}` } });
  assertMatch(
    without.headers.get("www-authenticate") ?? "",
    /^DPoP error="invalid_dpop_proof", algs="ES256 /,
  );
  const byOther = await scene.call(token, {}, other);
  assertEquals(byOther.status, 401);
  assertMatch(byOther.headers.get("www-authenticate") ?? "", /^DPoP error="invalid_token"/);
  const wrong: Json[] = [
    { htm: "POST" },
    { htu: `${ME}?$select=id` },
    { ath: undefined },
    { ath: await tokenHash(bearer) },
    { iat: scene.now - 301 },
    { jti: undefined },
  ];
  for (const claims of wrong) {
    const response = await scene.call(token, claims);
    assertEquals(response.status, 401, JSON.stringify(claims));
    assertMatch(response.headers.get("www-authenticate") ?? "", /^DPoP error="invalid_dpop_proof"/);
  }
});

test("the API's nonce is its own", async () => {
  const scene = new Scene({ dpop: { requireNonce: true } });
  const tokenNonce = (await scene.app(await scene.proof())).headers.get("dpop-nonce");
  const proof = await scene.proof({ nonce: tokenNonce });
  const token = (await scene.redeemed(WEB, proof)).body["access_token"];
  const refused = await scene.call(token, { nonce: tokenNonce });
  assertMatch(refused.headers.get("www-authenticate") ?? "", /^DPoP error="use_dpop_nonce"/);
  const nonce = refused.headers.get("dpop-nonce");
  assertNotEquals(nonce, tokenNonce);
  assertEquals((await scene.call(token, { nonce })).status, 200);
});

test("a proof by a key that signed nothing of it is refused at the API too", async () => {
  const scene = new Scene();
  const token = (await scene.redeemed(WEB, await scene.proof())).body["access_token"];
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: key.jwk };
  const claims = { htm: "GET", htu: ME, iat: scene.now, jti: "x", ath: await tokenHash(token) };
  const stranger = await makeProofKey();
  const dpop = await signedByHand(header, claims, stranger.privateKey);
  const response = await scene.authority.fetch(ME, { headers: { authorization: `DPoP ${token}`, dpop } });
  assertEquals(response.status, 401);
});
