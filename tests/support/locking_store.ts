/**
 * A store with leases, and what a store holds beside the marks of removals.
 *
 * @module
 */
import { type Clock, MemoryStore, type StoreLock } from "../../mod.ts";
import { type CountingStore, countingStore } from "./stores.ts";

/** A counting store that has leases, which count too. */
export interface LockingStore extends CountingStore {
  lock(key: string, leaseMs: number): Promise<StoreLock | undefined>;
  /** Each lease that somebody asked for: its key, how long it was to last, and whether it was given. */
  readonly leases: { readonly key: string; readonly leaseMs: number; readonly isTaken: boolean }[];
  /** How many operations there were since the last time this was asked, as `get`, `set`, `delete`, `lock`, `release`. */
  count(): Record<string, number>;
}

/** Wraps a {@linkcode countingStore} with the leases of a {@linkcode MemoryStore}. */
export function lockingStore(clock: Clock, cas = true): LockingStore {
  const store = countingStore(clock, cas);
  const locks = new MemoryStore({ clock });
  const leases: { key: string; leaseMs: number; isTaken: boolean }[] = [];
  return Object.assign(store, {
    leases,
    async lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
      store.calls.push(`lock ${key}`);
      const lock = await locks.lock(key, leaseMs);
      leases.push({ key, leaseMs, isTaken: lock !== undefined });
      return lock && {
        release: () => {
          store.calls.push(`release ${key}`);
          return lock.release();
        },
      };
    },
    count(): Record<string, number> {
      const count: Record<string, number> = {};
      for (const call of store.calls.splice(0)) {
        const [name = ""] = call.split(" ");
        count[name] = (count[name] ?? 0) + 1;
      }
      return count;
    },
  });
}

/** How many values of a store are more than the mark of a removal. */
export function partitionsIn(store: CountingStore): number {
  return [...store.values.values()].filter((text) => !text.startsWith('{"MsalEdgeRemoved":')).length;
}
