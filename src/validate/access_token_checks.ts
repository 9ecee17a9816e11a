/**
 * The checks of an access token that need no key: they come first, so that a token which cannot count costs neither a
 * signature nor a request.
 *
 * @module
 */

import type { Authority } from "../authority/authority.ts";
import { isGuid } from "../authority/tenant.ts";
import type { CompactJws, JsonObject } from "../jwt/compact.ts";
import { isTime } from "../token/id_token_checks.ts";
import type { AccessTokenFail } from "./access_token_fail.ts";

/** The types that an access token may say it has, RFC 9068 section 2.1; most say none or `JWT`. */
const TYPE = /^(?:application\/)?(?:at\+)?jwt$/i;
/** Asymmetric algorithms. Which of them count is the authority's to say. */
const ALGORITHM = /^(?:[RPE]S(?:256|384|512)|EdDSA|Ed25519)$/;

/** What a token is held against before its signature is. */
export interface ExpectedAccessToken {
  /** What `aud` must be, or one of these. */
  readonly audience: readonly string[];
  /** Who issues it. */
  readonly authority: Authority;
  /** Whether that is Microsoft. */
  readonly isMicrosoft: boolean;
  /** By how many seconds clocks may differ. */
  readonly toleranceSeconds: number;
}

/** Whether the claims say on what permission the token was issued, in any of the ways there are. */
function hasScope({ scp, scope }: JsonObject): boolean {
  return (scp ?? scope) !== undefined;
}

/** what only ID tokens have, and what no access token lacks. */
function isIdToken(claims: JsonObject, isMicrosoft: boolean): boolean {
  const { nonce, at_hash: atHash, c_hash: cHash, azp, appid } = claims;
  if (atHash !== undefined || cHash !== undefined) return true;
  if (hasScope(claims)) return false;
  // Azure AD B2C puts the nonce into access tokens as well, with their scp. All of Microsoft's name the calling app.
  return nonce !== undefined || (isMicrosoft && (azp ?? appid) === undefined);
}

function checkTimes(
  { exp, nbf = 0, iat = 0 }: JsonObject,
  nowSeconds: number,
  toleranceSeconds: number,
  fail: AccessTokenFail,
): void {
  if (!isTime(exp) || !isTime(nbf) || !isTime(iat)) return fail("access_token_time_invalid");
  if (exp + toleranceSeconds <= nowSeconds) fail("access_token_expired");
  if (Math.max(nbf, iat) - toleranceSeconds > nowSeconds) fail("access_token_not_yet_valid");
}

/** Whether the issuer can be the authority's, as far as that is known without asking it. */
function mayBeOf(iss: unknown, { authority: { base }, isMicrosoft }: ExpectedAccessToken): boolean {
  return typeof iss === "string" && (isMicrosoft || iss.replace(/\/$/, "") === base);
}

/** Whether the claims name somebody. Microsoft's object ids are GUIDs. */
function hasSubject({ sub, oid }: JsonObject, isMicrosoft: boolean): boolean {
  return typeof sub === "string" && /^[^\p{Cc}]{1,255}$/u.test(sub) &&
    (!isMicrosoft || oid === undefined || (typeof oid === "string" && isGuid(oid.toLowerCase())));
}

/**
 * Checks what a token says of itself.
 *
 * @param token The token, read and not believed.
 * @param expected What it is held against.
 * @param nowSeconds The time, in seconds since the epoch.
 * @param fail Refuses it.
 */
export function checkUnverified(
  { claims, typ = "JWT", alg }: CompactJws,
  expected: ExpectedAccessToken,
  nowSeconds: number,
  fail: AccessTokenFail,
): void {
  const { aud, cnf, iss } = claims;
  if (!ALGORITHM.test(alg)) fail("access_token_algorithm_refused");
  if (typeof typ !== "string" || !TYPE.test(typ)) fail("access_token_type_refused");
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const isText = (one: unknown): boolean => typeof one === "string";
  if (!audiences.every(isText) || !expected.audience.some((own) => audiences.includes(own))) {
    fail("access_token_audience_mismatch");
  }
  if (!mayBeOf(iss, expected)) fail("access_token_issuer_mismatch");
  checkTimes(claims, nowSeconds, expected.toleranceSeconds, fail);
  if (isIdToken(claims, expected.isMicrosoft)) fail("access_token_type_refused");
  if (!hasSubject(claims, expected.isMicrosoft)) fail("access_token_subject_invalid");
  // RFC 9449 section 7.1: who sends it as Bearer may have stolen it. Nobody's plain tokens have the claim.
  if (cnf !== undefined && cnf !== null) fail("access_token_bound");
}
