import { DenoKvStore } from "../src/adapters/deno_kv.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { test } from "./support/suite.ts";

const open = async () => {
  const kv = await Deno.openKv(":memory:");
  return { store: new DenoKvStore(kv), close: () => kv.close() };
};

testStoreContract("Deno KV in memory", true, open, { locks: true, test, options: { on: ["deno"] } });
