/** The document for callers that know nothing of an API: RFC 9728, R-160. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClientConfigurationError } from "../src/errors/errors.ts";
import { type ApiAuthOptions, createApiAuth, type ProtectedResource } from "../src/web/mod.ts";
import { apiScene, takeApart } from "./support/api_scene.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, ORDERS } from "./support/user_scene.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

const optionsOf = (protectedResource: ProtectedResource): ApiAuthOptions => ({
  authority: `${HOST}/${CONTOSO.id}`,
  audience: ORDERS.appId,
  protectedResource,
});

/** A resource, and where its document is. */
const PLACES: Readonly<Record<string, [resource: string | URL, document: string, identifier: string]>> = {
  "an origin": ["https://api.example", `https://api.example${WELL_KNOWN}`, "https://api.example"],
  "an origin and a slash": [
    "https://api.example/",
    `https://api.example${WELL_KNOWN}`,
    "https://api.example/",
  ],
  "an origin as a URL": [
    new URL("https://api.example"),
    `https://api.example${WELL_KNOWN}`,
    "https://api.example",
  ],
  "a path": ["https://api.example/mcp", `https://api.example${WELL_KNOWN}/mcp`, "https://api.example/mcp"],
  "a path as a URL": [
    new URL("https://api.example/a/mcp"),
    `https://api.example${WELL_KNOWN}/a/mcp`,
    "https://api.example/a/mcp",
  ],
  "a path and a slash": [
    "https://api.example/mcp/",
    `https://api.example${WELL_KNOWN}/mcp/`,
    "https://api.example/mcp/",
  ],
  "a port": [
    "https://api.example:8443/mcp",
    `https://api.example:8443${WELL_KNOWN}/mcp`,
    "https://api.example:8443/mcp",
  ],
  "localhost": [
    "http://localhost:8787/mcp",
    `http://localhost:8787${WELL_KNOWN}/mcp`,
    "http://localhost:8787/mcp",
  ],
};
for (const [name, [resource, url, identifier]] of Object.entries(PLACES)) {
  test(`R-160 the document is found where RFC 9728 section 3.1 says: ${name}`, async () => {
    const api = createApiAuth(optionsOf({ resource }));
    const { status, body } = await takeApart((await api.route(new Request(url)))!);
    assertEquals([status, body.resource], [200, identifier]);
    const refusal = await takeApart(await api.protect(() => new Response())(new Request(resource)));
    assertEquals(refusal.challenge?.resource_metadata, url);
  });
}

test("R-160 the document has what RFC 9728 section 2 names", async () => {
  const api = createApiAuth(optionsOf({
    resource: "https://api.example/mcp",
    scopesSupported: ["api://orders/Orders.Read", "api://orders/Orders.Write"],
    resourceName: 'Orders "é"',
    resourceDocumentation: "https://docs.example/orders",
  }));
  const response = await api.route(new Request(`https://api.example${WELL_KNOWN}/mcp`));
  const { headers, body } = await takeApart(response!);
  assertEquals(body, {
    resource: "https://api.example/mcp",
    authorization_servers: [`${HOST}/${CONTOSO.id}/v2.0`],
    scopes_supported: ["api://orders/Orders.Read", "api://orders/Orders.Write"],
    bearer_methods_supported: ["header"],
    resource_name: 'Orders "é"',
    resource_documentation: "https://docs.example/orders",
  });
  assertEquals(headers.get("content-type"), "application/json");
  assertEquals(headers.get("access-control-allow-origin"), "*");
  assertEquals(headers.get("cache-control"), "public, max-age=300");
});

test("R-160 the authorization servers are those of the options, or the authority's issuer", async () => {
  const resource = "https://api.example";
  const serversOf = async (options: Partial<ApiAuthOptions>): Promise<unknown> => {
    const { authority: _, ...rest } = optionsOf({ resource });
    const api = createApiAuth({ ...rest, allowedTenants: "any", ...options });
    return (await takeApart((await api.route(new Request(resource + WELL_KNOWN)))!)).body
      .authorization_servers;
  };
  assertEquals(await serversOf({ authority: `${HOST}/organizations` }), [`${HOST}/organizations/v2.0`]);
  const government = { instance: "login.microsoftonline.us", tenant: "common" };
  assertEquals(await serversOf({ authority: government }), ["https://login.microsoftonline.us/common/v2.0"]);
  const issuer = "https://issuer.example/realms/one";
  assertEquals(await serversOf({ oidcAuthority: issuer, allowedTenants: undefined }), [issuer]);
  const authorizationServers = ["https://one.example", "https://two.example/x"];
  assertEquals(
    await serversOf({
      authority: `${HOST}/${CONTOSO.id}`,
      protectedResource: { resource, authorizationServers },
    }),
    authorizationServers,
  );
});

