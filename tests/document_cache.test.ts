/** Documents in the httpCache store: shared by who has the secret, and nothing else in there is believed (decision 8). */
import { assert, assertEquals } from "@std/assert";
import { LayeredStore, MemoryStore, SealedStore, type Store } from "../mod.ts";
import { hmacSha256, lengthPrefixed } from "../src/crypto/digest.ts";
import { settle } from "./support/app_fixture.ts";
import { entraDouble } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import {
  codeOf,
  CORRELATION,
  entra,
  type FixtureOptions,
  goodClaims,
  keyPair,
  keySet,
  NONCE,
  signToken,
  tokenFixture,
} from "./support/id_tokens.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const HOUR = 3_600_000;
const URI = "https://login.microsoftonline.com/common/discovery/v2.0/keys";

interface Open {
  readonly store: Store;
  readonly held: Map<string, string>;
  readonly expiries: number[];
}

/** A store that a test can read and forge, and that never forgets. */
function openStore(): Open {
  const held = new Map<string, string>();
  const expiries: number[] = [];
  const store: Store = {
    cas: false,
    get: (key) => Promise.resolve(held.has(key) ? { value: held.get(key)! } : undefined),
    set: (key, value, { expiresAtMs }) => {
      held.set(key, value);
      expiries.push(expiresAtMs);
      return Promise.resolve({ ok: true });
    },
    delete: (key) => Promise.resolve(void held.delete(key)),
  };
  return { store, held, expiries };
}

/** An application over a store; its calls return the outcome of a validation. */
async function application(options: FixtureOptions, respond?: () => Answer) {
  const document = await keySet("common");
  const one = tokenFixture(entra("common"), respond ?? (() => jsonResponse(document)), options);
  const issuer = await one.metadata.issuer("common", CORRELATION, undefined);
  const validate = async (name: "main" | "other" = "main", kid = "main"): Promise<string> => {
    const token = await signToken(goodClaims("common", one.clock), { kid }, name);
    const expected = { issuer, tenant: "common", nonce: NONCE };
    return await settle(one.clock, codeOf(one.validator.validate(token, expected, CORRELATION, undefined)));
  };
  return { ...one, validate };
}
const down = (): Answer => new TypeError("reset");

test("an isolate with the same secret takes the keys from the store", async () => {
  const clock = new FakeClock();
  const { store, held, expiries } = openStore();
  const first = await application({ clock, store });
  assertEquals([await first.validate(), first.requests.length], ["accepted", 1]);
  assertEquals([held.size, expiries], [1, [clock.now() + 24 * HOUR]]);
  assert([...held.keys()].every((key) => /^msal-edge\.document\.v1\.[\w-]{43}$/.test(key)));
  const second = await application({ clock, store });
  assertEquals([await second.validate(), second.requests.length], ["accepted", 0]);
});

test("an application with another secret, or with none, does not see them and does not overwrite them", async () => {
  const clock = new FakeClock();
  const { store, held } = openStore();
  await (await application({ clock, store })).validate();
  const before = [...held];
  for (const secret of ["another", "", ""]) {
    const other = await application({ clock, store, secret });
    assertEquals([await other.validate(), other.requests.length], ["accepted", 1]);
  }
  // Without a secret nobody could tell later who wrote it: it stays in memory.
  assertEquals([held.size, before.every(([key, value]) => held.get(key) === value)], [2, true]);
});

test("R-090 keys of the store: fresh for an hour from their download, the last known good for a day", async () => {
  const clock = new FakeClock();
  const { store } = openStore();
  await (await application({ clock, store })).validate();
  await clock.advance(59 * 60_000);
  const fresh = await application({ clock, store }, down);
  assertEquals([await fresh.validate(), fresh.requests.length], ["accepted", 0]);
  await clock.advance(60_000);
  // In memory they are as old as they are in the store.
  assertEquals([await fresh.validate(), fresh.requests.length], ["accepted", 2]);
  const stale = await application({ clock, store }, down);
  assertEquals([await stale.validate(), stale.requests.length], ["accepted", 2]);
  assertEquals(stale.events.filter(({ type }) => type === "metadata_stale").length, 1);
  await clock.advance(23 * HOUR);
  const late = await application({ clock, store }, down);
  assertEquals(await late.validate(), "network_error");
});

