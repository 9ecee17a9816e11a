/** Workers KV, in workerd. */
import { type KvNamespaceLike, WorkersKvStore } from "../src/adapters/workers_kv.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { test, workersContext } from "./support/suite.ts";

testStoreContract("Workers KV", false, () => ({
  store: new WorkersKvStore(workersContext()!.env.KV as KvNamespaceLike),
}), { locks: false, test, options: { on: ["workerd", "workerd-nodejs"] }, largeBytes: 6_000_000 });
