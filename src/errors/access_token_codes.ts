/**
 * Why an access token, or the request that brought it, was refused; one code for each check.
 *
 * @module
 */

/** Codes of {@linkcode AccessTokenError}. */
export type AccessTokenErrorCode =
  /** It is not of an app that may call this API. */
  | "access_token_actor_not_allowed"
  /** It is signed with an algorithm that the authority does not announce, or with none. */
  | "access_token_algorithm_refused"
  /** It is for another API. */
  | "access_token_audience_mismatch"
  /** It is bound to a key or certificate (`cnf`), and came as Bearer: anybody could have sent it. */
  | "access_token_bound"
  /** It lacks an authentication context that the route asks for: the caller has to step up. */
  | "access_token_claims_insufficient"
  /** It is encrypted, which is not supported. */
  | "access_token_encrypted"
  /** It has expired, or this machine's clock is wrong. */
  | "access_token_expired"
  /** Its header asks for an extension, or names a key in a way that no key has. */
  | "access_token_header_refused"
  /** It is of another issuer. */
  | "access_token_issuer_mismatch"
  /** Several keys could be meant. */
  | "access_token_key_ambiguous"
  /** Its key is of another cloud. */
  | "access_token_key_cloud_mismatch"
  /** Its key is for the tokens of another issuer. */
  | "access_token_key_issuer_mismatch"
  /** The authority does not have its key. */
  | "access_token_key_not_found"
  /** It is no JSON Web Token. */
  | "access_token_malformed"
  /** None came with the request. */
  | "access_token_missing"
  /** It is not valid yet, or this machine's clock is wrong. */
  | "access_token_not_yet_valid"
  /** The request brings a token in a way that none may come: twice, in another scheme, too long. */
  | "access_token_request_invalid"
  /** It lacks an app role that the route asks for. */
  | "access_token_role_missing"
  /** It lacks a delegated permission that the route asks for, or has no permission at all. */
  | "access_token_scope_missing"
  /** Its signature is wrong. */
  | "access_token_signature_invalid"
  /** It names nobody. */
  | "access_token_subject_invalid"
  /** It names no tenant, or several. */
  | "access_token_tenant_invalid"
  /** It is of another tenant, or of a kind of account that was not asked for. */
  | "access_token_tenant_mismatch"
  /** A time in it is missing, or is no time. */
  | "access_token_time_invalid"
  /** It is no access token: an ID token, or of another kind. */
  | "access_token_type_refused"
  /** Its tenant is not in `allowedTenants`. */
  | "tenant_not_allowed";
