/**
 * Plays a tenant with a user, so that the example runs without one. It does nothing where TENANT_ID is set.
 *
 * @module
 */
import { type LocalTenant, playTenant } from "../shared/local_tenant.ts";

/** `Deno`, with servers that do not keep the program alive. */
const platform: Parameters<typeof playTenant>[0] = {
  version: Deno.version,
  serve(options, handler) {
    const server = Deno.serve(options, handler);
    server.unref();
    return server;
  },
};

/** What sends an application there; nothing where TENANT_ID is set. */
export const local: LocalTenant | undefined = Deno.env.get("TENANT_ID") === undefined
  ? await playTenant(platform)
  : undefined;
