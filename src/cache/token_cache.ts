/**
 * The token cache that an application can be given, to serialise, to share, or to keep in a store.
 *
 * @module
 */

import { GuardedStore } from "../store/guarded_store.ts";
import { requireBound, requireOptions, requireStore, type Store } from "../store/store.ts";
import { AppPartitions } from "./app_partitions.ts";
import { registerCache } from "./cache_core.ts";
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

  /**
   * Makes an empty cache; nothing is read yet.
   *
   * @param options Its store and its bounds.
   * @throws {ClientConfigurationError} `invalid_store` or `invalid_option`.
   */
  constructor(options: TokenCacheOptions = {}) {
    requireOptions(options);
    const { store, memory = {} } = options;
    requireOptions(memory);
    this.#store = store === undefined ? undefined : requireStore(store, "tokenCache.store");
    this.#index = new TokenIndex(
      requireBound(memory.maxEntries, 10_000, "tokenCache.memory.maxEntries"),
      requireBound(memory.maxBytes, 32 * 2 ** 20, "tokenCache.memory.maxBytes"),
    );
    registerCache(this, (clock, onFailure) => {
      const guarded = this.#store && new GuardedStore(this.#store, "tokenCache", clock, onFailure);
      return new AppPartitions(this.#index, guarded, () => void (this.#changed = true));
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
