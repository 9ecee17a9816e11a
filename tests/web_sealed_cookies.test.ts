/** Sealed cookies, whole and in parts. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Cookies } from "../src/web/cookies.ts";
import { OpenedTexts } from "../src/web/opened_texts.ts";
import { SealedCookie } from "../src/web/sealed_cookie.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { CookieJar, requestWith } from "./support/cookie_jar.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, OLD_SECRET, OTHER_SECRET, SETTINGS } from "./support/web_sessions.ts";

const cookies = new Cookies(SETTINGS);
const LIFE = { maxAgeSeconds: 600 };
const NONE = requestWith("");

function sealed(
  secret: string | readonly string[] = COOKIE_SECRET,
  label = "test",
  own = cookies,
): SealedCookie {
  return new SealedCookie(own, secret, label);
}

/** A browser that has such a cookie. */
async function jarWith(value: unknown, cookie = sealed(), name = "x"): Promise<CookieJar> {
  const jar = new CookieJar(new FakeClock());
  jar.take(await cookie.write(NONE, name, value, LIFE));
  return jar;
}

/** Text that takes so much room. */
function text(chars: number, char = "a"): { text: string } {
  return { text: char.repeat(chars) };
}

for (
  const value of [null, 0, "", "x", [], {}, { a: [1, "Ω", null] }, text(3_000), text(9_000), {
    e: "😀".repeat(2_000),
  }]
) {
  test(`R-133 a value comes back, whole or in parts: ${JSON.stringify(value).slice(0, 30)}`, async () => {
    const jar = await jarWith(value);
    assertEquals(await sealed().read(jar.request(), "x"), value);
    assertEquals(await sealed().read(jar.request("a=1; x=2", "b=3"), "x"), value);
  });
}

test("R-134 nothing of a value is in the clear, whole or in parts", async () => {
  for (const chars of [10, 6_000]) {
    const jar = await jarWith({ canary: "cAnArY7".repeat(chars / 5) });
    for (const { value } of jar.cookies) {
      const bytes = atob(
        value.split(/[.~]/).at(-1)!.replaceAll("-", "+").replaceAll("_", "/").slice(0, -3 || undefined).slice(
          0,
          400,
        ),
      );
      for (const part of ["cAnArY7", "canary", btoa("cAnArY7").slice(0, 8)]) {
        assert(!(value + bytes).includes(part));
      }
    }
  }
});

const FOREIGN: Readonly<Record<string, () => Promise<CookieJar>>> = {
  "another key": () => jarWith({ a: 1 }, sealed(OTHER_SECRET)),
  "another purpose": () => jarWith({ a: 1 }, sealed(COOKIE_SECRET, "other")),
  "in parts, with another key": () => jarWith(text(5_000), sealed(OTHER_SECRET)),
  "in parts, for another purpose": () => jarWith(text(5_000), sealed(COOKIE_SECRET, "other")),
};
for (const [name, make] of Object.entries(FOREIGN)) {
  test(`R-132 a foreign cookie is ignored: ${name}`, async () => {
    assertEquals(await sealed().read((await make()).request(), "x"), undefined);
  });
  test(`R-132 a foreign cookie hides none of ours, before or behind it: ${name}`, async () => {
    const evil = (await make()).request().headers.get("cookie")!;
    for (const value of [{ own: 1 }, { ...text(5_000), own: 1 }]) {
      const jar = await jarWith(value);
      assertEquals(await sealed().read(jar.request(evil), "x"), value);
      assertEquals(await sealed().read(jar.request("", evil), "x"), value);
    }
  });
}

test("R-132 a cookie opens under its own name alone, also where it is remembered", async () => {
  const opened = new OpenedTexts();
  const cookie = new SealedCookie(cookies, COOKIE_SECRET, "test", opened);
  const jar = await jarWith({ a: 1 }, cookie);
  assertEquals(await cookie.read(jar.request(), "x"), { a: 1 });
  const [{ value } = { value: "" }] = jar.cookies;
  assertEquals(await cookie.read(requestWith(`__Host-auth.y=${value}`), "y"), undefined);
  const domain = new SealedCookie(
    new Cookies({ ...SETTINGS, domain: "example.com" }),
    COOKIE_SECRET,
    "test",
    opened,
  );
  assertEquals(await domain.read(requestWith(`__Secure-auth.x=${value}`), "x"), undefined);
  const plain = new SealedCookie(new Cookies({ ...SETTINGS, secure: false }), COOKIE_SECRET, "test", opened);
  assertEquals(await plain.read(requestWith(`auth.x=${value}`), "x"), undefined);
});

