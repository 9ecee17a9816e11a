/**
 * The local authority itself.
 *
 * @module
 */
import { systemClock } from "../runtime/clock.ts";
import { signAppToken } from "./access_token.ts";
import { PUBLIC_CLOUD } from "./clouds.ts";
import { answerControl, isControlPath } from "./control_endpoints.ts";
import { Directory } from "./directory.ts";
import { Engine } from "./engine.ts";
import { type Fault, Faults } from "./faults.ts";
import { fetchInProcess } from "./in_process_fetch.ts";
import {
  type BunLike,
  type DenoLike,
  handleLoopback,
  type LocalAuthorityServer,
  serveLoopback,
} from "./loopback.ts";
import type { LocalAuthorityDefaults, LocalAuthorityOptions } from "./options.ts";
import { type LoggedRequest, type RequestFilter, RequestLog } from "./request_log.ts";
import { SessionStore } from "./sessions.ts";
import { SigningKeys } from "./signing_keys.ts";

/** What {@linkcode LocalAuthority.issueAppToken} writes into a token; all has defaults. */
export interface AppTokenOptions {
  /** The tenant's id or a domain of it. Default: the first tenant. */
  readonly tenant?: string;
  /** The app's client id. Default: the first app. */
  readonly clientId?: string;
  /** The resource's identifier URI or app id. Default: the first resource. */
  readonly resource?: string;
  /** The application permissions. Default: those granted to the app. */
  readonly roles?: readonly string[];
  /** How long the token lives from now on, in seconds; negative for one that has expired. Default: as configured. */
  readonly lifetimeSeconds?: number;
  /** The origin that the issuer is derived from. Default: `issuerOrigin`, else that of the public cloud. */
  readonly issuerOrigin?: string;
  /** Claims to add or replace; `undefined` removes one. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const DEFAULT_LIFETIME_SECONDS = 3599;
const DEFAULT_LOG_LIMIT = 1000;

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`Cannot issue a token: no such ${what}`);
  return value;
}

/**
 * An identity provider that behaves like Microsoft Entra ID and runs wherever your code runs.
 *
 * It has two faces. {@linkcode LocalAuthority.fetch} answers the real Microsoft hosts in process: give it to your app
 * as its `fetch`, and nothing leaves the process. {@linkcode LocalAuthority.handler} and
 * {@linkcode LocalAuthority.serve} answer on loopback, for browsers and for other programs. Its keys are made when
 * they are first needed and are never stored. It is for tests and development: never trust its tokens elsewhere.
 *
 * @example An app token, and an API that accepts it
 * ```ts
 * import { LocalAuthority } from "@msal-edge/msal/testing";
 *
 * const authority = new LocalAuthority();
 * const { tenantId, clientId, clientSecret, scope } = authority.defaults;
 * const response = await authority.fetch(`https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`, {
 *   method: "POST",
 *   body: new URLSearchParams({
 *     grant_type: "client_credentials",
 *     client_id: clientId,
 *     client_secret: clientSecret,
 *     scope,
 *   }),
 * });
 * const { access_token } = await response.json();
 * const organization = await authority.fetch("https://graph.microsoft.com/v1.0/organization", {
 *   headers: { authorization: `Bearer ${access_token}` },
 * });
 * console.log((await organization.json()).value[0].displayName); // Contoso
 * ```
 */
export class LocalAuthority {
  /** Values of the first declared tenant, app and resource. */
  readonly defaults: LocalAuthorityDefaults;
  /**
   * A `fetch` that answers Microsoft's login hosts and Microsoft Graph in process.
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
  readonly #directory: Directory;
  readonly #options: LocalAuthorityOptions;

  /**
   * Declares an authority; does nothing else.
   *
   * @param options Tenants, apps and resources; without any there is one of each, see `defaults`
   * @throws {TypeError} when a declaration is wrong
   */
  constructor(options: LocalAuthorityOptions = {}) {
    this.#options = options;
    this.#directory = new Directory(options);
    const clock = options.clock ?? systemClock;
    this.#engine = new Engine(
      {
        directory: this.#directory,
        keys: new SigningKeys(),
        clock,
        sessions: new SessionStore(clock),
        tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS,
        refreshInSeconds: options.refreshInSeconds,
      },
      new Faults(),
      new RequestLog(options.maxLoggedRequests ?? DEFAULT_LOG_LIMIT),
      options.issuerOrigin,
    );
    this.defaults = this.#directory.defaults;
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
   * Makes the next matching request, or more of them, go wrong. Older faults happen first.
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
    const { services } = this.#engine;
    const { defaults } = this;
    const audience = options.resource ?? defaults.scope.slice(0, -"/.default".length);
    const tenant = required(this.#directory.tenant(options.tenant ?? defaults.tenantId), "tenant");
    const app = required(this.#directory.app(options.clientId ?? defaults.clientId, tenant), "app");
    const resource = required(this.#directory.resource(audience), "resource");
    return await signAppToken({
      tenant,
      app,
      resource,
      audience,
      roles: options.roles ?? this.#directory.roles(app, resource),
      issuerOrigin: options.issuerOrigin ?? this.#options.issuerOrigin ?? `https://${PUBLIC_CLOUD.hosts[0]}`,
      nowMs: services.clock.now(),
      lifetimeSeconds: options.lifetimeSeconds ?? services.tokenLifetimeSeconds,
      extraClaims: options.claims ?? {},
    }, await services.keys.current());
  }

  async #handle(request: Request, closing?: AbortSignal): Promise<Response> {
    if (this.#options.controlEndpoints && isControlPath(request.url)) {
      return await answerControl(this.#engine, request);
    }
    return await handleLoopback(this.#engine, request, closing);
  }
}
