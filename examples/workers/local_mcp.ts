/**
 * Runs `mcp.ts` without a tenant: a local authority in this Worker plays Microsoft Entra ID and Graph, on the same address. With
 * TENANT_ID set, in `.dev.vars` for example, it plays nothing. Never deploy this module.
 *
 * @module
 */
import { perEnv } from "@msal-edge/msal";
import type { LocalAuthority } from "@msal-edge/msal/testing";
import { announce, declareTenant, playGraph, tenantAt } from "../shared/local_tenant.ts";
import type { Context } from "./daemon.ts";
import worker, { type Env, guardOf, mcpWorker } from "./mcp.ts";

interface Played {
  readonly answer: ReturnType<typeof mcpWorker>;
  readonly authority: LocalAuthority;
}

const played = perEnv((env: Partial<Env>): Played => {
  const authority = declareTenant();
  announce(authority);
  const BASE_URL = env.BASE_URL ?? "http://localhost:8787";
  playGraph(BASE_URL, (input, init) => authority.handler(new Request(input, init)));
  const { tools } = tenantAt(BASE_URL, authority);
  const names = { TENANT_ID: "", CLIENT_ID: tools.clientId, CLIENT_SECRET: "", BASE_URL };
  return { answer: mcpWorker(guardOf(names, tools)), authority };
});

export default {
  fetch(request: Request, env: Partial<Env>, ctx: Context): Promise<Response> {
    if (env.TENANT_ID !== undefined) return worker.fetch(request, env as Env, ctx);
    const { answer, authority } = played(env);
    const isOwn = /^\/(?:mcp$|\.well-known\/oauth-protected-resource)/.test(new URL(request.url).pathname);
    return isOwn ? answer(request, ctx) : authority.handler(request);
  },
};
