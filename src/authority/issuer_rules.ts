/**
 * What differs between authorities that go by discovery: it comes with the
 * authority.
 *
 * @module
 */

import type { IssuerMetadata, ProviderEndpoints } from "./provider_metadata.ts";

/** What is wrong with who issued a token: the end of an error code, behind `id_token_` or `access_token_`. */
export type IssuerFault =
  | "issuer_mismatch"
  | "key_cloud_mismatch"
  | "key_issuer_mismatch"
  | "subject_invalid"
  | "tenant_invalid"
  | "tenant_mismatch";

/** Refuses a token. */
export type IssuerFail = (fault: IssuerFault) => never;

/** The claims of a token, not believed yet. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** The rules of one authority. */
export interface AuthorityRules {
  /** Where its discovery document is. */
  readonly documentUrl: string;
  /** Its endpoints where they follow from it; what its document says of them does not count then. */
  readonly endpoints?: ProviderEndpoints | undefined;
  /**
   * Tells whether the issuer of a discovery document is the authority's.
   *
   * @param issuer The issuer, as the document spells it.
   */
  isIssuer(issuer: string): boolean;
  /**
   * Tells whether the authority's endpoints and keys may be on a host.
   *
   * @param host The host, with its port unless that is the default.
   * @param name The member of the document.
   */
  isHost(host: string, name: string): boolean;
  /**
   * Checks the claims by which the authority keeps its tokens apart.
   *
   * @param claims The claims.
   * @param metadata What its document says.
   * @param isAccessToken Whether it is an access token rather than an ID token.
   * @param fail Refuses the token.
   * @returns What `iss` must be, letter by letter.
   */
  issuerOf(claims: TokenClaims, metadata: IssuerMetadata, isAccessToken: boolean, fail: IssuerFail): string;
}
