/**
 * The local authority itself.
 *
 * @module
 */
import { answerControl, isControlPath } from "./control_endpoints.ts";
import type { LocalAuthorityDefaults } from "./defaults.ts";
import { Engine } from "./engine.ts";
import { type Fault, Faults } from "./faults.ts";
import { fetchInProcess } from "./in_process_fetch.ts";
import { issueAppToken, issueIdToken, issueLogoutToken, issueUserToken } from "./issue.ts";
import {
  type BunLike,
  type DenoLike,
  handleLoopback,
  type LocalAuthorityServer,
  serveLoopback,
} from "./loopback.ts";
import type { LocalAuthorityOptions } from "./options.ts";
import { type LoggedRequest, type RequestFilter, RequestLog } from "./request_log.ts";
import { servicesOf } from "./services.ts";
import {
  type AuthorizationAnswer,
  ProgrammaticBrowser,
  type SignInOptions,
  type SignOutAnswer,
  type SignOutOptions,
} from "./sign_in.ts";
import type {
  AppTokenOptions,
  IdTokenOptions,
  IssuedTokenOptions,
  LogoutTokenOptions,
  UserTokenOptions,
} from "./token_options.ts";

const DEFAULT_LOG_LIMIT = 1000;

/**
 * An identity provider that behaves like Microsoft Entra ID, External ID, Azure AD B2C or AD FS, and runs wherever your code runs.
 *
 * It has two faces. {@linkcode LocalAuthority.fetch} answers the real Microsoft hosts in process: give it to your app
 * as its `fetch`, and nothing leaves the process. {@linkcode LocalAuthority.handler} and
 * {@linkcode LocalAuthority.serve} answer on loopback, for browsers and for other programs. Its keys are made when
 * they are first needed and are never stored. It is for tests and development: never trust its tokens elsewhere.
 */
export class LocalAuthority {
  /** Values of the first declared tenant, user, app and resource. */
  readonly defaults: LocalAuthorityDefaults;
  /**
   * A `fetch` that answers Microsoft's login hosts, those of declared tenants, and Microsoft Graph in process.
   *
   * It honours `signal` and `redirect`. A request to any other host, or without TLS, is logged with the kind
   * `"foreign"` and rejects with a `TypeError`, as it would without a network.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /**
   * The loopback face: answers all endpoints on whatever origin the request has.
   *
   * A request whose `Host` header is a Microsoft host is answered as that host would answer.
   */
  readonly handler: (request: Request) => Promise<Response>;
  readonly #engine: Engine;
  readonly #browser: ProgrammaticBrowser;
  readonly #options: LocalAuthorityOptions;

