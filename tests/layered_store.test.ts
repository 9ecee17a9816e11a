/** Memory in front of a store: what it saves, for how long it counts, and what it never changes. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  type CacheError,
  type GetOptions,
  LayeredStore,
  type LayeredStoreOptions,
  MemoryStore,
  SealedStore,
  type Store,
  TokenCache,
} from "../mod.ts";
import { thrown } from "./support/app_fixture.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, deferred, eachRow, isPending, settledNow } from "./support/token_server.ts";

const EVENTUAL: GetOptions = { consistency: "eventual" };
const HOUR_MS = 3_600_000;
const soon = { expiresAtMs: 9e15 };

/** A store of which every read is one that memory may answer. */
function eventual(store: Store): Store {
  const { cas, lock } = store;
  return {
    cas,
    get: (key) => store.get(key, EVENTUAL),
    set: (key, value, options) => store.set(key, value, options),
    delete: (key) => store.delete(key),
    ...(lock && { lock }),
  };
}
/** A store without versions whose values expire. */
function plainStore(): Store {
  const inner = new MemoryStore();
  return {
    cas: false,
    get: async (key) => {
      const found = await inner.get(key);
      return found && { value: found.value };
    },
    set: async (key, value, { ifVersion: _, ...options }) => {
      await inner.set(key, value, options);
      return { ok: true };
    },
    delete: (key) => inner.delete(key),
  };
}
const layered = (options?: LayeredStoreOptions) => new LayeredStore(new MemoryStore(), options);
const locks = { locks: true, test };
testStoreContract("memory before memory", true, () => ({ store: layered() }), locks);
testStoreContract(
  "memory before memory, read from the first",
  true,
  () => ({ store: eventual(layered()) }),
  locks,
);
testStoreContract("memory before memory, with misses kept", true, () => ({
  store: eventual(layered({ negativeMs: 60_000 })),
}), locks);
testStoreContract("memory before memory, with room for nothing", true, () => ({
  store: eventual(layered({ memory: { maxEntries: 1, maxBytes: 1 } })),
}), locks);
for (const isEventual of [false, true]) {
  testStoreContract(`memory before a store without versions, written behind, ${isEventual}`, false, () => {
    const store = new LayeredStore(plainStore(), { waitUntil: "detached", negativeMs: 60_000 });
    return { store: isEventual ? eventual(store) : store };
  }, { locks: false, test });
}

function world(options: LayeredStoreOptions = {}, cas = true) {
  const clock = new FakeClock();
  const remote = countingStore(clock, cas);
  const errors: CacheError[] = [];
  const onError = (error: CacheError): void => void errors.push(error);
  return { clock, remote, errors, store: new LayeredStore(remote, { clock, onError, ...options }) };
}

test("R-128 an eventual read is answered from memory until maxStalenessMs, and a strong one never", async () => {
  const { clock, remote, store } = world();
  await remote.set("key", "one", soon);
  remote.take();
  const read = async (options?: GetOptions) => (await store.get("key", options))?.value;
  assertEquals([await read(EVENTUAL), remote.take().get], ["one", 1]);
  await remote.set("key", "two", soon);
  remote.take();
  await clock.advance(29_999);
  assertEquals([await read(EVENTUAL), remote.take().get], ["one", 0]);
  await clock.advance(1);
  assertEquals([await read(EVENTUAL), await read(EVENTUAL), remote.take().get], ["two", "two", 1]);
  await remote.set("key", "three", soon);
  remote.take();
  assertEquals([await read({ consistency: "strong" }), await read(), remote.take().get], [
    "three",
    "three",
    2,
  ]);
  // What a strong read found serves the others.
  assertEquals([await read(EVENTUAL), remote.take().get], ["three", 0]);
});

test("a write and a removal here count at once, whatever was in memory", async () => {
  const { remote, store } = world({ negativeMs: 1_000 });
  await store.set("key", "one", soon);
  assertEquals([(await store.get("key", EVENTUAL))?.value, remote.take().get], ["one", 0]);
  const { version } = (await store.get("key"))!;
  await store.set("key", "two", { ...soon, ifVersion: version! });
  assertEquals((await store.get("key", EVENTUAL))?.value, "two");
  await store.delete("key");
  remote.take();
  assertEquals([await store.get("key", EVENTUAL), remote.take().get], [undefined, 0]);
});

test("that there is none is remembered for negativeMs, and not at all by default", async () => {
  for (const [negativeMs, gets] of [[undefined, 3], [0, 3], [1_000, 2]] as const) {
    const { clock, remote, store } = world({ negativeMs });
    for (const ms of [999, 1, 0]) {
      assertEquals(await store.get("key", EVENTUAL), undefined);
      await clock.advance(ms);
    }
    assertEquals(remote.take().get, gets, `${negativeMs}`);
    // Another isolate writes, and here nobody sees it for as long.
    await remote.set("key", "theirs", soon);
    assertEquals((await store.get("key"))?.value, "theirs");
  }
});

