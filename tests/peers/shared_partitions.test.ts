/** Store values that we, unmodified MSAL Python and unmodified MSAL Node read and write under the same keys. */
import { assert, assertEquals } from "@std/assert";
import {
  ConfidentialClientApplication as NodeApplication,
  CryptoProvider,
  DistributedCachePlugin,
  type ICachePlugin,
} from "@azure/msal-node";
import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type FetchFunction,
  MemoryStore,
  TokenCache,
  type TokenCacheOptions,
} from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { peer } from "../support/peers.ts";
import { test } from "../support/suite.ts";
import { type MicrosoftHosts, withMicrosoftHosts } from "./microsoft_hosts.ts";
import { type Call, type Outcome, runMsalPythonAt } from "./msal_python.ts";

type Dialect = NonNullable<TokenCacheOptions["dialect"]>;

const python = peer("MSAL Python");
const authority = new LocalAuthority();
const { clientId, clientSecret, tenantId, username } = authority.defaults;
const AUTHORITY = `https://login.microsoftonline.com/${tenantId}`;
const APP_SCOPES = ["https://graph.microsoft.com/.default"];
const SCOPES = ["User.Read"];
const OTHER_SCOPES = ["User.Read.All"];
const REDIRECT_URI = "http://localhost:3000/callback";
const APP_KEY = `${clientId}_${tenantId}_AppTokenCache`;
const RENEW = { access_token: { nbf: { essential: true, value: "1" } } };
const DAY_MS = 86_400_000;

/** Refuses everything at once: a hit sends nothing. */
const noNetwork: FetchFunction = () =>
  Promise.resolve(Response.json({ error: "this_was_no_hit" }, { status: 400 }));

/** The values of a store as a plug-in of another library sees them. */
interface Values {
  readonly store: MemoryStore;
  get(key: string): Promise<string>;
  set(key: string, value: string): Promise<string>;
}

function newValues(): Values {
  const store = new MemoryStore();
  return {
    store,
    get: async (key) => (await store.get(key))?.value ?? "",
    async set(key, value) {
      await store.set(key, value, { expiresAtMs: Date.now() + DAY_MS });
      return value;
    },
  };
}

/** Our application over a store. */
function edge({ store }: Values, dialect: Dialect, fetch: FetchFunction = authority.fetch) {
  const tokenCache = new TokenCache({ store, dialect, partitionNames: "suggested" });
  return new ConfidentialClientApplication({
    clientId,
    clientCredential: clientSecret,
    authority: AUTHORITY,
    tokenCache,
    fetch,
  });
}

async function signInHere(values: Values, dialect: Dialect): Promise<AuthenticationResult> {
  const app = edge(values, dialect);
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  const answer = await authority.signIn(flow.authUri);
  return await app.acquireTokenByAuthCodeFlow(flow, answer.request());
}

/** Gets a token from the store without the network; `undefined` where there is none. */
async function hitHere(values: Values, homeAccountId?: string): Promise<string | undefined> {
  const app = edge(values, "python", noNetwork);
  const asked = homeAccountId === undefined
    ? app.acquireTokenForClient({ scopes: APP_SCOPES })
    : app.acquireTokenSilent({ account: homeAccountId, scopes: SCOPES });
  return (await asked.catch(() => undefined))?.accessToken;
}

async function whoAmI(accessToken: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await authority.fetch("https://graph.microsoft.com/v1.0/me", { headers });
  return (await response.json()).userPrincipalName;
}

// MSAL Python has no plug-ins: an application loads and stores its SerializableTokenCache around each call.

async function withPython(
  { origin }: MicrosoftHosts,
  values: Values,
  key: string,
  calls: readonly Call[],
  scopes?: readonly string[],
  triesCache = true,
): Promise<Outcome> {
  const outcome = await runMsalPythonAt(origin, {
    clientId,
    clientSecret,
    authority: AUTHORITY,
    cache: await values.get(key),
    calls,
    instanceDiscovery: true,
    triesCache,
    ...(scopes && { scopes }),
  });
  await values.set(key, outcome.cache);
  return outcome;
}

