/**
 * Who signed in.
 *
 * @module
 */

/** A user's account, as far as the cache knows it. App tokens have none. */
export interface AccountInfo {
  /** The account's identity across tenants: `<object id>.<tenant id>` of its home for Entra. */
  readonly homeAccountId: string;
  /** The authority's host. */
  readonly environment: string;
  /** The tenant that the account was used in. */
  readonly tenantId: string;
  /** The user's object id in that tenant. */
  readonly localAccountId: string;
  /** The sign-in name; for display only, never an identity. */
  readonly username: string;
  /** The display name, if known. */
  readonly name?: string;
}
