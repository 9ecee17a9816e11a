/**
 * An MCP server on Cloudflare Workers whose tools are for users of Microsoft Entra ID: clients find out by themselves where to sign
 * in (RFC 9728). Nothing here knows of the local authority; `local_mcp.ts` puts it around this module for `wrangler dev`.
 *
 * @module
 */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { ConfidentialClientApplication, isAuthError, perEnv } from "@msal-edge/msal";
import { type ApiAuth, type ApiCaller, createApiAuth } from "@msal-edge/msal/web";
import type { Context } from "./daemon.ts";

/** The Worker's variables; `CLIENT_SECRET` is a secret. */
export interface Env {
  readonly TENANT_ID: string;
  readonly CLIENT_ID: string;
  readonly CLIENT_SECRET: string;
  /** This server's public address. */
  readonly BASE_URL: string;
}

const GRAPH = "https://graph.microsoft.com";

/** The guard of a tenant; `local` are the options of one that is played. */
export const guardOf = (env: Env, local?: object): ApiAuth =>
  createApiAuth({
    app: new ConfidentialClientApplication({
      clientId: env.CLIENT_ID,
      clientCredential: env.CLIENT_SECRET,
      authority: { instance: "login.microsoftonline.com", tenant: env.TENANT_ID },
      clientCapabilities: ["cp1"],
      // What fails is told here, without secrets: callers only get a code.
      logger: { warn: console.warn, error: console.error },
      ...local,
    }),
    audience: [env.CLIENT_ID, `api://${env.CLIENT_ID}`],
    protectedResource: {
      resource: new URL("/mcp", env.BASE_URL),
      resourceName: "Directory tools",
      scopesSupported: [`api://${env.CLIENT_ID}/Tools.Use`],
    },
  });

/** The tools of one caller. */
function toolsFor(caller: ApiCaller): McpServer {
  const server = new McpServer({ name: "directory-tools", version: "1.0.0" });
  const description = "Reads the caller's own profile from Microsoft Graph";
  server.registerTool("my_profile", { description }, async () => {
    // The caller's token is for this server alone; Graph gets one on behalf of the caller.
    const graph = caller.fetch({ scopes: [`${GRAPH}/User.Read`], origins: [GRAPH] });
    const response = await graph(`${GRAPH}/v1.0/me`);
    return { content: [{ type: "text", text: await response.text() }], isError: !response.ok };
  });
  return server;
}

/** Answers a request. It keeps nothing between requests, so that any isolate can answer. */
export function mcpWorker(guard: ApiAuth): (request: Request, ctx: Context) => Promise<Response> {
  const answer = guard.protect(async (request, caller) => {
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await toolsFor(caller).connect(transport);
    return await transport.handleRequest(request);
  }, { scopes: ["Tools.Use"] });
  return async (request, ctx) => {
    const context = { waitUntil: (promise: Promise<unknown>) => ctx.waitUntil(promise) };
    const found = await guard.route(request, context);
    if (found !== undefined) return found;
    return new URL(request.url).pathname === "/mcp"
      ? await answer(request, context)
      : new Response("There is nothing here but /mcp\n", { status: 404 });
  };
}

const workerOf = perEnv((env: Env) => mcpWorker(guardOf(env)));

export default {
  fetch(request: Request, env: Env, ctx: Context): Promise<Response> {
    let answer: ReturnType<typeof mcpWorker>;
    try {
      answer = workerOf(env);
    } catch (error) {
      // A variable is missing or wrong. Callers are told nothing of it: the log is for you.
      console.error(isAuthError(error) ? `${error.code}: ${error.message}` : error);
      return Promise.resolve(new Response("This server cannot be used just now\n", { status: 503 }));
    }
    return answer(request, ctx);
  },
};
