/**
 * Plays a tenant with a user, so that the example runs without one. It does nothing where TENANT_ID is set. As a program of
 * its own it plays the tenant for others, which find it by LOCAL_TENANT.
 *
 * @module
 */
import { type LocalTenant, playTenant, playTenantForOthers, tenantOf } from "../shared/local_tenant.ts";

/** `Deno`, with servers that do not keep the program alive. */
const platform: Parameters<typeof playTenant>[0] = {
  version: Deno.version,
  serve(options, handler) {
    const server = Deno.serve(options, handler);
    server.unref();
    return server;
  },
};

const site = Deno.env.get("BASE_URL") ?? `http://localhost:${Deno.env.get("PORT") ?? 8000}`;

async function findTenant(): Promise<LocalTenant | undefined> {
  const origin = Deno.env.get("LOCAL_TENANT");
  if (Deno.env.get("TENANT_ID") !== undefined) return undefined;
  return origin === undefined ? await playTenant(platform, site) : tenantOf(origin);
}

/** What sends an application there; nothing where TENANT_ID is set. */
export const local: LocalTenant | undefined = import.meta.main ? undefined : await findTenant();

if (import.meta.main) await playTenantForOthers(Deno);
