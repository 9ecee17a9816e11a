/** oidc-provider binds our tokens to a key: R-208, RFC 9449. */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { createAuthorizedFetch, ServerError } from "../../mod.ts";
import { DpopAuthScheme } from "../../src/proof_of_possession/mod.ts";
import { test } from "../support/suite.ts";
import { extrasApp, serveExtras } from "./oidc_extras.ts";
import { personNamed, REQUEST, SCOPES, tokenRequests } from "./oidc_users.ts";

const SECRET = { clientSecret: "the web app's secret: +/=%&", method: "client_secret_basic" } as const;
const CLIENT = {
  client_secret: SECRET.clientSecret,
  token_endpoint_auth_method: SECRET.method,
  dpop_bound_access_tokens: true,
};

function dpop(requireNonce: boolean): Readonly<Record<string, unknown>> {
  const nonceSecret = Buffer.alloc(32, 7);
  return {
    dPoP: { enabled: true, nonceSecret, requireNonce: () => requireNonce, allowReplay: false },
    userinfo: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  };
}

for (const requireNonce of [false, true]) {
  const name = requireNonce ? "with the nonce that it requires" : "without a nonce";
  test(`R-208 oidc-provider: a code, a refresh token and its API take our proofs ${name}`, async () => {
    await using server = await serveExtras(CLIENT, dpop(requireNonce));
    const app = extrasApp(server, SECRET);
    const authScheme = await DpopAuthScheme.generate();
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
    const answer = await personNamed("ada").signIn(flow.authUri);
    const result = await app.acquireTokenByAuthCodeFlow(flow, answer, { authScheme });
    assertEquals([result.tokenType, result.account?.username], ["DPoP", "ada@example"]);
    const asked = { account: result.account!, scopes: SCOPES, authScheme };
    const renewed = await app.acquireTokenSilent({ ...asked, forceRefresh: true });
    assertEquals(renewed.tokenType, "DPoP");
    assertNotEquals(renewed.accessToken, result.accessToken);
    const before = tokenRequests(server);
    const api = createAuthorizedFetch({
      origins: [server.issuer],
      authScheme,
      acquireToken: (challenge) => app.acquireTokenSilent({ ...asked, ...challenge }),
      // So that http on loopback is an API.
      fetch: (url, init) => fetch(url, init),
    });
    const me = await api(`${server.issuer}/me`);
    assertEquals([me.status, (await me.json()).sub], [200, "ada"]);
    assertEquals(tokenRequests(server), before);
  });
}

test("R-208 oidc-provider: the token is of no use as a bearer token, nor with another key, nor with a proof seen before", async () => {
  await using server = await serveExtras(CLIENT, dpop(false));
  const app = extrasApp(server, SECRET);
  const [authScheme, other] = [await DpopAuthScheme.generate(), await DpopAuthScheme.generate()];
  const flow = await app.initiateAuthCodeFlow({ ...REQUEST, authScheme });
  const answer = await personNamed("ada").signIn(flow.authUri);
  const { accessToken } = await app.acquireTokenByAuthCodeFlow(flow, answer, { authScheme });
  const url = `${server.issuer}/me`;
  const status = async (headers: Readonly<Record<string, string>>): Promise<number | "refused"> => {
    const response = await fetch(url, { headers });
    await response.body?.cancel();
    return response.status < 400 ? response.status : "refused";
  };
  assertEquals(await status({ authorization: `Bearer ${accessToken}` }), "refused");
  assertEquals(await status({ authorization: `DPoP ${accessToken}` }), "refused");
  const about = { method: "GET", url, accessToken };
  const nowSeconds = Math.floor(Date.now() / 1000);
  const headersOf = (scheme: DpopAuthScheme, more: object = {}) =>
    scheme.apiHeaders({ ...about, nowSeconds, ...more });
  assertEquals(await status(await headersOf(other)), "refused");
  assertEquals(await status(await headersOf(authScheme, { method: "POST" })), "refused");
  assertEquals(await status(await headersOf(authScheme, { url: `${server.issuer}/you` })), "refused");
  assertEquals(await status(await headersOf(authScheme, { nowSeconds: nowSeconds - 3_600 })), "refused");
  const good = await headersOf(authScheme);
  assertEquals(await status(good), 200);
  assertEquals(await status(good), "refused");
});

test("R-208 oidc-provider: a client whose tokens are bound gets none without a proof", async () => {
  await using server = await serveExtras(CLIENT, dpop(false));
  const app = extrasApp(server, SECRET);
  const error = await assertRejects(() => app.acquireTokenForClient({ scopes: SCOPES }), ServerError);
  assertEquals(error.status, 400);
  assert(/invalid_(?:dpop_proof|request|grant)/.test(error.error));
  const authScheme = await DpopAuthScheme.generate();
  const bound = await app.acquireTokenForClient({ scopes: SCOPES, authScheme });
  assertEquals(bound.tokenType, "DPoP");
});
