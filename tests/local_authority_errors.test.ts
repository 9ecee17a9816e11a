/** The local authority refuses bad token requests with Entra's errors. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { tokenForm } from "./support/token_form.ts";

const HOST = "https://login.microsoftonline.com";
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OTHER = "0b8f6c2d-1e5a-4973-a6d4-7c9e3f5b1d80";
const NOW_MS = Date.UTC(2026, 10, 22, 13, 0, 0);
const clock = { now: () => NOW_MS, setTimeout: () => 0, clearTimeout: () => {} };

interface Sent {
  readonly tenant?: string;
  /** A member set to `undefined` is not sent. */
  readonly form?: Record<string, string | undefined>;
  readonly init?: RequestInit;
}

async function send(authority: LocalAuthority, { tenant, form = {}, init = {} }: Sent): Promise<Response> {
  const body = tokenForm(authority, form);
  const url = `${HOST}/${tenant ?? authority.defaults.tenantId}/oauth2/v2.0/token`;
  return await authority.fetch(url, { method: "POST", body, ...init });
}

async function refused(sent: Sent, status: number, error: string, code: number): Promise<string> {
  const response = await send(new LocalAuthority({ clock }), sent);
  const body = await response.json();
  assertEquals([response.status, body.error, body.error_codes], [status, error, [code]]);
  assert(body.error_description.startsWith(`AADSTS${code}: `));
  assertFalse("access_token" in body);
  return body.error_description;
}

test("an error has all the members that Entra writes", async () => {
  const correlationId = "F1E2D3C4-0000-4000-8000-0123456789AB";
  const init = { headers: { "client-request-id": correlationId, "return-client-request-id": "true" } };
  const response = await send(new LocalAuthority({ clock }), {
    form: { scope: "api://nobody/.default" },
    init,
  });
  const body = await response.json();
  const { trace_id, error_description, ...rest } = body;
  assert(GUID.test(trace_id));
  assert(error_description.endsWith(
    ` Trace ID: ${trace_id} Correlation ID: ${correlationId.toLowerCase()} Timestamp: 2026-11-22 13:00:00Z`,
  ));
  assertEquals(rest, {
    error: "invalid_resource",
    error_codes: [500011],
    timestamp: "2026-11-22 13:00:00Z",
    correlation_id: correlationId.toLowerCase(),
    error_uri: "https://login.microsoftonline.com/error?code=500011",
  });
  assertEquals(response.headers.get("x-ms-request-id"), trace_id);
  assertEquals(response.headers.get("client-request-id"), correlationId.toLowerCase());
  assertEquals(response.headers.get("content-type"), "application/json; charset=utf-8");
  assert(response.headers.get("cache-control")?.includes("no-store"));
});

test("a correlation id that is no GUID is replaced, one in the form is taken", async () => {
  const authority = new LocalAuthority({ clock });
  const init = { headers: { "client-request-id": "<script>" } };
  const replaced = await (await send(authority, { form: { scope: "x" }, init })).json();
  assert(GUID.test(replaced.correlation_id));
  const taken = await (await send(authority, { form: { scope: "x", "client-request-id": OTHER } })).json();
  assertEquals(taken.correlation_id, OTHER);
});

test("a wrong secret and no secret are 401 invalid_client", async () => {
  await refused({ form: { client_secret: "wrong" } }, 401, "invalid_client", 7000215);
  await refused({ form: { client_secret: undefined } }, 401, "invalid_client", 7000216);
});

test("an error never repeats the secret", async () => {
  const secret = "canary-7c1f";
  const description = await refused({ form: { client_secret: secret } }, 401, "invalid_client", 7000215);
  assertFalse(description.includes(secret));
});

test("an app that the tenant does not know is 400 unauthorized_client", async () => {
  await refused({ form: { client_id: OTHER } }, 400, "unauthorized_client", 700016);
  await refused({ form: { client_id: "not-a-guid" } }, 400, "unauthorized_client", 700016);
});

