/**
 * Signs users in to a web application.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import type { OptionsOf, RequestContext, RequestHandler, WebAuthOptions } from "./options.ts";
import type { SignInRequest, UserAuth } from "./user_auth.ts";

/** One request on its way through the application. */
export interface Visit {
  /** Who is signed in; `null` for nobody. Never an error: a request that cannot be judged has no visit. */
  readonly auth: UserAuth | null;
  /** The answer for somebody who is not signed in: a browser is sent to sign in, any other caller gets 401 as JSON. */
  challenge(request?: SignInRequest): Promise<Response>;
  /**
   * Turns what a handler threw into an answer: a step-up for {@linkcode InteractionRequiredAuthError}, a page or JSON for other
   * errors of this library. Throws again what is none of ours.
   */
  recover(error: unknown): Promise<Response>;
  /**
   * Adds to an answer what the session needs: a renewed cookie, `Cache-Control: private, no-store`, `Vary: Cookie`. To be
   * called once, last. The given response may be immutable: another one may come back.
   */
  finish(response: Response): Response;
}

/** Signs users in, and knows them again. Each handler answers a request to its path; {@linkcode WebAuth.route} picks one. */
export interface WebAuth<E = unknown> {
  /** Answers a request to one of the paths; `undefined` for any other, which is the application's own. */
  route(request: Request, context?: RequestContext<E>): Promise<Response | undefined>;
  /** Begins a sign-in; `?return_to=/path` names the page to come back to. */
  readonly signIn: RequestHandler<E>;
  /** Takes the authority's answer, by query or `form_post`. */
  readonly callback: RequestHandler<E>;
  /** Ends the session, then sends the browser to the authority's sign-out. A POST from this site alone. */
  readonly signOut: RequestHandler<E>;
  /** Where the browser comes back from that. */
  readonly signedOut: RequestHandler<E>;
  /** Lets the user choose another account. A POST from this site alone. */
  readonly switchAccount: RequestHandler<E>;
  /** Ends sessions that the authority names in a hidden frame. */
  readonly frontChannelLogout: RequestHandler<E>;
  /** Ends sessions that the authority names by a logout token. */
  readonly backChannelLogout: RequestHandler<E>;
  /** Opens a request: for frameworks. Most applications use {@linkcode WebAuth.requireUser}. */
  visit(request: Request, context?: RequestContext<E>): Promise<Visit>;
  /** Guards a handler: it runs for signed-in users alone. */
  requireUser(
    handler: (request: Request, auth: UserAuth, context: RequestContext<E>) => Response | Promise<Response>,
  ): RequestHandler<E>;
  /** Tells a handler who is signed in, if anybody is. */
  withUser(
    handler: (
      request: Request,
      auth: UserAuth | null,
      context: RequestContext<E>,
    ) => Response | Promise<Response>,
  ): RequestHandler<E>;
}

/**
 * Makes the handlers of a web application.
 *
 * @param _options The options, or a function that makes them of the bindings.
 * @returns The handlers.
 * @throws {ClientConfigurationError} that names the option.
 */
export function createWebAuth<E = unknown>(_options: OptionsOf<WebAuthOptions, E>): WebAuth<E> {
  throw new ClientAuthError("unexpected_error", "Not built yet");
}