test("a copy does not outlive its value", async () => {
  const { clock, store } = world();
  await store.set("key", "brief", { expiresAtMs: clock.now() + 1_000 });
  assertEquals((await store.get("key", EVENTUAL))?.value, "brief");
  await clock.advance(1_000);
  assertEquals(await store.get("key", EVENTUAL), undefined);
});

test("R-112 a lost comparison drops the copy, so that the next read sees who won", async () => {
  const { remote, store } = world();
  const { version } = await store.set("key", "one", soon);
  await remote.set("key", "theirs", soon);
  assertEquals((await store.get("key", EVENTUAL))?.value, "one");
  assertEquals((await store.set("key", "two", { ...soon, ifVersion: version! })).ok, false);
  assertEquals((await store.get("key", EVENTUAL))?.value, "theirs");
});

test("R-112 R-116 what is written or removed while a read is under way is not undone by it", async () => {
  for (const change of ["set", "delete", "both"]) {
    const { remote, store } = world();
    await remote.set("key", "old", soon);
    const { promise, resolve } = deferred<void>();
    const { get } = remote;
    remote.get = async (key) => {
      const found = await get(key);
      await promise;
      return found;
    };
    const reading = store.get("key", EVENTUAL);
    if (change !== "delete") await store.set("key", "new", soon);
    if (change !== "set") await store.delete("key");
    remote.get = get;
    resolve();
    assertEquals((await reading)?.value, "old");
    assertEquals((await store.get("key", EVENTUAL))?.value, change === "set" ? "new" : undefined, change);
  }
});

/** A store whose writes are made at once, and answered when a test says so. */
function slowAnswers(remote: CountingStore, count: number) {
  const gates = Array.from({ length: count }, () => deferred<void>());
  const waits = gates.map(({ promise }) => promise);
  const { set } = remote;
  remote.set = async (key, value, options) => {
    const wait = waits.shift();
    const written = await set(key, value, options);
    await wait;
    return written;
  };
  return gates;
}

test("R-112 of two writes at the same time memory keeps neither, whichever is answered first", async () => {
  for (const order of [[0, 1], [1, 0]] as const) {
    const { remote, store } = world();
    const gates = slowAnswers(remote, 2);
    const writes = [store.set("key", "one", soon), store.set("key", "two", soon)];
    for (const nth of order) {
      gates[nth]!.resolve();
      await writes[nth];
    }
    assertEquals((await store.get("key", EVENTUAL))?.value, "two");
  }
});

test("R-112 while a write is under way, and after one that nobody knows the end of, the store is asked", async () => {
  const { clock, remote, store } = world();
  await store.set("key", "old", soon);
  const [gate] = slowAnswers(remote, 1);
  const writing = store.set("key", "new", soon);
  assert(await isPending(clock, writing));
  assertEquals((await store.get("key", EVENTUAL))?.value, "new");
  gate!.resolve();
  await writing;
  const { set } = remote;
  remote.set = async (...given) => {
    await set(...given);
    throw new TypeError("the connection was lost");
  };
  await store.set("key", "newer", soon).catch(() => {});
  remote.set = set;
  assertEquals((await store.get("key", EVENTUAL))?.value, "newer");
});

test("R-113 R-128 while the store is dead a copy serves, for an hour; callers wait once in five seconds", async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const dead: [string, () => Promise<never>][] = [
    ["rejects", () => Promise.reject(new TypeError("a canary of the store"))],
    ["hangs", never],
  ];
  for (const [name, get] of dead) {
    const { clock, remote, errors, store } = world();
    await remote.set("key", "one", soon);
    await store.get("key", EVENTUAL);
    remote.get = (key) => (remote.calls.push(`get ${key}`), get());
    remote.take();
    await clock.advance(30_000);
    const reading = store.get("key", EVENTUAL);
    if (name === "hangs") {
      assert(await isPending(clock, reading));
      await clock.advance(1_000);
    }
    assertEquals((await settledNow(reading))?.value, "one", name);
    await clock.advance(4_999);
    assertEquals([(await settledNow(store.get("key", EVENTUAL)))?.value, remote.take().get], ["one", 1]);
    await clock.advance(HOUR_MS);
    const late = store.get("key", EVENTUAL).catch(() => "gone");
    assertEquals(
      name === "hangs" ? await isPending(clock, late) : await late,
      name === "hangs" ? true : "gone",
    );
    assertEquals(errors.map(({ code }) => code), ["cache_read_failed"], name);
    assertFalse(errors.some(({ message }) => message.includes("canary")));
  }
});

