/**
 * The token cache that an application can be given, to serialise, to share, or to keep in a store.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { requireBound, requireOptions, requireStore, type Store } from "../store/store.ts";
import { AppPartitions } from "./app_partitions.ts";
import { registerCache } from "./cache_core.ts";
import { readDocument, writeDocument } from "./msal_document.ts";
import type { Dialect } from "./msal_entry.ts";
import { SealedStore } from "./sealed_store.ts";
import { type Seen, SharedStore } from "./shared_store.ts";
import { TokenIndex } from "./token_index.ts";
import { contentOf, importUsers } from "./user_document.ts";
import { UserIndex } from "./user_index.ts";
import { UserList } from "./user_list.ts";
import { UserPartitions } from "./user_partitions.ts";

/** How a {@linkcode TokenCache} is made. */
export interface TokenCacheOptions {
  /**
   * Where tokens are kept between isolates; memory alone where absent. Whoever can read the store can use the tokens, unless
   * they are sealed.
   */
  readonly store?: Store | undefined;
  /**
   * Seals what is in the store, as {@linkcode SealedStore} does: at least 32 random bytes as text; or several such, of which
   * the first seals and any opens, so that they can be replaced. What is there and `undefined`, as a variable that nobody has
   * set, is refused.
   */
  readonly seal?: string | readonly string[];
  /**
   * For how long, in milliseconds, memory's token counts before the store is looked into once more, so that what another
   * isolate removed is gone here, too. Until the token's end where absent.
   */
  readonly maxStalenessMs?: number | undefined;
  /**
   * How new entries are written, so that other MSALs find them: as MSAL Python does; as MSAL Node does; or as MSAL Python
   * does, and app tokens a second time for MSAL Node, which does not find those. Entries of all are read, and keep their
   * spelling. @default {"python"}
   */
  readonly dialect?: "python" | "node" | "both" | undefined;
  /**
   * The keys in the store: hashed, so that they tell nothing; or as MSAL's own caches suggest them, so that a plug-in of
   * another MSAL shares the values: the home account id for a user, `<clientId>_<tenantId>_AppTokenCache` for app tokens.
   * Those keys tell who uses the application. @default {"hashed"}
   */
  readonly partitionNames?: "hashed" | "suggested" | undefined;
  /**
   * How much is kept in the memory of this isolate; what was not used lately is forgotten first. Access tokens count by
   * themselves, and so do users with everything else that is theirs: each may be as many.
   */
  readonly memory?: {
    /** The most access tokens, and the most users, each counted once for every client. @default {10000} */
    readonly maxEntries?: number | undefined;
    /** The most bytes, about, of access tokens, and of users. @default {33554432} */
    readonly maxBytes?: number | undefined;
  } | undefined;
}

function storeOf(options: TokenCacheOptions): Store | undefined {
  const { store, seal } = options;
  if ("get" in options) refuse("invalid_option", "tokenCache", "it is a store: pass { store }");
  // A variable that nobody has set must not mean that nothing is sealed.
  if (seal === undefined && "seal" in options) {
    refuse(
      "invalid_option",
      "tokenCache.seal",
      "it is undefined: check where it comes from, or leave it out",
    );
  }
  if (store === undefined) {
    return seal === undefined
      ? undefined
      : refuse("invalid_option", "tokenCache.seal", "there is no store: memory is not sealed");
  }
  const checked = requireStore(store, "tokenCache.store");
  if (seal !== undefined) return new SealedStore(checked, seal);
  return checked.requiresSeal
    ? refuse(
      "invalid_store",
      "tokenCache.store",
      "others can read it: pass seal, 32 random bytes as text, too",
    )
    : checked;
}

/**
 * Keeps tokens and accounts in memory, bounded, and behind that in a store, if there is one.
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
  readonly #held: UserIndex;
  readonly #store: Store | undefined;
  readonly #dialect: Dialect;
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
    const { memory = {}, maxStalenessMs, dialect = "python", partitionNames = "hashed" } = options;
    requireOptions(memory);
    this.#store = storeOf(options);
    const maxEntries = requireBound(memory.maxEntries, 10_000, "tokenCache.memory.maxEntries");
    const maxBytes = requireBound(memory.maxBytes, 32 * 2 ** 20, "tokenCache.memory.maxBytes");
    const stalenessMs = requireBound(maxStalenessMs, Infinity, "tokenCache.maxStalenessMs");
    const known = { dialect: ["python", "node", "both"], partitionNames: ["hashed", "suggested"] };
    for (const [option, values] of Object.entries(known)) {
      const value = { dialect, partitionNames }[option as keyof typeof known];
      if (values.includes(value)) continue;
      refuse("invalid_option", `tokenCache.${option}`, `it must be one of ${values.join(", ")}`);
    }
    this.#dialect = dialect;
    const Guard = partitionNames === "suggested" ? SharedStore : GuardedStore;
    const seen = new Map<string, Seen>();
    const index = this.#index = new TokenIndex(maxEntries, maxBytes, stalenessMs);
    const held = this.#held = new UserIndex(maxEntries, maxBytes);
    const onChange = (): void => void (this.#changed = true);
    registerCache(this, (clock, onFailure, listUsers = false) => {
      const guarded = this.#store && new Guard(this.#store, "tokenCache", clock, onFailure, seen);
      const list = guarded && listUsers ? new UserList(index, held, guarded, clock) : undefined;
      const users = new UserPartitions(index, held, guarded, list, onChange, dialect);
      return new AppPartitions(index, users, guarded, onChange, dialect);
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

  /** How many users are in memory, each counted once for every client, and once for a family of clients. */
  get users(): number {
    return this.#held.size;
  }

  /**
   * Writes the memory's content as MSAL's JSON, in the cache's dialect. The text holds tokens: keep it as you keep
   * secrets.
   *
   * @returns The JSON text.
   */
  serialize(): string {
    this.#changed = false;
    return writeDocument(
      { tokens: this.#index.tokens, ...contentOf(this.#held) },
      this.#sections,
      this.#dialect,
    );
  }

  /**
   * Replaces the memory's content by MSAL's JSON, as MSAL Python, MSAL Node or this library wrote it. Entries are judged by
   * what is in them, not by their keys; each keeps its key, its spelling and the members that are unknown here. Entries
   * that only others understand and sections of other kinds are kept and written again; what is no entry is left out.
   *
   * @param text The JSON text; empty or `undefined` empties the memory.
   * @throws {CacheError} `invalid_cache` where the text is no JSON object; the memory stays as it was.
   */
  deserialize(text: string | undefined): void {
    const document = readDocument(text ? text : "{}");
    this.#index.clear();
    this.#held.clear();
    for (const token of document.tokens) this.#index.put(token, Infinity);
    importUsers(document, this.#held);
    this.#sections = document.sections;
    this.#changed = false;
  }

  /** What logs may show: sizes, no tokens. */
  toJSON(): { size: number; users: number; hasStateChanged: boolean } {
    return { size: this.size, users: this.users, hasStateChanged: this.#changed };
  }
}
