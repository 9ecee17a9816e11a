/**
 * For programs on Deno, Bun and Node: what needs a process, a port or a browser.
 *
 * {@linkcode LoopbackReceiver} signs a user in from a command line: it opens the system's browser and receives the
 * authority's answer on 127.0.0.1. Register `http://localhost` as a redirect URI of a public client (in Entra: "Mobile
 * and desktop applications"). {@linkcode FileStore} keeps tokens in files of the user's own, so that the next run needs no
 * sign-in. {@linkcode workloadIdentity} and {@linkcode githubActions} let a service prove who it is without a secret, by what the
 * platform puts into its environment.
 *
 * @example A program that remembers its user
 * ```ts
 * import { PublicClientApplication, TokenCache } from "@msal-edge/msal";
 * import { FileStore, LoopbackReceiver } from "@msal-edge/msal/host";
 *
 * const store = FileStore.inUserState("my-tool");
 * const app = new PublicClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/organizations",
 *   tokenCache: new TokenCache({ store }),
 *   httpCache: store,
 * });
 *
 * const scopes = ["User.Read"];
 * const [account] = await app.getAccounts();
 * const { accessToken } = account
 *   ? await app.acquireTokenSilent({ account, scopes })
 *   : await app.acquireTokenInteractive({ receiver: new LoopbackReceiver(), scopes });
 * console.log(accessToken.length);
 * ```
 *
 * @example What a receiver does
 * ```ts
 * import { type AuthCodeReceiver, LoopbackReceiver } from "@msal-edge/msal/host";
 *
 * const receiver: AuthCodeReceiver = new LoopbackReceiver({
 *   timeoutMs: 120_000,
 *   templates: { success: "<h1>Welcome</h1><p>Go back to the terminal.</p>" },
 * });
 *
 * // What acquireTokenInteractive does with it:
 * const listener = await receiver.open({});
 * try {
 *   const state = crypto.randomUUID();
 *   const authUri = new URL("https://login.microsoftonline.com/common/oauth2/v2.0/authorize");
 *   authUri.search = String(
 *     new URLSearchParams({
 *       client_id: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *       response_type: "code",
 *       scope: "openid",
 *       redirect_uri: listener.redirectUri,
 *       response_mode: listener.responseMode,
 *       state,
 *     }),
 *   );
 *   const answer = new URLSearchParams(await listener.receive({ authUri: authUri.href, state }));
 *   console.log(answer.has("code") ? "a code has come" : answer.get("error"));
 * } finally {
 *   await listener.close();
 * }
 * ```
 *
 * @module
 */
export type { AuthCodeListener, AuthCodeReceiver, AuthCodeWait } from "../request/auth_code_receiver.ts";
export type { Clock } from "../runtime/clock.ts";
export type {
  GetOptions,
  PartitionHints,
  SetOptions,
  SetResult,
  Store,
  StoredValue,
  StoreLock,
} from "../store/store.ts";
export type { ClientAssertionProvider } from "../credential/client_credential.ts";
export { FileStore, type FileStoreOptions } from "./file_store.ts";
export { LoopbackReceiver } from "./loopback_receiver.ts";
export type { ReceiverTemplates } from "./pages.ts";
export type { LoopbackReceiverOptions } from "./receiver_settings.ts";
export {
  type Environment,
  githubActions,
  type WorkloadIdentity,
  workloadIdentity,
} from "./workload_identity.ts";
