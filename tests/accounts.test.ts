/**
 * Accounts, and the URLs of sign-out and consent.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type ConfidentialClientApplication, isEmailVerified, TokenCache } from "../mod.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import {
  clientInfo,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  OTHER_TENANT_ID,
  TENANT_ID,
} from "./support/entra_double.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const ISSUER = "https://idp.example.com/realms/main";

test("a process that starts anew lists and finds the users of a public client's store", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const first = entra.public({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(first);
  await entra.signIn(
    first,
    { oid: OTHER_TENANT_ID, sub: "other", preferred_username: "bo@contoso.example" },
    {
      client_info: clientInfo(OTHER_TENANT_ID),
    },
  );
  const second = entra.public({ tokenCache: new TokenCache({ store }) });
  assertEquals((await second.getAccounts()).map(({ username }) => username).sort(), [
    "alex@contoso.example",
    "bo@contoso.example",
  ]);
  assertEquals(
    (await second.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["User.Read"] })).accessToken,
    "AT 1",
  );
  await second.removeAccount(HOME_ACCOUNT_ID);
  const third = entra.public({ tokenCache: new TokenCache({ store }) });
  assertEquals((await third.getAccounts()).map(({ username }) => username), ["bo@contoso.example"]);
  assertEquals(await third.getAccount(HOME_ACCOUNT_ID), null);
});

test("a server's store has no list of its users, and an account is found by its id alone", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store }) }));
  assertEquals(store.values.size, 1);
  const cold = entra.confidential({ tokenCache: new TokenCache({ store }) });
  assertEquals((await cold.getAccount(HOME_ACCOUNT_ID))?.username, "alex@contoso.example");
  assertEquals(await cold.getAccount("nobody"), null);
  for (const key of store.values.keys()) assert(!key.includes(TENANT_ID), "R-118");
});

test("an account that is none is refused by name", async () => {
  const app = entraDouble().public();
  for (const account of [undefined, null, "", 5, {}, { homeAccountId: 5 }, "x".repeat(2000)]) {
    for (const call of [() => app.getAccount(account as never), () => app.removeAccount(account as never)]) {
      const error = await failure(call());
      assertEquals([error.name, error.code], ["ClientConfigurationError", "invalid_account"]);
    }
  }
  assertEquals((await failure(app.getAccounts("x" as never))).code, "invalid_request");
});

test("results and accounts cannot be changed by who gets them", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const { account, idTokenClaims } = await entra.signIn(app);
  assert(
    Object.isFrozen(account) && Object.isFrozen(account?.tenantProfiles) && Object.isFrozen(idTokenClaims),
  );
});

test("R-083 two tenants with the same e-mail are two users, and R-084 an e-mail is proven by xms_edov alone", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ authority: `${HOST}/common` });
  const email = { email: "ceo@contoso.example", preferred_username: "ceo@contoso.example" };
  const one = await entra.signIn(app, email);
  const claims = {
    ...email,
    tid: OTHER_TENANT_ID,
    iss: `${HOST}/${OTHER_TENANT_ID}/v2.0`,
    oid: OTHER_TENANT_ID,
  };
  const two = await entra.signIn(app, claims, { client_info: clientInfo(OTHER_TENANT_ID, OTHER_TENANT_ID) });
  assert(one.account?.homeAccountId !== two.account?.homeAccountId);
  assert(one.account?.localAccountId !== two.account?.localAccountId);
  for (
    const [xms_edov, verified] of [[undefined, false], [true, true], [1, true], ["1", true], ["0", false], [
      false,
      false,
    ]] as const
  ) {
    assertEquals(isEmailVerified({ ...one.idTokenClaims!, xms_edov }), verified);
  }
});

test("R-051 the same subject at two issuers is two users; a subject's case counts", async () => {
  const entra = entraDouble();
  const ids = new Set<string>();
  for (
    const [issuer, sub] of [[ISSUER, "ab"], [ISSUER, "AB"], [
      "https://idp.example.com/realms/b",
      "ab",
    ]] as const
  ) {
    entra.documents = ({ url }) =>
      url.endsWith("/openid-configuration")
        ? Response.json({
          issuer,
          jwks_uri: `${issuer}/discovery/v2.0/keys`,
          token_endpoint: `${issuer}/token`,
          authorization_endpoint: `${issuer}/auth`,
        })
        : undefined;
    const app = entra.confidential({ authority: undefined, oidcAuthority: issuer });
    const flow = await entra.settle(
      app.initiateAuthCodeFlow({ scopes: [], redirectUri: "https://app.example/callback" }),
    );
    const nonce = new URL(flow.authUri).searchParams.get("nonce");
    entra.next(
      await entra.answer({ iss: issuer, sub, nonce, tid: undefined, oid: undefined }, {
        client_info: undefined,
      }),
    );
    const response = { code: "c", state: flow.state };
    const { account } = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, response));
    ids.add(account?.homeAccountId ?? "");
    assertEquals(account?.homeAccountId, `${issuer}#${sub}`);
    const found = await app.acquireTokenSilent({ account: account!, scopes: [] });
    assertEquals([found.tokenSource, found.account?.localAccountId], ["cache", sub]);
  }
  assertEquals(ids.size, 3);
});

test("the sign-out URL names client, return address and hint, and refuses what is none", async () => {
  const app = entraDouble().confidential();
  const url = new URL(
    await app.getSignOutUrl({
      postLogoutRedirectUri: "https://app.example/bye",
      logoutHint: "hint",
      idTokenHint: "x.y.z",
      state: "s",
      extraQueryParameters: { ui_locales: "de" },
    }),
  );
  assertEquals(url.origin + url.pathname, `${HOST}/${TENANT_ID}/oauth2/v2.0/logout`);
  assertEquals(Object.fromEntries(url.searchParams), {
    ui_locales: "de",
    client_id: app.clientId,
    post_logout_redirect_uri: "https://app.example/bye",
    id_token_hint: "x.y.z",
    logout_hint: "hint",
    state: "s",
  });
  assertEquals(new URL(await app.getSignOutUrl()).searchParams.size, 1);
  await eachRow({
    "http": { postLogoutRedirectUri: "http://app.example/bye" },
    "a script": { postLogoutRedirectUri: "javascript:alert(1)" },
    "a path": { postLogoutRedirectUri: "/bye" },
    "a reserved name": { extraQueryParameters: { client_id: "x" } },
    "a tenant that is none": { tenantId: "../x" },
  } as Record<string, object>, async (request) => {
    assertEquals((await failure(app.getSignOutUrl(request))).name, "ClientConfigurationError");
  });
});

test("an issuer without a sign-out endpoint says so; one with it gets the URL", async () => {
  const entra = entraDouble();
  const document: Record<string, string> = {};
  const makeApp = (): ConfidentialClientApplication =>
    entra.confidential({ authority: undefined, oidcAuthority: ISSUER });
  entra.documents = () =>
    Response.json({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/keys`,
      token_endpoint: `${ISSUER}/token`,
      ...document,
    });
  assertEquals((await entra.refused(makeApp().getSignOutUrl())).code, "endpoints_resolution_error");
  document.end_session_endpoint = `${ISSUER}/logout?x=1`;
  const url = await entra.settle(makeApp().getSignOutUrl());
  assert(url.startsWith(`${ISSUER}/logout?x=1&client_id=`));
});

test("the admin consent URL is Entra's alone and wants a state and a redirect URI", () => {
  const app = entraDouble().confidential({ authority: `${HOST}/organizations` });
  const url = new URL(app.getAdminConsentUrl({
    redirectUri: "https://app.example/consented",
    state: "s".repeat(16),
    scopes: ["https://graph.microsoft.com/.default"],
    tenantId: TENANT_ID,
  }));
  assertEquals(url.origin + url.pathname, `${HOST}/${TENANT_ID}/v2.0/adminconsent`);
  assertEquals(url.searchParams.get("scope"), "https://graph.microsoft.com/.default");
  assertEquals(
    thrown(() => app.getAdminConsentUrl({ redirectUri: "https://app.example", state: "" })).code,
    "invalid_request",
  );
  assertEquals(
    thrown(() => app.getAdminConsentUrl({ redirectUri: "/x", state: "s" })).name,
    "ClientConfigurationError",
  );
  const oidc = entraDouble().confidential({ authority: undefined, oidcAuthority: ISSUER });
  assertEquals(
    thrown(() => oidc.getAdminConsentUrl({ redirectUri: "https://app.example", state: "s" })).code,
    "invalid_request",
  );
});

test("options of users are checked by name", () => {
  const entra = entraDouble();
  for (
    const [name, value] of [
      ["allowedTenants", ["contoso"]],
      ["allowedTenants", "all"],
      ["clockToleranceSeconds", 301],
      ["clockToleranceSeconds", -1],
      ["excludeScopes", ["openid"]],
    ] as const
  ) {
    const error = thrown(() => entra.confidential({ [name]: value } as never));
    assertEquals([error.code, (error as { option?: string }).option], ["invalid_option", name]);
  }
});

test("allowedTenants of an issuer without tenants is a mistake", () => {
  const options = { authority: undefined, oidcAuthority: ISSUER, allowedTenants: [TENANT_ID] };
  assertEquals(thrown(() => entraDouble().confidential(options)).code, "invalid_option");
});

test("excludeScopes leaves offline_access out: no refresh token is asked for", async () => {
  const app = entraDouble().confidential({ excludeScopes: ["offline_access"] });
  const { authUri } = await app.initiateAuthCodeFlow({
    scopes: ["User.Read"],
    redirectUri: "https://app.example/c",
  });
  assertEquals(new URL(authUri).searchParams.get("scope"), "User.Read openid profile");
});
