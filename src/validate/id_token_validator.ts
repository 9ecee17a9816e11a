/**
 * Validates ID tokens for applications that do not sign users in by this library.
 *
 * @module
 */

import { toAuthError } from "../client/failure.ts";
import { requireTokenRequest } from "../client/token_found.ts";
import { refuse, requireObject } from "../errors/errors.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import { IdTokenValidator as Validator } from "../token/id_token.ts";
import type { IdTokenExpectation, IdTokenValidatorOptions } from "./options.ts";
import { type ValidatorParts, validatorParts } from "./validator_parts.ts";

/** What an expectation must be: a session that lost its nonce must not find a token without one. */
function requireExpectation({ nonce, maxAge, accessToken }: IdTokenExpectation): void {
  const isText = (value: unknown): boolean =>
    value === undefined || (typeof value === "string" && value !== "");
  if (!isText(nonce)) refuse("invalid_request", "nonce", "it must be a text, and not empty");
  if (!isText(accessToken)) refuse("invalid_request", "accessToken", "it must be a text, and not empty");
  if (maxAge !== undefined && !(typeof maxAge === "number" && maxAge >= 0)) {
    refuse("invalid_request", "maxAge", "it must be a number from 0");
  }
}

/** Validates the ID tokens of one application. */
export class IdTokenValidator {
  readonly #parts: ValidatorParts;
  readonly #validator: Validator;

  /**
   * Checks the options. Nothing is sent or read.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option.
   */
  constructor(options: IdTokenValidatorOptions) {
    const { clientId } = requireObject(options, "options");
    if (typeof clientId !== "string" || !/^[\x21-\x7e]{1,256}$/.test(clientId) || clientId === "undefined") {
      refuse("invalid_client_id", "clientId", "it must be the Application (client) ID");
    }
    this.#parts = validatorParts(options);
    this.#validator = new Validator({
      ...this.#parts,
      clientId,
      clockToleranceSeconds: this.#parts.toleranceSeconds,
    });
  }

  /**
   * Validates a token.
   *
   * @param token The token, whatever it is.
   * @param expected What it is held against.
   * @returns The claims, frozen.
   * @throws {ClientAuthError} one of {@linkcode IdTokenErrorCode}.
   * @throws {NetworkError} where keys cannot be had.
   */
  async validate(token: unknown, expected: IdTokenExpectation = {}): Promise<IdTokenClaims> {
    try {
      requireTokenRequest(requireObject(expected, "expected"));
      requireExpectation(expected);
      const { authority: { tenant }, metadata } = this.#parts;
      const { correlationId = crypto.randomUUID(), waitUntil = this.#parts.waitUntil } = expected;
      const issuer = await metadata.issuer(tenant, correlationId, waitUntil);
      const { nonce, maxAge: maxAgeSeconds, accessToken } = expected;
      const held = { issuer, tenant, nonce, maxAgeSeconds, accessToken };
      return await this.#validator.validate(token, held, correlationId, waitUntil);
    } catch (error) {
      throw toAuthError(error);
    }
  }
}
