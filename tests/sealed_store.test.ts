/** A store whose values are sealed. */
import { assert, assertEquals, assertFalse, assertNotEquals, assertStringIncludes } from "@std/assert";
import { MemoryStore, type PartitionHints, SealedStore, type Store, TokenCache } from "../mod.ts";
import { createSealer } from "../src/crypto/seal.ts";
import { thrown } from "./support/app_fixture.ts";
import { accessTokensOf } from "./support/documents.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { fc } from "./support/property.ts";
import { testStoreContract } from "./support/store_contract.ts";
import { type CountingStore, countingStore, faultyStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, type BenchOptions, eachRow } from "./support/token_server.ts";

const SECRET = "kX9v2Qm7Lr4Tz8Wn1Bc6Yd3Hf5Jg0PsA";
const OLD = "Zq3Vw8Ex1Rt6Yb9Un4Im7Op2Al5Sk0Dj";
const soon = { expiresAtMs: 9e15 };

testStoreContract("sealed memory", true, () => ({ store: new SealedStore(new MemoryStore(), SECRET) }), {
  locks: true,
  test,
});
testStoreContract("sealed, without versions", false, () => ({
  store: new SealedStore(countingStore(new FakeClock(), false), SECRET),
}), {
  locks: false,
  // A clock that stands still keeps what should expire.
  test: (name, body, options) => /expired/.test(name) ? undefined : test(name, body, options),
});

/** A store, and isolates over it that seal; the members of `over` go over the cache's options. */
function world(over: { seal?: string | string[] | undefined; cas?: boolean } = {}) {
  const clock = new FakeClock();
  const store = countingStore(clock, over.cas ?? true);
  const isolate = (seal: string | string[] | undefined = SECRET, options: BenchOptions = {}) =>
    bench({ clock, tokenCache: new TokenCache({ store, ...(seal !== "" && { seal }) }), ...options });
  return { clock, store, isolate };
}

function onlyValue(store: CountingStore): [string, string] {
  assertEquals(store.values.size, 1);
  return [...store.values][0]!;
}
const rejections = ({ events }: ReturnType<typeof bench>): number =>
  events.filter((event) => event.type === "cache_failed" && event.error.code === "sealed_value_rejected")
    .length;

test("R-121 what lies in the store tells nothing, and another isolate with the secret uses it", async () => {
  const { store, isolate } = world();
  await isolate().ask();
  const [key, value] = onlyValue(store);
  assert(/^1\.[\w-]{8}\.[\w-]+$/.test(value));
  const bytes = atob(value.slice(11).replaceAll("-", "+").replaceAll("_", "/"));
  for (const text of ["AT 1", "AccessToken", "my_client", "contoso", "secret"]) {
    assertFalse((key + value + bytes).includes(text), text);
  }
  store.take();
  const cold = isolate();
  assertEquals([(await cold.ask()).accessToken, cold.server.requests.length], ["AT 1", 0]);
  assertEquals([store.take(), rejections(cold)], [{ get: 1, set: 0, delete: 0 }, 0]);
});

/** What somebody may put in the place of a sealed value; `other` is the value of another partition. */
const FORGED: Record<string, (value: string, other: string) => string> = {
  "another partition's": (_, other) => other,
  "plain JSON, from before sealing": () =>
    JSON.stringify({ AccessToken: { k: { secret: "forged", target: "x" } } }),
  "cut": (value) => value.slice(0, -7),
  "a flipped bit": (value) => value.slice(0, 40) + (value[40] === "A" ? "B" : "A") + value.slice(41),
  "another key id": (value) => `1.AAAAAAAA.${value.slice(11)}`,
  "another version": (value) => `2${value.slice(1)}`,
  "empty": () => "",
  "junk": () => "\u0000\ufffd".repeat(9),
};
test("R-121 R-122 whatever does not open is a miss with an event, never an error, and is written over", async () => {
  for (const cas of [true, false]) {
    await eachRow(FORGED, async (forge) => {
      const { store, isolate, clock } = world({ cas });
      await isolate().ask({ tenantId: "fabrikam.example" });
      const [, other] = onlyValue(store);
      await store.delete(onlyValue(store)[0]);
      await isolate().ask();
      const [key, value] = onlyValue(store);
      await store.set(key, forge(value, other), { expiresAtMs: clock.now() + 3_600_000 });
      const cold = isolate();
      cold.server.next({ access_token: "a new one" });
      assertEquals((await cold.ask()).accessToken, "a new one");
      assertEquals([cold.count("token_failed"), rejections(cold) > 0], [0, true]);
      assertFalse(JSON.stringify(cold.events).includes("forged"));
      // It was written over, in the place of what did not open.
      const next = isolate();
      assertEquals([(await next.ask()).accessToken, rejections(next)], ["a new one", 0]);
    });
  }
});