/** The store's one entry, forged; the attacker's key is the one that verifies then. */
async function forged(forge: (value: Record<string, unknown>, key: string) => unknown) {
  const clock = new FakeClock();
  const { store, held } = openStore();
  await (await application({ clock, store })).validate();
  const [[key = "", value = ""] = []] = held;
  const text = await forge(JSON.parse(value), key);
  held.set(key, typeof text === "string" ? text : JSON.stringify(text));
  const one = await application({ clock, store });
  return { one, attack: await one.validate("other", "evil") };
}
const evilText = async (): Promise<string> =>
  JSON.stringify({ keys: [{ ...(await keyPair("other")).jwk, kid: "evil" }] });

const FORGED: [string, (value: Record<string, unknown>, key: string) => unknown][] = [
  ["the attacker's keys under the old MAC", async (value) => ({ ...value, text: await evilText() })],
  ["the attacker's keys under no MAC", async ({ fetchedAtMs }) => ({ fetchedAtMs, text: await evilText() })],
  ["the attacker's keys and MAC null", async (value) => ({ ...value, mac: null, text: await evilText() })],
  [
    "the attacker's keys under a list",
    async (value) => ({ ...value, mac: [value["mac"]], text: await evilText() }),
  ],
  ["the attacker's keys and a MAC keyed with the client id", async (value) => {
    const text = await evilText();
    const key = await hmacSha256("6731de76-14a6-49ae-97bc-6eba6914391e", "document");
    return {
      ...value,
      text,
      mac: await hmacSha256(key, lengthPrefixed([URI, `${value["fetchedAtMs"]}`, text])),
    };
  }],
  ["another time", (value) => ({ ...value, fetchedAtMs: (value["fetchedAtMs"] as number) + 1 })],
  ["a time that is a text", (value) => ({ ...value, fetchedAtMs: `${value["fetchedAtMs"]}x` })],
  ["half a MAC", (value) => ({ ...value, mac: `${value["mac"]}`.slice(0, 20) })],
  ["nothing", () => ""],
  ["null", () => "null"],
  ["a list", () => "[]"],
  ["no text", ({ mac, fetchedAtMs }) => ({ mac, fetchedAtMs })],
  ["junk", () => "junk"],
  ["a bomb", () => "[".repeat(100_000)],
  ["a megabyte", (value) => ({ ...value, text: "x".repeat(2 ** 20) })],
];
for (const [what, forge] of FORGED) {
  test(`decision 8: an entry with ${what} is a miss`, async () => {
    const { one, attack } = await forged(forge);
    assertEquals([attack, await one.validate()], ["id_token_key_not_found", "accepted"]);
    // Once because nothing was believed, once more because of the unknown key.
    assertEquals(one.requests.length, 2);
  });
}

test("decision 8: the row above believes an entry that nobody touched", async () => {
  const { one, attack } = await forged((value) => value);
  assertEquals([attack, one.requests.length], ["id_token_key_not_found", 1]);
});

test("decision 8: an entry of another URL under this one's name is a miss", async () => {
  const clock = new FakeClock();
  const { store, held } = openStore();
  const evil = await application({ clock, store }, () => jsonResponse({ keys: [] }));
  const text = await evilText();
  const other = tokenFixture(
    entra("common"),
    () => new Response(text, { headers: { "content-type": "application/json" } }),
    {
      clock,
      store,
    },
  );
  await other.jwks.keys(
    "https://login.microsoftonline.com/attacker.example/discovery/v2.0/keys",
    CORRELATION,
    undefined,
  );
  const [[, foreign = ""] = []] = held;
  held.clear();
  const one = await application({ clock, store });
  await one.validate();
  const [[key = ""] = []] = held;
  held.set(key, foreign);
  const cold = await application({ clock, store });
  assertEquals([await cold.validate("other", "evil"), await cold.validate()], [
    "id_token_key_not_found",
    "accepted",
  ]);
  assertEquals(evil.requests.length, 0);
});

test("an entry from the future is believed as far as clocks differ", async () => {
  const { store } = openStore();
  await (await application({ clock: new FakeClock(), store })).validate();
  const behind = (ms: number) =>
    application({ clock: new FakeClock(new FakeClock().now() - ms), store }, down);
  assertEquals(await (await behind(299_000)).validate(), "accepted");
  assertEquals(await (await behind(301_000)).validate(), "network_error");
});

