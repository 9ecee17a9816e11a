/**
 * The checks of an ID token's claims: OpenID Connect Core 1.0 sections 3.1.3.7 and 12.2.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import type { IdTokenErrorCode } from "../errors/id_token_codes.ts";
import type { CompactJws, JsonObject } from "../jwt/compact.ts";
import type { EssentialClaim } from "../request/claims.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";

/** The claim of logout tokens, OpenID Connect Back-Channel Logout 1.0 section 2.4; older ones say what they are nowhere else. */
export const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";
/** What at Entra only tokens for APIs say: what they are good for, and how the client proved who it is. */
const FOR_APIS: readonly string[] = ["scp", "azpacr", "appidacr", "idtyp"];
/** An ID token just received is not older than this, in seconds. */
const MAX_AGE_SECONDS = 86_400;

/** What the answer that brought an ID token must agree with. */
export interface ExpectedAnswer {
  /** What the token must carry; absent where it must carry none. */
  readonly nonce?: string | undefined;
  /** Whether it may carry none all the same, or that of `previous`: after a refresh. */
  readonly nonceOptional?: boolean | undefined;
  /** How long ago the user may have signed in. */
  readonly maxAgeSeconds?: number | undefined;
  /** Claims that must be there, each with one of its values unless there are none. */
  readonly essential?: readonly EssentialClaim[] | undefined;
  /** The access token of the same answer, for `at_hash`. */
  readonly accessToken?: string | undefined;
  /** The authorization code that was redeemed, for `c_hash`. */
  readonly code?: string | undefined;
  /** The claims of the ID token before a refresh. */
  readonly previous?: IdTokenClaims | undefined;
}

/** Refuses an ID token. */
export type IdTokenFail = (code: IdTokenErrorCode) => never;

/** Whether a claim is a time: never a text that looks like one. */
export function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** refuses what is of another kind, and may agree in all else: a token for the application's own API, or a logout token. */
export function checkKind({ claims, typ }: CompactJws, isEntra: boolean, fail: IdTokenFail): void {
  const isOther = typeof typ === "string" && /(?:at|logout)\+jwt$/i.test(typ);
  const isForApi = isEntra && FOR_APIS.some((name) => claims[name] !== undefined);
  if (isOther || isForApi || Object(claims["events"])[LOGOUT_EVENT] !== undefined) {
    fail("id_token_type_refused");
  }
}

/** Checks when the token counts: never a time that is no number, and none that is absent. */
export function checkTimes(
  { exp, iat, nbf = 0 }: JsonObject,
  nowSeconds: number,
  toleranceSeconds: number,
  fail: IdTokenFail,
): void {
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) return fail("id_token_time_invalid");
  if (exp + toleranceSeconds <= nowSeconds) fail("id_token_expired");
  if (Math.max(nbf, iat) - toleranceSeconds > nowSeconds) fail("id_token_not_yet_valid");
  if (iat + MAX_AGE_SECONDS + toleranceSeconds < nowSeconds) fail("id_token_too_old");
}

/** Checks for whom the token is, and that it names somebody. */
export function checkParties(
  { aud, azp, sub }: JsonObject,
  isClient: (value: unknown) => boolean,
  fail: IdTokenFail,
): void {
  // No other audience is trusted, so there must be none.
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length === 0 || !audiences.every(isClient)) fail("id_token_audience_mismatch");
  if (azp !== undefined && !isClient(azp)) fail("id_token_authorized_party_mismatch");
  if (typeof sub !== "string" || !/^[^\p{Cc}]{1,255}$/u.test(sub)) fail("id_token_subject_invalid");
}

/** Checks that the sign-in is the one that was asked for. */
export function checkSignIn(
  claims: JsonObject,
  expected: ExpectedAnswer,
  nowSeconds: number,
  toleranceSeconds: number,
  fail: IdTokenFail,
): void {
  const { nonce, auth_time: authTime } = claims;
  const { nonceOptional, previous, maxAgeSeconds, essential = [] } = expected;
  // Of a refresh token from elsewhere nobody knows the first nonce.
  const excused = nonceOptional &&
    (nonce === undefined || previous === undefined || nonce === previous.nonce);
  if (nonce !== expected.nonce && !excused) fail("nonce_mismatch");
  if (authTime !== undefined || maxAgeSeconds !== undefined) {
    // Written so that a limit that is no number refuses.
    const ageSeconds = isTime(authTime) ? nowSeconds - authTime : NaN;
    if (!(ageSeconds >= -toleranceSeconds && ageSeconds - toleranceSeconds <= (maxAgeSeconds ?? Infinity))) {
      fail("id_token_auth_time_invalid");
    }
  }
  for (const { name, values } of essential) {
    const found = [claims[name] ?? []].flat();
    const fits = values.length === 0 ? found.length > 0 : found.some((one) => values.includes(one));
    if (!fits) fail(name === "auth_time" ? "id_token_auth_time_invalid" : "id_token_acr_mismatch");
  }
}

/** Checks that a refreshed token is of the same user, section 12.2. */
export function checkSameUser(claims: JsonObject, previous: JsonObject, fail: IdTokenFail): void {
  for (const name of ["iss", "sub", "tid", "oid", "auth_time"]) {
    const optional = name === "auth_time" && (claims[name] === undefined || previous[name] === undefined);
    if (claims[name] !== previous[name] && !optional) fail("id_token_user_mismatch");
  }
}

/** Whether a hash claim, where there is one, is that of a text: the left half, section 3.1.3.6. */
async function isHalfHash(claim: unknown, text: string | undefined, alg: string): Promise<boolean> {
  if (claim === undefined || text === undefined) return true;
  const hash = `SHA-${/256|384/.exec(alg) ?? 512}`;
  const digest = new Uint8Array(await crypto.subtle.digest(hash, new TextEncoder().encode(text)));
  return claim === encodeBase64Url(digest.subarray(0, digest.length / 2));
}

/** Checks that what came with the token belongs to it. */
export async function checkHashes(
  { at_hash: atHash, c_hash: cHash }: JsonObject,
  { accessToken, code }: ExpectedAnswer,
  alg: string,
  fail: IdTokenFail,
): Promise<void> {
  if (!await isHalfHash(atHash, accessToken, alg)) fail("id_token_access_token_hash_mismatch");
  if (!await isHalfHash(cHash, code, alg)) fail("id_token_code_hash_mismatch");
}
