/** One serialised cache with a person in it, between us and unmodified MSAL Python and MSAL Node. */
import { assertEquals } from "@std/assert";
import { ConfidentialClientApplication as NodeApplication, CryptoProvider } from "@azure/msal-node";
import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type FetchFunction,
  TokenCache,
} from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { peer } from "../support/peers.ts";
import { test } from "../support/suite.ts";
import { type MicrosoftHosts, withMicrosoftHosts } from "./microsoft_hosts.ts";
import { type Outcome, runMsalPythonAt } from "./msal_python.ts";

const python = peer("MSAL Python");

const SCOPES = ["User.Read"];
const OTHER_SCOPES = ["User.Read.All"];
const REDIRECT_URI = "http://localhost:3000/callback";

const authority = new LocalAuthority();
const { clientId, clientSecret, tenantId, username } = authority.defaults;

/** The authorities that applications of both libraries are given. */
const TENANTS = [tenantId, "common"];

/** Refuses everything at once: a hit sends nothing. */
const noNetwork: FetchFunction = () =>
  Promise.resolve(Response.json({ error: "this_was_no_hit" }, { status: 400 }));

function authorityOf(tenant: string): string {
  return `https://login.microsoftonline.com/${tenant}`;
}

/** Our application, with its cache. */
interface Edge {
  readonly app: ConfidentialClientApplication;
  readonly cache: TokenCache;
}

function edge(tenant: string, text = "", fetch: FetchFunction = authority.fetch): Edge {
  const cache = new TokenCache();
  cache.deserialize(text);
  const app = new ConfidentialClientApplication({
    clientId,
    clientCredential: clientSecret,
    authority: authorityOf(tenant),
    tokenCache: cache,
    fetch,
  });
  return { app, cache };
}

async function signInHere({ app }: Edge): Promise<AuthenticationResult> {
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  const answer = await authority.signIn(flow.authUri);
  return await app.acquireTokenByAuthCodeFlow(flow, answer.request());
}

/** Gets a token from a cache without the network; `undefined` where there is none. */
async function hitHere(tenant: string, text: string, homeAccountId: string): Promise<string | undefined> {
  const { app } = edge(tenant, text, noNetwork);
  const found = await app.acquireTokenSilent({ account: homeAccountId, scopes: SCOPES }).catch(() =>
    undefined
  );
  return found?.accessToken;
}

/** Gets a token for other scopes by a cache's refresh token, and the cache with it. */
async function renewHere(tenant: string, text: string, homeAccountId: string): Promise<TokenCache> {
  const { app, cache } = edge(tenant, text);
  const account = await app.getAccount(homeAccountId);
  assertEquals(account?.username, username);
  const renewed = await app.acquireTokenSilent({ account: account!, scopes: OTHER_SCOPES });
  assertEquals([renewed.tokenSource, await whoAmI(renewed.accessToken)], ["identity_provider", username]);
  assertEquals([renewed.tenantId, renewed.account?.tenantId], [tenantId, tenantId]);
  assertEquals((await app.getAccount(homeAccountId))?.tenantId, tenantId);
  return cache;
}

async function whoAmI(accessToken: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await authority.fetch("https://graph.microsoft.com/v1.0/me", { headers });
  const { userPrincipalName, error } = await response.json();
  return userPrincipalName ?? error;
}

/** The refresh tokens of a cache. */
function refreshTokensIn(text: string): unknown[] {
  return Object.values<{ secret: string }>(JSON.parse(text).RefreshToken).map(({ secret }) => secret);
}

// MSAL Python

const silent = (scopes: readonly string[], more = {}) =>
  ["acquire_token_silent_with_error", { scopes, account: username, ...more }] as const;

function runPython(
  { origin }: MicrosoftHosts,
  tenant: string,
  cache: string,
  calls: readonly (readonly [string, Readonly<Record<string, unknown>>])[],
): Promise<Outcome> {
  return runMsalPythonAt(origin, { clientId, clientSecret, authority: authorityOf(tenant), cache, calls });
}

async function signInWithPython(hosts: MicrosoftHosts, tenant: string): Promise<Outcome> {
  const begin = { scopes: SCOPES, redirect_uri: REDIRECT_URI };
  const { results: [flow] } = await runPython(hosts, tenant, "", [["initiate_auth_code_flow", begin]]);
  const { parameters } = await authority.signIn(String(flow?.["auth_uri"]));
  const end = { auth_code_flow: flow, auth_response: Object.fromEntries(parameters) };
  return await runPython(hosts, tenant, "", [["acquire_token_by_auth_code_flow", end]]);
}

