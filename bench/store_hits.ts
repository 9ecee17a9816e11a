/**
 * What a cold silent hit costs over each store: the first call of an isolate for a user who signed in elsewhere; beside MSAL
 * Node with a cache plug-in, which keeps all users in one value.
 *
 * @module
 */
import { ConfidentialClientApplication as MsalNodeClient } from "@azure/msal-node";
import { Miniflare } from "miniflare";
import { createClient } from "redis";
import { MemoryStore, type Store, TokenCache } from "../mod.ts";
import { type DenoKvLike, DenoKvStore } from "../src/adapters/deno_kv.ts";
import { RedisStore } from "../src/adapters/redis.ts";
import { openerOf } from "../src/cache/cache_core.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { bundleTests } from "../tests/support/bundle.ts";
import { peer } from "../tests/support/peers.ts";
import { startRedis } from "../tests/peers/redis_server.ts";
import {
  AUTHORITY,
  CLIENT_ID,
  coldHits,
  fillStore,
  homeId,
  SCOPES,
  type StoreTraffic,
  TENANT,
  tokensOf,
} from "./store_calls.ts";
import { median, noNetwork } from "./timing.ts";

/** What one call costs over one store, for one number of accounts in it. */
export interface StoreCost extends StoreTraffic {
  readonly accounts: number;
  /** Nanoseconds, the median of the rounds. */
  readonly time: number;
}

/** A party of the comparison. */
export interface StoreCosts {
  readonly name: string;
  readonly costs: readonly StoreCost[];
}

/** Makes calls, and says what they cost the store. */
type Batch = (accounts: number, calls: number) => Promise<StoreTraffic>;

/** Signs more users in, up to a number. */
type Fill = (from: number, to: number) => Promise<void>;

interface Party {
  readonly name: string;
  readonly fill: Fill;
  readonly batch: Batch;
  /** How many calls a round has. */
  readonly calls: (accounts: number) => number;
}

const ROUNDS = 5;

async function measure({ name, fill, batch, calls }: Party, sizes: readonly number[]): Promise<StoreCosts> {
  const costs: StoreCost[] = [];
  let filled = 0;
  for (const accounts of sizes) {
    await fill(filled, accounts);
    filled = accounts;
    const count = calls(accounts);
    await batch(accounts, Math.min(count, 20));
    const times: number[] = [];
    let traffic: StoreTraffic = { reads: 0, bytes: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      traffic = await batch(accounts, count);
      const middle = performance.now();
      // What the way to a Worker and back takes is no part of a call.
      await batch(accounts, 0);
      times.push((2 * middle - start - performance.now()) / count * 1e6);
    }
    costs.push({ accounts, time: median(times), reads: traffic.reads / count, bytes: traffic.bytes / count });
  }
  return { name, costs };
}

function inProcess(name: string, store: Store): Party {
  return {
    name,
    fill: (from, to) => fillStore(store, from, to),
    batch: (accounts, calls) => coldHits(store, accounts, calls),
    calls: () => 200,
  };
}

/** MSAL Node's plug-in as its documentation has it: the whole cache is one value. */
function msalNode(name: string, store: Store): Party {
  const key = "msal-node";
  let cache = new TokenCache({ memory: { maxEntries: 10_000, maxBytes: 2 ** 28 } });
  const batch: Batch = async (accounts, calls) => {
    const traffic = { reads: 0, bytes: 0 };
    const cachePlugin = {
      async beforeCacheAccess(context: { tokenCache: { deserialize(text: string): void } }) {
        const text = (await store.get(key))?.value ?? "";
        traffic.reads++;
        traffic.bytes += text.length;
        context.tokenCache.deserialize(text);
      },
      async afterCacheAccess(context: { cacheHasChanged: boolean; tokenCache: { serialize(): string } }) {
        if (context.cacheHasChanged) await store.set(key, context.tokenCache.serialize(), forever);
      },
    };
    for (let call = 0; call < calls; call++) {
      const index = (call * 7) % accounts;
      const client = new MsalNodeClient({
        auth: { clientId: CLIENT_ID, authority: AUTHORITY, clientSecret: "not-used" },
        cache: { cachePlugin },
        system: { networkClient: { sendGetRequestAsync: noNetwork, sendPostRequestAsync: noNetwork } },
      });
      const account = {
        homeAccountId: homeId(index),
        environment: "login.microsoftonline.com",
        tenantId: TENANT,
        username: `user${index}@contoso.example`,
        localAccountId: homeId(index).split(".")[0]!,
      };
      const hit = await client.acquireTokenSilent({ scopes: SCOPES, account });
      if (!hit.fromCache) throw new Error("MSAL Node did not serve its cache");
    }
    return traffic;
  };
  const fill: Fill = async (from, to) => {
    if (from === 0) cache = new TokenCache({ memory: { maxEntries: 10_000, maxBytes: 2 ** 28 } });
    const { users } = openerOf(cache)!(systemClock, () => {});
    for (let index = from; index < to; index++) await users.save(tokensOf(index), users.removals, Date.now());
    await store.set(key, cache.serialize(), forever);
  };
  return { name, fill, batch, calls: (accounts) => accounts > 100 ? 4 : 40 };
}

