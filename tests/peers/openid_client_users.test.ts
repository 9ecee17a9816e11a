/** openid-client signs users in at the local authority, in process and on loopback, with all of its checks on. */
import { assertEquals, assertRejects } from "@std/assert";
import * as client from "openid-client";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";

const authority = new LocalAuthority({ deviceCode: { intervalSeconds: 1 } });
const { clientId, clientSecret, publicClientId, tenantId, username } = authority.defaults;
const REDIRECT_URI = "http://localhost:3000/callback";
const SCOPE = "openid profile email offline_access User.Read";

async function configured(origin: string, id: string, secret?: string): Promise<client.Configuration> {
  const options = {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    [client.customFetch]: (url: string, init: client.CustomFetchOptions) =>
      url.startsWith("http:")
        ? authority.handler(new Request(url, init as RequestInit))
        : authority.fetch(url, init as RequestInit),
  };
  const how = secret === undefined ? client.None() : client.ClientSecretPost(secret);
  return await client.discovery(new URL(`${origin}/${tenantId}/v2.0`), id, undefined, how, options);
}

async function signedIn(config: client.Configuration) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    max_age: "60",
  });
  const { url: answer } = await authority.signIn(url);
  return await client.authorizationCodeGrant(config, answer, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    maxAge: 60,
    idTokenExpected: true,
  });
}

for (const origin of ["https://login.microsoftonline.com", "http://127.0.0.1:4567"]) {
  test(`openid-client signs in at ${origin}, refreshes, and reads the UserInfo endpoint`, async () => {
    const config = await configured(origin, clientId, clientSecret);
    const tokens = await signedIn(config);
    const claims = tokens.claims();
    assertEquals([claims?.["preferred_username"], claims?.["tid"]], [username, tenantId]);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? "");
    assertEquals(refreshed.claims()?.sub, claims?.sub);
    const userInfo = await client.fetchUserInfo(config, refreshed.access_token, claims?.sub ?? "");
    assertEquals(userInfo.email, username);
  });
}

test("openid-client signs in with a device code", async () => {
  const config = await configured("https://login.microsoftonline.com", publicClientId);
  const device = await client.initiateDeviceAuthorization(config, { scope: SCOPE });
  authority.approveDevice(device.user_code);
  const tokens = await client.pollDeviceAuthorizationGrant(config, device);
  assertEquals(tokens.claims()?.["preferred_username"], username);
});

test("openid-client refuses the ID tokens that it should", async () => {
  const config = await configured("https://login.microsoftonline.com", clientId, clientSecret);
  const wrong = [
    { signature: "broken" },
    { signature: "none" },
    { signature: "foreign_key" },
    { signature: "hs256" },
    { claims: { nonce: "other" } },
    { claims: { aud: "other" } },
    { claims: { auth_time: 1 } },
    { omit: true },
  ] as const;
  for (const forgery of wrong) {
    authority.fault({ on: "token", kind: "id_token", ...forgery });
    await assertRejects(() => signedIn(config), Error, undefined, JSON.stringify(forgery));
  }
  await signedIn(config);
});
