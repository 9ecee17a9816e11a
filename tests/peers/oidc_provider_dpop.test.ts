/** Tokens bound by DPoP against oidc-provider: R-208, RFC 9449 sections 5, 8, 9 and 10. */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { allowInsecureLoopback, ConfidentialClientApplication, createAuthorizedFetch } from "../../mod.ts";
import { DpopAuthScheme } from "../../src/proof_of_possession/mod.ts";
import { failure } from "../support/app_fixture.ts";
import { testKeys } from "../support/certificates.ts";
import { test } from "../support/suite.ts";
import { type Configuration, serveProvider } from "./oidc_server.ts";
import { nativeApp, personNamed, REQUEST, userConfiguration, webApp } from "./oidc_users.ts";

const NATIVE = { ...REQUEST, redirectUri: "http://127.0.0.1/callback" };

/** Nonces are made of this; it changes every minute. */
const NONCE_SECRET = Buffer.alloc(32, 7);

function configuration(requireNonce: boolean): Configuration {
  const base = userConfiguration();
  const dPoP = { enabled: true, nonceSecret: NONCE_SECRET, requireNonce: () => requireNonce };
  return { ...base, features: { ...base.features as object, dPoP, userinfo: { enabled: true } } };
}

for (const requireNonce of [false, true]) {
  for (const kind of ["web", "native"] as const) {
    test(`oidc-provider: a ${kind} app's sign-in, refresh and API call, nonces ${requireNonce ? "" : "not "}required`, async () => {
      await using server = await serveProvider(configuration(requireNonce));
      const app = kind === "web" ? webApp(server) : nativeApp(server);
      const authScheme = await DpopAuthScheme.generate();
      const request = kind === "web" ? REQUEST : NATIVE;
      const flow = await app.initiateAuthCodeFlow({ ...request, authScheme });
      const person = personNamed("ada");
      const answer = await person.signIn(flow.authUri);
      const first = await app.acquireTokenByAuthCodeFlow(flow, answer, { authScheme });
      assertEquals([first.tokenType, first.tokenSource], ["DPoP", "identity_provider"]);
      const tokenRequests = () => server.requests.filter((line) => line.startsWith("POST /token")).length;
      assertEquals(tokenRequests(), requireNonce ? 2 : 1);

      const silent = { account: first.account!, scopes: REQUEST.scopes, authScheme };
      assertEquals((await app.acquireTokenSilent(silent)).tokenSource, "cache");
      const renewed = await app.acquireTokenSilent({ ...silent, forceRefresh: true });
      assertEquals([renewed.tokenType, renewed.tokenSource], ["DPoP", "identity_provider"]);
      assertEquals(tokenRequests(), requireNonce ? 3 : 2);

      const api = createAuthorizedFetch({
        origins: [server.issuer],
        authScheme,
        acquireToken: () => app.acquireTokenSilent(silent),
      });
      const response = await api(`${server.issuer}/me`);
      assertEquals(response.status, 200, await response.clone().text());
      assertEquals((await response.json()).sub, "ada");

      const stranger = await DpopAuthScheme.generate();
      const stolen = createAuthorizedFetch({
        origins: [server.issuer],
        authScheme: stranger,
        acquireToken: () => app.acquireTokenSilent(silent),
      });
      const refused = await stolen(`${server.issuer}/me`);
      assertEquals(refused.status, 401);
      await refused.body?.cancel();
    });
  }
}

test("oidc-provider: a code that is bound to a key by dpop_jkt is of no use to another", async () => {
  await using server = await serveProvider(configuration(false));
  const app = nativeApp(server);
  const flow = await app.initiateAuthCodeFlow({ ...NATIVE, authScheme: await DpopAuthScheme.generate() });
  const answer = await personNamed("ada").signIn(flow.authUri);
  const { keyId: _, ...unbound } = flow;
  const stranger = await DpopAuthScheme.generate();
  const error = await failure(app.acquireTokenByAuthCodeFlow(unbound, answer, { authScheme: stranger }));
  assertEquals("error" in error && error.error, "invalid_grant");
});

for (const algorithm of ["ES256", "PS256", "RS256"] as const) {
  test(`oidc-provider: an app token that is bound to an ${algorithm} key says so`, async () => {
    const api = "https://orders.example";
    await using server = await serveProvider({
      clients: [{
        client_id: "orders-daemon",
        client_secret: "a secret of the daemon",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
        scope: "orders.read",
      }],
      scopes: ["orders.read"],
      ttl: { ClientCredentials: 3600 },
      enabledJWA: { dPoPSigningAlgValues: ["ES256", "PS256", "RS256"] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        dPoP: { enabled: true, nonceSecret: NONCE_SECRET, requireNonce: () => true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => api,
          getResourceServerInfo: () => ({ scope: "orders.read", audience: api, accessTokenFormat: "jwt" }),
        },
      },
    });
    const app = new ConfidentialClientApplication({
      clientId: "orders-daemon",
      clientCredential: { clientSecret: "a secret of the daemon", method: "client_secret_basic" },
      oidcAuthority: server.issuer,
      [allowInsecureLoopback]: true,
    });
    const authScheme = await DpopAuthScheme.generate({ algorithm });
    const asked = { scopes: ["orders.read"], authScheme };
    const { accessToken, tokenType } = await app.acquireTokenForClient(asked);
    assertEquals(tokenType, "DPoP");
    assertEquals(decodeJwt<{ cnf: { jkt: string } }>(accessToken).cnf.jkt, authScheme.keyId);
    assert(!("cnf" in decodeJwt((await app.acquireTokenForClient({ scopes: ["orders.read"] })).accessToken)));
    assertEquals((await app.acquireTokenForClient(asked)).accessToken, accessToken);
  });
}

test("RFC 7523 section 3 oidc-provider: a client with a key gets a bound token where a nonce is asked for, though no assertion counts twice", async () => {
  const { jwk, publicJwk } = await testKeys("EC");
  await using server = await serveProvider({
    clients: [{
      client_id: "orders-daemon",
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      jwks: { keys: [{ ...publicJwk, use: "sig" }] },
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    }],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true, nonceSecret: NONCE_SECRET, requireNonce: () => true },
    },
  });
  const app = new ConfidentialClientApplication({
    clientId: "orders-daemon",
    clientCredential: { privateKey: jwk },
    oidcAuthority: server.issuer,
    [allowInsecureLoopback]: true,
  });
  const authScheme = await DpopAuthScheme.generate();
  assertEquals((await app.acquireTokenForClient({ scopes: [], authScheme })).tokenType, "DPoP");
  assertEquals(server.requests.filter((line) => line.startsWith("POST /token")).length, 2);
});
