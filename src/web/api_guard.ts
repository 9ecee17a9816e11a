/**
 * Lets requests in to an API, or answers them itself.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { refuse as refuseOption } from "../errors/errors.ts";
import type { AccessTokenRequirements } from "../validate/options.ts";
import { requireRequirements } from "../validate/requirements.ts";
import { Caller } from "./api_caller.ts";
import { type ApiParts, makeApiParts } from "./api_parts.ts";
import { refusalOf, refusalResponse } from "./api_refusal.ts";
import type { ApiAuth, ApiCaller } from "./api_types.ts";
import { bearerTokenOf } from "./bearer_token.ts";
import type { ApiAuthOptions, OptionsOf, RequestContext, RequestHandler } from "./options.ts";
import { perContext } from "./per_context.ts";
import { answerResource } from "./protected_resource.ts";

/** Whether a browser asks for permission to send a request: such a request brings no token, and is none of the API's own. */
function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
}

/** Tells caches that the answer is for this caller. Answers of `fetch` cannot be changed; a copy can. */
export function forCaller(response: Response): Response {
  // Its body is not even looked at: that would make a stream of it, which is far slower to send.
  const { headers, status } = response;
  const vary = headers.get("vary")?.toLowerCase().split(",").map((name) => name.trim()) ?? [];
  if (vary.includes("authorization") || vary.includes("*")) return response;
  try {
    headers.append("vary", "Authorization");
    return response;
  } catch {
    // One that opens a WebSocket cannot be made again, and is kept by no cache.
    const copy = status === 101 ? response : new Response(response.body, response);
    if (copy !== response) copy.headers.append("vary", "Authorization");
    return copy;
  }
}

/** Guards an API. */
export class ApiGuard<E> implements ApiAuth<E> {
  readonly #partsOf: (context?: RequestContext<E>) => ApiParts;

  /** Checks the options, unless they are a function. */
  constructor(options: OptionsOf<ApiAuthOptions, E>) {
    this.#partsOf = perContext(options, makeApiParts);
  }

  async authenticate(
    { headers }: Request,
    requirements: AccessTokenRequirements = {},
    context?: RequestContext<E>,
  ): Promise<ApiCaller> {
    const { validator, callers } = this.#partsOf(context);
    const waitUntil = context?.waitUntil;
    const token = bearerTokenOf(headers, requirements.scopes);
    const validated = await validator.validate(token, requirements, { waitUntil });
    return new Caller(validated, token, callers, waitUntil);
  }

  refuse(error: unknown, _request: Request, context?: RequestContext<E>): Response {
    // whatever is not understood is for the platform, which answers 500.
    if (!isAuthError(error)) throw error;
    const { refusals, emit } = this.#partsOf(context);
    const refusal = refusalOf(error, refusals);
    if (refusal.status >= 500) emit?.({ type: "request_failed", error });
    return refusalResponse(refusal, refusals, error.correlationId);
  }

  protect(
    handler: (
      request: Request,
      caller: ApiCaller,
      context: RequestContext<E>,
    ) => Response | Promise<Response>,
    requirements: AccessTokenRequirements = {},
  ): RequestHandler<E> {
    if (typeof handler !== "function") refuseOption("invalid_request", "handler", "it must be a function");
    requireRequirements(requirements);
    return async (request, context = {}) => {
      // The guarded handler never sees one, whatever it brings.
      if (isPreflight(request)) return await this.#partsOf(context).preflight(request);
      try {
        const caller = await this.authenticate(request, requirements, context);
        return forCaller(await handler(request, caller, context));
      } catch (error) {
        return this.refuse(error, request, context);
      }
    };
  }

  route(request: Request, context?: RequestContext<E>): Promise<Response | undefined> {
    const answer = (): Response | undefined => {
      const { document } = this.#partsOf(context);
      return document && answerResource(document, request);
    };
    return new Promise((resolve) => resolve(answer()));
  }
}
