/**
 * The demo's second part: a user signs in, and what must not be believed is not.
 *
 * @module
 */
import { type AuthenticationResult, createAuthorizedFetch } from "@msal-edge/msal";
import {
  authority,
  clock,
  coldApplication,
  coldDevice,
  failureOf,
  HOUR_MS,
  server,
  skip,
} from "./demo_scene.ts";
import { demand, type Finding, type Step } from "./demo_table.ts";

const { username } = authority.defaults;
const scopes = ["User.Read"];
const redirectUri = "http://localhost/callback";
const app = coldApplication();
const device = coldDevice();
let current: AuthenticationResult;
let waiting: Awaited<ReturnType<typeof device.initiateDeviceFlow>>;

/** Whose token it is. */
function accountOf({ account }: AuthenticationResult): NonNullable<AuthenticationResult["account"]> {
  demand(account !== null, "the token is nobody's");
  return account;
}

function silently(): Promise<AuthenticationResult> {
  return app.acquireTokenSilent({ account: accountOf(current), scopes });
}

/** The authority's pages do with a person what `signIn` does without one. */
async function signIn(): Promise<Finding> {
  const flow = await app.initiateAuthCodeFlow({ scopes, redirectUri });
  const answer = await authority.signIn(flow.authUri);
  current = await app.acquireTokenByAuthCodeFlow(flow, answer.url);
  demand(current.idTokenClaims?.["name"] === "Alex Doe", "the ID token is not the user's");
  return { outcome: `${accountOf(current).name}, ID token checked`, source: current.tokenSource };
}

async function silentHit(): Promise<Finding> {
  const { accessToken, tokenSource } = await silently();
  demand(accessToken === current.accessToken && tokenSource === "cache", "it is not the cached token");
  return { outcome: "the same token", source: tokenSource };
}

/** The token is over and nobody is asked: the refresh token does. The authority's keys are read again, once a day. */
async function refreshed(): Promise<Finding> {
  skip(25 * HOUR_MS);
  const result = await silently();
  demand(result.accessToken !== current.accessToken, "it is still the old token");
  demand(result.expiresOn.getTime() > clock.now(), "the token has expired");
  current = result;
  return { outcome: "a new token, nobody asked", source: result.tokenSource };
}

/** Somebody revoked the user's sessions: the API refuses the token, and says what a new one must have. */
async function challenged(): Promise<Finding> {
  skip(60_000);
  authority.revokeSessions(username);
  let asked = 0;
  const graph = createAuthorizedFetch({
    origins: [server.origin],
    acquireToken: ({ claims }) => {
      if (claims !== undefined) asked++;
      return app.acquireTokenSilent({ account: accountOf(current), scopes, claims });
    },
  });
  const response = await graph(`${server.origin}/v1.0/me`);
  const { displayName } = await response.json();
  demand(response.status === 200 && asked === 1, `status ${response.status}, ${asked} challenges answered`);
  return { outcome: `401, then ${response.status}, ${displayName}`, source: "protected API" };
}

/** An attacker's answer, in the place of the user's own. */
async function tampered(): Promise<Finding> {
  const flow = await app.initiateAuthCodeFlow({ scopes, redirectUri });
  const { url } = await authority.signIn(flow.authUri);
  url.searchParams.set("state", crypto.randomUUID());
  const { code } = await failureOf(app.acquireTokenByAuthCodeFlow(flow, url));
  demand(code === "state_mismatch", `it failed with ${code}`);
  return { outcome: code, source: "refused, not sent" };
}

/** Somebody between here and the authority changes who signed in. */
async function forged(): Promise<Finding> {
  const cold = coldApplication();
  const flow = await cold.initiateAuthCodeFlow({ scopes, redirectUri });
  const { url } = await authority.signIn(flow.authUri);
  authority.fault({ on: "token", kind: "id_token", claims: { name: "Mallory" }, signature: "broken" });
  const { code } = await failureOf(cold.acquireTokenByAuthCodeFlow(flow, url));
  demand(code === "id_token_signature_invalid", `it failed with ${code}`);
  demand(await cold.getAccount(accountOf(current).homeAccountId) === null, "something was stored");
  return { outcome: code, source: "refused, unstored" };
}

async function deviceWaits(): Promise<Finding> {
  waiting = await device.initiateDeviceFlow({ scopes });
  const answer = await device.acquireTokenByDeviceFlow(waiting, { poll: "once" });
  demand(answer.status === "pending", "nobody has typed the code yet");
  waiting = answer.flow;
  return { outcome: `code ${waiting.userCode}, ${answer.status}`, source: "identity_provider" };
}

async function deviceSignsIn(): Promise<Finding> {
  authority.approveDevice(waiting.userCode);
  skip(waiting.intervalSeconds * 1000);
  const result = await device.acquireTokenByDeviceFlow(waiting, { poll: "once" });
  demand("accessToken" in result, "the user has typed the code");
  return { outcome: `${accountOf(result).name}, ID token checked`, source: result.tokenSource };
}

/** The steps, in order. */
export const userSteps: readonly Step[] = [
  { name: "sign in by code and PKCE", requests: 3, run: signIn },
  { name: "silently, the same again", requests: 0, run: silentHit },
  { name: "the next day, silently", requests: 3, run: refreshed },
  { name: "the API asks for claims, once", requests: 3, run: challenged },
  { name: "callback of another sign-in", requests: 0, run: tampered },
  { name: "forged ID token", requests: 3, run: forged },
  { name: "sign in by device code", requests: 4, run: deviceWaits },
  { name: "the user has typed the code", requests: 1, run: deviceSignsIn },
];
