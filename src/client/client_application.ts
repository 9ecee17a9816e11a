/**
 * What both applications share.
 *
 * @module
 */

import type { CredentialSource } from "../credential/credential_source.ts";
import type { AccountInfo } from "../request/account_info.ts";
import type { AuthCodeFlow } from "../request/auth_code_flow.ts";
import type { AuthorizationRequest } from "../request/authorization_request.ts";
import type { AuthorizationResponse } from "../request/authorization_response.ts";
import type {
  AdminConsentUrlRequest,
  AuthCodeFlowRequest,
  AuthorizationCodeRequest,
  AuthorizationUrlRequest,
  RefreshTokenRequest,
  SignOutUrlRequest,
  SilentRequest,
} from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { Engine } from "./engine.ts";
import { adminConsentUrl, signOutUrl } from "./front_channel_urls.ts";
import type { ClientApplicationOptions } from "./options.ts";
import { failed, guarded } from "./token_found.ts";
import { UserFlows } from "./user_flows.ts";

/** An application's parts, for the library's own code. */
export interface ApplicationParts {
  /** The parts that all flows share. */
  readonly engine: Engine;
  /** The flows of users. */
  readonly flows: UserFlows;
}

let partsOf: (application: ClientApplication) => ApplicationParts;

/** What both applications share. Nothing is sent or read before the first call. */
export abstract class ClientApplication {
  readonly #engine: Engine;
  readonly #flows: UserFlows;

