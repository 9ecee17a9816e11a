/** The library's own pages: closed, escaped, readable, and the application's where it draws them. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { WebPage } from "../src/web/mod.ts";
import { pageMarkup } from "../src/web/page_markup.ts";
import { test } from "./support/suite.ts";
import { type Visited, WebScene } from "./support/web_scene.ts";

const HOSTILE = `<script>alert("1")</script>' & "><img src=x onerror=alert(1)>`;
const PAGE: WebPage = {
  kind: "error",
  status: 400,
  title: HOSTILE,
  text: HOSTILE,
  reference: HOSTILE,
  action: { label: HOSTILE, href: `/x"><script>` },
  styleNonce: `n"><script>`,
};

/** One of each kind of page. */
async function pagesOf(scene: WebScene): Promise<Visited[]> {
  const pages = [
    await scene.visitor.visit("/auth/signed-out"),
    await scene.visitor.visit("/auth/sign-out"),
    await scene.visitor.visit("/auth/callback"),
    await scene.visitor.visit("/auth/sign-in", { method: "PUT" }),
  ];
  for (let i = 0; i < 3; i++) {
    await scene.signIn();
    scene.visitor.cookies.delete("__Host-auth.session");
  }
  return [...pages, await scene.visitor.visit("/page")];
}

test("no page may be framed, kept, sniffed or run anything (R-149)", async () => {
  const nonces: string[] = [];
  for (const { headers, status, text } of await pagesOf(new WebScene())) {
    assertEquals(headers.get("content-type"), "text/html; charset=utf-8");
    const [, nonce = ""] = /style-src 'nonce-([\w-]{22})'/.exec(headers.get("content-security-policy")!) ??
      [];
    nonces.push(nonce);
    const hasForm = text.includes("<form");
    const forms = hasForm ? "'self' https: https://login.microsoftonline.com" : "'none'";
    assertEquals(
      headers.get("content-security-policy"),
      `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${forms}; base-uri 'none'; frame-ancestors 'none'`,
    );
    assertEquals(headers.get("x-frame-options"), "DENY");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("cache-control"), "private, no-store");
    assertEquals(headers.get("vary"), "Cookie");
    assertEquals(headers.get("referrer-policy"), hasForm ? "same-origin" : "no-referrer");
    assert(text.includes(`<style nonce="${nonce}">`) && !/<script| style=| on\w+=/.test(text));
    assert(status === 200 || status >= 400);
  }
  assertEquals(new Set(nonces).size, nonces.length);
});

test("pages have a language, a title, one heading, a landmark and one way on", async () => {
  for (const { text, title } of await pagesOf(new WebScene())) {
    assertMatch(text, /^<!DOCTYPE html>\n<html lang="en">/);
    assertEquals(/<title>(.*)<\/title>/.exec(text)![1], /<h1>(.*)<\/h1>/.exec(text)![1]);
    assertEquals([text.match(/<h1>/g)!.length, text.match(/<main>/g)!.length], [1, 1]);
    assertEquals((text.match(/<a |<button>/g) ?? []).length, 1);
    assertNotEquals(title, "");
    assertMatch(text, /name="viewport" content="width=device-width, initial-scale=1"/);
  }
});

test("what is put into a page is text (R-038)", () => {
  const markup = pageMarkup(PAGE);
  assertEquals(markup.match(/<script|<img|onerror="|alert\("/g), null);
  assert(markup.includes("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; &amp; &quot;&gt;"));
  assert(markup.includes(`href="/x&quot;&gt;&lt;script&gt;"`));
  assert(
    pageMarkup({ ...PAGE, action: { label: "x", href: `/"`, method: "post" } }).includes(`action="/&quot;"`),
  );
});

function luminance(colour: string): number {
  const long = colour.length === 4 ? colour.replace(/[^#]/g, "$&$&") : colour;
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => parseInt(long.slice(at, at + 2), 16) / 255)
    .map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test("texts, links and buttons can be read in light and in dark", () => {
  const markup = pageMarkup(PAGE);
  for (const scheme of [/:root\{([^}]*)\}/, /dark\)\{:root\{([^}]*)\}/]) {
    const values = scheme.exec(markup)![1]!.split(";").map((pair) => pair.split(":"));
    const of = (name: string) => luminance(values.find(([key]) => key === `--${name}`)![1]!);
    const contrast = (a: string, b: string) => {
      const [dark = 0, light = 0] = [of(a), of(b)].sort((x, y) => x - y);
      return (light + 0.05) / (dark + 0.05);
    };
    for (const [a, b] of [["ink", "paper"], ["dim", "paper"], ["on", "key"]] as const) {
      assert(contrast(a, b) >= 7);
    }
    assert(contrast("key", "paper") >= 3);
  }
});

test("an application draws its own pages, and the headers stay (R-149)", async () => {
  const drawn: WebPage[] = [];
  const scene = new WebScene({
    web: {
      renderPage: (page) => {
        drawn.push(page);
        return Promise.resolve(`<style nonce="${page.styleNonce}"></style>mine`);
      },
    },
  });
  for (const { text, headers } of await pagesOf(scene)) {
    assertMatch(text, /mine$/);
    const nonce = /nonce="([^"]+)"/.exec(text)![1]!;
    assert(headers.get("content-security-policy")!.includes(`'nonce-${nonce}'`));
    assertEquals(headers.get("x-frame-options"), "DENY");
  }
  assertEquals(drawn.map(({ kind, status }) => [kind, status]), [
    ["signed_out", 200],
    ["sign_out", 200],
    ["error", 400],
    ["error", 405],
    ["loop", 429],
  ]);
  assertEquals(drawn[1]!.action, { label: "Sign out", href: "/auth/sign-out", method: "post" });
});

test("pages that the application cannot draw are the library's own, and it is told", async () => {
  const faults: (() => unknown)[] = [
    () => {
      throw new Error("secret of the application");
    },
    () => Promise.reject(new Error("secret of the application")),
    () => undefined,
    () => 7,
  ];
  for (const fault of faults) {
    const scene = new WebScene({ web: { renderPage: fault as () => string } });
    const page = await scene.visitor.visit("/auth/signed-out");
    assertEquals([page.status, page.title], [200, "You are signed out"]);
    assertEquals(scene.events.map(({ type }) => type), ["request_failed"]);
    assert(!JSON.stringify(scene.events).includes("secret of"));
  }
});

test("an error that nobody expected is a page without it, and an event without its words", async () => {
  const scene = new WebScene();
  scene.app.initiateAuthCodeFlow = () => Promise.reject(new RangeError("the secret is s3cret"));
  const page = await scene.visitor.visit("/auth/sign-in");
  assertEquals([page.status, page.title], [500, "Something went wrong"]);
  assertEquals(scene.events.map(({ type }) => type), ["request_failed"]);
  const told = `${page.text}${JSON.stringify(scene.events)}`;
  assert(!told.includes("s3cret") && told.includes("RangeError"));
  const script = await scene.visitor.visit("/auth/callback", { script: true });
  assertEquals([script.status, JSON.parse(script.text).error], [400, "auth_flow_mismatch"]);
});
