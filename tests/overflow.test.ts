/** Partitions that are too large for their store: cut down to what lasts longest, and never an error to the caller. */
import { assert, assertEquals } from "@std/assert";
import { type Store, TokenCache } from "../mod.ts";
import type { CachedToken } from "../src/cache/cached_token.ts";
import { fitPartition } from "../src/cache/overflow.ts";
import { fits } from "../src/store/guarded_store.ts";
import { accessTokensOf } from "./support/documents.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { fc } from "./support/property.ts";
import { type CountingStore, countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { oidcBench } from "./support/token_server.ts";

const SECRET = "kX9v2Qm7Lr4Tz8Wn1Bc6Yd3Hf5Jg0PsA";
const bytesOf = (text: string) => new TextEncoder().encode(text).length;

/** A store whose values have a bound; one that is passed is a test's failure. */
function small(clock: FakeClock, maxValueBytes: number, cas = true): CountingStore {
  const store: CountingStore & Pick<Store, "maxValueBytes"> = Object.assign(countingStore(clock, cas), {
    maxValueBytes,
  });
  const { set } = store;
  store.set = (key, value, options) => {
    assert(bytesOf(value) <= maxValueBytes, `${bytesOf(value)} bytes`);
    return set(key, value, options);
  };
  return store;
}

test("R-126 a text fits by its bytes of UTF-8", () => {
  for (const [text, bytes] of [["", 0], ["abc", 3], ["é", 2], ["€€", 6], ["😀", 4], ["\ud800", 3]] as const) {
    assertEquals([fits(text, bytes), fits(text, bytes - 1)], [true, false], text);
    assertEquals(fits(text, Infinity), true);
  }
});

test("R-126 property: what ends first goes, no more than has to, and the order stays", () => {
  const token = fc.record({
    expiresOn: fc.nat(9),
    cachedAt: fc.nat(9),
    secret: fc.string({ unit: "binary" }),
  });
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), fc.nat(400), (list, maxBytes) => {
      const tokens = list as unknown as CachedToken[];
      const write = (some: readonly CachedToken[]) => `head ${some.map(({ secret }) => secret).join()}`;
      const fitted = fitPartition(tokens, write, maxBytes);
      assertEquals(fitted.value, write(fitted.tokens));
      assertEquals(fitted.tokens, tokens.filter((one) => fitted.tokens.includes(one)));
      assert(fits(fitted.value, maxBytes) || fitted.tokens.length === 0);
      const left = tokens.filter((one) => !fitted.tokens.includes(one));
      for (const gone of left) assert(fitted.tokens.every(({ expiresOn }) => expiresOn >= gone.expiresOn));
      if (left.length === 0) return;
      // The next one would be too much.
      const next = left.reverse().sort((a, b) => b.expiresOn - a.expiresOn || b.cachedAt - a.cachedAt)[0]!;
      assert(!fits(write(tokens.filter((one) => fitted.tokens.includes(one) || one === next)), maxBytes));
    }),
    { numRuns: 300 },
  );
});

test("R-126 a thousand tokens are cut in a few attempts", () => {
  const tokens = Array.from({ length: 1_000 }, (_, n) => ({ expiresOn: n })) as CachedToken[];
  let writes = 0;
  const write = (some: readonly CachedToken[]) => (writes++, "x".repeat(some.length));
  assertEquals([fitPartition(tokens, write, 700).tokens.length, writes <= 13], [700, true]);
});

for (const cas of [true, false]) {
  test(`R-126 app tokens in 2 000 bytes: no error, the newest stay, ${cas ? "with" : "without"} versions`, async () => {
    const clock = new FakeClock();
    const store = small(clock, 2_000, cas);
    const isolate = () => oidcBench({ clock, tokenCache: new TokenCache({ store }) });
    const one = isolate();
    for (let n = 1; n <= 12; n++) {
      await one.ask({ scopes: [`scope${n}`] });
      await clock.advance(1_000);
      const [value = ""] = store.values.values();
      const targets = Object.values(accessTokensOf(value)).map(({ target }) => target);
      assert(targets.includes(`scope${n}`), `${n}: ${targets}`);
    }
    const kept = Object.values(accessTokensOf([...store.values.values()][0]!));
    assert(kept.length > 1 && kept.length < 12, `${kept.length}`);
    assertEquals([one.count("cache_failed"), one.count("token_failed")], [0, 0]);
    // Memory has them all, another isolate those that fitted.
    for (let n = 1; n <= 12; n++) {
      assertEquals((await one.ask({ scopes: [`scope${n}`] })).tokenSource, "cache");
    }
    const cold = isolate();
    assertEquals((await cold.ask({ scopes: ["scope12"] })).tokenSource, "cache");
    assertEquals((await cold.ask({ scopes: ["scope1"] })).tokenSource, "identity_provider");
  });
}

