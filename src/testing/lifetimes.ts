/**
 * How long a token lives, as an answer of the token endpoint says it.
 *
 * @module
 */
import type { Services } from "./exchange.ts";

/** How long an ID token lives, in seconds. */
export const ID_TOKEN_LIFETIME_SECONDS = 3600;
/** Entra names a refresh time only for tokens that live this long, in seconds. */
const LONG_LIVED_SECONDS = 7200;

function refreshIn({ refreshInSeconds, tokenLifetimeSeconds }: Services): number | undefined {
  if (refreshInSeconds !== undefined) return refreshInSeconds;
  return tokenLifetimeSeconds >= LONG_LIVED_SECONDS ? Math.floor(tokenLifetimeSeconds / 2) : undefined;
}

/** `expires_in`, `ext_expires_in` and perhaps `refresh_in`. */
export function lifetimesOf(services: Services): Record<string, number> {
  const expires_in = services.tokenLifetimeSeconds;
  const refresh_in = refreshIn(services);
  return { expires_in, ext_expires_in: expires_in, ...(refresh_in === undefined ? {} : { refresh_in }) };
}
