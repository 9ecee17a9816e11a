/** Unmodified MSAL Node against the local authority on loopback, its user going through the pages. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type AuthenticationResult,
  AuthError,
  ConfidentialClientApplication,
  CryptoProvider,
  InteractionRequiredAuthError,
  PublicClientApplication,
  ServerError,
} from "@azure/msal-node";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { type MicrosoftHosts, withMicrosoftHosts } from "./microsoft_hosts.ts";
import { Person } from "./person.ts";

const SCOPES = ["User.Read"];
const REDIRECT_URI = "http://localhost:3000/callback";

type ClientApplication = ConfidentialClientApplication | PublicClientApplication;

interface Scene extends MicrosoftHosts {
  readonly authority: LocalAuthority;
  readonly person: Person;
  readonly web: ConfidentialClientApplication;
  readonly native: PublicClientApplication;
  /** The native app once more, with a cache of its own. */
  another(): PublicClientApplication;
}

function msalNode(name: string, body: (scene: Scene) => Promise<void>, detectReuse = false): void {
  test(`MSAL Node on loopback: ${name}`, async () => {
    const authority = new LocalAuthority({
      deviceCode: { intervalSeconds: 1 },
      refreshTokens: { detectReuse },
    });
    const { clientId, clientSecret, publicClientId, username, password } = authority.defaults;
    const common = { authority: "https://login.microsoftonline.com/common" };
    await withMicrosoftHosts(authority, (hosts) => {
      const system = { networkClient: hosts.network };
      const native = () =>
        new PublicClientApplication({ auth: { ...common, clientId: publicClientId }, system });
      return body({
        ...hosts,
        authority,
        person: new Person({ username, password }, hosts.fetch),
        web: new ConfidentialClientApplication({ auth: { ...common, clientId, clientSecret }, system }),
        native: native(),
        another: native,
      });
    });
  });
}

/** Sends a person through a code flow with PKCE. */
async function signIn(
  app: ClientApplication,
  person: Person,
  responseMode: "query" | "form_post" = "query",
): Promise<AuthenticationResult> {
  const crypto = new CryptoProvider();
  const { verifier, challenge } = await crypto.generatePkceCodes();
  const [state, nonce] = [crypto.createNewGuid(), crypto.createNewGuid()];
  const base = { scopes: SCOPES, redirectUri: REDIRECT_URI };
  const url = await app.getAuthCodeUrl({
    ...base,
    codeChallenge: challenge,
    codeChallengeMethod: "S256",
    state,
    nonce,
    responseMode,
  });
  const answer = await person.signIn(url);
  assertEquals(answer.method, responseMode === "query" ? "GET" : "POST");
  const parameters = answer.method === "GET"
    ? new URL(answer.url).searchParams
    : new URLSearchParams(await answer.text());
  const payload = Object.fromEntries(parameters);
  return await app.acquireTokenByCode(
    { ...base, code: payload["code"]!, codeVerifier: verifier, state, nonce },
    { code: payload["code"]!, state: payload["state"]!, client_info: payload["client_info"]! },
  );
}

/** Who the API says has come. */
async function whoAmI(
  hosts: MicrosoftHosts,
  { accessToken }: Pick<AuthenticationResult, "accessToken">,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await hosts.fetch("https://graph.microsoft.com/v1.0/me", { headers });
  return (await response.json()).userPrincipalName;
}

for (const kind of ["web", "native"] as const) {
  msalNode(
    `a person signs in to the ${kind} app by code, then silently, from cache and forced`,
    async (scene) => {
      const { person, authority: { defaults: { username, tenantId } }, sent } = scene;
      const app = scene[kind];
      const first = await signIn(app, person);
      const { account } = first;
      assert(account);
      assertEquals([account.username, first.tenantId, first.fromCache], [username, tenantId, false]);
      assertEquals(await whoAmI(scene, first), username);
      const before = sent.length;
      const hit = await app.acquireTokenSilent({ account, scopes: SCOPES });
      assertEquals([hit.fromCache, hit.accessToken, sent.length], [true, first.accessToken, before]);
      const forced = await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true });
      assertEquals([forced.fromCache, forced.account?.homeAccountId], [false, account.homeAccountId]);
      assertEquals(await whoAmI(scene, forced), username);
    },
  );
}

