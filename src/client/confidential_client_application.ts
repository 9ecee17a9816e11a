/**
 * The application that can keep a secret.
 *
 * @module
 */

import { CredentialSource } from "../credential/client_credential.ts";
import { ClientAuthError } from "../errors/errors.ts";
import type { OnBehalfOfRequest } from "../request/on_behalf_of_requests.ts";
import type { ClientCredentialRequest, RemoveTokensRequest } from "../request/requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { AppTokenFlow } from "./app_token_flow.ts";
import { ClientApplication, openApplication } from "./client_application.ts";
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

  /**
   * Checks the options. Nothing is sent or read before the first call.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option and how to mend it.
   */
  constructor(options: ConfidentialClientOptions) {
    super(options, THROTTLE_SECONDS, new CredentialSource(options?.clientCredential));
    this.#appTokens = new AppTokenFlow(openApplication(this).engine);
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
   * Gets a token for another API on behalf of the user who calls this one.
   *
   * @param _request The user's assertion and the scopes.
   * @returns The token.
   */
  acquireTokenOnBehalfOf(_request: OnBehalfOfRequest): Promise<AuthenticationResult> {
    return Promise.reject(new ClientAuthError("unexpected_error", "Not built yet"));
  }
}
