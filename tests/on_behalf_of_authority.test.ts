/**
 * On behalf of, against the local authority: real tokens, validated by the real way.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { ConfidentialClientApplication, InteractionRequiredAuthError, TokenCache } from "../mod.ts";
import type { UserTokenOptions } from "../src/testing/mod.ts";
import { failure, settle } from "./support/app_fixture.ts";
import { LEDGER_API, ORDERS_API, ORDERS_APP, PAYROLL_API } from "./support/on_behalf_of_scene.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { CLI, CONTOSO, FABRIKAM, HOST, UserScene, WEB } from "./support/user_scene.ts";

const ADA = "ada@contoso.onmicrosoft.com";
const BOB = "bob@contoso.onmicrosoft.com";
const LEDGER: readonly string[] = ["api://ledger/Ledger.Read"];

/** The API in the middle, over a store. */
function orders(options: Record<string, unknown> = {}) {
  const scene = new UserScene({
    apps: [WEB, CLI, ORDERS_APP],
    resources: [ORDERS_API, LEDGER_API, PAYROLL_API],
  });
  const { authority, clock } = scene;
  const store = countingStore(clock);
  const requests: string[] = [];
  const isolate = () =>
    new ConfidentialClientApplication({
      clientId: ORDERS_APP.clientId,
      authority: `${HOST}/${CONTOSO.id}`,
      clientCredential: ORDERS_APP.secrets[0],
      tokenCache: new TokenCache({ store }),
      fetch: (url, init) => {
        if (init?.method === "POST") requests.push(url);
        return authority.fetch(url, init);
      },
      clock,
      ...options,
    });
  const assertionFor = (username = ADA, more: UserTokenOptions = {}): Promise<string> =>
    authority.issueUserToken({ username, resource: "api://orders", ...more });
  return { scene, authority, clock, store, requests, isolate, app: isolate(), assertionFor };
}

test("an API calls another one for its caller, once, and another isolate finds the token", async () => {
  const { app, assertionFor, clock, isolate, requests } = orders();
  const request = { userAssertion: await assertionFor(), scopes: LEDGER };
  const results = await settle(
    clock,
    Promise.all(Array.from({ length: 20 }, () => app.acquireTokenOnBehalfOf(request))),
  );
  const [{ accessToken, account }] = results as [typeof results[number]];
  const claims = decodeJwt(accessToken);
  assertEquals([claims.aud, claims.scp, claims.oid], [
    LEDGER_API.appId,
    "Ledger.Read",
    account?.localAccountId,
  ]);
  assertEquals(account?.username, ADA);
  const other = await settle(clock, isolate().acquireTokenOnBehalfOf(request));
  assertEquals([other.accessToken, other.account?.username, requests.length], [accessToken, ADA, 1]);
});

test("an authority of many tenants is asked in the assertion's: guests stay guests", async () => {
  const { app, assertionFor, clock, requests } = orders({ authority: `${HOST}/organizations` });
  const userAssertion = await assertionFor(ADA, { tenant: FABRIKAM.id });
  const { account, tenantId } = await settle(
    clock,
    app.acquireTokenOnBehalfOf({ userAssertion, scopes: LEDGER }),
  );
  assertEquals([tenantId, account?.homeAccountId.split(".")[1]], [FABRIKAM.id, CONTOSO.id]);
  assertEquals(requests, [`${HOST}/${FABRIKAM.id}/oauth2/v2.0/token`]);
});

test("R-164: a policy of the next API comes back as claims", async () => {
  const { app, assertionFor, clock } = orders();
  const userAssertion = await assertionFor(BOB);
  const scopes = ["api://payroll/Pay.Read"];
  const error = await failure(settle(clock, app.acquireTokenOnBehalfOf({ userAssertion, scopes })));
  assert(error instanceof InteractionRequiredAuthError);
  assertEquals(typeof JSON.parse(error.claims ?? "").access_token, "object");
});

test("R-163: an assertion for somebody else is refused by the authority, an expired one here", async () => {
  const { app, assertionFor, clock, requests } = orders();
  const foreign = await assertionFor(ADA, { resource: "api://ledger" });
  const ask = (userAssertion: string) =>
    failure(settle(clock, app.acquireTokenOnBehalfOf({ userAssertion, scopes: LEDGER })));
  assertEquals((await ask(foreign)).code, "server_error");
  const userAssertion = await assertionFor();
  await clock.advance(86_400_000);
  assertEquals((await ask(userAssertion)).code, "user_assertion_expired");
  assertEquals(requests.length, 1);
});

test("a process outlives its assertion, until the sessions are revoked; it can be stopped", async () => {
  const { app, assertionFor, authority, clock, isolate } = orders();
  const { sessionKey, result } = await settle(
    clock,
    app.initiateLongRunningProcessInWebApi({ userAssertion: await assertionFor(), scopes: LEDGER }),
  );
  await clock.advance(86_400_000);
  const go = (one = app, scopes = LEDGER, forceRefresh = false) =>
    settle(clock, one.acquireTokenInLongRunningProcess({ sessionKey, scopes, forceRefresh }));
  const later = await go(isolate(), ["api://ledger/Ledger.Write"]);
  assertEquals(later.account?.homeAccountId, result.account?.homeAccountId);
  assertEquals(decodeJwt(later.accessToken).oid, decodeJwt(result.accessToken).oid);
  authority.revokeSessions(ADA, { refreshTokens: true });
  const error = await failure(go(app, LEDGER, true));
  assert(error instanceof InteractionRequiredAuthError);
  await settle(clock, app.stopLongRunningProcessInWebApi(sessionKey));
  assertEquals((await failure(go())).code, "no_tokens_found");
});