test("R-128 a store that throws, hangs or lies costs time at most", async () => {
  const never = (): Promise<never> => new Promise(() => {});
  const stores = [
    () => Promise.reject(new Error("down")),
    never,
    () => Promise.resolve(null),
    () => Promise.resolve({ value: 5 }),
  ].map((does) => ({ cas: false, get: does, set: does, delete: does }) as unknown as Store);
  for (const store of stores) {
    const one = await application({ store });
    const started = one.clock.now();
    assertEquals([await one.validate(), await one.validate()], ["accepted", "accepted"]);
    assert(one.clock.now() - started <= 6_000);
    assertEquals([one.requests.length, one.clock.pending], [1, 0]);
  }
});

test("R-187 a document that is too long is not written", async () => {
  const { store, held } = openStore();
  // More characters than are kept, and fewer bytes than are read.
  const text = JSON.stringify(await keySet("common")).replace("{", `{"pad":"${"x".repeat(2 ** 18)}",`);
  const headers = { "content-type": "application/json" };
  const small = await application(
    { store, maxMetadataBytes: 2 ** 20 },
    () => new Response(text, { headers }),
  );
  assertEquals([await small.validate(), held.size], ["accepted", 0]);
});

test("R-187 the default store forgets documents when their day is over", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const one = await application({ clock, store });
  await one.validate();
  assertEquals(store.size, 1);
  await clock.advance(24 * HOUR);
  assertEquals(await (await application({ clock, store }, down)).validate(), "network_error");
  assertEquals(store.size, 0);
});

const SEAL = "kX9v2Qm7Lr4Tz8Wn1Bc6Yd3Hf5Jg0PsA";

test("decision 8: in a store of the application's own, a client without a secret keeps documents and believes them", async () => {
  for (const isLayered of [false, true]) {
    const clock = new FakeClock();
    const sealed = new SealedStore(openStore().store, SEAL);
    const store = isLayered ? new LayeredStore(sealed, { clock }) : sealed;
    const isolates = [1, 2, 3].map(() => application({ clock, store, secret: "" }));
    const requests: number[] = [];
    for (const isolate of isolates) {
      const { validate, requests: made } = await isolate;
      assertEquals(await validate(), "accepted");
      requests.push(made.length);
    }
    assertEquals(requests, [1, 0, 0]);
  }
});

test("decision 8: two public clients over a sealed store ask for the keys once, over an open one each", async () => {
  for (const isSealed of [true, false]) {
    const entra = entraDouble();
    const open = new MemoryStore({ clock: entra.clock });
    const httpCache = isSealed ? new SealedStore(open, SEAL) : open;
    for (const _ of [1, 2]) await entra.signIn(entra.public({ httpCache }));
    assertEquals(entra.gets.length, isSealed ? 1 : 2);
    assertEquals(open.size, isSealed ? 1 : 0);
  }
});

/** Wrecks the one value of a sealed store: by its text, and that of another store with another secret. */
const WRECKED: Record<string, (sealed: string, foreign: string) => string> = {
  "sealed with another secret": (_, foreign) => foreign,
  "not sealed": () => JSON.stringify({ mac: "x", fetchedAtMs: Date.UTC(2026, 0, 1), text: '{"keys":[]}' }),
  "changed": (sealed) => sealed.slice(0, -2) + (sealed.endsWith("A") ? "BB" : "AA"),
  "empty": () => "",
};
for (const [what, wreck] of Object.entries(WRECKED)) {
  test(`decision 8: in a sealed store, a document that is ${what} is a miss`, async () => {
    const clock = new FakeClock();
    const { store, held } = openStore();
    const { store: other, held: foreign } = openStore();
    const run = async (on: Store, secret: string) => {
      const one = await application({ clock, store: new SealedStore(on, secret), secret: "" });
      return [await one.validate(), one.requests.length];
    };
    await run(store, SEAL);
    await run(other, [...SEAL].reverse().join(""));
    const [[key = "", value = ""] = []] = held;
    const [[, text = ""] = []] = foreign;
    held.set(key, wreck(value, text));
    assertEquals(await run(store, SEAL), ["accepted", 1]);
    assertEquals(await run(store, SEAL), ["accepted", 0]);
  });
}

test("decision 8: what the trusted store holds under the client id is nothing to a client with a secret, nor to another client", async () => {
  const clock = new FakeClock();
  const store: Store = { ...openStore().store, isPrivate: true };
  await (await application({ clock, store, secret: "" })).validate();
  for (const options of [{ secret: "a secret" }, { secret: "" }]) {
    const one = await application({ clock, store, ...options });
    assertEquals([await one.validate(), one.requests.length], ["accepted", options.secret ? 1 : 0]);
  }
});
