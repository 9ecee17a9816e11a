/** The in-process fetch behaves as a fetch does, and its log proves what a client did. */
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { tokenForm } from "./support/token_form.ts";

const HOST = "https://login.microsoftonline.com";
const DISCOVERY = `${HOST}/common/v2.0/.well-known/openid-configuration`;

function tokenRequest(authority: LocalAuthority): [string, RequestInit & { body: URLSearchParams }] {
  const url = `${HOST}/${authority.defaults.tenantId}/oauth2/v2.0/token`;
  return [url, { method: "POST", body: tokenForm(authority) }];
}

test("the log holds what arrived, and no secret or token of it", async () => {
  const authority = new LocalAuthority();
  const { tenantId, clientId, clientSecret } = authority.defaults;
  const [url, init] = tokenRequest(authority);
  const correlationId = "0b8f6c2d-1e5a-4973-a6d4-7c9e3f5b1d80";
  const headers = { "client-request-id": correlationId };
  const token = (await (await authority.fetch(`${url}?q=canary`, { ...init, headers })).json()).access_token;
  const graph = "https://graph.microsoft.com/v1.0/organization";
  await (await authority.fetch(graph, { headers: { authorization: `Bearer ${token}` } })).body?.cancel();
  const path = `/${tenantId}/oauth2/v2.0/token`;
  assertEquals(authority.requests, [
    {
      method: "POST",
      host: "login.microsoftonline.com",
      path,
      kind: "token",
      clientId,
      grantType: "client_credentials",
      tenant: tenantId,
      correlationId,
      status: 200,
    },
    { method: "GET", host: "graph.microsoft.com", path: "/v1.0/organization", kind: "api", status: 200 },
  ]);
  const written = JSON.stringify(authority.requests);
  for (const secret of [clientSecret, token, "canary"]) assertFalse(written.includes(secret));
});

test("requests are counted by any of their members, and forgotten when told", async () => {
  const authority = new LocalAuthority();
  for (const url of [DISCOVERY, DISCOVERY, `${HOST}/nobody.example/discovery/keys`]) {
    await (await authority.fetch(url)).body?.cancel();
  }
  assertEquals(authority.countRequests(), 3);
  assertEquals(authority.countRequests({ kind: "discovery" }), 2);
  assertEquals(authority.countRequests({ kind: "jwks", status: 400 }), 1);
  assertEquals(authority.countRequests({ kind: "token" }), 0);
  authority.clearRequests();
  assertEquals([authority.countRequests(), authority.requests.length], [0, 0]);
});

test("the log is bounded, its fields are, and nobody can change it", async () => {
  const authority = new LocalAuthority({ maxLoggedRequests: 3 });
  for (let n = 0; n < 5; n++) await (await authority.fetch(`${HOST}/${n}`)).body?.cancel();
  assertEquals(authority.requests.map(({ path }) => path), ["/2", "/3", "/4"]);
  await (await authority.fetch(`${HOST}/${"x".repeat(10_000)}`)).body?.cancel();
  assertEquals(authority.requests[2]?.path.length, 200);
  (authority.requests as unknown[]).length = 0;
  Object.assign(authority.requests[0]!, { path: "changed" });
  assertEquals(authority.requests[0]?.path, "/3");
});

test("other hosts, ports and schemes are refused like a failed fetch, and logged as foreign", async () => {
  const authority = new LocalAuthority();
  const urls = [
    "https://example.com/",
    "http://login.microsoftonline.com/common/discovery/keys",
    "https://login.microsoftonline.com:444/common/discovery/keys",
    "https://login.microsoftonline.com.evil.example/common/discovery/keys",
    "https://login.microsoftonline.com./common/discovery/keys",
    "http://127.0.0.1/common/discovery/keys",
  ];
  for (const url of urls) await assertRejects(() => authority.fetch(url), TypeError, "fetch failed");
  assertEquals(authority.countRequests({ kind: "foreign", status: 0 }), urls.length);
  assertEquals(authority.requests[2]?.host, "login.microsoftonline.com:444");
  await assertRejects(
    () => authority.fetch("https://user:pass@login.microsoftonline.com/common/"),
    TypeError,
  );
  await assertRejects(() => authority.fetch("/relative"), TypeError);
});

