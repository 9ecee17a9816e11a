/**
 * What a tenant may be besides one of Entra ID's for a workforce.
 *
 * @module
 */

/** What a tenant is: Entra ID's for a workforce, External ID's, Azure AD B2C's, or the farm of an AD FS server. */
export type TenantKind = "workforce" | "external" | "b2c" | "adfs";

/** A user flow or custom policy of Azure AD B2C: each is an authority of its own. */
export interface PolicyDeclaration {
  /** Its name, such as `B2C_1_signin`. */
  readonly name: string;
  /**
   * How its issuer is written: `https://<host>/<id>/v2.0/`, or `https://<host>/tfp/<id>/<policy>/v2.0/`.
   *
   * @default {"default"}
   */
  readonly issuer?: "default" | "tfp";
  /**
   * The claim that names the policy. `acr` is that of older policies.
   *
   * @default {"tfp"}
   */
  readonly policyClaim?: "tfp" | "acr";
  /**
   * Whether its tokens name their tenant, as `tid`.
   *
   * @default {false}
   */
  readonly tenantClaim?: boolean;
}

/** What a tenant declares of its kind, and where it is. */
export interface ShapeDeclaration {
  /**
   * What it is.
   *
   * @default {"workforce"}
   */
  readonly kind?: TenantKind;
  /**
   * Hosts of its own, without a port unless that is not the default. A farm of AD FS needs one. A tenant of External ID or
   * Azure AD B2C always has `<name>.ciamlogin.com` and `<id>.ciamlogin.com`, or `<name>.b2clogin.com`, by the names of its
   * `onmicrosoft.com` domains; what is given here are its custom domains. Default: none.
   */
  readonly hosts?: readonly string[];
  /** The policies of a tenant of Azure AD B2C, which needs one. Default: none. */
  readonly policies?: readonly PolicyDeclaration[];
}