test("R-122 R-132 the label is its own: no cookie that is sealed with the same secret opens here, nor this there", async () => {
  const inner = new MemoryStore();
  await new SealedStore(inner, SECRET).set("key", "text", soon);
  const { value } = (await inner.get("key"))!;
  for (const label of ["auth code flow", "session", "store"]) {
    const opened = await createSealer(SECRET, label, "secret").open(value, "key");
    assertEquals(opened, label === "store" ? "text" : undefined, label);
  }
});

test("R-121 nothing of what does not open is handed on, and its version is", async () => {
  const inner = new MemoryStore();
  const store = new SealedStore(inner, SECRET);
  const { version } = await inner.set("key", "plain", soon);
  assertEquals(await store.get("key"), { value: "", version: version!, rejected: true });
  assertEquals((await store.set("key", "new", { ...soon, ifVersion: null })).ok, false);
  assertEquals((await store.set("key", "new", { ...soon, ifVersion: version! })).ok, true);
  assertEquals((await store.get("key"))?.value, "new");
});

test("R-122 with the new secret and the old one nothing is lost, and the next write is sealed with the new one", async () => {
  const { store, isolate } = world();
  await isolate(OLD).ask();
  const [key, before] = onlyValue(store);
  const both = isolate([SECRET, OLD]);
  assertEquals([(await both.ask()).accessToken, both.server.requests.length], ["AT 1", 0]);
  // Read, not written: it is still the old one's.
  assertEquals(store.values.get(key), before);
  await both.ask({ scopes: ["https://vault.azure.net/.default"] });
  assertNotEquals(store.values.get(key)?.slice(0, 10), before.slice(0, 10));
  const late = isolate(SECRET);
  assertEquals([(await late.ask()).accessToken, late.server.requests.length], ["AT 1", 0]);
  const old = isolate(OLD);
  old.server.next({ access_token: "not opened" });
  assertEquals([(await old.ask()).accessToken, rejections(old) > 0], ["not opened", true]);
});

test("R-121 a user: sealed in every partition, found by another isolate, and removed", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const isolate = () => entra.confidential({ tokenCache: new TokenCache({ store, seal: SECRET }) });
  await entra.signIn(isolate());
  for (const value of store.values.values()) assert(/^1\.[\w-]{8}\.[\w-]+$/.test(value));
  const cold = isolate();
  const ask = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
  assertEquals((await entra.settle(cold.acquireTokenSilent(ask))).accessToken, "AT 1");
  await cold.removeAccount(HOME_ACCOUNT_ID);
  assertEquals((await entra.refused(isolate().acquireTokenSilent(ask))).code, "no_tokens_found");
});

test("R-118 hints: sealed, an application's name, and no user's", async () => {
  const noted: (PartitionHints | undefined)[] = [];
  const inner = faultyStore(() => Promise.reject(new Error()), {
    set: (_key, _value, { hints }) => Promise.resolve({ ok: noted.push(hints) > 0 }),
  });
  const store = new SealedStore(inner, SECRET);
  const given: (PartitionHints | undefined)[] = [
    undefined,
    { kind: "http" },
    { kind: "tokens", suggestedKey: "uid.utid", hasTokens: true },
    { kind: "tokens", suggestedKey: "uid.utid", isApplicationCache: false },
    { kind: "tokens", suggestedKey: "client_tenant_AppTokenCache", isApplicationCache: true },
  ];
  for (const hints of given) await store.set("key", "text", { ...soon, ...(hints && { hints }) });
  assertEquals(noted, [
    undefined,
    { kind: "http", sealed: true },
    { kind: "tokens", hasTokens: true, sealed: true },
    { kind: "tokens", isApplicationCache: false, sealed: true },
    {
      kind: "tokens",
      suggestedKey: "client_tenant_AppTokenCache",
      isApplicationCache: true,
      sealed: true,
    },
  ]);
});

test("R-126 the largest value that it says it takes fits into the store behind, and one byte more may not", async () => {
  for (const maxValueBytes of [40, 100, 101, 102, 103, 2_000, 65_536, 98_365]) {
    const inner: Store = { ...countingStore(new FakeClock()), maxValueBytes };
    const { maxValueBytes: most } = new SealedStore(inner, SECRET);
    assert(most !== undefined && most >= 0);
    const noted: number[] = [];
    inner.set = (_, value) => Promise.resolve({ ok: noted.push(value.length) > 0 });
    const store = new SealedStore(inner, SECRET);
    for (const more of [0, 1, 2, 3]) await store.set("key", "x".repeat(most + more), soon);
    if (most > 0) assert(noted[0]! <= maxValueBytes, `${noted[0]} of ${maxValueBytes}`);
    assert(noted[3]! > maxValueBytes, `${noted[3]} of ${maxValueBytes}`);
  }
  assertEquals(new SealedStore(new MemoryStore(), SECRET).maxValueBytes, undefined);
});

