/**
 * What a local authority is told: its tenants, users, apps and resources.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { AppKeys, BindingOptions } from "./key_options.ts";
import type { ShapeDeclaration } from "./shape_options.ts";

/** A directory that the authority plays. */
export interface TenantDeclaration extends ShapeDeclaration {
  /** The tenant's id, a GUID; a farm of AD FS shows it to nobody. */
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

/** A tenant that knows a user as a guest. */
export interface GuestDeclaration {
  /** The tenant's id or a domain of it. */
  readonly tenant: string;
  /** The guest's object id there, a GUID. Default: derived from the user name and the tenant. */
  readonly id?: string;
}

/** A user who may sign in. */
export interface UserDeclaration {
  /** The user principal name, such as `alex@contoso.onmicrosoft.com`. */
  readonly username: string;
  /** The object id in the home tenant, a GUID. Default: derived from the user name, always the same. */
  readonly id?: string;
  /** The home tenant's id or a domain of it. Default: the first tenant. */
  readonly tenant?: string;
  /**
   * The password.
   *
   * @default {"local-password"}
   */
  readonly password?: string;
  /** The display name. Default: the user name up to the `@`. */
  readonly name?: string;
  /** The e-mail address; the `email` claim. Default: none. */
  readonly email?: string;
  /** Whether the domain of the e-mail address is verified; the `xms_edov` claim. Default: no such claim. */
  readonly emailVerified?: boolean;
  /**
   * Whether the user can pass multi-factor authentication, with the code `000000`.
   *
   * @default {true}
   */
  readonly mfa?: boolean;
  /** The tenants that the user is a guest of. Default: none. */
  readonly guestOf?: readonly GuestDeclaration[];
  /**
   * Whether this is a Microsoft account, whose home is the tenant of all of them.
   *
   * @default {false}
   */
  readonly personal?: boolean;
}

/** Whose accounts an app takes: of one tenant, of any tenant, Microsoft accounts too, or these alone. */
export type AppAudience = "single" | "multi" | "multi_and_personal" | "personal";

/** An app registration: a client that may ask for tokens. */
export interface AppDeclaration extends AppKeys {
  /** The application (client) id, a GUID. */
  readonly clientId: string;
  /** Its display name. Default: the client id. */
  readonly name?: string;
  /** Its secrets; several may be live at once, as during a rotation. Default: none. */
  readonly secrets?: readonly (string | SecretDeclaration)[];
  /** The ids of the tenants it is installed in. Default: all. */
  readonly tenants?: readonly string[];
  /** The application permissions granted to it, by a resource's identifier URI or app id. Default: none. */
  readonly appRoles?: Readonly<Record<string, readonly string[]>>;
  /** Optional claims for its tokens: `idtyp`, `auth_time`, `login_hint`, `sid`. Default: none. */
  readonly optionalClaims?: readonly string[];
  /**
   * Where answers may be sent. A URI at the end `/*` stands for any path; of `http://localhost` and
   * `http://127.0.0.1` the port does not matter. Default: none, so nobody can sign in with a browser.
   */
  readonly redirectUris?: readonly string[];
  /**
   * Whether it is a public client, which has no credential and must not send one.
   *
   * @default {false}
   */
  readonly publicClient?: boolean;
  /**
   * Whose accounts it takes; `"single"` takes those of the first tenant that it is installed in.
   *
   * @default {"multi_and_personal"}
   */
  readonly audience?: AppAudience;
  /** The family of clients that may redeem each other's refresh tokens; there is only `"1"`. Default: none. */
  readonly familyId?: "1";
  /** The delegated permissions that every user has consented to, by a resource's identifier URI or app id. */
  readonly delegatedScopes?: Readonly<Record<string, readonly string[]>>;
  /**
   * Whether users must consent to what is not in `delegatedScopes`; else they have consented to everything.
   *
   * @default {false}
   */
  readonly requireConsent?: boolean;
  /**
   * Its front-channel sign-out addresses: the sign-out page loads them in hidden frames, with `iss` and `sid`, if the
   * user had signed in to the app. Default: none.
   */
  readonly logoutUris?: readonly string[];
  /**
   * Its back-channel sign-out addresses: a logout token is posted there when a user who had signed in to the app signs
   * out. Entra ID has no such thing; other OpenID providers do. Default: none.
   */
  readonly backChannelLogoutUris?: readonly string[];
}

/**
 * An API that tokens can be issued for.
 *
 * An API that calls others on behalf of its callers is declared twice, as it is registered: here, and as an app whose
 * `clientId` is this `appId`, with a secret to call with.
 */
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
  /** The delegated permissions that it has, such as `Orders.Read`. Default: none; Microsoft Graph has some. */
  readonly scopes?: readonly string[];
  /**
   * Whether its users must have passed multi-factor authentication (conditional access). Whoever has not is shown the
   * page for it; where there is no page, as for a refresh or on behalf of a user, the answer is AADSTS50076 with the
   * `claims` that a sign-in has to ask for.
   *
   * @default {false}
   */
  readonly requiresMfa?: boolean;
}

/** How refresh tokens behave. */
export interface RefreshTokenOptions {
  /**
   * Whether every refresh answers with a new one.
   *
   * @default {true}
   */
  readonly rotate?: boolean;
  /**
   * Whether an old one that comes again revokes all of its successors. Entra ID keeps old ones working.
   *
   * @default {false}
   */
  readonly detectReuse?: boolean;
  /** How long one that is not used lives, in seconds. Default: 90 days. */
  readonly lifetimeSeconds?: number;
}

/** How device codes behave. */
export interface DeviceCodeOptions {
  /**
   * How long a device must wait between two questions, in seconds.
   *
   * @default {5}
   */
  readonly intervalSeconds?: number;
  /**
   * How long the user has, in seconds.
   *
   * @default {900}
   */
  readonly lifetimeSeconds?: number;
}

/** A `fetch` that logout tokens are posted with. */
export type NotifyingFetch = (input: string, init: RequestInit) => Promise<Response>;

/** The options of a {@linkcode LocalAuthority}; all have defaults. */
export interface LocalAuthorityOptions extends BindingOptions {
  /** The tenants. Default: one, Contoso. */
  readonly tenants?: readonly TenantDeclaration[];
  /** The users. Default: one, `alex` in the first tenant. */
  readonly users?: readonly UserDeclaration[];
  /** The apps. Default: a daemon, which may read the organization from Microsoft Graph, and a public client. */
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
  /** How refresh tokens behave. Default: as at Entra ID. */
  readonly refreshTokens?: RefreshTokenOptions;
  /** How device codes behave. Default: as at Entra ID. */
  readonly deviceCode?: DeviceCodeOptions;
  /**
   * Posts logout tokens to `backChannelLogoutUris`; an app that cannot be reached is not told. Default: the global
   * `fetch`.
   */
  readonly fetch?: NotifyingFetch;
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
