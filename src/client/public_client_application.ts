/**
 * The application that cannot keep a secret.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { AccountInfo } from "../request/account_info.ts";
import type {
  AccountFilter,
  DeviceFlow,
  DeviceFlowRequest,
  DevicePollRequest,
  InteractiveRequest,
} from "../request/user_requests.ts";
import type { AuthenticationResult, DeviceFlowOutcome } from "../result/authentication_result.ts";
import { ClientApplication, openApplication } from "./client_application.ts";
import { DeviceFlows } from "./device_flows.ts";
import { acquireInteractively } from "./interactive_flow.ts";
import type { PublicClientOptions } from "./options.ts";
import { guarded } from "./token_found.ts";

/** For how long an authority that is overloaded is left alone, if it does not say; MSAL Python's value. */
const THROTTLE_SECONDS = 60;

/**
 * An application on a person's device, which has no credential: a command line, a desktop application, a device.
 *
 * ```ts
 * import { PublicClientApplication } from "@msal-edge/msal";
 *
 * const app = new PublicClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/organizations",
 * });
 *
 * export async function signIn(): Promise<string> {
 *   const flow = await app.initiateDeviceFlow({ scopes: ["User.Read"] });
 *   console.log(flow.message);
 *   const { accessToken } = await app.acquireTokenByDeviceFlow(flow);
 *   return accessToken;
 * }
 * ```
 */
export class PublicClientApplication extends ClientApplication {
  readonly #devices: DeviceFlows;

  /**
   * Checks the options. Nothing is sent or read before the first call.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option and how to mend it; `unexpected_client_credential` for a
   * credential, which Entra would refuse with AADSTS700025.
   */
  constructor(options: PublicClientOptions) {
    for (const name of ["clientCredential", "clientSecret"]) {
      if ((options as unknown as Record<string, unknown> | undefined)?.[name] === undefined) continue;
      refuse(
        "unexpected_client_credential",
        name,
        "a public client has none: leave it out",
      );
    }
    super(options, THROTTLE_SECONDS);
    const { engine, flows } = openApplication(this);
    this.#devices = new DeviceFlows(engine, flows.grants);
  }

  /**
   * Signs a user in through their browser: a receiver, such as `LoopbackReceiver` of `@msal-edge/msal/host`, listens for the
   * answer and sends the browser to the authority.
   *
   * @param request The scopes, the receiver, and whom to ask for what.
   * @returns The tokens.
   * @throws {ClientAuthError} `interaction_timeout`, `request_aborted`, or why the answer was refused.
   * @throws as {@linkcode ClientApplication.acquireTokenByAuthCodeFlow} does.
   */
  acquireTokenInteractive(request: InteractiveRequest): Promise<AuthenticationResult> {
    const { engine, flows } = openApplication(this);
    return guarded(engine, () => acquireInteractively(flows.codes, request));
  }

  /**
   * Begins a sign-in on another device, RFC 8628. Show the `message`, or the `verificationUri` and the `userCode`.
   *
   * @param request The scopes.
   * @returns The flow, plain JSON; who has it gets the tokens.
   * @throws {ClientConfigurationError} where the request is wrong.
   * @throws {ClientAuthError} `endpoints_resolution_error` where the authority has no such endpoint.
   * @throws {ServerError} where the authority refuses.
   */
  initiateDeviceFlow(request: DeviceFlowRequest): Promise<DeviceFlow> {
    return guarded(openApplication(this).engine, () => this.#devices.initiate(request));
  }

  /**
   * Asks once whether the user is done.
   *
   * @param flow The flow; the one of the last answer.
   * @param request `poll: "once"`.
   * @returns The tokens, or `{ status: "pending", flow }`.
   */
  acquireTokenByDeviceFlow(
    flow: DeviceFlow,
    request: DevicePollRequest & { readonly poll: "once" },
  ): Promise<DeviceFlowOutcome>;
  /**
   * Waits until the user is done, and asks the authority as often as it allows.
   *
   * @param flow The flow.
   * @param request `signal` ends the wait, `onProgress` is told of each round.
   * @returns The tokens.
   * @throws {ClientAuthError} `device_code_expired`, `authorization_declined` or `request_aborted`.
   * @throws as {@linkcode ClientApplication.acquireTokenByAuthCodeFlow} does.
   */
  acquireTokenByDeviceFlow(
    flow: DeviceFlow,
    request?: DevicePollRequest & { readonly poll?: "until-done" | undefined },
  ): Promise<AuthenticationResult>;
  /**
   * Does either, as `poll` says.
   *
   * @param flow The flow.
   * @param request How to ask.
   * @returns The tokens, or `{ status: "pending", flow }`.
   */
  acquireTokenByDeviceFlow(flow: DeviceFlow, request?: DevicePollRequest): Promise<DeviceFlowOutcome>;
  acquireTokenByDeviceFlow(
    flow: DeviceFlow,
    request: DevicePollRequest = {},
  ): Promise<DeviceFlowOutcome> {
    return guarded(openApplication(this).engine, () => this.#devices.acquire(flow, request));
  }

  /**
   * Lists who is signed in. Only a public client has this: on a server it would tell users of each other.
   *
   * @param filter Which accounts; all of them where absent.
   * @returns An account for each user.
   */
  getAccounts(filter: AccountFilter = {}): Promise<AccountInfo[]> {
    const { engine, flows } = openApplication(this);
    return guarded(engine, () => flows.accounts.list(filter));
  }
}
