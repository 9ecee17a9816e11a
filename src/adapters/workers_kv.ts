/**
 * A store in Workers KV: shared by all isolates, read fast everywhere, and a minute behind.
 *
 * KV cannot compare and set, and has no locks: two isolates that write at once are both believed for a while, and a value that
 * was deleted can be read elsewhere for about a minute. Where an authority replaces refresh tokens at each use, take
 * `./cache/durable-object` instead.
 *
 * @example With `"kv_namespaces": [{ "binding": "TOKENS", "id": "..." }]` in `wrangler.jsonc`:
 * ```ts
 * import { ConfidentialClientApplication, perEnv, TokenCache } from "@msal-edge/msal";
 * import { type KvNamespaceLike, WorkersKvStore } from "@msal-edge/msal/cache/workers-kv";
 *
 * interface Env {
 *   TOKENS: KvNamespaceLike;
 *   CLIENT_SECRET: string;
 * }
 *
 * const appOf = perEnv((env: Env) => {
 *   const store = new WorkersKvStore(env.TOKENS);
 *   return new ConfidentialClientApplication({
 *     clientId: "00001111-aaaa-2222-bbbb-3333cccc4444",
 *     authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *     clientCredential: env.CLIENT_SECRET,
 *     tokenCache: new TokenCache({ store }),
 *     httpCache: store,
 *   });
 * });
 *
 * export default {
 *   async fetch(_request: Request, env: Env): Promise<Response> {
 *     const scopes = ["https://graph.microsoft.com/.default"];
 *     const { expiresOn } = await appOf(env).acquireTokenForClient({ scopes });
 *     return Response.json({ expiresOn });
 *   },
 * };
 * ```
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import {
  type GetOptions,
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
} from "../store/store.ts";
import { LatestWrites } from "./latest_writes.ts";

/** How {@linkcode KvNamespaceLike.getWithMetadata} is asked. */
export interface KvGetOptions {
  /** Values are texts. */
  readonly type: "text";
  /** For how many seconds this place may answer from what it read before. */
  readonly cacheTtl?: number;
}

/** What goes with a value in {@linkcode KvNamespaceLike.put}. */
export interface KvPutOptions {
  /** After how many seconds KV forgets the value. */
  readonly expirationTtl: number;
  /** The exact end. */
  readonly metadata: { readonly expiresAtMs: number };
}

/** What this adapter asks of a KV namespace. */
export interface KvNamespaceLike {
  /** Reads a value with its metadata. */
  getWithMetadata(key: string, options: KvGetOptions): Promise<{ value: string | null; metadata: unknown }>;
  /** Writes a value. */
  put(key: string, value: string, options: KvPutOptions): Promise<void>;
  /** Forgets a value. */
  delete(key: string): Promise<void>;
}

/** How a {@linkcode WorkersKvStore} reads and writes. */
export interface WorkersKvStoreOptions {
  /**
   * For how many seconds a place may answer from what it read before, at least 30; KV's own default is 60. A read that asks for
   * `"strong"` consistency leaves it out.
   */
  readonly cacheTtl?: number | undefined;
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

/** KV refuses a shorter life; the exact end is in the metadata. */
const MIN_TTL_SECONDS = 60;
/** Ten years: ends that are no dates would be refused. */
const MAX_TTL_SECONDS = 315_360_000;
const MIN_CACHE_TTL_SECONDS = 30;

/**
 * A {@linkcode Store} in a Workers KV namespace.
 *
 * The value in KV is the text itself, so that other programs can read it; the exact end stands in the metadata
 * (`{ "expiresAtMs": 1767225600000 }`). A value without it, written by somebody else, counts until KV forgets it.
 *
 * KV takes one write a second for each key. Writes to one key that meet in an isolate become one, of the newest text, and one
 * that KV refuses is tried again after a second.
 */
export class WorkersKvStore implements Store {
  /** KV cannot compare: whoever writes last wins. */
  readonly cas = false;
  /** The limit of KV, 25 MiB. */
  readonly maxValueBytes: number = 25 * 2 ** 20;
  readonly #namespace: KvNamespaceLike;
  readonly #cacheTtl: number | undefined;
  readonly #clock: Clock;
  readonly #writes: LatestWrites;

  /**
   * Wraps a namespace.
   *
   * @param namespace The binding, such as `env.TOKENS`.
   * @param options How it is read.
   * @throws {ClientConfigurationError} `invalid_store`, or `invalid_option`.
   */
  constructor(namespace: KvNamespaceLike, options: WorkersKvStoreOptions = {}) {
    requireOptions(options);
    if (typeof namespace?.getWithMetadata !== "function") {
      refuse("invalid_store", "namespace", "it is no KV namespace. Pass the binding, such as env.TOKENS");
    }
    const { cacheTtl, clock = systemClock } = options;
    if (cacheTtl !== undefined && !(Number.isInteger(cacheTtl) && cacheTtl >= MIN_CACHE_TTL_SECONDS)) {
      refuse(
        "invalid_option",
        "cacheTtl",
        `it must be a whole number of seconds, from ${MIN_CACHE_TTL_SECONDS}`,
      );
    }
    this.#namespace = namespace;
    this.#cacheTtl = cacheTtl;
    this.#clock = clock;
    this.#writes = new LatestWrites(clock);
  }

  /** Reads a value that has not expired; it may be a minute old. */
  async get(key: string, options?: GetOptions): Promise<StoredValue | undefined> {
    const cacheTtl = options?.consistency === "strong" ? undefined : this.#cacheTtl;
    const { value, metadata } = await this.#namespace.getWithMetadata(key, {
      type: "text",
      ...(cacheTtl !== undefined && { cacheTtl }),
    });
    const { expiresAtMs } = Object(metadata) as { expiresAtMs?: unknown };
    const ended = typeof expiresAtMs === "number" && expiresAtMs <= this.#clock.now();
    return typeof value === "string" && !ended ? { value } : undefined;
  }

  /** Writes a value, or a newer one that came meanwhile. */
  async set(key: string, value: string, { expiresAtMs }: SetOptions): Promise<SetResult> {
    await this.#writes.run(key, async () => {
      const lifeMs = expiresAtMs - this.#clock.now();
      if (!(lifeMs > 0)) return await this.#namespace.delete(key);
      const seconds = Math.min(Math.max(Math.ceil(lifeMs / 1000), MIN_TTL_SECONDS), MAX_TTL_SECONDS);
      await this.#namespace.put(key, value, { expirationTtl: seconds, metadata: { expiresAtMs } });
    });
    return { ok: true };
  }

  /** Forgets a value, unless a newer one came meanwhile. */
  async delete(key: string): Promise<void> {
    await this.#writes.run(key, () => this.#namespace.delete(key));
  }
}
