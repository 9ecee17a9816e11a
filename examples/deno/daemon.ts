/**
 * A daemon on Deno: reads the organization from Microsoft Graph with an app token.
 *
 * ```sh
 * deno run --allow-env examples/deno/daemon.ts                        # without a tenant
 * export TENANT_ID=... CLIENT_ID=... CLIENT_SECRET=...                # with yours
 * deno run --allow-env --allow-net=login.microsoftonline.com,graph.microsoft.com examples/deno/daemon.ts
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant in this process. Leave the line out in a program of your own.
import "./local.ts";
import { ConfidentialClientApplication, isAuthError } from "@msal-edge/msal";

async function organizationName(app: ConfidentialClientApplication): Promise<string> {
  // New at the first call, from the cache at the next ones.
  const { accessToken } = await app.acquireTokenForClient({
    scopes: ["https://graph.microsoft.com/.default"],
  });
  const response = await fetch("https://graph.microsoft.com/v1.0/organization", {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (!response.ok) throw new Error(`Graph answered ${response.status}: ${await response.text()}`);
  const { value } = await response.json() as { value: { displayName: string }[] };
  return value[0]?.displayName ?? "(no name)";
}

async function main(): Promise<void> {
  const app = new ConfidentialClientApplication({
    clientId: Deno.env.get("CLIENT_ID") ?? "",
    authority: { instance: "login.microsoftonline.com", tenant: Deno.env.get("TENANT_ID") ?? "" },
    clientCredential: Deno.env.get("CLIENT_SECRET") ?? "",
    // A refresh that is due runs in the background: Deno keeps it alive.
    waitUntil: "detached",
  });
  console.log(`Hello from ${await organizationName(app)}`);
}

try {
  await main();
} catch (error) {
  // The library's errors hold no secrets and say what to do. Quote the id when you ask Microsoft for help.
  console.error(isAuthError(error) ? `${error.code}: ${error.message}` : String(error));
  if (isAuthError(error) && error.correlationId) console.error(`correlation id: ${error.correlationId}`);
  Deno.exitCode = 1;
}
