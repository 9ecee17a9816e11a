/**
 * What a store keeps of sessions, sealed. A failing store is an error here: an outage is no sign-out.
 *
 * @module
 */

import { CacheError } from "../errors/errors.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { MemoryStore } from "../store/memory_store.ts";
import type { SealedTexts } from "./sealed_texts.ts";

/** A record, as it was found. */
export interface FoundRecord {
  /** What was written. */
  readonly value: unknown;
  /** Whether it was sealed with an older secret. */
  readonly isOld: boolean;
}

/** A place in the store. */
export interface FoundPlace {
  /** What is there; `undefined` for nothing, and for what is not ours. */
  readonly record: FoundRecord | undefined;
  /** The version to pass to {@linkcode SessionRecords.write}; `null` where there is nothing. */
  readonly version: string | null;
}

/** Reads and writes sealed records. */
export class SessionRecords {
  readonly #store: GuardedStore;
  readonly #texts: SealedTexts;
  readonly #memory: MemoryStore | undefined;

  /**
   * Joins the parts.
   *
   * @param store The store.
   * @param texts What seals.
   * @param memory The same store where it is this isolate's memory: that neither fails nor hangs, so no timer is set for it.
   */
  constructor(store: GuardedStore, texts: SealedTexts, memory?: MemoryStore) {
    this.#store = store;
    this.#texts = texts;
    this.#memory = memory;
  }

  /** Whether a write can be bound to what was read. */
  get cas(): boolean {
    return this.#store.cas;
  }

  /**
   * Reads a record: one read.
   *
   * @throws {CacheError} `cache_read_failed`.
   */
  async read(key: string): Promise<FoundPlace> {
    const guarded = (): ReturnType<GuardedStore["read"]> => this.#store.read(key);
    // Where somebody has made it fail after all, it is told of like any other.
    const stored = await (this.#memory?.get(key).catch(guarded) ?? guarded());
    if (stored === null) fail("cache_read_failed", "read");
    const record = stored && await this.#texts.open(stored.value, key);
    return { record, version: stored?.version ?? null };
  }

  /**
   * Writes a record.
   *
   * @param key The key.
   * @param value Plain JSON.
   * @param expiresAt When it may be forgotten, in epoch seconds.
   * @param version What must still be there, where the store can compare; whatever is there where absent.
   * @returns Whether it was written: not where somebody else was first.
   * @throws {CacheError} `cache_write_failed`.
   */
  async write(key: string, value: unknown, expiresAt: number, version?: string | null): Promise<boolean> {
    const written = await this.#store.set(key, await this.#texts.seal(value, key), {
      expiresAtMs: expiresAt * 1000,
      ...(this.cas && version !== undefined && { ifVersion: version }),
    });
    return written?.ok ?? fail("cache_write_failed", "write");
  }

  /** Deletes a record; tells whether the store did. */
  delete(key: string): Promise<boolean> {
    return this.#store.delete(key);
  }
}

/**
 * Says that the store failed.
 *
 * @param code What failed.
 * @param verb The same, in words.
 */
export function fail(code: "cache_read_failed" | "cache_write_failed", verb: string): never {
  const why = "the sessionStore failed. The event cache_failed says why; try again";
  throw new CacheError(code, `Cannot ${verb} the session: ${why}`);
}
