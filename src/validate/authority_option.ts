/**
 * Whose tokens a validator accepts.
 *
 * @module
 */

import { parseAnyAuthority } from "../authority/any_authority.ts";
import type { Authority } from "../authority/authority.ts";
import type { TokenValidatorOptions } from "./options.ts";

/**
 * Reads the authority of a validator. There is no default: a forgotten variable must not let every tenant in.
 *
 * @param options The options.
 * @param insecureLoopback Whether `http:` on loopback is allowed.
 * @returns The authority; `undefined` where the options name none.
 * @throws {ClientConfigurationError} before any request.
 */
export function authorityOption(
  options: TokenValidatorOptions,
  insecureLoopback: boolean,
): Authority | undefined {
  const { authority, oidcAuthority } = options;
  return (authority ?? oidcAuthority) === undefined
    ? undefined
    : parseAnyAuthority(options, insecureLoopback);
}
