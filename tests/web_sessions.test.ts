/** Sessions, in the browser and on the server alike. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemoryStore } from "../mod.ts";
import { Cookies } from "../src/web/cookies.ts";
import { SealedCookie } from "../src/web/sealed_cookie.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { CookieJar, requestWith } from "./support/cookie_jar.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { printed } from "./support/printed.ts";
import { test } from "./support/suite.ts";
import {
  COOKIE_SECRET,
  KEEPERS,
  OLD_SECRET,
  OTHER_SECRET,
  sessionUser,
  type SessionWorld,
  sessionWorld,
  SETTINGS,
} from "./support/web_sessions.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

for (const [where, world] of Object.entries(KEEPERS)) {
  test(`a session that was begun is found again, with its user and times, ${where}`, async () => {
    const { clock, begin, visit, jar } = world();
    const now = clock.now() / 1000;
    const { session } = await begin();
    assertEquals(session, {
      version: 1,
      id: session.id,
      user: sessionUser(),
      issuedAt: now,
      renewedAt: now,
      idleUntil: now + 28_800,
      expiresAt: now + 86_400,
    });
    assertEquals(new Set(session.id).size > 10 && session.id.length, 43);
    assertEquals(await visit(), { session, headers: [] });
    assertEquals(await visit(), { session, headers: [] });
    assertEquals(jar.cookies.map(({ name }) => name), ["__Host-auth.session"]);
  });

  test(`a request without a session has none, ${where}`, async () => {
    const { sessions } = world();
    for (
      const header of ["", "a=b", "__Host-auth.session=", "__Host-auth.session=x; __Host-auth.session.0=y"]
    ) {
      assertEquals(await sessions.read(requestWith(header)), undefined);
    }
  });

  test(`R-130 the session's cookie keeps to the rules, on http loopback too, ${where}`, async () => {
    const { jar, begin } = world();
    await begin();
    assertEquals([...jar.cookies[0]!.attributes], [
      ["max-age", "28800"],
      ["path", "/"],
      ["httponly", ""],
      ["secure", ""],
      ["samesite", "Lax"],
    ]);
    const local = world({ settings: { secure: false, sameSite: "Strict" } });
    await local.begin();
    assertEquals(local.jar.cookies[0]!.name, "auth.session");
    assertEquals(local.jar.cookies[0]!.attributes.get("samesite"), "Strict");
    assert(await local.visit());
  });

  test(`R-134 neither user nor id can be read in the cookie, ${where}`, async () => {
    const { jar, begin } = world();
    const { session } = await begin();
    const [{ value } = { value: "" }] = jar.cookies;
    const bytes = atob(value.split(".")[2]!.replaceAll("-", "+").replaceAll("_", "/"));
    for (const secret of [session.id, "ada@", "subject-of-ada", "sid-1", "reader"]) {
      assert(!(value + bytes).includes(secret));
    }
  });

  test(`R-135 a sign-in makes a new id, and what the request brought before is gone, ${where}`, async () => {
    const { sessions, jar, begin, visit } = world();
    const first = await begin();
    const before = jar.copy();
    const second = await begin();
    assertNotEquals(second.session.id, first.session.id);
    assertEquals((await visit())?.session.id, second.session.id);
    assertEquals(jar.cookies.length, 1);
    // On the server the old session has ended for whoever kept its cookie; a cookie that is the session cannot be called back.
    const kept = await sessions.read(before.request());
    assertEquals(kept?.session.id, where === "on the server" ? undefined : first.session.id);
  });

  test(`R-135 a session that somebody set before the sign-in is not the one after it, ${where}`, async () => {
    const attacker = world();
    await attacker.begin({ subject: "mallory", homeAccountId: "mallory" });
    const victim = new CookieJar(attacker.clock);
    for (const { name, value } of attacker.jar.cookies) {
      victim.take([["set-cookie", `${name}=${value}; Max-Age=999; Path=/; HttpOnly; Secure; SameSite=Lax`]]);
    }
    victim.take((await attacker.sessions.begin(victim.request(), sessionUser())).headers);
    assertEquals((await attacker.sessions.read(victim.request()))?.session.user.subject, "subject-of-ada");
    assertNotEquals((await attacker.visit())?.session.user.subject, "subject-of-ada");
  });

  test(`R-136 a session ends when nobody came for long enough, whatever the browser kept, ${where}`, async () => {
    const { clock, sessions, jar, begin } = world();
    await begin();
    const request = jar.request();
    await clock.advance(8 * HOUR_MS - 1_000);
    assert(await sessions.read(request));
    await clock.advance(1_000);
    assertEquals(await sessions.read(request), undefined);
    assertEquals(jar.cookies, []);
  });

  test(`R-136 a session ends in any case, however often somebody comes, ${where}`, async () => {
    const { clock, begin, visit, jar } = world();
    await begin();
    for (let hour = 1; hour < 24; hour++) {
      await clock.advance(HOUR_MS);
      assert(await visit(), `${hour}`);
    }
    const request = jar.request();
    await clock.advance(HOUR_MS);
    assertEquals(await visit(), undefined);
    assertNotEquals(request.headers.get("cookie"), null);
  });

  test(`R-136 what the options say now counts for sessions from before, ${where}`, async () => {
    const clock = new FakeClock();
    const store = where === "on the server" ? new MemoryStore({ clock }) : undefined;
    const before = world({ clock, store });
    await before.begin();
    const idle = world({ clock, store, life: { idleSeconds: 60 } });
    const short = world({ clock, store, life: { absoluteSeconds: 60 } });
    assert(await idle.sessions.read(before.jar.request()));
    await clock.advance(MINUTE_MS);
    assertEquals(await idle.sessions.read(before.jar.request()), undefined);
    assertEquals(await short.sessions.read(before.jar.request()), undefined);
    assert(await before.visit());
  });

  test(`R-136 a session is renewed once a tenth of its idle time, never beyond its end, ${where}`, async () => {
    const { clock, begin, visit, jar } = world();
    const { session } = await begin();
    await clock.advance(48 * MINUTE_MS - 1_000);
    assertEquals((await visit())?.headers, []);
    await clock.advance(1_000);
    const renewed = await visit();
    const now = clock.now() / 1000;
    assertEquals(renewed?.headers.length, 1);
    assertEquals(renewed?.session, { ...session, renewedAt: now, idleUntil: now + 28_800 });
    assertEquals(await visit(), { session: renewed!.session, headers: [] });
    assertEquals(jar.cookies[0]!.attributes.get("max-age"), "28800");
    for (let i = 0; i < 23; i++) {
      await clock.advance(50 * MINUTE_MS);
      await visit();
    }
    const late = await visit();
    assertEquals(late?.session.idleUntil, session.expiresAt);
    await clock.advance(HOUR_MS);
    assertEquals((await visit())?.headers, []);
  });

  test(`R-136 a session from the future is none, ${where}`, async () => {
    const clock = new FakeClock();
    const store = where === "on the server" ? new MemoryStore({ clock: new FakeClock() }) : undefined;
    const ahead = world({ clock: new FakeClock(clock.now() + HOUR_MS), store });
    await ahead.begin();
    const { sessions } = world({ clock, store });
    assertEquals(await sessions.read(ahead.jar.request()), undefined);
  });

  test(`R-139 ten requests renew at once: every answer's cookie is good, and the last one wins, ${where}`, async () => {
    const { clock, sessions, begin, jar } = world();
    const { session } = await begin();
    await clock.advance(HOUR_MS);
    const requests = Array.from({ length: 10 }, () => jar.request());
    const answers = await Promise.all(requests.map((request) => sessions.read(request)));
    assertEquals(answers.map((answer) => answer?.session.id), Array(10).fill(session.id));
    assertEquals(answers.map((answer) => answer?.headers.length), Array(10).fill(1));
    for (const answer of answers) {
      const browser = jar.copy();
      browser.take(answer!.headers);
      assertEquals((await sessions.read(browser.request()))?.session.id, session.id);
    }
    for (const answer of answers.toReversed()) jar.take(answer!.headers);
    assertEquals((await sessions.read(jar.request()))?.session.renewedAt, clock.now() / 1000);
    // Nor does a renewal end what other tabs still have.
    assert(await sessions.read(requests[0]!));
  });

  for (const [name, secret] of [["key", OTHER_SECRET], ["purpose", COOKIE_SECRET]] as const) {
    test(`R-132 R-190 a session of another ${name} is ignored, and hides none of ours, ${where}`, async () => {
      const { jar, sessions, begin } = world();
      const { session } = await begin();
      const foreign = new SealedCookie(
        new Cookies(SETTINGS),
        secret,
        name === "key" ? "session" : "transaction",
      );
      const evil = new CookieJar(new FakeClock());
      evil.take(await foreign.write(requestWith(""), "session", session, { maxAgeSeconds: 600 }));
      const tossed = evil.request().headers.get("cookie")!;
      assertEquals(await sessions.read(requestWith(tossed)), undefined);
      assertEquals((await sessions.read(jar.request(tossed)))?.session.id, session.id);
      assertEquals((await sessions.read(jar.request("", tossed)))?.session.id, session.id);
    });
  }

  test(`R-132 a cookie of one way of keeping sessions is none in the other, ${where}`, async () => {
    const own = world();
    await own.begin();
    for (const [other, make] of Object.entries(KEEPERS)) {
      if (other === where) continue;
      assertEquals(await make({ clock: own.clock }).sessions.read(own.jar.request()), undefined);
    }
  });

  test(`R-190 of two sessions of ours the one that lives counts, ${where}`, async () => {
    const { clock, sessions, jar, begin } = world();
    await begin();
    const old = jar.request().headers.get("cookie")!;
    await clock.advance(9 * HOUR_MS);
    const { session } = await begin();
    assertEquals((await sessions.read(jar.request(old)))?.session.id, session.id);
  });

  test(`R-122 a session of an older secret is good, and sealed with the newest at once, ${where}`, async () => {
    const clock = new FakeClock();
    const store = where === "on the server" ? new MemoryStore({ clock }) : undefined;
    const before = world({ clock, store, secret: OLD_SECRET });
    const { session } = await before.begin();
    const both = world({ clock, store, secret: [COOKIE_SECRET, OLD_SECRET] });
    const found = await both.sessions.read(before.jar.request());
    assertEquals([found?.session.id, found?.headers.length], [session.id, 1]);
    before.jar.take(found!.headers);
    assertEquals((await both.sessions.read(before.jar.request()))?.headers, []);
    const after = world({ clock, store, secret: COOKIE_SECRET });
    assertEquals((await after.sessions.read(before.jar.request()))?.session.id, session.id);
    assertEquals(await before.sessions.read(before.jar.request()), undefined);
  });

  test(`a session that ends is gone, with all its cookies, ${where}`, async () => {
    const { sessions, jar, begin, visit } = world();
    await begin();
    jar.take(await sessions.end(jar.request()));
    assertEquals([jar.cookies, await visit()], [[], undefined]);
    jar.take(await sessions.end(jar.request()));
    assertEquals((await sessions.end(requestWith(""))).length, 1);
  });

  test(`R-131 with a domain both variants are deleted, ${where}`, async () => {
    const { sessions, jar, begin, visit } = world({ settings: { domain: "example.com" } });
    await begin();
    assert(await visit());
    assertEquals(jar.cookies[0]!.name, "__Secure-auth.session");
    assertEquals(
      (await sessions.end(jar.request())).map(([, header]) =>
        header.split(/;.*Path=\/(?:; )?|; HttpOnly/).slice(0, 2)
      ),
      [
        ["__Secure-auth.session=", "Domain=example.com"],
        ["__Secure-auth.session=", "HttpOnly; Secure; SameSite=Lax"],
        ["__Host-auth.session=", "HttpOnly; Secure; SameSite=Lax"],
      ],
    );
  });

  test(`R-188 claims are data, whatever their names are, ${where}`, async () => {
    const { begin, visit } = world();
    const claims = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":"c","toString":"t","hasOwnProperty":1}',
    );
    await begin({ claims });
    const found = await visit();
    assertEquals(Object.keys(found!.session.user.claims), Object.keys(claims));
    assertEquals((Object.prototype as Record<string, unknown>).polluted, undefined);
  });

  for (
    const [option, life] of [
      ["session.idleSeconds", { idleSeconds: 0 }],
      ["session.idleSeconds", { idleSeconds: 1.5 }],
      ["session.idleSeconds", { idleSeconds: Infinity }],
      ["session.absoluteSeconds", { absoluteSeconds: -1 }],
      ["session.absoluteSeconds", { absoluteSeconds: NaN }],
      ["session.absoluteSeconds", { absoluteSeconds: "3600" as unknown as number }],
    ] as const
  ) {
    test(`a life that is none is refused at the start: ${option} ${Object.values(life)}, ${where}`, () => {
      const error = thrown(() => world({ life }));
      assertEquals([error.code, (error as { option?: string }).option], ["invalid_option", option]);
    });
  }

  for (
    const secret of ["", " ".repeat(40), "undefined", "too short", "your-secret-your-secret-your-secret"]
  ) {
    test(`R-175 a weak secret is refused at the start: ${JSON.stringify(secret)}, ${where}`, () => {
      const error = thrown(() => world({ secret }));
      assertEquals([error.code, (error as { option?: string }).option], ["invalid_option", "cookieSecret"]);
      assert(secret.length < 5 || !error.message.includes(secret));
    });
  }

  test(`R-170 nothing that is printed of what keeps sessions has a secret in it, ${where}`, async () => {
    const own = world();
    const { session } = await own.begin();
    await own.visit();
    const told = [own.sessions, ...own.events].map(printed).join();
    for (const secret of [COOKIE_SECRET, session.id, "ada@contoso.example"]) assert(!told.includes(secret));
  });
}

/** What is sealed as a session by our own key, and is none. */
const NO_SESSIONS: Readonly<Record<string, (session: Record<string, unknown>) => unknown>> = {
  "null": () => null,
  "a text": () => "session",
  "a list": (session) => [session],
  "without an id": ({ id: _, ...rest }) => rest,
  "a short id": (session) => ({ ...session, id: "x" }),
  "another version": (session) => ({ ...session, version: 2 }),
  "without a user": ({ user: _, ...rest }) => rest,
  "a user without a name": (session) => ({ ...session, user: { ...sessionUser(), username: undefined } }),
  "claims that are none": (session) => ({ ...session, user: { ...sessionUser(), claims: null } }),
  "without a beginning": ({ issuedAt: _, ...rest }) => rest,
  "without a renewal": ({ renewedAt: _, ...rest }) => rest,
  "without an end": ({ expiresAt: _, ...rest }) => rest,
  "without an idle end": ({ idleUntil: _, ...rest }) => rest,
  "an end that is a text": (session) => ({ ...session, expiresAt: "9999999999" }),
  "an end that is no number": (session) => ({ ...session, expiresAt: null }),
  "an end far ahead": (session) => ({
    ...session,
    issuedAt: 0,
    expiresAt: 1e12,
    idleUntil: 1e12,
    renewedAt: 0,
  }),
};
for (const [name, change] of Object.entries(NO_SESSIONS)) {
  test(`R-136 what is sealed and no session is rejected: ${name}`, async () => {
    const { clock, sessions, begin } = sessionWorld();
    const { session } = await begin();
    const cookie = new SealedCookie(new Cookies(SETTINGS), COOKIE_SECRET, "session");
    const write = async (value: unknown) => {
      const jar = new CookieJar(clock);
      jar.take(await cookie.write(requestWith(""), "session", value, { maxAgeSeconds: 600 }));
      return await sessions.read(jar.request());
    };
    assertEquals(await write(change({ ...session })), undefined);
    assertEquals((await write(session))?.session.id, session.id);
  });
}

