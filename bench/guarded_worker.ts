/**
 * The Worker of `guarded_routes.ts`.
 *
 * @module
 */
import { guardedHandler } from "./guarded_handlers.ts";

let handler: ReturnType<typeof guardedHandler> | undefined;

export default {
  fetch(request: Request, env: { readonly JWKS: string }): Response | Promise<Response> {
    handler ??= guardedHandler(env.JWKS);
    return handler(request);
  },
};
