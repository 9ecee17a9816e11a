/**
 * Validates ID tokens: OpenID Connect Core 1.0 section 3.1.3.7, signature included, and Entra's rules.
 *
 * @module
 */

import { type Authority, isEntra, namesTenants } from "../authority/authority.ts";
import type { IssuerFail } from "../authority/issuer_rules.ts";
import type { IssuerMetadata } from "../authority/provider_metadata.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { type JwtFail, parseCompact } from "../jwt/compact.ts";
import type { JwksSource } from "../jwt/jwks_source.ts";
import { verifySignature } from "../jwt/verify.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import type { Clock } from "../runtime/clock.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import {
  checkHashes,
  checkKind,
  checkParties,
  checkSameUser,
  checkSignIn,
  checkTimes,
  type ExpectedAnswer,
  type IdTokenFail,
} from "./id_token_checks.ts";
import { checkIssuer, checkKeyIssuer, type ExpectedIssuer } from "./id_token_issuer.ts";

/** By how many seconds clocks may differ, where the application does not say. */
const CLOCK_TOLERANCE_SECONDS = 120;

/** What a validator is made of. */
export interface IdTokenValidatorOptions {
  /** Whom tokens must be for. */
  readonly clientId: string;
  /** Who issues them. */
  readonly authority: Authority;
  /** Where the keys come from. */
  readonly jwks: JwksSource;
  /** Where the time is read. */
  readonly clock: Clock;
  /** By how many seconds clocks may differ. @default {120} */
  readonly clockToleranceSeconds?: number | undefined;
  /** The only tenants whose users may sign in, GUIDs; no rule where absent or `"any"`. */
  readonly allowedTenants?: readonly string[] | "any" | undefined;
}

/** What an ID token is held against. */
export interface ExpectedIdToken extends ExpectedIssuer, ExpectedAnswer {}

/**
 * Makes the function that refuses an ID token.
 *
 * @param correlationId The call's correlation id.
 * @returns The function; its message is the code in words, and holds nothing of the token.
 */
export function idTokenFail(correlationId: string): IdTokenFail {
  return (code) => {
    const why = `Cannot accept the sign-in: ${code.replaceAll("_", " ")}. Nothing was stored`;
    throw new ClientAuthError(code, why, correlationId);
  };
}

/** Validates the ID tokens of one application. */
export class IdTokenValidator {
  readonly #options: IdTokenValidatorOptions;

  /**
   * Makes a validator.
   *
   * @param options The application, its authority and the source of keys.
   */
  constructor(options: IdTokenValidatorOptions) {
    this.#options = options;
  }

  /**
   * Sees to it that the keys are at hand, before a code is spent.
   *
   * @param issuer Whose keys.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @throws {ClientAuthError} `endpoints_resolution_error`.
   * @throws {NetworkError} where the keys cannot be read: an outage, and no failed validation.
   */
  async prepare(
    issuer: IssuerMetadata,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<void> {
    await this.#options.jwks.keys(issuer.jwksUri, correlationId, waitUntil);
  }

  /**
   * Validates an ID token.
   *
   * @param text The `id_token` of an answer, whatever it is.
   * @param expected What the token is held against.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns The claims, frozen.
   * @throws {ClientAuthError} one of {@linkcode IdTokenErrorCode}, or `endpoints_resolution_error`.
   * @throws {NetworkError} where the keys cannot be read.
   */
  async validate(
    text: unknown,
    expected: ExpectedIdToken,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<IdTokenClaims> {
    const { authority, jwks, clock, clientId, clockToleranceSeconds = CLOCK_TOLERANCE_SECONDS } =
      this.#options;
    const fail = idTokenFail(correlationId);
    const failJwt: JwtFail = (fault) => fail(`id_token_${fault}`);
    if (text === undefined) fail("id_token_missing");
    const token = parseCompact(text, failJwt);
    const { claims, alg } = token;
    checkKind(token, isEntra(authority), fail);
    const key = await verifySignature(token, expected.issuer, jwks, correlationId, waitUntil, failJwt);
    const failIssuer: IssuerFail = (fault) => fail(`id_token_${fault}`);
    const issuer = checkIssuer(claims, authority, expected, failIssuer);
    checkKeyIssuer(key, claims, issuer, expected.issuer, failIssuer);
    // Entra writes GUIDs in lower case, whatever case the application was configured with.
    const folded = (value: unknown): unknown =>
      isEntra(authority) && typeof value === "string" ? value.toLowerCase() : value;
    const isClient = (value: unknown): boolean => folded(value) === folded(clientId);
    checkParties(claims, isClient, fail);
    // Access tokens of version 1 name in it who got them for this application: no `azp` would tell. ADFS names it as well.
    const { appid = clientId } = claims;
    if ((namesTenants(authority) || authority.type === "adfs") && !isClient(appid)) {
      fail("id_token_authorized_party_mismatch");
    }
    const nowSeconds = clock.now() / 1000;
    checkTimes(claims, nowSeconds, clockToleranceSeconds, fail);
    checkSignIn(claims, expected, nowSeconds, clockToleranceSeconds, fail);
    this.#checkAllowed(claims["tid"], fail);
    await checkHashes(claims, expected, alg, fail);
    if (expected.previous !== undefined) checkSameUser(claims, expected.previous, fail);
    return claims as IdTokenClaims;
  }

  #checkAllowed(tenant: unknown, fail: IdTokenFail): void {
    const { allowedTenants = "any" } = this.#options;
    const own = `${tenant}`.toLowerCase();
    if (allowedTenants !== "any" && !allowedTenants.some((allowed) => allowed.toLowerCase() === own)) {
      fail("tenant_not_allowed");
    }
  }
}
