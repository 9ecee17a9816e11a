/** Unmodified MSAL Node signs users in at the local authority: code, silent, refresh, device. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConfidentialClientApplication,
  CryptoProvider,
  InteractionRequiredAuthError,
  PublicClientApplication,
} from "@azure/msal-node";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { networkOf } from "./microsoft_hosts.ts";

const authority = new LocalAuthority({ deviceCode: { intervalSeconds: 1 } });
const { clientId, clientSecret, publicClientId, tenantId, username } = authority.defaults;
const SCOPES = ["https://graph.microsoft.com/User.Read"];
const REDIRECT_URI = "http://localhost:3000/callback";
const CLAIMS_C1 = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });

const networkClient = networkOf(authority.fetch);

function webApp(tenant: string): ConfidentialClientApplication {
  const auth = { clientId, clientSecret, authority: `https://login.microsoftonline.com/${tenant}` };
  return new ConfidentialClientApplication({ auth, system: { networkClient } });
}

async function signIn(app: ConfidentialClientApplication, extra: { claims?: string } = {}) {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const url = await app.getAuthCodeUrl({
    scopes: SCOPES,
    redirectUri: REDIRECT_URI,
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
    state: "the-state",
    nonce: "the-nonce",
    responseMode: "query",
    ...extra,
  });
  const { parameters } = await authority.signIn(url);
  const [code = "", clientInfo = ""] = [parameters.get("code"), parameters.get("client_info")].map((v) =>
    v ?? ""
  );
  return await app.acquireTokenByCode(
    // It compares the state that it is given twice, and the confidential application looks for the nonce here alone.
    {
      code,
      scopes: SCOPES,
      redirectUri: REDIRECT_URI,
      codeVerifier: verifier,
      clientInfo,
      state: "the-state",
      nonce: "the-nonce",
      ...extra,
    },
    { code, state: parameters.get("state") ?? "", client_info: clientInfo },
  );
}

for (const tenant of [tenantId, "common", "organizations"]) {
  test(`MSAL Node signs in on ${tenant}, answers silently, and refreshes`, async () => {
    const app = webApp(tenant);
    const first = await signIn(app);
    assertEquals([first.account?.username, first.tenantId, first.fromCache], [username, tenantId, false]);
    const { account } = first;
    assert(account);
    const cached = await app.acquireTokenSilent({ account, scopes: SCOPES });
    assertEquals([cached.fromCache, cached.accessToken], [true, first.accessToken]);
    const forced = await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
    assertEquals([forced.fromCache, forced.account?.homeAccountId], [false, account.homeAccountId]);
    const response = await authority.fetch("https://graph.microsoft.com/v1.0/me", {
      headers: { authorization: `Bearer ${forced.accessToken}` },
    });
    assertEquals((await response.json()).userPrincipalName, username);
  });
}

test("MSAL Node is told to interact, and meets the claims challenge by signing in", async () => {
  const app = webApp("common");
  const { account } = await signIn(app);
  assert(account);
  const ask = () => app.acquireTokenSilent({ account, scopes: SCOPES, claims: CLAIMS_C1 });
  const error = await assertRejects(ask, InteractionRequiredAuthError);
  assertEquals([error.subError, error.claims], ["basic_action", CLAIMS_C1]);
  const { accessToken } = await signIn(app, { claims: error.claims });
  assertEquals(JSON.parse(atob(accessToken.split(".")[1] ?? "")).acrs, ["c1"]);
});

test("MSAL Node signs in with a device code", async () => {
  const auth = { clientId: publicClientId, authority: "https://login.microsoftonline.com/common" };
  const app = new PublicClientApplication({ auth, system: { networkClient } });
  const result = await app.acquireTokenByDeviceCode({
    scopes: SCOPES,
    deviceCodeCallback: ({ userCode }) => authority.approveDevice(userCode),
  });
  assertEquals([result?.account?.username, result?.tenantId], [username, tenantId]);
});
