/**
 * What an app proves itself with besides secrets, and what binds tokens to a key.
 *
 * @module
 */

/** A public key, or more members of a JWK than are needed. */
export type PublicJwk = Readonly<Record<string, unknown>>;

/** Public keys as a JWKS endpoint answers them. */
export interface PublicKeys {
  /** The keys. */
  readonly keys: readonly PublicJwk[];
}

/**
 * The name of a certificate that is trusted whoever renews it: subject name and issuer (SNI).
 *
 * An assertion then carries its certificate, and those between it and the issuer, as `x5c`.
 */
export interface TrustedSubject {
  /** The common name of the certificate. */
  readonly subjectName: string;
  /** The certificate of the authority that issues it, at last: PEM, or base64 of the DER. */
  readonly issuer: string;
}

/** Tokens of another issuer that an app may present in place of a credential of its own. */
export interface ExternalCredentialDeclaration {
  /** The `iss` claim, exactly. */
  readonly issuer: string;
  /** The `sub` claim, exactly. */
  readonly subject: string;
  /** The `aud` claims, one of which the token must have. Default: `["api://AzureADTokenExchange"]`. */
  readonly audiences?: readonly string[];
  /** The issuer's public keys, or how to get them; asked for with every token. */
  readonly keys: PublicKeys | (() => PublicKeys | Promise<PublicKeys>);
}

/**
 * Tokens of another app of the same authority, for `api://AzureADTokenExchange/.default`. One that was asked for with
 * an `fmi_path` must name the app that presents it there, as an agent does with the token of its blueprint.
 */
export interface AppCredentialDeclaration {
  /** The client id of the other app. */
  readonly app: string;
  /** The tenant that the token is of: its id or a domain. Default: the tenant of the request. */
  readonly tenant?: string;
}

/** A federated identity credential. */
export type FederatedCredentialDeclaration = ExternalCredentialDeclaration | AppCredentialDeclaration;

/** What an app may prove itself with besides secrets. */
export interface AppKeys {
  /** Its registered certificates: PEM, or base64 of the DER. Default: none. */
  readonly certificates?: readonly string[];
  /** Names whose certificates it may use though they are not registered. Default: none. */
  readonly trustedSubjects?: readonly TrustedSubject[];
  /** Tokens of other issuers that it may present. Default: none. */
  readonly federatedCredentials?: readonly FederatedCredentialDeclaration[];
}

/** Whether a proof of possession must contain a nonce that the authority gave. */
export interface NonceOptions {
  /**
   * Whether proofs without a nonce that is live are refused, with one in the answer.
   *
   * @default {false}
   */
  readonly requireNonce?: boolean;
  /**
   * How long a nonce can be used, in seconds.
   *
   * @default {300}
   */
  readonly nonceLifetimeSeconds?: number;
}

/** What of OAuth besides Entra's own the authority does, all of it off by default. */
export interface BindingOptions {
  /**
   * Whether tokens are bound to the key of a DPoP proof (RFC 9449), where a request has one. Entra ID ignores them.
   *
   * @default {false}
   */
  readonly dpop?: boolean | NonceOptions;
  /** What the API asks of signed HTTP requests, the proofs of `token_type=pop`. Default: no nonce. */
  readonly signedHttpRequests?: NonceOptions;
  /**
   * Whether authorization requests can be pushed (RFC 9126). Entra ID has no such endpoint.
   *
   * @default {false}
   */
  readonly pushedAuthorizationRequests?: boolean;
  /**
   * Whether they must be; then all are.
   *
   * @default {false}
   */
  readonly requirePushedAuthorizationRequests?: boolean;
}
