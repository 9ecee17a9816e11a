/**
 * The demo's first part: a program gets tokens of its own.
 *
 * @module
 */
import { type AuthenticationResult, ServerError } from "@msal-edge/msal";
import { authority, clock, coldApplication, failureOf, HOUR_MS, server, skip } from "./demo_scene.ts";
import { demand, type Finding, type Step } from "./demo_table.ts";

const CALLERS = 50;
const request = { scopes: [authority.defaults.scope] };
const app = coldApplication();
const throttledApp = coldApplication();
let current: AuthenticationResult;

async function serverErrorOf(call: Promise<unknown>): Promise<ServerError> {
  const error = await failureOf(call);
  demand(error instanceof ServerError, `it failed with ${error.name}`);
  return error;
}

async function firstToken(): Promise<Finding> {
  current = await app.acquireTokenForClient(request);
  demand(current.tokenSource === "identity_provider", "the token is not a new one");
  const hours = Math.round((current.expiresOn.getTime() - clock.now()) / HOUR_MS);
  return { outcome: `${current.tokenType} token for ${hours} h`, source: current.tokenSource };
}

async function cacheHit(): Promise<Finding> {
  const { accessToken, tokenSource } = await app.acquireTokenForClient(request);
  demand(accessToken === current.accessToken && tokenSource === "cache", "it is not the cached token");
  return { outcome: "the same token", source: tokenSource };
}

async function callGraph(): Promise<Finding> {
  const headers = { authorization: `Bearer ${current.accessToken}` };
  const response = await fetch(`${server.origin}/v1.0/organization`, { headers });
  const body = await response.json();
  demand(response.status === 200, `the endpoint answered with status ${response.status}`);
  return {
    outcome: `${response.status}, organization ${body.value[0].displayName}`,
    source: "protected API",
  };
}

async function herd(): Promise<Finding> {
  const cold = coldApplication();
  const calls = Array.from({ length: CALLERS }, () => cold.acquireTokenForClient(request));
  const results = await Promise.all(calls);
  const distinct = new Set(results.map(({ accessToken }) => accessToken)).size;
  demand(distinct === 1, `the callers got ${distinct} tokens`);
  return { outcome: `${results.length} callers, ${distinct} token`, source: results[0]?.tokenSource ?? "" };
}

/** A caller who waited for the refresh would come back after the authority has been asked. */
async function refreshAhead(): Promise<Finding> {
  skip(13 * HOUR_MS);
  const asked = authority.countRequests({ kind: "token" });
  const { accessToken, tokenSource, metadata } = await app.acquireTokenForClient(request);
  demand(authority.countRequests({ kind: "token" }) === asked, "the caller waited for the refresh");
  demand(accessToken === current.accessToken, "the caller did not get the old token");
  demand(metadata.refreshReason === "proactive_refresh", "no refresh was due");
  return { outcome: "the old token, at once", source: tokenSource };
}

async function afterRefresh(): Promise<Finding> {
  const { accessToken, tokenSource } = await app.acquireTokenForClient(request);
  demand(accessToken !== current.accessToken, "it is still the old token");
  demand(tokenSource === "cache", "the token is not from the cache");
  return { outcome: "the new token", source: tokenSource };
}

async function throttled(): Promise<Finding> {
  authority.fault({ on: "token", kind: "throttled", retryAfter: 30 });
  const error = await serverErrorOf(throttledApp.acquireTokenForClient(request));
  demand(error.code === "throttled" && !error.throttledLocally, `it failed with ${error.code}`);
  const outcome = `ServerError, wait ${error.retryAfterSeconds} s`;
  return { outcome, source: `status ${error.status}` };
}

async function throttledLocally(): Promise<Finding> {
  const error = await serverErrorOf(throttledApp.acquireTokenForClient(request));
  demand(error.code === "throttled" && error.throttledLocally, "it was not answered locally");
  const outcome = `ServerError, wait ${error.retryAfterSeconds} s`;
  return { outcome, source: "answered locally" };
}

/** A refresh is due again, and every request fails with status 503, also the one more try. */
async function outage(): Promise<Finding> {
  skip(13 * HOUR_MS);
  authority.fault({ on: "token", kind: "server_error", status: 503, times: Infinity });
  const { expiresOn, tokenSource } = await app.acquireTokenForClient(request);
  const hours = Math.floor((expiresOn.getTime() - clock.now()) / HOUR_MS);
  demand(tokenSource === "cache" && hours > 0, "the cached token was not handed out");
  return { outcome: `cached token, ${hours} h left`, source: tokenSource };
}

async function refused(): Promise<Finding> {
  authority.clearFaults();
  const secret = "not~the~secret~of~this~application";
  const error = await serverErrorOf(coldApplication(secret).acquireTokenForClient(request));
  demand(error.errorCodes[0] === 7000215, "the authority did not refuse the secret");
  const told = [error.message, error.stack, JSON.stringify(error), error.errorDescription].join();
  demand(!told.includes(secret), "the error tells the secret");
  return { outcome: `ServerError, AADSTS${error.errorCodes[0]}`, source: `status ${error.status}`, error };
}

/** The steps, in order. */
export const appSteps: readonly Step[] = [
  { name: "first token, empty cache", requests: 1, run: firstToken },
  { name: "the same call again", requests: 0, run: cacheHit },
  { name: "call the API with the token", requests: 1, run: callGraph },
  { name: `${CALLERS} callers, empty cache`, requests: 1, run: herd },
  { name: "13 h later: a refresh is due", requests: 1, run: refreshAhead },
  { name: "the call after that", requests: 0, run: afterRefresh },
  { name: "throttled, Retry-After: 30", requests: 1, run: throttled },
  { name: "the same call again", requests: 0, run: throttledLocally },
  { name: "13 h later: authority is down", requests: 2, run: outage },
  { name: "wrong client secret", requests: 1, run: refused },
];