function homeAccountIdIn(text: string): string {
  const [entry] = Object.values<Record<string, string>>(JSON.parse(text).Account);
  return entry!["home_account_id"]!;
}

python.test("MSAL Python finds a person who signed in here: account, token and refresh token", () =>
  withMicrosoftHosts(authority, async (hosts) => {
    const here = edge(tenantId);
    const { accessToken } = await signInHere(here);
    const { results: [hit, other, forced], sent, accounts } = await runPython(
      hosts,
      tenantId,
      here.cache.serialize(),
      [silent(SCOPES), silent(OTHER_SCOPES), silent(SCOPES, { force_refresh: true })],
    );
    assertEquals([accounts, hit?.["access_token"]], [[username], accessToken]);
    for (const result of [other, forced]) {
      assertEquals(await whoAmI(String(result?.["access_token"])), username);
    }
    assertEquals(sent.filter((line) => line.startsWith("POST")).length, 2);
  }));

python.test("a person who signed in with MSAL Python is found here, and still there afterwards", () =>
  withMicrosoftHosts(authority, async (hosts) => {
    const there = await signInWithPython(hosts, tenantId);
    const accessToken = there.results[0]?.["access_token"];
    const home = homeAccountIdIn(there.cache);
    assertEquals(await hitHere(tenantId, there.cache, home), accessToken);
    const text = (await renewHere(tenantId, there.cache, home)).serialize();
    // One refresh token took the place of the other, in the entry that MSAL Python wrote.
    assertEquals([refreshTokensIn(text).length, refreshTokensIn(text)[0] === there.refreshTokens[0]], [
      1,
      false,
    ]);
    const again = await runPython(hosts, tenantId, text, [
      silent(SCOPES),
      silent(OTHER_SCOPES),
      silent(SCOPES, { force_refresh: true }),
    ]);
    assertEquals([again.accounts, again.results[0]?.["access_token"]], [[username], accessToken]);
    assertEquals(again.sent.filter((line) => line.startsWith("POST")).length, 1);
    assertEquals(await whoAmI(String(again.results[2]?.["access_token"])), username);
  }));

// MSAL Python files what it got on common under "common", we under the person's tenant: access tokens are not shared
// then, and refresh tokens are.
python.test("on common MSAL Python finds a person who signed in here, and their refresh token alone", () =>
  withMicrosoftHosts(authority, async (hosts) => {
    const here = edge("common");
    await signInHere(here);
    const { results: [renewed, hit], sent, accounts } = await runPython(
      hosts,
      "common",
      here.cache.serialize(),
      [
        silent(SCOPES),
        silent(SCOPES),
      ],
    );
    assertEquals([accounts, await whoAmI(String(renewed?.["access_token"]))], [[username], username]);
    assertEquals([hit?.["access_token"], sent], [
      renewed?.["access_token"],
      ["POST /common/oauth2/v2.0/token"],
    ]);
  }));

python.test("on common a person who signed in with MSAL Python is found here, and their refresh token alone", () =>
  withMicrosoftHosts(authority, async (hosts) => {
    const there = await signInWithPython(hosts, "common");
    const home = homeAccountIdIn(there.cache);
    assertEquals(await hitHere("common", there.cache, home), undefined);
    // Its account says so too, until a token was renewed here.
    const { app } = edge("common", there.cache, noNetwork);
    assertEquals((await app.getAccount(home))?.tenantId, tenantId, "the ID token tells it");
    const text = (await renewHere("common", there.cache, home)).serialize();
    const again = await runPython(hosts, "common", text, [silent(SCOPES)]);
    assertEquals([again.accounts, again.results[0]?.["access_token"], again.sent], [
      [username],
      there.results[0]?.["access_token"],
      [],
    ]);
  }));

python.test("a person whom we forgot is gone for MSAL Python, and the other way round", () =>
  withMicrosoftHosts(authority, async (hosts) => {
    const there = await signInWithPython(hosts, tenantId);
    const home = homeAccountIdIn(there.cache);
    const { app, cache } = edge(tenantId, there.cache, noNetwork);
    await app.removeAccount(home);
    const gone = await runPython(hosts, tenantId, cache.serialize(), []);
    assertEquals([gone.accounts, gone.refreshTokens], [[], []]);
    const removed = await runPython(hosts, tenantId, there.cache, [["remove_account", {
      account: username,
    }]]);
    assertEquals(await edge(tenantId, removed.cache).app.getAccount(home), null);
  }));

