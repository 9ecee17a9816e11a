/**
 * The token cache that an application is given, or makes for itself.
 *
 * @module
 */

import { ClientConfigurationError } from "../errors/errors.ts";
import { requireStore, type Store } from "../store/store.ts";
import { readDocument, writeDocument } from "./msal_document.ts";
import { TokenIndex } from "./token_index.ts";

/** How a {@linkcode TokenCache} is made. */
export interface TokenCacheOptions {
  /** Where tokens are kept between isolates; memory alone where absent. Whoever can read the store can use the tokens. */
  readonly store?: Store | undefined;
  /** How much is kept in the memory of this isolate; what was not used lately is forgotten first. */
  readonly memory?: {
    /** The most tokens. @default {10000} */
    readonly maxEntries?: number | undefined;
    /** The most bytes, about. @default {33554432} */
    readonly maxBytes?: number | undefined;
  } | undefined;
}

/** What a cache holds; for the library's own use. */
export interface CacheCore {
  /** The tokens in memory. */
  readonly index: TokenIndex;
  /** The store behind them. */
  readonly store: Store | undefined;
  /** Notes that `serialize` would give something new. */
  changed(): void;
}

let coreOf: (cache: TokenCache) => CacheCore;

function bound(value: number | undefined, fallback: number, option: string): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ClientConfigurationError(
    "invalid_option",
    option,
    `Cannot use ${option}: it must be a whole number from 1`,
  );
}

/**
 * Keeps access tokens in memory, bounded, and behind that in a store, if there is one.
 *
 * ```ts
 * import { ConfidentialClientApplication, TokenCache } from "@msal-edge/msal";
 *
 * const tokenCache = new TokenCache({ memory: { maxEntries: 500 } });
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: "a secret's value",
 *   tokenCache,
 * });
 * ```
 */
export class TokenCache {
  readonly #index: TokenIndex;
  readonly #store: Store | undefined;
  #sections: ReadonlyMap<string, unknown> = new Map();
  #changed = false;

  static {
    coreOf = (cache) => ({
      index: cache.#index,
      store: cache.#store,
      changed: () => void (cache.#changed = true),
    });
  }

  /**
   * Makes an empty cache; nothing is read yet.
   *
   * @param options Its store and its bounds.
   * @throws {ClientConfigurationError} `invalid_store` or `invalid_option`.
   */
  constructor(options: TokenCacheOptions = {}) {
    const { store, memory = {} } = options;
    this.#store = store === undefined ? undefined : requireStore(store, "tokenCache.store");
    this.#index = new TokenIndex({
      maxEntries: bound(memory.maxEntries, 10_000, "tokenCache.memory.maxEntries"),
      maxBytes: bound(memory.maxBytes, 32 * 1024 * 1024, "tokenCache.memory.maxBytes"),
    });
  }

  /** Whether something was added or removed since the last `serialize` or `deserialize`. */
  get hasStateChanged(): boolean {
    return this.#changed;
  }

  /** How many access tokens are in memory. */
  get size(): number {
    return this.#index.size;
  }

  /**
   * Writes the memory's content as MSAL's JSON, which MSAL Python reads. The text holds tokens: keep it as you keep
   * secrets.
   *
   * @returns The JSON text.
   */
  serialize(): string {
    this.#changed = false;
    return writeDocument(this.#index.tokens, this.#sections);
  }

  /**
   * Replaces the memory's content by MSAL's JSON, as MSAL Python, MSAL Node or this library wrote it. Entries that
   * cannot be used are left out, each by itself; sections of other kinds are kept and written again.
   *
   * @param text The JSON text; empty or `undefined` empties the memory.
   * @throws {CacheError} `invalid_cache` where the text is no JSON object; the memory stays as it was.
   */
  deserialize(text: string | undefined): void {
    const { tokens, sections } = readDocument(text ? text : "{}");
    this.#index.clear();
    for (const token of tokens) this.#index.put(token, Infinity);
    this.#sections = sections;
    this.#changed = false;
  }

  /** What logs may show: sizes, no tokens. */
  toJSON(): { size: number; hasStateChanged: boolean } {
    return { size: this.size, hasStateChanged: this.#changed };
  }
}

/**
 * Opens a cache to the library's own code.
 *
 * @param cache The cache.
 * @returns What it holds.
 */
export function openCache(cache: TokenCache): CacheCore {
  return coreOf(cache);
}