/** Token requests; discovery tells MSAL Python which hosts are one cloud's. */
function tokenRequests({ sent }: Outcome): number {
  return sent.filter((line) => line.startsWith("POST")).length;
}

const silent = (scopes: readonly string[]): Call => [
  "acquire_token_silent_with_error",
  { scopes, account: username },
];

async function signInWithPython(hosts: MicrosoftHosts, values: Values): Promise<[string, unknown]> {
  const begin: Call = ["initiate_auth_code_flow", { scopes: SCOPES, redirect_uri: REDIRECT_URI }];
  const { results: [flow] } = await withPython(hosts, newValues(), "k", [begin]);
  const { parameters } = await authority.signIn(String(flow?.["auth_uri"]));
  const end: Call = ["acquire_token_by_auth_code_flow", {
    auth_code_flow: flow,
    auth_response: Object.fromEntries(parameters),
  }];
  const { cache, results: [signedIn] } = await withPython(hosts, newValues(), "k", [end]);
  const [account] = Object.values<Record<string, string>>(JSON.parse(cache).Account);
  const key = account!["home_account_id"]!;
  await values.set(key, cache);
  return [key, signedIn?.["access_token"]];
}

// MSAL Node calls a plug-in around each use of its cache.

/** A plug-in for one key, written by hand. */
function pluginFor(values: Values, key: string): ICachePlugin {
  return {
    beforeCacheAccess: async ({ tokenCache }) => tokenCache.deserialize(await values.get(key)),
    async afterCacheAccess({ cacheHasChanged, tokenCache }) {
      if (cacheHasChanged) await values.set(key, tokenCache.serialize());
    },
  };
}

/** MSAL Node's own plug-in for caches that several machines share. */
function distributedFor(values: Values, key: string): ICachePlugin {
  return new DistributedCachePlugin(values, {
    getKey: () => Promise.resolve(key),
    extractKey: ({ homeAccountId }) => Promise.resolve(homeAccountId),
  });
}

const PLUGINS = { "a plug-in": pluginFor, "DistributedCachePlugin": distributedFor };

function nodeApp({ network, sent }: MicrosoftHosts, cachePlugin?: ICachePlugin): NodeApplication {
  sent.length = 0;
  const auth = { clientId, clientSecret, authority: AUTHORITY };
  return new NodeApplication({
    auth,
    system: { networkClient: network },
    ...(cachePlugin && { cache: { cachePlugin } }),
  });
}

async function signInWithNode(hosts: MicrosoftHosts, values: Values): Promise<[string, string]> {
  const app = nodeApp(hosts);
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const base = { scopes: SCOPES, redirectUri: REDIRECT_URI };
  const url = await app.getAuthCodeUrl({ ...base, codeChallenge: challenge, codeChallengeMethod: "S256" });
  const { parameters } = await authority.signIn(url);
  const { account, accessToken } = await app.acquireTokenByCode({
    ...base,
    code: parameters.get("code")!,
    codeVerifier: verifier,
  });
  await values.set(account!.homeAccountId, app.getTokenCache().serialize());
  return [account!.homeAccountId, accessToken];
}

/** Who finds an app token that was written here in a dialect; everybody finds a user's. */
const APP_HITS: Readonly<Record<Dialect, { readonly python: boolean; readonly node: boolean }>> = {
  python: { python: true, node: false },
  node: { python: false, node: true },
  both: { python: true, node: true },
};

