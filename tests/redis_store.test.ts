/** What the adapter for Redis says to each kind of client, and what it makes of the answers. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CacheError, ClientConfigurationError } from "../mod.ts";
import { type RedisClientLike, RedisStore, type RedisStoreOptions } from "../src/adapters/redis.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/suite.ts";

const SECRET = "eyJ0-very-secret-token";
const SHA1 = "0123456789abcdef0123456789abcdef01234567";
const clock = new FakeClock();
const later = () => ({ expiresAtMs: clock.now() + 60_000 });

/** A store whose client always answers the same, and what was sent. */
function answering(reply: unknown, options: RedisStoreOptions = {}) {
  const sent: string[][] = [];
  const client = (args: string[]): Promise<unknown> => {
    sent.push(args);
    return Promise.resolve(reply);
  };
  return { store: new RedisStore(client, { clock, ...options }), sent };
}

function throwing(error: unknown): RedisStore {
  return new RedisStore(() => Promise.reject(error), { clock });
}

const USES: Record<string, (store: RedisStore) => Promise<unknown>> = {
  cache_read_failed: (store) => store.get(`key ${SECRET}`),
  cache_write_failed: (store) => store.set("key", SECRET, later()),
  cache_lock_failed: (store) => store.lock(`key ${SECRET}`, 1000),
};

