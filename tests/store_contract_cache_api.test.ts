/** The Cache API, in workerd and on Deno. */
import { CacheApiStore } from "../src/adapters/cache_api.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { test } from "./support/suite.ts";

testStoreContract("Cache API", false, () => ({
  store: new CacheApiStore(() => caches.open("store-contract")),
}), { locks: false, test, options: { on: ["deno", "workerd", "workerd-nodejs"] } });

testStoreContract("caches.default", false, () => ({
  store: new CacheApiStore((caches as unknown as { default: Cache }).default),
}), { locks: false, test, options: { on: ["workerd", "workerd-nodejs"] } });
