/**
 * The Worker of `store_hits.ts`: fills its stores, and makes cold calls over them in batches.
 *
 * @module
 */
import type { Store } from "../mod.ts";
import { CacheApiStore } from "../src/adapters/cache_api.ts";
import { type DurableObjectNamespaceLike, DurableObjectStore } from "../src/adapters/durable_object.ts";
import { type KvNamespaceLike, WorkersKvStore } from "../src/adapters/workers_kv.ts";
import { coldHits, fillStore } from "./store_calls.ts";

export { TokenStoreObject } from "../src/adapters/durable_object.ts";

interface Env {
  readonly KV: KvNamespaceLike;
  readonly OBJECTS: DurableObjectNamespaceLike;
}

const stores: Readonly<Record<string, (env: Env) => Store>> = {
  kv: (env) => new WorkersKvStore(env.KV),
  objects: (env) => new DurableObjectStore(env.OBJECTS),
  cache: () => new CacheApiStore(() => caches.open("tokens")),
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [from, to, calls] = ["from", "to", "calls"].map((name) => Number(searchParams.get(name)));
    const store = stores[searchParams.get("store") ?? ""]!(env);
    if (pathname === "/calls") return Response.json(await coldHits(store, to!, calls!));
    await fillStore(store, from!, to!);
    return Response.json({});
  },
};