test("R-128 a strong read of a dead store fails: an old copy must not be written over what is there", async () => {
  const { remote, store } = world();
  await store.set("key", "one", soon);
  remote.get = () => Promise.reject(new TypeError("down"));
  assertEquals(await store.get("key").then(() => "read", (error) => error.name), "TypeError");
});

test("R-128 what the store does not say is no value, and is not kept", async () => {
  for (const lie of [null, 5, "x", {}, { value: 5 }, { value: "", rejected: true }]) {
    const { remote, store } = world();
    remote.get = () => Promise.resolve(lie as never);
    assertEquals(await store.get("key", EVENTUAL), lie as never);
    remote.get = () => Promise.resolve({ value: "real" });
    assertEquals((await store.get("key", EVENTUAL))?.value, "real");
  }
});

test("R-110 with a waitUntil memory takes a write at once, and the store gets it behind", async () => {
  const kept: Promise<unknown>[] = [];
  const { remote, errors, store } = world({ waitUntil: (work) => void kept.push(work) });
  const { promise, resolve } = deferred<void>();
  remote.beforeSet = () => promise;
  assertEquals(await settledNow(store.set("key", "one", soon)), { ok: true });
  assertEquals([(await settledNow(store.get("key", EVENTUAL)))?.value, remote.values.size], ["one", 0]);
  // A strong read comes after it.
  const strong = store.get("key");
  resolve();
  assertEquals([(await strong)?.value, remote.values.get("key")], ["one", "one"]);
  assertEquals([kept.length, await Promise.all(kept), errors], [1, [undefined], []]);
});

test("R-110 R-128 a write behind that fails is told, and memory forgets it; nothing rejects", async () => {
  const faults: Record<string, () => Promise<never>> = {
    "rejects": () => Promise.reject(new TypeError("a canary of the store")),
    "throws at once": () => {
      throw new TypeError("a canary of the store");
    },
    "does not agree": () => Promise.resolve({ ok: false } as never),
    "gives null": () => Promise.resolve(null as never),
  };
  await eachRow(faults, async (set) => {
    const kept: Promise<unknown>[] = [];
    const { remote, errors, store } = world({ waitUntil: (work) => void kept.push(work) });
    await remote.set("key", "old", soon);
    remote.set = set;
    await store.set("key", "new", soon);
    await Promise.all(kept);
    assertEquals((await store.get("key", EVENTUAL))?.value, "old");
    assertEquals(errors.map(({ code }) => code), ["cache_write_failed"]);
    assertFalse(errors[0]!.message.includes("canary"));
  });
});

test("an observer that throws harms nobody", async () => {
  const { remote, store } = world({
    waitUntil: "detached",
    onError: () => {
      throw new Error("the observer's");
    },
  });
  remote.set = () => Promise.reject(new Error("down"));
  await store.set("key", "new", soon);
  assertEquals(await store.get("key"), undefined);
});

test("writes of a key keep their order, and a removal comes after them", async () => {
  const { remote, store } = world({ waitUntil: "detached" });
  const gates = [deferred<void>(), deferred<void>()];
  const waits = gates.map(({ promise }) => promise);
  remote.beforeSet = () => waits.shift() ?? Promise.resolve();
  await store.set("key", "one", soon);
  await store.set("key", "two", soon);
  gates[1]!.resolve();
  assertEquals((await store.get("key", EVENTUAL))?.value, "two");
  const removing = store.delete("key");
  gates[0]!.resolve();
  await removing;
  assertEquals([remote.values.size, remote.writes.length], [0, 2]);
});

test("R-106 a write behind that never ends holds up nobody for longer than a second", async () => {
  const { clock, remote, store } = world({ waitUntil: "detached" });
  remote.beforeSet = () => new Promise(() => {});
  await store.set("key", "one", soon);
  remote.beforeSet = undefined;
  const strong = store.get("key");
  assert(await isPending(clock, strong));
  await clock.advance(1_000);
  assertEquals(await settledNow(strong), undefined);
  assertEquals(clock.pending, 0);
});

test("R-112 R-116 comparisons, and writes that say that tokens are gone, are never behind", async () => {
  const { remote, store } = world({ waitUntil: "detached" });
  for (
    const options of [
      { ...soon, ifVersion: null },
      { ...soon, hints: { kind: "tokens", hasTokens: false } as const },
    ]
  ) {
    remote.beforeSet = () => Promise.reject(new RangeError("down"));
    assertEquals(await store.set("key", "x", options).then(() => "set", (error) => error.name), "RangeError");
  }
});

