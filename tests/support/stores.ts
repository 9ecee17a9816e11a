/**
 * Stores that count, conflict, break or hang.
 *
 * @module
 */
import { type Clock, MemoryStore, type SetOptions, type SetResult, type Store } from "../../mod.ts";

/** A store that notes every operation. */
export interface CountingStore extends Store {
  /** Each operation so far: its name, a space and its key. */
  readonly calls: string[];
  /** Every value, by key, as it was last set. */
  readonly values: Map<string, string>;
  /** The options of every write. */
  readonly writes: { key: string; options: SetOptions }[];
  /** How many operations of each name there were since the last time this was asked. */
  take(): { get: number; set: number; delete: number };
  /** Called before each write is made, so that somebody else can write first. */
  beforeSet?: ((key: string) => Promise<void>) | undefined;
}

/** Wraps a {@linkcode MemoryStore} so that what is done to it can be counted. */
export function countingStore(clock: Clock, cas = true): CountingStore {
  const inner = new MemoryStore({ clock });
  const calls: string[] = [];
  const store: CountingStore = {
    cas,
    calls,
    values: new Map(),
    writes: [],
    get: (key) => {
      calls.push(`get ${key}`);
      return inner.get(key);
    },
    async set(key, value, options): Promise<SetResult> {
      calls.push(`set ${key}`);
      await store.beforeSet?.(key);
      store.writes.push({ key, options });
      const { ifVersion: _, ...rest } = options;
      const result = await inner.set(key, value, cas ? options : rest);
      if (result.ok && options.expiresAtMs > clock.now()) store.values.set(key, value);
      else if (result.ok) store.values.delete(key);
      return result;
    },
    async delete(key) {
      calls.push(`delete ${key}`);
      store.values.delete(key);
      await inner.delete(key);
    },
    take() {
      const names = calls.splice(0).map((call) => call.split(" ")[0]);
      const count = (name: string) => names.filter((one) => one === name).length;
      return { get: count("get"), set: count("set"), delete: count("delete") };
    },
  };
  return store;
}

/** A store of which some operations do what a test says. */
export function faultyStore(fault: () => never | Promise<never>, over: Partial<Store> = {}): Store {
  return { cas: false, get: () => fault(), set: () => fault(), delete: () => fault(), ...over };
}
