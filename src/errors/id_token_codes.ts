/**
 * Why an ID token was refused; one code for each check.
 *
 * @module
 */

/** Codes of {@linkcode ClientAuthError} for an ID token that failed validation; nothing of its answer is stored. */
export type IdTokenErrorCode =
  /** `client_info` names another user than the ID token, or nobody. */
  | "client_info_mismatch"
  /** `at_hash` is not that of the access token. */
  | "id_token_access_token_hash_mismatch"
  /** The authentication is not of the class that was asked for. */
  | "id_token_acr_mismatch"
  /** It is signed with an algorithm that the authority does not announce, or with none. */
  | "id_token_algorithm_refused"
  /** It is for another application, or for more than this one. */
  | "id_token_audience_mismatch"
  /** The user signed in longer ago than was asked for, or nobody knows when. */
  | "id_token_auth_time_invalid"
  /** It was issued to another application. */
  | "id_token_authorized_party_mismatch"
  /** `c_hash` is not that of the authorization code. */
  | "id_token_code_hash_mismatch"
  /** It is encrypted, which is not supported. */
  | "id_token_encrypted"
  /** It has expired, or this machine's clock is wrong. */
  | "id_token_expired"
  /** Its header asks for an extension, or names a key in a way that no key has. */
  | "id_token_header_refused"
  /** It is of another issuer. */
  | "id_token_issuer_mismatch"
  /** Several keys could be meant. */
  | "id_token_key_ambiguous"
  /** Its key is of another cloud. */
  | "id_token_key_cloud_mismatch"
  /** Its key is for the tokens of another issuer. */
  | "id_token_key_issuer_mismatch"
  /** The authority does not have its key. */
  | "id_token_key_not_found"
  /** It is no JSON Web Token. */
  | "id_token_malformed"
  /** None came although `openid` was asked for. */
  | "id_token_missing"
  /** It is not valid yet, or this machine's clock is wrong. */
  | "id_token_not_yet_valid"
  /** Its signature is wrong. */
  | "id_token_signature_invalid"
  /** It names no user. */
  | "id_token_subject_invalid"
  /** It names no tenant, or several. */
  | "id_token_tenant_invalid"
  /** It is of another tenant, or of a kind of account that was not asked for. */
  | "id_token_tenant_mismatch"
  /** A time in it is missing, or is no time. */
  | "id_token_time_invalid"
  /** It was issued more than a day ago. */
  | "id_token_too_old"
  /** It is a token of another kind: one for an API, or a logout token. */
  | "id_token_type_refused"
  /** A renewed one is of another user than the first. */
  | "id_token_user_mismatch"
  /** It does not carry the `nonce` of this sign-in. */
  | "nonce_mismatch"
  /** Its tenant is not in `allowedTenants`. */
  | "tenant_not_allowed";
