/**
 * A web application on Deno that signs its users in, and the API that it calls for them.
 *
 * ```sh
 * deno run --unstable-kv --allow-env --allow-net examples/deno/web.ts        # without a tenant
 * export TENANT_ID=... CLIENT_ID=... CLIENT_SECRET=... API_CLIENT_ID=... API_CLIENT_SECRET=... COOKIE_SECRET=...
 * deno run --unstable-kv --allow-env --allow-net examples/deno/web.ts        # with yours
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant on this machine. Leave it and what uses it out in a program of your own.
import { local } from "./local_users.ts";
import { ConfidentialClientApplication, isAuthError, TokenCache } from "@msal-edge/msal";
import { DenoKvStore } from "@msal-edge/msal/cache/deno-kv";
import { ordersApi } from "../shared/orders_api.ts";
import { ordersSite } from "../shared/orders_site.ts";
import { SETTINGS } from "../shared/settings.ts";

const env = (name: string): string => Deno.env.get(name) ?? "";

async function main(): Promise<void> {
  const missing = local ? [] : SETTINGS.filter((name) => env(name) === "");
  if (missing.length > 0) throw new Error(`Set ${missing.join(", ")}`);
  const port = Number(env("PORT") || 8000);
  const baseUrl = env("BASE_URL") || `http://localhost:${port}`;
  const cookieSecret = local?.cookieSecret ?? env("COOKIE_SECRET");

  // In memory, so that the example needs no file. `await Deno.openKv()` keeps it, and Deno Deploy shares it.
  const store = new DenoKvStore(await Deno.openKv(":memory:"));
  const options = {
    authority: { instance: "login.microsoftonline.com", tenant: env("TENANT_ID") },
    // Both understand claims challenges, so they may be sent some.
    clientCapabilities: ["cp1"],
    tokenCache: new TokenCache({ store, seal: cookieSecret }),
    // A refresh that is due runs in the background: Deno keeps it alive.
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

  Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: () => console.log(`Open ${new URL("/", baseUrl)}`),
  }, async (request) => await api(request) ?? await site.answer(request));
}

try {
  await main();
} catch (error) {
  // The library's errors hold no secrets and say what to do.
  console.error(isAuthError(error) ? `${error.code}: ${error.message}` : String(error));
  Deno.exit(1);
}
