/**
 * What the applications are made of.
 *
 * @module
 */

import type { AuthorityOption } from "../authority/authority.ts";
import type { TokenCache } from "../cache/token_cache.ts";
import type { ClientCredential } from "../credential/client_credential.ts";
import type { allowInsecureLoopback } from "../net/endpoint.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger, MsalEvent } from "../runtime/events.ts";
import type { FetchFunction, WaitUntil } from "../runtime/web_types.ts";
import type { Store } from "../store/store.ts";

/** A number for each kind of request. */
export interface PerPurpose {
  /** For the token endpoint. */
  readonly token?: number | undefined;
  /** For discovery documents. */
  readonly metadata?: number | undefined;
}

/** Documents of the application's authority that need not be asked for. */
export interface InjectedMetadata {
  /** The discovery document of the authority's own tenant; checked like one that was fetched. */
  readonly openidConfiguration?: Readonly<Record<string, unknown>> | undefined;
  /** The signing keys: the document at its `jwks_uri`. Tokens of other keys are refused. */
  readonly jwks?: Readonly<Record<string, unknown>> | undefined;
  /** The answer of Microsoft's instance discovery, whose hosts are known then, and whose aliases share their tokens. */
  readonly instanceDiscovery?: Readonly<Record<string, unknown>> | undefined;
}

/** The options that both applications take. */
export interface ClientApplicationOptions {
  /** The application (client) id of the app registration. */
  readonly clientId: string;
  /**
   * Microsoft Entra ID: `https://<cloud>/<tenant>`, or `{ instance, tenant }`. Not together with `oidcAuthority`.
   *
   * @default {"https://login.microsoftonline.com/common"}
   */
  readonly authority?: AuthorityOption | undefined;
  /** Any OpenID Connect issuer; its endpoints come from its discovery document. */
  readonly oidcAuthority?: string | URL | undefined;
  /** Hosts that speak like Entra and are not Microsoft's, such as `login.example.com` or `localhost:8443`. */
  readonly knownAuthorities?: readonly string[] | undefined;
  /**
   * Whether a host of `authority` that is neither Microsoft's nor in `knownAuthorities` is refused. `false` trusts the authority
   * as it is written: never do that with one that a user named.
   *
   * @default {true}
   */
  readonly validateAuthority?: boolean | undefined;
  /**
   * Whether Microsoft is asked about such a host before anything else is sent: `true`, or the URL of a private cloud's instance
   * discovery endpoint. Without it the host is refused at once.
   *
   * @default {false}
   */
  readonly instanceDiscovery?: boolean | string | URL | undefined;
  /** Documents that are known beforehand, for networks without a way out: they are never asked for. */
  readonly metadata?: InjectedMetadata | undefined;
  /** Where tokens are kept, to be serialised, shared or stored. A bounded memory of its own where absent. */
  readonly tokenCache?: TokenCache | undefined;
  /**
   * Where throttling and refusals are kept, hashed, without tokens, and discovery documents and signing keys. A
   * {@linkcode MemoryStore} of its own where absent.
   */
  readonly httpCache?: Store | undefined;
  /** Sends every request. The global `fetch`, looked up at each call, where absent. */
  readonly fetch?: FetchFunction | undefined;
  /** The deadline of each attempt, in milliseconds. @default {{ token: 10000, metadata: 5000 }} */
  readonly timeoutMs?: number | PerPurpose | undefined;
  /** The most bytes of an answer's body. @default {{ token: 1048576, metadata: 262144 }} */
  readonly maxResponseBytes?: number | PerPurpose | undefined;
  /** Declared to Entra as `xms_cc`, such as `["cp1"]` for continuous access evaluation. */
  readonly clientCapabilities?: readonly string[] | undefined;
  /**
   * The only tenants whose users may sign in, by their GUIDs; an authority of many tenants lets in users of all of them
   * otherwise. `"any"` says that this is meant.
   *
   * @default {"any"}
   */
  readonly allowedTenants?: readonly string[] | "any" | undefined;
  /** By how many seconds this clock and the authority's may differ when an ID token is checked, at most 300. @default {120} */
  readonly clockToleranceSeconds?: number | undefined;
  /**
   * Which of `profile` and `offline_access` a sign-in leaves out; without `offline_access` no refresh token comes. Without
   * `profile` Entra's ID tokens have no `oid`: after a change of that, users have to sign in again.
   */
  readonly excludeScopes?: readonly ("profile" | "offline_access")[] | undefined;
  /**
   * Announces each sign-in to the authority before the browser goes there, RFC 9126: what is asked for cannot be changed on its way,
   * and does not show in the URL. One more request for each. Without it that is done only where the authority requires it.
   *
   * @default {false}
   */
  readonly pushedAuthorizationRequests?: boolean | undefined;
  /** Sent as `x-app-name`. */
  readonly appName?: string | undefined;
  /** Sent as `x-app-ver`. */
  readonly appVersion?: string | undefined;
  /** `false` sends no telemetry headers and no correlation id of the library's making. @default {true} */
  readonly telemetry?: boolean | undefined;
  /** Where the time is read and timers are set. @default {systemClock} */
  readonly clock?: Clock | undefined;
  /** Receives log lines; `console` is one. Nothing is logged where absent. */
  readonly logger?: Logger | undefined;
  /** Receives events. */
  readonly onEvent?: ((event: MsalEvent) => void) | undefined;
  /**
   * Keeps background work alive: a function, or `"detached"` where the process does so by itself (Deno, Bun, Node). On
   * Workers pass it with each request. Without it nothing is done in the background.
   */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** Allows `http:` on loopback; never deploy it. */
  readonly [allowInsecureLoopback]?: boolean | undefined;
}

/** The options of a {@linkcode ConfidentialClientApplication}. */
export interface ConfidentialClientOptions extends ClientApplicationOptions {
  /** How the client proves who it is. */
  readonly clientCredential: ClientCredential;
  /** Claims of the application's own in each assertion that the library signs, such as `{ client_ip: "1.2.3.4" }`. */
  readonly clientClaims?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The Azure region whose endpoint app tokens are asked from, such as `"westus2"`; `true` asks the machine, which works on Azure
   * alone. See `azureRegion()` of `@msal-edge/msal/host` for environment variables.
   *
   * @default {false}
   */
  readonly azureRegion?: string | boolean | undefined;
}

/** The options of a {@linkcode PublicClientApplication}; it has no credential. */
export type PublicClientOptions = ClientApplicationOptions;
