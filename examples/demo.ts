/**
 * What the library does, shown against a local authority on loopback: no tenant, no network, no secrets.
 *
 * Every line of the table is measured and checked; the exit code is 1 if one of them is not as promised. The clock of
 * the application and of the authority is moved forward in two places, so that nobody has to wait for half a day.
 *
 * ```sh
 * npx --yes deno@2.9.6 task demo
 * ```
 *
 * @module
 */
import {
  allowInsecureLoopback,
  type AuthenticationResult,
  type AuthError,
  type Clock,
  ConfidentialClientApplication,
  ServerError,
  systemClock,
} from "@msal-edge/msal";
import { LocalAuthority } from "@msal-edge/msal/testing";
import { demand, type Finding, Table, wrap } from "./demo_table.ts";

const HOUR_MS = 3_600_000;
const CALLERS = 50;

let skippedMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + skippedMs };

// Tokens for a day, with `refresh_in` after half of it, as Entra issues them to some applications.
const authority = new LocalAuthority({ clock, tokenLifetimeSeconds: 24 * 3600 });
const { tenantId, clientId, clientSecret, scope } = authority.defaults;
const request = { scopes: [scope] };
const server = await authority.serve(Deno);
// The authority makes its keys now, so that the first line shows what the library takes.
await authority.issueAppToken();

const background: Promise<unknown>[] = [];

/** A new application with an empty cache: what every fresh process or isolate starts with. */
function coldApplication(secret = clientSecret): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    clientId,
    authority: `${server.origin}/${tenantId}`,
    clientCredential: secret,
    clock,
    waitUntil: (promise) => void background.push(promise),
    [allowInsecureLoopback]: true,
  });
}

/** The error that a call fails with. */
async function failureOf(call: Promise<AuthenticationResult>): Promise<ServerError> {
  const error = await call.then(() => undefined, (reason: unknown) => reason);
  demand(error instanceof ServerError, "the call did not fail with a ServerError");
  return error;
}

const app = coldApplication();
const throttledApp = coldApplication();
let current: AuthenticationResult;

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
  skippedMs += 13 * HOUR_MS;
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
  const error = await failureOf(throttledApp.acquireTokenForClient(request));
  demand(error.code === "throttled" && !error.throttledLocally, `it failed with ${error.code}`);
  const outcome = `ServerError, wait ${error.retryAfterSeconds} s`;
  return { outcome, source: `status ${error.status}` };
}

async function throttledLocally(): Promise<Finding> {
  const error = await failureOf(throttledApp.acquireTokenForClient(request));
  demand(error.code === "throttled" && error.throttledLocally, "it was not answered locally");
  const outcome = `ServerError, wait ${error.retryAfterSeconds} s`;
  return { outcome, source: "answered locally" };
}

/** A refresh is due again, and every request fails with status 503, also the one more try. */
async function outage(): Promise<Finding> {
  skippedMs += 13 * HOUR_MS;
  authority.fault({ on: "token", kind: "server_error", status: 503, times: Infinity });
  const { expiresOn, tokenSource } = await app.acquireTokenForClient(request);
  const hours = Math.floor((expiresOn.getTime() - clock.now()) / HOUR_MS);
  demand(tokenSource === "cache" && hours > 0, "the cached token was not handed out");
  return { outcome: `cached token, ${hours} h left`, source: tokenSource };
}

async function refused(): Promise<Finding> {
  authority.clearFaults();
  const secret = "not~the~secret~of~this~application";
  const error = await failureOf(coldApplication(secret).acquireTokenForClient(request));
  demand(error.errorCodes[0] === 7000215, "the authority did not refuse the secret");
  const told = [error.message, error.stack, JSON.stringify(error), error.errorDescription].join();
  demand(!told.includes(secret), "the error tells the secret");
  return { outcome: `ServerError, AADSTS${error.errorCodes[0]}`, source: `status ${error.status}`, error };
}

/** An error as an application would print it. */
function tell(error: AuthError): void {
  console.log("\nThe wrong secret, as a person sees it:\n");
  console.log(wrap(`${error.name} ${error.code}: ${error.message}`, "  "));
  console.log(`  correlation id ${error.correlationId}`);
}

console.log(
  "msal-edge, against a local authority on this machine. Nothing leaves it, no tenant is needed.\n",
);
const table = new Table({
  countRequests: () => authority.countRequests(),
  settle: () => Promise.all(background.splice(0)),
  colours: Deno.stdout.isTerminal() && !Deno.noColor,
});
let refusal: Finding;
try {
  await table.run({ name: "first token, empty cache", requests: 1, run: firstToken });
  await table.run({ name: "the same call again", requests: 0, run: cacheHit });
  await table.run({ name: "call the API with the token", requests: 1, run: callGraph });
  await table.run({ name: `${CALLERS} callers, empty cache`, requests: 1, run: herd });
  await table.run({ name: "13 h later: a refresh is due", requests: 1, run: refreshAhead });
  await table.run({ name: "the call after that", requests: 0, run: afterRefresh });
  await table.run({ name: "throttled, Retry-After: 30", requests: 1, run: throttled });
  await table.run({ name: "the same call again", requests: 0, run: throttledLocally });
  await table.run({ name: "13 h later: authority is down", requests: 2, run: outage });
  refusal = await table.run({ name: "wrong client secret", requests: 1, run: refused });
} finally {
  await server.close();
}
console.log(`\ntime: what the caller waited. HTTP: requests of the step, ${table.requests} in all.`);
console.log("13 h later: the demo moves the clock of the application and of the authority.");
if (refusal.error) tell(refusal.error);
for (const failure of table.failures) console.error(wrap(failure, "FAIL  "));
Deno.exitCode = table.failures.length === 0 ? 0 : 1;
