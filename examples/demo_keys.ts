/**
 * The demo's third part: a token that is of no use to whoever copies it.
 *
 * @module
 */
import { type AuthenticationResult, createAuthorizedFetch } from "@msal-edge/msal";
import { DpopAuthScheme } from "@msal-edge/msal/proof-of-possession";
import { authority, clock, coldApplication, server } from "./demo_scene.ts";
import { demand, type Finding, type Step } from "./demo_table.ts";

const app = coldApplication();
const scopes = [authority.defaults.scope];
const url = `${server.origin}/v1.0/organization`;
// Nobody can take the key out of the runtime.
const authScheme = await DpopAuthScheme.generate();
let current: AuthenticationResult;

async function boundToken(): Promise<Finding> {
  current = await app.acquireTokenForClient({ scopes, authScheme });
  demand(current.tokenType === "DPoP", `its type is ${current.tokenType}`);
  return { outcome: "bound to a key (DPoP)", source: current.tokenSource };
}

async function withProof(): Promise<Finding> {
  const api = createAuthorizedFetch({
    origins: [server.origin],
    authScheme,
    clock,
    acquireToken: (challenge) => app.acquireTokenForClient({ scopes, ...challenge }),
  });
  const { status } = await api(url);
  demand(status === 200, `the endpoint answered with status ${status}`);
  return { outcome: `${status}, the sender has the key`, source: "protected API" };
}

/** Whoever finds the token in a log has no key, and sends it as it is. */
async function copied(): Promise<Finding> {
  const { status } = await fetch(url, { headers: { authorization: `Bearer ${current.accessToken}` } });
  demand(status === 401, `the endpoint answered with status ${status}`);
  return { outcome: `${status}, of no use`, source: "protected API" };
}

/** The steps, in order. */
export const keySteps: readonly Step[] = [
  { name: "a token for a key", requests: 1, run: boundToken },
  { name: "call the API with a proof", requests: 1, run: withProof },
  { name: "the same token, copied", requests: 1, run: copied },
];
