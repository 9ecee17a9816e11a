/**
 * Plays a tenant with a user, so that the example runs without one. It does nothing where TENANT_ID is set. As a program of
 * its own it plays the tenant for others, which find it by LOCAL_TENANT.
 *
 * @module
 */
import process from "node:process";
import type { BunLike } from "@msal-edge/msal/testing";
import { type LocalTenant, playTenant, playTenantForOthers, tenantOf } from "../shared/local_tenant.ts";

type Serve = (options: Parameters<BunLike["serve"]>[0]) => ReturnType<BunLike["serve"]> & { unref(): void };

const { Bun } = globalThis as unknown as {
  readonly Bun: { readonly version: string; readonly serve: Serve };
};

/** `Bun`, with servers that do not keep the program alive. */
const platform: BunLike = {
  version: Bun.version,
  serve(options) {
    const server = Bun.serve(options);
    server.unref();
    return server;
  },
};

async function findTenant(): Promise<LocalTenant | undefined> {
  const { TENANT_ID, LOCAL_TENANT, BASE_URL, PORT } = process.env;
  if (TENANT_ID !== undefined) return undefined;
  return LOCAL_TENANT === undefined
    ? await playTenant(platform, BASE_URL ?? `http://localhost:${PORT ?? 8000}`)
    : tenantOf(LOCAL_TENANT);
}

/** What sends an application there; nothing where TENANT_ID is set. */
export const local: LocalTenant | undefined = import.meta.main ? undefined : await findTenant();

if (import.meta.main) await playTenantForOthers(Bun);