for (const [name, hits] of Object.entries(APP_HITS)) {
  const dialect = name as Dialect;

  python.test(`dialect ${dialect}: MSAL Python ${hits.python ? "finds" : "misses"} our app token in its value`, () =>
    withMicrosoftHosts(authority, async (hosts) => {
      const values = newValues();
      const { accessToken } = await edge(values, dialect).acquireTokenForClient({ scopes: APP_SCOPES });
      const { result } = await withPython(hosts, values, APP_KEY, [], APP_SCOPES);
      assertEquals(result?.["access_token"] === accessToken, hits.python);
      // Whatever it did to the value, a token is found here, and our next one is found there.
      assert(await hitHere(values));
      const claims = RENEW;
      const renewed = await edge(values, dialect).acquireTokenForClient({ scopes: APP_SCOPES, claims });
      const again = await withPython(hosts, values, APP_KEY, [], APP_SCOPES);
      assertEquals(again.result?.["access_token"] === renewed.accessToken, hits.python);
    }));

  python.test(`dialect ${dialect}: MSAL Python finds our user's tokens in their value, and we its changes`, () =>
    withMicrosoftHosts(authority, async (hosts) => {
      const values = newValues();
      const { accessToken, account } = await signInHere(values, dialect);
      const key = account!.homeAccountId;
      const there = await withPython(hosts, values, key, [silent(SCOPES), silent(OTHER_SCOPES)]);
      const [hit, other] = there.results;
      assertEquals([there.accounts, hit?.["access_token"], tokenRequests(there)], [
        [username],
        accessToken,
        1,
      ]);
      assertEquals(await whoAmI(other?.["access_token"]), username);
      assertEquals(await hitHere(values, key), accessToken);
      const app = edge(values, dialect);
      const found = await app.acquireTokenSilent({ account: key, scopes: OTHER_SCOPES });
      assertEquals([found.tokenSource, found.accessToken], ["cache", other?.["access_token"]]);
      const renewed = await app.acquireTokenSilent({ account: key, scopes: SCOPES, forceRefresh: true });
      const again = await withPython(hosts, values, key, [silent(SCOPES), silent(OTHER_SCOPES)]);
      assertEquals([again.results[0]?.["access_token"], again.accounts], [renewed.accessToken, [username]]);
      assertEquals(tokenRequests(again), 0);
    }));

  for (const [title, plugin] of Object.entries(PLUGINS)) {
    test(`dialect ${dialect}: MSAL Node with ${title} ${hits.node ? "finds" : "misses"} our app token`, () =>
      withMicrosoftHosts(authority, async (hosts) => {
        const values = newValues();
        const { accessToken } = await edge(values, dialect).acquireTokenForClient({ scopes: APP_SCOPES });
        const ask = () =>
          nodeApp(hosts, plugin(values, APP_KEY)).acquireTokenByClientCredential({ scopes: APP_SCOPES });
        const found = await ask();
        assertEquals([found?.fromCache, found?.accessToken === accessToken], [hits.node, hits.node]);
        assertEquals(hosts.sent.length, hits.node ? 0 : 1);
        assert(await hitHere(values));
        const renewed = await edge(values, dialect).acquireTokenForClient({
          scopes: APP_SCOPES,
          claims: RENEW,
        });
        const again = await ask();
        // Of two entries the dialect's own stays: where MSAL Node has missed once, it misses again.
        assertEquals([again?.fromCache, again?.accessToken === renewed.accessToken], [hits.node, hits.node]);
      }));

    test(`dialect ${dialect}: MSAL Node with ${title} finds our user's tokens, and we its changes`, () =>
      withMicrosoftHosts(authority, async (hosts) => {
        const values = newValues();
        const { accessToken, account: own } = await signInHere(values, dialect);
        const key = own!.homeAccountId;
        const app = nodeApp(hosts, plugin(values, key));
        const accounts = await app.getTokenCache().getAllAccounts();
        assertEquals(accounts.map((one) => [one.homeAccountId, one.username, one.tenantId, one.name]), [
          [key, username, tenantId, own!.name],
        ]);
        const account = accounts[0]!;
        const hit = await app.acquireTokenSilent({ account, scopes: SCOPES });
        assertEquals([hit.fromCache, hit.accessToken, hosts.sent], [true, accessToken, []]);
        const other = await app.acquireTokenSilent({ account, scopes: OTHER_SCOPES });
        assertEquals([other.fromCache, await whoAmI(other.accessToken)], [false, username]);
        assertEquals(await hitHere(values, key), accessToken);
        const here = edge(values, dialect);
        const found = await here.acquireTokenSilent({ account: key, scopes: OTHER_SCOPES });
        assertEquals([found.tokenSource, found.accessToken], ["cache", other.accessToken]);
        const renewed = await here.acquireTokenSilent({ account: key, scopes: SCOPES, forceRefresh: true });
        const again = nodeApp(hosts, plugin(values, key));
        const found2 = await again.acquireTokenSilent({ account, scopes: SCOPES });
        assertEquals([found2.fromCache, found2.accessToken, hosts.sent], [true, renewed.accessToken, []]);
      }));
  }

  python.test(`dialect ${dialect}: a value of MSAL Python serves here, is changed here, and still serves there`, () =>
    withMicrosoftHosts(authority, async (hosts) => {
      const values = newValues();
      const written = await withPython(hosts, values, APP_KEY, [], APP_SCOPES, false);
      assertEquals(tokenRequests(written), 1);
      assertEquals(await hitHere(values), written.result?.["access_token"]);
      const renewed = await edge(values, dialect).acquireTokenForClient({
        scopes: APP_SCOPES,
        claims: RENEW,
      });
      const found = await withPython(hosts, values, APP_KEY, [], APP_SCOPES);
      assertEquals([found.result?.["access_token"], tokenRequests(found)], [renewed.accessToken, 0]);
      const [key, accessToken] = await signInWithPython(hosts, values);
      assertEquals(await hitHere(values, key), accessToken);
      const app = edge(values, dialect);
      const other = await app.acquireTokenSilent({ account: key, scopes: OTHER_SCOPES });
      assertEquals([other.tokenSource, await whoAmI(other.accessToken)], ["identity_provider", username]);
      const again = await withPython(hosts, values, key, [silent(SCOPES), silent(OTHER_SCOPES)]);
      const [hit, second] = again.results;
      assertEquals([again.accounts, hit?.["access_token"]], [[username], accessToken]);
      // A new entry under MSAL Node's host comes too late for MSAL Python, which redeems its refresh token first.
      const isSecond = dialect !== "node";
      assertEquals([second?.["access_token"] === other.accessToken, tokenRequests(again)], [
        isSecond,
        isSecond ? 0 : 1,
      ]);
      assertEquals(await whoAmI(second?.["access_token"]), username);
      await edge(values, dialect).removeAccount(key);
      const gone = await withPython(hosts, values, key, []);
      assertEquals([gone.accounts, gone.refreshTokens], [[], []]);
    }));

  test(`dialect ${dialect}: a value of MSAL Node serves here, is changed here, and still serves there`, () =>
    withMicrosoftHosts(authority, async (hosts) => {
      const values = newValues();
      const askNode = () =>
        nodeApp(hosts, pluginFor(values, APP_KEY)).acquireTokenByClientCredential({ scopes: APP_SCOPES });
      assertEquals(await hitHere(values), undefined);
      const written = await askNode();
      assertEquals(await hitHere(values), written?.accessToken);
      const renewed = await edge(values, dialect).acquireTokenForClient({
        scopes: APP_SCOPES,
        claims: RENEW,
      });
      const found = await askNode();
      assertEquals([found?.fromCache, found?.accessToken, hosts.sent], [true, renewed.accessToken, []]);
      const [key, accessToken] = await signInWithNode(hosts, values);
      assertEquals(await hitHere(values, key), accessToken);
      const app = edge(values, dialect);
      const other = await app.acquireTokenSilent({ account: key, scopes: OTHER_SCOPES });
      assertEquals([other.tokenSource, await whoAmI(other.accessToken)], ["identity_provider", username]);
      const node = nodeApp(hosts, pluginFor(values, key));
      const accounts = await node.getTokenCache().getAllAccounts();
      assertEquals(accounts.map(({ homeAccountId }) => homeAccountId), [key]);
      for (const [scopes, token] of [[SCOPES, accessToken], [OTHER_SCOPES, other.accessToken]] as const) {
        const hit = await node.acquireTokenSilent({ account: accounts[0]!, scopes: [...scopes] });
        assertEquals([hit.fromCache, hit.accessToken], [true, token]);
      }
      assertEquals(hosts.sent, []);
      await edge(values, dialect).removeAccount(key);
      assertEquals(await nodeApp(hosts, pluginFor(values, key)).getTokenCache().getAllAccounts(), []);
    }));
}
