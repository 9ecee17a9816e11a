/**
 * What an application needs of a cache, and how it gets at it.
 *
 * @module
 */

import type { CacheError } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { GetOptions } from "../store/store.ts";
import type { CachedToken } from "./cached_token.ts";
import type { TokenIndex } from "./token_index.ts";
import type { Turns } from "./turns.ts";
import type { UserCache } from "./user_cache.ts";

/** One client's app tokens for one tenant and one set of extra components. */
export interface AppPartition {
  /** The owner in the index. */
  readonly owner: string;
  /** The bucket in the index. */
  readonly bucket: string;
  /** The client id. */
  readonly clientId: string;
  /** The tenant. */
  readonly realm: string;
  /** The extra components, as tokens carry them. */
  readonly ext: string;
  /** Their hash. */
  readonly extHash: string;
  /** The token type; `Bearer` where absent. */
  readonly tokenType?: string | undefined;
  /** The key that the tokens are bound to. */
  readonly keyId?: string | undefined;
}

/** What an application needs of a cache. */
export interface CacheCore {
  /** The tokens in memory. */
  readonly index: TokenIndex;
  /** The users that signed in. */
  readonly users: UserCache;
  /** Whether there is a store behind the memory. */
  readonly stored: boolean;
  /** The turns that isolates take, where the store has locks. */
  readonly turns?: Turns | undefined;
  /** Brings what is known elsewhere of a partition into the memory: one read of the store, if there is one. */
  load(partition: AppPartition, key: string, nowMs: number, options?: GetOptions): Promise<void>;
  /** Notes that a token asked for at `asked` is new in memory, and writes it to the store, if there is one. */
  save(partition: AppPartition, token: CachedToken, asked: number, nowMs: number): Promise<void>;
  /** Forgets partitions; tells whether that changed the memory. */
  forget(partitions: readonly AppPartition[], changed: boolean): Promise<void>;
}

/** Opens a cache for an application's clock and observers; with `listUsers` its store keeps a list of the users. */
export type CacheOpener = (
  clock: Clock,
  onFailure: (error: CacheError) => void,
  listUsers?: boolean,
) => CacheCore;

// Weak, and no property of the cache: so no inspection of it shows tokens.
const OPENERS = new WeakMap<object, CacheOpener>();

/**
 * Lets applications open a cache.
 *
 * @param cache The public object.
 * @param open What opens it.
 */
export function registerCache(cache: object, open: CacheOpener): void {
  OPENERS.set(cache, open);
}

/**
 * What opens a cache.
 *
 * @param cache The public object.
 * @returns `undefined` where it is no cache of this library.
 */
export function openerOf(cache: object): CacheOpener | undefined {
  return OPENERS.get(cache);
}
