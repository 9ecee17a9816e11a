/**
 * Reads the token endpoint's success answer, RFC 6749 section 5.1.
 *
 * @module
 */

/** How long a token counts where the answer does not say; MSAL Python's value. */
const DEFAULT_LIFETIME_SECONDS = 600;
/** No lifetime counts for longer than this. */
const MAX_LIFETIME_SECONDS = 86_400;

/** A success answer, checked. */
export interface TokenResponse {
  /** The access token. */
  readonly accessToken: string;
  /** The token type in its usual spelling. */
  readonly tokenType: "Bearer";
  /** For how long the token counts, from when the request started: 0 to 86400. */
  readonly expiresInSeconds: number;
  /** For how long it may count during an outage, from when the request started. */
  readonly extendedExpiresInSeconds: number;
  /** After how many seconds a new token should be asked for. */
  readonly refreshInSeconds?: number | undefined;
  /** The scopes granted, where the answer names them. */
  readonly scope?: string | undefined;
}

/** Reads seconds: a number, or its digits in a string, as Entra v1 sends it. `undefined` for anything else. */
function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && !Number.isNaN(number) ? Math.floor(number) : undefined;
}

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), MAX_LIFETIME_SECONDS);
}

/**
 * Checks a success answer.
 *
 * `expires_in` may be a number or a string of digits; missing or unreadable it counts as 600 s, negative as 0, and more
 * than a day as a day.
 *
 * @param json The body of a status 200 answer without an `error`.
 * @param nowSeconds When the request started, in epoch seconds.
 * @returns The answer, or what is wrong with it.
 */
export function parseTokenResponse(
  json: Readonly<Record<string, unknown>>,
  nowSeconds: number,
): TokenResponse | string {
  const { access_token: accessToken, token_type: tokenType, scope } = json;
  if (typeof accessToken !== "string" || accessToken === "") return "access_token is missing";
  if (typeof tokenType !== "string" || tokenType.toLowerCase() !== "bearer") {
    return "token_type is not Bearer";
  }
  const untilSeconds = seconds(json.expires_on);
  const expiresInSeconds = clamp(
    seconds(json.expires_in) ??
      (untilSeconds === undefined ? DEFAULT_LIFETIME_SECONDS : untilSeconds - nowSeconds),
  );
  const refreshIn = seconds(json.refresh_in);
  return {
    accessToken,
    tokenType: "Bearer",
    expiresInSeconds,
    extendedExpiresInSeconds: clamp(seconds(json.ext_expires_in) ?? 0),
    refreshInSeconds: refreshIn === undefined ? undefined : Math.min(refreshIn, expiresInSeconds),
    scope: typeof scope === "string" && scope.trim() !== "" ? scope : undefined,
  };
}
