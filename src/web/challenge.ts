/**
 * Writes challenges, RFC 9110 section 11.6.1 and RFC 6750 section 3.
 *
 * @module
 */

/** The parameters of a challenge; those that are absent are left out. */
export type ChallengeParameters = Readonly<Record<string, string | undefined>>;

/** Text as `error_description` may have it, RFC 6750 section 3: printable ASCII without quotes and backslashes. */
export function plainText(text: string): string {
  return text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, "?");
}

/**
 * Writes a Bearer challenge.
 *
 * @param parameters The parameters, in order.
 * @returns The value of `WWW-Authenticate`: ASCII, each value a quoted string.
 */
export function bearerChallenge(parameters: ChallengeParameters): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    pairs.push(`${name}="${value.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`);
  }
  return `Bearer ${pairs.join(", ")}`;
}

/** Claims as a challenge has them: the base64 of their UTF-8, with padding, as Microsoft's APIs send it. */
export function encodeClaims(claims: string): string {
  return btoa(Array.from(new TextEncoder().encode(claims), (byte) => String.fromCharCode(byte)).join(""));
}
