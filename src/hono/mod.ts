/**
 * Sign-in and guarded APIs for Hono, 4.3 or later. Nothing of Hono is imported, and no type of it is augmented.
 *
 * {@linkcode entraAuth} signs users in, {@linkcode requireUser} guards pages, {@linkcode requireBearer} guards APIs.
 *
 * @example A web application and an API on Workers
 * ```ts ignore
 * import { Hono } from "hono";
 * import { ConfidentialClientApplication, perEnv } from "@msal-edge/msal";
 * import { entraAuth, type EntraVariables, requireBearer, requireUser } from "@msal-edge/msal/hono";
 *
 * interface Env {
 *   readonly TENANT_ID: string;
 *   readonly CLIENT_ID: string;
 *   readonly CLIENT_SECRET: string;
 *   readonly COOKIE_SECRET: string;
 * }
 *
 * const entra = perEnv((env: Env) =>
 *   new ConfidentialClientApplication({
 *     clientId: env.CLIENT_ID,
 *     authority: `https://login.microsoftonline.com/${env.TENANT_ID}`,
 *     clientCredential: env.CLIENT_SECRET,
 *   })
 * );
 *
 * const app = new Hono<{ Bindings: Env; Variables: EntraVariables }>();
 *
 * // APIs first: callers bring tokens, not cookies.
 * app.use(
 *   "/api/*",
 *   requireBearer((env: Env) => ({ app: entra(env), audience: env.CLIENT_ID }), { scopes: ["Orders.Read"] }),
 * );
 * app.get("/api/orders", (c) => c.json([]));
 *
 * app.use(entraAuth((env: Env) => ({
 *   app: entra(env),
 *   baseUrl: "https://orders.example",
 *   cookieSecret: env.COOKIE_SECRET,
 *   scopes: ["User.Read"],
 * })));
 * app.get("/", (c) => c.text(c.var.auth ? `Hello ${c.var.auth.user.name}` : "Nobody is signed in"));
 * app.get("/me", requireUser(), async (c) => {
 *   const graph = c.var.auth!.fetch({ scopes: ["User.Read"], origins: ["https://graph.microsoft.com"] });
 *   return c.json(await (await graph("https://graph.microsoft.com/v1.0/me")).json());
 * });
 *
 * export default app;
 * ```
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
