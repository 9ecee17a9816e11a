/** The local authority binds tokens of `token_type=pop`, and its API checks signed HTTP requests. */
import { assertEquals, assertMatch } from "@std/assert";
import { base64url, decodeJwt } from "jose";
import { LocalAuthority, type LocalAuthorityOptions } from "../src/testing/mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { makeProofKey, type ProofKey, requestConfirmation, signedRequest } from "./support/proof_keys.ts";
import { test } from "./support/suite.ts";
import type { Json } from "./support/user_scene.ts";

const URL_OF_API = "https://graph.microsoft.com/v1.0/organization";
const key = await makeProofKey("RS256");
const other = await makeProofKey();

class Scene {
  readonly clock = new FakeClock();
  readonly authority: LocalAuthority;

  constructor(options: LocalAuthorityOptions = {}) {
    this.authority = new LocalAuthority({ clock: this.clock, ...options });
  }

  async token(fields: Record<string, string>): Promise<{ status: number; body: Json }> {
    const { tenantId, clientId, clientSecret, scope } = this.authority.defaults;
    const response = await this.authority.fetch(
      `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
      {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "client_credentials",
          client_id: clientId,
          client_secret: clientSecret,
          scope,
          ...fields,
        }),
      },
    );
    return { status: response.status, body: await response.json() };
  }

  async bound(proofKey: ProofKey = key): Promise<string> {
    const req_cnf = requestConfirmation({ kid: proofKey.jkt, xms_ksl: "sw" });
    return (await this.token({ token_type: "pop", req_cnf })).body["access_token"];
  }

  signed(accessToken: string, claims: Json = {}, header: Json = {}, by: ProofKey = key): Promise<string> {
    const ts = Math.floor(this.clock.now() / 1000);
    const { host, pathname } = new URL(URL_OF_API);
    return signedRequest(by, { at: accessToken, ts, m: "GET", u: host, p: pathname, ...claims }, header);
  }

  async call(authorization: string): Promise<Response> {
    return await this.authority.fetch(URL_OF_API, { headers: { authorization } });
  }

  async status(signed: string): Promise<number> {
    const response = await this.call(`PoP ${signed}`);
    await response.body?.cancel();
    return response.status;
  }
}

test("a token of token_type=pop names the key of req_cnf", async () => {
  const scene = new Scene();
  for (const token_type of ["pop", "PoP"]) {
    const req_cnf = requestConfirmation({ kid: key.jkt, xms_ksl: "sw" });
    const { body } = await scene.token({ token_type, req_cnf });
    assertEquals(body["token_type"], "pop");
    assertEquals(decodeJwt(body["access_token"])["cnf"], { kid: key.jkt, xms_ksl: "sw" });
  }
  const { body } = await scene.token({ token_type: "pop", req_cnf: requestConfirmation({ kid: key.jkt }) });
  assertEquals(decodeJwt(body["access_token"])["cnf"], { kid: key.jkt });
});

test("a token that is not asked for as pop is a bearer token", async () => {
  const scene = new Scene();
  for (const fields of [{}, { token_type: "Bearer" }, { req_cnf: requestConfirmation({ kid: key.jkt }) }]) {
    const { body } = await scene.token(fields as Record<string, string>);
    assertEquals([body["token_type"], decodeJwt(body["access_token"])["cnf"]], ["Bearer", undefined]);
  }
});

test("a missing req_cnf is AADSTS900144, one that cannot be read or another token type AADSTS90023", async () => {
  const scene = new Scene();
  const { status, body } = await scene.token({ token_type: "pop" });
  assertEquals([status, body["error"], body["error_codes"]], [400, "invalid_request", [900144]]);
  const wrong = [
    { token_type: "pop", req_cnf: "nonsense" },
    { token_type: "pop", req_cnf: "%%%" },
    { token_type: "pop", req_cnf: JSON.stringify({ kid: key.jkt }) },
    { token_type: "pop", req_cnf: requestConfirmation(null) },
    { token_type: "pop", req_cnf: requestConfirmation([key.jkt]) },
    { token_type: "pop", req_cnf: requestConfirmation({ kid: "short" }) },
    { token_type: "pop", req_cnf: requestConfirmation({ kid: 7 }) },
    { token_type: "pop", req_cnf: requestConfirmation({ jwk: key.jwk }) },
    { token_type: "ssh-cert", req_cnf: requestConfirmation({ kid: key.jkt }) },
    { token_type: "mtls_pop" },
  ];
  for (const fields of wrong) {
    const refused = await scene.token(fields as Record<string, string>);
    assertEquals(
      [refused.status, refused.body["error"], refused.body["error_codes"]],
      [400, "invalid_request", [90023]],
      JSON.stringify(fields),
    );
  }
});

test("a signed request of the key that the token is bound to is answered", async () => {
  const scene = new Scene();
  assertEquals(await scene.status(await scene.signed(await scene.bound())), 200);
  const byOther = await scene.signed(await scene.bound(other), {}, {}, other);
  assertEquals(await scene.status(byOther), 200);
});

test("a bound token is refused as bearer token, and an unbound one in a signed request", async () => {
  const scene = new Scene();
  assertEquals((await scene.call(`Bearer ${await scene.bound()}`)).status, 401);
  const bearer = (await scene.token({})).body["access_token"];
  assertEquals(await scene.status(await scene.signed(bearer)), 401);
});

test("a signed request by another key is refused, whatever it says of its key", async () => {
  const scene = new Scene();
  const token = await scene.bound();
  assertEquals(await scene.status(await scene.signed(token, {}, {}, other)), 401);
  assertEquals(await scene.status(await scene.signed(token, {}, { kid: key.jkt }, other)), 401);
  const claimsKey = await scene.signed(token, { cnf: { jwk: key.jwk } }, {}, other);
  assertEquals(await scene.status(claimsKey), 401);
});

test("a signed request for another request, or of another time, is refused with a challenge", async () => {
  const scene = new Scene();
  const token = await scene.bound();
  const ts = Math.floor(scene.clock.now() / 1000);
  const wrong: Json[] = [
    { m: "POST" },
    { m: undefined },
    { u: "graph.microsoft.us" },
    { u: "graph.microsoft.com:444" },
    { u: undefined },
    { p: "/v1.0/me" },
    { p: undefined },
    { ts: ts - 301 },
    { ts: ts + 301 },
    { ts: undefined },
    { ts: `${ts}` },
    { at: undefined },
    { at: "x" },
    { cnf: undefined },
    { cnf: { kid: key.jkt } },
    { cnf: { jwk: { ...key.jwk, d: "AQ" } } },
  ];
  for (const claims of wrong) {
    const response = await scene.call(`PoP ${await scene.signed(token, claims)}`);
    await response.body?.cancel();
    assertEquals(response.status, 401, JSON.stringify(claims));
    if (claims["at"] === "x") continue;
    assertMatch(response.headers.get("www-authenticate") ?? "", /^PoP nonce="[\w-]+"/);
  }
});

test("a signed request of another type, or without a signature, is refused", async () => {
  const scene = new Scene();
  const token = await scene.bound();
  assertEquals(await scene.status(await scene.signed(token, {}, { typ: "JWT" })), 401);
  const [, claims, signature] = (await scene.signed(token)).split(".");
  for (const header of [{ alg: "none", typ: "pop" }, { alg: "HS256", typ: "pop" }, { typ: "pop" }]) {
    const head = base64url.encode(JSON.stringify(header));
    assertEquals(await scene.status(`${head}.${claims}.`), 401);
    assertEquals(await scene.status(`${head}.${claims}.${signature}`), 401);
  }
  assertEquals(await scene.status("nonsense"), 401);
  assertEquals(await scene.status(token), 401);
});

test("where a nonce is required, only that of the challenge lets a request in, while it lives", async () => {
  const scene = new Scene({ signedHttpRequests: { requireNonce: true, nonceLifetimeSeconds: 100 } });
  const token = await scene.bound();
  const refused = await scene.call(`PoP ${await scene.signed(token)}`);
  const [, nonce] = /nonce="([\w-]+)"/.exec(refused.headers.get("www-authenticate") ?? "") ?? [];
  assertEquals(refused.status, 401);
  assertEquals(await scene.status(await scene.signed(token, { nonce: "mine" })), 401);
  assertEquals(await scene.status(await scene.signed(token, { nonce })), 200);
  await scene.clock.advance(101_000);
  assertEquals(await scene.status(await scene.signed(token, { nonce })), 401);
});
