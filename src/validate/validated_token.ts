/**
 * An access token that was validated.
 *
 * @module
 */

/**
 * The claims of a validated access token, by the names that they have in it.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference | Access token claims}
 */
export interface AccessTokenClaims {
  /** The issuer. */
  readonly iss: string;
  /** Whom it is for. */
  readonly aud: string | readonly string[];
  /** When it ends, in seconds since the epoch. */
  readonly exp: number;
  /** The subject. */
  readonly sub?: string;
  /** The tenant, a GUID. */
  readonly tid?: string;
  /** The object id of the user or of the service principal, a GUID. */
  readonly oid?: string;
  /** Any other claim. */
  readonly [claim: string]: unknown;
}

/** An access token that was validated, and who calls. It shows nothing of the token's text. */
export interface ValidatedAccessToken {
  /** Whether a user calls through an app, or an app on its own behalf. */
  readonly kind: "delegated" | "app";
  /** The claims, frozen. */
  readonly claims: AccessTokenClaims;
  /** The delegated permissions: the words of `scp`. Empty for an app. */
  readonly scopes: readonly string[];
  /** The roles of the app, or of the user. */
  readonly roles: readonly string[];
  /** The tenant, a GUID in lower case; absent for issuers that have none. */
  readonly tenantId?: string | undefined;
  /** The caller within that tenant: `oid`, else `sub`. Together with `tenantId`, or the issuer, it names them. */
  readonly callerId: string;
  /** The app that calls: `azp`, `appid` or `client_id`. */
  readonly clientId?: string | undefined;
  /** When the token ends. */
  readonly expiresOn: Date;
}
