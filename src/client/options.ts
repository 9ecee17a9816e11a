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
  /**
   * The discovery document of the authority's own tenant; checked at once, like one that was fetched. Those of other tenants
   * (`tenantId`) are still fetched where they are needed.
   */
  readonly openidConfiguration?: Readonly<Record<string, unknown>> | undefined;
  /**
   * The signing keys: the document at the authority's `jwks_uri`. They count for all its tenants. Tokens of other keys are
   * refused: bring new ones along before the authority uses them.
   */
  readonly jwks?: Readonly<Record<string, unknown>> | undefined;
  /**
   * An answer of instance discovery, `{ metadata: [{ preferred_network, preferred_cache, aliases }] }`: msal-node's
   * `cloudDiscoveryMetadata`, parsed. Its hosts are known then. The preferred one is asked for any alias, and tokens are kept under
   * the other preferred one, so that aliases share them. It changes nothing for Microsoft's hosts, which are built in.
   */
  readonly instanceDiscovery?: Readonly<Record<string, unknown>> | undefined;
}

/** The options that both applications take. */
export interface ClientApplicationOptions {
  /** The application (client) id of the app registration. */
  readonly clientId: string;
  /**
   * Microsoft's, in any of its shapes: Entra ID in all its clouds as `https://<cloud>/<tenant>` or `{ instance, tenant }`, External
   * ID as `https://<name>.ciamlogin.com`, Azure AD B2C as `https://<name>.b2clogin.com/<tenant>/<policy>`, ADFS as
   * `https://<server>/adfs`, and dSTS. Not together with `oidcAuthority`.
   *
   * @default {"https://login.microsoftonline.com/common"}
   */
  readonly authority?: AuthorityOption | undefined;
  /**
   * Any OpenID Connect issuer, by its exact name: its endpoints come from its discovery document, which has to say the same name.
   * Where that is one of Microsoft's behind a domain of your own, give `authority` and `knownAuthorities` instead.
   */
  readonly oidcAuthority?: string | URL | undefined;
  /**
   * Hosts beside Microsoft's that you vouch for, each with its port unless that is the default: domains of your own of External ID
   * and B2C, ADFS servers, proxies. With a tenant's GUID or domain such a host is one of External ID, with `common`,
   * `organizations` or `consumers` one of Entra ID.
   */
  readonly knownAuthorities?: readonly string[] | undefined;
  /**
   * Whether a host of `authority` that is neither Microsoft's nor in `knownAuthorities` is refused. `false` trusts the authority
   * as it is written, as if its host were listed: never do that with one that a user named.
   *
   * @default {true}
   */
  readonly validateAuthority?: boolean | undefined;
  /**
   * Whether Microsoft is asked about such a host before anything is sent there: `true`, or the `https:` URL of a private cloud's
   * instance discovery endpoint. A host that is not in the answer's `aliases` gets no request, and calls fail with
   * `untrusted_authority`; the answer counts for a day. It speaks for `https://<host>/<tenant>` alone, not for ADFS or B2C. Without
   * it the host is refused at once. Nobody is ever asked about Microsoft's own hosts.
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
   * The Azure region whose endpoint `acquireTokenForClient` asks, such as `"westus2"`; tokens of users come from the central one.
   * `true` asks the machine, once, which works on Azure alone: `fetch` sends that to `http://169.254.169.254`, the only address that
   * is ever asked over `http:`. Without an answer in 2 s the central endpoint is asked, an event tells so
   * (`region_unknown`), and the machine is left alone for five minutes. Only Microsoft's clouds have regions. See `azureRegion()` of
   * `@msal-edge/msal/host` for environment variables.
   *
   * @default {false}
   */
  readonly azureRegion?: string | boolean | undefined;
}

/** The options of a {@linkcode PublicClientApplication}; it has no credential. */
export type PublicClientOptions = ClientApplicationOptions;
