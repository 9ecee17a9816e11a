/** Durable Objects with SQLite storage, in workerd. */
import { type DurableObjectNamespaceLike, DurableObjectStore } from "../src/adapters/durable_object.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { test, workersContext } from "./support/suite.ts";

const traits = {
  locks: true,
  test,
  options: { on: ["workerd", "workerd-nodejs"] },
  largeBytes: 1_800_000,
} as const;

function namespace(): DurableObjectNamespaceLike {
  return workersContext()!.env.TOKENS as DurableObjectNamespaceLike;
}

testStoreContract("Durable Object for each key", true, () => ({
  store: new DurableObjectStore(namespace()),
}), traits);

testStoreContract("one Durable Object", true, () => ({
  store: new DurableObjectStore(namespace(), { objectNameOf: () => "all" }),
}), traits);
