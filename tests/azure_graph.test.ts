/** Tokens for the real Graph client and for Kiota, at the local authority's Graph: to Graph's hosts alone, over https. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { TokenCredential } from "@azure/core-auth";
import {
  type AccessTokenProvider,
  AllowedHostsValidator,
  BaseBearerTokenAuthenticationProvider,
  RequestInformation,
} from "@microsoft/kiota-abstractions";
import {
  AuthenticationHandler,
  type AuthenticationProvider,
  Client,
  type Context,
  GraphError,
  type Middleware,
} from "@microsoft/microsoft-graph-client";
import { decodeJwt } from "jose";
import { type AuthorityOption, claimsChallengeOf, ConfidentialClientApplication } from "../mod.ts";
import {
  createGraphAccessTokenProvider,
  createGraphAuthenticationProvider,
  createTokenCredential,
  type CredentialRequest,
  type GraphProviderOptions,
  type TokenSource,
} from "../src/azure/mod.ts";
import { LocalAuthority } from "../src/testing/mod.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const REDIRECT = "https://app.example/callback";
const ME = "https://graph.microsoft.com/v1.0/me";

interface Scene {
  readonly clock: FakeClock;
  readonly authority: LocalAuthority;
  readonly app: ConfidentialClientApplication;
}

function scene(authorityOption?: AuthorityOption, clientCapabilities?: string[]): Scene {
  const clock = new FakeClock();
  const authority = new LocalAuthority({ clock });
  const { tenantId, clientId, clientSecret } = authority.defaults;
  const app = new ConfidentialClientApplication({
    clientId,
    authority: authorityOption ?? `https://login.microsoftonline.com/${tenantId}`,
    clientCredential: clientSecret,
    clientCapabilities,
    fetch: authority.fetch,
    clock,
  });
  return { clock, authority, app };
}

async function signedIn({ app, authority }: Scene, scopes: string[] = ["User.Read"]): Promise<TokenSource> {
  const flow = await app.initiateAuthCodeFlow({ scopes, redirectUri: REDIRECT });
  const { url } = await authority.signIn(flow.authUri);
  const { account } = await app.acquireTokenByAuthCodeFlow(flow, url);
  assert(account);
  return { app, account };
}

/** The real client, with its own authentication, over the authority's `fetch`. */
function graphClient(authProvider: AuthenticationProvider, { authority }: Scene): Client {
  const http: Middleware = {
    execute: async (context: Context) => {
      context.response = await authority.fetch(context.request as string, context.options as RequestInit);
    },
  };
  return Client.initWithMiddleware({ middleware: [new AuthenticationHandler(authProvider), http] });
}

/** A source that notes what it is asked for. */
function noting(): { source: TokenSource; asked: CredentialRequest[] } {
  const asked: CredentialRequest[] = [];
  return {
    asked,
    source: (request) => {
      asked.push(request);
      return Promise.resolve({ accessToken: "AT", tokenType: "Bearer", expiresOn: new Date(5_000) });
    },
  };
}

/** The type test: with Kiota's class, the result is Kiota's type. */
function kiota(source: TokenSource, options: GraphProviderOptions = {}): AccessTokenProvider {
  return createGraphAccessTokenProvider(source, { ...options, AllowedHostsValidator });
}

test("the real Graph client reads the organization as the application", async () => {
  const made = scene();
  const provider: AuthenticationProvider = createGraphAuthenticationProvider(made.app);
  const { value } = await graphClient(provider, made).api("/organization").get();
  assertEquals(value[0].displayName, "Contoso");
});

test("the real Graph client reads who the user is", async () => {
  const made = scene();
  const provider = createGraphAuthenticationProvider(await signedIn(made), { scopes: ["User.Read"] });
  assertEquals((await graphClient(provider, made).api("/me").get()).displayName, "Alex Doe");
});

test("the Graph client's failure is the API's, and a failure to get a token is ours", async () => {
  const made = scene();
  const client = graphClient(createGraphAuthenticationProvider(made.app), made);
  await assertRejects(() => client.api("/me").get(), GraphError);
  const broken = createGraphAuthenticationProvider(made.app, { scopes: ["User.Read"] });
  await assertRejects(() => graphClient(broken, made).api("/me").get(), Error, "<API>/.default");
});

