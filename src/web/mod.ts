/**
 * Signs users in to web applications, and guards APIs: handlers of web standards, for any framework or none.
 *
 * A whole web application; `Deno.serve(handle)`, `Bun.serve({ fetch: handle })` or a Worker's `fetch` run it:
 *
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { createWebAuth } from "@msal-edge/msal/web";
 *
 * export interface Settings {
 *   TENANT_ID: string;
 *   CLIENT_ID: string;
 *   CLIENT_SECRET: string;
 *   COOKIE_SECRET: string; // openssl rand -base64 32
 * }
 *
 * export function site(settings: Settings): (request: Request) => Promise<Response> {
 *   const auth = createWebAuth({
 *     app: new ConfidentialClientApplication({
 *       clientId: settings.CLIENT_ID,
 *       authority: `https://login.microsoftonline.com/${settings.TENANT_ID}`,
 *       clientCredential: settings.CLIENT_SECRET,
 *       clientCapabilities: ["cp1"],
 *     }),
 *     baseUrl: "https://app.example",
 *     cookieSecret: settings.COOKIE_SECRET,
 *     scopes: ["User.Read"],
 *   });
 *   const profile = auth.requireUser(async (_request, { user, fetch }) => {
 *     const graph = fetch({ scopes: ["User.Read"], origins: ["https://graph.microsoft.com"] });
 *     const me = await (await graph("https://graph.microsoft.com/v1.0/me")).json();
 *     return Response.json({ signedInAs: user.username, me });
 *   });
 *   const home = auth.withUser((_request, auth) =>
 *     new Response(auth === null ? "Nobody is signed in" : `Hello ${auth.user.name}`)
 *   );
 *   return async (request) => {
 *     const answer = await auth.route(request);
 *     if (answer) return answer;
 *     return await (new URL(request.url).pathname === "/me" ? profile(request) : home(request));
 *   };
 * }
 * ```
 *
 * On Workers give {@linkcode createWebAuth} a function of the bindings, and pass `{ env, waitUntil }` with each request.
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
export type { Visit } from "./visit.ts";
export { createWebAuth, type WebAuth } from "./web_auth.ts";
