/**
 * An access token as the cache knows it.
 *
 * @module
 */

/** Where an entry was read from, so that it is written back under its own key and in its own spelling. */
export interface EntryOrigin {
  /** The entry's key. */
  readonly key: string;
  /** The entry, unknown members included. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** What the two take in memory. */
  readonly bytes: number;
  /** Where else the same was found; it goes when this is written, unless it is written for another reader. */
  readonly twins?: readonly EntryOrigin[];
}

/** A cached access token. Times are epoch seconds; absent texts are empty. */
export interface CachedToken {
  /** The authority's host as it was configured. */
  readonly environment: string;
  /** The client id, in its own case. */
  readonly clientId: string;
  /** The tenant. */
  readonly realm: string;
  /** The user's home account; empty for an app token. */
  readonly homeAccountId: string;
  /** The scopes granted. */
  readonly scopes: readonly string[];
  /**
   * The scope key that was asked for, where the scopes granted do not cover it. It is then the token's identity: other
   * questions may be answered with the same scopes and another audience.
   */
  readonly question?: string | undefined;
  /** The token type. */
  readonly tokenType: string;
  /** The id of the key that the token is bound to. */
  readonly keyId: string;
  /** Extra components: `=` and their text where it is known, `#` and its hash where only that is. */
  readonly ext: string;
  /** The hash of the extra components. */
  readonly extHash: string;
  /** The token. */
  readonly secret: string;
  /** When it was asked for. */
  readonly cachedAt: number;
  /** When it ends. */
  readonly expiresOn: number;
  /** Until when it may serve in an outage, if that is later. */
  readonly extendedExpiresOn?: number | undefined;
  /** When a new one should be asked for. */
  readonly refreshOn?: number | undefined;
  /** The entry it was read from: its key and spelling are kept. */
  readonly origin?: EntryOrigin | undefined;
}

/**
 * Joins extra components as MSAL Python and MSAL Go do before hashing.
 *
 * @param components The components by name; empty ones do not count.
 * @returns Name and value of each, sorted by name, each preceded by its length in UTF-8 bytes; empty for none.
 */
export function extendedKeyText(components: Readonly<Record<string, unknown>>): string {
  return Object.keys(components).sort()
    .filter((name) => components[name])
    .flatMap((name) => [name, components[name]])
    .map((part) => `${new TextEncoder().encode(`${part}`).length}:${part}`)
    .join("");
}
