/**
 * A store in the Cache API of Workers or Deno: for what the authority publishes, its keys and discovery documents.
 *
 * It costs nothing and needs no binding. On Workers each data centre has one of its own, and may forget anything at any time;
 * so it suits `httpCache`. Tokens are refused unless they are sealed.
 *
 * @example
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { CacheApiStore } from "@msal-edge/msal/cache/cache-api";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "00001111-aaaa-2222-bbbb-3333cccc4444",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: () => Promise.resolve("from a vault"),
 *   // A function, because Workers open no cache outside a request. Where there is `caches.default`, that serves too.
 *   httpCache: new CacheApiStore(() => caches.open("msal-edge")),
 * });
 * ```
 *
 * @module
 */

import { CacheError, refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import {
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
} from "../store/store.ts";

/** What this adapter asks of a cache. */
export interface CacheLike {
  /** Finds a response. */
  match(url: string): Promise<Response | undefined>;
  /** Keeps a response. */
  put(url: string, response: Response): Promise<void>;
  /** Forgets a response. */
  delete(url: string): Promise<boolean>;
}

/** A cache, or a function that gives one whenever it is used. */
export type CacheSource = CacheLike | (() => CacheLike | Promise<CacheLike>);

/** How a {@linkcode CacheApiStore} tells the time. */
export interface CacheApiStoreOptions {
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

/** No host can have this name, so no visitor and no `fetch` can ask the cache for what is below it. */
const ORIGIN = "https://msal-edge.invalid/";
/** A year: caches take no more. */
const MAX_AGE_SECONDS = 31_536_000;

/** A {@linkcode Store} in a Cache of the Cache API. */
export class CacheApiStore implements Store {
  /** The Cache API cannot compare: whoever writes last wins. */
  readonly cas = false;
  /** Whatever runs for the same site can read the cache. */
  readonly requiresSeal = true;
  readonly #source: CacheSource;
  readonly #clock: Clock;

  /**
   * Wraps a cache.
   *
   * @param cache `() => caches.open("...")`, or the cache itself.
   * @param options Its clock.
   * @throws {ClientConfigurationError} `invalid_store`, or `invalid_option`.
   */
  constructor(cache: CacheSource, options: CacheApiStoreOptions = {}) {
    requireOptions(options);
    if (typeof cache !== "function" && typeof cache?.put !== "function") {
      refuse("invalid_store", "cache", 'it is no cache. Pass () => caches.open("msal-edge")');
    }
    this.#source = cache;
    this.#clock = options.clock ?? systemClock;
  }

  /** Reads a value that has not expired. */
  async get(key: string): Promise<StoredValue | undefined> {
    const found = await (await this.#open()).match(await urlOf(key));
    const kept = found && parse(await found.text());
    // Caches differ in what they think of max-age, so the end is ours to see to.
    return kept && kept.expiresAtMs > this.#clock.now() ? { value: kept.value } : undefined;
  }

  /**
   * Writes a value.
   *
   * @param key The key.
   * @param value The text.
   * @param options When it expires, and what it is.
   * @throws {CacheError} `tokens_not_sealed`.
   */
  async set(key: string, value: string, { expiresAtMs, hints }: SetOptions): Promise<SetResult> {
    if (hints?.kind === "tokens" && hints.sealed !== true) {
      throw new CacheError(
        "tokens_not_sealed",
        "Cannot keep tokens in the Cache API: others can read there. Seal them by the seal option, or take another store",
      );
    }
    const seconds = Math.ceil((expiresAtMs - this.#clock.now()) / 1000);
    if (seconds > 0) await this.#put(key, value, expiresAtMs, Math.min(seconds, MAX_AGE_SECONDS));
    else await this.delete(key);
    return { ok: true };
  }

  /** Forgets a value, in this data centre. */
  async delete(key: string): Promise<void> {
    await (await this.#open()).delete(await urlOf(key));
  }

  async #put(key: string, value: string, expiresAtMs: number, seconds: number): Promise<void> {
    // JSON, because the text of a response loses a mark at its beginning; and it has no infinite numbers.
    const kept: Kept = { value, expiresAtMs: Math.min(expiresAtMs, Number.MAX_SAFE_INTEGER) };
    const headers = { "content-type": "application/json", "cache-control": `max-age=${seconds}` };
    await (await this.#open()).put(await urlOf(key), new Response(JSON.stringify(kept), { headers }));
  }

  async #open(): Promise<CacheLike> {
    return await (typeof this.#source === "function" ? this.#source() : this.#source);
  }
}

interface Kept {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** Reads what {@linkcode CacheApiStore.set} wrote; anything else is a miss. */
function parse(text: string): Kept | undefined {
  try {
    const kept = JSON.parse(text) as Kept;
    return typeof kept.value === "string" && typeof kept.expiresAtMs === "number" ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** A hash, because a key may have any characters, and addresses get logged. */
async function urlOf(key: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return ORIGIN + Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
