/**
 * Parameters that an application adds to a request by name.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/** Parameters by name. */
export type ExtraParameters = Readonly<Record<string, string>>;

/** Parameters that have a meaning of their own here: another value would change who asks for what. */
const RESERVED =
  /^(?:(?:access|client|code|device|grant|id|key|redirect|refresh|req|request|requested|response|token|user)_|(?:assertion|claims|code|fmi_path|max_age|nonce|password|prompt|request|scope|state|username)$|(?:domain|login)_hint$)|^\W*$/i;

/**
 * Checks extra parameters.
 *
 * @param parameters What the caller gave.
 * @param option The request member's name, for the error.
 * @returns The parameters; none where there are none.
 * @throws {ClientConfigurationError} `reserved_parameter` or `invalid_request`.
 */
export function requireExtraParameters(parameters: unknown, option: string): [string, string][] {
  if (parameters === undefined) return [];
  const pairs = Object.entries(Object(parameters) === parameters ? parameters as object : { x: 0 });
  for (const [name, value] of pairs) {
    if (RESERVED.test(name)) {
      refuse("reserved_parameter", option, `${name} is set by the library, from its own option`);
    }
    if (typeof value !== "string") refuse("invalid_request", option, "it must be an object of strings");
  }
  return pairs;
}
