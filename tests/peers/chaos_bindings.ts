/**
 * The real bindings of a chaos Worker, asked one at a time so that the order of events comes from the seed alone.
 *
 * @module
 */
import type { Store } from "../../mod.ts";
import {
  type DurableObjectNamespaceLike,
  type DurableObjectStateLike,
  DurableObjectStore,
  TokenStoreObject,
} from "../../src/adapters/durable_object.ts";
import { type KvNamespaceLike, WorkersKvStore } from "../../src/adapters/workers_kv.ts";
import type { ChaosClock } from "./chaos_clock.ts";
import type { Place } from "./chaos_store.ts";
import type { Scene } from "./chaos_wire.ts";

/** The Worker's bindings. */
export interface Env {
  readonly KV: KvNamespaceLike;
  readonly OBJECTS: DurableObjectNamespaceLike;
}

/** Tells an object the time of the run. */
const TIME_HEADER = "x-chaos-now";

/** The adapter of a scene. */
export function adapterOf(scene: Scene, env: Env, place: Place): Store {
  const { clock } = place;
  return scene.store === "kv"
    ? new WorkersKvStore(oneAtATime(env.KV, place), { clock })
    : new DurableObjectStore(timed(env.OBJECTS, clock));
}

/** What a key had is kept beside it: a message that carries it would take longer than all the rest. */
function oneAtATime(kv: KvNamespaceLike, place: Place): KvNamespaceLike {
  const { clock, log } = place;
  return {
    getWithMetadata: (key, options) => clock.real(() => kv.getWithMetadata(key, options)),
    put: (key, value, options) =>
      clock.real(async () => {
        await kv.put(key, value, options);
        const copy = `past.${place.name()}`;
        await kv.put(copy, value, options);
        log({ what: "stored", key, copy });
      }),
    delete: (key) =>
      clock.real(async () => {
        await kv.delete(key);
        log({ what: "stored", key, copy: undefined });
      }),
  };
}

/** What was under a key before. */
export function readCopy({ KV }: Env, { clock }: Place, copy: string): Promise<string | null> {
  return clock.real(async () => (await KV.getWithMetadata(copy, { type: "text" })).value);
}

function timed(objects: DurableObjectNamespaceLike, clock: ChaosClock): DurableObjectNamespaceLike {
  return {
    idFromName: (name) => objects.idFromName(name),
    get: (id) => ({
      fetch: (url, init) =>
        clock.real(async () => {
          const headers = { [TIME_HEADER]: `${clock.now()}` };
          const response = await objects.get(id).fetch(url, { ...init, headers });
          return new Response(await response.text(), response);
        }),
    }),
  };
}

/** An object that takes the time from who asks it; its alarms never come, as the run is over long before. */
export class TimedStoreObject extends TokenStoreObject {
  readonly #time: { nowMs: number };

  constructor(state: DurableObjectStateLike, env: unknown) {
    const time = { nowMs: 0 };
    super(state, env, { now: () => time.nowMs, setTimeout: () => 0, clearTimeout: () => {} });
    this.#time = time;
  }

  override fetch(request: Request): Promise<Response> {
    this.#time.nowMs = Number(request.headers.get(TIME_HEADER));
    return super.fetch(request);
  }
}
