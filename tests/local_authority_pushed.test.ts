/** The local authority takes pushed authorization requests where it is told to. */
import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { decodeJwt } from "jose";
import { EntraError, type LocalAuthorityOptions } from "../src/testing/mod.ts";
import { dpopProof, makeProofKey } from "./support/proof_keys.ts";
import { test } from "./support/suite.ts";
import { type Changes, CLI, CONTOSO, HOST, type Json, UserScene, WEB } from "./support/user_scene.ts";

const PAR_URL = `${HOST}/${CONTOSO.id}/oauth2/v2.0/par`;
const OTHER = { ...WEB, clientId: "11111111-0000-4000-8000-000000000001" };

class Scene extends UserScene {
  constructor(options: LocalAuthorityOptions = {}) {
    super({ pushedAuthorizationRequests: true, apps: [WEB, CLI, OTHER], ...options });
  }

  async push(
    changes: Changes = {},
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Json }> {
    const parameters = new URL(this.authorizeUrl({ client_secret: WEB.secrets[0], ...changes })).searchParams;
    const response = await this.authority.fetch(PAR_URL, { method: "POST", body: parameters, headers });
    return { status: response.status, body: await response.json() };
  }

  frontUrl(requestUri: string, changes: Record<string, string> = {}): string {
    const parameters = new URLSearchParams({ client_id: WEB.clientId, request_uri: requestUri, ...changes });
    return `${HOST}/${CONTOSO.id}/oauth2/v2.0/authorize?${parameters}`;
  }

  async refused(url: string): Promise<[string, number]> {
    const { error, status } = await assertRejects(() => this.authority.signIn(url), EntraError);
    return [error, status];
  }
}

const UNKNOWN: [string, number] = ["invalid_request_uri", 400];

test("a pushed request is answered with a request_uri, which signs the user in", async () => {
  const scene = new Scene();
  const { status, body } = await scene.push();
  assertEquals([status, body["expires_in"]], [201, 60]);
  assertMatch(body["request_uri"], /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/);
  const { parameters } = await scene.authority.signIn(scene.frontUrl(body["request_uri"]));
  assertEquals(parameters.get("state"), "the-state");
  const tokens = await scene.redeem(parameters.get("code") ?? "");
  assertEquals(decodeJwt(tokens.body["id_token"])["nonce"], "the-nonce");
  assertEquals(scene.authority.countRequests({ kind: "par", status: 201 }), 1);
});

test("what comes with a request_uri is ignored", async () => {
  const scene = new Scene();
  const { body } = await scene.push();
  const url = scene.frontUrl(body["request_uri"], { state: "evil", redirect_uri: "https://evil.example" });
  const { parameters, redirectUri } = await scene.authority.signIn(url);
  assertEquals([parameters.get("state"), new URL(redirectUri).host], ["the-state", "localhost:3000"]);
});

test("a request_uri works once, for a minute, and for its client", async () => {
  const scene = new Scene();
  const once = (await scene.push()).body["request_uri"];
  await scene.authority.signIn(scene.frontUrl(once));
  assertEquals(await scene.refused(scene.frontUrl(once)), UNKNOWN);
  const late = (await scene.push()).body["request_uri"];
  await scene.clock.advance(60_001);
  assertEquals(await scene.refused(scene.frontUrl(late)), UNKNOWN);
  const own = (await scene.push()).body["request_uri"];
  assertNotEquals(own, late);
  assertEquals(await scene.refused(scene.frontUrl(own, { client_id: OTHER.clientId })), UNKNOWN);
  await scene.authority.signIn(scene.frontUrl(own));
});

test("a request_uri that nobody gave out is refused", async () => {
  const scene = new Scene();
  for (const uri of ["", "urn:ietf:params:oauth:request_uri:x", "https://evil.example/request"]) {
    assertEquals(await scene.refused(scene.frontUrl(uri)), UNKNOWN);
  }
  const anonymous = `${HOST}/${CONTOSO.id}/oauth2/v2.0/authorize?request_uri=x`;
  assertEquals(await scene.refused(anonymous), ["invalid_request", 400]);
});

