/**
 * For which API tokens must be.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/** Microsoft Graph's tokens are for Microsoft alone: their form changes, and their signatures cannot be verified. */
const GRAPH = /^00000003-0000-0000-c000-000000000000$|^https:\/\/graph\.microsoft\.[a-z]+\/?$/i;
/** What a template makes of a variable that is not set. */
const MISSING = /^(?:.*\/)?(?:undefined|null)$/;

function faultOf(own: unknown): string | undefined {
  if (own === undefined || own === null || (typeof own === "string" && MISSING.test(own))) {
    return "it is undefined: is the variable that it comes from set?";
  }
  if (typeof own !== "string" || !/^[\x21-\x7e]{1,512}$/.test(own)) {
    return "it must be the API's client id or Application ID URI, or several";
  }
  if (own.includes("*")) return "there are no wildcards: list each audience";
  return GRAPH.test(own) ? "tokens for Microsoft Graph are for Microsoft alone" : undefined;
}

/**
 * Checks the `audience` option.
 *
 * @param audience What was given.
 * @returns The audiences.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function requireAudience(audience: unknown): readonly string[] {
  const given: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  if (given.length === 0) refuse("invalid_option", "audience", "it is empty: name this API");
  for (const own of given) {
    const fault = faultOf(own);
    if (fault !== undefined) refuse("invalid_option", "audience", fault);
  }
  return [...given] as string[];
}
