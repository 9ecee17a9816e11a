/** Sessions on the server. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { MemoryStore, type Store } from "../mod.ts";
import { failure, settle, thrown } from "./support/app_fixture.ts";
import { CookieJar, requestWith } from "./support/cookie_jar.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { printed } from "./support/printed.ts";
import { countingStore, faultyStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, ISSUER, OLD_SECRET, sessionUser, sessionWorld } from "./support/web_sessions.ts";

const HOUR_MS = 3_600_000;
const RECORD = /^msal-edge\.session\.v1\.[\w-]{43}$/;
const LIST = /^msal-edge\.sessions\.v1\.[\w-]{43}$/;

function world(
  cas = true,
  over: { secret?: string | readonly string[]; clock?: FakeClock; store?: Store } = {},
) {
  const clock = over.clock ?? new FakeClock();
  const counting = countingStore(clock, cas);
  return { ...sessionWorld({ store: counting, ...over, clock }), store: counting };
}

/** A browser of its own for the same sessions. */
async function browser({ sessions, clock }: ReturnType<typeof world>, over = {}): Promise<CookieJar> {
  const jar = new CookieJar(clock);
  jar.take((await sessions.begin(requestWith(""), sessionUser(over))).headers);
  return jar;
}

test("a visit is one read of the store, and nothing is written, renewed or not", async () => {
  const { store, clock, begin, visit } = world();
  await begin();
  store.take();
  for (let i = 0; i < 5; i++) {
    assert(await visit());
    assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
  }
  await clock.advance(HOUR_MS);
  assertEquals((await visit())?.headers.length, 1);
  assertEquals(store.take(), { get: 1, set: 0, delete: 0 });
});

test("what is not ours in a cookie costs no read of the store", async () => {
  const { store, sessions } = world();
  for (const header of ["", "__Host-auth.session=x", `__Host-auth.session=1.AAAAAAAA.${"A".repeat(300)}`]) {
    assertEquals(await sessions.read(requestWith(header)), undefined);
  }
  assertEquals(store.calls, []);
});

test("R-134 who reads the store learns no id, user or sid, and can make no cookie of it", async () => {
  const { store, begin } = world();
  const { session } = await begin();
  assertEquals(store.values.size, 3);
  for (const [key, value] of store.values) {
    assert(RECORD.test(key) || LIST.test(key), key);
    assertMatch(value, /^1\.[\w-]{8}\.[\w-]+$/);
    const bytes = atob(value.split(".")[2]!.replaceAll("-", "+").replaceAll("_", "/"));
    for (const secret of [session.id, "ada@contoso", "subject-of-ada", "sid-1", "aa905949"]) {
      assert(!(key + value + bytes).includes(secret));
    }
  }
});

test("R-134 a record in another's place, changed, or sealed for something else is no session", async () => {
  const own = world();
  const { store, sessions } = own;
  const [ada, eve] = [await browser(own), await browser(own, { subject: "eve", sid: "sid-2" })];
  const records = [...store.values.keys()].filter((key) => RECORD.test(key));
  const list = [...store.values.keys()].find((key) => LIST.test(key))!;
  const put = (value: string) =>
    store.set(records[0]!, value, { expiresAtMs: Number.MAX_SAFE_INTEGER }).then(() =>
      sessions.read(ada.request())
    );
  const good = store.values.get(records[0]!)!;
  assert(await put(good));
  for (
    const value of [
      store.values.get(records[1]!)!,
      store.values.get(list)!,
      good.slice(0, -4),
      "",
      "{}",
      '{"version":1}',
    ]
  ) assertEquals(await put(value), undefined);
  assert(await sessions.read(eve.request()));
  assert(await put(good));
});

test("R-136 a record may be forgotten when its session ends in any case", async () => {
  const { store, begin } = world();
  const { session } = await begin();
  for (const { options } of store.writes) assertEquals(options.expiresAtMs, session.expiresAt * 1000);
});

