/**
 * Every value that `code` of an error can have. A code is public API: it is never renamed.
 *
 * @module
 */

import type { AccessTokenErrorCode } from "./access_token_codes.ts";
import type { AuthResponseErrorCode } from "./auth_response_codes.ts";
import type { IdTokenErrorCode } from "./id_token_codes.ts";

/** Codes of {@linkcode ClientConfigurationError}: the caller's mistake, found before any request. */
export type ClientConfigurationErrorCode =
  | "authority_uri_insecure"
  | "conflicting_authority"
  | "invalid_authority"
  | "invalid_claims"
  | "invalid_client_credential"
  | "invalid_client_id"
  | "invalid_option"
  | "invalid_request"
  | "invalid_scopes"
  | "invalid_store"
  | "invalid_tenant"
  | "invalid_account"
  | "missing_client_credential"
  | "reserved_parameter"
  | "unexpected_client_credential"
  | "untrusted_authority";

/** Codes of {@linkcode ClientAuthError}: the library could not finish what was asked. */
export type ClientAuthErrorCode =
  | "account_mismatch"
  | "auth_scheme_failed"
  | AuthResponseErrorCode
  | IdTokenErrorCode
  | "authorization_declined"
  | "client_credential_failed"
  | "device_code_expired"
  | "endpoints_resolution_error"
  | "interaction_timeout"
  | "issuer_mismatch"
  | "request_aborted"
  | "unexpected_error"
  | "user_assertion_app_only"
  | "user_assertion_expired";

/** Codes of {@linkcode InteractionRequiredAuthError}: the user must sign in, consent or step up. */
export type InteractionRequiredErrorCode =
  | "bad_token"
  | "consent_required"
  | "interaction_required"
  | "login_required"
  | "no_tokens_found";

/** Codes of {@linkcode ServerError}: the authority answered with an error, or with something unusable. */
export type ServerErrorCode = "invalid_response" | "server_error" | "throttled";

/** Codes of {@linkcode NetworkError}: no usable answer arrived. */
export type NetworkErrorCode =
  | "network_error"
  | "redirect_refused"
  | "request_timeout"
  | "response_too_large";

/** Codes of {@linkcode CacheError}: a store failed, or serialised text could not be read. */
export type CacheErrorCode =
  | "cache_lock_failed"
  | "cache_read_failed"
  | "cache_write_failed"
  | "invalid_cache"
  | "sealed_value_rejected"
  | "store_without_lock"
  | "tokens_not_sealed"
  | "value_too_large";

/** Every code of every error of this library. */
export type AuthErrorCode =
  | AccessTokenErrorCode
  | CacheErrorCode
  | ClientAuthErrorCode
  | ClientConfigurationErrorCode
  | InteractionRequiredErrorCode
  | NetworkErrorCode
  | ServerErrorCode;
