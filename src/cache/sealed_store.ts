/**
 * A store whose texts only the application can read and make.
 *
 * @module
 */

import { createSealer, type Sealer } from "../crypto/seal.ts";
import {
  type GetOptions,
  type PartitionHints,
  requireStore,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
} from "../store/store.ts";

/** What sealing puts before a text and its key, and between them: the header, the IV and the tag. */
const HEADER_CHARS = 11;
const EXTRA_BYTES = 28;

/** A user's suggested key is the user: it would say in clear what the sealed text and the hashed key keep back. */
function sealedHints(hints: PartitionHints): PartitionHints {
  const { suggestedKey, ...rest } = hints;
  return {
    ...rest,
    ...(rest.isApplicationCache && suggestedKey !== undefined && { suggestedKey }),
    sealed: true,
  };
}

/**
 * Seals what is kept in another store: AES-256-GCM, with a key of its own for every key of the store. For both caches.
 *
 * Whoever can read the store learns when something was written, and how long it is. What somebody else wrote or changed, or
 * moved to another key, is a miss with the event `cache_failed`, code `sealed_value_rejected`, and is written over; so is what
 * was there before sealing began. What was there under the same key earlier is not told from what was written last.
 *
 * To replace a secret pass the new one and the old one: the first seals, any opens, and whatever is written next is sealed
 * with the first. What nobody writes for 90 days has ended; only a public client's list of its users lives for a year.
 *
 * ```ts
 * import { MemoryStore, PublicClientApplication, SealedStore, TokenCache } from "@msal-edge/msal";
 *
 * const store = new SealedStore(new MemoryStore(), "7Yw2rM9kQx4vTnB6sHj3Lp8dZc5fGa1E");
 * const app = new PublicClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   tokenCache: new TokenCache({ store }),
 *   httpCache: store,
 * });
 * ```
 */
export class SealedStore implements Store {
  /** Whether `set` honours `ifVersion`: as in the store behind. */
  readonly cas: boolean;
  /** The most bytes of a value before it is sealed. */
  readonly maxValueBytes?: number;
  /** Nobody else can make a text that opens. */
  readonly isPrivate = true;
  /** It seals. */
  readonly requiresSeal = false;
  /** Takes a lease, where the store behind can. */
  readonly lock?: NonNullable<Store["lock"]>;
  readonly #store: Store;
  readonly #sealer: Sealer;

  /**
   * Wraps a store.
   *
   * @param store Where the sealed texts are kept.
   * @param seal At least 32 random bytes as text; or several such, of which the first seals and any opens.
   * @throws {ClientConfigurationError} `invalid_store`, or `invalid_option` for a secret that is missing, short or an example.
   */
  constructor(store: Store, seal: string | readonly string[]) {
    this.#store = requireStore(store, "store");
    this.#sealer = createSealer(seal, "store", "seal");
    this.cas = store.cas === true;
    const { maxValueBytes, lock } = store;
    if (maxValueBytes !== undefined) {
      this.maxValueBytes = Math.max(0, Math.floor((maxValueBytes - HEADER_CHARS) * 3 / 4) - EXTRA_BYTES);
    }
    if (typeof lock === "function") this.lock = (key, leaseMs) => lock.call(store, key, leaseMs);
  }

  /** Reads and opens a value; what does not open is empty and `rejected`, with the version to write over it. */
  async get(key: string, options?: GetOptions): Promise<StoredValue | undefined> {
    const found = await this.#store.get(key, options);
    const { value, version } = Object(found) as StoredValue;
    if (typeof value !== "string") return found;
    const text = await this.#sealer.open(value, key);
    return {
      value: text ?? "",
      ...(version !== undefined && { version }),
      ...(text === undefined && { rejected: true }),
    };
  }

  /** Seals and writes a value. */
  async set(key: string, value: string, options: SetOptions): Promise<SetResult> {
    const sealed = await this.#sealer.seal(value, key);
    const hints = options.hints && sealedHints(options.hints);
    return await this.#store.set(key, sealed, { ...options, ...(hints && { hints }) });
  }

  /** Forgets a value. */
  delete(key: string): Promise<void> {
    return this.#store.delete(key);
  }
}
