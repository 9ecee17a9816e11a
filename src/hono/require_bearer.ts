/**
 * Callers of a Hono API.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { AccessTokenRequirements } from "../validate/options.ts";
import { REQUIREMENTS, requireRequirements } from "../validate/requirements.ts";
import { type ApiAuth, type ApiCaller, createApiAuth } from "../web/api_auth.ts";
import type { ApiAuthOptions, OptionsOf } from "../web/options.ts";
import { forCaller } from "../web/api_guard.ts";
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

/** The variables behind {@linkcode requireBearer}. */
export type CallerVariables = {
  /** Who calls. */
  caller: ApiCaller;
};

/** What {@linkcode requireBearer} takes in one object: the API, and what the route asks of the token. */
export interface BearerOptions extends ApiAuthOptions, AccessTokenRequirements {}

function isApiAuth<E>(options: OptionsOf<ApiAuthOptions, E> | ApiAuth<E>): options is ApiAuth<E> {
  return typeof (Object(options) as Partial<ApiAuth>).authenticate === "function";
}

function requirementsOf(options: object): AccessTokenRequirements {
  return Object.fromEntries(
    REQUIREMENTS.map((name) => [name, (options as BearerOptions)[name]]).filter(([, asked]) =>
      asked !== undefined
    ),
  );
}

/** What both ask: neither may take the place of the other. */
function joined(options: object, requirements: AccessTokenRequirements): AccessTokenRequirements {
  const own = requirementsOf(options);
  const twice = Object.keys(requirementsOf(Object(requirements))).find((name) => name in own);
  if (twice !== undefined) refuse("invalid_request", twice, "it is given twice: say once all that is asked");
  return { ...requirements, ...own };
}

function open<E>(options: OptionsOf<ApiAuthOptions, E> | ApiAuth<E>): ApiAuth<E> {
  if (isApiAuth(options)) return options;
  if (typeof options === "function") return createApiAuth(options);
  // The route asks those.
  const none = Object.fromEntries(REQUIREMENTS.map((name) => [name, undefined]));
  return createApiAuth({ ...options, ...none });
}

/** caches keep the answers to different callers apart. */
function keepApart(c: HonoContext): void {
  const answer = forCaller(c.res);
  if (answer !== c.res) replaceAnswer(c, answer);
}

/**
 * Lets callers pass whose access token is valid, and enough. Others are answered 400, 401 or 403 with a challenge, 503 where the
 * signing keys cannot be had. Behind it `c.var.caller` is who calls.
 *
 * Errors of this library that leave a handler, mistakes in the program apart, are answered: an `InteractionRequiredAuthError` by a 401 with its claims;
 * `app.onError` is called before, and its answer replaced. Other errors are `app.onError`'s.
 *
 * Preflights need `cors()` before this: nothing passes without a token. For several routes make the {@linkcode ApiAuth}
 * once, so that they share signing keys and verified tokens.
 *
 * @param options The API and what the route asks in one object, a function that makes the API's of the bindings, or an
 * {@linkcode ApiAuth} made before.
 * @param requirements What the route asks of the token, beside what `options` says.
 * @returns The middleware.
 * @throws {ClientConfigurationError} that names the option.
 */
export function requireBearer<E = unknown>(
  options: BearerOptions | OptionsOf<ApiAuthOptions, E> | ApiAuth<E>,
  requirements: AccessTokenRequirements = {},
): HonoMiddleware<E> {
  const api = open(options);
  const required = typeof options === "function" || isApiAuth(options)
    ? requirements
    : joined(options, requirements);
  requireRequirements(required);
  return async (c, next) => {
    requireFirst(c, "requireBearer()");
    const context = contextOf(c);
    const { raw } = c.req;
    try {
      // Public, also where the guard stands before everything.
      const answer = raw.url.includes("/.well-known/") ? await api.route(raw, context) : undefined;
      if (answer) return answer;
      setVariable(c, "caller", await api.authenticate(raw, required, context));
    } catch (error) {
      return api.refuse(error, raw, context);
    }
    await next();
    if (isAnswered(c.error)) answerError(c, api.refuse(c.error, raw, context));
    else if (c.finalized) keepApart(c);
    return undefined;
  };
}

/**
 * Answers the path that RFC 9728 gives the description of an API, for callers that know nothing of it. Use it for all paths: that
 * path is outside of the API's.
 *
 * @param options The API's options with `protectedResource`, a function of the bindings, or an {@linkcode ApiAuth} made before.
 * @returns The middleware.
 * @throws {ClientConfigurationError} that names the option.
 */
export function protectedResource<E = unknown>(
  options: OptionsOf<ApiAuthOptions, E> | ApiAuth<E>,
): HonoMiddleware<E> {
  const api = open(options);
  return async (c, next) => {
    const answer = await api.route(c.req.raw, contextOf(c));
    if (answer) return answer;
    await next();
    return undefined;
  };
}
