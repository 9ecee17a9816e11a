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
  /^(?:access_token|assertion|claims|client_\w+|code|code_\w+|device_code|fmi_path|grant_type|id_token|key_id|nonce|password|redirect_uri|refresh_token|req_cnf|requested_token_use|response_\w+|scope|state|token_type|user_\w+|username)$/i;

/**
 * Checks extra parameters.
 *
 * @param parameters What the caller gave.
 * @param option The request member's name, for the error.
 * @returns The parameters, by name.
 * @throws {ClientConfigurationError} `reserved_parameter` or `invalid_request`.
 */
export function requireExtraParameters(parameters: unknown, option: string): [string, string][] {
  if (parameters === undefined) return [];
  const pairs = typeof parameters === "object" && parameters !== null
    ? Object.entries(parameters)
    : [["", ""]];
  for (const [name, value] of pairs) {
    if (RESERVED.test(name)) {
      refuse("reserved_parameter", option, `${name} is set by the library, from its own option`);
    }
    if (typeof value !== "string" || name === "") {
      refuse("invalid_request", option, "it must be an object of strings");
    }
  }
  return pairs as [string, string][];
}
