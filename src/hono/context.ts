/**
 * What is needed of Hono, by shape.
 *
 * @module
 */

import { type AuthError, isAuthError } from "../errors/auth_error.ts";
import { refuse } from "../errors/errors.ts";
import { isWorkers } from "../runtime/host.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { RequestContext } from "../web/options.ts";

/** A Hono `Context`, of any version from 4.3 on. */
export interface HonoContext<E = unknown> {
  /** The request. */
  readonly req: { readonly raw: Request };
  /** The bindings. */
  readonly env: E;
  /** Whether the request has an answer. */
  readonly finalized: boolean;
  /** What a handler threw. */
  error: Error | undefined;
  /** Keeps work alive; throws where there is none. */
  readonly executionCtx: { waitUntil(promise: Promise<unknown>): void };
  /** The answer. */
  res: Response;
  /** Sets a variable. */
  set(key: never, value: never): void;
}

/**
 * A middleware that Hono takes. To have Hono's types narrow the variables of what comes after it, give it Hono's own type:
 * `const guard: MiddlewareHandler<{ Variables: UserVariables }> = requireUser();`
 */
export type HonoMiddleware<E = unknown> = (
  c: HonoContext<E>,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

/** Sets a variable whose name Hono's types do not know. */
export function setVariable(c: HonoContext, name: "auth" | "caller", value: unknown): void {
  (c as { set(key: string, value: unknown): void }).set(name, value);
}

/**
 * What comes with a request.
 *
 * @param c Hono's context.
 * @returns The bindings and, where work can be kept alive, how.
 */
export function contextOf<E>(c: HonoContext<E>): RequestContext<E> {
  return { env: c.env, waitUntil: waitUntilOf(c) };
}

function waitUntilOf(c: HonoContext): WaitUntil | undefined {
  const waitUntil: WaitUntil = (promise) => c.executionCtx.waitUntil(promise);
  if (isWorkers()) {
    try {
      void c.executionCtx;
      return waitUntil;
    } catch {
      return undefined;
    }
  }
  return (promise) => {
    try {
      waitUntil(promise);
    } catch {
      // A process outlives its answers. Not found out for each request: an error that is made costs more than the rest.
    }
  };
}

/**
 * Refuses to run after something has answered: Hono would keep that answer, whatever a guard says.
 *
 * @param c Hono's context.
 * @param name The middleware's name.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function requireFirst({ finalized }: HonoContext, name: string): void {
  if (finalized) refuse("invalid_request", name, "something answered before: register it before the routes");
}

/**
 * Puts an answer in the place of another.
 *
 * @param c Hono's context.
 * @param response The answer.
 */
export function replaceAnswer(c: HonoContext, response: Response): void {
  // Else Hono lays the old headers over the new ones.
  (c as { res: Response | undefined }).res = undefined;
  c.res = response;
}

/** Whether the library answers an error. A mistake in the program is for the error handler, which tells its author. */
export function isAnswered(error: unknown): error is AuthError {
  return isAuthError(error) && error.name !== "ClientConfigurationError";
}

/**
 * Answers in the place of the error handler, and keeps what other middleware set: CORS, for example.
 *
 * @param c Hono's context, with the error handler's answer.
 * @param response The answer.
 */
export function answerError(c: HonoContext, response: Response): void {
  const answer = new Response(response.body, response);
  for (const [name, value] of c.res.headers) {
    if (name === "set-cookie" || name === "vary") answer.headers.append(name, value);
    else if (!name.startsWith("content-") && !answer.headers.has(name)) answer.headers.set(name, value);
  }
  replaceAnswer(c, answer);
  // Answered: the middleware outside of this one leaves it alone.
  c.error = undefined;
}
