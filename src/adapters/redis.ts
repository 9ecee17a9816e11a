/**
 * A store in Redis, or in what speaks like it (Valkey, KeyDB, Dragonfly, Upstash), through the client that is there.
 *
 * ```ts ignore
 * import { ConfidentialClientApplication, TokenCache } from "@msal-edge/msal";
 * import { RedisStore } from "@msal-edge/msal/cache/redis";
 * import { createClient } from "redis";
 *
 * const client = await createClient({ url: "rediss://cache.example.com" }).connect();
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: "the client secret's value",
 *   tokenCache: new TokenCache({ store: new RedisStore(client) }),
 * });
 * ```
 *
 * @module
 */

import { CacheError, nameOf, refuse } from "../errors/errors.ts";
import type { CacheErrorCode } from "../errors/error_codes.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import {
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
  type StoreLock,
} from "../store/store.ts";
import { type RedisClientLike, type RedisScript, scriptOf } from "./redis_client.ts";

export type { RedisClientLike, RedisCommand } from "./redis_client.ts";

/** How a {@linkcode RedisStore} keeps its values. */
export interface RedisStoreOptions {
  /** What every key begins with, so that the store can share its database. @default {""} */
  readonly prefix?: string | undefined;
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

// Every script answers with "=" and a text, or with "-": no client turns these into something else than text. They are
// short enough to be sent each time; Redis knows them again and compiles them once.
const GET = "local v=redis.call('GET',KEYS[1]) return v and '='..redis.sha1hex(v)..v or '-'";
const SET = "if ARGV[3]~='*' then local v=redis.call('GET',KEYS[1]) " +
  "if (v and redis.sha1hex(v) or '')~=ARGV[3] then return '-' end end " +
  "if ARGV[2]=='0' then redis.call('DEL',KEYS[1]) else redis.call('SET',KEYS[1],ARGV[1],'PX',ARGV[2]) end " +
  "return '='..redis.sha1hex(ARGV[1])";
const DELETE = "redis.call('DEL',KEYS[1]) return '='";
const LOCK = "return redis.call('SET',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) and '=' or '-'";
const UNLOCK = "if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('DEL',KEYS[1]) end return '='";

const VERSION = /^[0-9a-f]{40}$/;
/** What Redis may answer; the rest of its message could hold what was sent. */
const ANSWER =
  /\b(?:BUSY|CLUSTERDOWN|CROSSSLOT|LOADING|MASTERDOWN|MISCONF|MOVED|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|WRONGPASS|WRONGTYPE)\b/;

/**
 * A {@linkcode Store} with compare-and-set and locks in Redis.
 *
 * A value is the text itself at `prefix + key`, with Redis's own expiry, so that other programs can read it and write it.
 * Redis needs its scripts (`EVAL`), which it has had since 2.6; the user of an access list needs `+eval`, `+get`, `+set`
 * and `+del`.
 */
export class RedisStore implements Store {
  /** `set` honours `ifVersion`. */
  readonly cas = true;
  readonly #script: RedisScript;
  readonly #prefix: string;
  readonly #clock: Clock;

  /**
   * Makes a store.
   *
   * @param client A client, connected by the caller and the caller's to close.
   * @param options Its prefix and its clock.
   * @throws {ClientConfigurationError} `invalid_store`, `invalid_option`.
   */
  constructor(client: RedisClientLike, options: RedisStoreOptions = {}) {
    requireOptions(options);
    const { prefix = "", clock = systemClock } = options;
    if (typeof prefix !== "string") refuse("invalid_option", "prefix", "it must be text");
    this.#script = scriptOf(client);
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /**
   * Reads a value, whoever wrote it.
   *
   * @throws {CacheError} `cache_read_failed`.
   */
  async get(key: string): Promise<StoredValue | undefined> {
    const found = await this.#run("cache_read_failed", GET, key);
    if (found === undefined) return undefined;
    const version = requireVersion("cache_read_failed", found.slice(0, 40));
    return { value: found.slice(40), version };
  }

  /**
   * Writes a value; one that has expired already is not kept.
   *
   * A version is the SHA-1 of the text, so that a foreign writer, who knows no versions, counts as well. A text that was
   * replaced and comes back has its old version again: harmless, because whoever compares with it has seen that very text.
   * A deleted text has none, so no stale write brings it back.
   *
   * @throws {CacheError} `cache_write_failed`.
   */
  async set(key: string, value: string, { expiresAtMs, ifVersion }: SetOptions): Promise<SetResult> {
    if (typeof ifVersion === "string" && !VERSION.test(ifVersion)) return { ok: false };
    const lifeMs = wholeMs(expiresAtMs - this.#clock.now());
    const wanted = ifVersion === undefined ? "*" : ifVersion ?? "";
    const written = await this.#run("cache_write_failed", SET, key, value, lifeMs, wanted);
    if (written === undefined) return { ok: false };
    return { ok: true, version: requireVersion("cache_write_failed", written) };
  }

  /**
   * Forgets a value.
   *
   * @throws {CacheError} `cache_write_failed`.
   */
  async delete(key: string): Promise<void> {
    await this.#run("cache_write_failed", DELETE, key);
  }

  /**
   * Takes a lease, at the key with `:lock` after it.
   *
   * @throws {CacheError} `cache_lock_failed`.
   */
  async lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
    const name = `${key}:lock`;
    const holder = crypto.randomUUID();
    const taken = await this.#run("cache_lock_failed", LOCK, name, holder, wholeMs(Math.max(leaseMs, 1)));
    if (taken === undefined) return undefined;
    return { release: async () => void await this.#run("cache_lock_failed", UNLOCK, name, holder) };
  }

  /** Runs a script; `undefined` where it says no. */
  async #run(
    code: CacheErrorCode,
    script: string,
    key: string,
    ...args: string[]
  ): Promise<string | undefined> {
    let reply: unknown;
    try {
      reply = await this.#script(script, this.#prefix + key, args);
    } catch (error) {
      // Made anew, because clients put the command into their errors, and the value with it.
      throw failure(code, whyOf(error));
    }
    if (reply === "-") return undefined;
    if (typeof reply !== "string" || reply[0] !== "=") throw failure(code, "the client gave no text");
    return reply.slice(1);
  }
}

function wholeMs(ms: number): string {
  return `${Math.min(Math.max(Math.ceil(ms), 0), Number.MAX_SAFE_INTEGER)}`;
}

function requireVersion(code: CacheErrorCode, version: string): string {
  if (!VERSION.test(version)) throw failure(code, "the client gave another text");
  return version;
}

function failure(code: CacheErrorCode, why: string): CacheError {
  return new CacheError(
    code,
    `Cannot use Redis: ${why}. Check that the client is connected, its rights, and Redis's limits`,
  );
}

function whyOf(error: unknown): string {
  try {
    const [answer] = ANSWER.exec((error as Error).message) ?? [];
    if (answer !== undefined) return `it answered ${answer}`;
  } catch {
    // Even a message can throw.
  }
  return `the client threw ${nameOf(error)}`;
}