test("R-132 a cookie that is changed anywhere does not open", async () => {
  const jar = await jarWith({ a: 1 });
  const [{ value } = { value: "" }] = jar.cookies;
  for (let i = 0; i < value.length; i++) {
    const changed = value.slice(0, i) + (value[i] === "A" ? "B" : "A") + value.slice(i + 1);
    assertEquals(await sealed().read(requestWith(`__Host-auth.x=${changed}`), "x"), undefined);
  }
});

test("R-122 what an older secret sealed opens and is known as old; what is written has the newest", async () => {
  const jar = await jarWith({ a: 1 }, sealed(OLD_SECRET));
  const both = sealed([COOKIE_SECRET, OLD_SECRET]);
  assertEquals(await both.open(jar.request(), "x", (value) => value), { value: { a: 1 }, isOld: true });
  jar.take(await both.write(jar.request(), "x", { a: 2 }, LIFE));
  assertEquals(await both.open(jar.request(), "x", (value) => value), { value: { a: 2 }, isOld: false });
  assertEquals(await sealed(COOKIE_SECRET).read(jar.request(), "x"), { a: 2 });
  assertEquals(await sealed(OLD_SECRET).read(jar.request(), "x"), undefined);
});

test("R-133 parts are at most 4096 bytes each, eight, 16 KiB together; the most that fits comes back", async () => {
  let largest = 0;
  for (let chars = 2_500; chars < 13_000; chars += 97) {
    const headers = await sealed().write(NONE, "x", text(chars), LIFE).catch((error) => {
      assertEquals(error.code, "value_too_large");
      return undefined;
    });
    if (headers === undefined) break;
    largest = chars;
    assert(headers.length <= 8 && headers.every(([, header]) => header.length <= 4_096));
    assert(headers.reduce((sum, [, header]) => sum + header.length, 0) <= 16_384);
    const jar = new CookieJar(new FakeClock());
    jar.take(headers);
    assertEquals(await sealed().read(jar.request(), "x"), text(chars));
    const names = jar.cookies.map(({ name }) => name.slice("__Host-auth.x".length));
    assertEquals(names, names.length === 1 ? [""] : names.map((_, i) => `.${i}`));
  }
  assert(largest > 11_000, `${largest}`);
});

test("R-133 more than 16 KiB is an error that says what to do, and nothing of the value", async () => {
  for (const chars of [13_000, 1_000_000]) {
    const error = await failure(sealed().write(NONE, "x", { secret: "cAnArY7".repeat(chars / 7) }, LIFE));
    assertEquals([error.name, error.code], ["CacheError", "value_too_large"]);
    assertStringIncludes(error.message, "16384 bytes");
    assert(!error.message.includes("cAnArY7"));
  }
});

test("R-133 parts that are left over are deleted when a cookie shrinks, and the whole one when it grows", async () => {
  const cookie = sealed();
  const jar = new CookieJar(new FakeClock());
  for (const chars of [10_000, 5_000, 10, 5_000, 11_000, 10, 20, 3_000]) {
    jar.take(await cookie.write(jar.request(), "x", text(chars), LIFE));
    const names = jar.cookies.map(({ name }) => name).sort();
    const fresh = (await jarWith(text(chars))).cookies.map(({ name }) => name).sort();
    assertEquals(names, fresh, `${chars}`);
    assertEquals(await cookie.read(jar.request(), "x"), text(chars));
  }
});

test("R-133 parts of two versions are rejected as a whole", async () => {
  const [one, two] = [await jarWith(text(9_000, "a")), await jarWith(text(9_000, "b"))];
  const [first, second] = [one, two].map((jar) => jar.cookies.map(({ name, value }) => `${name}=${value}`));
  assertEquals(first!.length, 4);
  for (let mask = 1; mask < 15; mask++) {
    const mixed = first!.map((cookie, i) => mask & (1 << i) ? second![i]! : cookie);
    assertEquals(await sealed().read(requestWith(mixed.join("; ")), "x"), undefined);
  }
  for (let i = 0; i < 4; i++) {
    assertEquals(
      await sealed().read(requestWith(first!.filter((_, at) => at !== i).join("; ")), "x"),
      undefined,
    );
  }
  assertEquals(await sealed().read(requestWith(first!.toReversed().join("; ")), "x"), text(9_000, "a"));
});

test("R-190 duplicates of single parts hide nothing: those that belong together are found", async () => {
  const one = (await jarWith(text(9_000, "a"))).cookies;
  const evil = ["v", "2~AAAAAAAAAAAA~AAAA", "AAAAAAAAAAAA~AAAA", "~~~~"];
  for (let at = 0; at < 4; at++) {
    for (const value of evil) {
      const tossed = `__Host-auth.x.${at}=${value}`;
      const own = one.map((cookie) => `${cookie.name}=${cookie.value}`);
      for (const header of [[tossed, ...own], [...own, tossed], [tossed, tossed, tossed, ...own]]) {
        assertEquals(await sealed().read(requestWith(header.join("; ")), "x"), text(9_000, "a"), value);
      }
    }
  }
});

