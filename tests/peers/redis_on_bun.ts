/**
 * The contract of a store on Bun, with its own Redis client: prints a line of JSON for each test.
 *
 * @module
 */
import { RedisStore } from "../../src/adapters/redis.ts";
import { testStoreContract } from "../support/store_contract.ts";
import type { Body } from "../support/suite.ts";

interface BunRedis {
  send(command: string, args: string[]): Promise<unknown>;
  close(): void;
}

const { Bun } = globalThis as unknown as {
  readonly Bun: { readonly argv: string[]; readonly RedisClient: new (url: string) => BunRedis };
};

const [, , url = ""] = Bun.argv;
const tests: [string, Body][] = [];

testStoreContract("Redis through Bun's client", true, () => {
  const client = new Bun.RedisClient(url);
  return { store: new RedisStore(client), close: () => client.close() };
}, { locks: true, test: (name, body) => tests.push([name, body]) });

tests.push(["Redis through Bun's client: a key of another type is a failure by its name", async () => {
  const client = new Bun.RedisClient(url);
  await client.send("LPUSH", ["a list", "secret"]);
  const error = await new RedisStore(client).get("a list").catch((error) => error);
  client.close();
  if (!/it answered WRONGTYPE\./.test(error?.message)) throw new Error(`it gave ${error}`);
}]);

for (const [name, body] of tests) {
  let error: string | undefined;
  try {
    await body();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.stack ?? thrown.message : `${thrown}`;
  }
  console.log(JSON.stringify({ name, error }));
}
