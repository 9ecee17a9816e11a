/**
 * What a local authority tells of its declarations.
 *
 * @module
 */

/** Values of the first declared tenant, user, app and resource, handy in examples. */
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
  /** The first user's name, or an empty string if there is none. */
  readonly username: string;
  /** The first user's password, or an empty string if there is none. */
  readonly password: string;
  /** The first public app's client id, or an empty string if there is none. */
  readonly publicClientId: string;
  /** A delegated permission, of the first resource that has any. */
  readonly userScope: string;
}
