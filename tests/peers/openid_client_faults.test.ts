/** openid-client, with all of its checks on, refuses the faulty ID tokens that the local authority gives on demand. */
import { assertEquals, assertRejects } from "@std/assert";
import * as client from "openid-client";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";

const authority = new LocalAuthority();
const { clientId, clientSecret, tenantId } = authority.defaults;
const REDIRECT_URI = "http://localhost:3000/callback";
const SCOPE = "openid profile email offline_access User.Read";

async function configured(): Promise<client.Configuration> {
  const options = {
    execute: [client.enableNonRepudiationChecks],
    [client.customFetch]: (url: string, init: client.CustomFetchOptions) =>
      authority.fetch(url, init as RequestInit),
  };
  const issuer = new URL(`https://login.microsoftonline.com/${tenantId}/v2.0`);
  return await client.discovery(issuer, clientId, undefined, client.ClientSecretPost(clientSecret), options);
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

test("openid-client refuses the ID tokens that it should", async () => {
  const config = await configured();
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
  assertEquals(authority.countRequests({ fault: "id_token" }), wrong.length);
  await signedIn(config);
});
