/**
 * What tokens that are issued without a request are told.
 *
 * @module
 */
import type { IdTokenSignature } from "./faults.ts";

/** What all tokens that are issued without a request can be told; all has defaults. */
export interface IssuedTokenOptions {
  /** The tenant's id or a domain of it. Default: the first tenant; for a user, their home. */
  readonly tenant?: string;
  /** The app's client id. Default: the first app. */
  readonly clientId?: string;
  /** The policy, for a tenant of Azure AD B2C. Default: its first. */
  readonly policy?: string;
  /** How long the token lives from now on, in seconds; negative for one that has expired. Default: as configured. */
  readonly lifetimeSeconds?: number;
  /** The origin that the issuer is derived from. Default: `issuerOrigin`, else the tenant's own host or the public cloud. */
  readonly issuerOrigin?: string;
  /** Claims to add or replace; `undefined` removes one. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Members of the header to add or replace; `undefined` removes one. Default: none. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** How it is signed wrongly. Default: properly. */
  readonly signature?: IdTokenSignature;
}

/** What {@linkcode LocalAuthority.issueAppToken} writes into a token; all has defaults. */
export interface AppTokenOptions extends IssuedTokenOptions {
  /** The resource's identifier URI or app id. Default: the first resource. */
  readonly resource?: string;
  /** The application permissions. Default: those granted to the app. */
  readonly roles?: readonly string[];
}

/** What {@linkcode LocalAuthority.issueUserToken} writes into a token; all has defaults. */
export interface UserTokenOptions extends IssuedTokenOptions {
  /** The user's name. Default: the first user. */
  readonly username?: string;
  /** The resource's identifier URI or app id. Default: that of `defaults.userScope`. */
  readonly resource?: string;
  /** The delegated permissions. Default: those that the app has without asking. */
  readonly scopes?: readonly string[];
  /**
   * Whether the user passed multi-factor authentication.
   *
   * @default {false}
   */
  readonly mfa?: boolean;
  /** The authentication contexts that the user satisfied, such as `c1`; the `acrs` claim. Default: none. */
  readonly acrs?: readonly string[];
  /** The client capabilities, such as `cp1`; the `xms_cc` claim. Default: none. */
  readonly capabilities?: readonly string[];
}

/** What {@linkcode LocalAuthority.issueIdToken} writes into a token; all has defaults. */
export interface IdTokenOptions extends IssuedTokenOptions {
  /** The user's name. Default: the first user. */
  readonly username?: string;
  /** The scopes, which decide which claims there are. Default: `openid`, `profile` and `email`. */
  readonly scopes?: readonly string[];
  /** The nonce of the authorization request. Default: none. */
  readonly nonce?: string;
  /** When the user signed in, in seconds since the epoch. Default: the token does not say. */
  readonly authTimeSeconds?: number;
  /** The access token that it comes with, for `at_hash`. Default: none. */
  readonly accessToken?: string;
}

/** What {@linkcode LocalAuthority.issueLogoutToken} writes into a token; all has defaults. */
export interface LogoutTokenOptions extends IssuedTokenOptions {
  /** The user's name. Default: the first user. */
  readonly username?: string;
  /** The session that ended. Default: the latest one of the user that lasts; without one the token names none. */
  readonly sid?: string;
}