async function assertFails(make: () => RedisStore, why: RegExp): Promise<void> {
  for (const [code, use] of Object.entries(USES)) {
    const error = await assertRejects(() => use(make()), CacheError);
    assertEquals(error.code, code);
    assert(why.test(error.message), error.message);
    const shown = `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;
    assert(!shown.includes(SECRET), "it shows the value");
  }
}

test("every known client is asked in its own way, with its own this", async () => {
  const sent: unknown[] = [];
  class Client {
    readonly #reply = `=${SHA1}text`;
    take(...args: unknown[]): Promise<unknown> {
      sent.push(args);
      return Promise.resolve(this.#reply);
    }
  }
  class IoRedis extends Client {
    call(command: string, ...args: string[]): Promise<unknown> {
      return this.take(command, ...args);
    }
    sendCommand(command: object, stream?: object, node?: object): Promise<unknown> {
      return Promise.reject(new Error(`${command} ${stream} ${node}`));
    }
    eval(script: string, keys: number): Promise<unknown> {
      return Promise.reject(new Error(`${script} ${keys}`));
    }
  }
  class Bun extends Client {
    send(command: string, args: string[]): Promise<unknown> {
      return this.take(command, ...args);
    }
  }
  class NodeRedis extends Client {
    sendCommand(args: string[], _options?: object): Promise<unknown> {
      return this.take(...args);
    }
    eval(script: string, options: { keys: string[] }): Promise<unknown> {
      return Promise.reject(new Error(`${script} ${options}`));
    }
  }
  const plain = (args: string[]) => new Client().take(...args);
  for (const client of [new IoRedis(), new Bun(), new NodeRedis(), plain]) {
    sent.length = 0;
    assertEquals(await new RedisStore(client as RedisClientLike).get("key"), {
      value: "text",
      version: SHA1,
    });
    const [[command, script, ...rest]] = sent as [string[]];
    assertEquals([command, rest], ["EVAL", ["1", "key"]]);
    assert(script?.includes("redis.call('GET',KEYS[1])"));
  }
  class Upstash extends Client {
    eval(script: string, keys: string[], args: string[]): Promise<unknown> {
      return this.take(script, keys, args);
    }
  }
  sent.length = 0;
  await new RedisStore(new Upstash()).delete("key");
  assertEquals((sent as [string, ...unknown[]][]).map(([, ...rest]) => rest), [[["key"], []]]);
});

test("a client of an unknown kind is refused, with the way out", () => {
  class Cluster {
    sendCommand(_firstKey: string, _isReadonly: boolean, _args: string[]): Promise<unknown> {
      return Promise.resolve();
    }
    eval(_script: string, _options: object): Promise<unknown> {
      return Promise.resolve();
    }
  }
  const unknown = [
    undefined,
    null,
    1,
    "redis://localhost",
    {},
    { get() {}, set() {} },
    { call: 1 },
    new Cluster(),
  ];
  for (const client of unknown) {
    const error = assertThrows(() => new RedisStore(client as RedisClientLike), ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_store", "client"]);
    assert(error.message.includes("a function that sends a command"));
  }
});

test("options of the wrong kind are refused by name", () => {
  const client = () => Promise.resolve();
  for (const options of [null, "prefix", { prefix: 1 }, { prefix: null }]) {
    const make = () => new RedisStore(client, options as unknown as RedisStoreOptions);
    assertEquals(assertThrows(make, ClientConfigurationError).code, "invalid_option");
  }
});

test("a value lives exactly as long as it should, in whole milliseconds", async () => {
  const { store, sent } = answering(`=${SHA1}`);
  const lives = [1, 0.5, 1234.5, 8.64e15, Number.MAX_SAFE_INTEGER, Infinity, 0, -5, -Infinity];
  for (const life of lives) await store.set("key", "text", { expiresAtMs: clock.now() + life });
  const max = `${Number.MAX_SAFE_INTEGER}`;
  assertEquals(sent.map((args) => args[5]), ["1", "1", "1235", "8640000000000000", max, max, "0", "0", "0"]);
});

test("what must be there is told apart: anything, nothing, a version", async () => {
  const { store, sent } = answering("-");
  assertEquals(await store.set("key", "text", { ...later(), ifVersion: null }), { ok: false });
  await store.set("key", "text", { ...later(), ifVersion: SHA1 });
  await store.set("key", "text", later());
  assertEquals(sent.map((args) => args[6]), ["", SHA1, "*"]);
});

test("a version that no Redis gave out is refused without asking", async () => {
  const { store, sent } = answering(`=${SHA1}`);
  for (const ifVersion of ["", "*", "-", SHA1.slice(1), SHA1.toUpperCase(), `${SHA1}\n`, "__proto__"]) {
    assertEquals(await store.set("key", "text", { ...later(), ifVersion }), { ok: false });
  }
  assertEquals(sent, []);
});

test("the prefix is before keys and locks, and there is none by default", async () => {
  for (const prefix of [undefined, "app:"]) {
    const { store, sent } = answering("=", { prefix });
    await store.delete("key");
    await (await store.lock("key", 10.5))?.release();
    const keys = ["key", "key:lock", "key:lock"].map((key) => (prefix ?? "") + key);
    assertEquals(sent.map((args) => args[3]), keys);
    assertEquals(sent[1]?.[5], "11");
    assertEquals(sent[1]?.[4], sent[2]?.[4]);
  }
});

test("each holder of a lease has a name of its own", async () => {
  const { store, sent } = answering("=");
  for (let n = 0; n < 10; n++) await store.lock("key", 1000);
  assertEquals(new Set(sent.map((args) => args[4])).size, 10);
});

test("an answer that is no text of ours is a failure, and is not shown", async () => {
  const garbage = [
    undefined,
    null,
    0,
    1,
    "",
    "OK",
    SECRET,
    { value: SECRET },
    [SECRET],
    new TextEncoder().encode(`=${SHA1}`),
    true,
  ];
  for (const reply of garbage) await assertFails(() => answering(reply).store, /gave no text/);
  const versioned = [USES.cache_read_failed, USES.cache_write_failed];
  for (const reply of ["=", `=${SECRET}`, `=${SHA1.slice(1)}`, `=${SHA1.toUpperCase()}text`]) {
    for (const use of versioned) {
      const error = await assertRejects(async () => await use?.(answering(reply).store), CacheError);
      assert(/gave another text/.test(error.message) && !error.message.includes(SECRET));
    }
  }
});

test("R-128 a client that fails is a rejection that tells Redis's answer and nothing else", async () => {
  const withCommand = Object.assign(new Error(`WRONGTYPE Operation ${SECRET}`), {
    args: [SECRET],
    command: SECRET,
  });
  await assertFails(() => throwing(withCommand), /it answered WRONGTYPE\./);
  await assertFails(() => throwing(new Error(`NOAUTH ${SECRET}`)), /it answered NOAUTH\./);
  await assertFails(() => throwing(new Error(`ERR script: @user_script:1: OOM ${SECRET}`)), /answered OOM\./);
  await assertFails(() => throwing(new TypeError(SECRET)), /the client threw TypeError\./);
  await assertFails(() => throwing(new Error(SECRET.toUpperCase())), /the client threw Error\./);
  await assertFails(() => throwing(SECRET), /something that is no error/);
  await assertFails(() => throwing(undefined), /something that is no error/);
  const hostile = {
    get message(): string {
      throw new Error(SECRET);
    },
  };
  await assertFails(() => throwing(hostile), /something that is no error/);
});

test("R-128 a client that throws at once is a rejection too", async () => {
  const client = () => {
    throw new Error(SECRET);
  };
  await assertFails(() => new RedisStore(client), /the client threw Error\./);
});

test("neither the client nor its password is shown by the store", () => {
  const client = Object.assign(() => Promise.resolve(), { password: SECRET });
  const store = new RedisStore(client, { prefix: SECRET });
  assert(!JSON.stringify(store).includes(SECRET));
});
