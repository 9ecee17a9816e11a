import { MemoryStore } from "../mod.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { test } from "./support/suite.ts";

testStoreContract("memory", true, () => ({ store: new MemoryStore() }), { locks: true, test });
