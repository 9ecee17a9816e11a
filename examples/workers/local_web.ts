/**
 * Runs `web.ts` without a tenant: a local authority in this Worker plays Microsoft Entra ID and Graph, on the same
 * address. With TENANT_ID set, in `.dev.vars` for example, it plays nothing. Never deploy this module.
 *
 * @module
 */
import { perEnv } from "@msal-edge/msal";
import type { LocalAuthority } from "@msal-edge/msal/testing";
import { announce, declareTenant, playGraph, tenantAt } from "../shared/local_tenant.ts";
import type { WebApp } from "../shared/web_app.ts";
import type { Context } from "./daemon.ts";
import web, { type Env, makeSite, type Namespace } from "./web.ts";

/** What only the web application answers; the rest of the address is the tenant's. */
const OWN_PATHS = ["/", "/sign-in", "/callback", "/me", "/sign-out", "/favicon.ico"];

interface Played {
  readonly site: WebApp;
  readonly authority: LocalAuthority;
}

/** The keys of this run: tokens of an earlier one are worth nothing. */
function ofThisRun(namespace: Namespace): Namespace {
  const run = crypto.randomUUID();
  return {
    get: (key) => namespace.get(run + key),
    put: (key, value, options) => namespace.put(run + key, value, options),
    delete: (key) => namespace.delete(run + key),
  };
}

function playTenant(env: Partial<Env> & Pick<Env, "STORE">): Played {
  const authority = declareTenant();
  announce(authority);
  const REDIRECT_URI = env.REDIRECT_URI ?? "http://localhost:8787/callback";
  const { origin } = new URL(REDIRECT_URI);
  playGraph(origin, (input, init) => authority.handler(new Request(input, init)));
  const { web: options, cookieSecret } = tenantAt(origin, authority);
  const names = { TENANT_ID: "", CLIENT_ID: "", CLIENT_SECRET: "", COOKIE_SECRET: cookieSecret };
  const site = makeSite({ ...names, REDIRECT_URI, STORE: ofThisRun(env.STORE) }, options);
  return { site, authority };
}

const played = perEnv(playTenant);

export default {
  fetch(request: Request, env: Partial<Env> & Pick<Env, "STORE">, ctx: Context): Promise<Response> {
    if (env.TENANT_ID !== undefined) return web.fetch(request, env as Env, ctx);
    const { site, authority } = played(env);
    const isOwn = OWN_PATHS.includes(new URL(request.url).pathname);
    return isOwn ? site(request, (promise) => ctx.waitUntil(promise)) : authority.handler(request);
  },
};
