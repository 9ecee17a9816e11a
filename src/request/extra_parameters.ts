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
  /^(?:(?:access|client|code|device|fmi|grant|id|redirect|refresh|response|user)_|(?:assertion|claims|code|nonce|password|scope|state|username)$)/i;

/**
 * Checks extra parameters.
 *
 * @param parameters What the caller gave.
 * @param option The request member's name, for the error.
 * @throws {ClientConfigurationError} `reserved_parameter` or `invalid_request`.
 */
export function requireExtraParameters(parameters: unknown, option: string): void {
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (RESERVED.test(name)) {
      refuse("reserved_parameter", option, `${name} is set by the library, from its own option`);
    }
    if (typeof value !== "string") refuse("invalid_request", option, "it must be an object of strings");
  }
}