test("R-126 with a look into the store every minute, what was left out is not taken for removed", async () => {
  const clock = new FakeClock();
  const tokenCache = new TokenCache({ store: small(clock, 2_000), maxStalenessMs: 30_000 });
  const { ask, server } = oidcBench({ clock, tokenCache });
  for (let n = 1; n <= 8; n++) await ask({ scopes: [`scope${n}`] });
  assertEquals(server.requests.length, 8);
  await clock.advance(60_000);
  for (let n = 1; n <= 8; n++) await ask({ scopes: [`scope${n}`] });
  assertEquals(server.requests.length, 8);
});

/** A user with more and more access tokens, in a store for so many bytes. */
async function manyTokens(maxValueBytes: number, count: number, seal?: string) {
  const entra = entraDouble();
  const store = small(entra.clock, maxValueBytes);
  const isolate = () =>
    entra.confidential({ tokenCache: new TokenCache({ store, ...(seal !== undefined && { seal }) }) });
  const app = isolate();
  await entra.signIn(app);
  for (let n = 1; n <= count; n++) {
    await entra.clock.advance(1_000);
    const scopes = [`api/scope${n}`];
    entra.next(await entra.answer({}, { scope: scopes[0] }));
    await entra.settle(app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes }));
  }
  return { entra, store, app, isolate };
}

for (const seal of [undefined, SECRET]) {
  test(`R-126 a user's tokens${seal ? ", sealed" : ""}: refresh token, ID token and account stay, and the newest access token`, async () => {
    const { entra, isolate } = await manyTokens(seal ? 5_000 : 4_000, 10, seal);
    assertEquals(entra.events.filter(({ type }) => type === "cache_failed" || type === "token_failed"), []);
    const posts = entra.posts.length;
    const cold = isolate();
    const ask = (n: number) =>
      entra.settle(cold.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: [`api/scope${n}`] }));
    const newest = await ask(10);
    assertEquals([newest.tokenSource, newest.account?.username], ["cache", "alex@contoso.example"]);
    assert(newest.idToken);
    assertEquals(entra.posts.length, posts);
    // What was left out comes back by the newest refresh token.
    entra.next(await entra.answer({}, { scope: "api/scope1" }));
    assertEquals((await ask(1)).tokenSource, "identity_provider");
    assertEquals(entra.posts.at(-1)?.form.get("refresh_token"), "RT 11");
  });
}

test("R-126 where not even the rest fits, nothing is written, an event says so, and memory goes on", async () => {
  const { entra, store, app, isolate } = await manyTokens(500, 2);
  assertEquals(store.values.size, 0);
  const codes = entra.events.flatMap((event) => event.type === "cache_failed" ? [event.error.code] : []);
  assertEquals([...new Set(codes)], ["value_too_large"]);
  const found = await entra.settle(
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["api/scope2"] }),
  );
  assertEquals([found.tokenSource, found.accessToken], ["cache", "AT 3"]);
  const refused = await entra.refused(
    isolate().acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["api/scope2"] }),
  );
  assertEquals(refused.code, "no_tokens_found");
  for (const event of entra.events) {
    if (event.type !== "cache_failed") continue;
    assert(!/AT \d|RT \d|alex/.test(event.error.message), event.error.message);
  }
});

test("R-126 the list of a public client's users, too large for its store, is an event and no error", async () => {
  const entra = entraDouble();
  const store = small(entra.clock, 300);
  const app = entra.public({ tokenCache: new TokenCache({ store }) });
  await entra.signIn(app);
  assertEquals((await app.getAccounts()).length, 1);
  assert(
    entra.events.some((event) => event.type === "cache_failed" && event.error.code === "value_too_large"),
  );
});

test("R-126 the same for an httpCache: what does not fit is not kept", async () => {
  const entra = entraDouble();
  const store = small(entra.clock, 300);
  await entra.signIn(entra.confidential({ httpCache: store }));
  assertEquals(store.values.size, 0);
});
