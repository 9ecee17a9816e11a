/**
 * Validates the access tokens that an API is called with.
 *
 * @module
 */

import type { IssuerFail } from "../authority/issuer_rules.ts";
import type { IssuerMetadata } from "../authority/provider_metadata.ts";
import { check } from "../client/configuration.ts";
import { toAuthError } from "../client/failure.ts";
import { requireTokenRequest } from "../client/token_found.ts";
import { requireObject } from "../errors/errors.ts";
import { type CompactJws, parseCompact } from "../jwt/compact.ts";
import type { VerificationKey } from "../jwt/key_set.ts";
import { verifySignature } from "../jwt/verify.ts";
import { checkIssuer, checkKeyIssuer } from "../token/id_token_issuer.ts";
import { checkUnverified, type ExpectedAccessToken } from "./access_token_checks.ts";
import { type AccessTokenFail, accessTokenFail } from "./access_token_fail.ts";
import { requireAudience } from "./audience.ts";
import { callerOf } from "./caller.ts";
import type { AccessTokenRequirements, AccessTokenValidatorOptions, ValidationContext } from "./options.ts";
import { requireEnough, requireNoRequirements, requireRequirements } from "./requirements.ts";
import type { AccessTokenClaims, ValidatedAccessToken } from "./validated_token.ts";
import { type ValidatorParts, validatorParts } from "./validator_parts.ts";
import { VerifiedTokens } from "./verified_tokens.ts";

const MAX_VERIFIED_BYTES = 2 ** 22;

/** Validates access tokens for one API. */
export class AccessTokenValidator {
  readonly #parts: ValidatorParts;
  readonly #expected: ExpectedAccessToken;
  readonly #verified: VerifiedTokens;
  readonly #keysOf = (jwksUri: string) => this.#parts.jwks.fresh(jwksUri);

  /**
   * Checks the options. Nothing is sent or read.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option: `audience` has to be given.
   */
  constructor(options: AccessTokenValidatorOptions) {
    const { audience, maxVerifiedBytes = MAX_VERIFIED_BYTES } = requireObject(options, "options");
    requireNoRequirements(options);
    const audiences = requireAudience(audience);
    this.#parts = validatorParts(options);
    this.#expected = { ...this.#parts, audience: audiences };
    check(
      "maxVerifiedBytes",
      maxVerifiedBytes,
      (bytes) => typeof bytes === "number" && bytes >= 0,
      "it must be a number from 0",
    );
    this.#verified = new VerifiedTokens(maxVerifiedBytes);
  }

  /**
   * Validates a token, and then what the route asks of it.
   *
   * @param token The token, whatever it is.
   * @param requirements What the route asks.
   * @param context Keeps work alive.
   * @returns Who calls. Not an async function: at once from memory where the token was verified before.
   * @throws {AccessTokenError} with the challenge to answer with.
   * @throws {NetworkError} where keys cannot be had: an outage, to be answered with 503.
   */
  validate(
    token: unknown,
    requirements: AccessTokenRequirements = {},
    context: ValidationContext = {},
  ): Promise<ValidatedAccessToken> {
    try {
      requireRequirements(requirements);
      const known = this.#verified.find(token, this.#parts.clock.now(), this.#keysOf);
      if (known !== undefined) {
        return Promise.resolve(requireEnough(known.caller, requirements, context.correlationId));
      }
    } catch (error) {
      return Promise.reject(toAuthError(error));
    }
    return this.#validate(token, requirements, context);
  }

  async #validate(
    token: unknown,
    requirements: AccessTokenRequirements,
    context: ValidationContext,
  ): Promise<ValidatedAccessToken> {
    try {
      requireTokenRequest(context);
      const { correlationId = crypto.randomUUID(), waitUntil = this.#parts.waitUntil } = context;
      const caller = await this.#verify(token, correlationId, waitUntil);
      return requireEnough(caller, requirements, correlationId);
    } catch (error) {
      throw toAuthError(error);
    }
  }

  async #verify(
    text: unknown,
    correlationId: string,
    waitUntil: ValidationContext["waitUntil"],
  ): Promise<ValidatedAccessToken> {
    const { authority, metadata, jwks, clock } = this.#parts;
    const fail = accessTokenFail(correlationId);
    const token = parseCompact(text, (fault) => fail(`access_token_${fault}`));
    checkUnverified(token, this.#expected, clock.now() / 1000, fail);
    const found = metadata.issuer(authority.tenant, correlationId, waitUntil);
    const issuer = "then" in found ? await found : found;
    const failIssuer: IssuerFail = (fault) => fail(`access_token_${fault}`);
    // Before the key, so that a token of somebody else's costs neither a request nor a signature.
    const keyIssuer = this.#checkIssuer(token, issuer, fail, failIssuer);
    const key = await verifySignature(
      token,
      issuer,
      jwks,
      correlationId,
      waitUntil,
      (fault) => fail(`access_token_${fault}`),
    );
    checkKeyIssuer(key, token.claims, keyIssuer, issuer, failIssuer);
    return this.#keep(text as string, token, issuer, key);
  }

  #checkIssuer(
    { claims, alg }: CompactJws,
    issuer: IssuerMetadata,
    fail: AccessTokenFail,
    failIssuer: IssuerFail,
  ): string {
    const { authority, allowedTenants } = this.#parts;
    if (!issuer.algorithms.includes(alg)) fail("access_token_algorithm_refused");
    const expected = { issuer, tenant: authority.tenant, isAccessToken: true };
    const keyIssuer = checkIssuer(claims, authority, expected, failIssuer);
    return allowedTenants === "any" || allowedTenants.includes(`${claims["tid"]}`.toLowerCase())
      ? keyIssuer
      : fail("tenant_not_allowed");
  }

  #keep(
    text: string,
    { claims }: CompactJws,
    { jwksUri }: IssuerMetadata,
    key: VerificationKey,
  ): ValidatedAccessToken {
    const { isMicrosoft, toleranceSeconds, jwks } = this.#parts;
    const caller = callerOf(claims, isMicrosoft);
    const { exp, nbf = 0, iat = 0 } = claims as AccessTokenClaims & { nbf?: number; iat?: number };
    const keys = jwks.fresh(jwksUri);
    // Others may have renewed the keys in the meantime.
    if (keys?.includes(key)) {
      this.#verified.add(text, {
        caller,
        jwksUri,
        keys,
        fromMs: 1000 * (Math.max(nbf, iat) - toleranceSeconds),
        untilMs: 1000 * (exp + toleranceSeconds),
      });
    }
    return caller;
  }

  /** What logs may show. */
  toJSON(): { authority: string; audience: readonly string[] } {
    return { authority: this.#parts.authority.base, audience: this.#expected.audience };
  }
}
