/**
 * What calls cost: requests, store operations and memory, however many users, tenants and flows there were..
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { UsedFlows } from "../src/client/used_flows.ts";
import { DocumentCache } from "../src/net/document_cache.ts";
import { DocumentSource } from "../src/net/document_source.ts";
import { HttpClient } from "../src/net/http_client.ts";
import { GuardedStore } from "../src/store/guarded_store.ts";
import { MemoryStore } from "../mod.ts";
import {
  callback,
  clientInfo,
  entraDouble,
  HOME_ACCOUNT_ID,
  HOST,
  nonceOf,
  REDIRECT_URI,
  TENANT_ID,
} from "./support/entra_double.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const SCOPES = ["User.Read"];
const ASK = { account: HOME_ACCOUNT_ID, scopes: SCOPES };
const HOUR_MS = 3_600_000;

test("decision 2: requests of each flow at a tenant's GUID: what follows from the authority is never asked for", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const sent = (): [number, number] => [entra.gets.splice(0).length, entra.posts.splice(0).length];
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  assertEquals(sent(), [0, 0], "to begin");
  entra.next(await entra.answer({ nonce: nonceOf(flow) }));
  await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals(sent(), [1, 1], "a cold sign-in: the keys and the token");
  await entra.signIn(app);
  assertEquals(sent(), [0, 1], "a warm sign-in");
  await app.acquireTokenSilent(ASK);
  await app.getAccount(HOME_ACCOUNT_ID);
  await app.getSignOutUrl();
  app.getAdminConsentUrl({ redirectUri: REDIRECT_URI, state: "s" });
  assertEquals(sent(), [0, 0], "from the cache");
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assertEquals(sent(), [0, 1], "a refresh");
  await app.removeAccount(HOME_ACCOUNT_ID);
  await entra.refused(app.acquireTokenSilent(ASK));
  assertEquals(sent(), [0, 0], "nobody");
  for (const authority of [`${HOST}/common`, `${HOST}/organizations`]) {
    await entra.signIn(entra.confidential({ authority }));
    assertEquals(sent(), [1, 1], authority);
  }
  const device = entra.public();
  entra.next({ device_code: "D", user_code: "U", verification_uri: "https://x.example", expires_in: 900 });
  const begun = await entra.settle(device.initiateDeviceFlow({ scopes: SCOPES }));
  entra.next(await entra.answer());
  await entra.settle(device.acquireTokenByDeviceFlow(begun));
  assertEquals(sent(), [1, 2], "a device: its code, the keys, the token");
});

test("decision 4: store operations of each flow: a cold hit reads once, a warm one never, a new token writes once", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock);
  const make = () => entra.confidential({ tokenCache: new TokenCache({ store }) });
  const app = make();
  await entra.signIn(app);
  assertEquals(store.take(), { get: 1, set: 1, delete: 0 }, "a sign-in");
  await app.acquireTokenSilent(ASK);
  await app.getAccount(HOME_ACCOUNT_ID);
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 }, "warm");
  const cold = make();
  await cold.acquireTokenSilent(ASK);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 }, "cold");
  await cold.acquireTokenSilent(ASK);
  await cold.getAccount(HOME_ACCOUNT_ID);
  assertEquals(store.take(), { get: 0, set: 0, delete: 0 }, "warm again");
  await make().getAccount(HOME_ACCOUNT_ID);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 }, "an account");
  // However many ask at once.
  await Promise.all(
    Array.from({ length: 100 }, () => make()).slice(0, 1).flatMap((one) =>
      Array.from({ length: 100 }, () => one.acquireTokenSilent(ASK))
    ),
  );
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 }, "a hundred in one cold isolate");
  await entra.clock.advance(HOUR_MS);
  entra.next(await entra.answer());
  await entra.settle(make().acquireTokenSilent(ASK));
  const { get, set } = store.take();
  assert(get <= 2 && set === 1, `a cold refresh: ${get} reads, ${set} writes`);
  await make().removeAccount(HOME_ACCOUNT_ID);
  assertEquals(store.take().delete >= 1, true);
});

test("R-187 flows that were used are forgotten beyond 10 000, and when they end", async () => {
  const clock = new FakeClock();
  const used = new UsedFlows(clock);
  const isNew = (n: number): boolean => {
    try {
      used.use(`s${n}`, "", clock.now() + HOUR_MS);
      return true;
    } catch {
      return false;
    }
  };
  for (let n = 0; n < 20_000; n++) assert(isNew(n));
  // What is new takes the place of the oldest.
  assertEquals([10_000, 19_999, 9_999, 10_000, 19_999].map(isNew), [false, false, true, true, false]);
  await clock.advance(HOUR_MS);
  assertEquals([20_000, 19_999].map(isNew), [true, true]);
});

test("R-187 R-088 documents of 4 000 made-up tenants do not stay in memory", async () => {
  const clock = new FakeClock();
  let downloads = 0;
  const http = new HttpClient({
    clock,
    fetch: () => {
      downloads++;
      return Promise.resolve(jsonResponse({ keys: [downloads] }) as Response);
    },
    timeoutMs: { token: 10_000, metadata: 5_000 },
    maxBytes: { token: 2 ** 20, metadata: 2 ** 18 },
  });
  const store = new MemoryStore({ clock });
  const cache = new DocumentCache(
    new GuardedStore(store, "httpCache", clock, () => {}),
    clock,
    "secret",
    "client",
  );
  // The store is the caller's; here it keeps nothing, so that it is quick.
  cache.set = () => Promise.resolve();
  cache.get = () => Promise.resolve(undefined);
  const rules = { freshMs: HOUR_MS, staleMs: 24 * HOUR_MS, retry: false };
  const source = new DocumentSource<Any>(
    http,
    cache,
    { clock, timeoutMs: { token: 1, metadata: 5_000 } },
    rules,
  );
  const read = (body: Any) => body.keys[0];
  for (let n = 0; n < 4_000; n += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => source.get(`https://h.example/${n + i}`, read, "", undefined)),
    );
  }
  assertEquals(downloads, 4_000);
  let held = 0;
  for (let n = 0; n < 4_000; n++) {
    if (typeof source.get(`https://h.example/${n}`, read, "", undefined) === "number") held++;
  }
  assert(held > 0 && held <= 1_000, `${held}`);
});

test("R-119 R-187 5 000 users who come by leave a cache within its bounds, and the last ones in it", async () => {
  const entra = entraDouble();
  const tokenCache = new TokenCache({ memory: { maxEntries: 500, maxBytes: 4_000_000 } });
  const app = entra.confidential({ tokenCache });
  await entra.signIn(app);
  // The JSON of one user, as that of many.
  const one = tokenCache.serialize();
  const many = JSON.parse(one);
  const named = (n: number): string => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  const oid = HOME_ACCOUNT_ID.split(".")[0]!;
  for (const section of Object.keys(many)) {
    const entries = Object.entries(many[section]);
    if (section === "AppMetadata") continue;
    many[section] = Object.fromEntries(
      Array.from(
        { length: 5_000 },
        (_, n) =>
          entries.map(([key, entry]) => JSON.parse(JSON.stringify([key, entry]).replaceAll(oid, named(n)))),
      ).flat(),
    );
  }
  tokenCache.deserialize(JSON.stringify(many));
  assert(tokenCache.size <= 500 && tokenCache.users <= 500, `${tokenCache.size} ${tokenCache.users}`);
  const last = `${named(4_999)}.${TENANT_ID}`;
  assertEquals((await app.acquireTokenSilent({ account: last, scopes: SCOPES })).tokenSource, "cache");
  await entra.signIn(app, { oid: named(7) }, { client_info: clientInfo(named(7)) });
  assert(tokenCache.size <= 500 && tokenCache.users <= 500);
});
