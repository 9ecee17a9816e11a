/** The adapter for Redis on a real server, through the clients that programs on Deno and Node have. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { CacheError } from "../../mod.ts";
import { type RedisClientLike, RedisStore } from "../../src/adapters/redis.ts";
import { peer } from "../support/peers.ts";
import { testStoreContract } from "../support/store_contract.ts";
import type { Body } from "../support/suite.ts";
import { type RedisServer, startRedis } from "./redis_server.ts";

const { test } = peer("Redis");
const HOUR_MS = 3_600_000;
const SECRET = "eyJ0-very-secret-token";
const later = () => ({ expiresAtMs: Date.now() + HOUR_MS });

type NodeRedis = ReturnType<typeof clientOf>;

function clientOf(url: string) {
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: false } });
  // Else a lost connection would be an uncaught error.
  client.on("error", () => {});
  return client;
}

/** A store on a server of its own, with a client to look behind it. */
async function withStore(
  body: (store: RedisStore, client: NodeRedis, server: RedisServer) => Promise<void>,
  settings: string[] = [],
): Promise<void> {
  await using server = await startRedis(...settings);
  const client = clientOf(server.url);
  await client.connect();
  try {
    await body(new RedisStore(client), client, server);
  } finally {
    if (client.isOpen) client.destroy();
  }
}

type Connect = (server: RedisServer) => Promise<[RedisClientLike, () => unknown]>;

/** Registers the contract as one test, because a server for each case would take a minute. */
function testContract(name: string, connect: Connect): void {
  const cases: [string, Body][] = [];
  let server: RedisServer | undefined;
  const open = async () => {
    const [client, close] = await connect(server!);
    return { store: new RedisStore(client, { prefix: "contract:" }), close: async () => void await close() };
  };
  testStoreContract(name, true, open, { locks: true, test: (what, body) => void cases.push([what, body]) });
  test(`the contract of a store holds in ${name}`, async () => {
    await using own = await startRedis();
    server = own;
    const failures: string[] = [];
    for (const [what, body] of cases) {
      await Promise.resolve(body()).catch((error) => failures.push(`${what}: ${error}`));
    }
    assertEquals(failures, []);
    assert(cases.length > 15);
  });
}

for (const RESP of [2, 3] as const) {
  testContract(`Redis through node-redis, RESP ${RESP}`, async ({ url }) => {
    const client = await createClient({ url, RESP }).connect();
    return [client, () => client.destroy()];
  });
}
testContract("Redis through ioredis", ({ port }) => {
  const client = new Redis(port, "127.0.0.1");
  const ended = new Promise((resolve) => client.once("end", resolve));
  return Promise.resolve([client, () => (client.disconnect(), ended)]);
});
testContract("Redis through an object with eval", async ({ url }) => {
  const client = await createClient({ url }).connect();
  const evaluate = (script: string, keys: string[], args: string[]) => {
    return client.eval(script, { keys, arguments: args });
  };
  return [{ eval: evaluate }, () => client.destroy()];
});

test("Redis: what another program set is read as it is, and counts as a version", async () => {
  await withStore(async (store, client) => {
    const json = '{"AccessToken":{},"RefreshToken":{"ä€😀":1}}';
    await client.set("uid.utid", json);
    const { value, version = "" } = await store.get("uid.utid") ?? {};
    assertEquals(value, json);
    assertEquals((await store.set("uid.utid", "ours", { ...later(), ifVersion: null })).ok, false);
    assertEquals((await store.set("uid.utid", "ours", { ...later(), ifVersion: version })).ok, true);
    assertEquals(await client.get("uid.utid"), "ours");
    const { version: ours = "" } = await store.get("uid.utid") ?? {};
    await client.set("uid.utid", "theirs");
    assertEquals((await store.set("uid.utid", "lost", { ...later(), ifVersion: ours })).ok, false);
    assertEquals(await client.get("uid.utid"), "theirs");
  });
});

test("Redis: bytes that are no UTF-8 can be read and replaced", async () => {
  await withStore(async (store, client) => {
    await client.sendCommand(["EVAL", "redis.call('SET',KEYS[1],'\\255\\195(')", "1", "key"]);
    const { version = "" } = await store.get("key") ?? {};
    assertEquals((await store.set("key", "text", { ...later(), ifVersion: version })).ok, true);
    assertEquals((await store.get("key"))?.value, "text");
  });
});

test("Redis: the server itself forgets a value at its end", async () => {
  await withStore(async (store, client) => {
    await client.set("key", "without an end");
    await store.set("key", "text", { expiresAtMs: Date.now() + HOUR_MS });
    const left = await client.pTTL("key");
    assert(left > HOUR_MS - 60_000 && left <= HOUR_MS, `${left} ms`);
    await store.lock("key", 5000);
    assert(await client.pTTL("key:lock") <= 5000);
    await store.set("key", "late", { expiresAtMs: Date.now() });
    assertEquals(await client.keys("*"), ["key:lock"]);
  });
});

