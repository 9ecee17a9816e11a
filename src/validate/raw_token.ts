/**
 * The text of tokens that were validated, for the library's own on-behalf-of requests: nothing shows it.
 *
 * @module
 */

import type { ValidatedAccessToken } from "./validated_token.ts";

const TEXTS = new WeakMap<ValidatedAccessToken, string>();

/**
 * Remembers the text of a token.
 *
 * @param validated What was made of it.
 * @param token The text.
 */
export function rememberRawToken(validated: ValidatedAccessToken, token: string): void {
  TEXTS.set(validated, token);
}

/**
 * The text of a token.
 *
 * @param validated The very object that {@linkcode AccessTokenValidator.validate} gave; no copy of it.
 * @returns The token; `undefined` for any other object.
 */
export function rawTokenOf(validated: ValidatedAccessToken): string | undefined {
  return TEXTS.get(validated);
}
