/**
 * A web application on Bun that signs its users in, and the API that it calls for them. Sessions and tokens are in Redis, where
 * REDIS_URL says where it is, else in this process.
 *
 * ```sh
 * bun examples/bun/web.ts                                                     # without a tenant
 * export TENANT_ID=... CLIENT_ID=... CLIENT_SECRET=... API_CLIENT_ID=... API_CLIENT_SECRET=... COOKIE_SECRET=...
 * bun examples/bun/web.ts                                                     # with yours
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant on this machine. Leave it and what uses it out in a program of your own.
import { local } from "./local_users.ts";
import process from "node:process";
import { ConfidentialClientApplication, isAuthError, MemoryStore, TokenCache } from "@msal-edge/msal";
import { type RedisClientLike, RedisStore } from "@msal-edge/msal/cache/redis";
import type { BunLike } from "@msal-edge/msal/testing";
import { ordersApi } from "../shared/orders_api.ts";
import { ordersSite } from "../shared/orders_site.ts";
import { SETTINGS } from "../shared/settings.ts";

type Answer = (request: Request) => Promise<Response>;

// In a project of your own, `bun add -d @types/bun` knows `Bun`.
const { Bun } = globalThis as unknown as {
  readonly Bun: BunLike & {
    readonly RedisClient: new (url: string) => RedisClientLike;
    serve(
      options: { routes: Readonly<Record<string, Answer>>; fetch: Answer; port: number; hostname: string },
    ): void;
  };
};

const env = (name: string): string => process.env[name] ?? "";

function main(): void {
  const missing = local ? [] : SETTINGS.filter((name) => env(name) === "");
  if (missing.length > 0) throw new Error(`Set ${missing.join(", ")}`);
  const port = Number(env("PORT") || 8000);
  const baseUrl = env("BASE_URL") || `http://localhost:${port}`;
  const cookieSecret = local?.cookieSecret ?? env("COOKIE_SECRET");

  const redis = env("REDIS_URL");
  const store = redis ? new RedisStore(new Bun.RedisClient(redis)) : new MemoryStore({ maxEntries: 10_000 });
  const options = {
    authority: { instance: "login.microsoftonline.com", tenant: env("TENANT_ID") },
    // Both understand claims challenges, so they may be sent some.
    clientCapabilities: ["cp1"],
    tokenCache: new TokenCache({ store, seal: cookieSecret }),
    // A refresh that is due runs in the background: Bun keeps it alive.
    waitUntil: "detached",
    // What fails is told here, without secrets: browsers only get a reference.
    logger: { warn: console.warn, error: console.error },
  } as const;

  const site = ordersSite({
    app: new ConfidentialClientApplication({
      clientId: env("CLIENT_ID"),
      clientCredential: env("CLIENT_SECRET"),
      ...options,
      ...local?.web,
    }),
    baseUrl,
    cookieSecret,
    sessionClaims: ["roles"],
    sessionStore: store,
    session: { idleSeconds: Number(env("SESSION_SECONDS") || 28_800) },
    apiUrl: baseUrl,
    apiClientId: local?.api.clientId ?? env("API_CLIENT_ID"),
  });
  const api = ordersApi({
    app: new ConfidentialClientApplication({
      clientId: env("API_CLIENT_ID"),
      clientCredential: env("API_CLIENT_SECRET"),
      ...options,
      ...local?.api,
    }),
    baseUrl,
  });

  // Bun's router takes the pages as they are; everything else goes by one handler.
  Bun.serve({
    hostname: "127.0.0.1",
    port,
    routes: Object.fromEntries(
      Object.entries(site.pages).map(([path, page]) => [path, (request: Request) => page(request)]),
    ),
    fetch: async (request) => await api(request) ?? await site.answer(request),
  });
  console.log(`Open ${new URL("/", baseUrl)}`);
}

try {
  main();
} catch (error) {
  // The library's errors hold no secrets and say what to do.
  console.error(isAuthError(error) ? `${error.code}: ${error.message}` : String(error));
  process.exit(1);
}
