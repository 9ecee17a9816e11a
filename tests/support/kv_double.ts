/**
 * A KV namespace that keeps to KV's limits and fails as it does, when a test says so.
 *
 * @module
 */
import type { KvGetOptions, KvNamespaceLike, KvPutOptions } from "../../src/adapters/workers_kv.ts";

/** What becomes of a write: it waits for a promise first, or fails. */
export type Fate = Error | Promise<unknown> | undefined;

/** A namespace in memory. */
export interface KvDouble extends KvNamespaceLike {
  /** What is in it. */
  readonly kept: Map<string, { value: unknown; metadata: unknown }>;
  /** The options of every read and write, and the names of every write: `put one`, `delete`. */
  readonly reads: KvGetOptions[];
  readonly puts: KvPutOptions[];
  readonly writes: string[];
  /** What becomes of the next writes, in order. */
  readonly fates: Fate[];
}

/** What KV says to a second write to a key within a second. */
export function tooMany(): Error {
  return new Error("KV PUT failed: 429 Too Many Requests");
}

/** Makes an empty namespace. */
export function kvDouble(): KvDouble {
  const kept: KvDouble["kept"] = new Map();
  const fates: Fate[] = [];
  const writes: string[] = [];
  const write = async (name: string, change: () => void): Promise<void> => {
    writes.push(name);
    const fate = fates.shift();
    if (fate instanceof Error) throw fate;
    await fate;
    change();
  };
  const double: KvDouble = {
    kept,
    reads: [],
    puts: [],
    writes,
    fates,
    getWithMetadata(key, options) {
      double.reads.push(options);
      if (options.cacheTtl !== undefined && options.cacheTtl < 30) throw new Error("KV GET failed: 400");
      const found = kept.get(key) ?? { value: null, metadata: null };
      return Promise.resolve(found as { value: string; metadata: unknown });
    },
    put(key, value, options) {
      double.puts.push(options);
      if (!(options.expirationTtl >= 60)) throw new Error("KV PUT failed: 400 Invalid expiration_ttl");
      // As KV does, which keeps JSON.
      const metadata = JSON.parse(JSON.stringify(options.metadata));
      return write(`put ${value}`, () => kept.set(key, { value, metadata }));
    },
    delete: (key) => write("delete", () => kept.delete(key)),
  };
  return double;
}