msalNode("the answer comes as a form", async ({ web, person }) => {
  assert((await signIn(web, person, "form_post")).idToken);
});

msalNode("interactive sign-in by its own loopback server", async (scene) => {
  const { native, person, authority } = scene;
  let shown = "";
  const result = await native.acquireTokenInteractive({
    scopes: SCOPES,
    openBrowser: async (url) => {
      const response = await fetch(await person.signIn(url));
      shown = await response.text();
    },
    successTemplate: "Come back to the terminal.",
  });
  assertEquals([result.account?.username, shown], [
    authority.defaults.username,
    "Come back to the terminal.",
  ]);
  assertEquals(await whoAmI(scene, result), authority.defaults.username);
});

msalNode("a device signs in through the pages", async (scene) => {
  const { native, person, authority } = scene;
  const headings: Promise<string>[] = [];
  const result = await native.acquireTokenByDeviceCode({
    scopes: SCOPES,
    deviceCodeCallback: ({ userCode, verificationUri }) => {
      headings.push(person.finish(`${verificationUri}?otc=${userCode}`).then(({ heading }) => heading));
    },
  });
  assertEquals(await Promise.all(headings), ["You are signed in"]);
  assertEquals(result?.account?.username, authority.defaults.username);
});

msalNode("a device whose user declines", async ({ native, authority }) => {
  const ask = () =>
    native.acquireTokenByDeviceCode({
      scopes: SCOPES,
      deviceCodeCallback: ({ userCode }) => authority.approveDevice(userCode, { decline: true }),
    });
  const error = await assertRejects(ask, AuthError);
  assertEquals([error.errorCode, error.errorMessage], ["post_request_failed", "authorization_declined"]);
});

function refreshTokenOf(app: ClientApplication): string {
  const cache = JSON.parse(app.getTokenCache().serialize());
  return Object.values<{ secret: string }>(cache.RefreshToken)[0]!.secret;
}

msalNode(
  "a refresh token from elsewhere, and one that is used again",
  async ({ native, person, network }) => {
    const { account } = await signIn(native, person);
    const refreshToken = refreshTokenOf(native);
    const auth = { clientId: native["config"].auth.clientId, authority: native["config"].auth.authority };
    const other = new PublicClientApplication({ auth, system: { networkClient: network } });
    const moved = await other.acquireTokenByRefreshToken({ refreshToken, scopes: SCOPES });
    assertEquals(moved?.account?.username, account?.username);
    const again = () => native.acquireTokenSilent({ account: account!, scopes: SCOPES, forceRefresh: true });
    await assertRejects(again, InteractionRequiredAuthError);
    // The grant is dead for both.
    const after = () =>
      other.acquireTokenSilent({ account: moved!.account!, scopes: SCOPES, forceRefresh: true });
    await assertRejects(after, InteractionRequiredAuthError);
  },
  true,
);

msalNode("another verifier, and a code that comes twice", async ({ web, person }) => {
  const crypto = new CryptoProvider();
  const { verifier, challenge } = await crypto.generatePkceCodes();
  const base = { scopes: SCOPES, redirectUri: REDIRECT_URI };
  const url = await web.getAuthCodeUrl({ ...base, codeChallenge: challenge, codeChallengeMethod: "S256" });
  const redeem = async (codeVerifier: string) => {
    const answer = new URL((await person.signIn(url)).url);
    const code = answer.searchParams.get("code")!;
    return { code, again: () => web.acquireTokenByCode({ ...base, code, codeVerifier }) };
  };
  const wrong = await redeem((await crypto.generatePkceCodes()).verifier);
  assertEquals((await assertRejects(wrong.again, ServerError)).errorCode, "invalid_grant");
  const good = await redeem(verifier);
  await good.again();
  const error = await assertRejects(good.again, ServerError);
  assertEquals([error.errorCode, String(error.errorNo)], ["invalid_grant", "54005"]);
});

msalNode("the user is forgotten", async ({ native, person }) => {
  const { account } = await signIn(native, person);
  const cache = native.getTokenCache();
  assertEquals((await cache.getAllAccounts()).length, 1);
  await cache.removeAccount(account!);
  assertEquals(await cache.getAllAccounts(), []);
});
