/**
 * A store in Deno KV: that of a Deno process (with `--unstable-kv`), of Deno Deploy, or a `Deno.Kv` of any other make.
 *
 * ```ts
 * import { ConfidentialClientApplication, TokenCache } from "@msal-edge/msal";
 * import { DenoKvStore } from "@msal-edge/msal/cache/deno-kv";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: "the client secret's value",
 *   tokenCache: new TokenCache({ store: new DenoKvStore(await Deno.openKv()) }),
 * });
 *
 * export async function token(): Promise<string> {
 *   const scopes = ["https://graph.microsoft.com/.default"];
 *   return (await app.acquireTokenForClient({ scopes })).accessToken;
 * }
 * ```
 *
 * @module
 */

import { CacheError, refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import {
  type GetOptions,
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
  type StoreLock,
} from "../store/store.ts";
import { whenUnlocked } from "./deno_kv_lock.ts";
import {
  type DenoKvHead,
  parseHead,
  parseVersion,
  PART_BYTES,
  PARTS,
  splitBytes,
  versionOf,
} from "./deno_kv_value.ts";

/** A key of Deno KV, as the store makes them. */
export type DenoKvKey = readonly (string | number)[];

/** What Deno KV finds under a key. */
export interface DenoKvEntry {
  /** The value, `null` where there is none. */
  readonly value: unknown;
  /** Grows with every commit of the database; `null` where there is no value. */
  readonly versionstamp: string | null;
}

/** Changes that Deno KV makes all at once, or not at all. */
export interface DenoKvAtomic {
  /** Makes the commit depend on a versionstamp. */
  check(check: { readonly key: DenoKvKey; readonly versionstamp: string | null }): DenoKvAtomic;
  /** Sets a value. */
  set(key: DenoKvKey, value: unknown, options?: { readonly expireIn?: number }): DenoKvAtomic;
  /** Deletes a value. */
  delete(key: DenoKvKey): DenoKvAtomic;
  /** Does it; `ok` is `false` where a check failed. */
  commit(): Promise<{ readonly ok: boolean; readonly versionstamp?: string }>;
}

/** The part of `Deno.Kv` that the store needs. */
export interface DenoKvLike {
  /** Reads a value. */
  get(key: DenoKvKey, options?: { readonly consistency?: "eventual" | "strong" }): Promise<DenoKvEntry>;
  /** Begins a commit. */
  atomic(): DenoKvAtomic;
}

/** How a {@linkcode DenoKvStore} keeps its values. */
export interface DenoKvStoreOptions {
  /** The first part of every key, so that the store can share its database. @default {"msal-edge"} */
  readonly prefix?: string | undefined;
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

/** Deno KV knows no end that is further away: 34 years. */
const MAX_LIFE_MS = 2 ** 40;
const ABSENT = { versionstamp: null, parts: 0 };
const ANYTHING = { versionstamp: undefined, parts: PARTS - 1 };

/** What a commit replaces: at which versionstamp, where that matters, and in how many parts beyond the head. */
interface Replaced {
  readonly versionstamp: string | null | undefined;
  readonly parts: number;
}

/**
 * A {@linkcode Store} with compare-and-set and locks in Deno KV.
 *
 * A value is at `[prefix, key]`; what is beyond Deno KV's 64 KiB is in numbered parts below that key, written and deleted
 * by the same commit. Reads are strongly consistent unless the caller asks otherwise.
 */
export class DenoKvStore implements Store {
  /** `set` honours `ifVersion`. */
  readonly cas = true;
  /** What fits into one commit of Deno KV. */
  readonly maxValueBytes: number = PARTS * PART_BYTES;
  readonly #kv: DenoKvLike;
  readonly #prefix: string;
  readonly #clock: Clock;

  /**
   * Makes a store.
   *
   * @param kv What `Deno.openKv()` gave; it stays the caller's to close.
   * @param options Its prefix and its clock.
   * @throws {ClientConfigurationError} `invalid_store`, `invalid_option`.
   */
  constructor(kv: DenoKvLike, options: DenoKvStoreOptions = {}) {
    requireOptions(options);
    const { prefix = "msal-edge", clock = systemClock } = options;
    if (typeof kv?.get !== "function" || typeof kv.atomic !== "function") {
      refuse("invalid_store", "kv", "it is no Deno.Kv. Pass await Deno.openKv()");
    }
    if (typeof prefix !== "string") refuse("invalid_option", "prefix", "it must be text");
    this.#kv = kv;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /** Reads a value that has not expired. */
  async get(key: string, options?: GetOptions): Promise<StoredValue | undefined> {
    let found = await this.#read(key, options?.consistency ?? "strong");
    // Between the reads somebody wrote, or a replica is behind: the second time at the source, and then never mind.
    if (found === null) found = await this.#read(key, "strong");
    return found ?? undefined;
  }

  /**
   * Writes a value; one that has expired already is not kept.
   *
   * @throws {CacheError} `value_too_large`.
   */
  async set(key: string, value: string, { expiresAtMs, ifVersion }: SetOptions): Promise<SetResult> {
    const bytes = new TextEncoder().encode(value);
    if (bytes.length > this.maxValueBytes) {
      const message =
        `Cannot write to Deno KV: a value may have ${this.maxValueBytes} bytes, not ${bytes.length}`;
      throw new CacheError("value_too_large", message);
    }
    const endMs = Math.min(Math.ceil(expiresAtMs), Number.MAX_SAFE_INTEGER);
    const commit = (replaced: Replaced): Promise<SetResult> => this.#commit(key, bytes, endMs, replaced);
    if (ifVersion === undefined) return await commit(ANYTHING);
    if (ifVersion !== null) {
      const replaced = parseVersion(ifVersion);
      return replaced && this.#isLive(replaced) ? await commit(replaced) : { ok: false };
    }
    const created = await commit(ABSENT);
    if (created.ok) return created;
    // What has expired, or is not ours, may still be there and counts as absent.
    const entry = await this.#get(this.#keyOf(key));
    const replaced = { ...ANYTHING, versionstamp: entry.versionstamp };
    return this.#isLive(parseHead(entry)) ? { ok: false } : await commit(replaced);
  }

  /** Forgets a value. */
  async delete(key: string): Promise<void> {
    await this.#commit(key, new Uint8Array(), 0, ANYTHING);
  }

  /** Takes a lease; its holder is known by the versionstamp of the commit that took it. */
  async lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
    const at = this.#keyOf(key, "lock");
    const expireIn = Math.ceil(leaseMs);
    const take = (versionstamp: string | null): ReturnType<DenoKvAtomic["commit"]> => {
      const endMs = this.#clock.now() + leaseMs;
      return this.#end(this.#kv.atomic().check({ key: at, versionstamp }).set(at, endMs, { expireIn }));
    };
    let taken = await take(null);
    if (!taken.ok) {
      const { value, versionstamp } = await this.#get(at);
      if (typeof value === "number" && value > this.#clock.now()) return undefined;
      taken = await take(versionstamp);
    }
    const { ok, versionstamp = "" } = taken;
    if (!ok) return undefined;
    return {
      release: async (): Promise<void> => {
        await this.#end(this.#kv.atomic().check({ key: at, versionstamp }).delete(at));
      },
    };
  }

  #keyOf(key: string, ...rest: DenoKvKey): DenoKvKey {
    return [this.#prefix, key, ...rest];
  }

  #get(key: DenoKvKey, consistency: "eventual" | "strong" = "strong"): Promise<DenoKvEntry> {
    return whenUnlocked(this.#clock, () => this.#kv.get(key, { consistency }));
  }

  #end(atomic: DenoKvAtomic): ReturnType<DenoKvAtomic["commit"]> {
    return whenUnlocked(this.#clock, () => atomic.commit());
  }

  #isLive(head: { readonly expiresAtMs: number } | undefined): head is DenoKvHead {
    return head !== undefined && head.expiresAtMs > this.#clock.now();
  }

  /** Gives `null` where a part is not of the same write as the head. */
  async #read(key: string, consistency: "eventual" | "strong"): Promise<StoredValue | undefined | null> {
    const head = parseHead(await this.#get(this.#keyOf(key), consistency));
    if (!this.#isLive(head)) return undefined;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let value = decoder.decode(head.bytes, { stream: head.parts > 0 });
    const read = (_: unknown, n: number): Promise<DenoKvEntry> => {
      return this.#get(this.#keyOf(key, n + 1), consistency);
    };
    const parts = await Promise.all(Array.from({ length: head.parts }, read));
    for (const part of parts) {
      // A commit gives one versionstamp to all that it writes.
      if (part.versionstamp !== head.versionstamp || !(part.value instanceof Uint8Array)) return null;
      value += decoder.decode(part.value, { stream: true });
    }
    return { value: value + decoder.decode(), version: versionOf(head) };
  }

  async #commit(key: string, bytes: Uint8Array, endMs: number, replaced: Replaced): Promise<SetResult> {
    const head = this.#keyOf(key);
    const lifeMs = endMs - this.#clock.now();
    const [first, ...parts] = lifeMs > 0 ? splitBytes(bytes) : [];
    // Best effort of Deno KV, which may be late; what counts is the time in the head.
    const options = { expireIn: Math.min(Math.ceil(lifeMs), MAX_LIFE_MS) };
    const { versionstamp } = replaced;
    let atomic = this.#kv.atomic();
    if (versionstamp !== undefined) atomic = atomic.check({ key: head, versionstamp });
    const value = { expiresAtMs: endMs, parts: parts.length, bytes: first };
    atomic = first ? atomic.set(head, value, options) : atomic.delete(head);
    for (const [n, part] of parts.entries()) atomic = atomic.set(this.#keyOf(key, n + 1), part, options);
    for (let n = parts.length; n < replaced.parts; n++) atomic = atomic.delete(this.#keyOf(key, n + 1));
    const { ok, versionstamp: written } = await this.#end(atomic);
    if (!ok || written === undefined) return { ok };
    return { ok, version: versionOf({ ...value, versionstamp: written }) };
  }
}
