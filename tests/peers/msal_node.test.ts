/** Unmodified MSAL Node against the local authority, and one serialised cache between the two libraries. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConfidentialClientApplication as NodeApplication,
  type INetworkModule,
  ServerError as NodeServerError,
} from "@azure/msal-node";
import { ConfidentialClientApplication, type FetchFunction, ServerError, TokenCache } from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { networkOf } from "./microsoft_hosts.ts";

const ORDERS = { identifierUris: ["api://orders"], appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91" };
const ORDERS_SCOPE = "api://orders/.default";
const GRAPH_SCOPE = "https://graph.microsoft.com/.default";

const authority = new LocalAuthority({ resources: [ORDERS] });
const { tenantId, clientId, clientSecret } = authority.defaults;
const AUTHORITY = `https://login.microsoftonline.com/${tenantId}`;

function nodeApp(network: INetworkModule, secret = clientSecret, cache?: string): NodeApplication {
  const app = new NodeApplication({
    auth: { clientId, clientSecret: secret, authority: AUTHORITY },
    system: { networkClient: network },
  });
  if (cache !== undefined) app.getTokenCache().deserialize(cache);
  return app;
}

/** A network that tells what it was asked for. */
function inProcess(): INetworkModule & { readonly urls: string[] } {
  const urls: string[] = [];
  const network = networkOf((url, init) => {
    urls.push(url);
    return authority.fetch(url, init);
  });
  return { urls, ...network };
}

/** Our application, with the cache that it was given at hand. */
type EdgeApplication = ConfidentialClientApplication & { readonly cache: TokenCache };

function edgeApp(cache: string, fetch: FetchFunction): EdgeApplication {
  const tokenCache = new TokenCache();
  tokenCache.deserialize(cache);
  const app = new ConfidentialClientApplication({
    clientId,
    clientCredential: clientSecret,
    authority: AUTHORITY,
    tokenCache,
    fetch,
  });
  return Object.assign(app, { cache: tokenCache });
}

/** Refuses everything at once: a hit sends nothing. */
const noNetwork: FetchFunction = () =>
  Promise.resolve(Response.json({ error: "this_was_no_hit" }, { status: 400 }));

async function organizationStatus(accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await authority.fetch("https://graph.microsoft.com/v1.0/organization", { headers });
  await response.body?.cancel();
  return response.status;
}

test("MSAL Node gets an app token from the real hosts, in one request, and then a hit", async () => {
  const network = inProcess();
  const app = nodeApp(network);
  const first = await app.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  assertEquals(first?.fromCache, false);
  assertEquals(await organizationStatus(first!.accessToken), 200);
  const second = await app.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  assertEquals([second?.fromCache, second?.accessToken], [true, first?.accessToken]);
  assertEquals(network.urls.map((url) => new URL(url).host), ["login.microsoftonline.com"]);
});

test("MSAL Node gets an app token over loopback", async () => {
  const server = await authority.serve(Deno);
  try {
    // It refuses authorities without TLS, so its requests are taken to the server on their way.
    const network = networkOf((url, init) => {
      const { pathname, search } = new URL(url);
      return fetch(`${server.origin}${pathname}${search}`, init);
    });
    const result = await nodeApp(network).acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
    const headers = { authorization: `Bearer ${result?.accessToken}` };
    const response = await fetch(`${server.origin}/v1.0/organization`, { headers });
    assertEquals((await response.json()).value[0].displayName, "Contoso");
  } finally {
    await server.close();
  }
});

test("MSAL Node sees a wrong secret as invalid_client with Entra's number", async () => {
  const app = nodeApp(inProcess(), "not this one");
  const ask = () => app.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  const error = await assertRejects(ask, NodeServerError);
  // Its types say that errorNo is a string; it is the number that Entra sent.
  assertEquals([error.errorCode, String(error.errorNo), error.status], ["invalid_client", "7000215", 401]);
  assert(error.errorMessage.includes("AADSTS7000215"));
  assert(error.correlationId);
});