for (
  const first of [
    "0~AAAAAAAAAAAA~A",
    "1~AAAAAAAAAAAA~A",
    "9~AAAAAAAAAAAA~A",
    "99~AAAAAAAAAAAA~A",
    "-1~AAAAAAAAAAAA~A",
    "2~~A",
    "2~AAAAAAAAAAAA~",
    "2~AAAAAAAAAAAA",
    "2.AAAAAAAAAAAA~A",
    "__proto__~AAAAAAAAAAAA~A",
    "8~AAAAAAAAAAAA~1.AAAAAAAA.AAAAAAAAAAAA",
    "x",
    "~",
    "2~2~AAAAAAAAAAAA~A",
  ]
) {
  test(`R-133 a first part that is none is ignored: ${first}`, async () => {
    const rest = Array.from({ length: 9 }, (_, i) => `__Host-auth.x.${i + 1}=AAAAAAAAAAAA~A`).join("; ");
    assertEquals(await sealed().read(requestWith(`__Host-auth.x.0=${first}; ${rest}`), "x"), undefined);
  });
}

test("R-131 a cookie is cleared in all its parts, on domain and host, and nothing else is", async () => {
  const own = new Cookies({ ...SETTINGS, domain: "example.com" });
  const cookie = sealed(COOKIE_SECRET, "test", own);
  const headers = await cookie.write(NONE, "x", text(5_000), LIFE);
  const jar = new CookieJar(new FakeClock());
  jar.take(headers);
  jar.take(await cookie.write(NONE, "xy", 1, LIFE));
  jar.take(await sealed(COOKIE_SECRET, "test", own.hostOnly).write(NONE, "x", text(9_000), LIFE));
  jar.take(cookie.clear(jar.request(), "x"));
  assertEquals(jar.cookies.map(({ name }) => name), ["__Secure-auth.xy"]);
});

test("R-131 a cookie is cleared also where the request did not bring it", () => {
  assertEquals(sealed().clear(NONE, "x").map(([, header]) => header.split(";")[0]), ["__Host-auth.x="]);
});

for (
  const [name, secret] of Object.entries({
    "empty": "",
    "whitespace": " ".repeat(40),
    "undefined": undefined,
    "the text undefined": "undefined".repeat(5),
    "short": "Xw4mT7pQz1Lk9Vb3Rn6Yc8Jd2Hs5Gf0",
    "one letter": "x".repeat(40),
    "an example": "change-me-change-me-change-me-32chars",
    "no secret at all": [],
    "one of several": [COOKIE_SECRET, "short"],
    "no text": [COOKIE_SECRET, undefined],
  })
) {
  test(`R-175 a weak secret is refused at the start: ${name}`, () => {
    const error = thrown(() => new SealedCookie(cookies, secret as string, "test"));
    assertEquals([error.code, (error as { option?: string }).option], ["invalid_option", "cookieSecret"]);
  });
}

test("R-187 what was opened is remembered in bounded memory, and shared frozen", async () => {
  const opened = new OpenedTexts(20_000);
  const cookie = new SealedCookie(cookies, COOKIE_SECRET, "test", opened);
  const jar = await jarWith({ a: { b: [1] } }, cookie);
  const [one, two] = [await cookie.read(jar.request(), "x"), await cookie.read(jar.request(), "x")];
  assert(one === two);
  assert(Object.isFrozen((one as { a: { b: unknown } }).a.b));
  for (let i = 0; i < 100; i++) opened.put(`text ${i}`, { value: i, isOld: false }, 500);
  const kept = Array.from({ length: 100 }, (_, i) => opened.get(`text ${i}`)).filter(Boolean).length;
  assert(kept > 0 && kept < 20, `${kept}`);
  opened.put("large", { value: 1, isOld: false }, 20_000);
  assertEquals(opened.get("large"), undefined);
});

test("R-196 whatever the cookies hold, reading and clearing throw nothing", async () => {
  const part = fc.oneof(
    fc.constantFrom("__Host-auth.x", ".0", ".1", ".7", "=", "; ", "~", "2~", "1.", "AAAAAAAAAAAA"),
    fc.string({ maxLength: 8 }),
  );
  const cookie = sealed();
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 40 }), async (parts) => {
      const header = parts.join("").replace(/[^\t\x20-\x7e]/g, "");
      const request = { headers: { get: () => header } } as unknown as Request;
      assertEquals(await cookie.read(request, "x"), undefined);
      cookie.clear(request, "x").forEach(([, text]) => assert(text.length <= 4_096));
    }),
    { numRuns: 1_000 },
  );
});
