/** The client of the Durable Objects, against objects that fail. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CacheError, ClientConfigurationError } from "../mod.ts";
import { type DurableObjectNamespaceLike, DurableObjectStore } from "../src/adapters/durable_object.ts";
import { test } from "./support/suite.ts";

type Reply = () => Response | Promise<Response>;

function scene(replies: Reply[] = [], options: { objectNameOf?: (key: string) => string } = {}) {
  const names: unknown[] = [];
  const bodies: Record<string, unknown>[] = [];
  const namespace: DurableObjectNamespaceLike = {
    idFromName: (name) => ({ name }),
    get: (id) => {
      let used = false;
      return {
        fetch: async (_url, init) => {
          if (used) throw new Error("a stub serves once");
          used = true;
          names.push((id as { name: string }).name);
          bodies.push(JSON.parse(init.body as string));
          return await (replies.shift() ?? (() => Response.json({ ok: true })))();
        },
      };
    },
  };
  return { names, bodies, store: new DurableObjectStore(namespace, options) };
}

function failing(members: object): Reply {
  return () => Promise.reject(Object.assign(new Error("a secret text was reset"), members));
}

const OPERATIONS: Readonly<Record<string, (store: DurableObjectStore) => Promise<unknown>>> = {
  cache_read_failed: (store) => store.get("a secret key"),
  cache_write_failed: (store) => store.set("a secret key", "a secret text", { expiresAtMs: Infinity }),
  cache_lock_failed: (store) => store.lock("a secret key", 1_000),
};

test("an object that answers with an error is a rejection that tells no secret", async () => {
  for (const [code, operation] of Object.entries(OPERATIONS)) {
    for (const status of [400, 404, 429, 500, 503]) {
      let cancelled = false;
      const body = new ReadableStream({ cancel: () => void (cancelled = true) });
      const { store } = scene([() => new Response(body, { status })]);
      const error = await assertRejects(() => operation(store), CacheError);
      assertEquals<unknown>([error.code, cancelled], [code, true]);
      assert(
        error.message.includes(`${status}`) && !/secret/.test(`${error.stack} ${JSON.stringify(error)}`),
      );
    }
  }
});

test("an answer that is no JSON is a rejection, and one that says nothing is a miss", async () => {
  for (const operation of Object.values(OPERATIONS)) {
    await assertRejects(() => operation(scene([() => new Response("<html>")]).store));
  }
  for (const answer of [null, 1, "x", [], {}, { value: 1 }, { ok: "true", value: null }]) {
    assertEquals(await scene([() => Response.json(answer)]).store.get("k"), undefined);
    assertEquals(await scene([() => Response.json(answer)]).store.lock("k", 1_000), undefined);
  }
});

test("a failure that Workers call retryable is tried once more, with another stub", async () => {
  const retryable = failing({ retryable: true });
  const once = scene([retryable]);
  assertEquals((await once.store.set("k", "v", { expiresAtMs: 1 })).ok, true);
  assertEquals(once.names, ["k", "k"]);
  const twice = scene([retryable, retryable]);
  await assertRejects(() => twice.store.get("k"), CacheError, "The Durable Object threw Error. Is its class");
  assertEquals(twice.names.length, 2);
});

test("any other failure is not tried again", async () => {
  const faults = [failing({}), failing({ overloaded: true }), failing({ retryable: "true" }), () => {
    throw new TypeError("at once");
  }];
  for (const fault of [...faults, () => Promise.reject(null)]) {
    const { store, names } = scene([fault]);
    assertEquals((await Promise.allSettled([store.get("k")]))[0]!.status, "rejected");
    assertEquals(names.length, 1);
  }
});

test("a lease keeps its name when it is asked for again, so that it is not lost to itself", async () => {
  const { store, bodies } = scene([failing({ retryable: true })]);
  const lease = await store.lock("k", 1_000);
  await lease?.release();
  const [first, second, third] = bodies;
  assertEquals(first, second!);
  assertEquals([third!.op, third!.id], ["release", first!.id]);
});

test("each key has its own object, unless an option says which", async () => {
  const plain = scene();
  await Promise.all([plain.store.get("a"), plain.store.lock("b", 1_000), plain.store.delete("c")]);
  assertEquals(plain.names, ["a", "b", "c"]);
  const sharded = scene([], { objectNameOf: (key) => `shard ${key.length % 2}` });
  await Promise.all([sharded.store.get("a"), sharded.store.delete("bb")]);
  assertEquals(sharded.names, ["shard 1", "shard 0"]);
});

test("ends that are no times do not reach the object", async () => {
  for (
    const [expiresAtMs, sent] of [[NaN, 0], [-1, 0], [-Infinity, 0], [Infinity, Number.MAX_SAFE_INTEGER], [
      7,
      7,
    ]]
  ) {
    const { store, bodies } = scene();
    await store.set("k", "v", { expiresAtMs: expiresAtMs! });
    assertEquals(bodies[0]!.expiresAtMs, sent);
  }
});

test("what is no namespace is refused, by name", () => {
  for (const namespace of [undefined, null, {}, "TOKENS", new Map()]) {
    const make = () => new DurableObjectStore(namespace as unknown as DurableObjectNamespaceLike);
    assertEquals(assertThrows(make, ClientConfigurationError).code, "invalid_store");
  }
  assertThrows(() => scene([], { objectNameOf: "all" as never }), ClientConfigurationError);
  assertThrows(() => scene([], null as never), ClientConfigurationError);
});
