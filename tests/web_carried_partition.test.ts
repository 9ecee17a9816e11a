/** Tokens that a browser carries right after its sign-in, where the store shows them late. */
import { assert, assertEquals } from "@std/assert";
import { type ConfidentialClientApplication, type Store, TokenCache } from "../mod.ts";
import { openApplication } from "../src/client/client_application.ts";
import { CarriedPartition } from "../src/web/carried_partition.ts";
import { Cookies } from "../src/web/cookies.ts";
import { SealedCookie } from "../src/web/sealed_cookie.ts";
import { thrown } from "./support/app_fixture.ts";
import { CookieJar, requestWith } from "./support/cookie_jar.ts";
import { type EntraDouble, entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { printed } from "./support/printed.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, OTHER_SECRET, SETTINGS } from "./support/web_sessions.ts";

const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };
const USER = { homeAccountId: HOME_ACCOUNT_ID };
const cookies = new Cookies(SETTINGS);

interface World {
  readonly entra: EntraDouble;
  readonly store: ReturnType<typeof countingStore>;
  readonly carried: CarriedPartition;
  readonly jar: CookieJar;
  /** An isolate that sees the store, or one that does not see yet what was written. */
  isolate(sees?: boolean): ConfidentialClientApplication;
  /** What the store shows to those who do not see: nothing, or what it says here. */
  late: Store["get"];
}

function world(cas = false, secret = COOKIE_SECRET): World {
  const entra = entraDouble();
  const store = countingStore(entra.clock, cas);
  const own: World = {
    entra,
    store,
    carried: new CarriedPartition(cookies, secret, entra.clock),
    jar: new CookieJar(entra.clock),
    late: () => Promise.resolve(undefined),
    isolate(sees = false) {
      const { set, delete: remove } = store;
      const get: Store["get"] = sees ? store.get : (key, options) => own.late(key, options);
      return entra.confidential({ tokenCache: new TokenCache({ store: { cas, get, set, delete: remove } }) });
    },
  };
  return own;
}

/** Signs the user in, in one isolate, and gives the browser what the answer carries. */
async function signedIn(own: World, members = {}): Promise<ConfidentialClientApplication> {
  const app = own.isolate(true);
  await own.entra.signIn(app, {}, members);
  own.jar.take(await own.carried.carry(app, USER, own.jar.request()));
  return app;
}

/** The access token that an isolate has for the user without asking anybody; `undefined` for none. */
async function tokenIn({ entra }: World, app: ConfidentialClientApplication): Promise<string | undefined> {
  const before = entra.posts.length;
  const token = await entra.settle(
    app.acquireTokenSilent(ASK).then(({ accessToken }) => accessToken, () => undefined),
  );
  assertEquals(entra.posts.length, before);
  return token;
}

test("an isolate whose store does not show the sign-in yet has its tokens from the browser", async () => {
  const own = world();
  await signedIn(own);
  const app = own.isolate();
  assertEquals(await tokenIn(own, app), undefined);
  await own.carried.adopt(app, own.jar.request(), USER);
  assertEquals(await tokenIn(own, app), "AT 1");
  assertEquals((await app.getAccount(HOME_ACCOUNT_ID))?.homeAccountId, HOME_ACCOUNT_ID);
});

test("the refresh token is carried too: another scope is had without the user", async () => {
  const own = world();
  await signedIn(own);
  const app = own.isolate();
  await own.carried.adopt(app, own.jar.request(), USER);
  own.entra.next(await own.entra.answer({}, { access_token: "AT mail", scope: "Mail.Read" }));
  const result = await own.entra.settle(
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: ["Mail.Read"] }),
  );
  assertEquals(result.accessToken, "AT mail");
  assertEquals(own.entra.posts.at(-1)!.form.get("refresh_token"), "RT 1");
});

test("nothing is carried where the store compares and sets, in memory alone, and of nobody", async () => {
  const own = world(true);
  await signedIn(own);
  assertEquals(own.jar.cookies, []);
  const memory = own.entra.confidential();
  await own.entra.signIn(memory);
  assertEquals(await own.carried.carry(memory, USER), []);
  await own.carried.adopt(memory, requestWith("__Host-auth.carried=x"), USER);
  const late = world();
  assertEquals(await late.carried.carry(late.isolate(), USER), []);
  await signedIn(late);
  assertEquals(await late.carried.carry(late.isolate(true), { homeAccountId: "somebody.else" }), []);
});