/** A request and the status of its answer. */
const METHODS: Readonly<Record<string, number>> = {
  GET: 200,
  HEAD: 200,
  OPTIONS: 204,
  POST: 405,
  DELETE: 405,
};
for (const [method, status] of Object.entries(METHODS)) {
  test(`R-160 the document is read only: ${method}`, async () => {
    const api = createApiAuth(optionsOf({ resource: "https://api.example" }));
    const headers = {
      origin: "https://inspector.example",
      "access-control-request-headers": "mcp-protocol-version",
    };
    const request = new Request(`https://api.example${WELL_KNOWN}?x=1`, { method, headers });
    const response = (await api.route(request))!;
    assertEquals([response.status, response.headers.get("access-control-allow-origin")], [status, "*"]);
    assertEquals((await response.text()) !== "", method === "GET");
  });
}

test("R-160 other paths are none of the route's", async () => {
  const api = createApiAuth(optionsOf({ resource: "https://api.example/mcp" }));
  const paths = [
    "/",
    "/mcp",
    WELL_KNOWN,
    `${WELL_KNOWN}/`,
    `${WELL_KNOWN}/mcp/`,
    `${WELL_KNOWN}/MCP`,
    `${WELL_KNOWN}/mcp/x`,
    `${WELL_KNOWN}//mcp`,
    `${WELL_KNOWN}/%6dcp`,
    `/x${WELL_KNOWN}/mcp`,
  ];
  for (const path of paths) {
    assertEquals(await api.route(new Request(`https://api.example${path}`)), undefined);
  }
  const silent = apiScene().api;
  assertEquals(await silent.route(new Request(`https://api.example${WELL_KNOWN}`)), undefined);
});

test("R-160 who brings no token is told which scopes to ask for, where the API says who it is", async () => {
  const { call } = apiScene({
    protectedResource: { resource: "https://api.example", scopesSupported: ["api://orders/Orders.Read"] },
  });
  const { challenge } = await call(undefined, { scopes: ["Orders.Read", "Other"] });
  assertEquals(challenge, {
    realm: "",
    authorization_uri: `${HOST}/${CONTOSO.id}/oauth2/v2.0/authorize`,
    scope: "api://orders/Orders.Read Other",
    resource_metadata: `https://api.example${WELL_KNOWN}`,
  });
});

// deno-lint-ignore no-explicit-any
const WRONG: Readonly<Record<string, [member: string, value: any]>> = {
  "no resource": ["resource", undefined],
  "http": ["resource", "http://api.example"],
  "no URL": ["resource", "api.example"],
  "an application ID URI": ["resource", "api://orders"],
  "a query": ["resource", "https://api.example/?x=1"],
  "a fragment": ["resource", "https://api.example/#x"],
  "an empty fragment": ["resource", "https://api.example/#"],
  "a user name": ["resource", "https://a:b@api.example/"],
  "capitals in the host": ["resource", "https://API.example/mcp"],
  "a default port": ["resource", "https://api.example:443/mcp"],
  "dots in the path": ["resource", "https://api.example/a/../mcp"],
  "a line end": ["resource", "https://api.example/\nmcp"],
  "scopes in one text": ["scopesSupported", "a b"],
  "a scope of two words": ["scopesSupported", ["a b"]],
  "an empty scope": ["scopesSupported", [""]],
  "a scope with a quote": ["scopesSupported", ['a"b']],
  "a number as a scope": ["scopesSupported", [1]],
  "a number as a name": ["resourceName", 1],
  "a page without TLS": ["resourceDocumentation", "http://docs.example"],
  "a server without TLS": ["authorizationServers", ["http://login.example"]],
  "one server": ["authorizationServers", "https://login.example"],
};
for (const [name, [member, value]] of Object.entries(WRONG)) {
  test(`R-160 what is published is checked when the guard is made: ${name}`, () => {
    const given = { resource: "https://api.example", [member]: value };
    const error = assertThrows(() => createApiAuth(optionsOf(given)), ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_option", `protectedResource.${member}`]);
  });
}

test("R-138 options that are wrong for the bindings make the route fail, not pass", async () => {
  const api = createApiAuth((_: object) => optionsOf({ resource: "http://api.example" }));
  const route = () => api.route(new Request(`https://api.example${WELL_KNOWN}`), { env: {} });
  await assertRejects(route, ClientConfigurationError, "protectedResource.resource");
});