test("R-119 a hundred thousand keys stay in bounds; what was used lately stays", async () => {
  const { remote, store } = world({ memory: { maxEntries: 100 } });
  await store.set("used", "x", soon);
  for (let n = 0; n < 20_000; n++) {
    await store.set(`key ${n}`, "x", soon);
    if (n % 50 === 0) await store.get("used", EVENTUAL);
  }
  remote.take();
  await store.get("used", EVENTUAL);
  await store.get("key 19999", EVENTUAL);
  assertEquals(remote.take().get, 0);
  await store.get("key 0", EVENTUAL);
  assertEquals(remote.take().get, 1);
});

test("it is no more than the store behind", () => {
  const traits = (store: Store) => [
    store.cas,
    store.isPrivate,
    store.requiresSeal,
    store.maxValueBytes,
    typeof store.lock,
  ];
  const plain = countingStore(new FakeClock(), false);
  assertEquals(traits(new LayeredStore(plain)), [false, false, false, undefined, "undefined"]);
  const rich = {
    ...plain,
    cas: true,
    isPrivate: true,
    requiresSeal: true,
    maxValueBytes: 9,
    lock: () => Promise.resolve(undefined),
  };
  assertEquals(traits(new LayeredStore(rich)), [true, true, true, 9, "function"]);
  const error = thrown(() => new TokenCache({ store: new LayeredStore(rich) }));
  assertEquals(error.code, "invalid_store");
});

const REFUSED: Record<string, () => unknown> = {
  "no store": () => new LayeredStore({} as never),
  "nothing": () => new LayeredStore(undefined as never),
  "options that are none": () => new LayeredStore(new MemoryStore(), null as never),
  "a negative age": () => layered({ maxStalenessMs: -1 }),
  "an age of 0": () => layered({ maxStalenessMs: 0 }),
  "an age that is no number": () => layered({ maxStalenessMs: "30000" as never }),
  "NaN": () => layered({ negativeMs: NaN }),
  "a negative time for misses": () => layered({ negativeMs: -1 }),
  "half a millisecond": () => layered({ negativeMs: 0.5 }),
  "room for nothing": () => layered({ memory: { maxEntries: 0 } }),
  "memory that is none": () => layered({ memory: 5 as never }),
  "a context in the place of its waitUntil": () => layered({ waitUntil: {} as never }),
  "another word": () => layered({ waitUntil: "attached" as never }),
};
test("what is no option is refused", async () => {
  await eachRow(REFUSED, (call) => assert(/^invalid_(store|option)$/.test(thrown(call).code)));
});

test("R-128 a daemon and a user live on over a dead store: a cold memory, a warm layer", async () => {
  const clock = new FakeClock();
  const remote = countingStore(clock);
  const store = new LayeredStore(remote, { clock });
  await bench({ clock, tokenCache: new TokenCache({ store }) }).ask();
  const entra = entraDouble();
  const theirs = countingStore(entra.clock);
  const layer = new LayeredStore(theirs, { clock: entra.clock });
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store: layer }) }));
  const down = () => Promise.reject(new TypeError("down"));
  for (const one of [remote, theirs]) Object.assign(one, { get: down, set: down });
  await clock.advance(60_000);
  await entra.clock.advance(60_000);
  const cold = bench({ clock, tokenCache: new TokenCache({ store }) });
  assertEquals([(await cold.ask()).accessToken, cold.server.requests.length], ["AT 1", 0]);
  const ask = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
  const app = entra.confidential({ tokenCache: new TokenCache({ store: layer }) });
  assertEquals((await entra.settle(app.acquireTokenSilent(ask))).accessToken, "AT 1");
});

test("R-112 200 isolates' writes over layers of their own: none is lost, in either order of seal and layer", async () => {
  const secret = "kX9v2Qm7Lr4Tz8Wn1Bc6Yd3Hf5Jg0PsA";
  for (const isSealedBehind of [true, false]) {
    const remote = new MemoryStore();
    const open = (): Store =>
      isSealedBehind
        ? new LayeredStore(new SealedStore(remote, secret))
        : new SealedStore(new LayeredStore(remote), secret);
    await Promise.all(Array.from({ length: 8 }, async () => {
      const store = open();
      for (let n = 0; n < 25; n++) {
        for (let isDone = false; !isDone;) {
          // The first look is into memory, as that of a cache; what is written compares.
          await store.get("key", EVENTUAL);
          const held = await store.get("key");
          const next = `${Number(held?.value ?? 0) + 1}`;
          isDone = (await store.set("key", next, { ...soon, ifVersion: held?.version ?? null })).ok;
        }
      }
    }));
    assertEquals((await open().get("key"))?.value, "200");
  }
});
