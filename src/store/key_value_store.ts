/**
 * A store over anything that keeps text.
 *
 * @module
 */

import { CacheError, refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { SetOptions, SetResult, Store, StoredValue } from "./store.ts";

/** What keeps text under keys. */
export interface KeyValueLike {
  /** Gives the text of a key, nothing where there is none. */
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** Keeps a text, for so many seconds at least, 60 or more; to forget it then is welcome, but not needed. */
  set(key: string, text: string, ttlSeconds: number): unknown;
  /** Forgets a text. */
  delete(key: string): unknown;
}

/** Keys that every engine takes as they are: as file names, in URLs, in any letter case. */
const PLAIN_KEY = /^[\w-]+(?:\.[\w-]+)*$/;
/** Of a file name. */
const MAX_KEY_LENGTH = 200;

/**
 * Makes a {@linkcode Store} of anything that keeps text, such as an `unstorage`:
 *
 * ```ts
 * import { keyValueStore, type Store } from "@msal-edge/msal";
 * import { createStorage } from "unstorage";
 *
 * const storage = createStorage();
 *
 * export const store: Store = keyValueStore({
 *   get: (key) => storage.getItem<string>(key),
 *   set: (key, text, ttl) => storage.setItem(key, text, { ttl }),
 *   delete: (key) => storage.removeItem(key),
 * });
 * ```
 *
 * The exact end is kept with the text, so engines that forget late, or never, are right as well. There is neither
 * compare-and-set nor a lock: prefer the adapters of `./cache/` where there is one.
 *
 * @param engine What keeps the text.
 * @param clock Where the time is read.
 * @returns The store. Its methods reject with what the engine throws.
 * @throws {ClientConfigurationError} `invalid_store` where a method is missing.
 */
export function keyValueStore(engine: KeyValueLike, clock: Clock = systemClock): Store {
  if ((["get", "set", "delete"] as const).some((name) => typeof engine?.[name] !== "function")) {
    refuse("invalid_store", "engine", "it must have get, set and delete");
  }
  return {
    cas: false,
    async get(key: string): Promise<StoredValue | undefined> {
      const kept: unknown = await engine.get(await nameOf(key)) ?? undefined;
      if (kept === undefined) return undefined;
      if (typeof kept !== "string") {
        throw new CacheError("cache_read_failed", "get() of the engine gave no text");
      }
      const [head, endMs] = /^=(\d{1,16}) /.exec(kept) ?? [];
      return head !== undefined && Number(endMs) > clock.now()
        ? { value: kept.slice(head.length) }
        : undefined;
    },
    async set(key: string, value: string, { expiresAtMs }: SetOptions): Promise<SetResult> {
      const lifeMs = expiresAtMs - clock.now();
      const name = await nameOf(key);
      // Begins with what no parser takes for JSON, because some engines give back what they can parse.
      const endMs = Math.min(Math.ceil(expiresAtMs), Number.MAX_SAFE_INTEGER);
      if (lifeMs > 0) await engine.set(name, `=${endMs} ${value}`, Math.max(60, Math.ceil(lifeMs / 1000)));
      else await engine.delete(name);
      return { ok: true };
    },
    async delete(key: string): Promise<void> {
      await engine.delete(await nameOf(key));
    },
  };
}

async function nameOf(key: string): Promise<string> {
  if (key.length <= MAX_KEY_LENGTH && PLAIN_KEY.test(key)) return key;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return `~${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
