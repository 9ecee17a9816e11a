/**
 * Guards an API.
 *
 * @module
 */

import { ApiGuard } from "./api_guard.ts";
import type { ApiAuth } from "./api_types.ts";
import type { ApiAuthOptions, OptionsOf } from "./options.ts";

export type { ApiAuth, ApiCaller } from "./api_types.ts";

/**
 * Makes the guard of an API.
 *
 * ```ts
 * import { createApiAuth } from "@msal-edge/msal/web";
 *
 * const api = createApiAuth({
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   audience: ["00001111-aaaa-2222-bbbb-3333cccc4444", "api://orders"],
 * });
 * const orders = api.protect(
 *   (_request, caller) => Response.json({ orders: [], of: caller.callerId }),
 *   { scopes: ["Orders.Read"] },
 * );
 *
 * export default { fetch: (request: Request): Promise<Response> => orders(request) };
 * ```
 *
 * @param options The options, or a function that makes them of the bindings.
 * @returns The guard.
 * @throws {ClientConfigurationError} that names the option. Where the options are a function, each call with bindings that make
 * wrong ones rejects with it, and so do the handlers: nothing is served.
 */
export function createApiAuth<E = unknown>(options: OptionsOf<ApiAuthOptions, E>): ApiAuth<E> {
  return new ApiGuard(options);
}
