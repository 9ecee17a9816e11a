/**
 * The application that can keep a secret.
 *
 * @module
 */

import { CredentialSource } from "../credential/credential_source.ts";
import type {
  LongRunningProcessRequest,
  LongRunningTokenRequest,
  OnBehalfOfRequest,
} from "../request/on_behalf_of_requests.ts";
import type { ClientCredentialRequest, RemoveTokensRequest } from "../request/requests.ts";
import type { AuthenticationResult, LongRunningProcess } from "../result/authentication_result.ts";
import { systemClock } from "../runtime/clock.ts";
import { AppTokenFlow } from "./app_token_flow.ts";
import { azureRegionOf } from "./azure_region.ts";
import { ClientApplication, openApplication } from "./client_application.ts";
import { OnBehalfOfFlow } from "./on_behalf_of_flow.ts";
import type { ConfidentialClientOptions } from "./options.ts";

/** For how long an authority that is overloaded is left alone, if it does not say; MSAL Python's value. */
const THROTTLE_SECONDS = 5;

/**
 * An application on a server, a Worker or a daemon, which proves who it is by a credential.
 *
 * Make one and keep it: it holds the cache. On Workers make one for each isolate with {@linkcode perEnv}.
 *
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: "the client secret's value",
 * });
 * ```
 */
export class ConfidentialClientApplication extends ClientApplication {
  readonly #appTokens: AppTokenFlow;
  readonly #onBehalfOf: OnBehalfOfFlow;

  /**
   * Checks the options. Nothing is sent or read before the first call.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option and how to mend it.
   */
  constructor(options: ConfidentialClientOptions) {
    const { clientCredential, clientClaims, clock = systemClock } = options ?? {};
    const assertions = { now: (): number => clock.now(), clientClaims };
    super(options, THROTTLE_SECONDS, new CredentialSource(clientCredential, assertions));
    const { engine, flows } = openApplication(this);
    this.#appTokens = new AppTokenFlow(engine, azureRegionOf(options.azureRegion, engine.configuration));
    this.#onBehalfOf = new OnBehalfOfFlow(engine, flows);
  }

  /**
   * Gets a token for the application itself, by the client credentials grant, RFC 6749 section 4.4.
   *
   * The token comes from the cache while it has more than five minutes left. Calls for the same token at the same time
   * share one request. While the authority cannot be reached, a token that is still valid is handed out.
   *
   * @param request The scopes, and what sets this call apart.
   * @returns The token.
   * @throws {ClientConfigurationError} where the request is wrong; nothing was sent.
   * @throws {ServerError} where the authority refuses or throttles.
   * @throws {NetworkError} where it cannot be reached.
   * @throws {ClientAuthError} where the credential's function or discovery fails, or `signal` was aborted.
   */
  acquireTokenForClient(request: ClientCredentialRequest): Promise<AuthenticationResult> {
    return this.#appTokens.acquire(request);
  }

  /**
   * Removes this client's app tokens from the cache. Users' tokens stay. In a store, the partitions of the tokens that
   * this isolate knows are removed, and that of the authority's own tenant or of `tenantId`.
   *
   * @param request Which ones; all of them where absent.
   * @throws {ClientConfigurationError} where the request is wrong.
   * @throws {CacheError} `cache_write_failed` where the store did not delete; the memory has.
   */
  removeTokensForClient(request: RemoveTokensRequest = {}): Promise<void> {
    return this.#appTokens.remove(request ?? {});
  }

