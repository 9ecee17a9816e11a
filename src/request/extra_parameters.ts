/**
 * Parameters that an application adds to a request by name.
 *
 * @module
 */

import { ClientConfigurationError } from "../errors/errors.ts";

/** Parameters by name. */
export type ExtraParameters = Readonly<Record<string, string>>;

/** Parameters that have a meaning of their own here: another value would change who asks for what. */
const RESERVED = new Set(
  ("client_id client_secret client_assertion client_assertion_type grant_type scope claims code code_verifier " +
    "redirect_uri response_type response_mode state nonce code_challenge code_challenge_method refresh_token " +
    "assertion requested_token_use username password device_code fmi_path client_info access_token id_token " +
    "token_type req_cnf key_id user_id user_federated_identity_credential client_claims")
    .split(" "),
);

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
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    throw new ClientConfigurationError(
      "invalid_request",
      option,
      `Cannot use ${option}: it must be an object of strings`,
    );
  }
  return Object.entries(parameters).map(([name, value]) => {
    if (RESERVED.has(name.toLowerCase())) {
      throw new ClientConfigurationError(
        "reserved_parameter",
        option,
        `Cannot use ${option}: ${name} is set by the library; use the option or request member for it`,
      );
    }
    if (typeof value !== "string" || name === "") {
      throw new ClientConfigurationError(
        "invalid_request",
        option,
        `Cannot use ${option}: every value must be a string`,
      );
    }
    return [name, value];
  });
}
