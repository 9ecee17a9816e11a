/**
 * A web application on Cloudflare Workers that signs its users in; sessions and tokens are in Workers KV. Nothing here
 * knows of the local authority; `local_web.ts` puts it around this module for `wrangler dev`.
 *
 * @module
 */
import {
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  perEnv,
  type Store,
  TokenCache,
} from "@msal-edge/msal";
import { type WebApp, webApp } from "../shared/web_app.ts";
import type { Context } from "./daemon.ts";

/** What is used of a Workers KV namespace. */
export interface Namespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expiration: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** The Worker's variables and its namespace; `CLIENT_SECRET` and `COOKIE_SECRET` are secrets. */
export interface Env {
  readonly TENANT_ID: string;
  readonly CLIENT_ID: string;
  readonly CLIENT_SECRET: string;
  readonly COOKIE_SECRET: string;
  readonly REDIRECT_URI: string;
  readonly STORE: Namespace;
}

/** Keeps text in Workers KV, where another city may see a change a minute late. */
function kvStore(namespace: Namespace): Store {
  return {
    cas: false,
    async get(key) {
      const value = await namespace.get(key);
      return value === null ? undefined : { value };
    },
    async set(key, value, { expiresAtMs }) {
      // KV refuses what ends within a minute.
      const expiration = Math.ceil(Math.max(expiresAtMs, Date.now() + 90_000) / 1000);
      await namespace.put(key, value, { expiration });
      return { ok: true };
    },
    delete: (key) => namespace.delete(key),
  };
}

/** Makes the web application; `local` are the options of a tenant that is played. */
export function makeSite(env: Env, local?: Partial<ConfidentialClientOptions>): WebApp {
  const store = kvStore(env.STORE);
  const app = new ConfidentialClientApplication({
    clientId: env.CLIENT_ID,
    authority: { instance: "login.microsoftonline.com", tenant: env.TENANT_ID },
    clientCredential: env.CLIENT_SECRET,
    // This program understands claims challenges, so Graph may send some.
    clientCapabilities: ["cp1"],
    tokenCache: new TokenCache({ store }),
    ...local,
  });
  return webApp({ app, redirectUri: env.REDIRECT_URI, cookieSecret: env.COOKIE_SECRET, sessions: store });
}

/** One web application for each isolate. */
const siteOf = perEnv((env: Env) => makeSite(env));

export default {
  fetch(request: Request, env: Env, ctx: Context): Promise<Response> {
    return siteOf(env)(request, (promise) => ctx.waitUntil(promise));
  },
};
