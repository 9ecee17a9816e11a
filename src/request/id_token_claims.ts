/**
 * What a validated ID token says of a user.
 *
 * @module
 */

/**
 * The claims of a validated ID token, by the names that they have in it: OpenID Connect Core section 2 and Microsoft's own.
 *
 * Know a user by `tid` and `oid`, or by `iss` and `sub`. `email`, `preferred_username` and `upn` are for display alone: a
 * tenant's administrator can set them to anybody's.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference | ID token claims}
 */
export interface IdTokenClaims {
  /** The issuer. */
  readonly iss: string;
  /** The user, for this application alone at Entra. */
  readonly sub: string;
  /** The application that the token is for, or several. */
  readonly aud: string | readonly string[];
  /** When the token ends, in seconds since the epoch. */
  readonly exp: number;
  /** When it was issued, in seconds since the epoch. */
  readonly iat: number;
  /** Before when it must not be used, in seconds since the epoch. */
  readonly nbf?: number;
  /** What the sign-in was begun with. */
  readonly nonce?: string;
  /** When the user proved who they are, in seconds since the epoch. */
  readonly auth_time?: number;
  /** The tenant, a GUID. */
  readonly tid?: string;
  /** The user's object id in that tenant, a GUID. */
  readonly oid?: string;
  /** The name to show. */
  readonly name?: string;
  /** A name to show that may change; never an identity. */
  readonly preferred_username?: string;
  /** An address to show; see {@linkcode isEmailVerified}. */
  readonly email?: string;
  /** Any other claim. */
  readonly [claim: string]: unknown;
}