test("R-130 R-134 the cookie is short-lived, of the host alone, Lax, and nothing of it can be read", async () => {
  const own = world();
  await signedIn(own);
  for (const { name, attributes, value } of own.jar.cookies) {
    assert(name.startsWith("__Host-auth.carried"));
    assertEquals([attributes.get("max-age"), attributes.get("samesite")], ["120", "Lax"]);
    const bytes = atob(value.split(/[.~]/).at(-1)!.replaceAll("-", "+").replaceAll("_", "/").slice(0, 1_000));
    for (const secret of ["AT 1", "RT 1", "RefreshToken", HOME_ACCOUNT_ID]) {
      assert(!(value + bytes).includes(secret));
    }
  }
  assert(!printed(own.carried).includes(COOKIE_SECRET));
});

test("a request without the cookie, and a user whom memory knows, cost no read of the store", async () => {
  const own = world();
  const app = await signedIn(own);
  own.store.take();
  await own.carried.adopt(app, own.jar.request(), USER);
  await own.carried.adopt(own.isolate(true), requestWith("a=b"), USER);
  await own.carried.adopt(own.isolate(true), requestWith("__Host-auth.carried=x"), USER);
  assertEquals(own.store.take(), { get: 0, set: 0, delete: 0 });
});

test("a user whom memory knows costs no look into the cookies", async () => {
  const own = world();
  const app = await signedIn(own);
  const request = {
    get headers(): Headers {
      throw new Error("read");
    },
  } as unknown as Request;
  await own.carried.adopt(app, request, USER);
});

test("R-130 the cookie is Lax and of the host alone also where others are not", async () => {
  const own = world();
  const weaker = new Cookies({ ...SETTINGS, domain: "example.com", sameSite: "Strict" });
  const carried = new CarriedPartition(weaker, COOKIE_SECRET, own.entra.clock);
  const app = own.isolate(true);
  await own.entra.signIn(app);
  own.jar.take(await carried.carry(app, USER));
  assert(own.jar.cookies.length > 0);
  for (const { name, attributes } of own.jar.cookies) {
    assert(name.startsWith("__Host-"));
    assertEquals([attributes.get("domain"), attributes.get("samesite")], [undefined, "Lax"]);
  }
  own.jar.take(carried.clear(own.jar.request()));
  assertEquals(own.jar.cookies, []);
});

test("R-112 a refresh token that the store has dropped meanwhile stays dropped", async () => {
  const own = world();
  const first = await signedIn(own);
  const { users } = openApplication(first).engine.configuration.cache;
  const [user] = users.users("login.microsoftonline.com", first.clientId);
  await users.dropRefreshToken(user!.refreshTokens[0]!, own.entra.clock.now());
  const app = own.isolate(true);
  await own.carried.adopt(app, own.jar.request(), USER);
  const known = openApplication(app).engine.configuration.cache.users;
  const [there] = known.users("login.microsoftonline.com", app.clientId);
  assertEquals(there?.refreshTokens, []);
});

test("what is adopted is not written to the store", async () => {
  const own = world();
  await signedIn(own);
  own.store.take();
  await own.carried.adopt(own.isolate(), own.jar.request(), USER);
  assertEquals(own.store.take(), { get: 0, set: 0, delete: 0 });
});

const REFUSED: Readonly<Record<string, (own: World) => Promise<Request>>> = {
  "after its time": async (own) => {
    const request = own.jar.request();
    await own.entra.clock.advance(120_000);
    return request;
  },
  "of another key": async (own) => {
    const other = world(false, OTHER_SECRET);
    await signedIn(other);
    return await Promise.resolve(own && other.jar.request());
  },
  "of another purpose": async ({ entra }) => {
    const jar = new CookieJar(entra.clock);
    const cookie = new SealedCookie(cookies, COOKIE_SECRET, "session");
    const value = { user: HOME_ACCOUNT_ID, at: entra.clock.now(), partition: {} };
    jar.take(await cookie.write(requestWith(""), "carried", value, { maxAgeSeconds: 120 }));
    return jar.request();
  },
  "changed": ({ jar }) => {
    const text = jar.request().headers.get("cookie")!;
    return Promise.resolve(
      requestWith(text.slice(0, -30) + (text.at(-30) === "A" ? "B" : "A") + text.slice(-29)),
    );
  },
};
for (const [name, make] of Object.entries(REFUSED)) {
  test(`R-132 what is carried is not taken: ${name}`, async () => {
    const own = world();
    await signedIn(own);
    const app = own.isolate();
    const good = own.jar.request();
    await own.carried.adopt(app, await make(own), USER);
    assertEquals(await tokenIn(own, app), undefined);
    if (name === "after its time") return;
    await own.carried.adopt(app, good, USER);
    assertEquals(await tokenIn(own, app), "AT 1");
  });
}

