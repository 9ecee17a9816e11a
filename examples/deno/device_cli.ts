/**
 * A command line on Deno whose user signs in with a browser, on this device or another one: reads their profile from
 * Microsoft Graph. Nothing is kept.
 *
 * ```sh
 * deno run --allow-env=TENANT_ID,CLIENT_ID --allow-net examples/deno/device_cli.ts         # without a tenant
 * TENANT_ID=... CLIENT_ID=... deno run --allow-env=TENANT_ID,CLIENT_ID --allow-net examples/deno/device_cli.ts
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant on this machine. Leave it and `...local` out in a program of your own.
import { local } from "./local_users.ts";
import { createAuthorizedFetch, isAuthError, PublicClientApplication } from "@msal-edge/msal";

const scopes = ["User.Read"];
const interrupt = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupt.abort());

/** Writes over the line that the cursor is on. */
function show(line: string): void {
  if (Deno.stdout.isTerminal()) Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
}

async function main(signal: AbortSignal): Promise<void> {
  const app = new PublicClientApplication({
    clientId: Deno.env.get("CLIENT_ID") ?? "",
    authority: { instance: "login.microsoftonline.com", tenant: Deno.env.get("TENANT_ID") ?? "" },
    ...local?.commandLine,
  });
  const flow = await app.initiateDeviceFlow({ scopes, signal });
  console.log(flow.message);
  const onProgress = ({ expiresAt }: { expiresAt: number }) =>
    show(`Waiting for you, ${Math.ceil((expiresAt - Date.now() / 1000) / 60)} min left `);
  const { account } = await app.acquireTokenByDeviceFlow(flow, { signal, onProgress }).finally(() =>
    show("")
  );
  const graph = createAuthorizedFetch({
    origins: ["https://graph.microsoft.com"],
    acquireToken: (challenge) => app.acquireTokenSilent({ account: account ?? "", scopes, ...challenge }),
  });
  const response = await graph("https://graph.microsoft.com/v1.0/me", { signal });
  if (!response.ok) throw new Error(`Graph answered ${response.status}: ${await response.text()}`);
  const { displayName, userPrincipalName } = await response.json();
  console.log(`Hello ${displayName}, you are ${userPrincipalName}`);
}

/** What the user is told. The library's errors hold no secrets; Microsoft's support asks for the id. */
function describe(error: unknown): string {
  if (interrupt.signal.aborted) return "Stopped";
  if (!isAuthError(error)) return String(error);
  return `${error.code}: ${error.message} [${error.correlationId ?? "nothing was sent"}]`;
}

try {
  await main(interrupt.signal);
} catch (error) {
  console.error(describe(error));
  Deno.exitCode = 1;
}
