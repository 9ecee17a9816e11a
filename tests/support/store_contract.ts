/**
 * What every store has to do, whatever engine is behind it.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Store } from "../../mod.ts";
import type { Body, TestOptions } from "./suite.ts";

/** An adapter over an engine that is empty, or at least has none of the keys of this run. */
export interface OpenedStore {
  readonly store: Store;
  /** Gives the engine back. */
  readonly close?: () => void | Promise<void>;
}

/** What a store promises beyond keeping text. */
export interface StoreTraits {
  /** Whether it has locks. */
  readonly locks: boolean;
  /** Where the tests are registered, and how: `test` of the suite, or that of a peer. */
  readonly test: (name: string, body: Body, options?: TestOptions) => void;
  /** The only runtimes that have the engine. */
  readonly options?: TestOptions;
  /** How many bytes the largest text of the tests has. @default {200_000} */
  readonly largeBytes?: number;
}

type Case = (store: Store, key: string) => Promise<void>;

// Kept, because a test may put its own in its place.
const { setTimeout } = globalThis;
const DAY_MS = 86_400_000;
const SOON_MS = 300;

const soon = (): { expiresAtMs: number } => ({ expiresAtMs: Date.now() + DAY_MS });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function textOf(store: Store, key: string): Promise<string | undefined> {
  return (await store.get(key))?.value;
}

async function assertKeeps(store: Store, key: string, value: string): Promise<void> {
  assertEquals((await store.set(key, value, soon())).ok, true);
  assertEquals(await textOf(store, key), value);
}

const KEEPING: Record<string, Case> = {
  "a key that nobody set has no value": async (store, key) => {
    assertEquals(await store.get(key), undefined);
    await store.delete(key);
  },
  "a text is read as it was set, until it is deleted": async (store, key) => {
    await assertKeeps(store, key, "one");
    await assertKeeps(store, key, "two");
    assertEquals((await store.get(key, { consistency: "strong" }))?.value, "two");
    await store.delete(key);
    assertEquals(await store.get(key), undefined);
  },
  "texts of every kind": async (store, key) => {
    const texts = [
      "",
      " ",
      "\n",
      '{"a":1}',
      "null",
      "1",
      "ä€😀\u0000\u2028",
      "\ufeffmark",
      "'\"\\`;--",
      "%00",
      "a=b&c",
    ];
    for (const text of texts) await assertKeeps(store, key, text);
  },
  "keys that look alike are apart": async (store, key) => {
    const keys = [
      "a",
      "A",
      "a/b",
      "a%2Fb",
      "a:b",
      "a b",
      "a+b",
      "__proto__",
      "constructor",
      "a#b",
      "a?b",
      "..",
      "ä",
      "a\u0308",
    ]
      .map((end) => `${key}.${end}`);
    for (const one of keys) await store.set(one, `value of ${one}`, soon());
    for (const one of keys) assertEquals(await textOf(store, one), `value of ${one}`);
    for (const one of keys) await store.delete(one);
    for (const one of keys) assertEquals(await store.get(one), undefined);
  },
  "a key of 512 bytes": async (store, key) => {
    await assertKeeps(store, key + "k".repeat(512 - key.length), "long");
    assertEquals(await store.get(key), undefined);
  },
  "a value that has expired is gone, however short its life": async (store, key) => {
    await store.set(key, "short", { expiresAtMs: Date.now() + SOON_MS });
    await pause(2 * SOON_MS);
    assertEquals(await store.get(key), undefined);
    await assertKeeps(store, key, "next");
  },
  "a value that has expired before it is set is not kept, and replaces what was there": async (
    store,
    key,
  ) => {
    await assertKeeps(store, key, "old");
    await store.set(key, "late", { expiresAtMs: Date.now() - 1 });
    assertEquals(await store.get(key), undefined);
  },
  "no end is too far away": async (store, key) => {
    for (const expiresAtMs of [Date.now() + 400 * DAY_MS, 8.64e15, Number.MAX_SAFE_INTEGER]) {
      await store.set(key, `${expiresAtMs}`, { expiresAtMs });
      assertEquals(await textOf(store, key), `${expiresAtMs}`);
    }
  },
  "hints change nothing that is read": async (store, key) => {
    const hints = { kind: "tokens", suggestedKey: "uid.utid", hasTokens: true, sealed: true } as const;
    await store.set(key, "hinted", { ...soon(), hints });
    assertEquals(await textOf(store, key), "hinted");
  },
  "no inspection shows what is kept": async (store, key) => {
    await store.set(key, "a very secret text", soon());
    await store.get(key);
    assert(!JSON.stringify(store).includes("very secret"));
  },
};

/** A text of so many bytes. */
function large(largeBytes: number): Record<string, Case> {
  return {
    "a large text, and a small one after it": async (store, key) => {
      await assertKeeps(store, key, "x".repeat(largeBytes));
      await assertKeeps(store, key, "é😀".repeat(largeBytes / 6));
      await assertKeeps(store, key, "small");
    },
  };
}

