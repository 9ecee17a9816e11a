/**
 * Signs users in to web applications, and guards APIs: handlers of web standards, for any framework or none.
 *
 * @module
 */

export type { AccessTokenErrorCode } from "../errors/access_token_codes.ts";
export {
  AccessTokenError,
  type AccessTokenErrorDetails,
  type BearerError,
} from "../errors/access_token_error.ts";
export type { AccessTokenRequirements } from "../validate/options.ts";
export type { AccessTokenClaims, ValidatedAccessToken } from "../validate/validated_token.ts";
export { type ApiAuth, type ApiCaller, createApiAuth } from "./api_auth.ts";
export type {
  ApiAuthOptions,
  CookieOptions,
  OptionsOf,
  ProtectedResource,
  RequestContext,
  RequestHandler,
  SessionLife,
  WebAuthOptions,
  WebPage,
  WebPaths,
} from "./options.ts";
export type { ApiFetchOptions, Session, SessionUser, SignInRequest, UserAuth } from "./user_auth.ts";
export { createWebAuth, type Visit, type WebAuth } from "./web_auth.ts";