test("what it is: private, in no need of another seal, and no more than the store behind", () => {
  const traits = (
    { cas, isPrivate, requiresSeal, lock }: Store,
  ) => [cas, isPrivate, requiresSeal, typeof lock];
  const plain = countingStore(new FakeClock(), false);
  assertEquals(traits(new SealedStore(plain, SECRET)), [false, true, false, "undefined"]);
  const open = { ...plain, cas: true, requiresSeal: true, lock: () => Promise.resolve(undefined) };
  assertEquals(traits(new SealedStore(open, SECRET)), [true, true, false, "function"]);
  assertEquals(JSON.stringify(new SealedStore(open, SECRET)).includes(SECRET), false);
});

test("R-128 a store that fails or lies is told of as it is", async () => {
  const down = new SealedStore(faultyStore(() => Promise.reject(new RangeError("down"))), SECRET);
  for (const call of [() => down.get("k"), () => down.set("k", "v", soon), () => down.delete("k")]) {
    assertEquals(await call().then(() => "fine", (error) => error.name), "RangeError");
  }
  for (const lie of [null, undefined, 5, "x", { value: 5 }]) {
    const store = new SealedStore(
      faultyStore(() => Promise.reject(new Error()), { get: () => Promise.resolve(lie as never) }),
      SECRET,
    );
    assertEquals(await store.get("k"), lie as never);
  }
});

/** Options that are refused, and with which code about which option. */
const REFUSED: Record<string, [() => unknown, string, string]> = {
  "a short secret": [
    () => new TokenCache({ store: new MemoryStore(), seal: "short" }),
    "invalid_option",
    "seal",
  ],
  "no secret in the list": [
    () => new TokenCache({ store: new MemoryStore(), seal: [] }),
    "invalid_option",
    "seal",
  ],
  "null": [() => new TokenCache({ store: new MemoryStore(), seal: null as never }), "invalid_option", "seal"],
  "one short among good ones": [
    () => new SealedStore(new MemoryStore(), [SECRET, "short"]),
    "invalid_option",
    "seal",
  ],
  "a seal without a store": [() => new TokenCache({ seal: SECRET }), "invalid_option", "tokenCache.seal"],
  "a variable that nobody has set": [
    () => new TokenCache({ store: new MemoryStore(), seal: undefined as never }),
    "invalid_option",
    "tokenCache.seal",
  ],
  "a store that others read, unsealed": [
    () => new TokenCache({ store: { ...countingStore(new FakeClock()), requiresSeal: true } }),
    "invalid_store",
    "tokenCache.store",
  ],
  "what is no store": [() => new SealedStore({} as never, SECRET), "invalid_store", "store"],
  "nothing": [() => new SealedStore(undefined as never, SECRET), "invalid_store", "store"],
};
test("R-122 R-127 what is refused, and why", async () => {
  await eachRow(REFUSED, ([call, code, option]) => {
    const error = thrown(call);
    assertEquals([error.code, "option" in error && error.option], [code, option]);
    assertFalse(error.message.includes(SECRET) || error.message.includes("short"), error.message);
    if (code === "invalid_store" && option === "tokenCache.store") {
      assertStringIncludes(error.message, "seal");
    }
  });
});

test("R-127 a store that others read is taken with a seal, or sealed already", () => {
  const open: Store = { ...countingStore(new FakeClock()), requiresSeal: true };
  new TokenCache({ store: open, seal: SECRET });
  new TokenCache({ store: new SealedStore(open, SECRET) });
});

test("R-121 R-117 property: whatever is moved to another key does not open there", async () => {
  const inner = new MemoryStore();
  const store = new SealedStore(inner, [SECRET, OLD]);
  const key = fc.string({ minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(key, key, fc.string(), async (from, to, text) => {
      await store.set(from, text, soon);
      assertEquals((await store.get(from))?.value, text);
      if (from === to) return;
      await inner.set(to, (await inner.get(from))!.value, soon);
      const moved = await store.get(to);
      assertEquals([moved?.value, moved?.rejected], ["", true]);
    }),
    { numRuns: 150 },
  );
});

test("R-112 a write that lost against another isolate's is merged, sealed as it is", async () => {
  const { store, isolate } = world();
  const [one, two] = [isolate(), isolate()];
  store.beforeSet = async () => {
    store.beforeSet = undefined;
    await one.ask({ scopes: ["https://vault.azure.net/.default"] });
  };
  await two.ask();
  const sealed = new SealedStore(store, SECRET);
  const value = (await sealed.get(onlyValue(store)[0]))?.value ?? "";
  assertEquals(Object.keys(accessTokensOf(value)).length, 2);
});

test("R-128 a runtime that refuses to derive keys costs no more than a miss", async () => {
  const { isolate } = world();
  const { deriveKey } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.deriveKey = () => Promise.reject(new Error("canary"));
  try {
    const { ask, events } = isolate();
    assertEquals((await ask()).accessToken, "AT 1");
    assertFalse(JSON.stringify(events).includes("canary"));
  } finally {
    SubtleCrypto.prototype.deriveKey = deriveKey;
  }
});
