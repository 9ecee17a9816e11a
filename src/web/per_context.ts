/**
 * Makes things of options, once.
 *
 * @module
 */

import { perEnv } from "../client/per_env.ts";
import { refuse } from "../errors/errors.ts";
import type { OptionsOf, RequestContext } from "./options.ts";

/**
 * Makes something of options: at once, or at the first request for each `env` where the options are a function of it.
 *
 * @param options The options or the function.
 * @param make Makes it; must not start a request or a timer.
 * @returns A function that gives it for a request's context.
 * @throws {ClientConfigurationError} as `make` does. The function throws `invalid_request` where the context has no bindings.
 */
export function perContext<O extends object, P, E>(
  options: OptionsOf<O, E>,
  make: (options: O) => P,
): (context?: RequestContext<E>) => P {
  if (typeof options !== "function") {
    const made = make(options);
    return () => made;
  }
  const ofEnv = perEnv((env: E & object) => make(options(env)));
  return (context) => {
    const env = context?.env;
    return ofEnv(
      Object(env) === env
        ? env as E & object
        : refuse("invalid_request", "context.env", "the options are a function of it: pass the bindings"),
    );
  };
}