// MSAL Node

function nodeApp({ network }: MicrosoftHosts, tenant: string, text?: string): NodeApplication {
  const auth = { clientId, clientSecret, authority: authorityOf(tenant) };
  const app = new NodeApplication({ auth, system: { networkClient: network } });
  if (text !== undefined) app.getTokenCache().deserialize(text);
  return app;
}

async function signInWithNode(app: NodeApplication) {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const base = { scopes: SCOPES, redirectUri: REDIRECT_URI };
  const url = await app.getAuthCodeUrl({ ...base, codeChallenge: challenge, codeChallengeMethod: "S256" });
  const { parameters } = await authority.signIn(url);
  return await app.acquireTokenByCode({ ...base, code: parameters.get("code")!, codeVerifier: verifier });
}

for (const tenant of TENANTS) {
  const on = tenant === "common" ? "common" : "a tenant's id";
  test(`on ${on} MSAL Node finds a person who signed in here: account, token and refresh token`, () =>
    withMicrosoftHosts(authority, async (hosts) => {
      const here = edge(tenant);
      const { accessToken, account: own } = await signInHere(here);
      const app = nodeApp(hosts, tenant, here.cache.serialize());
      const accounts = await app.getTokenCache().getAllAccounts();
      assertEquals(accounts.map((one) => [one.homeAccountId, one.username, one.tenantId, one.name]), [
        [own!.homeAccountId, username, tenantId, own!.name],
      ]);
      const account = accounts[0]!;
      const hit = await app.acquireTokenSilent({ account, scopes: SCOPES });
      assertEquals([hit.fromCache, hit.accessToken, hosts.sent], [true, accessToken, []]);
      const other = await app.acquireTokenSilent({ account, scopes: OTHER_SCOPES });
      assertEquals([other.fromCache, await whoAmI(other.accessToken)], [false, username]);
      const forced = await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
      assertEquals([forced.fromCache, await whoAmI(forced.accessToken)], [false, username]);
    }));

  test(`on ${on} a person who signed in with MSAL Node is found here, and still there afterwards`, () =>
    withMicrosoftHosts(authority, async (hosts) => {
      const first = nodeApp(hosts, tenant);
      const { account, accessToken } = await signInWithNode(first);
      const before = first.getTokenCache().serialize();
      assertEquals(await hitHere(tenant, before, account!.homeAccountId), accessToken);
      const text = (await renewHere(tenant, before, account!.homeAccountId)).serialize();
      assertEquals(refreshTokensIn(text).length, 1);
      hosts.sent.length = 0;
      const app = nodeApp(hosts, tenant, text);
      const accounts = await app.getTokenCache().getAllAccounts();
      assertEquals(accounts.map(({ homeAccountId }) => homeAccountId), [account!.homeAccountId]);
      const hit = await app.acquireTokenSilent({ account: accounts[0]!, scopes: SCOPES });
      assertEquals([hit.fromCache, hit.accessToken], [true, accessToken]);
      const other = await app.acquireTokenSilent({ account: accounts[0]!, scopes: OTHER_SCOPES });
      assertEquals([other.fromCache, hosts.sent], [true, []]);
      const forced = await app.acquireTokenSilent({
        account: accounts[0]!,
        scopes: SCOPES,
        forceRefresh: true,
      });
      assertEquals([forced.fromCache, await whoAmI(forced.accessToken)], [false, username]);
    }));
}

test("a person whom we forgot is gone for MSAL Node, and the other way round", () =>
  withMicrosoftHosts(authority, async (hosts) => {
    const first = nodeApp(hosts, tenantId);
    const { account } = await signInWithNode(first);
    const before = first.getTokenCache().serialize();
    const { app, cache } = edge(tenantId, before, noNetwork);
    await app.removeAccount(account!.homeAccountId);
    const gone = nodeApp(hosts, tenantId, cache.serialize());
    assertEquals(await gone.getTokenCache().getAllAccounts(), []);
    const there = nodeApp(hosts, tenantId, before);
    const [known] = await there.getTokenCache().getAllAccounts();
    await there.getTokenCache().removeAccount(known!);
    const text = there.getTokenCache().serialize();
    assertEquals(await edge(tenantId, text).app.getAccount(account!.homeAccountId), null);
  }));
