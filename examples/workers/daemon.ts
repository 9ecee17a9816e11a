/**
 * A daemon on Cloudflare Workers: reads the organization from Microsoft Graph with an app token, on a schedule and on
 * request. Nothing here knows of the local authority; `local.ts` puts it around this module for `wrangler dev`.
 *
 * @module
 */
import { ConfidentialClientApplication, isAuthError, perEnv } from "@msal-edge/msal";

/** The Worker's variables; `CLIENT_SECRET` is a secret. */
export interface Env {
  readonly TENANT_ID: string;
  readonly CLIENT_ID: string;
  readonly CLIENT_SECRET: string;
}

/** What is used of a Worker's context. */
export interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

/** One application for each isolate: its cache serves every request. */
const appOf = perEnv((env: Env) =>
  new ConfidentialClientApplication({
    clientId: env.CLIENT_ID,
    authority: `https://login.microsoftonline.com/${env.TENANT_ID}`,
    clientCredential: env.CLIENT_SECRET,
  })
);

/**
 * Reads the organization's name. `waitUntil` lets the requests of the isolate share one token request, and lets a
 * refresh run after the response.
 */
async function organizationName(env: Env, ctx: Context): Promise<string> {
  const { accessToken } = await appOf(env).acquireTokenForClient({
    scopes: ["https://graph.microsoft.com/.default"],
    waitUntil: (promise) => ctx.waitUntil(promise),
  });
  const response = await fetch("https://graph.microsoft.com/v1.0/organization", {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (!response.ok) throw new Error(`Graph answered ${response.status}: ${await response.text()}`);
  const { value } = await response.json() as { value: { displayName: string }[] };
  return value[0]?.displayName ?? "(no name)";
}

/** One line for the Worker's log. The library's errors hold no secrets and say what to do. */
function describe(error: unknown): string {
  if (isAuthError(error)) {
    return `${error.code}: ${error.message} [${error.correlationId ?? "nothing was sent"}]`;
  }
  return String(error);
}

export default {
  async fetch(_request: Request, env: Env, ctx: Context): Promise<Response> {
    try {
      return new Response(`Hello from ${await organizationName(env, ctx)}\n`);
    } catch (error) {
      console.error(describe(error));
      // Visitors are told nothing of it: the log is for you.
      return new Response("The directory cannot be read just now\n", { status: 503 });
    }
  },

  async scheduled(_event: unknown, env: Env, ctx: Context): Promise<void> {
    try {
      console.log(`Scheduled run for ${await organizationName(env, ctx)}`);
    } catch (error) {
      console.error(describe(error));
      throw new Error("The scheduled run failed, see the log");
    }
  },
};
