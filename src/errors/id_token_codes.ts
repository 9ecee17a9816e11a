/**
 * Why an ID token was refused; one code for each check.
 *
 * @module
 */

/** Codes of {@linkcode ClientAuthError} for an ID token that failed validation; nothing of its answer is stored. */
export type IdTokenErrorCode =
  | "id_token_malformed"
  | "id_token_missing"
  | "nonce_mismatch";
