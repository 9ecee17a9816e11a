/**
 * Plays a tenant with a user, so that the example runs without one. It does nothing where TENANT_ID is set.
 *
 * @module
 */
import process from "node:process";
import type { BunLike } from "@msal-edge/msal/testing";
import { type LocalTenant, playTenant } from "../shared/local_tenant.ts";

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

/** What sends an application there; nothing where TENANT_ID is set. */
export const local: LocalTenant | undefined = process.env.TENANT_ID === undefined
  ? await playTenant(platform)
  : undefined;
