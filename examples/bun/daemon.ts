/**
 * A daemon on Bun: reads the organization from Microsoft Graph with an app token.
 *
 * ```sh
 * bun examples/bun/daemon.ts                                          # without a tenant
 * TENANT_ID=... CLIENT_ID=... CLIENT_SECRET=... bun examples/bun/daemon.ts
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant in this process. Leave the line out in a program of your own.
import "./local.ts";
import process from "node:process";
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
    clientId: process.env.CLIENT_ID ?? "",
    authority: { instance: "login.microsoftonline.com", tenant: process.env.TENANT_ID ?? "" },
    clientCredential: process.env.CLIENT_SECRET ?? "",
    // A refresh that is due runs in the background: Bun keeps it alive.
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
  process.exitCode = 1;
}
