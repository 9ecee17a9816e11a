/**
 * Discovery documents and key sets in the `httpCache` store, believed only if this application wrote them.
 *
 * @module
 */

import { hmacSha256, lengthPrefixed } from "../crypto/digest.ts";
import { sameText } from "../crypto/same_text.ts";
import type { Clock } from "../runtime/clock.ts";
import type { GuardedStore } from "../store/guarded_store.ts";

/** How long a document is kept. */
const KEPT_MS = 86_400_000;
/** By how much the clocks of two isolates may differ. */
const SKEW_MS = 300_000;
/** Longer documents are neither written nor believed. */
const MAX_CHARS = 2 ** 18;

/** A document from the store. */
export interface KeptDocument {
  /** When it was downloaded, in milliseconds since the epoch. */
  readonly fetchedAtMs: number;
  /** Its JSON text. */
  readonly text: string;
}

/**
 * Keeps documents in a store that others may write to. Each is sealed with a MAC over its URL, its time and its text. A
 * client without a static secret has no key that its other isolates know and nobody else: it keeps documents in memory alone,
 * unless nobody else can write to the store. The MAC then only tells one client's documents from another's.
 */
export class DocumentCache {
  readonly #store: GuardedStore;
  readonly #clock: Clock;
  /** What the MAC's key is made of; `undefined` where nothing in the store can be believed. */
  readonly #secret: string | undefined;
  #key: string | undefined;

  /**
   * Makes a cache over a store; nothing is read yet.
   *
   * @param store Where documents are kept.
   * @param clock Where the time is read.
   * @param secret The client's static secret, if it has one.
   * @param clientId Takes the secret's place in a store of the application's own.
   */
  constructor(store: GuardedStore, clock: Clock, secret: string | undefined, clientId: string) {
    this.#store = store;
    this.#clock = clock;
    this.#secret = secret ?? (store.isPrivate ? clientId : undefined);
  }

  /**
   * Reads a document.
   *
   * @param url Where the document is from.
   * @returns The document, not older than a day; `undefined` for anything that this application did not write.
   */
  async get(url: string): Promise<KeptDocument | undefined> {
    if (this.#secret === undefined) return undefined;
    const stored = await this.#store.get(await this.#nameOf(url), { consistency: "eventual" });
    if (stored === undefined || stored.value.length > 2 * MAX_CHARS) return undefined;
    try {
      const { mac, fetchedAtMs, text } = JSON.parse(stored.value) as KeptDocument & { mac: string };
      const expected = await this.#tag([url, `${fetchedAtMs}`, text]);
      const ageMs = this.#clock.now() - fetchedAtMs;
      const ours = await sameText(mac, expected);
      // Its text would be signed as well as the number, and count as another.
      const isNumber = typeof fetchedAtMs === "number";
      return isNumber && ours && ageMs < KEPT_MS && ageMs > -SKEW_MS ? { fetchedAtMs, text } : undefined;
    } catch {
      // Not ours, or not of this version: a miss.
      return undefined;
    }
  }

  /**
   * Keeps a document for a day.
   *
   * @param url Where the document is from.
   * @param text Its JSON text.
   */
  async set(url: string, text: string): Promise<void> {
    if (this.#secret === undefined || text.length > MAX_CHARS) return;
    const fetchedAtMs = this.#clock.now();
    const mac = await this.#tag([url, `${fetchedAtMs}`, text]);
    await this.#store.set(await this.#nameOf(url), JSON.stringify({ mac, fetchedAtMs, text }), {
      expiresAtMs: fetchedAtMs + KEPT_MS,
      hints: { kind: "http" },
    });
  }

  /** Keyed, so that applications with other keys do not overwrite each other's documents. */
  async #nameOf(url: string): Promise<string> {
    return `msal-edge.document.v1.${await this.#tag([url])}`;
  }

  async #tag(parts: readonly string[]): Promise<string> {
    // A key of its own: the names of throttled requests are made with the secret itself.
    this.#key ??= await hmacSha256(this.#secret ?? "", "document");
    return await hmacSha256(this.#key, lengthPrefixed(parts));
  }
}