  /**
   * Declares an authority; does nothing else.
   *
   * @param options Tenants, users, apps and resources; all have defaults, see `defaults`
   * @throws {TypeError} when a declaration is wrong
   */
  constructor(options: LocalAuthorityOptions = {}) {
    this.#options = options;
    const log = new RequestLog(options.maxLoggedRequests ?? DEFAULT_LOG_LIMIT);
    this.#engine = new Engine(servicesOf(options), new Faults(), log, options.issuerOrigin);
    this.#browser = new ProgrammaticBrowser(this.#engine);
    this.defaults = this.#engine.services.directory.defaults;
    this.fetch = (input, init) => fetchInProcess(this.#engine, input, init);
    this.handler = (request) => this.#handle(request);
  }

  /** What has arrived, oldest first; a copy. Secrets and tokens are never in it. */
  get requests(): readonly LoggedRequest[] {
    return this.#engine.log.entries;
  }

  /**
   * Counts the requests that have arrived.
   *
   * @param filter What a request must be to be counted, such as `{ kind: "token" }`; without it all are
   * @returns How many match
   */
  countRequests(filter: RequestFilter = {}): number {
    return this.#engine.log.count(filter);
  }

  /** Forgets what has arrived. */
  clearRequests(): void {
    this.#engine.log.clear();
  }

  /**
   * Makes the next matching request, or more of them, go wrong. Older faults happen first. An authority that is down is
   * `{ on: "any", kind: "network", times: Infinity }`.
   *
   * @param fault What goes wrong, where, and how many times
   * @returns A function that takes the fault back
   * @throws {TypeError} when the fault is not one
   */
  fault(fault: Fault): () => void {
    return this.#engine.faults.add(fault);
  }

  /** Takes all faults back. */
  clearFaults(): void {
    this.#engine.faults.clear();
  }

  /**
   * Listens on 127.0.0.1, on a port that is free.
   *
   * @param platform `Deno` or `Bun`; elsewhere, put {@linkcode LocalAuthority.handler} behind a server of your own
   * @returns Where it listens, and how to stop it
   */
  serve(platform: DenoLike | BunLike): Promise<LocalAuthorityServer> {
    // In a promise, so that a platform that cannot listen makes it reject.
    return Promise.resolve().then(() =>
      serveLoopback(platform, (request, closing) => this.#handle(request, closing))
    );
  }

  /**
   * Signs an access token for an app without a request; also one that no API should accept.
   *
   * @param options What is in the token
   * @returns The token, a JWT
   * @throws {TypeError} when the tenant, app or resource is not declared
   */
  async issueAppToken(options: AppTokenOptions = {}): Promise<string> {
    return await issueAppToken(this.#engine.services, this.#issued(options));
  }

  /**
   * Signs an access token for a user without a request; also one that no API should accept.
   *
   * @param options What is in the token
   * @returns The token, a JWT
   * @throws {TypeError} when the tenant, app, user or resource is not declared
   */
  async issueUserToken(options: UserTokenOptions = {}): Promise<string> {
    return await issueUserToken(this.#engine.services, this.#issued(options));
  }

  /**
   * Signs an ID token without a request; also one that no client should accept.
   *
   * @param options What is in the token, and what is wrong with it
   * @returns The token, a JWT
   * @throws {TypeError} when the tenant, app or user is not declared
   */
  async issueIdToken(options: IdTokenOptions = {}): Promise<string> {
    return await issueIdToken(this.#engine.services, this.#issued(options));
  }

  /**
   * Signs a logout token without a request, as a back-channel sign-out posts it; also one that no app should accept.
   *
   * @param options What is in the token, and what is wrong with it
   * @returns The token, a JWT
   * @throws {TypeError} when the tenant, app or user is not declared
   */
  async issueLogoutToken(options: LogoutTokenOptions = {}): Promise<string> {
    return await issueLogoutToken(this.#engine.services, this.#issued(options));
  }

  /**
   * Signs a user in without a browser: does what the user would do on the pages, and returns the answer that the app
   * would get. It remembers who signed in, so that a request with `prompt=none` for the same user succeeds.
   *
   * @param authorizationUrl The URL that the app sends its user to
   * @param options Who signs in, and what they do. Default: the user of the hint, or the first one, who agrees
   * @returns The answer, with a code or with an error
   * @throws {EntraError} when the page would show an error, as it must not redirect (unknown app or redirect URI,
   * wrong tenant), or the user may not sign in there
   * @throws {TypeError} when the URL is not that of the authorization endpoint
   */
  async signIn(authorizationUrl: string | URL, options: SignInOptions = {}): Promise<AuthorizationAnswer> {
    return await this.#browser.signIn(authorizationUrl, options);
  }

  /**
   * Signs out without a browser whom {@linkcode LocalAuthority.signIn} signed in, and posts the logout tokens.
   *
   * @param logoutUrl The URL that the app sends its user to
   * @param options Who signs out. Default: the user of the hint, else everybody
   * @returns What the page would load, and where it would go
   * @throws {TypeError} when the URL is not that of the sign-out endpoint
   */
  async signOut(logoutUrl: string | URL, options: SignOutOptions = {}): Promise<SignOutAnswer> {
    return await this.#browser.signOut(logoutUrl, options);
  }

  /**
   * Does what the user of a device would do on the page that it names.
   *
   * @param userCode The code that the device shows
   * @param options Who signs in, and whether they agree. Default: the first user, who does
   * @throws {EntraError} when no device waits with this code, or the user may not sign in to it
   */
  approveDevice(userCode: string, options: SignInOptions = {}): void {
    this.#browser.approveDevice(userCode, options);
  }

  /**
   * Revokes a user's sessions. The API refuses older access tokens with a claims challenge (continuous access
   * evaluation); refresh tokens keep working, unless they are revoked too.
   *
   * @param username The user's name
   * @param options Whether refresh tokens are revoked as well. Default: they are not
   * @throws {TypeError} when there is no such user
   */
  revokeSessions(username: string, options: { readonly refreshTokens?: boolean } = {}): void {
    const { directory, sessions, revocations, clock } = this.#engine.services;
    const user = directory.user(username);
    if (!user) throw new TypeError("Cannot revoke sessions: no such user");
    sessions.revoke(user);
    revocations.revoke(user, Math.floor(clock.now() / 1000), options.refreshTokens ?? false);
  }

  /**
   * Signs with a new key from now on.
   *
   * @param options Whether the key set still lists the old keys. Default: it does
   */
  async rotateKeys(options: { readonly keepOld?: boolean } = {}): Promise<void> {
    await this.#engine.services.keys.rotate(options.keepOld ?? true);
  }

  #issued<T extends IssuedTokenOptions>(options: T): T {
    const { issuerOrigin } = this.#options;
    return issuerOrigin === undefined ? options : { issuerOrigin, ...options };
  }

  async #handle(request: Request, closing?: AbortSignal): Promise<Response> {
    const isControl = this.#options.controlEndpoints && isControlPath(request.url);
    if (isControl) return await answerControl(this.#engine, request);
    return await handleLoopback(this.#engine, request, closing);
  }
}
