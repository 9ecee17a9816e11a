/** What is under way while app tokens are removed: R-116. */
import { assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { bench, deferred, SCOPES, tokenServer } from "./support/token_server.ts";
import { FakeClock } from "./support/fake_clock.ts";

for (const cas of [true, false]) {
  test(`R-116 a read that began before app tokens were removed brings none back, ${cas ? "given" : "without"} CAS`, async () => {
    const clock = new FakeClock();
    const store = countingStore(clock, cas);
    const server = tokenServer();
    const isolate = () => bench({ clock, tokenCache: new TokenCache({ store }) }, server).app;
    server.next({ access_token: "old" });
    server.otherwise({ access_token: "new" });
    await isolate().acquireTokenForClient({ scopes: SCOPES });
    const app = isolate();
    const [gone, read] = [deferred<void>(), deferred<void>()];
    const { delete: remove, get, set } = store;
    // The store answers with what was there before, and the removal is done after that was asked for.
    store.get = async (key, options) => {
      const found = await get(key, options);
      await read.promise;
      return found;
    };
    store.delete = (key) => gone.promise.then(() => remove(key));
    store.set = (key, value, options) =>
      (cas ? Promise.resolve() : gone.promise).then(() => set(key, value, options));
    const removal = app.removeTokensForClient();
    const call = app.acquireTokenForClient({ scopes: SCOPES });
    await clock.advance(10);
    gone.resolve();
    await removal;
    read.resolve();
    await call;
    store.get = get;
    assertEquals((await app.acquireTokenForClient({ scopes: SCOPES })).accessToken, "new");
  });
}
