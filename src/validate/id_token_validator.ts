/**
 * Validates ID tokens for applications that do not sign users in by this library.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import type { IdTokenExpectation, IdTokenValidatorOptions } from "./options.ts";

/** Validates the ID tokens of one application. */
export class IdTokenValidator {
  /**
   * Checks the options. Nothing is sent or read.
   *
   * @param _options The options.
   * @throws {ClientConfigurationError} that names the option.
   */
  constructor(_options: IdTokenValidatorOptions) {}

  /**
   * Validates a token.
   *
   * @param _token The token, whatever it is.
   * @param _expected What it is held against.
   * @returns The claims, frozen.
   * @throws {ClientAuthError} one of {@linkcode IdTokenErrorCode}.
   * @throws {NetworkError} where keys cannot be had.
   */
  validate(_token: unknown, _expected: IdTokenExpectation = {}): Promise<IdTokenClaims> {
    return Promise.reject(new ClientAuthError("unexpected_error", "Not built yet"));
  }
}
