/** The adapter for Deno KV on a file, as a Deno process has it, through one connection and through two. */
import { assert, assertEquals } from "@std/assert";
import { DenoKvStore } from "../../src/adapters/deno_kv.ts";
import { testStoreContract } from "../support/store_contract.ts";
import { test } from "../support/suite.ts";

const later = () => ({ expiresAtMs: Date.now() + 3_600_000 });

async function openFile(connections: number) {
  const folder = await Deno.makeTempDir();
  const kvs: Deno.Kv[] = [];
  for (let n = 0; n < connections; n++) kvs.push(await Deno.openKv(`${folder}/kv.sqlite`));
  const stores = kvs.map((kv) => new DenoKvStore(kv));
  const close = async () => {
    for (const kv of kvs) kv.close();
    await Deno.remove(folder, { recursive: true });
  };
  return { kvs, store: stores[0]!, stores, close };
}

testStoreContract("Deno KV on a file", true, () => openFile(1), { locks: true, test });

async function withTwo(
  body: (one: DenoKvStore, two: DenoKvStore, kv: Deno.Kv) => Promise<void>,
): Promise<void> {
  const { stores, kvs, close } = await openFile(2);
  try {
    await body(stores[0]!, stores[1]!, kvs[0]!);
  } finally {
    await close();
  }
}

test("R-112 Deno KV: 200 additions through two connections to one file: none is lost", async () => {
  await withTwo(async (one, two) => {
    const add = async (store: DenoKvStore): Promise<void> => {
      for (;;) {
        const held = await store.get("key");
        const next = `${Number(held?.value ?? 0) + 1}`;
        if ((await store.set("key", next, { ...later(), ifVersion: held?.version ?? null })).ok) return;
      }
    };
    await Promise.all([one, one, two, two].map(async (store) => {
      for (let n = 0; n < 50; n++) await add(store);
    }));
    assertEquals((await one.get("key"))?.value, "200");
  });
});

test("R-126 Deno KV: large values of two writers are never mixed, and leave no part behind", async () => {
  await withTwo(async (one, two, kv) => {
    await one.set("key", "a".repeat(200_000), later());
    let writes = 0;
    const write = async (store: DenoKvStore, letter: string): Promise<void> => {
      for (let n = 1; n <= 20; n++, writes++) await store.set("key", letter.repeat(n * 15_000), later());
    };
    const read = async (store: DenoKvStore): Promise<void> => {
      while (writes < 40) {
        const { value } = await store.get("key") ?? {};
        assert(value === undefined || /^(?:a+|b+)$/.test(value), "it mixes two writes");
      }
    };
    await Promise.all([write(one, "a"), write(two, "b"), read(one), read(two)]);
    assert((await one.get("key"))?.value);
    await two.delete("key");
    for await (const { key } of kv.list({ prefix: [] })) assert(false, `${key.join("/")} is left`);
  });
});

test("Deno KV: of 40 through two connections who want a lease one gets it", async () => {
  await withTwo(async (one, two) => {
    const takers = Array.from({ length: 40 }, (_, n) => n % 2 ? one : two);
    const leases = await Promise.all(takers.map((store) => store.lock("key", 60_000)));
    assertEquals(leases.filter((lease) => lease !== undefined).length, 1);
  });
});

test("Deno KV: a file that is opened again has what was kept, and its versions", async () => {
  const folder = await Deno.makeTempDir();
  const first = await Deno.openKv(`${folder}/kv.sqlite`);
  const text = "é".repeat(100_000);
  const { version = "" } = await new DenoKvStore(first).set("key", text, later());
  first.close();
  const second = await Deno.openKv(`${folder}/kv.sqlite`);
  const store = new DenoKvStore(second);
  assertEquals(await store.get("key"), { value: text, version });
  assertEquals((await store.set("key", "b", { ...later(), ifVersion: version })).ok, true);
  second.close();
  await Deno.remove(folder, { recursive: true });
});