test("R-133 a session with many claims is in parts, and shrinks again at the next sign-in", async () => {
  const { jar, begin, visit } = sessionWorld();
  const roles = Array.from({ length: 300 }, (_, i) => `a role with a name ${i}`);
  await begin({ claims: { roles } });
  assertEquals(
    jar.cookies.map(({ name }) => name.slice(19)),
    [".0", ".1", ".2"].slice(0, jar.cookies.length),
  );
  assert(jar.cookies.length > 1);
  assertEquals((await visit())?.session.user.claims, { roles });
  await begin();
  assertEquals(jar.cookies.map(({ name }) => name), ["__Host-auth.session"]);
  assertEquals((await visit())?.session.user.claims, { roles: ["reader"] });
});

test("R-133 a session too large for cookies is an error that names the way out", async () => {
  const { begin } = sessionWorld();
  const error = await failure(begin({ claims: { groups: "cAnArY7 ".repeat(2_000) } }));
  assertEquals(error.code, "value_too_large");
  assert(!printed(error).includes("cAnArY7") && error.message.includes("server"));
});

test("R-142 sessions in the browser cannot be ended from elsewhere, and say so", async () => {
  const { sessions, begin, visit } = sessionWorld();
  const { session: { user: { issuer, sid, subject } } } = await begin();
  assertEquals(await sessions.endElsewhere({ issuer, sid, subject }), false);
  assert(await visit());
});

test("R-187 many sessions keep memory flat: what was opened is forgotten, and opened again", async () => {
  const { sessions } = sessionWorld();
  const jars: CookieJar[] = [];
  for (let i = 0; i < 300; i++) {
    const jar = new CookieJar(new FakeClock());
    jar.take((await sessions.begin(requestWith(""), sessionUser({ subject: `s${i}` }))).headers);
    jars.push(jar);
  }
  const read = async (own: SessionWorld["sessions"]) => {
    for (const [i, jar] of jars.entries()) {
      assertEquals((await own.read(jar.request()))?.session.user.subject, `s${i}`);
    }
  };
  await read(sessions);
  await read(sessions);
});