test("a client must prove itself to push, as at the token endpoint", async () => {
  const scene = new Scene();
  const wrong: [Changes, number, number][] = [
    [{ client_secret: "wrong" }, 401, 7000215],
    [{ client_secret: undefined }, 401, 7000218],
    [{ client_id: "11111111-0000-4000-8000-0000000000ff" }, 400, 700016],
    [{ client_id: CLI.clientId }, 401, 700025],
  ];
  for (const [changes, status, code] of wrong) {
    const answer = await scene.push(changes);
    assertEquals([answer.status, answer.body["error_codes"]], [status, [code]], JSON.stringify(changes));
  }
  const open = await scene.push({ client_id: CLI.clientId, client_secret: undefined });
  assertEquals(open.status, 201);
});

test("a request that is wrong is refused when it is pushed", async () => {
  const scene = new Scene();
  const wrong: [Changes, string][] = [
    [{ redirect_uri: "https://evil.example" }, "invalid_request"],
    [{ response_type: "token" }, "unsupported_response_type"],
    [{ code_challenge: "short" }, "invalid_request"],
    [{ scope: undefined }, "invalid_request"],
    [{ request_uri: "urn:ietf:params:oauth:request_uri:x" }, "invalid_request"],
    [{ request: "x" }, "request_not_supported"],
  ];
  for (const [changes, error] of wrong) {
    const { status, body } = await scene.push(changes);
    assertEquals([status, body["error"]], [400, error], JSON.stringify(changes));
  }
  const response = await scene.authority.fetch(PAR_URL);
  assertEquals(response.status, 405);
});

test("the secret is not part of what was pushed", async () => {
  const scene = new Scene();
  const { body } = await scene.push();
  const answer = await scene.authority.signIn(scene.frontUrl(body["request_uri"]));
  assertEquals(JSON.stringify([body, answer.url, scene.authority.requests]).includes(WEB.secrets[0]), false);
});

test("where requests must be pushed, one that was not is refused, also as a page", async () => {
  const scene = new Scene({ requirePushedAuthorizationRequests: true });
  assertEquals(await scene.refused(scene.authorizeUrl()), ["invalid_request", 400]);
  assertEquals((await scene.authority.fetch(scene.authorizeUrl())).status, 400);
  const { body } = await scene.push();
  const page = await scene.authority.fetch(scene.frontUrl(body["request_uri"]));
  assertEquals(page.status, 200);
  assertMatch(await page.text(), /form/);
  assertEquals((await scene.authority.fetch(scene.frontUrl(body["request_uri"]))).status, 400);
});

test("discovery says where to push and whether one must, and nothing where it is off", async () => {
  const cases: [LocalAuthorityOptions, unknown, unknown][] = [
    [{}, PAR_URL, false],
    [{ pushedAuthorizationRequests: false, requirePushedAuthorizationRequests: true }, PAR_URL, true],
    [{ pushedAuthorizationRequests: false }, undefined, undefined],
  ];
  for (const [options, endpoint, required] of cases) {
    const { authority } = new Scene(options);
    const url = `${HOST}/${CONTOSO.id}/v2.0/.well-known/openid-configuration`;
    const document = await (await authority.fetch(url)).json();
    assertEquals(document.pushed_authorization_request_endpoint, endpoint);
    assertEquals(document.require_pushed_authorization_requests, required);
  }
  const off = new Scene({ pushedAuthorizationRequests: false });
  assertEquals((await off.push()).status, 404);
});

test("a DPoP proof binds the code of what is pushed with it", async () => {
  const scene = new Scene({ dpop: true });
  const key = await makeProofKey();
  const iat = Math.floor(scene.clock.now() / 1000);
  const proof = () => dpopProof(key, { htm: "POST", htu: PAR_URL, iat });
  const { body } = await scene.push({}, { dpop: await proof() });
  const { parameters } = await scene.authority.signIn(scene.frontUrl(body["request_uri"]));
  assertEquals((await scene.redeem(parameters.get("code") ?? "")).body["error"], "invalid_grant");
  const wrong = await scene.push({ dpop_jkt: "x" }, { dpop: await proof() });
  assertEquals([wrong.status, wrong.body["error"]], [400, "invalid_dpop_proof"]);
});

test("the endpoint can be made to fail like any other", async () => {
  const scene = new Scene();
  scene.authority.fault({ on: "par", kind: "throttled", retryAfter: 1 });
  assertEquals([(await scene.push()).status, (await scene.push()).status], [429, 201]);
});