  static {
    partsOf = (application) => ({ engine: application.#engine, flows: application.#flows });
  }

  /**
   * Checks the options.
   *
   * @param options The options.
   * @param throttleSeconds For how long 429 and statuses from 500 count where the authority does not say.
   * @param credential The client's credential; a public client has none.
   * @throws {ClientConfigurationError} that names the option and how to mend it.
   */
  protected constructor(
    options: ClientApplicationOptions,
    throttleSeconds: number,
    credential?: CredentialSource,
  ) {
    this.#engine = new Engine(options, throttleSeconds, credential);
    this.#flows = new UserFlows(this.#engine, credential);
  }

  /** The client id. */
  get clientId(): string {
    return this.#engine.configuration.clientId;
  }

  /** The authority, without a slash at its end. */
  get authority(): string {
    return this.#engine.configuration.authority.base;
  }

  /**
   * Begins a sign-in by authorization code and PKCE, RFC 6749 section 4.1 and RFC 7636. Send the browser to `authUri`, and keep
   * the flow where only this browser's session finds it again: {@linkcode sealAuthCodeFlow} makes it fit a cookie.
   *
   * Nothing is sent for Entra; the discovery document is read for an `oidcAuthority`.
   *
   * @param request The scopes, the redirect URI, and whom to ask for what.
   * @returns The flow, plain JSON.
   * @throws {ClientConfigurationError} where the request is wrong.
   */
  initiateAuthCodeFlow(request: AuthorizationRequest): Promise<AuthCodeFlow> {
    return guarded(this.#engine, () => this.#flows.codes.initiate(request));
  }

  /**
   * Ends a sign-in. The answer's state, issuer and form are checked, and the signing keys fetched, before the code is spent;
   * the ID token is validated before anything is stored.
   *
   * @param flow The flow, from the session that the answer came with. Forget it there before you call: it is good once.
   * @param response The answer: a `Request`, its URL, `URLSearchParams`, `FormData`, or an object of its parameters.
   * @param request Fewer scopes, `signal`, `waitUntil`.
   * @returns The tokens.
   * @throws {ClientAuthError} where the answer or the ID token is refused, with a code for each check.
   * @throws {InteractionRequiredAuthError} where the authority says that the user must sign in or consent.
   * @throws {ServerError} where the authority or the user refused, `error` being `access_denied` for example.
   * @throws {NetworkError} where the authority cannot be reached.
   */
  acquireTokenByAuthCodeFlow(
    flow: AuthCodeFlow,
    response: AuthorizationResponse,
    request: AuthCodeFlowRequest = {},
  ): Promise<AuthenticationResult> {
    return guarded(this.#engine, () => this.#flows.codes.redeemFlow(flow, response, request));
  }

  /**
   * Makes the URL of a sign-in for applications that keep state, nonce and PKCE verifier themselves. Make them by
   * {@linkcode generatePkceCodes} and `crypto.getRandomValues`, anew for each sign-in.
   *
   * @param request As for {@linkcode ClientApplication.initiateAuthCodeFlow}, with `state`, `nonce` and `codeChallenge`.
   * @returns The URL. MSAL's hash of the nonce is not made: the ID token holds the nonce as it is given here.
   * @throws {ClientConfigurationError} where the request is wrong.
   */
  getAuthorizationRequestUrl(request: AuthorizationUrlRequest): Promise<string> {
    return guarded(this.#engine, () => this.#flows.codes.url(request));
  }

  /**
   * Redeems an authorization code. The caller has compared the answer's `state`.
   *
   * @param request The code, and what the authorization request was made of.
   * @returns The tokens.
   * @throws as {@linkcode ClientApplication.acquireTokenByAuthCodeFlow} does.
   */
  acquireTokenByAuthorizationCode(request: AuthorizationCodeRequest): Promise<AuthenticationResult> {
    return guarded(this.#engine, () => this.#flows.codes.redeemCode(request));
  }

  /**
   * Gets a token for a user who signed in before: from the cache while it has more than five minutes left, else by the refresh
   * token. Calls for the same token at the same time share one request. While the authority cannot be reached, a token that
   * is still valid is handed out.
   *
   * @param request The account and the scopes.
   * @returns The token.
   * @throws {InteractionRequiredAuthError} `no_tokens_found` where the cache has nothing for the account, or what the authority
   * asks of the user: pass its `claims` to the next sign-in.
   * @throws {ClientAuthError} where the answer's ID token is refused; nothing of it is stored.
   * @throws {ClientConfigurationError} where the request is wrong.
   * @throws {ServerError} where the authority refuses or throttles.
   * @throws {NetworkError} where it cannot be reached and no token is left.
   */
  acquireTokenSilent(request: SilentRequest): Promise<AuthenticationResult> {
    return this.#flows.silent.acquire(request);
  }

  /**
   * Redeems a refresh token that another library stored, to move its users over: afterwards the cache has them.
   *
   * @param request The refresh token and the scopes.
   * @returns The token. Its `account` is `null`, and nothing is kept, where the answer does not say whose it is.
   * @throws as {@linkcode ClientApplication.acquireTokenSilent} does.
   */
  acquireTokenByRefreshToken(request: RefreshTokenRequest): Promise<AuthenticationResult> {
    return guarded(this.#engine, () => this.#flows.migrate(request));
  }

  /**
   * Finds the account of a user who signed in before.
   *
   * @param homeAccountId The account's `homeAccountId`.
   * @returns The account; `null` where the cache has none.
   * @throws {ClientConfigurationError} `invalid_account`.
   */
  getAccount(homeAccountId: string): Promise<AccountInfo | null> {
    return guarded(this.#engine, () => this.#flows.accounts.get(homeAccountId));
  }

  /**
   * Forgets a user and all their tokens of this client. What is on its way for them does not come back. The user stays signed
   * in at the authority: send the browser to {@linkcode ClientApplication.getSignOutUrl} for that.
   *
   * @param account The account, or its `homeAccountId`.
   * @throws {ClientConfigurationError} `invalid_account`.
   * @throws {CacheError} `cache_write_failed` where the store did not delete; the memory has.
   */
  removeAccount(account: AccountInfo | string): Promise<void> {
    return guarded(this.#engine, () => this.#flows.accounts.remove(account));
  }

  /**
   * Makes the URL at which a user signs out of the authority, OpenID Connect RP-Initiated Logout 1.0.
   *
   * @param request Where to come back to, and who is meant.
   * @returns The URL.
   * @throws {ClientAuthError} `endpoints_resolution_error` where the authority has no such endpoint.
   */
  getSignOutUrl(request: SignOutUrlRequest = {}): Promise<string> {
    return guarded(this.#engine, () => signOutUrl(this.#engine, request ?? {}, this.#flows.isPublic));
  }

  /**
   * Makes the URL at which an administrator consents for a whole tenant.
   *
   * @param request Where to come back to, and to what to consent.
   * @returns The URL.
   * @throws {ClientConfigurationError} where the request is wrong, or the authority is not Entra's.
   */
  getAdminConsentUrl(request: AdminConsentUrlRequest): string {
    try {
      return adminConsentUrl(this.#engine, request, this.#flows.isPublic);
    } catch (error) {
      throw failed(this.#engine, error);
    }
  }

  /** What logs may show. */
  toJSON(): { clientId: string; authority: string } {
    return { clientId: this.clientId, authority: this.authority };
  }
}

/**
 * Opens an application to the library's own code.
 *
 * @param application The application.
 * @returns Its parts.
 */
export function openApplication(application: ClientApplication): ApplicationParts {
  return partsOf(application);
}
