/**
 * A web application on Deno that signs its users in.
 *
 * ```sh
 * deno run --allow-env --allow-net examples/deno/web.ts               # without a tenant
 * export TENANT_ID=... CLIENT_ID=... CLIENT_SECRET=... COOKIE_SECRET=... REDIRECT_URI=https://<your site>/callback
 * deno run --allow-env --allow-net examples/deno/web.ts               # with yours
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant on this machine. Leave it and what uses it out in a program of your own.
import { local } from "./local_users.ts";
import { ConfidentialClientApplication, MemoryStore } from "@msal-edge/msal";
import { webApp } from "../shared/web_app.ts";

const env = (name: string): string => Deno.env.get(name) ?? "";
const port = Number(env("PORT") || 8000);
const redirectUri = env("REDIRECT_URI") || `http://localhost:${port}/callback`;

const app = new ConfidentialClientApplication({
  clientId: env("CLIENT_ID"),
  authority: { instance: "login.microsoftonline.com", tenant: env("TENANT_ID") },
  clientCredential: env("CLIENT_SECRET"),
  // This program understands claims challenges, so Graph may send some.
  clientCapabilities: ["cp1"],
  // A refresh that is due runs in the background: Deno keeps it alive.
  waitUntil: "detached",
  ...local?.web,
});
const handler = webApp({
  app,
  redirectUri,
  cookieSecret: local?.cookieSecret ?? env("COOKIE_SECRET"),
  // Sessions and tokens end with this process, and no other process has them.
  sessions: new MemoryStore({ maxEntries: 10_000 }),
});

Deno.serve({
  hostname: "127.0.0.1",
  port,
  onListen: () => console.log(`Open ${new URL("/", redirectUri)}`),
}, (request) => handler(request));
