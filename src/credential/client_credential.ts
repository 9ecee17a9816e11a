/**
 * How a confidential client proves who it is: the shapes that the `clientCredential` option takes.
 *
 * @module
 */

import type { AuthorityType } from "../authority/authority.ts";

/** What a credential's function is told of the request that it is called for. */
export interface CredentialContext {
  /** The application's client id. */
  readonly clientId: string;
  /** The authority's base, with the tenant that is asked. */
  readonly authority: string;
  /** What kind of authority it is. */
  readonly authorityType: AuthorityType;
  /** The tenant that is asked, or the issuer's path for an `oidcAuthority`. */
  readonly tenantId: string;
  /** The token endpoint: the `aud` of an assertion, also where a regional or another endpoint is asked. */
  readonly tokenEndpoint: string;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** The request's `fmiPath`, if it has one. */
  readonly fmiPath?: string | undefined;
  /** The merged `claims` of the request, as JSON text, if it has some. */
  readonly claims?: string | undefined;
  /** The `token_endpoint_auth_signing_alg_values_supported` of the discovery document, where one was read. */
  readonly signingAlgorithms?: readonly string[] | undefined;
  /**
   * With which AADSTS codes the authority refused what was given before, for this request or the last one: get a newer one then.
   * Absent at the first call, and where what was given last was taken.
   */
  readonly rejectedBy?: readonly number[] | undefined;
}

/** Gets a secret, from a vault for example; called once for each request that is sent, never for a cache hit. */
export type ClientSecretProvider = (context: CredentialContext) => string | Promise<string>;

/** A client secret, and how it is sent. */
export interface ClientSecretCredential {
  /** The secret's value, or a function that gets it. */
  readonly clientSecret: string | ClientSecretProvider;
  /**
   * In the form, or in an `Authorization: Basic` header, RFC 6749 section 2.3.1.
   *
   * @default {"client_secret_post"}
   */
  readonly method?: "client_secret_post" | "client_secret_basic" | undefined;
}

/** How an assertion is signed, RFC 7518 section 3.1. */
export type AssertionAlgorithm = "PS256" | "RS256" | "ES256";

/** A private key in one of its forms: PEM text, a JWK, or a key of Web Crypto, which need not be extractable. */
export type PrivateKey = string | JsonWebKey | CryptoKey;

/** What a certificate and a signer of one's own have in common. */
export interface AssertionSigning {
  /**
   * `PS256` for Entra (`RS256` where `thumbprint` alone is given, as in MSAL Python), `RS256` for AD FS; for others what the key's
   * `alg` or the discovery document says, else `PS256`, or `ES256` for a P-256 key. A `CryptoKey` signs by the one that it was
   * imported for. Entra and AD FS take no P-256 keys.
   */
  readonly algorithm?: AssertionAlgorithm | undefined;
  /**
   * The `kid` of the assertion's header. Where it is absent, generic issuers get the JWK's own, and none where it has none; Entra
   * goes by the thumbprint.
   */
  readonly keyId?: string | undefined;
  /** The certificate's SHA-1 thumbprint in hex, for AD FS; computed from `publicCertificate` where that is given. */
  readonly thumbprint?: string | undefined;
  /** The certificate's SHA-256 thumbprint in hex; computed from `publicCertificate` where that is given. */
  readonly thumbprintSha256?: string | undefined;
  /**
   * Whether the assertion carries the chain of `publicCertificate` as `x5c`, for trust by subject name and issuer. By default it does
   * where the certificate is known, as in MSAL Python, and generic issuers do not get it.
   */
  readonly sendX5c?: boolean | undefined;
}

/** A certificate's private key, which signs assertions, RFC 7523 and OpenID Connect's `private_key_jwt`. */
export interface CertificateCredential extends AssertionSigning {
  /**
   * PEM (PKCS#8, PKCS#1 and SEC 1; also with the certificates in the same text, on one line with `\n` spelt out, or as base64
   * without armour), a JWK, or a `CryptoKey`. RSA of 2048 to 8192 bits, or P-256. An encrypted key must be PKCS#8 with PBKDF2 and
   * AES, as `openssl pkcs8 -topk8 -v2 aes-256-cbc` writes it; workerd takes 100 000 iterations at most.
   */
  readonly privateKey: PrivateKey;
  /**
   * The certificate, and the chain behind it, as PEM or base64. It must be the key's own, and Microsoft's authorities get no assertion
   * of one that has ended.
   */
  readonly publicCertificate?: string | undefined;
  /** What an encrypted key is opened with. */
  readonly passphrase?: string | undefined;
}

/**
 * Signs an assertion where the key is, in a key vault or an HSM.
 *
 * @param data What to sign: the bytes of `header.payload`.
 * @param algorithm How: `PS256` is RSASSA-PSS with SHA-256 and a salt of 32 bytes.
 * @returns The signature, as JWS has it: of ECDSA the two numbers, not DER.
 */
export type AssertionSigner = (
  data: Uint8Array<ArrayBuffer>,
  algorithm: AssertionAlgorithm,
) => Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>;

/** A key that never leaves its vault, which signs assertions. */
export interface SignerCredential extends AssertionSigning {
  /** Signs. */
  readonly sign: AssertionSigner;
  /** The certificate, and the chain behind it, as PEM or base64; with it each signature is verified before it is sent. */
  readonly publicCertificate?: string | undefined;
}

/**
 * Gets an assertion; called once for each request that is sent, never for a cache hit. Where the authority refuses what it gave for
 * what a newer one mends, it is called once more, with `rejectedBy`.
 */
export type ClientAssertionProvider = (context: CredentialContext) => string | Promise<string>;

/** An assertion that somebody else signed: workload identity federation, RFC 7523. */
export interface ClientAssertionCredential {
  /** The assertion, a JWT, or a function that gets it: an assertion ends, so a text serves for a test at most. */
  readonly clientAssertion: string | ClientAssertionProvider;
}

/**
 * A certificate that the `fetch` option presents: a binding of Workers (`env.CERTIFICATE.fetch`), or one of Deno's with a client of
 * `Deno.createHttpClient({ cert, key })`. Requests go to the endpoints that the authority has for such clients. For an `oidcAuthority` alone.
 */
export interface TlsClientCredential {
  /** How the authority knows the certificate: by its subject, or by the certificate itself. */
  readonly method: "tls_client_auth" | "self_signed_tls_client_auth";
}

/** A credential in one of its shapes. */
export type SingleClientCredential =
  | string
  | ClientSecretCredential
  | CertificateCredential
  | SignerCredential
  | ClientAssertionCredential
  | TlsClientCredential;

/**
 * A function that returns a credential, so that it can rotate. It is called for each request that is sent; what is made of a key is
 * kept for as long as the function returns the same key.
 */
export type ClientCredentialProvider = (
  context: CredentialContext,
) => SingleClientCredential | Promise<SingleClientCredential>;

/**
 * What the `clientCredential` option takes. Of a list the first counts; where it cannot be used, or where the authority refuses it
 * for what a renewed certificate mends (AADSTS 700024, 700027, 1000502, 7000214, 7000274, 7000277), the next one is tried. The one
 * that worked is the first to be tried from then on.
 */
export type ClientCredential =
  | SingleClientCredential
  | ClientCredentialProvider
  | readonly (SingleClientCredential | ClientCredentialProvider)[];
