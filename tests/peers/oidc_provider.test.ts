/** Our confidential client against oidc-provider: discovery, the grant, and what is refused. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createLocalJWKSet, jwtVerify } from "jose";
import {
  allowInsecureLoopback,
  ClientAuthError,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  type MsalEvent,
  ServerError,
} from "../../mod.ts";
import { test } from "../support/suite.ts";
import {
  ARCHIVE_API,
  FOREIGN_SCOPE,
  type OidcClient,
  type OidcServer,
  ORDERS_API,
  serveOidc,
} from "./oidc_server.ts";

const DISCOVERY = "GET /.well-known/openid-configuration";
const TOKEN = "POST /token";
const SCOPES = ["orders.read"];

/** Every character that forms and headers treat in some way of their own, and some beyond ASCII's letters. */
const AWKWARD = "p+l%us & m=inus: 100%25 /?#[]@!$'()*,;~^`{|}\\\"<>-_.";

const POST: OidcClient = { clientId: "orders-daemon", clientSecret: AWKWARD, method: "client_secret_post" };
const BASIC: OidcClient = { ...POST, clientId: "daemon:with+%/signs", method: "client_secret_basic" };

function appOf(
  { issuer }: OidcServer,
  { clientId, clientSecret, method }: OidcClient,
  more: Partial<ConfidentialClientOptions> = {},
): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    clientId,
    clientCredential: { clientSecret, method },
    oidcAuthority: issuer,
    [allowInsecureLoopback]: true,
    ...more,
  });
}

for (const client of [POST, BASIC]) {
  test(`oidc-provider: ${client.method} with an awkward secret, then a hit`, async () => {
    await using server = await serveOidc(client);
    const app = appOf(server, client);
    const first = await app.acquireTokenForClient({ scopes: SCOPES });
    assertEquals([first.tokenSource, first.tokenType], ["identity_provider", "Bearer"]);
    assertEquals(first.scopes, SCOPES);
    assertEquals(server.requests, [DISCOVERY, TOKEN]);
    const second = await app.acquireTokenForClient({ scopes: SCOPES });
    assertEquals([second.tokenSource, second.accessToken], ["cache", first.accessToken]);
    assertEquals(server.requests.length, 2);
  });

  test(`oidc-provider: ${client.method} with the wrong secret is invalid_client`, async () => {
    await using server = await serveOidc(client);
    const app = appOf(server, { ...client, clientSecret: "not this one" });
    const error = await assertRejects(() => app.acquireTokenForClient({ scopes: SCOPES }), ServerError);
    assertEquals([error.error, error.status, error.retryable], ["invalid_client", 401, false]);
    assertEquals([error.code, error.errorCodes], ["server_error", []]);
    assert(!JSON.stringify(error).includes("not this one"));
    assertEquals(server.requests, [DISCOVERY, TOKEN]);
  });
}

test("oidc-provider: a scope that is not the client's is invalid_scope, and is not asked for again at once", async () => {
  await using server = await serveOidc(POST);
  const app = appOf(server, POST);
  const ask = () => assertRejects(() => app.acquireTokenForClient({ scopes: [FOREIGN_SCOPE] }), ServerError);
  const error = await ask();
  assertEquals([error.error, error.status, error.throttledLocally], ["invalid_scope", 400, false]);
  assertEquals((await ask()).throttledLocally, true);
  assertEquals(server.requests, [DISCOVERY, TOKEN]);
  // Another request is another matter.
  await app.acquireTokenForClient({ scopes: SCOPES });
  assertEquals(server.requests, [DISCOVERY, TOKEN, TOKEN]);
});

test("oidc-provider: 50 cold calls make one discovery and one token request", async () => {
  await using server = await serveOidc(POST);
  const app = appOf(server, POST);
  const calls = Array.from({ length: 50 }, () => app.acquireTokenForClient({ scopes: SCOPES }));
  const tokens = new Set((await Promise.all(calls)).map(({ accessToken }) => accessToken));
  assertEquals(tokens.size, 1);
  assertEquals(server.requests, [DISCOVERY, TOKEN]);
});

test("oidc-provider: calls for different scopes share the discovery alone", async () => {
  await using server = await serveOidc(POST);
  const app = appOf(server, POST);
  const [read, write] = await Promise.all([
    app.acquireTokenForClient({ scopes: ["orders.read"] }),
    app.acquireTokenForClient({ scopes: ["orders.write"] }),
  ]);
  assert(read.accessToken !== write.accessToken);
  assertEquals(server.requests.toSorted(), [DISCOVERY, TOKEN, TOKEN]);
  const both = await app.acquireTokenForClient({ scopes: ["orders.write", "orders.read"] });
  assertEquals(both.tokenSource, "identity_provider");
  assertEquals(both.scopes.toSorted(), ["orders.read", "orders.write"]);
  // The order in which scopes are asked for is no part of the question.
  const again = await app.acquireTokenForClient({ scopes: ["orders.read", "orders.write"] });
  assertEquals([again.tokenSource, again.accessToken], ["cache", both.accessToken]);
});

test("oidc-provider: a resource indicator gives a JWT that its own keys verify", async () => {
  await using server = await serveOidc(BASIC);
  const app = appOf(server, BASIC);
  const request = { scopes: SCOPES, extraBodyParameters: { resource: ORDERS_API } };
  const { accessToken } = await app.acquireTokenForClient(request);
  const keys = createLocalJWKSet(await (await fetch(`${server.issuer}/jwks`)).json());
  const { payload } = await jwtVerify(accessToken, keys, { issuer: server.issuer, audience: ORDERS_API });
  assertEquals([payload["client_id"], payload["scope"]], [BASIC.clientId, "orders.read"]);
  // A token for one resource is never handed out for another, or for none.
  const plain = await app.acquireTokenForClient({ scopes: SCOPES });
  assert(plain.accessToken !== accessToken);
  assertEquals((await app.acquireTokenForClient(request)).accessToken, accessToken);
  assertEquals(server.requests.filter((line) => line === TOKEN).length, 2);
});

test("oidc-provider: fewer scopes than were asked for are told, and kept under what was asked", async () => {
  await using server = await serveOidc(POST);
  const events: MsalEvent[] = [];
  const app = appOf(server, POST, { onEvent: (event) => void events.push(event) });
  const request = {
    scopes: ["orders.read", "orders.write"],
    extraBodyParameters: { resource: ARCHIVE_API },
  };
  const first = await app.acquireTokenForClient(request);
  assertEquals(first.scopes, ["orders.read"]);
  const missing = events.flatMap((event) => event.type === "scopes_missing" ? event.scopes : []);
  assertEquals(missing, ["orders.write"]);
  assertEquals((await app.acquireTokenForClient(request)).accessToken, first.accessToken);
  assertEquals(server.requests, [DISCOVERY, TOKEN]);
});

test("oidc-provider: another issuer than the configured one is not trusted", async () => {
  await using server = await serveOidc(POST);
  // The same server by another name: its document names 127.0.0.1.
  const oidcAuthority = server.issuer.replace("127.0.0.1", "localhost");
  const app = appOf(server, POST, { oidcAuthority });
  const error = await assertRejects(() => app.acquireTokenForClient({ scopes: SCOPES }), ClientAuthError);
  assertEquals(error.code, "issuer_mismatch");
  assertEquals(server.requests, [DISCOVERY]);
});