test("R-112 Redis: a text that comes back has its old version, but a removed one has none", async () => {
  await withStore(async (store) => {
    const { version: a = "" } = await store.set("key", "a", later());
    const { version: b = "" } = await store.set("key", "b", { ...later(), ifVersion: a });
    assertEquals((await store.set("key", "a", { ...later(), ifVersion: b })).version, a);
    assertEquals((await store.set("key", "c", { ...later(), ifVersion: a })).ok, true);
    const { version: c = "" } = await store.get("key") ?? {};
    await store.delete("key");
    assertEquals((await store.set("key", "back", { ...later(), ifVersion: c })).ok, false);
    assertEquals(await store.get("key"), undefined);
  });
});

test("R-112 Redis: 200 additions through four connections: none is lost", async () => {
  await withStore(async (store, _, { url }) => {
    await Promise.all(Array.from({ length: 4 }, async () => {
      const client = await clientOf(url).connect();
      const own = new RedisStore(client);
      for (let n = 0; n < 50;) {
        const held = await own.get("key");
        const next = `${Number(held?.value ?? 0) + 1}`;
        if ((await own.set("key", next, { ...later(), ifVersion: held?.version ?? null })).ok) n++;
      }
      client.destroy();
    }));
    assertEquals((await store.get("key"))?.value, "200");
  });
});

async function assertFails(use: () => Promise<unknown>, code: string, why: RegExp): Promise<void> {
  const error = await assertRejects(use, CacheError);
  assertEquals(error.code, code);
  assert(why.test(error.message), error.message);
  assert(!Deno.inspect(error).includes(SECRET) && error.cause === undefined, "it shows the value");
}

test("R-128 Redis: a key of another type is a failure by its name, until it is overwritten", async () => {
  await withStore(async (store, client) => {
    await client.lPush("key", SECRET);
    await assertFails(() => store.get("key"), "cache_read_failed", /WRONGTYPE/);
    const create = () => store.set("key", SECRET, { ...later(), ifVersion: null });
    await assertFails(create, "cache_write_failed", /WRONGTYPE/);
    await store.set("key", "text", later());
    assertEquals((await store.get("key"))?.value, "text");
  });
});

test("R-128 Redis: a server that wants a password is a failure by its name", async () => {
  await withStore(async (store, client) => {
    await client.sendCommand(["CONFIG", "SET", "requirepass", SECRET]);
    await client.sendCommand(["RESET"]).catch(() => {});
    await assertFails(() => store.get("key"), "cache_read_failed", /NOAUTH/);
    await assertFails(() => store.set("key", SECRET, later()), "cache_write_failed", /NOAUTH/);
    await assertFails(async () => await store.lock("key", 1000), "cache_lock_failed", /NOAUTH/);
  });
});

test("R-128 Redis: a full server is a failure by its name, and reads go on", async () => {
  await withStore(async (store, client) => {
    await store.set("key", "text", later());
    await client.sendCommand(["CONFIG", "SET", "maxmemory", "1"]);
    await assertFails(() => store.set("key", SECRET, later()), "cache_write_failed", /OOM/);
    assertEquals((await store.get("key"))?.value, "text");
    await store.delete("key");
  });
});

test("Redis: the rights that the documentation names are enough", async () => {
  await withStore(async (_, client, { url }) => {
    await client.sendCommand(
      [
        "ACL",
        "SETUSER",
        "msal",
        "on",
        ">pass",
        "~*",
        "-@all",
        "+eval",
        "+get",
        "+set",
        "+del",
        "+hello",
        "+client",
      ],
    );
    const own = await createClient({ url, username: "msal", password: "pass" }).connect();
    const store = new RedisStore(own);
    const { version = "" } = await store.set("key", "text", { ...later(), ifVersion: null });
    assertEquals(await store.get("key"), { value: "text", version });
    const lease = await store.lock("key", 1000);
    await lease?.release();
    await store.delete("key");
    assertEquals([await store.get("key"), lease !== undefined], [undefined, true]);
    own.destroy();
  });
});

test("R-128 Redis: a lost connection is a failure that quotes nothing", async () => {
  const server = await startRedis();
  const client = await clientOf(server.url).connect();
  const io = new Redis(server.port, "127.0.0.1", { retryStrategy: () => null, enableOfflineQueue: false });
  io.on("error", () => {});
  const stores = [new RedisStore(client), new RedisStore(io)];
  await new Promise((resolve) => io.once("ready", resolve));
  for (const store of stores) await store.set("key", "text", later());
  await server[Symbol.asyncDispose]();
  for (const store of stores) {
    await assertFails(() => store.get("key"), "cache_read_failed", /the client threw/);
    await assertFails(() => store.set("key", SECRET, later()), "cache_write_failed", /the client threw/);
    await assertFails(async () => await store.lock("key", 1000), "cache_lock_failed", /the client threw/);
  }
  if (client.isOpen) client.destroy();
});
