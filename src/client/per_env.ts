/**
 * One application for each isolate of a Worker.
 *
 * @module
 */

/**
 * Makes something once for each `env` of a Worker, so that its cache and its flights serve every request of the isolate.
 *
 * ```ts
 * import { ConfidentialClientApplication, perEnv } from "@msal-edge/msal";
 *
 * interface Env {
 *   TENANT_ID: string;
 *   CLIENT_ID: string;
 *   CLIENT_SECRET: string;
 * }
 *
 * const appOf = perEnv((env: Env) =>
 *   new ConfidentialClientApplication({
 *     clientId: env.CLIENT_ID,
 *     authority: `https://login.microsoftonline.com/${env.TENANT_ID}`,
 *     clientCredential: env.CLIENT_SECRET,
 *   })
 * );
 *
 * export default {
 *   async fetch(_request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }): Promise<Response> {
 *     const { accessToken } = await appOf(env).acquireTokenForClient({
 *       scopes: ["https://graph.microsoft.com/.default"],
 *       waitUntil: (promise) => ctx.waitUntil(promise),
 *     });
 *     const headers = { authorization: `Bearer ${accessToken}` };
 *     return await fetch("https://graph.microsoft.com/v1.0/organization", { headers });
 *   },
 * };
 * ```
 *
 * @param make Makes it from the bindings; must not start a request or a timer.
 * @returns A function that gives the one for an `env`, making it at first.
 */
export function perEnv<E extends object, A>(make: (env: E) => A): (env: E) => A {
  const made = new WeakMap<E, { readonly value: A }>();
  return (env) => {
    let entry = made.get(env);
    if (entry === undefined) made.set(env, entry = { value: make(env) });
    return entry.value;
  };
}
