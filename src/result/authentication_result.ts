/**
 * What a successful call gives, whether the token is fresh or from the cache.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import type { UserProfile } from "../cache/cached_user.ts";
import type { AccountInfo } from "../request/account_info.ts";
import type { DeviceFlowPending } from "../request/user_requests.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import type { RefreshReason } from "../runtime/events.ts";

/** How a result came about. */
export interface AuthenticationResultMetadata {
  /** Where in the cache the token was: in this isolate's memory, in the store behind it, or nowhere. */
  readonly cacheLevel: "none" | "memory" | "store";
  /** Why the authority was asked; `not_applicable` for a plain hit. */
  readonly refreshReason: RefreshReason;
  /** How long the call took, in milliseconds; 0 for a hit in memory. */
  readonly durationMs: number;
}

/** A token and what is known of it. There is never a refresh token in it. */
export interface AuthenticationResult {
  /** The access token, to be sent as `Authorization: Bearer <token>`; one of another type by what its scheme's `apiHeaders` gives. */
  readonly accessToken: string;
  /** The token type: that of the request's `authScheme`, or `Bearer`. */
  readonly tokenType: "Bearer" | "DPoP" | "pop" | "ssh-cert";
  /** When the token ends. The library hands out none with less than five minutes left if it can get a newer one. */
  readonly expiresOn: Date;
  /** When the authority would like to be asked for a newer one. */
  readonly refreshOn?: Date;
  /** Until when the token may be of use while the authority is down, if that is later than `expiresOn`. */
  readonly extendedExpiresOn?: Date;
  /** The scopes granted; those asked for where the authority names none. */
  readonly scopes: readonly string[];
  /** The user's account; `null` for an app token, and where the authority does not say who the user is. */
  readonly account: AccountInfo | null;
  /** The tenant, or the issuer's path for an `oidcAuthority`. */
  readonly tenantId: string;
  /** The user's validated ID token in that tenant, raw: for a logout hint, not for another service. */
  readonly idToken?: string;
  /** What it says. */
  readonly idTokenClaims?: IdTokenClaims;
  /** Where the token came from. */
  readonly tokenSource: "identity_provider" | "cache";
  /** The call's id, as it was sent as `client-request-id`; the request's own, or empty, where nothing was sent. */
  readonly correlationId: string;
  /** How the result came about. */
  readonly metadata: AuthenticationResultMetadata;
}

/** What one poll of a device sign-in gives: the tokens, without a `status`, or `{ status: "pending", flow }`. */
export type DeviceFlowOutcome =
  | (AuthenticationResult & { readonly status?: undefined })
  | DeviceFlowPending;

/** A long-running process that has begun. */
export interface LongRunningProcess {
  /** Names the process. Who knows it can use the user's tokens: keep it as you keep secrets. */
  readonly sessionKey: string;
  /** The first token. */
  readonly result: AuthenticationResult;
}

/** Other MSALs spell it in their own way; a token without a key is none but a bearer's. */
function typeOf({ keyId, tokenType }: CachedToken): AuthenticationResult["tokenType"] {
  if (keyId === "") return "Bearer";
  return /^pop$/i.test(tokenType) ? "pop" : "DPoP";
}

/**
 * Makes a result. On the hit path: one object, no spreading.
 *
 * @param token The token.
 * @param cacheLevel In which cache it was; `none` for a new one.
 * @param refreshReason Why the authority was asked.
 * @param durationMs How long it took.
 * @param correlationId The call's id.
 * @param profile Whose token it is, for a user's.
 * @returns The result.
 */
export function toResult(
  token: CachedToken,
  cacheLevel: AuthenticationResultMetadata["cacheLevel"],
  refreshReason: RefreshReason,
  durationMs: number,
  correlationId: string,
  profile?: UserProfile,
): AuthenticationResult {
  const { refreshOn, extendedExpiresOn } = token;
  const info = profile?.info;
  const result: { -readonly [P in keyof AuthenticationResult]: AuthenticationResult[P] } = {
    accessToken: token.secret,
    tokenType: typeOf(token),
    expiresOn: new Date(token.expiresOn * 1000),
    scopes: token.scopes,
    account: info?.homeAccountId ? info : null,
    tenantId: token.realm,
    tokenSource: cacheLevel === "none" ? "identity_provider" : "cache",
    correlationId,
    metadata: { cacheLevel, refreshReason, durationMs },
  };
  if (refreshOn !== undefined) result.refreshOn = new Date(refreshOn * 1000);
  if (extendedExpiresOn !== undefined) result.extendedExpiresOn = new Date(extendedExpiresOn * 1000);
  if (profile?.idToken !== undefined) {
    result.idToken = profile.idToken.secret;
    result.idTokenClaims = profile.idToken.claims;
  }
  return result;
}
