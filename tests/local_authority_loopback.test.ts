/** The local authority's loopback face: a handler, a server, and control over HTTP. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLocalJWKSet, jwtVerify } from "jose";
import { type BunLike, type DenoLike, LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { tokenForm } from "./support/token_form.ts";

const ORIGIN = "http://127.0.0.1:8123";

async function tokenFrom(authority: LocalAuthority, scope = authority.defaults.scope): Promise<string> {
  const url = `${ORIGIN}/${authority.defaults.tenantId}/oauth2/v2.0/token`;
  const init = { method: "POST", body: tokenForm(authority, { scope }) };
  const response = await authority.handler(new Request(url, init));
  return (await response.json()).access_token;
}

async function send(
  authority: LocalAuthority,
  method: string,
  path: string,
  body?: string,
): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? { method } : { method, headers, body };
  return await authority.handler(new Request(`${ORIGIN}${path}`, init));
}

test("on loopback all endpoints and issuers are the request's own origin", async () => {
  const resources = [{ identifierUris: ["api://orders"], appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91" }];
  const authority = new LocalAuthority({ resources: [{ ...resources[0]!, accessTokenVersion: 2 }] });
  const { tenantId } = authority.defaults;
  const document = await (await send(authority, "GET", `/${tenantId}/v2.0/.well-known/openid-configuration`))
    .json();
  assertEquals(document.issuer, `${ORIGIN}/${tenantId}/v2.0`);
  const endpoints = ["token_endpoint", "jwks_uri", "authorization_endpoint", "userinfo_endpoint"];
  for (const name of endpoints) assert(document[name].startsWith(`${ORIGIN}/`));
  const keys = await (await authority.handler(new Request(document.jwks_uri))).json();
  assertEquals(keys.keys[0].issuer, document.issuer);
  const token = await tokenFrom(authority);
  await jwtVerify(token, createLocalJWKSet(keys), { issuer: document.issuer, audience: resources[0]!.appId });
});

test("issuerOrigin pins the issuers on loopback, not the endpoints, and not the in-process face", async () => {
  const issuerOrigin = "https://login.microsoftonline.com";
  const authority = new LocalAuthority({ issuerOrigin });
  const { tenantId } = authority.defaults;
  const path = `/${tenantId}/v2.0/.well-known/openid-configuration`;
  const document = await (await send(authority, "GET", path)).json();
  assertEquals(document.issuer, `${issuerOrigin}/${tenantId}/v2.0`);
  assert(document.token_endpoint.startsWith(ORIGIN));
  const sovereign = await (await authority.fetch(`https://login.microsoftonline.us${path}`)).json();
  assertEquals(sovereign.issuer, `https://login.microsoftonline.us/${tenantId}/v2.0`);
});

test("a Microsoft host in the Host header is answered as that host, for peers that insist on TLS", async () => {
  const authority = new LocalAuthority({ issuerOrigin: "http://elsewhere.example" });
  const { tenantId } = authority.defaults;
  for (const host of ["login.microsoftonline.com", "login.microsoftonline.com:443"]) {
    const url = `http://${host}/${tenantId}/v2.0/.well-known/openid-configuration`;
    const document = await (await authority.handler(new Request(url))).json();
    assertEquals(document.issuer, `https://login.microsoftonline.com/${tenantId}/v2.0`);
    assertEquals(document.token_endpoint, `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`);
  }
});

test("a token from loopback opens the API on the same origin, and not on another", async () => {
  const authority = new LocalAuthority();
  const headers = { authorization: `Bearer ${await tokenFrom(authority)}` };
  const get = async (origin: string) =>
    (await authority.handler(new Request(`${origin}/v1.0/organization`, { headers }))).status;
  assertEquals([await get(ORIGIN), await get("http://127.0.0.1:9")], [200, 401]);
  const refused = await authority.handler(new Request(`${ORIGIN}/v1.0/organization`));
  assert(
    refused.headers.get("www-authenticate")?.includes(
      `authorization_uri="${ORIGIN}/common/oauth2/authorize"`,
    ),
  );
});

test("instance discovery on loopback knows its own origin", async () => {
  const authority = new LocalAuthority();
  const ask = async (endpoint: string) => {
    const query = new URLSearchParams({ "api-version": "1.1", authorization_endpoint: endpoint });
    return await (await send(authority, "GET", `/common/discovery/instance?${query}`)).json();
  };
  const own = await ask(`${ORIGIN}/x.example/oauth2/v2.0/authorize`);
  assertEquals(own.tenant_discovery_endpoint, `${ORIGIN}/x.example/v2.0/.well-known/openid-configuration`);
  assertEquals((await ask("http://127.0.0.1:9/x/oauth2/v2.0/authorize")).error, "invalid_instance");
});

test("serve() listens on loopback with Deno's shape, and close() ends slow answers", async () => {
  const authority = new LocalAuthority();
  let serving: (request: Request) => Promise<Response> = () => Promise.reject();
  let stopped = 0;
  const deno: DenoLike = {
    version: { deno: "2" },
    serve(options, handler) {
      assertEquals([options.hostname, options.port], ["127.0.0.1", 0]);
      serving = handler;
      return { addr: { port: 4711 }, shutdown: () => Promise.resolve(void stopped++) };
    },
  };
  const server = await authority.serve(deno);
  assertEquals([server.origin, server.port], ["http://127.0.0.1:4711", 4711]);
  authority.fault({ on: "any", kind: "slow", delayMs: 3_600_000 });
  const pending = serving(new Request(`${server.origin}/common/.well-known/openid-configuration`));
  await server.close();
  assertEquals([(await pending).status, stopped], [500, 1]);
});

test("serve() listens on loopback with Bun's shape", async () => {
  const authority = new LocalAuthority();
  const stops: unknown[] = [];
  const bun: BunLike = {
    version: "1.4.5",
    serve({ hostname, port, fetch }) {
      assertEquals([hostname, port, typeof fetch], ["127.0.0.1", 0, "function"]);
      return { port: 4712, stop: (force) => void stops.push(force) };
    },
  };
  const server = await authority.serve(bun);
  assertEquals(server.origin, "http://127.0.0.1:4712");
  await server.close();
  assertEquals(stops, [true]);
});

test("serve() rejects when the platform cannot listen", async () => {
  const platform = {
    version: "1",
    serve: (): never => {
      throw new RangeError("in use");
    },
  };
  await assertRejects(() => new LocalAuthority().serve(platform), RangeError, "in use");
});

test("control endpoints are not there unless they were asked for, and never in process", async () => {
  const off = new LocalAuthority();
  assertEquals((await send(off, "GET", "/.local/requests")).status, 404);
  assertEquals((await send(off, "POST", "/.local/faults", '{"on":"any","kind":"html"}')).status, 404);
  const on = new LocalAuthority({ controlEndpoints: true });
  assertEquals((await on.fetch("https://login.microsoftonline.com/.local/requests")).status, 404);
});

test("faults are set and cleared over HTTP", async () => {
  const authority = new LocalAuthority({ controlEndpoints: true });
  const document = "/common/.well-known/openid-configuration";
  const fault = JSON.stringify({ on: "discovery", kind: "server_error", status: 503, times: "Infinity" });
  assertEquals((await send(authority, "POST", "/.local/faults", fault)).status, 201);
  for (let n = 0; n < 3; n++) assertEquals((await send(authority, "GET", document)).status, 503);
  assertEquals((await send(authority, "DELETE", "/.local/faults")).status, 204);
  assertEquals((await send(authority, "GET", document)).status, 200);
});

test("a fault that cannot be read over HTTP is 400, and sets nothing", async () => {
  const authority = new LocalAuthority({ controlEndpoints: true });
  for (const body of ["", "{", "null", "[]", '{"on":"any","kind":"nothing"}', '{"on":"any","kind":"slow"}']) {
    const response = await send(authority, "POST", "/.local/faults", body);
    assertEquals([response.status, typeof (await response.json()).error], [400, "string"]);
  }
  const form = new Request(`${ORIGIN}/.local/faults`, { method: "POST", body: '{"on":"any","kind":"html"}' });
  assertEquals((await authority.handler(form)).status, 400);
  assertEquals((await send(authority, "GET", "/nothing")).status, 404);
});

test("the log is read and cleared over HTTP, and control requests are not in it", async () => {
  const authority = new LocalAuthority({ controlEndpoints: true });
  await tokenFrom(authority);
  const log = await (await send(authority, "GET", "/.local/requests")).json();
  assertEquals(log.map(({ kind, status }: { kind: string; status: number }) => [kind, status]), [[
    "token",
    200,
  ]]);
  assertEquals((await send(authority, "DELETE", "/.local/requests")).status, 204);
  assertEquals(await (await send(authority, "GET", "/.local/requests")).json(), []);
  assertEquals((await send(authority, "PUT", "/.local/requests")).status, 404);
});
