/**
 * What is known of an authority: where to ask, and by which name and keys it signs.
 *
 * @module
 */

/** Where an authority is asked; an endpoint that it does not have is absent. */
export interface ProviderEndpoints {
  /** Where users are sent. */
  readonly authorization?: string | undefined;
  /** Where tokens are issued. */
  readonly token: string;
  /** Where a device sign-in begins, RFC 8628 section 3.1. */
  readonly deviceAuthorization?: string | undefined;
  /** Where a sign-out goes, OpenID Connect RP-Initiated Logout. */
  readonly endSession?: string | undefined;
  /** Where sign-ins are announced, RFC 9126 section 5. */
  readonly pushedAuthorizationRequest?: string | undefined;
  /** Whether each sign-in has to be announced there. */
  readonly requiresPushedAuthorization?: boolean | undefined;
  /** Where a token is asked about, RFC 7662. */
  readonly introspection?: string | undefined;
  /** Where a token is taken back, RFC 7009. */
  readonly revocation?: string | undefined;
  /** With which algorithms a client may sign its assertions, if the authority says so. */
  readonly signingAlgorithms?: readonly string[] | undefined;
  /** Where clients with a TLS certificate ask instead, RFC 8705 section 5. */
  readonly mtls?: Readonly<Partial<Record<BackChannel, string>>> | undefined;
}

/** The endpoints at which a client says who it is. */
export type BackChannel =
  | "token"
  | "deviceAuthorization"
  | "pushedAuthorizationRequest"
  | "introspection"
  | "revocation";

/** By which name and keys an authority signs. */
export interface IssuerMetadata {
  /** The issuer of ID tokens; with `{tenantid}` in it where the authority stands for many tenants. */
  readonly issuer: string;
  /** The issuer of access tokens where that is another: the `access_token_issuer` of ADFS. */
  readonly accessTokenIssuer?: string | undefined;
  /** Where the signing keys are. */
  readonly jwksUri: string;
  /** Entra's cloud, as the document or the derived cloud names it, such as `microsoftonline.com`. */
  readonly cloudInstanceName?: string | undefined;
  /** Whether every authorization response carries `iss`, RFC 9207 section 3. */
  readonly issParameterSupported: boolean;
  /** The signature algorithms that count: asymmetric ones alone. */
  readonly algorithms: readonly string[];
}

/** What a discovery document says. */
export interface ProviderMetadata {
  /** Where to ask. */
  readonly endpoints: ProviderEndpoints;
  /** By which name and keys it signs; an empty `jwksUri` where it names none. */
  readonly issuer: IssuerMetadata;
}
