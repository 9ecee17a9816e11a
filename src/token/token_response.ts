/**
 * Reads the token endpoint's success answer, RFC 6749 section 5.1.
 *
 * @module
 */

import type { AuthScheme } from "../request/auth_scheme.ts";

/** How long a token counts where the answer does not say; MSAL Python's value. */
const DEFAULT_LIFETIME_SECONDS = 600;
/** No lifetime counts for longer than this. */
const MAX_LIFETIME_SECONDS = 86_400;

/** Nor any refresh token's. */
const MAX_REFRESH_LIFETIME_SECONDS = 366 * 86_400;

/** A success answer, checked, with its times as the cache keeps them: in epoch seconds. */
export interface TokenResponse {
  /** The access token. */
  readonly secret: string;
  /** The token type in its usual spelling. */
  readonly tokenType: "Bearer" | AuthScheme["tokenType"];
  /** When the request started: lifetimes count from there. */
  readonly cachedAt: number;
  /** When the token ends, at most a day later. */
  readonly expiresOn: number;
  /** Until when it may count during an outage, if that is later. */
  readonly extendedExpiresOn: number | undefined;
  /** When a newer one should be asked for. */
  readonly refreshOn: number | undefined;
  /** The scopes granted, where the answer names them. */
  readonly scope: string | undefined;
  /** The refresh token, if there is one. */
  readonly refreshToken: string | undefined;
  /** When the refresh token ends, if the answer says so. */
  readonly refreshTokenExpiresOn: number | undefined;
  /** The ID token, not looked at yet. */
  readonly idToken: unknown;
  /** Entra's `client_info`, not looked at yet. */
  readonly clientInfo: unknown;
  /** The family of client ids that may use the refresh token. */
  readonly familyId: string | undefined;
}

/** Reads seconds: a number, or its digits in a string, as Entra v1 sends it. `undefined` for anything else. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && !Number.isNaN(number) ? Math.floor(number) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Checks a success answer.
 *
 * `expires_in` may be a number or a string of digits; missing or unreadable it counts as 600 s, negative as 0, and more
 * than a day as a day.
 *
 * @param json The body of a status 200 answer without an `error`.
 * @param cachedAt When the request started, in epoch seconds.
 * @param tokenType The type that was asked for: no other one will do, whatever its case.
 * @returns The answer, or what is wrong with it.
 */
export function parseTokenResponse(
  json: Readonly<Record<string, unknown>>,
  cachedAt: number,
  tokenType: TokenResponse["tokenType"] = "Bearer",
): TokenResponse | string {
  const { access_token: secret, token_type: type, scope } = json;
  if (typeof secret !== "string" || secret === "") return "access_token is missing";
  if (typeof type !== "string" || type.toLowerCase() !== tokenType.toLowerCase()) {
    return `token_type is not ${tokenType}${tokenType === "Bearer" ? "" : ": it has no such authScheme"}`;
  }
  const lifetime = seconds(json.expires_in) ??
    (seconds(json.expires_on) ?? cachedAt + DEFAULT_LIFETIME_SECONDS) - cachedAt;
  const after = (delay: number): number => cachedAt + Math.min(Math.max(delay, 0), MAX_LIFETIME_SECONDS);
  const expiresOn = after(lifetime);
  const extendedExpiresOn = after(seconds(json.ext_expires_in) ?? 0);
  const refreshIn = seconds(json.refresh_in);
  const refreshLifetime = seconds(json.refresh_token_expires_in);
  return {
    secret,
    tokenType,
    cachedAt,
    expiresOn,
    extendedExpiresOn: extendedExpiresOn > expiresOn ? extendedExpiresOn : undefined,
    // One that is due at once would be asked for again at every call.
    refreshOn: refreshIn !== undefined && refreshIn > 0 ? Math.min(after(refreshIn), expiresOn) : undefined,
    scope: typeof scope === "string" && scope.trim() !== "" ? scope : undefined,
    refreshToken: text(json.refresh_token),
    refreshTokenExpiresOn: refreshLifetime !== undefined && refreshLifetime > 0
      ? cachedAt + Math.min(refreshLifetime, MAX_REFRESH_LIFETIME_SECONDS)
      : undefined,
    idToken: json.id_token,
    clientInfo: json.client_info,
    familyId: text(json.foci),
  };
}