const DOWN: Readonly<Record<string, () => never | Promise<never>>> = {
  "rejects": () => Promise.reject(new Error("cAnArY7")),
  "throws at once": () => {
    throw new Error("cAnArY7");
  },
  "hangs": () => new Promise<never>(() => {}),
};
for (const [name, fault] of Object.entries(DOWN)) {
  test(`R-113 R-138 a store that ${name} is an outage and no sign-out, within a bounded time`, async () => {
    const own = world();
    const { clock, begin, jar } = own;
    await begin();
    const down = sessionWorld({ clock, store: faultyStore(fault) });
    const error = await failure(settle(clock, down.sessions.read(jar.request())));
    assertEquals([error.name, error.code], ["CacheError", "cache_read_failed"]);
    assert(down.events.length > 0 && down.events.every(({ type }) => type === "cache_failed"));
    assert(![error, ...down.events].map(printed).join().includes("cAnArY7"));
    assertEquals(await down.sessions.read(requestWith("")), undefined);
    assert(await own.visit());
  });

  test(`R-144 a store that ${name} keeps nobody from signing out here`, async () => {
    const { clock, begin, jar } = world();
    await begin();
    const down = sessionWorld({ clock, store: faultyStore(fault) });
    jar.take(await settle(clock, down.sessions.end(jar.request())));
    assertEquals(jar.cookies, []);
    assert(down.events.length > 0);
  });

  test(`a store that ${name} begins no session and ends none from elsewhere: both are errors`, async () => {
    const { clock, sessions, events } = sessionWorld({ store: faultyStore(fault) });
    const begun = await failure(settle(clock, sessions.begin(requestWith(""), sessionUser())));
    const ended = await failure(settle(clock, sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" })));
    assertEquals([begun.name, ended.name], ["CacheError", "CacheError"]);
    assert(![begun, ended, ...events].map(printed).join().includes("ada@"));
  });
}

test("a store that cannot delete ends nothing from elsewhere, and that is an error", async () => {
  const clock = new FakeClock();
  const memory = new MemoryStore({ clock });
  const store: Store = {
    cas: true,
    get: (key) => memory.get(key),
    set: (key, value, options) => memory.set(key, value, options),
    delete: () => Promise.reject(new Error("no")),
  };
  const { sessions, begin, visit } = sessionWorld({ clock, store });
  await begin();
  assertEquals(
    (await failure(sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" }))).code,
    "cache_write_failed",
  );
  assert(await visit());
});

test("a store that is none is refused at the start", () => {
  for (const store of [{}, null, "store", { get() {} }]) {
    const error = thrown(() => sessionWorld({ store: store as unknown as Store }));
    assertEquals([error.code, (error as { option?: string }).option], ["invalid_store", "sessionStore"]);
  }
});

for (const cas of [true, false]) {
  const kind = cas ? "compares and sets" : "does not compare";

  test(`R-141 a session that the authority names by issuer and sid ends, no other does; the store ${kind}`, async () => {
    const own = world(cas);
    const [ada, phone, eve] = [
      await browser(own),
      await browser(own, { sid: "sid-2" }),
      await browser(own, { sid: "sid-3", subject: "eve" }),
    ];
    assertEquals(await own.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" }), true);
    const live = async () =>
      await Promise.all([ada, phone, eve].map(async (jar) => !!await own.sessions.read(jar.request())));
    assertEquals(await live(), [false, true, true]);
    assertEquals(await own.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" }), true);
    assertEquals(await live(), [false, true, true]);
  });

  test(`R-141 all sessions of a user end by issuer and sub, and nobody else's; the store ${kind}`, async () => {
    const own = world(cas);
    const jars = [
      await browser(own),
      await browser(own, { sid: "sid-2" }),
      await browser(own, { sid: undefined }),
    ];
    const eve = await browser(own, { sid: "sid-3", subject: "eve" });
    await own.sessions.endElsewhere({ issuer: ISSUER, subject: "subject-of-ada" });
    for (const jar of jars) assertEquals(await own.sessions.read(jar.request()), undefined);
    assert(await own.sessions.read(eve.request()));
  });

  test(`R-141 a sid with its user ends sessions whose sid is not known, too, and no other device's; the store ${kind}`, async () => {
    const own = world(cas);
    const jars = [
      await browser(own),
      await browser(own, { sid: undefined }),
      await browser(own, { sid: "sid-2" }),
      await browser(own, { sid: undefined, subject: "eve" }),
    ];
    const live = async () =>
      await Promise.all(jars.map(async (jar) => !!await own.sessions.read(jar.request())));
    await own.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" });
    assertEquals(await live(), [false, true, true, true]);
    await own.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1", subject: "subject-of-ada" });
    assertEquals(await live(), [false, false, true, true]);
  });

  test(`R-141 one sid may have several sessions here: all end; the store ${kind}`, async () => {
    const own = world(cas);
    const jars = await Promise.all(Array.from({ length: 8 }, () => browser(own)));
    for (const jar of jars) assert(await own.sessions.read(jar.request()));
    await own.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1", subject: "subject-of-ada" });
    const left = await Promise.all(jars.map((jar) => own.sessions.read(jar.request())));
    // Without compare-and-set the lists of sign-ins of the same moment may lose some; the store's page says so.
    if (cas) assertEquals(left, Array(8).fill(undefined));
  });

  for (
    const [name, ended] of Object.entries({
      "another issuer": { issuer: `${ISSUER}/`, sid: "sid-1" },
      "another issuer's user": { issuer: "https://evil.example", subject: "subject-of-ada" },
      "an unknown sid": { issuer: ISSUER, sid: "sid-9" },
      "an unknown user": { issuer: ISSUER, subject: "nobody" },
      "a sid as a user": { issuer: ISSUER, subject: "sid-1" },
      "a user as a sid": { issuer: ISSUER, sid: "subject-of-ada" },
      "neither": { issuer: ISSUER },
      "empty texts": { issuer: ISSUER, sid: "", subject: "" },
      "the sid in another case": { issuer: ISSUER, sid: "SID-1" },
      "__proto__": { issuer: "__proto__", sid: "__proto__" },
      "a long one": { issuer: ISSUER, sid: "x".repeat(100_000) },
      "texts that join to the same": { issuer: `${ISSUER}5:sid`, sid: "-1" },
    })
  ) {
    test(`R-141 nothing ends by ${name}; the store ${kind}`, async () => {
      const own = world(cas);
      await own.begin();
      assertEquals(await own.sessions.endElsewhere(ended), true);
      assert(await own.visit());
    });
  }

  test(`R-139 a session ended elsewhere is not brought back by requests that renew it meanwhile; the store ${kind}`, async () => {
    const own = world(cas);
    const { clock, sessions, jar, store } = own;
    await own.begin();
    await clock.advance(HOUR_MS);
    // Ten requests have read the record when it ends.
    const { get } = store;
    let ended: Promise<unknown> | undefined;
    store.get = async (key, options) => {
      const found = await get(key, options);
      if (RECORD.test(key) && ended === undefined) {
        ended = Promise.resolve();
        await sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" });
      }
      return found;
    };
    const answers = await Promise.all(Array.from({ length: 10 }, () => sessions.read(jar.request())));
    for (const answer of answers) jar.take(answer?.headers ?? []);
    assertEquals(await sessions.read(jar.request()), undefined);
    assertEquals([...store.values.keys()].filter((key) => RECORD.test(key)), []);
  });
}

test("R-139 a record that is sealed anew is not brought back when it ended meanwhile", async () => {
  const clock = new FakeClock();
  const store = countingStore(clock);
  const before = sessionWorld({ clock, store, secret: OLD_SECRET });
  await before.begin();
  const after = sessionWorld({ clock, store, secret: [COOKIE_SECRET, OLD_SECRET] });
  store.beforeSet = async (key) => {
    if (!RECORD.test(key)) return;
    store.beforeSet = undefined;
    await after.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" });
  };
  await after.sessions.read(before.jar.request());
  assertEquals(await after.sessions.read(before.jar.request()), undefined);
  assertEquals([...store.values.keys()].filter((key) => RECORD.test(key)), []);
});

test("R-141 sign-ins at the same moment all get onto the list, whoever writes in between", async () => {
  const own = world();
  const second = sessionWorld({ clock: own.clock, store: own.store });
  let raced = 0;
  own.store.beforeSet = async (key) => {
    if (!LIST.test(key) || raced++ > 6) return;
    const jar = new CookieJar(own.clock);
    jar.take((await second.sessions.begin(requestWith(""), sessionUser())).headers);
    others.push(jar);
  };
  const others: CookieJar[] = [];
  await own.begin();
  own.store.beforeSet = undefined;
  assert(others.length > 3);
  await own.sessions.endElsewhere({ issuer: ISSUER, sid: "sid-1" });
  for (const jar of [own.jar, ...others]) assertEquals(await own.sessions.read(jar.request()), undefined);
});

test("R-141 a list that is full ends the oldest session, so that none escapes it", async () => {
  const own = world();
  const jars: CookieJar[] = [];
  for (let i = 0; i < 53; i++) jars.push(await browser(own, { sid: `sid-${i}` }));
  const live = async () =>
    (await Promise.all(jars.map((jar) => own.sessions.read(jar.request())))).map(Boolean);
  assertEquals(await live(), [...Array(3).fill(false), ...Array(50).fill(true)]);
  await own.sessions.endElsewhere({ issuer: ISSUER, subject: "subject-of-ada" });
  assertEquals(await live(), Array(53).fill(false));
});

test("R-187 sessions that end leave nothing in the store but empty lists", async () => {
  const own = world();
  for (let i = 0; i < 60; i++) {
    await own.begin();
    own.jar.take(await own.sessions.end(own.jar.request()));
  }
  assertEquals([...own.store.values.keys()].filter((key) => RECORD.test(key)), []);
  assert([...own.store.values.values()].every((value) => value.length < 200));
  // Nor does a browser that signs in again and again fill its user's list.
  for (let i = 0; i < 60; i++) await own.begin();
  assertEquals([...own.store.values.keys()].filter((key) => RECORD.test(key)).length, 1);
});

test("R-135 a sign-in ends the session that the browser had, for whoever copied its cookie", async () => {
  const own = world();
  await own.begin();
  const copied = own.jar.request();
  await own.begin({ sid: "sid-2" });
  assertEquals(await own.sessions.read(copied), undefined);
  assert(await own.visit());
});

test("R-144 a session that was signed out is gone for whoever copied its cookie", async () => {
  const own = world();
  await own.begin();
  const copied = own.jar.request();
  await own.sessions.end(own.jar.request());
  assertEquals(await own.sessions.read(copied), undefined);
});

test("a session that could not be begun leaves no record", async () => {
  const own = world();
  const { set } = own.store;
  own.store.set = (key, value, options) =>
    LIST.test(key) ? Promise.reject(new Error("no")) : set(key, value, options);
  assertEquals((await failure(own.begin())).code, "cache_write_failed");
  assertEquals([...own.store.values.keys()], []);
});

test("R-141 a session without a sid is not found by an empty one", async () => {
  const own = world();
  await own.begin({ sid: "" });
  await own.sessions.endElsewhere({ issuer: ISSUER, sid: "" });
  assert(await own.visit());
  assertEquals([...own.store.values.keys()].filter((key) => LIST.test(key)).length, 1);
});

test("R-187 a list forgets sessions that have ended by themselves", async () => {
  const own = world();
  const sizes: number[] = [];
  for (let day = 0; day < 4; day++) {
    await browser(own, { sid: undefined });
    await browser(own, { sid: undefined });
    sizes.push([...own.store.values].find(([key]) => LIST.test(key))![1].length);
    await own.clock.advance(12 * HOUR_MS);
  }
  assertEquals(sizes[1], sizes[2]);
  assertEquals(sizes[2], sizes[3]);
});
