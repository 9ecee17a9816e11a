/** Clients that are known by their TLS certificate: RFC 8705. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ConfidentialClientApplication } from "../mod.ts";
import { introspectToken, revokeToken } from "../src/token_operations/mod.ts";
import { AUTHORITY, failure, thrown } from "./support/app_fixture.ts";
import { REDIRECT_URI } from "./support/entra_double.ts";
import { CLIENT_ID, ISSUER, oidcDouble } from "./support/oidc_double.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const MTLS = "https://mtls.idp.example";
const ALIASES = {
  mtls_endpoint_aliases: {
    token_endpoint: `${MTLS}/token`,
    pushed_authorization_request_endpoint: `${MTLS}/par`,
    introspection_endpoint: `${MTLS}/introspect`,
  },
};
const TOKEN = { access_token: "AT", token_type: "Bearer", expires_in: 60 };

for (const method of ["tls_client_auth", "self_signed_tls_client_auth"] as const) {
  test(`RFC 8705 section 2: with ${method} the client id alone is sent, to the endpoints for that`, async () => {
    const oidc = oidcDouble(ALIASES);
    const pushed = () => jsonResponse({ request_uri: "urn:x:y", expires_in: 60 }, 201);
    oidc.next(TOKEN, pushed, { active: true }, () => new Response(null));
    const app = oidc.confidential({ clientCredential: { method }, pushedAuthorizationRequests: true });
    await app.acquireTokenForClient({ scopes: [] });
    const flow = await app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI });
    await introspectToken(app, { token: "a-token" });
    await revokeToken(app, { token: "a-token" });
    // Section 5: what has no alias is asked where everybody asks. A browser has no certificate.
    assertEquals(oidc.posts.map(({ url }) => url), [
      `${MTLS}/token`,
      `${MTLS}/par`,
      `${MTLS}/introspect`,
      `${ISSUER}/revoke`,
    ]);
    assertEquals(new URL(flow.authUri).origin, new URL(ISSUER).origin);
    for (const { form, headers } of oidc.posts) {
      assertEquals([form.get("client_id"), headers.get("authorization")], [CLIENT_ID, null]);
      assertEquals([form.has("client_secret"), form.has("client_assertion")], [false, false]);
    }
  });
}

test("RFC 8705 section 5: a client with a secret does not go to the aliases", async () => {
  const oidc = oidcDouble(ALIASES);
  oidc.next(TOKEN);
  await oidc.confidential().acquireTokenForClient({ scopes: [] });
  assertEquals(oidc.posts[0]?.url, `${ISSUER}/token`);
});

test("R-019 an alias that must not be asked makes the document unusable, for everybody", async () => {
  for (const token_endpoint of ["http://mtls.idp.example/token", "https://127.0.0.1/token", "token", 5]) {
    const oidc = oidcDouble({ mtls_endpoint_aliases: { token_endpoint } });
    const app = oidc.confidential({ clientCredential: { method: "tls_client_auth" } });
    const error = await oidc.refused(app.acquireTokenForClient({ scopes: [] }));
    assertEquals([error.code, oidc.posts.length], ["endpoints_resolution_error", 0]);
  }
  for (const aliases of ["https://evil.example", 5, [], null]) {
    const oidc = oidcDouble({ mtls_endpoint_aliases: aliases });
    oidc.next(TOKEN);
    const app = oidc.confidential({ clientCredential: { method: "tls_client_auth" } });
    await app.acquireTokenForClient({ scopes: [] });
    assertEquals(oidc.posts[0]?.url, `${ISSUER}/token`);
  }
});

test("RFC 8705 without a fetch that presents the certificate, or at Microsoft's, it is refused at once", async () => {
  const clientCredential = { method: "tls_client_auth" } as const;
  await eachRow<[object, string]>({
    "the global fetch": [{ oidcAuthority: ISSUER }, "fetch"],
    "Entra": [{ authority: AUTHORITY, fetch: () => Promise.reject(new Error()) }, "clientCredential"],
  }, ([options, option]) => {
    const error = thrown(() =>
      new ConfidentialClientApplication({ clientId: "x", clientCredential, ...options })
    );
    assertEquals([error.code, (error as { option?: string }).option], ["invalid_client_credential", option]);
  });
  for (
    const wrong of [{ method: "tls" }, { method: "client_secret_post" }, {}, {
      ...clientCredential,
      clientSecret: "s",
    }]
  ) {
    const error = thrown(() => oidcDouble().confidential({ clientCredential: wrong as never }));
    assertEquals(error.code, "invalid_client_credential");
  }
});

test("RFC 8705 a connection that the authority does not accept is a network error that names the host", async () => {
  const oidc = oidcDouble(ALIASES);
  oidc.next(new TypeError("alert certificate required"), new TypeError("alert certificate required"));
  const app = oidc.confidential({ clientCredential: { method: "tls_client_auth" } });
  const error = await failure(oidc.settle(app.acquireTokenForClient({ scopes: [] })));
  assertEquals(error.code, "network_error");
  assertStringIncludes(error.message, "mtls.idp.example");
});
