/** What a browser carries of a sign-in that is newer than what an isolate's memory and its late store know. */
import { assertEquals } from "@std/assert";
import { ConfidentialClientApplication, type MemoryStore, type Store, TokenCache } from "../mod.ts";
import { CarriedPartition } from "../src/web/carried_partition.ts";
import { Cookies } from "../src/web/cookies.ts";
import { createWebAuth } from "../src/web/mod.ts";
import { CookieJar } from "./support/cookie_jar.ts";
import { entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET as SECRET, SITE, TENANT, Visitor, WEB_APP, WebScene } from "./support/web_scene.ts";
import { COOKIE_SECRET, SETTINGS } from "./support/web_sessions.ts";

const USER = { homeAccountId: HOME_ACCOUNT_ID };

test("an isolate that knows the user from before takes the newer sign-in from the browser", async () => {
  const entra = entraDouble();
  const store = countingStore(entra.clock, false);
  const carried = new CarriedPartition(new Cookies(SETTINGS), COOKIE_SECRET, entra.clock);
  const jar = new CookieJar(entra.clock);
  let isLate = false;
  const old = new Map<string, Awaited<ReturnType<Store["get"]>>>();
  const isolate = (sees: boolean): ConfidentialClientApplication => {
    const { set, delete: remove } = store;
    const get: Store["get"] = (key, options) =>
      sees || !isLate ? store.get(key, options) : Promise.resolve(old.get(key));
    return entra.confidential({
      tokenCache: new TokenCache({ store: { cas: false, get, set, delete: remove } }),
    });
  };
  const [first, second] = [isolate(true), isolate(false)];
  await entra.signIn(first);
  // The second isolate knows the user.
  const ask = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
  await entra.settle(second.acquireTokenSilent(ask));
  for (const key of store.values.keys()) old.set(key, await store.get(key));
  isLate = true;
  await entra.clock.advance(600_000);
  // The user steps up: another refresh token, which the store shows later.
  await entra.signIn(first, {}, { refresh_token: "RT stepped up" });
  jar.take(await carried.carry(first, USER, jar.request()));
  await carried.adopt(second, jar.request(), USER, true);
  entra.next(await entra.answer({}, { access_token: "AT mail", scope: "Mail.Read" }));
  await entra.settle(second.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["Mail.Read"] }));
  assertEquals(entra.posts.at(-1)!.form.get("refresh_token"), "RT stepped up");
});

/** A store that shows some of its readers what was there before. */
function lateStore(
  store: MemoryStore,
): { readonly fresh: Store; readonly late: Store; freeze(): Promise<void> } {
  let frozen: Map<string, Awaited<ReturnType<Store["get"]>>> | undefined;
  const names = new Set<string>();
  const shared: Omit<Store, "get"> = {
    cas: false,
    set: (key, value, options) => (names.add(key), store.set(key, value, options)),
    delete: (key) => store.delete(key),
  };
  return {
    fresh: { ...shared, get: async (key) => await store.get(key) },
    late: { ...shared, get: async (key) => frozen === undefined ? await store.get(key) : frozen.get(key) },
    async freeze() {
      frozen = new Map();
      for (const name of names) frozen.set(name, await store.get(name));
    },
  };
}

test("a step-up that another isolate has finished counts where the store shows it late", async () => {
  const scene = new WebScene({
    authority: { users: [{ username: "ada@contoso.onmicrosoft.com", mfa: true }] },
  });
  const { fresh, late, freeze } = lateStore(scene.store);
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
  const isolate = (store: Store): Visitor => {
    const app = new ConfidentialClientApplication({
      clientId: WEB_APP.clientId,
      clientCredential: WEB_APP.secrets[0],
      authority: `https://login.microsoftonline.com/${TENANT}`,
      fetch: (url, init) => scene.authority.fetch(url, init),
      clock: scene.clock,
      tokenCache: new TokenCache({ store }),
    });
    const web = createWebAuth({ app, baseUrl: SITE, cookieSecret: SECRET, scopes: ["User.Read"] });
    const page = web.requireUser(async (request, auth) => {
      const asked = new URL(request.url).pathname === "/secret" ? { claims } : {};
      await auth.acquireToken({ scopes: ["User.Read"], ...asked });
      return new Response("yes");
    });
    return new Visitor(async (request) => await web.route(request) ?? await page(request));
  };
  const [one, two] = [isolate(fresh), isolate(late)];
  const share = (from: Visitor, to: Visitor): void => {
    to.cookies.clear();
    for (const [name, cookie] of from.cookies) to.cookies.set(name, cookie);
  };
  await scene.comeBack(await one.visit("/page"), { mfa: false }, one);
  share(one, two);
  assertEquals((await two.visit("/page")).text, "yes");
  await freeze();
  await scene.clock.advance(600_000);
  const stepUp = await one.visit("/secret");
  assertEquals(stepUp.status, 303);
  await scene.comeBack(stepUp, { mfa: true }, one);
  share(one, two);
  assertEquals((await two.visit("/secret")).text, "yes");
});
