/** A user, an API and what it does on the user's behalf, through the local authority. */
import { assert, assertEquals, assertFalse, assertNotEquals } from "@std/assert";
import { decodeJwt } from "jose";
import {
  type AccountInfo,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  createAuthorizedFetch,
  InteractionRequiredAuthError,
  type TokenChallenge,
} from "../mod.ts";
import { type ApiAuth, type ApiAuthOptions, type ApiCaller, createApiAuth } from "../src/web/mod.ts";
import { API, type ApiAnswer, takeApart } from "./support/api_scene.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, FABRIKAM, HOST, type Json, ORDERS, UserScene, WEB } from "./support/user_scene.ts";

const ADA = "ada@contoso.onmicrosoft.com";
const SCOPES = ["api://orders/Orders.Read"];
const GRAPH = { scopes: ["https://graph.microsoft.com/User.Read"], origins: ["https://graph.microsoft.com"] };
/** An API at the end that wants a second factor. */
const PAYROLL = {
  identifierUris: ["api://payroll"],
  appId: "8d4fae31-c267-4059-9b14-3f50729d1ec4",
  scopes: ["Pay.Read"],
  requiresMfa: true,
} as const;
/** An API at the end that nobody has consented to. */
const LEDGER = {
  identifierUris: ["api://ledger"],
  appId: "7c3e9d20-b156-4f48-8a03-2e4f618c0db3",
  scopes: ["Ledger.Read"],
} as const;
const API_APP = {
  clientId: ORDERS.appId,
  name: "Orders",
  secrets: ["orders-s3cret"],
  requireConsent: true,
  delegatedScopes: { "https://graph.microsoft.com": ["User.Read"], "api://payroll": ["Pay.Read"] },
} as const;

/** What the API of a test does for its callers. */
type Work = (caller: ApiCaller) => Promise<Response>;

class Scene extends UserScene {
  readonly api: ApiAuth;
  readonly app: ConfidentialClientApplication;
  readonly web: ConfidentialClientApplication;

  constructor(options: Partial<ConfidentialClientOptions> = {}, guard: Partial<ApiAuthOptions> = {}) {
    super({ apps: [WEB, API_APP], resources: [ORDERS, PAYROLL, LEDGER] });
    const shared = { authority: `${HOST}/${CONTOSO.id}`, fetch: this.authority.fetch, clock: this.clock };
    const [clientCredential] = API_APP.secrets;
    this.app = new ConfidentialClientApplication({
      ...shared,
      clientId: API_APP.clientId,
      clientCredential,
      ...options,
    });
    this.web = new ConfidentialClientApplication({
      ...shared,
      clientId: WEB.clientId,
      clientCredential: WEB.secrets[0],
      clientCapabilities: ["cp1"],
    });
    this.api = createApiAuth({ app: this.app, audience: ORDERS.appId, ...guard });
  }

  /** Calls the API with a token. */
  async call(token: string, work: Work): Promise<ApiAnswer> {
    const route = this.api.protect((_, caller) => work(caller), {
      scopes: ["Orders.Read"],
      roles: ["Orders.All"],
    });
    const headers = { authorization: `Bearer ${token}` };
    return await takeApart(await route(new Request(`${API}/orders`, { headers })));
  }

  token(username = ADA, claims: Json = {}): Promise<string> {
    const resource = ORDERS.appId;
    return this.authority.issueUserToken({ username, resource, scopes: ["Orders.Read"], claims });
  }

  /** Signs a user in to the web application. */
  async signIn(claims?: string): Promise<{ account: AccountInfo; accessToken: string; tokenType: string }> {
    const redirectUri = "https://web.example/callback";
    const flow = await this.web.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri, claims });
    const { parameters } = await this.authority.signIn(flow.authUri, { username: ADA });
    const { account, accessToken, tokenType } = await this.web.acquireTokenByAuthCodeFlow(flow, parameters);
    return { account: account!, accessToken, tokenType };
  }
}

const me: Work = async (caller) => {
  const response = await caller.fetch(GRAPH)("https://graph.microsoft.com/v1.0/me");
  return new Response(response.body, response);
};
const pay: Work = async (caller) => {
  const { accessToken } = await caller.acquireToken({ scopes: ["api://payroll/Pay.Read"] });
  return Response.json(decodeJwt(accessToken));
};
const ledger: Work = async (caller) =>
  Response.json(await caller.acquireToken({ scopes: ["api://ledger/Ledger.Read"] }));

