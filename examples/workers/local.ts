/**
 * Runs `daemon.ts` without a tenant: a local authority in this Worker plays Microsoft Entra ID and Graph. With
 * TENANT_ID set, in `.dev.vars` for example, it plays nothing. Never deploy this module.
 *
 * @module
 */
import { LocalAuthority } from "@msal-edge/msal/testing";
import daemon, { type Context, type Env } from "./daemon.ts";

let local: Env | undefined;

/** The Worker's own variables if it has any, else those of the tenant that is played here. */
function envOf(env: Partial<Env>): Env {
  if (env.TENANT_ID !== undefined) return env as Env;
  local ??= playTenant();
  return local;
}

function playTenant(): Env {
  console.log("TENANT_ID is not set: a local authority plays Microsoft Entra ID and Graph in this Worker");
  const authority = new LocalAuthority();
  // The library looks the global fetch up at each call.
  globalThis.fetch = authority.fetch;
  const { tenantId, clientId, clientSecret } = authority.defaults;
  return { TENANT_ID: tenantId, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
}

export default {
  fetch(request: Request, env: Partial<Env>, ctx: Context): Promise<Response> {
    return daemon.fetch(request, envOf(env), ctx);
  },
  scheduled(event: unknown, env: Partial<Env>, ctx: Context): Promise<void> {
    return daemon.scheduled(event, envOf(env), ctx);
  },
};