test("a request's own scopes win over those of the provider, and none are none", async () => {
  const { source, asked } = noting();
  const provider = createGraphAuthenticationProvider(source, { scopes: ["User.Read"] });
  await provider.getAccessToken();
  await provider.getAccessToken({});
  await provider.getAccessToken({ scopes: ["Mail.Read"] });
  assertEquals(asked.map(({ scopes }) => scopes), [["User.Read"], ["User.Read"], ["Mail.Read"]]);
  assertEquals((await failure(provider.getAccessToken({ scopes: [] }))).code, "invalid_scopes");
});

test("the Graph client's own credential provider takes the credential", async () => {
  const { source, asked } = noting();
  const credential: TokenCredential = createTokenCredential(source);
  assertEquals((await credential.getToken(["User.Read"]))?.token, "AT");
  assertEquals(asked.length, 1);
});

const CLOUDS: Readonly<Record<string, string>> = {
  "login.microsoftonline.com": "graph.microsoft.com",
  "login.windows.net": "graph.microsoft.com",
  "login.microsoftonline.us": "graph.microsoft.us dod-graph.microsoft.us",
  "login.partner.microsoftonline.cn": "microsoftgraph.chinacloudapi.cn",
  "login.chinacloudapi.cn": "microsoftgraph.chinacloudapi.cn",
  "login.microsoftonline.de": "graph.microsoft.de",
};
for (const [instance, hosts] of Object.entries(CLOUDS)) {
  test(`tokens go to the Graph of their cloud alone, and are for it: ${instance}`, async () => {
    const { app, authority } = scene({ instance, tenant: "contoso.onmicrosoft.com" }, ["cp1"]);
    const provider = kiota(app);
    assertEquals(provider.getAllowedHostsValidator().getAllowedHosts(), hosts.split(" "));
    const [host = ""] = hosts.split(" ");
    assert(await provider.getAuthorizationToken(`https://${host}/v1.0/organization`));
    // The same token: the preset scope is of that host, too.
    assert(await createGraphAuthenticationProvider(app).getAccessToken());
    for (const other of Object.values(CLOUDS).join(" ").split(" ").filter((name) => !hosts.includes(name))) {
      assertEquals(await provider.getAuthorizationToken(`https://${other}/v1.0/me`), "");
    }
    assertEquals(authority.countRequests({ kind: "token" }), 1);
  });
}

test("a token is for the host that it goes to, where a cloud has two", async () => {
  const { source, asked } = noting();
  const provider = kiota(source, { hosts: ["graph.microsoft.us", "dod-graph.microsoft.us"] });
  await provider.getAuthorizationToken("https://dod-graph.microsoft.us/v1.0/me");
  assertEquals(asked[0]?.scopes, ["https://dod-graph.microsoft.us/.default"]);
});

test("an authority that is not Microsoft's has no Graph, unless the hosts are given", () => {
  const app = new ConfidentialClientApplication({
    clientId: "x",
    clientCredential: "a secret",
    oidcAuthority: "https://idp.example",
  });
  for (const make of [createGraphAuthenticationProvider, createGraphAccessTokenProvider]) {
    assertEquals(thrown(() => make(app)).code, "invalid_option");
    make(app, { hosts: ["graph.example"] });
  }
});

for (
  const hosts of [
    [],
    ["https://graph.microsoft.com"],
    ["a.example/x"],
    [""],
    "a.example",
  ] as unknown as string[][]
) {
  test(`hosts that are none are refused: ${JSON.stringify(hosts)}`, () => {
    assertEquals(thrown(() => kiota(noting().source, { hosts })).code, "invalid_option");
  });
}

const FOREIGN = [
  undefined,
  "",
  "graph.microsoft.com",
  "/v1.0/me",
  "https://evil.example/v1.0/me",
  "https://graph.microsoft.com.evil.example/",
  "https://evil.example/graph.microsoft.com",
  "https://graph.microsoft.com@evil.example/",
  "https://user:pass@graph.microsoft.com/",
  "https://graph.microsoft.com:8443/",
  "https://graph.microsoft.us/v1.0/me",
  "https://evilgraph.microsoft.com/",
  "blob:https://graph.microsoft.com/1",
];
for (const url of FOREIGN) {
  test(`no token for ${url}: none is acquired, none is sent`, async () => {
    const { source, asked } = noting();
    for (const provider of [kiota(source), createGraphAccessTokenProvider(source)]) {
      assertEquals(await provider.getAuthorizationToken(url), "");
    }
    assertEquals(asked, []);
  });
}

