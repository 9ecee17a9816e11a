/**
 * Validates the access tokens that an API is called with.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import type { AccessTokenRequirements, AccessTokenValidatorOptions, ValidationContext } from "./options.ts";
import type { ValidatedAccessToken } from "./validated_token.ts";

/** Validates access tokens for one API. */
export class AccessTokenValidator {
  /**
   * Checks the options. Nothing is sent or read.
   *
   * @param _options The options.
   * @throws {ClientConfigurationError} that names the option: `audience` has to be given.
   */
  constructor(_options: AccessTokenValidatorOptions) {}

  /**
   * Validates a token, and then what the route asks of it.
   *
   * @param _token The token, whatever it is.
   * @param _requirements What the route asks.
   * @param _context Keeps work alive.
   * @returns Who calls. Not an async function: at once from memory where the token was verified before.
   * @throws {AccessTokenError} with the challenge to answer with.
   * @throws {NetworkError} where keys cannot be had: an outage, to be answered with 503.
   */
  validate(
    _token: unknown,
    _requirements: AccessTokenRequirements = {},
    _context: ValidationContext = {},
  ): Promise<ValidatedAccessToken> {
    return Promise.reject(new ClientAuthError("unexpected_error", "Not built yet"));
  }
}
