/**
 * Users of a Hono application.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { OptionsOf, WebAuthOptions } from "../web/options.ts";
import type { SignInRequest, UserAuth } from "../web/user_auth.ts";
import type { Visit } from "../web/visit.ts";
import { createWebAuth, type WebAuth } from "../web/web_auth.ts";
import {
  answerError,
  contextOf,
  type HonoContext,
  type HonoMiddleware,
  isAnswered,
  replaceAnswer,
  requireFirst,
  setVariable,
} from "./context.ts";

/** The variables behind {@linkcode entraAuth}: `new Hono<{ Bindings: Env; Variables: EntraVariables }>()`. */
export type EntraVariables = {
  /** Who is signed in; `null` for nobody. */
  auth: UserAuth | null;
};

/** The variables behind {@linkcode requireUser}. */
export type UserVariables = {
  /** Who is signed in. */
  auth: UserAuth;
};

const visits = new WeakMap<object, Visit>();

function isWebAuth<E>(options: OptionsOf<WebAuthOptions, E> | WebAuth<E>): options is WebAuth<E> {
  return typeof (Object(options) as Partial<WebAuth>).visit === "function";
}

/**
 * Signs users in: answers the paths of sign-in, callback and sign-out, tells the handlers behind it by `c.var.auth` who is signed in,
 * and gives the answers what the session needs.
 *
 * Errors of this library that leave a handler, mistakes in the program apart, are answered: an `InteractionRequiredAuthError` by a step-up; `app.onError` is
 * called before, and its answer replaced. Other errors are `app.onError`'s. Where nobody can say who is signed in, no handler
 * runs.
 *
 * Use it for all paths, before the routes, and before any middleware that reads bodies.
 *
 * @param options The options, a function that makes them of the bindings (once for each `env`: on Workers), or a
 * {@linkcode WebAuth} made before.
 * @returns The middleware.
 * @throws {ClientConfigurationError} that names the option.
 */
export function entraAuth<E = unknown>(
  options: OptionsOf<WebAuthOptions, E> | WebAuth<E>,
): HonoMiddleware<E> {
  const web = isWebAuth(options) ? options : createWebAuth(options);
  return async (c, next) => {
    requireFirst(c, "entraAuth()");
    const context = contextOf(c);
    const answer = await web.route(c.req.raw, context);
    if (answer) return answer;
    let visit: Visit;
    try {
      visit = await web.visit(c.req.raw, context);
    } catch (error) {
      if (!isAnswered(error)) throw error;
      // nobody knows whether anybody is signed in. What throws is answered there as it would be without Hono.
      return await web.withUser(() => Promise.reject(error))(c.req.raw, context);
    }
    visits.set(c, visit);
    setVariable(c, "auth", visit.auth);
    await next();
    await finish(c, visit);
    return undefined;
  };
}

async function finish(c: HonoContext, visit: Visit): Promise<void> {
  const { error } = c;
  if (isAnswered(error)) answerError(c, await visit.recover(error));
  // What has no answer is Hono's to refuse. A WebSocket's answer cannot be made again.
  if (!c.finalized || c.res.status === 101) return;
  const finished = visit.finish(c.res);
  if (finished !== c.res) replaceAnswer(c, finished);
}

/**
 * Lets signed-in users pass: browsers of others are sent to sign in, other callers are answered 401. Behind it `c.var.auth` is
 * never `null`.
 *
 * @param request What a sign-in is begun with.
 * @returns The middleware. It throws a {@linkcode ClientConfigurationError} where {@linkcode entraAuth} did not run before.
 */
export function requireUser(request?: SignInRequest): HonoMiddleware {
  return async (c, next) => {
    requireFirst(c, "requireUser()");
    const visit = visits.get(c) ??
      refuse("invalid_request", "requireUser()", "entraAuth() did not run before it");
    if (visit.auth === null) return await visit.challenge(request);
    // Another middleware's value must not be taken for a user.
    setVariable(c, "auth", visit.auth);
    await next();
    return undefined;
  };
}
