/** Unmodified openid-client signs people in at the local authority, served on loopback. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import * as oidc from "openid-client";
import {
  LocalAuthority,
  type LocalAuthorityOptions,
  type LocalAuthorityServer,
} from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { Person } from "./person.ts";

const REDIRECT_URI = "http://localhost:3000/callback";
const SCOPE = "openid profile email offline_access User.Read";

interface Scene {
  readonly authority: LocalAuthority;
  readonly server: LocalAuthorityServer;
  readonly person: Person;
  /** The web app, or the one without a secret. */
  config(kind?: "web" | "public", auth?: oidc.ClientAuth): Promise<oidc.Configuration>;
}

/** An authority that listens, and its default user at a browser. */
async function scene(
  body: (scene: Scene) => Promise<void>,
  options: LocalAuthorityOptions = {},
): Promise<void> {
  const authority = new LocalAuthority({ deviceCode: { intervalSeconds: 1 }, ...options });
  const { clientId, clientSecret, publicClientId, tenantId, username, password } = authority.defaults;
  const server = await authority.serve(Deno);
  const issuer = new URL(`${server.origin}/${tenantId}/v2.0`);
  const execute = [oidc.allowInsecureRequests];
  try {
    await body({
      authority,
      server,
      person: new Person({ username, password }),
      config: (kind = "web", auth = oidc.ClientSecretPost(clientSecret)) =>
        kind === "web"
          ? oidc.discovery(issuer, clientId, undefined, auth, { execute })
          : oidc.discovery(issuer, publicClientId, undefined, oidc.None(), { execute }),
    });
  } finally {
    await server.close();
  }
}

/** What an app keeps during a sign-in. */
interface Kept {
  readonly url: URL;
  readonly checks: oidc.AuthorizationCodeGrantChecks;
}

