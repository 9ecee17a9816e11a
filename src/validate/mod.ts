/**
 * Validates access tokens and ID tokens of Microsoft Entra ID and of any OpenID Connect issuer.
 *
 * Make one validator for each API and keep it: it holds the signing keys, and the tokens that it verified. Audience and
 * authority have no defaults. What is checked and what is not is in
 * `docs/validation.md`.
 *
 * @example An API on Deno; on Bun `Bun.serve({ fetch: handle })`, on Workers `export default { fetch: handle }`
 * ```ts
 * import { isAuthError } from "@msal-edge/msal";
 * import { AccessTokenError, AccessTokenValidator } from "@msal-edge/msal/validate";
 *
 * const validator = new AccessTokenValidator({
 *   authority: "https://login.microsoftonline.com/7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
 *   audience: "3f0a9c52-7d1e-4b6f-8a2c-5e9d0b1f4a68",
 * });
 *
 * export async function handle(request: Request): Promise<Response> {
 *   const [, token] = /^Bearer ([^ ]+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
 *   if (!token) return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
 *   try {
 *     const caller = await validator.validate(token, { scopes: ["Orders.Read"], roles: ["Orders.Read.All"] });
 *     return Response.json({ who: caller.callerId, tenant: caller.tenantId, kind: caller.kind });
 *   } catch (error) {
 *     if (error instanceof AccessTokenError) {
 *       const challenge = `Bearer error="${error.error}"`;
 *       return new Response(null, { status: error.status, headers: { "www-authenticate": challenge } });
 *     }
 *     if (isAuthError(error)) return new Response(null, { status: 503 });
 *     throw error;
 *   }
 * }
 * ```
 *
 * `createApiAuth` of `@msal-edge/msal/web` does this with whole challenges.
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
