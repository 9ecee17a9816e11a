/** What is refused of a sign-in at oidc-provider: by it, and by us. */
import { assertEquals, assertRejects } from "@std/assert";
import { exportJWK, generateKeyPair } from "jose";
import {
  type ClientApplication,
  ClientAuthError,
  InteractionRequiredAuthError,
  ServerError,
} from "../../mod.ts";
import { test } from "../support/suite.ts";
import type { OidcProviderServer } from "./oidc_server.ts";
import { personNamed, REQUEST, SCOPES, serveUsers, signIn, tokenRequests, webApp } from "./oidc_users.ts";

/** Errors of an authorization request, by how they come about. */
const SILENT_ERRORS: Readonly<Record<string, readonly [isSignedIn: boolean, code: string]>> = {
  "without a session": [false, "login_required"],
  "without consent": [true, "consent_required"],
};

for (const [name, [isSignedIn, code]] of Object.entries(SILENT_ERRORS)) {
  test(`oidc-provider: prompt=none ${name} is ${code}`, async () => {
    await using server = await serveUsers();
    const app = webApp(server);
    const person = personNamed("ada");
    if (isSignedIn) await signIn(app, person);
    const scopes = isSignedIn ? ["orders.write"] : SCOPES;
    const flow = await app.initiateAuthCodeFlow({ ...REQUEST, scopes, prompt: "none" });
    const answer = await person.signIn(flow.authUri);
    const before = tokenRequests(server);
    const redeem = () => app.acquireTokenByAuthCodeFlow(flow, answer);
    const error = await assertRejects(redeem, InteractionRequiredAuthError);
    assertEquals([error.code, error.error, error.status], [code, code, 0] as typeof error.code[]);
    assertEquals(tokenRequests(server), before);
  });
}

test("oidc-provider: a person who aborts is access_denied", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const { browser } = personNamed("ada");
  const { location } = await browser.open(flow.authUri);
  await browser.open(location!);
  const aborted = await browser.open(`${location!.href}/abort`);
  const { location: answer } = await browser.open(aborted.location!);
  const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(flow, answer!), ServerError);
  assertEquals(error.error, "access_denied");
});

test("oidc-provider: another verifier does not redeem the code", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const answer = await personNamed("ada").signIn(flow.authUri);
  const other = await app.initiateAuthCodeFlow(REQUEST);
  const mixed = { ...flow, codeVerifier: other.codeVerifier };
  const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(mixed, answer), ServerError);
  assertEquals([error.error, error.status], ["invalid_grant", 400]);
  assertEquals(await app.getAccount(`${server.issuer}#ada`), null);
});

test("oidc-provider: a code counts once, here and there", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const { flow, answer, result: { account } } = await signIn(app);
  const here = await assertRejects(
    () => app.acquireTokenByAuthCodeFlow(flow, answer.clone()),
    ClientAuthError,
  );
  assertEquals([here.code, tokenRequests(server)], ["auth_flow_used", 1]);
  // Another isolate does not know of it; oidc-provider does, and ends what came of the code.
  const there = () => webApp(server).acquireTokenByAuthCodeFlow(flow, answer);
  assertEquals((await assertRejects(there, ServerError)).error, "invalid_grant");
  const silent = () => app.acquireTokenSilent({ account: account!, scopes: SCOPES, forceRefresh: true });
  assertEquals((await assertRejects(silent, InteractionRequiredAuthError)).error, "invalid_grant");
});

/** Answers that somebody changed on their way, and how each is refused. */
const TAMPERED: Readonly<Record<string, readonly [change: (url: URL) => void, code: string]>> = {
  "another state": [({ searchParams }) => searchParams.set("state", "another"), "state_mismatch"],
  "no state": [({ searchParams }) => searchParams.delete("state"), "state_not_found"],
  "two states": [({ searchParams }) => searchParams.append("state", "x"), "duplicate_parameter"],
  "another issuer": [
    ({ searchParams }) => searchParams.set("iss", "https://evil.example"),
    "issuer_mismatch",
  ],
  "no issuer": [({ searchParams }) => searchParams.delete("iss"), "issuer_mismatch"],
  "no code": [({ searchParams }) => searchParams.delete("code"), "invalid_auth_response"],
};

test("oidc-provider: an answer that was changed on its way spends no code", async () => {
  await using server = await serveUsers();
  const app = webApp(server);
  const flow = await app.initiateAuthCodeFlow(REQUEST);
  const answer = await personNamed("ada").signIn(flow.authUri);
  for (const [name, [change, code]] of Object.entries(TAMPERED)) {
    const changed = new URL(answer.url);
    change(changed);
    const error = await assertRejects(() => app.acquireTokenByAuthCodeFlow(flow, changed), ClientAuthError);
    assertEquals(error.code, code, name);
  }
  assertEquals(tokenRequests(server), 0);
  // The code is still good.
  assertEquals((await app.acquireTokenByAuthCodeFlow(flow, answer)).account?.username, "ada@example");
});

/** A web app that reads this key set in place of the server's. */
function appThatReads(server: OidcProviderServer, keys: readonly unknown[]): ClientApplication {
  return webApp(server, {
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!url.toString().endsWith("/jwks")) return response;
      await response.body?.cancel();
      return Response.json({ keys });
    },
  });
}

test("oidc-provider: an ID token whose key is not listed, or another one, is refused, and nothing is kept", async () => {
  await using server = await serveUsers();
  const { publicKey } = await generateKeyPair("RS256", { extractable: true });
  const key = { ...await exportJWK(publicKey), use: "sig", alg: "RS256" };
  const cases = { id_token_key_not_found: "rsa-0", id_token_signature_invalid: "rsa-1" };
  for (const [code, kid] of Object.entries(cases)) {
    const app = appThatReads(server, [{ ...key, kid }]);
    const error = await assertRejects(() => signIn(app), ClientAuthError);
    assertEquals(error.code, code as typeof error.code);
    assertEquals(await app.getAccount(`${server.issuer}#ada`), null);
  }
});

test("oidc-provider: without keys no code is spent", async () => {
  await using server = await serveUsers();
  const error = await assertRejects(() => signIn(appThatReads(server, [])), ClientAuthError);
  assertEquals([error.code, tokenRequests(server)], ["endpoints_resolution_error", 0]);
});
