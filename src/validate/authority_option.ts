/**
 * Whose tokens a validator accepts.
 *
 * @module
 */

import { type Authority, parseAuthority, parseOidcAuthority } from "../authority/authority.ts";
import { texts } from "../client/configuration.ts";
import { refuse } from "../errors/errors.ts";
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
  return (authority ?? oidcAuthority) === undefined ? undefined : parse(options, insecureLoopback);
}

function parse(
  { authority, oidcAuthority, knownAuthorities }: TokenValidatorOptions,
  insecureLoopback: boolean,
): Authority {
  const what = "hosts, such as login.example.com";
  const hosts = texts("knownAuthorities", knownAuthorities, /^[\w.-]+(?::\d+)?$/, what);
  if (authority !== undefined && oidcAuthority !== undefined) {
    refuse("conflicting_authority", "oidcAuthority", "authority is given, too: choose one");
  }
  return authority === undefined
    ? parseOidcAuthority(oidcAuthority, insecureLoopback)
    : parseAuthority(authority, hosts.map((host) => host.toLowerCase()), insecureLoopback);
}
