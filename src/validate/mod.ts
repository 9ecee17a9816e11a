/**
 * Validates access tokens and ID tokens of Microsoft Entra ID and of any OpenID Connect issuer.
 *
 * @module
 */

export type { AccessTokenErrorCode } from "../errors/access_token_codes.ts";
export {
  AccessTokenError,
  type AccessTokenErrorDetails,
  type BearerError,
} from "../errors/access_token_error.ts";
export { AccessTokenValidator } from "./access_token_validator.ts";
export { IdTokenValidator } from "./id_token_validator.ts";
export type {
  AccessTokenRequirements,
  AccessTokenValidatorOptions,
  IdTokenExpectation,
  IdTokenValidatorOptions,
  TokenValidatorOptions,
  ValidationContext,
} from "./options.ts";
export type { AccessTokenClaims, ValidatedAccessToken } from "./validated_token.ts";
