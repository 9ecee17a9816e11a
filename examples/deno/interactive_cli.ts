/**
 * A command line on Deno that opens the system's browser for its user to sign in, and reads their profile from
 * Microsoft Graph. Nothing is kept.
 *
 * ```sh
 * deno run --allow-env --allow-run --allow-net examples/deno/interactive_cli.ts            # without a tenant
 * TENANT_ID=... CLIENT_ID=... deno run --allow-env --allow-run --allow-net examples/deno/interactive_cli.ts
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant on this machine. Leave it and `...local` out in a program of your own.
import { local } from "./local_users.ts";
import { createAuthorizedFetch, isAuthError, PublicClientApplication } from "@msal-edge/msal";
import { LoopbackReceiver } from "@msal-edge/msal/host";

const scopes = ["User.Read"];
const interrupt = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupt.abort());

async function main(signal: AbortSignal): Promise<void> {
  const app = new PublicClientApplication({
    clientId: Deno.env.get("CLIENT_ID") ?? "",
    authority: { instance: "login.microsoftonline.com", tenant: Deno.env.get("TENANT_ID") ?? "" },
    ...local?.commandLine,
  });
  console.log("Sign in with your browser");
  const receiver = new LoopbackReceiver();
  const { account } = await app.acquireTokenInteractive({
    scopes,
    receiver,
    prompt: "select_account",
    signal,
  });
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
