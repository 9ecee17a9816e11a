/**
 * Runs `mcp.ts` without a tenant: a local authority in this Worker plays Microsoft Entra ID and Graph, on the same address. With
 * TENANT_ID set, in `.dev.vars` for example, it plays nothing. Never deploy this module.
 *
 * @module
 */
import { perEnv } from "@msal-edge/msal";
import type { LocalAuthority } from "@msal-edge/msal/testing";
import { announce, declareTenant, playGraph, tenantAt, tenantOf } from "../shared/local_tenant.ts";
import type { Context } from "./daemon.ts";
import worker, { type Env, guardOf, mcpWorker } from "./mcp.ts";

interface Played {
  readonly answer: ReturnType<typeof mcpWorker>;
  /** Absent where another program plays the tenant. */
  readonly authority?: LocalAuthority;
}

type Bindings = Partial<Env> & { readonly LOCAL_TENANT?: string };

const played = perEnv(({ BASE_URL = "http://localhost:8787", LOCAL_TENANT }: Bindings): Played => {
  const authority = LOCAL_TENANT === undefined ? declareTenant() : undefined;
  if (authority !== undefined) {
    announce(authority);
    playGraph(BASE_URL, (input, init) => authority.handler(new Request(input, init)));
  }
  const { tools } = authority === undefined ? tenantOf(LOCAL_TENANT!) : tenantAt(BASE_URL, authority);
  const env = { TENANT_ID: "", CLIENT_ID: tools.clientId, CLIENT_SECRET: "", BASE_URL };
  return { answer: mcpWorker(guardOf(env, tools)), ...(authority && { authority }) };
});

export default {
  fetch(request: Request, env: Bindings, ctx: Context): Promise<Response> {
    if (env.TENANT_ID !== undefined) return worker.fetch(request, env as Env, ctx);
    const { answer, authority } = played(env);
    const isOwn = authority === undefined ||
      /^\/(?:mcp$|\.well-known\/oauth-protected-resource)/.test(new URL(request.url).pathname);
    return isOwn ? answer(request, ctx) : authority.handler(request);
  },
};
