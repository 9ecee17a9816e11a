/**
 * The guard of an API, as handlers see it.
 *
 * @module
 */

import type { AuthorizedFetch } from "../client/authorized_fetch.ts";
import type { OnBehalfOfRequest } from "../request/on_behalf_of_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import type { AccessTokenRequirements } from "../validate/options.ts";
import type { ValidatedAccessToken } from "../validate/validated_token.ts";
import type { RequestContext, RequestHandler } from "./options.ts";
import type { ApiFetchOptions } from "./user_auth.ts";

/** Who calls the API. */
export interface ApiCaller extends ValidatedAccessToken {
  /**
   * A token for another API: on behalf of the user who calls.
   *
   * @throws {ClientConfigurationError} where the options have no `app`, and for an app that calls on its own behalf.
   * @throws {InteractionRequiredAuthError} which, when it leaves the handler, becomes a 401 with its claims.
   */
  acquireToken(request: Omit<OnBehalfOfRequest, "userAssertion">): Promise<AuthenticationResult>;
  /** A `fetch` for another API that has that token and answers claims challenges once. */
  fetch(options: ApiFetchOptions): AuthorizedFetch;
}

/** Guards an API. */
export interface ApiAuth<E = unknown> {
  /**
   * Says who calls.
   *
   * @throws {AccessTokenError} where the request is not let in.
   * @throws {NetworkError} where signing keys cannot be had.
   */
  authenticate(
    request: Request,
    requirements?: AccessTokenRequirements,
    context?: RequestContext<E>,
  ): Promise<ApiCaller>;
  /**
   * The answer for what {@linkcode ApiAuth.authenticate} or a handler threw: 400, 401 or 403 with a challenge (RFC 6750), 401 with the
   * claims of an {@linkcode InteractionRequiredAuthError}, 503 for an outage. Throws again what is none of ours.
   */
  refuse(error: unknown, request: Request, context?: RequestContext<E>): Response;
  /** Guards a handler: it runs for callers alone whose token is enough. A preflight (`OPTIONS`) passes to the CORS handler alone. */
  protect(
    handler: (
      request: Request,
      caller: ApiCaller,
      context: RequestContext<E>,
    ) => Response | Promise<Response>,
    requirements?: AccessTokenRequirements,
  ): RequestHandler<E>;
  /**
   * Answers `/.well-known/oauth-protected-resource`, with the path of `resource` behind it, as RFC 9728 section 3.1 has it; `undefined`
   * for other paths, and where the options name no resource.
   */
  route(request: Request, context?: RequestContext<E>): Promise<Response | undefined>;
}
