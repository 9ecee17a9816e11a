/**
 * A command line on Deno whose user signs in with a browser, on this device or another one: reads their profile from
 * Microsoft Graph. The next run asks nobody to sign in; `--sign-out` forgets who did.
 *
 * ```sh
 * flags="--allow-env --allow-net --allow-read --allow-write --allow-sys=uid"
 * deno run $flags examples/deno/device_cli.ts                                              # without a tenant
 * TENANT_ID=... CLIENT_ID=... deno run $flags examples/deno/device_cli.ts
 * TENANT_ID=... CLIENT_ID=... deno run $flags examples/deno/device_cli.ts --sign-out
 * ```
 *
 * @module
 */
// Without TENANT_ID this plays a tenant on this machine. Leave it and `...local` out in a program of your own.
import { local } from "./local_users.ts";
import {
  type AccountInfo,
  createAuthorizedFetch,
  isAuthError,
  PublicClientApplication,
  TokenCache,
} from "@msal-edge/msal";
import { FileStore } from "@msal-edge/msal/host";
import { asUser, signOut } from "../shared/remembered.ts";

const scopes = ["User.Read"];
const interrupt = new AbortController();
Deno.addSignalListener("SIGINT", () => interrupt.abort());

/** Writes over the line that the cursor is on. */
function show(line: string): void {
  if (Deno.stdout.isTerminal()) Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[K${line}`));
}

/** Shows a code, and waits for whoever types it into a browser. */
async function signIn(
  app: PublicClientApplication,
  signal: AbortSignal,
  claims: string | undefined,
): Promise<AccountInfo | null> {
  const flow = await app.initiateDeviceFlow({ scopes, signal, claims });
  console.log(flow.message);
  const onProgress = ({ expiresAt }: { expiresAt: number }) =>
    show(`Waiting for you, ${Math.ceil((expiresAt - Date.now() / 1000) / 60)} min left `);
  const { account } = await app.acquireTokenByDeviceFlow(flow, { signal, onProgress }).finally(() =>
    show("")
  );
  return account;
}

/** Calls Graph for the user. */
async function greet(app: PublicClientApplication, account: AccountInfo, signal: AbortSignal): Promise<void> {
  const graph = createAuthorizedFetch({
    origins: ["https://graph.microsoft.com"],
    acquireToken: (challenge) => app.acquireTokenSilent({ account, scopes, ...challenge }),
  });
  const response = await graph("https://graph.microsoft.com/v1.0/me", { signal });
  if (!response.ok) throw new Error(`Graph answered ${response.status}: ${await response.text()}`);
  const { displayName, userPrincipalName } = await response.json();
  console.log(`Hello ${displayName}, you are ${userPrincipalName}`);
}

async function main(signal: AbortSignal): Promise<void> {
  const store = FileStore.inUserState("msal-edge-example");
  // Without this a directory that cannot be used would only mean that nothing is remembered.
  await store.check();
  const app = new PublicClientApplication({
    clientId: Deno.env.get("CLIENT_ID") ?? "",
    authority: { instance: "login.microsoftonline.com", tenant: Deno.env.get("TENANT_ID") ?? "" },
    tokenCache: new TokenCache({ store }),
    httpCache: store,
    logger: { warn: console.error },
    ...local?.commandLine,
  });
  if (Deno.args.includes("--sign-out")) return await signOut(app);
  await asUser(app, {
    signIn: (claims) => signIn(app, signal, claims),
    run: (account) => greet(app, account, signal),
  });
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
