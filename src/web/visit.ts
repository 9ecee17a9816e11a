/**
 * What a framework needs for one request.
 *
 * @module
 */

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
