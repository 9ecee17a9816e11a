/** Credentials, bound tokens and pushed requests, from our clients to the local authority and back. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { ConfidentialClientApplication, createAuthorizedFetch, isAuthError } from "../mod.ts";
import type { ClientCredential, MsalEvent } from "../mod.ts";
import { managedIdentityAssertion } from "../src/client_assertions/mod.ts";
import { DpopAuthScheme, PopAuthScheme } from "../src/proof_of_possession/mod.ts";
import { type AppDeclaration, LocalAuthority } from "../src/testing/mod.ts";
import { certificate, keyPem, testKeys } from "./support/certificates.ts";
import { test } from "./support/suite.ts";

const CLIENT_ID = "0f1e2d3c-4b5a-4968-8776-655443322110";
const BLUEPRINT = "11111111-0000-4000-8000-00000000000b";
const SECRET = "the~secret~of~the~blueprint";
const GRAPH = "https://graph.microsoft.com";
const ORGANIZATION = `${GRAPH}/v1.0/organization`;
const SCOPES = [`${GRAPH}/.default`];

const own = await testKeys("RSA", "own");
const other = await testKeys("RSA", "other");
const [{ pem: registered }, { pem: unknown }] = await Promise.all([certificate(own), certificate(other)]);

interface Scene {
  readonly authority: LocalAuthority;
  readonly app: ConfidentialClientApplication;
  readonly events: MsalEvent[];
}

function scene(
  clientCredential: ClientCredential,
  declared: Partial<AppDeclaration> = {},
  options: ConstructorParameters<typeof LocalAuthority>[0] = {},
): Scene {
  const appRoles = { [GRAPH]: ["Organization.Read.All"] };
  const authority = new LocalAuthority({
    apps: [
      { clientId: CLIENT_ID, appRoles, redirectUris: ["https://app.example/callback"], ...declared },
      { clientId: BLUEPRINT, secrets: [SECRET] },
    ],
    ...options,
  });
  const events: MsalEvent[] = [];
  const app = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    authority: `https://login.microsoftonline.com/${authority.defaults.tenantId}`,
    clientCredential,
    fetch: authority.fetch,
    onEvent: (event) => events.push(event),
  });
  return { authority, app, events };
}

async function organization({ authority, app }: Scene): Promise<number> {
  const { accessToken } = await app.acquireTokenForClient({ scopes: SCOPES });
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await authority.fetch(ORGANIZATION, { headers })).status;
}

async function failureOf(work: Promise<unknown>): Promise<unknown[]> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  const told = Object(error) as { code?: unknown; errorCodes?: unknown };
  return [isAuthError(error), told.code, told.errorCodes];
}

test("R-167 a certificate gets a token, by each of its forms", async () => {
  const declared = { certificates: [registered] };
  const key = keyPem(own);
  const sign = async (data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> => {
    const algorithm = { name: "RSA-PSS", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("jwk", own.jwk, algorithm, false, ["sign"]);
    return await crypto.subtle.sign({ name: "RSA-PSS", saltLength: 32 }, imported, data);
  };
  const forms: ClientCredential[] = [
    { privateKey: key, publicCertificate: registered },
    { privateKey: `${registered}${key}` },
    { privateKey: own.jwk, publicCertificate: registered, sendX5c: false },
    { sign, publicCertificate: registered },
    () => ({ privateKey: key, publicCertificate: registered }),
  ];
  for (const form of forms) assertEquals(await organization(scene(form, declared)), 200);
});

test("R-167 a certificate that is not registered is refused, and says why", async () => {
  const credential = { privateKey: keyPem(other), publicCertificate: unknown };
  const { app } = scene(credential, { certificates: [registered] });
  const outcome = await failureOf(app.acquireTokenForClient({ scopes: SCOPES }));
  assertEquals(outcome, [true, "server_error", [700027]]);
});

test("of two certificates the one that Entra knows counts, and is the first to be tried from then on", async () => {
  const here = scene(
    [{ privateKey: `${keyPem(other)}${unknown}` }, { privateKey: `${keyPem(own)}${registered}` }],
    { certificates: [registered] },
  );
  assertEquals(await organization(here), 200);
  assertEquals(here.authority.countRequests({ kind: "token" }), 2);
  await here.app.removeTokensForClient();
  assertEquals(await organization(here), 200);
  assertEquals(here.authority.countRequests({ kind: "token" }), 3);
});

test("R-215 another application's token is an assertion, where the app trusts it, and nowhere else", async () => {
  const declared = { federatedCredentials: [{ app: BLUEPRINT }] };
  let blueprint: ConfidentialClientApplication | undefined;
  const tokenOf = (resource: string): Promise<{ accessToken: string }> =>
    blueprint!.acquireTokenForClient({ scopes: [`${resource}/.default`] });
  const credential = { clientAssertion: managedIdentityAssertion(tokenOf) };
  for (const [trusted, expected] of [[declared, "a token"], [{}, "server_error"]] as const) {
    const { authority, app } = scene(credential, trusted);
    blueprint = new ConfidentialClientApplication({
      clientId: BLUEPRINT,
      authority: app.authority,
      clientCredential: SECRET,
      fetch: authority.fetch,
    });
    const outcome = await app.acquireTokenForClient({ scopes: SCOPES })
      .then(() => "a token", (error) => error.code);
    assertEquals(outcome, expected);
  }
});

for (const [name, generate] of [["DPoP", DpopAuthScheme], ["pop", PopAuthScheme]] as const) {
  test(`R-208 ${name}: a bound token opens the API with a proof of its key, and with no other`, async () => {
    const { authority, app } = scene(SECRET, { secrets: [SECRET] }, { dpop: { requireNonce: true } });
    const [authScheme, thief] = [await generate.generate(), await generate.generate()];
    const result = await app.acquireTokenForClient({ scopes: SCOPES, authScheme });
    assertEquals(result.tokenType, name);
    const statusBy = async (scheme: typeof authScheme): Promise<number> => {
      const api = createAuthorizedFetch({
        origins: [GRAPH],
        authScheme: scheme,
        fetch: authority.fetch,
        acquireToken: () => Promise.resolve(result),
      });
      return (await api(ORGANIZATION)).status;
    };
    assertEquals([await statusBy(authScheme), await statusBy(thief)], [200, 401]);
    const bearer = await app.acquireTokenForClient({ scopes: SCOPES });
    assertNotEquals(bearer.accessToken, result.accessToken);
    assertEquals((await app.acquireTokenForClient({ scopes: SCOPES, authScheme })).tokenSource, "cache");
  });
}

test("R-205 a user signs in by a pushed request where the issuer wants one, with a certificate and a key", async () => {
  const { authority } = scene(SECRET, { certificates: [registered] }, {
    requirePushedAuthorizationRequests: true,
    dpop: true,
  });
  const { tenantId, username } = authority.defaults;
  const app = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    oidcAuthority: `https://login.microsoftonline.com/${tenantId}/v2.0`,
    clientCredential: {
      privateKey: keyPem(own),
      publicCertificate: registered,
      algorithm: "PS256",
      sendX5c: true,
    },
    fetch: authority.fetch,
  });
  const authScheme = await DpopAuthScheme.generate();
  const redirectUri = "https://app.example/callback";
  const flow = await app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri, authScheme });
  assertEquals([...new URL(flow.authUri).searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const { url } = await authority.signIn(flow.authUri);
  const result = await app.acquireTokenByAuthCodeFlow(flow, url, { authScheme });
  assertEquals([result.tokenType, result.idTokenClaims?.["tid"]], ["DPoP", tenantId]);
  assertEquals(result.account?.username, username);
});
