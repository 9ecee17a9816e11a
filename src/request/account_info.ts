/**
 * Whose token it is.
 *
 * @module
 */

/** A user as one tenant knows them. */
export interface TenantProfile {
  /** The tenant, a GUID; the issuer's path for an `oidcAuthority`. */
  readonly tenantId: string;
  /** The user's object id in that tenant, or the ID token's `sub` where it has none. */
  readonly localAccountId: string;
  /** The sign-in name, to show; never an identity. */
  readonly username: string;
  /** The display name. */
  readonly name?: string;
  /** Whether the user is at home in that tenant, and no guest. */
  readonly isHomeTenant: boolean;
}

/** A signed-in user. Store `homeAccountId`, or `tenantId` with `localAccountId`, to know them again. */
export interface AccountInfo {
  /**
   * The user in all tenants: `<uid>.<utid>` at Entra, `<issuer>#<sub>` where the authority does not say `client_info`.
   */
  readonly homeAccountId: string;
  /** The authority's host. */
  readonly environment: string;
  /** The tenant whose profile this is. */
  readonly tenantId: string;
  /** The user's object id in that tenant, or the ID token's `sub` where it has none. */
  readonly localAccountId: string;
  /** The sign-in name, to show; never an identity. */
  readonly username: string;
  /** The display name. */
  readonly name?: string;
  /** The user in every tenant that they signed in to, this one included. */
  readonly tenantProfiles: readonly TenantProfile[];
}