const forever = { expiresAtMs: Date.now() + 86_400_000 };

async function workerParties(): Promise<{ parties: Party[]; close(): Promise<void> }> {
  const entry = './bench/store_worker.ts"';
  const contents = await bundleTests([], `export * from "${entry}; export { default } from "${entry};`, {
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
  });
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate: "2026-07-01",
    kvNamespaces: ["KV"],
    durableObjects: { OBJECTS: { className: "TokenStoreObject", useSQLite: true } },
    cf: false,
  });
  const { origin } = await miniflare.ready;
  const ask = async (path: string): Promise<StoreTraffic> => {
    const response = await fetch(origin + path);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${text}`);
    return JSON.parse(text);
  };
  const party = (name: string, store: string): Party => ({
    name,
    fill: async (from, to) => {
      // In pieces: a request of a Worker may not go on for ever.
      for (let at = from; at < to; at += 50) {
        await ask(`/fill?store=${store}&from=${at}&to=${Math.min(at + 50, to)}`);
      }
    },
    batch: (accounts, calls) => ask(`/calls?store=${store}&to=${accounts}&calls=${calls}`),
    calls: () => 50,
  });
  return {
    parties: [
      party("Workers KV", "kv"),
      party("Durable Objects", "objects"),
      party("Cache API of Workers, sealed", "cache"),
    ],
    close: () => miniflare.dispose(),
  };
}

/** Deno's own types have what the adapter asks for where `--unstable-kv` is on. */
async function openKv(path: string): Promise<DenoKvLike & { close(): void }> {
  const { openKv } = Deno as unknown as { openKv(path: string): Promise<DenoKvLike & { close(): void }> };
  return await openKv(path);
}

/**
 * Measures every store that is here.
 *
 * @param sizes How many accounts are in it.
 */
export async function measureStores(sizes: readonly number[]): Promise<StoreCosts[]> {
  const memory = { maxEntries: 10_000, maxBytes: 2 ** 28 };
  const results: StoreCosts[] = [];
  const run = async (party: Party): Promise<void> => {
    console.error(`measuring ${party.name} ...`);
    results.push(await measure(party, sizes));
  };
  await run(inProcess("memory", new MemoryStore(memory)));
  const folder = await Deno.makeTempDir();
  for (
    const [name, path] of [["Deno KV in memory", ":memory:"], ["Deno KV in a file", `${folder}/kv`]] as const
  ) {
    const kv = await openKv(path);
    await run(inProcess(name, new DenoKvStore(kv)));
    kv.close();
  }
  await Deno.remove(folder, { recursive: true });
  const worker = await workerParties();
  for (const party of worker.parties) await run(party);
  await worker.close();
  if (peer("Redis").found) {
    await using server = await startRedis();
    const client = await createClient({ url: server.url }).connect();
    const store = new RedisStore(client);
    await run(inProcess("Redis", store));
    await run(msalNode("@azure/msal-node, its plug-in over Redis", store));
    client.destroy();
  }
  await run(msalNode("@azure/msal-node, its plug-in over memory", new MemoryStore(memory)));
  return results;
}
