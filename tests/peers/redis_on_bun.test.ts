/** The adapter for Redis on a real server, through the client that Bun brings along. */
import { assert, assertEquals } from "@std/assert";
import { root } from "../support/bundle.ts";
import { peer } from "../support/peers.ts";
import { startRedis } from "./redis_server.ts";

peer("Redis").test("the contract of a store holds on Bun, with its own Redis client", async () => {
  await using server = await startRedis();
  const { stdout, code } = await new Deno.Command(`${root}node_modules/.bin/bun`, {
    args: ["run", `${root}tests/peers/redis_on_bun.ts`, server.url],
    cwd: root,
    stdin: "null",
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
  const failures = lines.filter(({ error }) => error !== undefined);
  assertEquals(failures, []);
  assert(lines.length > 20, `only ${lines.length} tests ran`);
  assertEquals(code, 0);
});