test("what MSAL Node serialised is a hit here", async () => {
  const node = nodeApp(inProcess());
  const written = await node.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  const cache = node.getTokenCache().serialize();
  const [entry] = Object.values<Record<string, unknown>>(JSON.parse(cache).AccessToken);
  assertEquals([entry?.["environment"], entry?.["home_account_id"]], ["login.windows.net", ""]);
  const read = await edgeApp(cache, noNetwork).acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
  assertEquals([read.tokenSource, read.accessToken], ["cache", written?.accessToken]);
  assertEquals(read.expiresOn.getTime(), written?.expiresOn?.getTime());
});

test("what MSAL Node serialised for an FMI path is a hit for that path alone", async () => {
  const node = nodeApp(inProcess());
  const written = await node.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE], fmiPath: "agent/1" });
  const app = edgeApp(node.getTokenCache().serialize(), noNetwork);
  const read = await app.acquireTokenForClient({ scopes: [GRAPH_SCOPE], fmiPath: "agent/1" });
  assertEquals([read.tokenSource, read.accessToken], ["cache", written?.accessToken]);
  for (const other of [{}, { fmiPath: "agent/2" }]) {
    const ask = () => app.acquireTokenForClient({ scopes: [GRAPH_SCOPE], ...other });
    await assertRejects(ask, ServerError, "this_was_no_hit");
  }
});

test("MSAL Node still finds its own token in a cache that was written here", async () => {
  const node = nodeApp(inProcess());
  const own = await node.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  const edge = edgeApp(node.getTokenCache().serialize(), authority.fetch);
  await edge.acquireTokenForClient({ scopes: [ORDERS_SCOPE] });
  const network = inProcess();
  const again = nodeApp(network, clientSecret, edge.cache.serialize());
  const found = await again.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  assertEquals([found?.fromCache, found?.accessToken], [true, own?.accessToken]);
  assertEquals(network.urls, []);
});

test("a token renewed here takes the place of MSAL Node's, in MSAL Node's spelling", async () => {
  const node = nodeApp(inProcess());
  await node.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  // MSAL Node rounds the second up as often as down, and clocks differ: its token may be of the near future.
  const ahead = node.getTokenCache().serialize().replace(
    /"cached_at":"(\d+)"/,
    (_, at) => `"cached_at":"${Number(at) + 5}"`,
  );
  const edge = edgeApp(ahead, authority.fetch);
  const claims = { access_token: { nbf: { essential: true, value: "1" } } };
  const renewed = await edge.acquireTokenForClient({ scopes: [GRAPH_SCOPE], claims });
  assertEquals(renewed.tokenSource, "identity_provider");
  const own = await edge.acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
  assertEquals([own.tokenSource, own.accessToken], ["cache", renewed.accessToken]);
  const network = inProcess();
  const again = nodeApp(network, clientSecret, edge.cache.serialize());
  const found = await again.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  assertEquals([found?.fromCache, found?.accessToken], [true, renewed.accessToken]);
  assertEquals(network.urls, []);
});

// MSAL Node compares home_account_id strictly, and "" is not the null of MSAL Python's dialect, in which we write.
// The dialects "node" and "both" are for those who need it: see shared_partitions.test.ts.
test("MSAL Node misses an app token that was written here first, and asks for its own", async () => {
  const edge = edgeApp("", authority.fetch);
  const written = await edge.acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
  const network = inProcess();
  const node = nodeApp(network, clientSecret, edge.cache.serialize());
  const missed = await node.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  assertEquals([missed?.fromCache, network.urls.length], [false, 1]);
  assert(missed?.accessToken !== written.accessToken);
  // Both tokens now stand side by side; here the newer one counts, and neither library is confused by the other's.
  const both = node.getTokenCache().serialize();
  assertEquals(Object.keys(JSON.parse(both).AccessToken).length, 2);
  const read = await edgeApp(both, noNetwork).acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
  assert([written.accessToken, missed?.accessToken].includes(read.accessToken));
  const again = await node.acquireTokenByClientCredential({ scopes: [GRAPH_SCOPE] });
  assertEquals([again?.fromCache, again?.accessToken], [true, missed?.accessToken]);
});