for (
  const partition of [
    {},
    { AccessToken: [] },
    {
      AccessToken: { a: { secret: "x", home_account_id: HOME_ACCOUNT_ID } },
      RefreshToken: { "__proto__": {} },
    },
    { Account: { a: { home_account_id: "somebody.else" } } },
    [],
    null,
    "text",
  ]
) {
  test(`R-124 what is sealed and no partition changes nothing: ${JSON.stringify(partition)}`, async () => {
    const own = world();
    const cookie = new SealedCookie(cookies, COOKIE_SECRET, "carried partition");
    const value = { user: HOME_ACCOUNT_ID, at: own.entra.clock.now(), partition };
    own.jar.take(await cookie.write(requestWith(""), "carried", value, { maxAgeSeconds: 120 }));
    const app = own.isolate();
    await own.carried.adopt(app, own.jar.request(), USER);
    assertEquals(await tokenIn(own, app), undefined);
  });
}

test("R-132 a session of one user takes nothing that another carried", async () => {
  const own = world();
  await signedIn(own);
  const app = own.isolate();
  const eve = "11111111-a2b8-4e0a-8aea-b32e53ccdb41.7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
  await own.carried.adopt(app, own.jar.request(), { homeAccountId: eve });
  assertEquals(await tokenIn(own, app), undefined);
  assertEquals(await app.getAccount(eve), null);
  // Nor where the cookie says that it is hers: its entries are not.
  const cookie = new SealedCookie(cookies, COOKIE_SECRET, "carried partition");
  const { partition, at } = await cookie.read(own.jar.request(), "carried") as {
    partition: object;
    at: number;
  };
  const jar = new CookieJar(own.entra.clock);
  jar.take(
    await cookie.write(requestWith(""), "carried", { user: eve, at, partition }, { maxAgeSeconds: 120 }),
  );
  await own.carried.adopt(app, jar.request(), { homeAccountId: eve });
  assertEquals([await tokenIn(own, app), await app.getAccount(eve)], [undefined, null]);
  // Nor does the user get what a cookie holds of theirs that says it is somebody else's.
  await own.carried.adopt(app, jar.request(), USER);
  assertEquals(await tokenIn(own, app), undefined);
});

