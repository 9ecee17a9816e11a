/** Unmodified MSAL Python gets tokens on behalf of a user at the local authority on loopback. */
import { assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { LEDGER_API, ON_BEHALF_OF, ORDERS_APP } from "../support/on_behalf_of_scene.ts";
import { peer } from "../support/peers.ts";
import { type Outcome, type PythonResult, runMsalPython } from "./msal_python.ts";

const python = peer("MSAL Python");
const LEDGER = "api://ledger/Ledger.Read";
const PAYROLL = "api://payroll/Pay.Read";

function run(authority: LocalAuthority, calls: readonly Record<string, unknown>[]): Promise<Outcome> {
  return runMsalPython(authority, {
    clientId: ORDERS_APP.clientId,
    clientSecret: ORDERS_APP.secrets[0],
    authority: `https://login.microsoftonline.com/${authority.defaults.tenantId}`,
    calls: calls.map((keywords) => ["acquire_token_on_behalf_of", keywords]),
  });
}

function errorOf(result: PythonResult | undefined): unknown[] {
  const [code] = (result?.["error_codes"] ?? []) as number[];
  return [result?.["error"], code, result?.["suberror"]];
}

python.test("MSAL Python: a token for the user, and a refresh token with it", async () => {
  const authority = new LocalAuthority(ON_BEHALF_OF);
  const user_assertion = await authority.issueUserToken({ resource: "api://orders" });
  const { results: [result], refreshTokens, accounts } = await run(authority, [{
    user_assertion,
    scopes: [LEDGER],
    claims_challenge: JSON.stringify({ access_token: { xms_cc: { values: ["cp1"] } } }),
  }]);
  const { oid, aud, azp, xms_cc } = decodeJwt<Record<string, unknown>>(String(result?.["access_token"]));
  assertEquals([oid, azp], [decodeJwt(user_assertion)["oid"], ORDERS_APP.clientId]);
  assertEquals([aud, xms_cc], [LEDGER_API.appId, ["cp1"]]);
  assertEquals([accounts, refreshTokens.length], [[authority.defaults.username], 1]);
});

python.test("MSAL Python: what is wrong with an assertion", async () => {
  const authority = new LocalAuthority(ON_BEHALF_OF);
  const assertions = await Promise.all([
    authority.issueUserToken({ resource: "api://ledger" }),
    authority.issueUserToken({ resource: "api://orders", lifetimeSeconds: -1 }),
    authority.issueUserToken({ resource: "api://orders", signature: "broken" }),
    authority.issueAppToken({ resource: "api://orders" }),
    authority.issueIdToken({ clientId: ORDERS_APP.clientId }),
  ]);
  const { results } = await run(
    authority,
    assertions.map((user_assertion) => ({ user_assertion, scopes: [LEDGER] })),
  );
  assertEquals(results.map(errorOf), [
    ["invalid_grant", 500131, undefined],
    ["invalid_grant", 500133, undefined],
    ["invalid_grant", 50013, undefined],
    ["unauthorized_client", 7000114, undefined],
    ["invalid_request", 240002, undefined],
  ]);
});

python.test("MSAL Python: a claims challenge, and a sign-in that meets it", async () => {
  const authority = new LocalAuthority(ON_BEHALF_OF);
  const [plain, stronger] = await Promise.all(
    [false, true].map((mfa) => authority.issueUserToken({ resource: "api://orders", mfa })),
  );
  const { results: [refused] } = await run(authority, [{ user_assertion: plain, scopes: [PAYROLL] }]);
  assertEquals(errorOf(refused), ["interaction_required", 50076, "basic_action"]);
  const claims_challenge = String(refused?.["claims"]);
  assertEquals(Object.keys(JSON.parse(claims_challenge).access_token), ["capolids"]);
  const { results: [result] } = await run(authority, [{
    user_assertion: stronger,
    scopes: [PAYROLL],
    claims_challenge,
  }]);
  assertEquals(decodeJwt(String(result?.["access_token"]))["amr"], ["pwd", "mfa"]);
});
