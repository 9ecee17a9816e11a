/** The local authority serves Entra's metadata documents. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";

const HOST = "https://login.microsoftonline.com";
const CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad";

async function get(
  authority: LocalAuthority,
  url: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await authority.fetch(url);
  return { status: response.status, body: await response.json() };
}

function instanceUrl(endpoint: string, version = "1.1"): string {
  const query = new URLSearchParams({ "api-version": version, authorization_endpoint: endpoint });
  return `${HOST}/common/discovery/instance?${query}`;
}

test("the discovery document of a tenant names the GUID, whatever the tenant was called by", async () => {
  const authority = new LocalAuthority();
  const { tenantId, domain } = authority.defaults;
  for (const name of [tenantId, domain, domain.toUpperCase()]) {
    const { status, body } = await get(authority, `${HOST}/${name}/v2.0/.well-known/openid-configuration`);
    assertEquals(status, 200);
    assertEquals(body["issuer"], `${HOST}/${tenantId}/v2.0`);
    assertEquals(body["token_endpoint"], `${HOST}/${tenantId}/oauth2/v2.0/token`);
    assertEquals(body["authorization_endpoint"], `${HOST}/${tenantId}/oauth2/v2.0/authorize`);
    assertEquals(body["device_authorization_endpoint"], `${HOST}/${tenantId}/oauth2/v2.0/devicecode`);
    assertEquals(body["end_session_endpoint"], `${HOST}/${tenantId}/oauth2/v2.0/logout`);
    assertEquals(body["jwks_uri"], `${HOST}/${tenantId}/discovery/v2.0/keys`);
    assertEquals(body["userinfo_endpoint"], "https://graph.microsoft.com/oidc/userinfo");
    assertEquals(body["id_token_signing_alg_values_supported"], ["RS256"]);
    assertEquals(body["subject_types_supported"], ["pairwise"]);
    assertEquals(body["tenant_region_scope"], "NA");
    assertEquals(body["cloud_instance_name"], "microsoftonline.com");
    assertEquals(body["cloud_graph_host_name"], "graph.windows.net");
    assertEquals(body["msgraph_host"], "graph.microsoft.com");
  }
});

test("common and organizations have the template as issuer, consumers has its tenant", async () => {
  const authority = new LocalAuthority();
  const expected = {
    common: "{tenantid}",
    organizations: "{tenantid}",
    consumers: CONSUMERS,
    [CONSUMERS]: CONSUMERS,
  };
  for (const [name, tenant] of Object.entries(expected)) {
    const { body } = await get(authority, `${HOST}/${name}/v2.0/.well-known/openid-configuration`);
    assertEquals(body["issuer"], `${HOST}/${tenant}/v2.0`);
    assertEquals(body["token_endpoint"], `${HOST}/${name}/oauth2/v2.0/token`);
  }
});

test("the version 1 document has the version 1 issuer and endpoints", async () => {
  const authority = new LocalAuthority();
  const { tenantId } = authority.defaults;
  const { body } = await get(authority, `${HOST}/${tenantId}/.well-known/openid-configuration`);
  assertEquals(body["issuer"], `https://sts.windows.net/${tenantId}/`);
  assertEquals(body["jwks_uri"], `${HOST}/${tenantId}/discovery/keys`);
  assertEquals(body["authorization_endpoint"], `${HOST}/${tenantId}/oauth2/authorize`);
});

test("a sovereign cloud's document names its own hosts", async () => {
  const authority = new LocalAuthority();
  const { tenantId } = authority.defaults;
  const host = "https://login.microsoftonline.us";
  const { body } = await get(authority, `${host}/${tenantId}/v2.0/.well-known/openid-configuration`);
  assertEquals(body["issuer"], `${host}/${tenantId}/v2.0`);
  assertEquals(body["msgraph_host"], "graph.microsoft.us");
  assertEquals(body["cloud_instance_name"], "microsoftonline.us");
});

test("documents of a tenant that does not exist are 400 invalid_tenant", async () => {
  const authority = new LocalAuthority();
  const paths = [
    "v2.0/.well-known/openid-configuration",
    ".well-known/openid-configuration",
    "discovery/v2.0/keys",
  ];
  for (const path of paths) {
    const { status, body } = await get(authority, `${HOST}/nobody.example/${path}`);
    assertEquals([status, body["error"], body["error_codes"]], [400, "invalid_tenant", [90002]]);
    assert(String(body["error_description"]).startsWith("AADSTS90002: Tenant 'nobody.example' not found."));
  }
});

test("the key set has public members only, and version 2 keys name their issuer", async () => {
  const authority = new LocalAuthority();
  const { tenantId } = authority.defaults;
  const keysOf = async (path: string) => {
    const { body } = await get(authority, `${HOST}/${path}`);
    return (body["keys"] as Record<string, string>[])[0] ?? {};
  };
  const key = await keysOf(`${tenantId}/discovery/v2.0/keys`);
  const members = ["cloud_instance_name", "e", "issuer", "kid", "kty", "n", "use", "x5t"];
  assertEquals(Object.keys(key).sort(), members);
  assertEquals([key["kty"], key["use"], key["kid"]?.length], ["RSA", "sig", 27]);
  assertEquals(key["issuer"], `${HOST}/${tenantId}/v2.0`);
  assertEquals((await keysOf("common/discovery/v2.0/keys"))["issuer"], `${HOST}/{tenantid}/v2.0`);
  assertFalse("issuer" in await keysOf(`${tenantId}/discovery/keys`));
  assertEquals((await keysOf(`${tenantId}/discovery/keys`))["kid"], key["kid"]);
});

test("first callers at the same time get one key", async () => {
  const authority = new LocalAuthority();
  const url = `${HOST}/common/discovery/v2.0/keys`;
  const all = await Promise.all(Array.from({ length: 8 }, () => get(authority, url)));
  assertEquals(new Set(all.map(({ body }) => JSON.stringify(body))).size, 1);
});

test("instance discovery 1.1 lists the clouds and points at the tenant's document", async () => {
  const authority = new LocalAuthority();
  const { status, body } = await get(authority, instanceUrl(`${HOST}/common/oauth2/v2.0/authorize`));
  assertEquals(status, 200);
  assertEquals(body["tenant_discovery_endpoint"], `${HOST}/common/v2.0/.well-known/openid-configuration`);
  assertEquals(body["api-version"], "1.1");
  const [first] = body["metadata"] as unknown[];
  assertEquals(first, {
    preferred_network: "login.microsoftonline.com",
    preferred_cache: "login.windows.net",
    aliases: ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
  });
});

test("instance discovery 1.0 has no metadata", async () => {
  const authority = new LocalAuthority();
  const { body } = await get(
    authority,
    instanceUrl("https://login.windows.net/x.example/oauth2/authorize", "1.0"),
  );
  const document = "https://login.windows.net/x.example/.well-known/openid-configuration";
  assertEquals(body, { tenant_discovery_endpoint: document });
});

test("instance discovery does not know hosts that only look like Microsoft's", async () => {
  const authority = new LocalAuthority();
  const hosts = [
    "login.microsoftonline.com.evil.example",
    "evil-login.microsoftonline.com",
    "a.b.login.microsoft.com",
    "login.microsoftonline.com:444",
    "login.microsoftonline.com.",
    "graph.microsoft.com",
  ];
  for (const host of hosts) {
    const { status, body } = await get(
      authority,
      instanceUrl(`https://${host}/common/oauth2/v2.0/authorize`),
    );
    assertEquals([status, body["error"], body["error_codes"]], [400, "invalid_instance", [50049]]);
  }
  const insecure = await get(
    authority,
    instanceUrl("http://login.microsoftonline.com/common/oauth2/authorize"),
  );
  assertEquals(insecure.body["error"], "invalid_instance");
});

test("instance discovery that cannot be read is 400 invalid_request", async () => {
  const authority = new LocalAuthority();
  for (
    const url of [
      instanceUrl("nonsense"),
      instanceUrl(`${HOST}/x`, "9.9"),
      `${HOST}/common/discovery/instance`,
    ]
  ) {
    const { status, body } = await get(authority, url);
    assertEquals([status, body["error"]], [400, "invalid_request"]);
  }
});

test("metadata may be cached for a day, and takes GET alone", async () => {
  const authority = new LocalAuthority();
  const url = `${HOST}/common/v2.0/.well-known/openid-configuration`;
  const document = await authority.fetch(url);
  assertEquals(document.headers.get("cache-control"), "max-age=86400, private");
  await document.body?.cancel();
  const posted = await authority.fetch(url, { method: "POST", body: "x" });
  assertEquals([posted.status, posted.headers.get("allow")], [405, "GET"]);
  await posted.body?.cancel();
});

test("a path that is no endpoint is 404", async () => {
  const authority = new LocalAuthority();
  const paths = [
    "",
    "common",
    "v1.0/organization",
    "common/v2.0",
    "x/common/discovery/v2.0/keys",
    ".local/requests",
  ];
  for (const path of paths) assertEquals((await get(authority, `${HOST}/${path}`)).status, 404);
  assertEquals((await get(authority, "https://graph.microsoft.com/common/discovery/v2.0/keys")).status, 404);
});