async function begin(config: oidc.Configuration, more: Record<string, string> = {}): Promise<Kept> {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

const AUTHENTICATIONS: Readonly<Record<string, (secret: string) => oidc.ClientAuth>> = {
  client_secret_post: oidc.ClientSecretPost,
  client_secret_basic: oidc.ClientSecretBasic,
};

for (const [name, authenticate] of Object.entries(AUTHENTICATIONS)) {
  test(`openid-client: a person signs in through the pages, ${name}`, () =>
    scene(async ({ authority, server, person, config }) => {
      const { clientId, clientSecret, tenantId, username } = authority.defaults;
      const own = await config("web", authenticate(clientSecret));
      oidc.enableNonRepudiationChecks(own);
      const { url, checks } = await begin(own);
      const answer = await person.signIn(url);
      const tokens = await oidc.authorizationCodeGrant(own, answer, checks);
      const claims = tokens.claims();
      assertEquals([claims?.iss, claims?.aud], [`${server.origin}/${tenantId}/v2.0`, clientId]);
      assertEquals([claims?.["preferred_username"], tokens.token_type], [username, "bearer"]);
      const info = await oidc.fetchUserInfo(own, tokens.access_token, oidc.skipSubjectCheck);
      assertEquals(info.email, username);
      const me = new URL(`${server.origin}/v1.0/me`);
      const response = await oidc.fetchProtectedResource(own, tokens.access_token, me, "GET");
      assertEquals((await response.json()).userPrincipalName, username);
    }));
}

test("openid-client: a form_post answer", () =>
  scene(async ({ person, config }) => {
    const own = await config();
    const { url, checks } = await begin(own, { response_mode: "form_post" });
    const answer = await person.signIn(url);
    assertEquals(answer.method, "POST");
    assert((await oidc.authorizationCodeGrant(own, answer, checks)).claims()?.sub);
  }));

test("openid-client: without a browser, and userinfo is about the user of the ID token", () =>
  scene(async ({ authority, config }) => {
    const own = await config();
    const { url, checks } = await begin(own);
    const answer = await authority.signIn(url);
    const tokens = await oidc.authorizationCodeGrant(own, answer.url, checks);
    const info = await oidc.fetchUserInfo(own, tokens.access_token, tokens.claims()!.sub);
    assertEquals(info.sub, tokens.claims()?.sub);
  }));

test("openid-client: max_age is answered with auth_time", () =>
  scene(async ({ person, config }) => {
    const own = await config();
    const { url, checks } = await begin(own, { max_age: "600" });
    const tokens = await oidc.authorizationCodeGrant(own, await person.signIn(url), {
      ...checks,
      maxAge: 600,
    });
    assertEquals(typeof tokens.claims()?.auth_time, "number");
  }));

test("openid-client: a refresh token rotates, and one that is used again ends the grant", () =>
  scene(async ({ person, config }) => {
    const own = await config();
    const { url, checks } = await begin(own);
    const first = await oidc.authorizationCodeGrant(own, await person.signIn(url), checks);
    const second = await oidc.refreshTokenGrant(own, first.refresh_token!);
    assert(second.refresh_token !== first.refresh_token);
    assertEquals(second.claims()?.sub, first.claims()?.sub);
    for (const token of [first.refresh_token!, second.refresh_token!]) {
      const refused = () => oidc.refreshTokenGrant(own, token);
      assertEquals((await assertRejects(refused, oidc.ResponseBodyError)).error, "invalid_grant");
    }
  }, { refreshTokens: { detectReuse: true } }));

test("openid-client: a device signs in through the pages", () =>
  scene(async ({ authority, person, config }) => {
    const own = await config("public");
    const device = await oidc.initiateDeviceAuthorization(own, { scope: SCOPE });
    const verification = new URL(device.verification_uri);
    verification.searchParams.set("otc", device.user_code);
    assertEquals((await person.finish(verification)).heading, "You are signed in");
    const tokens = await oidc.pollDeviceAuthorizationGrant(own, device);
    assertEquals(tokens.claims()?.["preferred_username"], authority.defaults.username);
  }));

test("openid-client: a device whose user declines", () =>
  scene(async ({ authority, config }) => {
    const own = await config("public");
    const device = await oidc.initiateDeviceAuthorization(own, { scope: SCOPE });
    authority.approveDevice(device.user_code, { decline: true });
    const poll = () => oidc.pollDeviceAuthorizationGrant(own, device);
    const { error } = await assertRejects(poll, oidc.ResponseBodyError);
    assertMatch(error, /^(?:access_denied|authorization_declined)$/);
  }));

test("openid-client: prompt=none without a session is login_required", () =>
  scene(async ({ person, config }) => {
    const own = await config();
    const { url, checks } = await begin(own, { prompt: "none" });
    const answer = await person.signIn(url);
    const redeem = () => oidc.authorizationCodeGrant(own, answer, checks);
    const error = await assertRejects(redeem, oidc.AuthorizationResponseError);
    assertEquals(error.error, "login_required");
  }));

test("openid-client: what it refuses is refused by the authority, or by itself", () =>
  scene(async ({ person, config }) => {
    const own = await config();
    const { url, checks } = await begin(own);
    const answer = new URL((await person.signIn(url)).url);
    const wrong = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() };
    const verifier = await assertRejects(
      () => oidc.authorizationCodeGrant(own, answer, wrong),
      oidc.ResponseBodyError,
    );
    assertEquals(verifier.error, "invalid_grant");
    const { url: again, checks: more } = await begin(own);
    const second = await person.signIn(again);
    const nonce = { ...more, expectedNonce: oidc.randomNonce() };
    await assertRejects(() => oidc.authorizationCodeGrant(own, second.clone(), nonce), oidc.ClientError);
    // Its code was spent.
    const twice = await assertRejects(
      () => oidc.authorizationCodeGrant(own, second, more),
      oidc.ResponseBodyError,
    );
    assertEquals(twice.error, "invalid_grant");
  }));

test("openid-client: the key rotates between two sign-ins", () =>
  scene(async ({ authority, person, config }) => {
    let cached: oidc.ExportedJWKSCache | undefined;
    for (const round of [1, 2]) {
      const own = await config();
      oidc.enableNonRepudiationChecks(own);
      // It reads the key set again when a key is missing and the one it has is a minute old.
      if (cached) oidc.setJwksCache(own, { ...cached, uat: cached.uat - 61 });
      const { url, checks } = await begin(own);
      const tokens = await oidc.authorizationCodeGrant(own, await person.signIn(url), checks);
      assert(tokens.claims()?.sub, `round ${round}`);
      const { jwks: { keys }, uat } = oidc.getJwksCache(own)!;
      assert(keys.length === 1 && keys[0]?.kid !== cached?.jwks.keys[0]?.kid);
      cached = { jwks: { keys: [...keys] }, uat };
      await authority.rotateKeys({ keepOld: false });
    }
  }));

test("openid-client: its sign-out URL brings the person back", () =>
  scene(async ({ person, config }) => {
    const own = await config();
    const { url, checks } = await begin(own);
    const tokens = await oidc.authorizationCodeGrant(own, await person.signIn(url), checks);
    const signOut = oidc.buildEndSessionUrl(own, {
      post_logout_redirect_uri: REDIRECT_URI,
      id_token_hint: tokens.id_token!,
      state: "bye",
    });
    const back = new URL((await person.signIn(signOut)).url);
    assertEquals([back.origin, back.searchParams.get("state")], [new URL(REDIRECT_URI).origin, "bye"]);
  }));