test("a signal that has aborted already keeps the request from arriving", async () => {
  const authority = new LocalAuthority();
  const signal = AbortSignal.abort(new RangeError("before"));
  await assertRejects(() => authority.fetch(DISCOVERY, { signal }), RangeError, "before");
  assertEquals(authority.requests, []);
});

test("a URL object and a Request are as good as a string, and init wins over the Request", async () => {
  const authority = new LocalAuthority();
  const [url, init] = tokenRequest(authority);
  assertEquals((await authority.fetch(new URL(DISCOVERY))).status, 200);
  assertEquals((await authority.fetch(new Request(DISCOVERY))).status, 200);
  assertEquals((await authority.fetch(new Request(url, init))).status, 200);
  assertEquals((await authority.fetch(new Request(url), init)).status, 200);
  assertEquals((await authority.fetch(new Request(url, init), { body: "x=y" })).status, 400);
  const controller = new AbortController();
  controller.abort();
  await assertRejects(() => authority.fetch(new Request(DISCOVERY, { signal: controller.signal })));
});

test("fetch works detached from the authority", async () => {
  const { fetch } = new LocalAuthority();
  const response = await fetch(DISCOVERY);
  assertEquals([response.status, response.url, response.redirected], [200, DISCOVERY, false]);
});

test("redirect manual returns the answer, and nothing else is requested", async () => {
  const authority = new LocalAuthority();
  const [url, init] = tokenRequest(authority);
  for (const status of [301, 302, 303, 307, 308] as const) {
    authority.fault({ on: "token", kind: "redirect", status, location: "https://evil.example/steal" });
    const response = await authority.fetch(url, { ...init, redirect: "manual" });
    assertEquals([response.status, response.headers.get("location")], [status, "https://evil.example/steal"]);
  }
  assertEquals(authority.countRequests({ kind: "foreign" }), 0);
});

test("a client that follows a redirect is found out: 307 and 308 post the credentials again", async () => {
  const authority = new LocalAuthority();
  const [url, init] = tokenRequest(authority);
  for (
    const [status, method] of [[301, "GET"], [302, "GET"], [303, "GET"], [307, "POST"], [
      308,
      "POST",
    ]] as const
  ) {
    authority.clearRequests();
    authority.fault({ on: "token", kind: "redirect", status, location: "https://evil.example/steal" });
    await assertRejects(() => authority.fetch(url, init), TypeError);
    const [, foreign] = authority.requests;
    assertEquals([foreign?.kind, foreign?.host, foreign?.method], ["foreign", "evil.example", method]);
    assertEquals(foreign?.grantType, method === "POST" ? "client_credentials" : undefined);
  }
});

test("a redirect to a known host is really followed", async () => {
  const authority = new LocalAuthority();
  const [url, init] = tokenRequest(authority);
  const location = url.replace("login.microsoftonline.com", "westus.login.microsoft.com");
  authority.fault({ on: "token", kind: "redirect", status: 307, location });
  const response = await authority.fetch(url, init);
  assertEquals([response.status, response.url, response.redirected], [200, location, true]);
  assert("access_token" in await response.json());
});

test("a redirect without end is given up", async () => {
  const authority = new LocalAuthority();
  authority.fault({ on: "discovery", kind: "redirect", location: DISCOVERY, times: Infinity });
  await assertRejects(() => authority.fetch(DISCOVERY), TypeError, "redirect count");
  assertEquals(authority.countRequests(), 21);
});

test("a redirect to another origin loses the Authorization header", async () => {
  const authority = new LocalAuthority();
  const token = await authority.issueAppToken();
  const init = { headers: { authorization: `Bearer ${token}` } };
  const graph = "https://graph.microsoft.com/v1.0/organization";
  authority.fault({ on: "api", kind: "redirect", location: "?again" });
  assertEquals((await authority.fetch(graph, init)).status, 200);
  authority.fault({ on: "api", kind: "redirect", location: "https://graph.microsoft.us/v1.0/organization" });
  assertEquals((await authority.fetch(graph, init)).status, 401);
});
