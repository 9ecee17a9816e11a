/** The documented way to an unstorage, with its own drivers. */
import { assertEquals } from "@std/assert";
import { createStorage, type Driver } from "unstorage";
import fs from "unstorage/drivers/fs";
import fsLite from "unstorage/drivers/fs-lite";
import memory from "unstorage/drivers/memory";
import { keyValueStore } from "../../mod.ts";
import { testStoreContract } from "../support/store_contract.ts";
import { test } from "../support/suite.ts";

function open(driver: Driver, folder?: string) {
  const storage = createStorage({ driver });
  const store = keyValueStore({
    get: (key) => storage.getItem<string>(key),
    set: (key, text, ttl) => storage.setItem(key, text, { ttl }),
    delete: (key) => storage.removeItem(key),
  });
  const close = async () => {
    await storage.dispose();
    if (folder) await Deno.remove(folder, { recursive: true });
  };
  return { store, close, storage };
}

async function openFolder(driver: (options: { base: string }) => Driver) {
  const folder = await Deno.makeTempDir();
  return open(driver({ base: folder }), folder);
}

const traits = { locks: false, test };
testStoreContract("unstorage in memory", false, () => open(memory()), traits);
testStoreContract("unstorage in files", false, () => openFolder(fs), traits);
testStoreContract("unstorage in files, the lite way", false, () => openFolder(fsLite), traits);

test("unstorage: a value that expired and a value that was damaged are misses", async () => {
  const { store, storage, close } = open(memory());
  await store.set("key", "text", { expiresAtMs: Date.now() + 60_000 });
  for (const damaged of ["", "1", "{}", "=1 text"]) {
    await storage.setItem("key", damaged);
    const found = await store.get("key").catch((error) => error.code);
    // What unstorage takes for JSON is no text any more.
    assertEquals(found, ["1", "{}"].includes(damaged) ? "cache_read_failed" : undefined, damaged);
  }
  await close();
});
