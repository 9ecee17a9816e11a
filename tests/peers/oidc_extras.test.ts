/** oidc-provider takes our announced sign-ins and signed assertions, and tells and takes back tokens. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ClientAuthError, ServerError } from "../../mod.ts";
import { introspectToken, revokeToken } from "../../src/token_operations/mod.ts";
import { test } from "../support/suite.ts";
import { type Algorithm, extrasApp, JWT_API, keyPairOf, OPAQUE_API, serveExtras } from "./oidc_extras.ts";
import { personNamed, REQUEST, SCOPES, signIn } from "./oidc_users.ts";

const SECRET = { clientSecret: "the web app's secret: +/=%&", method: "client_secret_basic" } as const;
const SECRET_CLIENT = {
  client_secret: SECRET.clientSecret,
  token_endpoint_auth_method: SECRET.method,
};
const REQUIRED = { pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } };

test("R-205 oidc-provider: a server that requires announced sign-ins gets them, and each URL is good once", async () => {
  await using server = await serveExtras(SECRET_CLIENT, REQUIRED);
  const app = extrasApp(server, SECRET);
  const { flow, result } = await signIn(app);
  const url = new URL(flow.authUri);
  assertEquals([...url.searchParams.keys()].toSorted(), ["client_id", "request_uri"]);
  assertEquals(result.account?.username, "ada@example");
  assert(flow.authUriExpiresAt! < flow.expiresAt);
  assertEquals(server.requests.filter((line) => line === "POST /request").length, 1);
  // RFC 9126 section 4: it was used.
  const again = await fetch(url, { redirect: "manual" });
  await again.body?.cancel();
  assert(again.headers.get("location")?.includes("error=invalid_request_uri"));
  // What was not announced is refused: the option is not needed, and cannot be forgotten.
  const plain = new URL(`${server.issuer}/auth`);
  plain.search = new URLSearchParams({
    client_id: "web",
    response_type: "code",
    scope: "openid",
    redirect_uri: REQUEST.redirectUri,
  }).toString();
  const refused = await fetch(plain, { redirect: "manual" });
  await refused.body?.cancel();
  assert(refused.headers.get("location")?.includes("error=invalid_request"));
});

test("R-205 oidc-provider: what it refuses of an announcement is an error before the browser goes anywhere", async () => {
  await using server = await serveExtras(SECRET_CLIENT, REQUIRED);
  const wrong = extrasApp(server, { ...SECRET, clientSecret: "not this one" });
  const error = await assertRejects(() => wrong.initiateAuthCodeFlow(REQUEST), ServerError);
  assertEquals([error.error, error.status], ["invalid_client", 401]);
  const app = extrasApp(server, SECRET);
  const redirectUri = "https://evil.example/callback";
  const foreign = await assertRejects(
    () => app.initiateAuthCodeFlow({ ...REQUEST, redirectUri }),
    ServerError,
  );
  assertEquals(foreign.status, 400);
});

test("R-035 oidc-provider: with announced sign-ins, too, the answer must say whose it is", async () => {
  await using server = await serveExtras(SECRET_CLIENT, REQUIRED);
  const app = extrasApp(server, SECRET);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const answer = new URL((await personNamed("ada").signIn(flow.authUri)).url);
  assertEquals(answer.searchParams.get("iss"), server.issuer);
  for (const iss of [undefined, "https://evil.example", `${server.issuer}/`]) {
    const changed = new URL(answer);
    if (iss === undefined) changed.searchParams.delete("iss");
    else changed.searchParams.set("iss", iss);
    const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(flow, changed), ClientAuthError);
    assertEquals(error.code, "issuer_mismatch");
  }
  const twice = new URL(answer);
  twice.searchParams.append("iss", server.issuer);
  await assertRejects(() => app.acquireTokenByAuthCodeFlow(flow, twice), ClientAuthError);
  assertEquals(server.requests.filter((line) => line === "POST /token").length, 0);
  assertEquals((await app.acquireTokenByAuthCodeFlow(flow, answer)).account?.username, "ada@example");
});

for (const alg of ["PS256", "RS256", "ES256"] as const satisfies readonly Algorithm[]) {
  test(`oidc-provider: private_key_jwt with ${alg} at every endpoint, by a key that never leaves Web Crypto`, async () => {
    const { privateKey, jwk } = await keyPairOf(alg);
    await using server = await serveExtras({
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [{ ...jwk, kid: "client-1" }] },
    }, REQUIRED);
    const app = extrasApp(server, { privateKey, keyId: "client-1" });
    const { result } = await signIn(app);
    const renewed = await app.acquireTokenSilent({
      account: result.account!,
      scopes: SCOPES,
      forceRefresh: true,
    });
    assertNotEquals(renewed.accessToken, result.accessToken);
    const token = renewed.accessToken;
    assertEquals((await introspectToken(app, { token })).active, true);
    await revokeToken(app, { token });
    assertEquals(await introspectToken(app, { token }), { active: false });
  });
}

test("oidc-provider: private_key_jwt by a wrong key, an old assertion and one that was seen before are refused", async () => {
  const [own, other] = [await keyPairOf("ES256"), await keyPairOf("ES256")];
  await using server = await serveExtras({
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    jwks: { keys: [own.jwk] },
  }, REQUIRED);
  const refused = async (app: ReturnType<typeof extrasApp>): Promise<void> => {
    const ask = () => app.acquireTokenForClient({ scopes: SCOPES });
    const announce = () => app.initiateAuthCodeFlow(REQUEST);
    for (const call of [ask, announce]) {
      const error = await assertRejects(call, ServerError);
      assertEquals([error.error, error.status], ["invalid_client", 401]);
    }
  };
  await refused(extrasApp(server, { privateKey: other.privateKey }));
  const past = {
    now: () => Date.now() - 600_000,
    setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
    clearTimeout: (handle: unknown) => clearTimeout(handle as number),
  };
  await refused(extrasApp(server, { privateKey: own.privateKey }, { clock: past }));
  // The first assertion counts, and is sent again in place of each later one.
  let first: string | undefined;
  const replaying = (url: string, init?: RequestInit): Promise<Response> => {
    const form = new URLSearchParams(`${init?.body ?? ""}`);
    const assertion = form.get("client_assertion");
    if (assertion === null) return fetch(url, init);
    form.set("client_assertion", first ??= assertion);
    return fetch(url, { ...init, body: form.toString() });
  };
  const app = extrasApp(server, { privateKey: own.privateKey }, { fetch: replaying });
  await app.acquireTokenForClient({ scopes: ["orders.write"] });
  await refused(app);
});

test("oidc-provider: an algorithm that it does not list is refused before anything is sent to it", async () => {
  const { privateKey, jwk } = await keyPairOf("ES256");
  const enabledJWA = { clientAuthSigningAlgValues: ["PS256"] };
  await using server = await serveExtras(
    {
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [jwk] },
    },
    {},
    { enabledJWA },
  );
  const error = await assertRejects(() =>
    extrasApp(server, { privateKey }).acquireTokenForClient({ scopes: SCOPES })
  );
  assertEquals((error as { code?: string }).code, "invalid_client_credential");
  assertEquals(server.requests.filter((line) => line.startsWith("POST")), []);
});

test("R-211 R-212 oidc-provider: an opaque token is told of, taken back, and then good for nothing", async () => {
  await using server = await serveExtras(SECRET_CLIENT);
  const app = extrasApp(server, SECRET);
  const request = { scopes: ["orders.read"], extraBodyParameters: { resource: OPAQUE_API } };
  const { accessToken: token } = await app.acquireTokenForClient(request);
  assertEquals(token.split(".").length, 1);
  const expectedAudience = OPAQUE_API;
  const found = await introspectToken(app, { token, expectedAudience });
  assert(found.active);
  assertEquals([found.scope, found.client_id, found.iss], ["orders.read", "web", server.issuer]);
  const error = await assertRejects(() => introspectToken(app, { token, expectedAudience: JWT_API }));
  assertEquals((error as { code?: string }).code, "access_token_audience_mismatch");
  await revokeToken(app, { token, tokenTypeHint: "access_token" });
  assertEquals(await introspectToken(app, { token, expectedAudience }), { active: false });
  // Unknown tokens are no error, and do not count.
  await revokeToken(app, { token: "never-issued" });
  assertEquals(await introspectToken(app, { token: "never-issued" }), { active: false });
  const wrong = extrasApp(server, { ...SECRET, clientSecret: "not this one" });
  for (const call of [() => revokeToken(wrong, { token }), () => introspectToken(wrong, { token })]) {
    const refused = await assertRejects(call, ServerError);
    assertEquals(refused.error, "invalid_client");
  }
});

test("R-211 RFC 9701 oidc-provider: its signed answer is verified with its own keys", async () => {
  const features = {
    introspection: { enabled: true, allowedPolicy: () => true },
    jwtIntrospection: { enabled: true },
  };
  const client = { ...SECRET_CLIENT, introspection_signed_response_alg: "RS256" };
  await using server = await serveExtras(client, features);
  const app = extrasApp(server, SECRET);
  const { accessToken: token } = await app.acquireTokenForClient({ scopes: ["orders.read"] });
  const found = await introspectToken(app, { token, signedResponse: true });
  assertEquals([found.active, (found as { client_id?: string }).client_id], [true, "web"]);
  assert(server.requests.includes("GET /jwks"));
});

test("R-211 R-212 oidc-provider: a server without the endpoints is told so, and is not asked", async () => {
  const off = { introspection: { enabled: false }, revocation: { enabled: false } };
  await using server = await serveExtras(SECRET_CLIENT, {
    ...off,
    pushedAuthorizationRequests: { enabled: false },
  });
  const app = extrasApp(server, SECRET, { pushedAuthorizationRequests: true });
  const token = "a-token";
  for (
    const call of [
      () => introspectToken(app, { token }),
      () => revokeToken(app, { token }),
      () => app.initiateAuthCodeFlow(REQUEST),
    ]
  ) {
    const error = await assertRejects(call, ClientAuthError);
    assertEquals(error.code, "endpoints_resolution_error");
  }
  assertEquals(server.requests, ["GET /.well-known/openid-configuration"]);
});
