import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CacheError, ClientConfigurationError, type KeyValueLike, keyValueStore } from "../mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { test } from "./support/suite.ts";

const HOUR_MS = 3_600_000;

/** The plainest engine, which never forgets. */
function engineOf(texts: Map<string, string>, lives: number[] = []): KeyValueLike {
  return {
    get: (key) => texts.get(key),
    set(key, text, ttlSeconds) {
      lives.push(ttlSeconds);
      texts.set(key, text);
    },
    delete: (key) => texts.delete(key),
  };
}

const open = () => ({ store: keyValueStore(engineOf(new Map())) });
testStoreContract("anything that keeps text", false, open, { locks: false, test });

test("an engine without a method is refused", () => {
  const whole = engineOf(new Map());
  const engines = [
    undefined,
    null,
    1,
    {},
    new Set(),
    ...["get", "set", "delete"].map((name) => ({ ...whole, [name]: 1 })),
  ];
  for (const engine of engines) {
    const error = assertThrows(() => keyValueStore(engine as KeyValueLike), ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_store", "engine"]);
  }
});

test("a value ends to the millisecond in an engine that never forgets", async () => {
  const clock = new FakeClock();
  const store = keyValueStore(engineOf(new Map()), clock);
  await store.set("key", "text", { expiresAtMs: clock.now() + HOUR_MS });
  await clock.advance(HOUR_MS - 1);
  assertEquals(await store.get("key"), { value: "text" });
  await clock.advance(1);
  assertEquals(await store.get("key"), undefined);
});

test("the engine is told whole seconds, no less than a minute and never too few", async () => {
  const clock = new FakeClock();
  const lives: number[] = [];
  const store = keyValueStore(engineOf(new Map(), lives), clock);
  for (const ms of [1, 59_999, 60_000, 60_001, HOUR_MS, 0, -1]) {
    await store.set("key", "text", { expiresAtMs: clock.now() + ms });
  }
  assertEquals(lives, [60, 60, 60, 61, 3600]);
});

test("what is kept is nothing that an engine could take for JSON", async () => {
  const texts = new Map<string, string>();
  const store = keyValueStore(engineOf(texts));
  for (const text of ["", "1", "{}", "null", '"text"', "true", "[1]"]) {
    await store.set("key", text, { expiresAtMs: Date.now() + HOUR_MS });
    for (const kept of texts.values()) assertThrows(() => JSON.parse(kept), SyntaxError);
    assertEquals((await store.get("key"))?.value, text);
  }
});

test("a foreign or damaged text is a miss", async () => {
  const texts = new Map<string, string>();
  const store = keyValueStore(engineOf(texts));
  const end = Date.now() + HOUR_MS;
  const damaged = [
    "",
    "=",
    "{}",
    `${end} text`,
    `=${end}`,
    `=${end}text`,
    `= ${end} text`,
    "=1e99 text",
    `=-${end} text`,
  ];
  for (const text of [...damaged, `=${"9".repeat(17)} text`, `==${end} text`, `\n=${end} text`]) {
    texts.set("key", text);
    assertEquals(await store.get("key"), undefined, text);
  }
  texts.set("key", `=${end} text`);
  assertEquals(await store.get("key"), { value: "text" });
});

test("R-128 an engine that gives no text is a failure that quotes nothing", async () => {
  for (const kept of [1, {}, new TextEncoder().encode("secret"), ["secret"], true]) {
    const engine = { ...engineOf(new Map()), get: () => kept as unknown as string };
    const error = await assertRejects(() => keyValueStore(engine).get("key"), CacheError);
    assertEquals(error.code, "cache_read_failed");
    assert(!error.message.includes("secret"));
  }
});

test("R-128 an engine that throws at once is a rejection", async () => {
  const broken = () => {
    throw new Error("down");
  };
  const store = keyValueStore({ get: broken, set: broken, delete: broken });
  await assertRejects(() => store.get("key"), Error, "down");
  await assertRejects(() => store.set("key", "text", { expiresAtMs: Date.now() + HOUR_MS }), Error, "down");
  await assertRejects(() => store.set("key", "text", { expiresAtMs: 0 }), Error, "down");
  await assertRejects(() => store.delete("key"), Error, "down");
});

test("R-118 the engine sees keys that are safe in a path or a URL, the library's own unchanged", async () => {
  const texts = new Map<string, string>();
  const store = keyValueStore(engineOf(texts));
  const set = async (key: string) => {
    texts.clear();
    await store.set(key, "text", { expiresAtMs: Date.now() + HOUR_MS });
    return [...texts.keys()][0];
  };
  for (const key of ["msal-edge.tokens.v1.aZ09_-", "uid.utid", "client_tenant_AppTokenCache"]) {
    assertEquals(await set(key), key);
  }
  const odd = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "a/b",
    "a:b",
    "a\\b",
    "a b",
    "a%2Fb",
    "a?b",
    "ä",
    "a\n",
    "a..b",
    ".a",
  ];
  const names = new Set<string | undefined>();
  for (const key of [...odd, "k".repeat(201), "\ud800"]) names.add(await set(key));
  assertEquals(names.size, odd.length + 2);
  for (const name of names) assert(name && /^~[0-9a-f]{64}$/.test(name), name);
});