test("a token is not sent without TLS", async () => {
  const { source, asked } = noting();
  for (const provider of [kiota(source), createGraphAccessTokenProvider(source)]) {
    const { code } = await failure(provider.getAuthorizationToken("http://graph.microsoft.com/v1.0/me"));
    assertEquals([code, asked.length], ["invalid_request", 0]);
  }
});

test("the validator takes hosts away, and never adds one: an empty one would allow all", async () => {
  const { source, asked } = noting();
  for (const provider of [kiota(source), createGraphAccessTokenProvider(source)]) {
    const validator = provider.getAllowedHostsValidator();
    assert(validator.isUrlHostValid(ME));
    validator.setAllowedHosts(new Set(["evil.example"]));
    assertEquals(await provider.getAuthorizationToken("https://evil.example/"), "");
    assertEquals(await provider.getAuthorizationToken(ME), "");
  }
  const provider = kiota(source);
  provider.getAllowedHostsValidator().setAllowedHosts(new Set());
  assertEquals(await provider.getAuthorizationToken("https://evil.example/"), "");
  assertEquals(asked, []);
});

test("Kiota's bearer provider sends the token, and answers a claims challenge once the session is revoked", async () => {
  const made = scene(undefined, ["cp1"]);
  const { clock, authority } = made;
  const provider = new BaseBearerTokenAuthenticationProvider(
    kiota(await signedIn(made), { scopes: ["User.Read"] }),
  );
  const call = async (context?: Record<string, unknown>): Promise<Response> => {
    const request = new RequestInformation();
    request.URL = ME;
    await provider.authenticateRequest(request, context);
    const [authorization = ""] = request.headers.get("Authorization") ?? [];
    return await authority.fetch(ME, { headers: { authorization } });
  };
  assertEquals((await (await call()).json()).displayName, "Alex Doe");
  await clock.advance(60_000);
  authority.revokeSessions(authority.defaults.username);
  const refused = await call();
  const claims = claimsChallengeOf(refused);
  assertEquals(refused.status, 401);
  assert(claims);
  // As Kiota's adapter passes it on: base64.
  assertEquals((await (await call({ claims: btoa(claims) })).json()).displayName, "Alex Doe");
});

test("claims come as base64 of either alphabet or as JSON, and ask for continuous access evaluation", async () => {
  const { source, asked } = noting();
  const provider = kiota(source);
  const text = '{"access_token":{"n":{"value":"\u00ff?>~"}}}';
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  const base64 = btoa(bytes);
  for (const claims of [base64, base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""), text]) {
    await provider.getAuthorizationToken(ME, { claims });
  }
  await provider.getAuthorizationToken(ME, { claims: "" });
  await provider.getAuthorizationToken(ME, {});
  assertEquals(asked.map(({ claims }) => claims), [text, text, text, undefined, undefined]);
});

test("Kiota answers challenges, so its tokens of an application have cp1; the Graph client's have not", async () => {
  const { app } = scene();
  const capable = await kiota(app).getAuthorizationToken(ME);
  const plain = await createGraphAuthenticationProvider(app).getAccessToken();
  assertEquals([capable, plain].map((token) => decodeJwt(token)["xms_cc"]), [["cp1"], undefined]);
});

for (const claims of ["%%%", 5, {}, "a b"]) {
  test(`claims that are none are refused, and not quoted: ${JSON.stringify(claims)}`, async () => {
    const { source, asked } = noting();
    const { code } = await failure(kiota(source).getAuthorizationToken(ME, { claims }));
    assertEquals([code, asked.length], ["invalid_claims", 0]);
  });
}

test("claims that are no JSON object are refused before anything is sent", async () => {
  const { app, authority } = scene();
  const { code } = await failure(kiota(app).getAuthorizationToken(ME, { claims: btoa("[]") }));
  assertEquals([code, authority.countRequests()], ["invalid_claims", 0]);
});
