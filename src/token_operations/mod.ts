/**
 * What authorities other than Microsoft's can do with a token: exchange it for another one (RFC 8693), take it back (RFC 7009), and
 * tell what it is good for (RFC 7662 and RFC 9701). The functions take an application with an `oidcAuthority`; where its discovery
 * document does not have the endpoint, they say so.
 *
 * @example An API that takes opaque tokens, calls another API for its caller, and signs the caller out
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { exchangeToken, introspectToken, revokeToken, TOKEN_TYPES } from "@msal-edge/msal/token-operations";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "orders-api",
 *   oidcAuthority: "https://id.example.com/realms/main",
 *   clientCredential: "the client secret's value",
 * });
 *
 * export async function stock(token: string): Promise<Response> {
 *   const caller = await introspectToken(app, { token, expectedAudience: "orders-api" });
 *   if (!caller.active) return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
 *   const { accessToken } = await exchangeToken(app, {
 *     subjectToken: token,
 *     subjectTokenType: TOKEN_TYPES.accessToken,
 *     audience: "stock-api",
 *   });
 *   const headers = { authorization: `Bearer ${accessToken}` };
 *   return await fetch("https://stock.example.com/items", { headers });
 * }
 *
 * export async function signOut(token: string): Promise<void> {
 *   await revokeToken(app, { token, tokenTypeHint: "access_token" });
 * }
 * ```
 *
 * @module
 */

export {
  type ExchangedToken,
  exchangeToken,
  type ExchangeTokenRequest,
  TOKEN_TYPES,
  type TokenTypeUri,
} from "./exchange_token.ts";
export {
  type ActiveToken,
  type InactiveToken,
  introspectToken,
  type IntrospectTokenRequest,
} from "./introspect_token.ts";
export type { OperationRequest } from "./operation.ts";
export { revokeToken, type RevokeTokenRequest, type TokenTypeHint } from "./revoke_token.ts";
