/**
 * Sign-in and guarded APIs for Hono, 4.3 or later. Nothing of Hono is imported.
 *
 * @module
 */

export {
  type ApiAuth,
  type ApiAuthOptions,
  type ApiCaller,
  createApiAuth,
  createWebAuth,
  type OptionsOf,
  type SignInRequest,
  type UserAuth,
  type WebAuth,
  type WebAuthOptions,
} from "../web/mod.ts";
export type { HonoContext, HonoMiddleware } from "./context.ts";
export { entraAuth, type EntraVariables, requireUser, type UserVariables } from "./entra_auth.ts";
export {
  type BearerOptions,
  type CallerVariables,
  protectedResource,
  requireBearer,
} from "./require_bearer.ts";
