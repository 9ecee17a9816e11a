/**
 * Why the answer to an authorization request was refused; one code for each check.
 *
 * @module
 */

/** Codes of {@linkcode ClientAuthError} for an authorization response that was refused before any request. */
export type AuthResponseErrorCode =
  | "auth_flow_expired"
  | "auth_flow_mismatch"
  | "auth_flow_used"
  | "duplicate_parameter"
  | "invalid_auth_response"
  | "state_mismatch"
  | "state_not_found"
  | "unexpected_token";
