/** Cookies of the web handlers. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Cookies } from "../src/web/cookies.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { parseSetCookie, requestWith } from "./support/cookie_jar.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";
import { SETTINGS } from "./support/web_sessions.ts";

const cookies = new Cookies(SETTINGS);
const onLoopback = new Cookies({ ...SETTINGS, secure: false });
const onDomain = new Cookies({ ...SETTINGS, domain: "example.com" });

test("R-130 a cookie is __Host-, Secure, HttpOnly, of the whole site, without a domain, SameSite said", () => {
  const [header, text] = cookies.set("session", "v", { maxAgeSeconds: 60 });
  assertEquals(header, "set-cookie");
  assertEquals(text, "__Host-auth.session=v; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax");
  const strict = new Cookies({ ...SETTINGS, sameSite: "Strict" }).set("session", "v", { maxAgeSeconds: 60 });
  assertStringIncludes(strict[1], "; SameSite=Strict");
});

test("R-130 on http loopback the name has no prefix, and there is no Secure", () => {
  const [, text] = onLoopback.set("session", "v", { maxAgeSeconds: 60 });
  assertEquals(text, "auth.session=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax");
});

test("R-129 a cookie for form_post is SameSite=None and Secure, also on loopback", () => {
  for (const [own, name] of [[cookies, "__Host-auth.tx.1"], [onLoopback, "auth.tx.1"]] as const) {
    const [, text] = own.set("tx.1", "v", { maxAgeSeconds: 60, sameSite: "None" });
    assertEquals(text, `${name}=v; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=None`);
  }
});

test("R-131 with a domain the name is __Secure-, and both variants are deleted", () => {
  const [, text] = onDomain.set("session", "v", { maxAgeSeconds: 60 });
  assertEquals(
    text,
    "__Secure-auth.session=v; Max-Age=60; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
  );
  assertEquals(onDomain.delete("session").map(([, header]) => header), [
    "__Secure-auth.session=; Max-Age=0; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax",
    "__Secure-auth.session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
    "__Host-auth.session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
  ]);
});

test("R-131 a cookie that is of the host alone has no domain in any case", () => {
  const [, text] = onDomain.hostOnly.set("tx.1", "v", { maxAgeSeconds: 60 });
  assertEquals(text, "__Host-auth.tx.1=v; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax");
  assertEquals(onDomain.hostOnly.all(requestWith("__Secure-auth.tx.1=evil; __Host-auth.tx.1=ok"), "tx.1"), [
    "ok",
  ]);
  assertEquals(cookies.hostOnly, cookies);
});

test("R-131 a cookie is deleted with the attributes that it was set with", () => {
  for (const own of [cookies, onLoopback, onDomain]) {
    for (const sameSite of [undefined, "Lax", "Strict", "None"] as const) {
      const set = parseSetCookie(own.set("x", "v", { maxAgeSeconds: 60, sameSite })[1]);
      const gone = parseSetCookie(own.delete("x", { sameSite })[0]![1]);
      assertEquals([gone.name, gone.value, gone.attributes.get("max-age")], [set.name, "", "0"]);
      const others = [set, gone].map(({ attributes }) =>
        [...attributes].filter(([name]) => name !== "max-age")
      );
      assertEquals(others[0], others[1]);
    }
  }
});

for (
  const [option, over] of [
    ["cookies.prefix", { prefix: "" }],
    ["cookies.prefix", { prefix: "a b" }],
    ["cookies.prefix", { prefix: "a;b" }],
    ["cookies.prefix", { prefix: "a=b" }],
    ["cookies.prefix", { prefix: "a\r\nb" }],
    ["cookies.prefix", { prefix: "auth\n" }],
    ["cookies.prefix", { prefix: "__Host-auth" }],
    ["cookies.prefix", { prefix: "x".repeat(33) }],
    ["cookies.domain", { domain: "" }],
    ["cookies.domain", { domain: "localhost" }],
    ["cookies.domain", { domain: ".example.com" }],
    ["cookies.domain", { domain: "example.com; SameSite=None" }],
    ["cookies.domain", { domain: "example.com\r\nset-cookie: a=b" }],
    ["cookies.domain", { domain: "https://example.com" }],
    ["cookies.domain", { domain: `${"a.".repeat(200)}com` }],
    ["cookies.domain", { domain: "example.com", secure: false }],
    ["cookies.sameSite", { sameSite: "None" as "Lax" }],
    ["cookies.sameSite", { sameSite: "lax; Domain=x" as "Lax" }],
  ] as const
) {
  test(`R-191 settings that are none are refused at the start: ${JSON.stringify(over)}`, () => {
    const error = thrown(() => new Cookies({ ...SETTINGS, ...over }));
    assertEquals([error.code, (error as { option?: string }).option], ["invalid_option", option]);
  });
}

for (const bad of ["a;b", "a b", "a\r\nb", 'a"b', "a,b", "a\\b", "é", "a=b", "%41", "\0"]) {
  test(`R-191 nothing is set that is not plain: ${JSON.stringify(bad)}`, async () => {
    for (const [name, value] of [["x", bad], [bad, "x"]] as const) {
      const error = await failure((async () => await cookies.set(name, value, { maxAgeSeconds: 1 }))());
      assertEquals(error.code, "unexpected_error");
      assert(!error.message.includes(bad));
    }
  });
}

const NAME = "__Host-auth.session";
const READINGS: Readonly<Record<string, readonly [header: string, values: readonly string[]]>> = {
  "none": ["", []],
  "one": [`${NAME}=v`, ["v"]],
  "among others": [`a=1; ${NAME}=v; b=2`, ["v"]],
  "without spaces": [`a=1;${NAME}=v;b=2`, ["v"]],
  "with many": [`a=1;  \t ${NAME}=v \t; b=2`, ["v"]],
  "duplicates, in order": [`${NAME}=1; ${NAME}=2; ${NAME}=3`, ["1", "2", "3"]],
  "more than are looked at": [Array.from({ length: 9 }, (_, i) => `${NAME}=${i}`).join("; "), [
    "0",
    "1",
    "2",
    "3",
  ]],
  "the end of another name": [`x${NAME}=v; x-${NAME}=v; x ${NAME}=v`, []],
  "the beginning of another name": [`${NAME}2=v; ${NAME}.0=v; ${NAME} =v`, []],
  "another case": [`${NAME.toUpperCase()}=v; __host-auth.session=v`, []],
  "without the prefix": ["auth.session=v; __Secure-auth.session=v", []],
  "inside a value": [`a=${NAME}=v; b="; ${NAME}=w`, ["w"]],
  "empty": [`${NAME}=; ${NAME}`, []],
  "values that nobody set": [`${NAME}="v"; ${NAME}=a%20b; ${NAME}=%; ${NAME}=a,b; ${NAME}=a=b; ${NAME}=ok`, [
    "ok",
  ]],
};
for (const [name, [header, values]] of Object.entries(READINGS)) {
  test(`R-190 what a header has of a cookie: ${name}`, () => {
    assertEquals(cookies.all(requestWith(header), "session"), values);
  });
}

test("R-190 names that begin alike are found, each once, in bounded number", () => {
  const request = requestWith(
    "__Host-auth.tx.a=1; __Host-auth.tx.a=2; __Host-auth.tx.b=; x__Host-auth.tx.c=1; auth.tx.d=1",
  );
  assertEquals(cookies.namesBeginning(request, "tx."), ["tx.a", "tx.b"]);
  assertEquals(cookies.namesBeginning(requestWith("__Host-auth.tx.a; __Host-auth.tx. b=1"), "tx."), []);
  const many = Array.from({ length: 500 }, (_, i) => `__Host-auth.tx.${i}=1`).join("; ");
  assertEquals(cookies.namesBeginning(requestWith(many), "tx.").length, 64);
});

const HOSTILE: Readonly<Record<string, string>> = {
  "300 cookies": Array.from({ length: 300 }, (_, i) => `c${i}=${i}`).join("; "),
  "300 of ours": Array.from({ length: 300 }, (_, i) => `${NAME}=${i}%`).join("; "),
  "64 kB of a value": `a=${"x".repeat(65_536)}`,
  "64 kB of semicolons": ";".repeat(65_536),
  "64 kB of spaces": `a${" ".repeat(65_536)}b`,
  "64 kB of our name": `${NAME}=`.repeat(3_300),
  "64 kB of our name and spaces": `; ${" ".repeat(60_000)}${NAME}=`,
  "64 kB of equals signs": "=".repeat(65_536),
  "invalid percent encoding": `${NAME}=%; ${NAME}=%E0%A4%A; ${NAME}=%zz`,
  "control characters": `\x01a=\x02; ${NAME}=a\x03b; \x7f=1`,
  "names of prototypes": "__proto__=1; constructor=2; toString=3; hasOwnProperty=4",
};
for (const [name, header] of Object.entries(HOSTILE)) {
  test(`R-190 R-188 a hostile header is harmless and hides nothing: ${name}`, () => {
    let request: Request;
    try {
      request = requestWith(`${header}; ${NAME}=v; __Host-auth.tx.1=w`);
    } catch {
      // Not every runtime lets such a header into a request.
      return;
    }
    const values = cookies.all(request, "session");
    assert(values.length <= 4 && values.every((value) => /^[\w.~-]+$/.test(value)));
    assert(values.includes("v") || header.includes("of our name"));
    assertEquals(cookies.namesBeginning(request, "tx."), ["tx.1"]);
  });
}

test("R-196 R-189 whatever the header is, reading gives values of ours and throws nothing", () => {
  const part = fc.oneof(
    fc.constantFrom(NAME, "session", "=", ";", "; ", " ", '"', "%", ".0", "__Host-", "tx.", "\t", "~", "v"),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const header = parts.join("").replace(/[^\t\x20-\x7e]/g, "");
      const request = { headers: { get: () => header } } as unknown as Request;
      const values = cookies.all(request, "session");
      // What a plain reader makes of the same header.
      const expected = header.split(";").map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(`${NAME}=`)).map((pair) => pair.slice(NAME.length + 1))
        .filter((value) => /^[\w.~-]+$/.test(value)).slice(0, 4);
      assertEquals(values, expected);
      assert(cookies.namesBeginning(request, "").every((name) => /^[\w.~-]+$/.test(name)));
    }),
    { numRuns: 3_000 },
  );
});
