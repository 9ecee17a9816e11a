/**
 * What an authority said that is no token: throttling, errors, metadata.
 *
 * @module
 */

import { hmacSha256, lengthPrefixed } from "../crypto/digest.ts";
import type { Clock } from "../runtime/clock.ts";
import type { GuardedStore } from "../store/guarded_store.ts";

/** What the cache is made of. */
export interface HttpCacheOptions {
  /** Where the entries are kept. */
  readonly store: GuardedStore;
  /** Where the time is read. */
  readonly clock: Clock;
  /** Makes names that tell nothing and proves that an entry is ours: the client's secret where it has a static one. */
  readonly key: string;
  /** Whether an entry may be believed: the key is a secret, or nobody else can write to the store. */
  readonly trusted: boolean;
}

interface Entry {
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** JSON text. */
  readonly body: string;
  /** Proves that somebody with the key wrote the entry. */
  readonly mac: string;
}

/** Keeps JSON under hashed names, each entry with its own expiry and a proof of who wrote it. */
export class HttpCache {
  readonly #options: HttpCacheOptions;

  /**
   * Makes a cache over a store.
   *
   * @param options The store, the clock and the key.
   */
  constructor(options: HttpCacheOptions) {
    this.#options = options;
  }

  /** Whether what is read may be acted on even where it names endpoints or keys. */
  get trusted(): boolean {
    return this.#options.trusted;
  }

  /**
   * Names an entry by a keyed hash, so that a reader of the store learns neither scopes nor users.
   *
   * @param parts What makes the entry the one that it is.
   * @returns A store key.
   */
  async keyOf(parts: readonly string[]): Promise<string> {
    return `msal-edge.http.v1.${await hmacSha256(this.#options.key, lengthPrefixed(parts))}`;
  }

  /** Reads an entry that has not expired and that the key proves. */
  async read(key: string): Promise<unknown> {
    const stored = await this.#options.store.get(key);
    if (stored === undefined) return undefined;
    try {
      const { expiresAtMs, body, mac } = JSON.parse(stored.value) as Entry;
      if (!(expiresAtMs > this.#options.clock.now())) return undefined;
      return mac === await this.#mac(key, expiresAtMs, body) ? JSON.parse(body) : undefined;
    } catch {
      // Not ours, or not of this version: a miss.
      return undefined;
    }
  }

  /** Writes an entry. */
  async write(key: string, value: unknown, expiresAtMs: number): Promise<void> {
    const body = JSON.stringify(value);
    const entry: Entry = { expiresAtMs, body, mac: await this.#mac(key, expiresAtMs, body) };
    await this.#options.store.set(key, JSON.stringify(entry), { expiresAtMs, hints: { kind: "http" } });
  }

  /** Forgets an entry. */
  async delete(key: string): Promise<void> {
    await this.#options.store.delete(key);
  }

  #mac(key: string, expiresAtMs: number, body: string): Promise<string> {
    return hmacSha256(this.#options.key, lengthPrefixed([key, String(expiresAtMs), body]));
  }
}
