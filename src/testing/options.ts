/**
 * What a local authority is told: its tenants, apps and resources.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";

/** A directory that the authority plays. */
export interface TenantDeclaration {
  /** The tenant's id, a GUID. */
  readonly id: string;
  /** Its domain names, the first one being the initial domain. Default: none. */
  readonly domains?: readonly string[];
  /** Its display name. Default: the first domain, else the id. */
  readonly name?: string;
}

/** A client secret of an app. */
export interface SecretDeclaration {
  /** The secret's value. */
  readonly value: string;
  /** When it expires, in milliseconds since the epoch. Default: never. */
  readonly expiresAtMs?: number;
}

/** An app registration: a client that may ask for tokens. */
export interface AppDeclaration {
  /** The application (client) id, a GUID. */
  readonly clientId: string;
  /** Its display name. Default: the client id. */
  readonly name?: string;
  /** Its secrets; several may be live at once, as during a rotation. Default: none, so it cannot authenticate. */
  readonly secrets?: readonly (string | SecretDeclaration)[];
  /** The ids of the tenants it is installed in. Default: all. */
  readonly tenants?: readonly string[];
  /** The application permissions granted to it, by a resource's identifier URI or app id. Default: none. */
  readonly appRoles?: Readonly<Record<string, readonly string[]>>;
  /** Optional claims for its tokens; `idtyp` is the one known. Default: none. */
  readonly optionalClaims?: readonly string[];
}

/** An API that tokens can be issued for. */
export interface ResourceDeclaration {
  /** Its application ID URIs, without `/.default`. */
  readonly identifierUris: readonly string[];
  /** Its application id, a GUID: the audience of its version 2 tokens. */
  readonly appId: string;
  /**
   * The version of its access tokens.
   *
   * @default {1}
   */
  readonly accessTokenVersion?: 1 | 2;
  /** Optional claims for all tokens to it; `idtyp` is the one known. Default: none. */
  readonly optionalClaims?: readonly string[];
}

/** The options of a {@linkcode LocalAuthority}; all have defaults. */
export interface LocalAuthorityOptions {
  /** The tenants. Default: one, Contoso. */
  readonly tenants?: readonly TenantDeclaration[];
  /** The apps. Default: one, which may read the organization from Microsoft Graph. */
  readonly apps?: readonly AppDeclaration[];
  /** The resources besides Microsoft Graph, which is always there unless one with its app id is declared. */
  readonly resources?: readonly ResourceDeclaration[];
  /**
   * How long access tokens live, in seconds; the `expires_in` of a response.
   *
   * @default {3599}
   */
  readonly tokenLifetimeSeconds?: number;
  /** The `refresh_in` of a response, in seconds. Default: half the lifetime if that is two hours or more, else none. */
  readonly refreshInSeconds?: number;
  /** Where the authority reads the time. Default: the system's clock. */
  readonly clock?: Clock;
  /** The origin that issuers are written with on the loopback face. Default: the origin of the request. */
  readonly issuerOrigin?: string;
  /**
   * Whether the loopback face answers `/.local/faults` and `/.local/requests`; whoever can reach it can then break it.
   *
   * @default {false}
   */
  readonly controlEndpoints?: boolean;
  /**
   * How many requests the log keeps; older ones are dropped.
   *
   * @default {1000}
   */
  readonly maxLoggedRequests?: number;
}

/** Values of the first declared tenant, app and resource, handy in examples. */
export interface LocalAuthorityDefaults {
  /** The first tenant's id. */
  readonly tenantId: string;
  /** The first tenant's first domain, or its id if it has none. */
  readonly domain: string;
  /** The first app's client id. */
  readonly clientId: string;
  /** The first app's first secret, or an empty string if it has none. */
  readonly clientSecret: string;
  /** The first resource's `/.default` scope. */
  readonly scope: string;
}
