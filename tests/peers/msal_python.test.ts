/** Unmodified MSAL Python against the local authority, and one serialised cache between the two libraries. */
import { assert, assertEquals } from "@std/assert";
import { ConfidentialClientApplication, type FetchFunction, TokenCache } from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { peer } from "../support/peers.ts";
import { type Job, type Outcome, runMsalPython } from "./msal_python.ts";

const python = peer("MSAL Python");

const ORDERS = { identifierUris: ["api://orders"], appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91" };
const ORDERS_SCOPE = "api://orders/.default";
const GRAPH_SCOPE = "https://graph.microsoft.com/.default";
const authority = new LocalAuthority({ resources: [ORDERS] });
const { tenantId, domain, clientId, clientSecret } = authority.defaults;
const AUTHORITY = `https://login.microsoftonline.com/${tenantId}`;

/** Runs MSAL Python against the authority. */
function runPython(job: Job): Promise<Outcome> {
  return runMsalPython(authority, { clientId, clientSecret, authority: AUTHORITY, ...job });
}

/** Our application, with the cache that it was given at hand. */
type EdgeApplication = ConfidentialClientApplication & { readonly cache: TokenCache };

function edgeApp(cache: string, fetch: FetchFunction, more: Job = {}): EdgeApplication {
  const tokenCache = new TokenCache();
  tokenCache.deserialize(cache);
  const app = new ConfidentialClientApplication({
    clientId: more.clientId ?? clientId,
    clientCredential: clientSecret,
    authority: more.authority ?? AUTHORITY,
    tokenCache,
    fetch,
  });
  return Object.assign(app, { cache: tokenCache });
}

/** Refuses everything at once: a hit sends nothing. */
const noNetwork: FetchFunction = () =>
  Promise.resolve(Response.json({ error: "this_was_no_hit" }, { status: 400 }));

/** What an outcome says about a hit in MSAL Python's cache; `token_source` is younger than Debian's version. */
function assertPythonHit({ result, sent }: Outcome, accessToken: string): void {
  assertEquals(result?.["access_token"], accessToken);
  assertEquals(sent, []);
  assertEquals(result?.["token_source"] ?? "cache", "cache");
}

python.test("MSAL Python gets an app token that the API accepts", async () => {
  const { result, sent } = await runPython({ scopes: [GRAPH_SCOPE] });
  assertEquals([result?.["token_type"], result?.["expires_in"]], ["Bearer", 3599]);
  assertEquals(sent, [`POST /${tenantId}/oauth2/v2.0/token`]);
  const headers = { authorization: `Bearer ${result?.["access_token"]}` };
  const response = await authority.fetch("https://graph.microsoft.com/v1.0/organization", { headers });
  assertEquals((await response.json()).value[0].displayName, "Contoso");
});

python.test("MSAL Python sees a wrong secret as its error dictionary", async () => {
  const { result } = await runPython({ scopes: [GRAPH_SCOPE], clientSecret: "not this one" });
  assertEquals([result?.["error"], result?.["error_codes"]], ["invalid_client", [7000215]]);
  assert(String(result?.["error_description"]).startsWith("AADSTS7000215: "));
  assert(result?.["correlation_id"] && result?.["trace_id"] && result?.["timestamp"]);
});

/** Spellings of the same client and tenant; each library keeps what it was given. */
const SPELLINGS: Readonly<Record<string, Job>> = {
  "as declared": {},
  "with a client id in mixed case": { clientId: clientId.replaceAll("d", "D") },
  "with a tenant in upper case": { authority: `https://login.microsoftonline.com/${tenantId.toUpperCase()}` },
};

for (const [spelling, job] of Object.entries(SPELLINGS)) {
  python.test(`what MSAL Python serialised is a hit here, ${spelling}`, async () => {
    const written = await runPython({ ...job, scopes: [GRAPH_SCOPE] });
    const app = edgeApp(written.cache, noNetwork, job);
    const read = await app.acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
    assertEquals([read.tokenSource, read.accessToken], ["cache", written.result?.["access_token"]]);
    assertEquals(app.cache.hasStateChanged, false);
  });

  python.test(`what was serialised here is a hit for MSAL Python, ${spelling}`, async () => {
    const app = edgeApp("", authority.fetch, job);
    const { accessToken } = await app.acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
    const cache = app.cache.serialize();
    assertPythonHit(await runPython({ ...job, scopes: [GRAPH_SCOPE], triesCache: true, cache }), accessToken);
  });
}

// MSAL Python's realm is the tenant of the endpoint that discovery names, its GUID; ours is the authority's own path.
python.test("with a domain as tenant MSAL Python's token is found by the GUID, and ours not by it", async () => {
  const job = { authority: `https://login.microsoftonline.com/${domain}`, scopes: [GRAPH_SCOPE] };
  const written = await runPython(job);
  const byGuid = await edgeApp(written.cache, noNetwork).acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
  assertEquals(byGuid.accessToken, written.result?.["access_token"]);
  const app = edgeApp(written.cache, authority.fetch, job);
  assertEquals((await app.acquireTokenForClient({ scopes: [GRAPH_SCOPE] })).tokenSource, "identity_provider");
  // Both stand side by side, and each library finds its own.
  const again = await runPython({ ...job, triesCache: true, cache: app.cache.serialize() });
  assertPythonHit(again, byGuid.accessToken);
  const alone = edgeApp("", authority.fetch, job);
  await alone.acquireTokenForClient({ scopes: [GRAPH_SCOPE] });
  const missed = await runPython({ ...job, triesCache: true, cache: alone.cache.serialize() });
  assertEquals(missed.result, null);
});

python.test("a token renewed here takes the place of MSAL Python's", async () => {
  const written = await runPython({ scopes: [GRAPH_SCOPE] });
  const app = edgeApp(written.cache, authority.fetch);
  const claims = { access_token: { nbf: { essential: true, value: "1" } } };
  const { accessToken } = await app.acquireTokenForClient({ scopes: [GRAPH_SCOPE], claims });
  const cache = app.cache.serialize();
  assertEquals(
    Object.keys(JSON.parse(cache).AccessToken),
    Object.keys(JSON.parse(written.cache).AccessToken),
  );
  assertPythonHit(await runPython({ scopes: [GRAPH_SCOPE], triesCache: true, cache }), accessToken);
});

function encoded(claims: unknown): string {
  return btoa(JSON.stringify(claims)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
}

/** A sign-in as MSAL Python's own code adds it to its cache. */
function signIn(): unknown {
  const now = Math.floor(Date.now() / 1000);
  const user = { oid: "uid", sub: "sub", preferred_username: "ada@contoso.onmicrosoft.com" };
  const idToken = encoded({ alg: "none" }) + "." +
    encoded({ ...user, iss: `${AUTHORITY}/v2.0`, aud: clientId, iat: now, nbf: now, exp: now + 3600 }) + ".";
  return {
    client_id: clientId,
    scope: ["User.Read", "profile", "openid"],
    token_endpoint: `${AUTHORITY}/oauth2/v2.0/token`,
    environment: "login.microsoftonline.com",
    response: {
      access_token: "the user's access token",
      refresh_token: "the user's refresh token",
      id_token: idToken,
      client_info: encoded({ uid: "uid", utid: tenantId }),
      expires_in: 3600,
      token_type: "Bearer",
    },
  };
}

python.test("users, refresh tokens and unknown sections of MSAL Python's survive us", async () => {
  const before = await runPython({ scopes: [GRAPH_SCOPE], user: signIn() });
  const document = JSON.parse(before.cache);
  document["Something of the future"] = { "a-key": { a_field: [1, null, { nested: "ünï" }] } };
  const app = edgeApp(JSON.stringify(document), authority.fetch);
  await app.acquireTokenForClient({ scopes: [ORDERS_SCOPE] });
  const serialized = app.cache.serialize();
  // Nothing is lost or changed beside the token that was added.
  const { AccessToken: tokens, ...others } = JSON.parse(serialized);
  const { AccessToken: tokensBefore, ...othersBefore } = document;
  assertEquals(others, othersBefore);
  const added = Object.keys(tokens).filter((key) => !(key in tokensBefore));
  assertEquals(added.length, 1);
  assertEquals({ ...tokens, [added[0]!]: undefined }, { ...tokensBefore, [added[0]!]: undefined });
  const after = await runPython({ cache: serialized, scopes: [GRAPH_SCOPE], triesCache: true });
  assertPythonHit(after, String(before.result?.["access_token"]));
  assertEquals(after.accounts, ["ada@contoso.onmicrosoft.com"]);
  assertEquals(after.refreshTokens, ["the user's refresh token"]);
  assertEquals(after.appMetadata, before.appMetadata);
  const orders = await runPython({ cache: serialized, scopes: [ORDERS_SCOPE], triesCache: true });
  assertPythonHit(orders, tokens[added[0]!].secret);
});
