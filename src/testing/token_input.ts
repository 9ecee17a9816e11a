/**
 * What tokens are issued from.
 *
 * @module
 */
import type { App, Resource, Tenant, User } from "./declared.ts";
import type { Origin } from "./token_origin.ts";
import type { Json } from "./token_parts.ts";

/** What an app's access token is issued from. */
export interface AppTokenInput {
  readonly tenant: Tenant;
  readonly app: App;
  readonly resource: Resource;
  /** The resource as it was asked for; the audience of a version 1 token. */
  readonly audience: string;
  readonly roles: readonly string[];
  readonly issuerOrigin: string;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
  /** Claims that are added, or replaced; `undefined` removes one. */
  readonly extraClaims: Readonly<Record<string, unknown>>;
}

/** What a user's access token is issued from. */
export interface UserTokenInput {
  /** The tenant that issues the token: the user's home, or one that they are a guest of. */
  readonly tenant: Tenant;
  readonly app: App;
  readonly user: User;
  readonly resource: Resource;
  /** The resource as it was asked for; the audience of a version 1 token. */
  readonly audience: string;
  /** The delegated permissions. */
  readonly scopes: readonly string[];
  /** The sign-in that it comes from. */
  readonly signedIn: Origin;
  /** The authentication contexts that the user has satisfied. */
  readonly contexts: readonly string[];
  readonly issuerOrigin: string;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
  /** Since when the user's tokens count, in seconds since the epoch. */
  readonly validFromSeconds: number;
  /** Claims that are added, or replaced; `undefined` removes one. */
  readonly extraClaims: Json;
}

/** What an ID token is issued from. */
export interface IdTokenInput {
  readonly tenant: Tenant;
  readonly app: App;
  readonly user: User;
  /** The scopes of OpenID Connect that were granted. */
  readonly scopes: readonly string[];
  readonly nonce: string | undefined;
  /** When the user signed in, if the token is to say so. */
  readonly authTimeSeconds: number | undefined;
  /** The authentication contexts that the user has satisfied. */
  readonly contexts: readonly string[];
  /** The session, if the token is to name it. */
  readonly sid: string | undefined;
  /** Whether the token is to carry a hint for later sign-ins. */
  readonly loginHint: boolean;
  /** The access token that comes with it. */
  readonly accessToken: string | undefined;
  readonly issuerOrigin: string;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}
