/**
 * What an authority said that is no token: throttling, errors, metadata.
 *
 * @module
 */

import { hmacSha256, lengthPrefixed, sha256 } from "../crypto/digest.ts";
import type { Clock } from "../runtime/clock.ts";
import type { GuardedStore } from "../store/guarded_store.ts";

/** Keeps JSON under hashed names, each entry with its own expiry and a proof of who wrote it. */
export class HttpCache {
  readonly #store: GuardedStore;
  readonly #clock: Clock;
  readonly #key: string;
  /** Whether what is read may be acted on even where it names endpoints or keys. */
  readonly trusted: boolean;

  /**
   * Makes a cache over a store.
   *
   * @param store Where the entries are kept.
   * @param clock Where the time is read.
   * @param key Makes names that tell nothing, and proves that an entry is ours: the client's secret, if it is static.
   * @param trusted Whether the key is a secret, or nobody else can write to the store.
   */
  constructor(store: GuardedStore, clock: Clock, key: string, trusted: boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#key = key;
    this.trusted = trusted;
  }

  /**
   * Names an entry by a keyed hash, so that a reader of the store learns neither scopes nor users.
   *
   * @param parts What makes the entry the one that it is.
   * @returns A store key.
   */
  async keyOf(parts: readonly string[]): Promise<string> {
    return `msal-edge.http.v1.${await hmacSha256(this.#key, lengthPrefixed(parts))}`;
  }

  /** Reads an entry that has not expired and that the key proves. */
  async read(key: string): Promise<unknown> {
    const stored = await this.#store.get(key);
    try {
      const [untilMs, body, mac] = JSON.parse(stored?.value ?? "[]") as [number, string, string];
      if (!(untilMs > this.#clock.now())) return undefined;
      // Digests are compared, so that the time taken tells nothing of the proof.
      const proved = await sha256(mac) === await sha256(await this.#mac(key, untilMs, body));
      return proved ? JSON.parse(body) : undefined;
    } catch {
      // Not ours, or not of this version: a miss.
      return undefined;
    }
  }

  /** Writes an entry. */
  async write(key: string, value: unknown, expiresAtMs: number): Promise<void> {
    const body = JSON.stringify(value);
    const entry = [expiresAtMs, body, await this.#mac(key, expiresAtMs, body)];
    await this.#store.set(key, JSON.stringify(entry), { expiresAtMs, hints: { kind: "http" } });
  }

  #mac(key: string, untilMs: number, body: string): Promise<string> {
    return hmacSha256(this.#key, lengthPrefixed([key, `${untilMs}`, body]));
  }
}