test("an app is unknown in a tenant that it is not installed in", async () => {
  const home = { id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10" };
  const apps = [{ clientId: "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924", secrets: ["s"], tenants: [home.id] }];
  const authority = new LocalAuthority({ tenants: [home, { id: OTHER }], apps });
  assertEquals((await send(authority, {})).status, 200);
  assertEquals((await (await send(authority, { tenant: OTHER })).json()).error_codes, [700016]);
});

test("a tenant that does not exist, or cannot, is 400 invalid_request", async () => {
  await refused({ tenant: OTHER }, 400, "invalid_request", 90002);
  await refused({ tenant: "nobody.onmicrosoft.com" }, 400, "invalid_request", 90002);
  await refused({ tenant: "nobody" }, 400, "invalid_request", 900023);
  await refused({ tenant: "%E0%A4%A" }, 400, "invalid_request", 900023);
});

test("an app token needs one tenant: common, organizations and consumers are refused", async () => {
  await refused({ tenant: "common" }, 400, "invalid_request", 50059);
  await refused({ tenant: "Organizations" }, 400, "invalid_request", 50059);
  await refused({ tenant: "consumers" }, 400, "invalid_request", 9001023);
  await refused({ tenant: "9188040d-6c67-4c5b-b112-36a304b66dad" }, 400, "invalid_request", 9001023);
});

test("a scope must be one resource's .default", async () => {
  await refused({ form: { scope: undefined } }, 400, "invalid_request", 90014);
  for (
    const scope of ["User.Read", "openid", ".default", "/.default", "https://graph.microsoft.com/.defaults"]
  ) {
    await refused({ form: { scope } }, 400, "invalid_scope", 1002012);
  }
  const graph = "https://graph.microsoft.com/.default";
  await refused({ form: { scope: `${graph} openid` } }, 400, "invalid_scope", 1002012);
  await refused(
    { form: { scope: `${graph} https://vault.azure.net/.default` } },
    400,
    "invalid_scope",
    28000,
  );
});

test("a resource that nobody declared is 400 invalid_resource", async () => {
  await refused({ form: { scope: "api://nobody/.default" } }, 400, "invalid_resource", 500011);
  await refused(
    { form: { scope: "https://graph.microsoft.com//x/.default" } },
    400,
    "invalid_resource",
    500011,
  );
});

test("the resource's trailing slash belongs to the audience", async () => {
  const authority = new LocalAuthority();
  const response = await send(authority, { form: { scope: "https://graph.microsoft.com//.default" } });
  const [, payload = ""] = (await response.json()).access_token.split(".");
  const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
  assertEquals(claims.aud, "https://graph.microsoft.com/");
});

test("grants that are not there are unsupported, missing ones are missing", async () => {
  await refused({ form: { grant_type: "password" } }, 400, "unsupported_grant_type", 70003);
  await refused({ form: { grant_type: "toString" } }, 400, "unsupported_grant_type", 70003);
  await refused({ form: { grant_type: undefined } }, 400, "invalid_request", 900144);
  await refused({ form: { client_id: undefined } }, 400, "invalid_request", 900144);
});

test("a repeated parameter is refused, even if the values agree", async () => {
  const authority = new LocalAuthority();
  for (const twice of ["client_id", "client_secret", "scope", "grant_type", "x-anything"]) {
    const form = tokenForm(authority, { "x-anything": "1" });
    form.append(twice, form.get(twice) ?? "");
    const body = await (await send(authority, { init: { body: form } })).json();
    assertEquals([body.error, body.error_codes], ["invalid_request", [9000411]]);
    assert(body.error_description.includes(`'${twice}'`));
  }
});

test("claims must be a JSON object", async () => {
  for (const claims of ["{", "null", "[]", '"x"', "1"]) {
    await refused({ form: { claims } }, 400, "invalid_request", 9002313);
  }
});

test("a body of another type, or none, has no parameters", async () => {
  const json = JSON.stringify({ grant_type: "client_credentials" });
  const type = { "content-type": "application/json" };
  await refused({ init: { body: json, headers: type } }, 400, "invalid_request", 900144);
  await refused({ init: { body: "" } }, 400, "invalid_request", 900144);
});

test("credentials in the query string are not read", async () => {
  const authority = new LocalAuthority();
  const { tenantId, clientId, clientSecret, scope } = authority.defaults;
  const query = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, scope });
  const response = await authority.fetch(`${HOST}/${tenantId}/oauth2/v2.0/token?${query}`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  assertEquals((await response.json()).error_codes, [900144]);
});

test("a body over 64 KiB is refused, one of exactly that is read", async () => {
  const authority = new LocalAuthority();
  const head = `${tokenForm(authority)}&padding=`;
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = head.padEnd(65_536, "a");
  assertEquals((await send(authority, { init: { body, headers } })).status, 200);
  assertEquals((await send(authority, { init: { body: `${body}a`, headers } })).status, 413);
});

test("only POST reaches the token endpoint", async () => {
  const authority = new LocalAuthority();
  for (const method of ["GET", "PUT", "DELETE"]) {
    const url = `${HOST}/${authority.defaults.tenantId}/oauth2/v2.0/token`;
    const response = await authority.fetch(url, { method });
    assertEquals([response.status, response.headers.get("allow")], [405, "POST"]);
    assertEquals((await response.json()).error_codes, [900561]);
  }
});