  /**
   * Gets a token for another API on behalf of the user who calls this one, RFC 7523 and Entra's on-behalf-of flow.
   *
   * ```ts
   * import { ConfidentialClientApplication } from "@msal-edge/msal";
   *
   * declare const app: ConfidentialClientApplication;
   *
   * // Called with a token that was validated, for this application: its audience is our client id.
   * export async function calendar(userAssertion: string): Promise<Response> {
   *   const { accessToken } = await app.acquireTokenOnBehalfOf({ userAssertion, scopes: ["Calendars.Read"] });
   *   return await fetch("https://graph.microsoft.com/v1.0/me/events", {
   *     headers: { authorization: `Bearer ${accessToken}` },
   *   });
   * }
   * ```
   *
   * The token comes from the cache while it has more than five minutes left; the cache is one for each assertion, and serves it
   * until it ends. Calls for the same at the same time share one request. No refresh token is asked for.
   *
   * @param request The user's assertion and the scopes.
   * @returns The token; `account` is the user.
   * @throws {InteractionRequiredAuthError} where the user must consent or step up: answer 401 with its `claims`.
   * @throws {ClientAuthError} `user_assertion_expired`: answer 401; `user_assertion_app_only` where an app calls on its own behalf;
   * or a code of the ID token's checks.
   * @throws {ClientConfigurationError} where the request is wrong; nothing was sent.
   * @throws {ServerError} where the authority refuses or throttles.
   * @throws {NetworkError} where it cannot be reached and no token is left.
   */
  acquireTokenOnBehalfOf(request: OnBehalfOfRequest): Promise<AuthenticationResult> {
    return this.#onBehalfOf.acquire(request);
  }

  /**
   * Begins a process that goes on for the user after the call: a queue's consumer, an alarm, a report that takes an hour. The
   * refresh token is kept under the session key.
   *
   * ```ts
   * import { ConfidentialClientApplication } from "@msal-edge/msal";
   *
   * declare const app: ConfidentialClientApplication;
   *
   * // The API begins the process, and hands its key over by a channel that nobody else reads.
   * export async function begin(userAssertion: string, send: (key: string) => Promise<void>): Promise<void> {
   *   const scopes = ["Files.Read"];
   *   const { sessionKey } = await app.initiateLongRunningProcessInWebApi({ userAssertion, scopes });
   *   await send(sessionKey);
   * }
   *
   * // An hour later, perhaps in another isolate over the same store.
   * export async function work(sessionKey: string): Promise<void> {
   *   const scopes = ["Files.Read"];
   *   const { accessToken } = await app.acquireTokenInLongRunningProcess({ sessionKey, scopes });
   *   await fetch("https://graph.microsoft.com/v1.0/me/drive", {
   *     headers: { authorization: `Bearer ${accessToken}` },
   *   });
   *   await app.stopLongRunningProcessInWebApi(sessionKey);
   * }
   * ```
   *
   * With a `sessionKey` of your own the cache answers where the same assertion began that process before. Another user's
   * assertion takes the process over: nothing of the first user stays.
   *
   * @param request The user's assertion, the scopes, and a key, if you have one.
   * @returns The key, a secret, and the first token.
   * @throws as {@linkcode ConfidentialClientApplication.acquireTokenOnBehalfOf} does.
   */
  initiateLongRunningProcessInWebApi(request: LongRunningProcessRequest): Promise<LongRunningProcess> {
    return this.#onBehalfOf.initiate(request);
  }

  /**
   * Gets a token for a process that has begun: from the cache, else by the refresh token.
   *
   * @param request The process's key and the scopes.
   * @returns The token; `account` is the user who began the process.
   * @throws {InteractionRequiredAuthError} `no_tokens_found` where no such process is known, or what the authority asks of the user.
   * @throws as {@linkcode ClientApplication.acquireTokenSilent} does.
   */
  acquireTokenInLongRunningProcess(request: LongRunningTokenRequest): Promise<AuthenticationResult> {
    return this.#onBehalfOf.proceed(request);
  }

  /**
   * Ends a process: all its tokens go from memory and store, of whatever tenants, and what is on its way does not come back.
   *
   * @param sessionKey The process's key.
   * @throws {ClientConfigurationError} `invalid_request` for what is no key.
   * @throws {CacheError} `cache_write_failed` where the store did not delete; the memory has.
   */
  stopLongRunningProcessInWebApi(sessionKey: string): Promise<void> {
    return this.#onBehalfOf.stop(sessionKey);
  }
}
