/** Unmodified MSAL Node gets tokens on behalf of a user at the local authority. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ConfidentialClientApplication,
  InteractionRequiredAuthError,
  type OnBehalfOfRequest,
  ServerError,
} from "@azure/msal-node";
import { decodeJwt } from "jose";
import { LocalAuthority, type UserTokenOptions } from "../../src/testing/mod.ts";
import { LEDGER_API, ON_BEHALF_OF, ORDERS_APP } from "../support/on_behalf_of_scene.ts";
import { test } from "../support/suite.ts";
import { type MicrosoftHosts, networkOf, withMicrosoftHosts } from "./microsoft_hosts.ts";

const authority = new LocalAuthority(ON_BEHALF_OF);
const { tenantId, username } = authority.defaults;
const LEDGER = ["api://ledger/Ledger.Read"];
const PAYROLL = ["api://payroll/Pay.Read"];

function api(network: MicrosoftHosts["network"] = networkOf(authority.fetch)): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      clientId: ORDERS_APP.clientId,
      clientSecret: ORDERS_APP.secrets[0],
      authority: `https://login.microsoftonline.com/${tenantId}`,
      clientCapabilities: ["cp1"],
    },
    system: { networkClient: network },
  });
}

function assertionFor(options: UserTokenOptions = {}): Promise<string> {
  return authority.issueUserToken({ resource: "api://orders", ...options });
}

function ask(oboAssertion: string, more: Partial<OnBehalfOfRequest> = {}) {
  return api().acquireTokenOnBehalfOf({ oboAssertion, scopes: LEDGER, ...more });
}

test("MSAL Node gets a token for the user, and keeps it", async () => {
  const app = api();
  const oboAssertion = await assertionFor();
  const first = await app.acquireTokenOnBehalfOf({ oboAssertion, scopes: LEDGER });
  assert(first);
  const { oid, aud, azp, xms_cc } = decodeJwt<Record<string, unknown>>(first.accessToken);
  assertEquals([oid, azp], [decodeJwt(oboAssertion)["oid"], ORDERS_APP.clientId]);
  assertEquals([aud, xms_cc], [LEDGER_API.appId, ["cp1"]]);
  assertEquals([first.account?.username, first.tenantId, first.fromCache], [username, tenantId, false]);
  const again = await app.acquireTokenOnBehalfOf({ oboAssertion, scopes: LEDGER });
  assertEquals([again?.fromCache, again?.accessToken], [true, first.accessToken]);
  const { account } = first;
  assert(account);
  const renewed = await app.acquireTokenSilent({ account, scopes: LEDGER, forceRefresh: true });
  assertEquals(decodeJwt(renewed.accessToken)["oid"], oid);
});

test("MSAL Node gets it from an authority that listens", async () => {
  await withMicrosoftHosts(authority, async ({ network, sent }) => {
    const result = await api(network).acquireTokenOnBehalfOf({
      oboAssertion: await assertionFor(),
      scopes: LEDGER,
    });
    assertEquals(decodeJwt(result?.accessToken ?? "")["azp"], ORDERS_APP.clientId);
    assertEquals(sent.at(-1), `POST /${tenantId}/oauth2/v2.0/token`);
  });
});

test("MSAL Node is told what is wrong with an assertion", async () => {
  const wrong: [Promise<string>, string, string][] = [
    [assertionFor({ resource: "api://ledger" }), "invalid_grant", "500131"],
    [assertionFor({ lifetimeSeconds: -1 }), "invalid_grant", "500133"],
    [assertionFor({ signature: "foreign_key" }), "invalid_grant", "50013"],
    [authority.issueAppToken({ resource: "api://orders" }), "unauthorized_client", "7000114"],
    [authority.issueIdToken({ clientId: ORDERS_APP.clientId }), "invalid_request", "240002"],
  ];
  for (const [assertion, code, number] of wrong) {
    const token = await assertion;
    const error = await assertRejects(() => ask(token), ServerError);
    // It is declared as a string, and is a number.
    assertEquals([error.errorCode, String(error.errorNo)], [code, number]);
  }
});

test("MSAL Node is told to interact, with the claims that a sign-in has to ask for", async () => {
  const oboAssertion = await assertionFor();
  const error = await assertRejects(
    () => ask(oboAssertion, { scopes: PAYROLL }),
    InteractionRequiredAuthError,
  );
  assertEquals([error.errorCode, error.subError], ["interaction_required", "basic_action"]);
  assertEquals(Object.keys(JSON.parse(error.claims).access_token), ["capolids"]);
  const stronger = await assertionFor({ mfa: true });
  assert((await ask(stronger, { scopes: PAYROLL, claims: error.claims }))?.accessToken);
});

test("MSAL Node is told that the user's sessions were revoked", async () => {
  const own = new LocalAuthority(ON_BEHALF_OF);
  const oboAssertion = await own.issueUserToken({ resource: "api://orders" });
  own.revokeSessions(username);
  const app = api(networkOf(own.fetch));
  const error = await assertRejects(
    () => app.acquireTokenOnBehalfOf({ oboAssertion, scopes: LEDGER }),
    InteractionRequiredAuthError,
  );
  assertEquals([error.errorCode, error.subError], ["invalid_grant", "bad_token"]);
});