test("a user of a web application reads their Graph through the API", async () => {
  const scene = new Scene();
  const { account } = await scene.signIn();
  const call = createAuthorizedFetch({
    origins: [API],
    acquireToken: (challenge) => scene.web.acquireTokenSilent({ account, scopes: SCOPES, ...challenge }),
    fetch: (url, init) =>
      scene.api.protect((_, caller) => me(caller), { scopes: ["Orders.Read"] })(new Request(url, init)),
  });
  const { status, body } = await takeApart(await call(`${API}/me`));
  assertEquals([status, body.userPrincipalName], [200, ADA]);
});

test("R-163 tokens are kept for each caller's token, and nobody gets another's", async () => {
  const scene = new Scene();
  const [ada, again, bob] = [
    await scene.token(),
    await scene.token(ADA, { uti: "another" }),
    await scene.token("bob@contoso.onmicrosoft.com"),
  ];
  assertNotEquals(ada, again);
  for (let turn = 0; turn < 3; turn++) {
    for (const [token, name] of [[ada, ADA], [bob, "bob@contoso.onmicrosoft.com"]] as const) {
      assertEquals((await scene.call(token, me)).body.userPrincipalName, name);
    }
  }
  assertEquals(scene.authority.countRequests({ kind: "token" }), 2);
  await scene.call(again, me);
  assertEquals(scene.authority.countRequests({ kind: "token" }), 3);
});

test("R-163 an app that calls has nobody on whose behalf anything could be done", async () => {
  const scene = new Scene();
  const token = await scene.authority.issueAppToken({ resource: ORDERS.appId, roles: ["Orders.All"] });
  const { status, body } = await scene.call(token, me);
  assertEquals([status, body.error], [500, "server_error"]);
  assertEquals(scene.authority.countRequests({ kind: "token" }), 0);
});

test("R-163 a token that ends while the API works with it is the caller's to renew", async () => {
  const scene = new Scene();
  const token = await scene.token();
  const { status, challenge } = await scene.call(token, async (caller) => {
    await scene.clock.advance(caller.expiresOn.getTime() - scene.clock.now() + 1_000);
    return await me(caller);
  });
  assertEquals([status, challenge?.error], [401, "invalid_token"]);
});

test("R-164 what the authority asks of the user goes back to the web application, which satisfies it", async () => {
  const scene = new Scene();
  let signIns = 0;
  const asked: (string | undefined)[] = [];
  const { account } = await scene.signIn();
  const route = scene.api.protect((_, caller) => pay(caller), { scopes: ["Orders.Read"] });
  const acquireToken = async (challenge: TokenChallenge) => {
    asked.push(challenge.claims);
    try {
      return await scene.web.acquireTokenSilent({ account, scopes: SCOPES, ...challenge });
    } catch (error) {
      assert(error instanceof InteractionRequiredAuthError);
      signIns++;
      return await scene.signIn(challenge.claims);
    }
  };
  const call = createAuthorizedFetch({
    origins: [API],
    acquireToken,
    fetch: (url, init) => route(new Request(url, init)),
  });
  const { status, body } = await takeApart(await call(`${API}/pay`));
  assertEquals([status, body.aud, body.amr], [200, "api://payroll", ["pwd", "mfa"]]);
  assertEquals([asked.length, asked[0], signIns <= 1], [2, undefined, true]);
  assert(JSON.parse(asked[1]!).access_token.capolids.essential);
});

test("R-164 the refusal itself is a 401 that any client can read", async () => {
  const scene = new Scene();
  const { status, challenge, body } = await scene.call(await scene.token(), pay);
  assertEquals([status, challenge?.error, body.error], [401, "insufficient_claims", "insufficient_claims"]);
  assertEquals(Object.keys(JSON.parse(atob(challenge?.claims ?? ""))), ["access_token"]);
  assertEquals(challenge?.authorization_uri, `${HOST}/${CONTOSO.id}/oauth2/v2.0/authorize`);
  assertFalse(JSON.stringify([challenge, body]).includes("AADSTS"));
});

test("a consent that is missing names the page to go to, by the names of Microsoft.Identity.Web", async () => {
  const scene = new Scene();
  const { status, challenge } = await scene.call(await scene.token(), ledger);
  assertEquals([status, challenge?.error], [403, "consent_required"]);
  assertEquals([challenge?.clientid, challenge?.scopes, challenge?.proposedaction], [
    ORDERS.appId,
    "api://ledger/Ledger.Read",
    "consent",
  ]);
  const page = new URL(challenge?.consenturi ?? "");
  assertEquals(page.origin + page.pathname, `${HOST}/${CONTOSO.id}/oauth2/v2.0/authorize`);
  assertEquals([page.searchParams.get("client_id"), page.searchParams.get("prompt")], [
    ORDERS.appId,
    "consent",
  ]);
});

