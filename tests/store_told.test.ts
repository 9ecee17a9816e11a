/** What is told of a store that a caller has got wrong. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { CacheError, MemoryStore, type Store, TokenCache } from "../mod.ts";
import { thrown } from "./support/app_fixture.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

async function eventsOf(over: Partial<Record<keyof Store, unknown>>): Promise<CacheError[]> {
  const entra = entraDouble();
  const store = Object.assign(new MemoryStore({ clock: entra.clock }), over) as unknown as Store;
  await entra.signIn(entra.confidential({ tokenCache: new TokenCache({ store }) }));
  const cold = entra.confidential({ tokenCache: new TokenCache({ store }) });
  await entra.settle(cold.getAccount(HOME_ACCOUNT_ID));
  return entra.events.flatMap((event) => event.type === "cache_failed" ? [event.error as CacheError] : []);
}

test("a get that gives bare text never hits, and says so", async () => {
  for (
    const get of [
      () => Promise.resolve("text"),
      () => Promise.resolve({ value: 5 }),
      () => Promise.resolve([]),
    ]
  ) {
    const [error] = await eventsOf({ get });
    assertEquals(error?.code, "cache_read_failed");
    assertStringIncludes(error?.message ?? "", "get gave no text as { value }");
  }
});

test("an adapter's own code reaches the event", async () => {
  for (const code of ["tokens_not_sealed", "value_too_large"] as const) {
    const set = () => Promise.reject(new CacheError(code, "why, and what to do"));
    const [error] = await eventsOf({ set });
    assertEquals(error?.code, code);
    assertStringIncludes(error?.message ?? "", "why, and what to do");
  }
});

test("a store in the place of the options is refused", () => {
  const error = thrown(() => new TokenCache(new MemoryStore() as never));
  assertEquals(error.code, "invalid_option");
  assertStringIncludes(error.message, "pass { store }");
});