const COMPARE_AND_SET: Record<string, Case> = {
  "a value is created once": async (store, key) => {
    const first = await store.set(key, "first", { ...soon(), ifVersion: null });
    assertEquals([first.ok, typeof first.version], [true, "string"]);
    assertEquals((await store.set(key, "second", { ...soon(), ifVersion: null })).ok, false);
    assertEquals(await store.get(key), { value: "first", version: first.version as string });
  },
  "a version counts until the next write": async (store, key) => {
    const first = await store.set(key, "first", soon());
    const second = await store.set(key, "second", { ...soon(), ifVersion: first.version as string });
    assertEquals(second.ok, true);
    assertNotEquals(second.version, first.version);
    assertEquals(
      (await store.set(key, "stale", { ...soon(), ifVersion: first.version as string })).ok,
      false,
    );
    assertEquals(await textOf(store, key), "second");
  },
  "what was deleted, or has expired, is not there to be replaced": async (store, key) => {
    const { version = "" } = await store.set(key, "first", soon());
    await store.delete(key);
    assertEquals((await store.set(key, "stale", { ...soon(), ifVersion: version })).ok, false);
    assertEquals(await store.get(key), undefined);
    const brief = await store.set(key, "brief", { expiresAtMs: Date.now() + SOON_MS });
    await pause(2 * SOON_MS);
    assertEquals((await store.set(key, "stale", { ...soon(), ifVersion: brief.version ?? "" })).ok, false);
    assertEquals((await store.set(key, "new", { ...soon(), ifVersion: null })).ok, true);
  },
  "a version that nobody gave out is refused": async (store, key) => {
    await store.set(key, "first", soon());
    for (const ifVersion of ["", "0", "x", "__proto__", "00000000000000000000"]) {
      assertEquals((await store.set(key, "forged", { ...soon(), ifVersion })).ok, false, ifVersion);
    }
    assertEquals(await textOf(store, key), "first");
  },
  "R-112 200 additions at once: none is lost": async (store, key) => {
    const add = async (): Promise<void> => {
      for (;;) {
        const held = await store.get(key, { consistency: "strong" });
        const next = `${Number(held?.value ?? 0) + 1}`;
        if ((await store.set(key, next, { ...soon(), ifVersion: held?.version ?? null })).ok) return;
      }
    };
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let n = 0; n < 25; n++) await add();
    }));
    assertEquals(await textOf(store, key), "200");
  },
};

const LOCKS: Record<string, Case> = {
  "a lease is held by one at a time": async (store, key) => {
    const first = await store.lock?.(key, 60_000);
    assert(first);
    assertEquals(await store.lock?.(key, 60_000), undefined);
    const other = await store.lock?.(`${key}.other`, 60_000);
    assert(other);
    await other.release();
    await first.release();
    const second = await store.lock?.(key, 60_000);
    assert(second);
    await second.release();
    await second.release();
  },
  "a lease ends by itself, and its late release is not the next holder's": async (store, key) => {
    const first = await store.lock?.(key, SOON_MS);
    await pause(2 * SOON_MS);
    const second = await store.lock?.(key, 60_000);
    assert(first && second);
    await first.release();
    assertEquals(await store.lock?.(key, 60_000), undefined);
    await second.release();
  },
  "of 20 who want a lease one gets it": async (store, key) => {
    const leases = await Promise.all(Array.from({ length: 20 }, () => store.lock?.(key, 60_000)));
    const [lease, ...others] = leases.filter((one) => one !== undefined);
    assertEquals(others, []);
    await lease?.release();
  },
  "a lease is no value": async (store, key) => {
    const lease = await store.lock?.(key, 60_000);
    assertEquals(await store.get(key), undefined);
    await assertKeeps(store, key, "beside the lease");
    await store.delete(key);
    assertEquals(await store.lock?.(key, 60_000), undefined);
    await lease?.release();
  },
};

const NO_VERSIONS: Record<string, Case> = {
  "whoever writes last wins, whatever version is asked for": async (store, key) => {
    await assertKeeps(store, key, "first");
    assertEquals((await store.set(key, "second", { ...soon(), ifVersion: "anything" })).ok, true);
    assertEquals((await store.set(key, "third", { ...soon(), ifVersion: null })).ok, true);
    assertEquals(await textOf(store, key), "third");
  },
};

/**
 * Registers the tests of the contract for a store.
 *
 * @param name What the store is, for the tests' names.
 * @param cas Whether it can compare and set.
 * @param open Opens it; called for each test.
 * @param traits What it promises, and how to register.
 */
export function testStoreContract(
  name: string,
  cas: boolean,
  open: () => OpenedStore | Promise<OpenedStore>,
  { locks, test, options, largeBytes = 200_000 }: StoreTraits,
): void {
  const cases = {
    ...KEEPING,
    ...large(largeBytes),
    ...(cas ? COMPARE_AND_SET : NO_VERSIONS),
    ...(locks ? LOCKS : {}),
  };
  for (const [what, body] of Object.entries(cases)) {
    test(`store contract, ${name}: ${what}`, async () => {
      const { store, close } = await open();
      try {
        assertEquals([store.cas, typeof store.lock === "function"], [cas, locks]);
        await body(store, `test.${crypto.randomUUID()}`);
      } finally {
        await close?.();
      }
    }, options);
  }
}