test("R-112 what memory or store know is newer, and stays", async () => {
  const own = world();
  const first = await signedIn(own);
  const request = own.jar.request();
  await own.entra.clock.advance(10_000);
  own.entra.next(await own.entra.answer({}, { access_token: "AT new", refresh_token: "RT new" }));
  await own.entra.settle(first.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  await own.carried.adopt(first, request, USER);
  assertEquals(await tokenIn(own, first), "AT new");
  const other = own.isolate(true);
  await own.carried.adopt(other, request, USER);
  assertEquals(await tokenIn(own, other), "AT new");
});

test("R-112 a load that goes on while the browser's tokens are taken wins", async () => {
  const own = world();
  const first = await signedIn(own);
  const request = own.jar.request();
  own.entra.next(await own.entra.answer({}, { access_token: "AT new", refresh_token: "RT new" }));
  await own.entra.settle(first.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  const app = own.isolate(true);
  const [, token] = await Promise.all([own.carried.adopt(app, request, USER), tokenIn(own, app)]);
  assertEquals([token, await tokenIn(own, app)], ["AT new", "AT new"]);
});

test("R-116 a user who was removed here is not brought back by what the browser still carries", async () => {
  const own = world();
  const app = await signedIn(own);
  const request = own.jar.request();
  await own.entra.clock.advance(5_000);
  await app.removeAccount(HOME_ACCOUNT_ID);
  for (const seconds of [0, 60, 50]) {
    await own.entra.clock.advance(seconds * 1_000);
    await own.carried.adopt(app, request, USER);
    assertEquals(await app.getAccount(HOME_ACCOUNT_ID), null);
    assertEquals(await tokenIn(own, app), undefined);
  }
});

test("R-116 a user whom another isolate removed is not brought back where the store shows it", async () => {
  const own = world();
  const first = await signedIn(own);
  const request = own.jar.request();
  await own.entra.clock.advance(5_000);
  await first.removeAccount(HOME_ACCOUNT_ID);
  const app = own.isolate(true);
  await own.carried.adopt(app, request, USER);
  assertEquals(await tokenIn(own, app), undefined);
});

test("R-116 a removal from before the sign-in, which the store shows late, does not keep it out", async () => {
  const own = world();
  const app = own.isolate(true);
  await own.entra.signIn(app);
  await app.removeAccount(HOME_ACCOUNT_ID);
  const tombstones = new Map(
    await Promise.all(
      [...own.store.values.keys()].map(async (key) => [key, await own.store.get(key)] as const),
    ),
  );
  assert(tombstones.size > 0);
  await own.entra.clock.advance(5_000);
  await own.entra.signIn(app);
  own.jar.take(await own.carried.carry(app, USER));
  own.late = (key) => Promise.resolve(tombstones.get(key));
  const other = own.isolate();
  await own.carried.adopt(other, own.jar.request(), USER);
  assertEquals(await tokenIn(own, other), "AT 2");
});

test("R-116 a removal that is heard of later takes away what was adopted", async () => {
  const own = world();
  const first = await signedIn(own);
  const app = own.isolate();
  await own.carried.adopt(app, own.jar.request(), USER);
  await own.entra.clock.advance(5_000);
  await first.removeAccount(HOME_ACCOUNT_ID);
  own.late = own.store.get;
  const { users } = openApplication(app).engine.configuration.cache;
  const [user] = users.users("login.microsoftonline.com", app.clientId);
  await users.load(user!.key);
  assertEquals(await tokenIn(own, app), undefined);
});

test("a store that fails does not keep the browser's tokens out", async () => {
  const own = world();
  await signedIn(own);
  own.late = () => Promise.reject(new Error("down"));
  const app = own.isolate();
  await own.carried.adopt(app, own.jar.request(), USER);
  assertEquals(await tokenIn(own, app), "AT 1");
});

for (
  const [name, members, kept] of [
    ["all of it, where it fits", {}, ["AT", "RT", "ID"]],
    ["no access token, where that is too large", { access_token: "A".repeat(9_000) }, ["RT", "ID"]],
    ["no ID token either", { refresh_token: "R".repeat(7_000) }, ["RT"]],
    ["nothing, where not even the refresh token fits", { refresh_token: "R".repeat(9_000) }, []],
  ] as const
) {
  test(`R-133 what is carried fits three cookies: ${name}`, async () => {
    const own = world();
    await signedIn(own, members);
    assert(own.jar.cookies.length <= 3, `${own.jar.cookies.length}`);
    const app = own.isolate();
    await own.carried.adopt(app, own.jar.request(), USER);
    const { users, index } = { ...openApplication(app).engine.configuration.cache };
    const user = users.users("login.microsoftonline.com", app.clientId)[0];
    const found = [
      index.size > 0 ? "AT" : "",
      (user?.refreshTokens.length ?? 0) > 0 ? "RT" : "",
      [...user?.profiles.values() ?? []].some(({ idToken }) => idToken) ? "ID" : "",
    ];
    assertEquals(found.filter(Boolean), [...kept]);
  });
}

test("the cookie is deleted at a sign-out, and only where there is one", async () => {
  const own = world();
  await signedIn(own, { access_token: "A".repeat(4_000) });
  assert(own.jar.cookies.length > 1);
  own.jar.take(own.carried.clear(own.jar.request()));
  assertEquals(own.jar.cookies, []);
  assertEquals(own.carried.clear(own.jar.request()), []);
});

test("a second sign-in takes the place of what was carried, larger or smaller", async () => {
  const own = world();
  for (const chars of [10, 4_000, 10]) {
    await signedIn(own, { access_token: `${chars} ${"A".repeat(chars)}` });
    const app = own.isolate();
    await own.carried.adopt(app, own.jar.request(), USER);
    assertEquals((await tokenIn(own, app))?.split(" ")[0], `${chars}`);
  }
});

test("R-175 a weak secret is refused at the start", () => {
  const error = thrown(() => world(false, "short"));
  assertEquals([error.code, (error as { option?: string }).option], ["invalid_option", "cookieSecret"]);
});
