/**
 * Runs `web.ts` without a tenant: a local authority in this Worker plays Microsoft Entra ID and Graph, on the same
 * address. With TENANT_ID set, in `.dev.vars` for example, it plays nothing. Never deploy this module.
 *
 * @module
 */
import { perEnv } from "@msal-edge/msal";
import type { DurableObjectNamespaceLike } from "@msal-edge/msal/cache/durable-object";
import type { LocalAuthority } from "@msal-edge/msal/testing";
import type { ExecutionContext } from "hono";
import { announce, declareTenant, playGraph, tenantAt, tenantOf } from "../shared/local_tenant.ts";
import web, { type Env, makeWorker, type Worker } from "./web.ts";

export { TokenStoreObject } from "./web.ts";

/** What only the web application answers; the rest of the address is the tenant's. */
const OWN_PATHS =
  /^\/(?:|orders|invoices|me|favicon\.ico|auth\/.*|api\/.*|\.well-known\/oauth-protected-resource.*)$/;

interface Played {
  readonly worker: Worker;
  readonly env: Env;
  /** Absent where another program plays the tenant. */
  readonly authority?: LocalAuthority;
}

/** The objects of this run: tokens of an earlier one are worth nothing. */
function ofThisRun(namespace: DurableObjectNamespaceLike): DurableObjectNamespaceLike {
  const run = crypto.randomUUID();
  return {
    idFromName: (name) => namespace.idFromName(run + name),
    get: (id) => namespace.get(id),
  };
}

type Bindings = Partial<Env> & Pick<Env, "TOKENS" | "DOCUMENTS"> & { readonly LOCAL_TENANT?: string };

function playTenant(bindings: Bindings): Played {
  const { BASE_URL = "http://localhost:8787", LOCAL_TENANT, DOCUMENTS, SESSION_SECONDS = "" } = bindings;
  const authority = LOCAL_TENANT === undefined ? declareTenant(BASE_URL) : undefined;
  if (authority !== undefined) {
    announce(authority);
    playGraph(BASE_URL, (input, init) => authority.handler(new Request(input, init)));
  }
  const local = authority === undefined ? tenantOf(LOCAL_TENANT!) : tenantAt(BASE_URL, authority);
  const names = { TENANT_ID: "", CLIENT_ID: "", CLIENT_SECRET: "", API_CLIENT_ID: "", API_CLIENT_SECRET: "" };
  const TOKENS = ofThisRun(bindings.TOKENS);
  const env = { ...names, BASE_URL, SESSION_SECONDS, COOKIE_SECRET: local.cookieSecret, TOKENS, DOCUMENTS };
  return { worker: makeWorker(env, local), env, ...(authority && { authority }) };
}

const played = perEnv(playTenant);

export default {
  fetch(request: Request, bindings: Bindings, ctx: ExecutionContext): Response | Promise<Response> {
    if (bindings.TENANT_ID !== undefined) return web.fetch(request, bindings as Env, ctx);
    const { worker, env, authority } = played(bindings);
    const isOwn = authority === undefined || OWN_PATHS.test(new URL(request.url).pathname);
    return isOwn ? worker.fetch(request, env, ctx) : authority.handler(request);
  },
};