test("a user whose sessions were revoked has to sign in again", async () => {
  const scene = new Scene();
  const token = await scene.token();
  assertEquals((await scene.call(token, me)).status, 200);
  await scene.clock.advance(60_000);
  scene.authority.revokeSessions(ADA);
  const { status, challenge } = await scene.call(token, me);
  assertEquals([status, challenge?.error], [401, "interaction_required"]);
  assertEquals((await scene.call(await scene.token(), me)).status, 200);
});

test("an application of many tenants asks the caller's tenant", async () => {
  const scene = new Scene({ authority: `${HOST}/common` }, { allowedTenants: [CONTOSO.id, FABRIKAM.id] });
  for (const [username, tenant] of [[ADA, CONTOSO.id], ["fay@fabrikam.example", FABRIKAM.id]] as const) {
    const { body } = await scene.call(
      await scene.token(username),
      async (caller) => Response.json((await caller.acquireToken({ scopes: GRAPH.scopes })).tenantId),
    );
    assertEquals(body, tenant);
  }
  const paths = scene.authority.requests.filter(({ kind }) => kind === "token").map(({ path }) => path);
  assertEquals(paths.map((path) => path.split("/")[1]), [CONTOSO.id, FABRIKAM.id]);
});

/** What may go wrong at the authority, and the answer. */
const OUTAGES: Readonly<
  Record<string, [fault: Parameters<UserScene["authority"]["fault"]>[0], status: number]>
> = {
  "no network": [{ on: "token", kind: "network", times: 10 }, 503],
  "throttled": [{ on: "token", kind: "throttled", retryAfter: 7, times: 10 }, 503],
  "down": [{ on: "token", kind: "server_error", times: 10 }, 503],
};
for (const [name, [fault, expected]] of Object.entries(OUTAGES)) {
  test(`R-138 an outage of the authority is one of the API's, and no refusal: ${name}`, async () => {
    const scene = new Scene();
    const token = await scene.token();
    scene.authority.fault(fault);
    const answer = scene.call(token, me);
    for (let second = 0; second < 30; second++) await scene.clock.advance(1_000);
    const { status, headers, challenge, body } = await answer;
    assertEquals([status, challenge, body.error], [expected, undefined, "temporarily_unavailable"]);
    assert(Number(headers.get("retry-after")) >= 1);
  });
}

test("a secret that is wrong is the API's own trouble, and callers learn nothing of it", async () => {
  const events: string[] = [];
  const scene = new Scene({
    clientCredential: "wrong",
    onEvent: ({ type }) => void events.push(type),
  });
  const { status, body, headers } = await scene.call(await scene.token(), me);
  assertEquals([status, body.error, headers.has("www-authenticate")], [500, "server_error", false]);
  assertFalse(JSON.stringify(body).includes("invalid_client"));
  assertEquals(events.filter((type) => type === "request_failed").length, 1);
});

test("the request's waitUntil keeps the work alive, unless the handler brings another", async () => {
  const scene = new Scene();
  const kept: Promise<unknown>[] = [];
  const route = scene.api.protect((_, caller) => me(caller), { scopes: ["Orders.Read"] });
  const headers = { authorization: `Bearer ${await scene.token()}` };
  const waitUntil = (promise: Promise<unknown>) => void kept.push(promise);
  assertEquals((await route(new Request(API, { headers }), { waitUntil })).status, 200);
  assert(kept.length > 0);
  await Promise.all(kept);
});

test("R-163 a thousand calls of forty users at once, with faults: nobody sees anybody else", async () => {
  const users = Array.from({ length: 40 }, (_, index) => `user${index}@contoso.onmicrosoft.com`);
  const scene = new Scene();
  // The assertions of more users than the scene has: Graph is not asked.
  const tokens = await Promise.all(
    users.map((name, index) =>
      scene.token(ADA, {
        oid: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
        preferred_username: name,
      })
    ),
  );
  const route = scene.api.protect(
    (_, { claims, callerId }) => Response.json([claims["preferred_username"], callerId]),
    {
      scopes: ["Orders.Read"],
    },
  );
  scene.authority.fault({ on: "jwks", kind: "server_error", times: 1 });
  let served = 0;
  const answers = Array.from({ length: 1_000 }, async (_, index) => {
    const at = index * 7 % tokens.length;
    const headers = { authorization: `Bearer ${tokens[at]}` };
    const { status, body } = await takeApart(await route(new Request(API, { headers })));
    if (status === 200) {
      served++;
      assertEquals(body, [users[at], `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`]);
    } else assertEquals(status, 503);
  });
  const all = Promise.all(answers);
  for (let second = 0; second < 10; second++) await scene.clock.advance(1_000);
  await all;
  assert(served > 0, `${served}`);
});
