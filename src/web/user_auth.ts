/**
 * Who is signed in to a web application.
 *
 * @module
 */

import type { AuthorizedFetch } from "../client/authorized_fetch.ts";
import type { SilentRequest } from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import type { FetchFunction } from "../runtime/web_types.ts";

/** A user, as the validated ID token named them. */
export interface SessionUser {
  /** The user in all tenants: what tokens are found by. */
  readonly homeAccountId: string;
  /** The tenant that they signed in to, a GUID; empty for issuers that have none. */
  readonly tenantId: string;
  /** The user's object id in that tenant, or `sub`. With `tenantId` it is the key for data of your own. */
  readonly localAccountId: string;
  /** The issuer. */
  readonly issuer: string;
  /** The `sub` of the ID token. */
  readonly subject: string;
  /** The sign-in name, to show; never an identity. */
  readonly username: string;
  /** The display name. */
  readonly name?: string | undefined;
  /** The session at the authority, which logout names. */
  readonly sid?: string | undefined;
  /** Entra's `login_hint` claim, for sign-out. */
  readonly loginHint?: string | undefined;
  /** When the user proved who they are, in seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** What `sessionClaims` asks for. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A session: what the sealed cookie or the server's record holds. Times are seconds since the epoch. */
export interface Session {
  /** The form of this object. */
  readonly version: 1;
  /** The session's own name: 256 random bits, new at every sign-in and step-up. A secret. */
  readonly id: string;
  /** Who is signed in. */
  readonly user: SessionUser;
  /** When the user signed in. */
  readonly issuedAt: number;
  /** When it was renewed last. */
  readonly renewedAt: number;
  /** When it ends if nobody comes. */
  readonly idleUntil: number;
  /** When it ends in any case. */
  readonly expiresAt: number;
}

/** What a sign-in may be begun with. Only the application's own code says it, never a URL. */
export interface SignInRequest {
  /** Where to come back to: a path of this site. The page that was asked for where absent. */
  readonly returnTo?: string | undefined;
  /** More scopes to consent to, of any API. */
  readonly extraScopesToConsent?: readonly string[] | undefined;
  /** The scopes of the token that is wanted; those of the options where absent. */
  readonly scopes?: readonly string[] | undefined;
  /** A claims challenge, JSON text. */
  readonly claims?: string | undefined;
  /** Whom to sign in. */
  readonly loginHint?: string | undefined;
  /** `"select_account"`, `"login"`, `"consent"`, `"create"`. */
  readonly prompt?: "login" | "select_account" | "consent" | "create" | undefined;
}

/** A `fetch` for an API: what its token is for, and where that may go. */
export interface ApiFetchOptions {
  /** The scopes of the token, of one API. */
  readonly scopes: readonly string[];
  /** Where the token may go, such as `["https://graph.microsoft.com"]`; nowhere else does it. */
  readonly origins: readonly (string | URL)[];
  /** Sends the requests, such as a service binding's `fetch`; that of the application where absent. */
  readonly fetch?: FetchFunction | undefined;
}

/** A signed-in user, as handlers get them. */
export interface UserAuth {
  /** Who is signed in. */
  readonly user: SessionUser;
  /** When the session ends if nobody comes, and in any case. */
  readonly session: { readonly issuedAt: Date; readonly idleUntil: Date; readonly expiresAt: Date };
  /**
   * A token for an API, as `acquireTokenSilent` gets it.
   *
   * @throws {InteractionRequiredAuthError} which, when it leaves the handler, becomes a step-up: browsers are sent to sign in with
   * the claims and scopes, other callers are answered 401.
   */
  acquireToken(request: Omit<SilentRequest, "account">): Promise<AuthenticationResult>;
  /** A `fetch` for an API that has the user's token and answers claims challenges once. */
  fetch(options: ApiFetchOptions): AuthorizedFetch;
}
