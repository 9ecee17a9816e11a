/**
 * What the cache knows of a user beside access tokens.
 *
 * @module
 */

import type { AccountInfo } from "../request/account_info.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import type { CachedToken, EntryOrigin } from "./cached_token.ts";

/** Whose tokens a part of the cache holds. */
export interface UserKey {
  /** The authority's host as it was configured. */
  readonly environment: string;
  /** The client id, in its own case. */
  readonly clientId: string;
  /** The home account. */
  readonly homeAccountId: string;
}

/** A user in one tenant: MSAL's `Account` entry. */
export interface CachedAccount extends Omit<UserKey, "clientId"> {
  /** The tenant. */
  readonly realm: string;
  /** The user's object id there, or `sub`. */
  readonly localAccountId: string;
  /** The sign-in name. */
  readonly username: string;
  /** The display name. */
  readonly name?: string | undefined;
  /** `MSSTS`, `ADFS`, or what somebody else wrote. */
  readonly authorityType: string;
  /** The grant that the account came by, as MSAL Python writes it. */
  readonly accountSource?: string | undefined;
  /** The raw `client_info`, which MSAL Node wants to see. */
  readonly clientInfo?: string | undefined;
  /** Whose tokens these are, where an API got them on behalf of its caller: the text that `markOf` makes. */
  readonly onBehalfOf?: string | undefined;
  /** Where it was read from. */
  readonly origin?: EntryOrigin | undefined;
}

/** A user's ID token in one tenant. */
export interface CachedIdToken extends UserKey {
  /** The tenant. */
  readonly realm: string;
  /** The ID token. */
  readonly secret: string;
  /** Its claims: they were validated before it was stored. */
  readonly claims: IdTokenClaims;
  /** Where it was read from. */
  readonly origin?: EntryOrigin | undefined;
}

/** A refresh token. Times are epoch seconds. */
export interface CachedRefreshToken extends UserKey {
  /** The refresh token. */
  readonly secret: string;
  /** The scopes that it was granted with, joined; empty where nobody said. */
  readonly target: string;
  /** The family of client ids that may use it. */
  readonly familyId?: string | undefined;
  /** When it was stored; 0 where nobody said. */
  readonly lastModified: number;
  /** When it ends, if the authority said so. */
  readonly expiresOn?: number | undefined;
  /** Where it was read from. */
  readonly origin?: EntryOrigin | undefined;
}

/** What is known of a client beside its users: MSAL's `AppMetadata` entry. */
export interface CachedApp extends Omit<UserKey, "homeAccountId"> {
  /** The family that the client belongs to; empty where it is known to have none. */
  readonly familyId: string;
  /** Where it was read from. */
  readonly origin?: EntryOrigin | undefined;
}

/** What one answer of the token endpoint brings for a user. */
export interface UserTokens {
  /** The access token. */
  readonly accessToken: CachedToken;
  /** The refresh token, if one came. */
  readonly refreshToken?: CachedRefreshToken | undefined;
  /** The refresh token that was redeemed for this answer; the new one takes its place. */
  readonly redeemed?: CachedRefreshToken | undefined;
  /** The validated ID token, if one came. */
  readonly idToken?: CachedIdToken | undefined;
  /** The account, where the ID token or `client_info` tells of one. */
  readonly account?: CachedAccount | undefined;
  /** The family that the answer named; `undefined` keeps what is known of this client. */
  readonly familyId?: string | undefined;
  /** The mark of the account, where the answer came on behalf of a caller. */
  readonly onBehalfOf?: string | undefined;
  /** After which nothing of it counts, in epoch seconds. */
  readonly endsOn?: number | undefined;
}

/** A user in one tenant, ready to hand out. */
export interface UserProfile {
  /** The account entry. */
  readonly account: CachedAccount;
  /** The same for the application: frozen, one object for as long as nothing changes. Nobody has no `homeAccountId`. */
  readonly info: AccountInfo;
  /** The ID token of that tenant. */
  readonly idToken?: CachedIdToken | undefined;
}

/** What memory holds of a user for one client. */
export interface UserRecord {
  /** The owner key of {@linkcode UserKey}, the same as that of the user's access tokens. */
  readonly owner: string;
  /** Whose it is. */
  readonly key: UserKey;
  /** The profiles by realm: a tenant in lower case, an issuer's path as it is. */
  readonly profiles: ReadonlyMap<string, UserProfile>;
  /** The mark of the accounts, where they are of somebody on whose behalf an API acts. */
  readonly onBehalfOf?: string | undefined;
  /** This client's refresh tokens, newest first. */
  readonly refreshTokens: readonly CachedRefreshToken[];
  /** The family of this client: its id, `""` where it is known to have none, `undefined` where nothing is known. */
  readonly familyId: string | undefined;
}
