/** Where a browser may be sent after a sign-in. */
import { assertEquals } from "@std/assert";
import { isReturnPath, returnPath } from "../src/web/return_path.ts";
import { test } from "./support/suite.ts";
import { SITE, WebScene } from "./support/web_scene.ts";

const RULES = {
  origin: SITE,
  ownPaths: ["/auth/sign-in", "/auth/callback", "/auth/sign-out"],
  homePath: "/home",
};

const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  "another host": [
    "//evil.example",
    "///evil.example",
    "//evil.example/%2f..",
    "/\\evil.example",
    "\\\\evil.example",
  ],
  "a slash in disguise": [
    "/%2f%2fevil.example",
    "/%2F/evil",
    "/%5cevil.example",
    "/%5C%5Cevil",
    "/%09/evil",
    "//%0d%0aevil",
  ],
  "a scheme": [
    "https:evil.example",
    "https://evil.example",
    "http:/evil",
    "javascript:alert(1)",
    "data:text/html,x",
  ],
  "the site's own origin, whoever is behind it": [
    SITE,
    `${SITE}/page`,
    `${SITE}@evil.example`,
    "https://app.example.evil.example/",
  ],
  "user information": ["@evil.example", "//user:pass@evil.example", "user@evil"],
  "control characters": [
    "/\t/evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/\n/evil",
    "/a\u0000b",
    "\u0001/page",
    "/a\u007f",
  ],
  "white space": [" /page", "/page ", "/a b", "\u00a0/page", "/a\u2028b"],
  "slashes of other scripts": [
    "/\u2215evil",
    "/\uff0f\uff0fevil.example",
    "\u2044\u2044evil",
    "/\u29f8evil",
    "/\uff3cevil",
  ],
  "dots that lead elsewhere": [
    "/..//evil.example",
    "/a/..//evil",
    "/./",
    "/a/../b",
    "/%2e%2e//evil",
    "/a/%2E%2e/b",
    "/..",
  ],
  "backslashes": ["/a\\b", "/a/\\/evil", "/page?x=\\"],
  "no path": ["", "page", "?a=1", "#a", ".", "..", "*"],
  "no text": [undefined, null, 1, {}, ["/page"], true],
  "too much": [`/${"a".repeat(2048)}`],
  "the handlers' own paths (R-147)": [
    "/auth/sign-in",
    "/auth/sign-in?return_to=/auth/sign-in",
    "/auth/callback?code=1",
    "/auth/sign-out#x",
    "/AUTH/Sign-In",
    "/auth/sign-in/",
    "/auth/%73ign-in",
    "/auth%2fsign-in",
  ],
};

for (const [what, values] of Object.entries(REFUSED)) {
  test(`a return address is none of this site's pages: ${what} (R-146)`, () => {
    for (const value of values) assertEquals([value, returnPath(value, RULES)], [value, "/home"]);
  });
}

test("a return address of this site stays as it is (R-146)", () => {
  const paths = [
    "/",
    "/page",
    "/page/",
    "/a//b",
    "/page?next=//evil.example&x=%2F%2F",
    "/page#part",
    "/%E2%82%AC",
    "/a@b",
    "/a:b",
    "/auth",
    "/auth/sign-inn",
    "/...",
    "/a%20b?c=d%0d%0a",
  ];
  for (const path of paths) assertEquals([path, isReturnPath(path, RULES)], [path, true]);
});

test("a sign-in comes back to a page of this site, whatever its address says (R-146, R-147)", async () => {
  const scene = new WebScene();
  const values = [
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "/%2f%2fevil",
    "/auth/callback",
    "/x\r\ny: z",
  ];
  for (const value of values) {
    const sent = await scene.visitor.visit(`/auth/sign-in?return_to=${encodeURIComponent(value)}`);
    assertEquals([value, (await scene.comeBack(sent)).location], [value, "/"]);
    await scene.clock.advance(61_000);
  }
  const twice = await scene.visitor.visit("/auth/sign-in?return_to=/one&return_to=/two");
  assertEquals((await scene.comeBack(twice)).location, "/");
});

test("a page whose own path leads elsewhere is not come back to (R-146)", async () => {
  const scene = new WebScene();
  const sent = await scene.visitor.visit(new URL(`${SITE}//evil.example/page`));
  assertEquals((await scene.comeBack(sent)).location, "/");
});

test("the application itself cannot name a page elsewhere either (R-146)", async () => {
  const scene = new WebScene();
  for (const returnTo of ["https://evil.example/", "//evil.example", "/auth/sign-in"]) {
    const visit = await scene.auth.visit(
      new Request(`${SITE}/page`, { headers: { accept: "text/html" } }),
    );
    const sent = await visit.challenge({ returnTo });
    const visitor = scene.another();
    for (const line of sent.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]!.split(/=(.*)/);
      visitor.cookies.set(name, { value, sameSite: "Lax", line });
    }
    const back = await scene.comeBack({ location: sent.headers.get("location")! }, {}, visitor);
    assertEquals(back.location, "/");
  }
});
