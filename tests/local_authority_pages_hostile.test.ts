/** The pages of the local authority against hostile values, forged forms and strange addresses. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { LocalAuthority } from "../src/testing/mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { FormBrowser, type Visited } from "./support/form_browser.ts";
import {
  ADA,
  ASKING_APP,
  askingUrl,
  authorizeUrl,
  DEVICE_APP,
  GRACE,
  MFA_CLAIMS,
  ORIGIN,
  signInScene,
  WEB_APP,
} from "./support/sign_in_scene.ts";
import { test } from "./support/suite.ts";

const credentials = ({ username, password }: typeof ADA) => ({ username, password });

const HOSTILE: readonly (readonly [name: string, value: string])[] = [
  ["a script", `<script>alert(1)</script>`],
  ["the end of an attribute", `"><img src=x onerror=alert(1)>`],
  ["the end of a single-quoted attribute", `' onfocus='alert(1)' autofocus='`],
  ["the end of the style", `</style><script>alert(1)</script>`],
  ["a comment", `--><script>alert(1)</script><!--`],
  ["an entity", `&lt;script&gt;&#x3c;&amp;`],
  ["a line break", `x\r\nset-cookie: a=b\r\n\r\n<script>`],
  ["a template", "${alert(1)} {{7*7}}"],
  ["text that turns round", `\u202Eevil\u2066`],
  ["NUL and a lone surrogate", `\0\uD800`],
  ["10 kB", `<${"a".repeat(10_000)}"`],
];

/** Every tag that a page may have, without its attributes. */
const TAGS =
  /^<(!DOCTYPE|\/?(html|head|meta|title|style|body|main|p|svg|path|bdi|b|h1|form|input|label|div|button|ul|li|span|code|dl|dt|dd|footer|a|iframe))[ >]/;

/** Whether all markup of a page is the authority's own. */
function assertClean(page: Visited, name: string): void {
  const [, body = ""] = page.text.split("</style>");
  for (const [tag] of body.matchAll(/<[^>]*>?/g)) assertMatch(tag, TAGS, `${name}: ${tag.slice(0, 80)}`);
  assert(!/<[^>]* on\w+=/.test(body.replace(/="[^"]*"/g, "")), `${name}: has a handler`);
  assertEquals(page.text.split("<style>").length, 2, name);
}

function assertStrictHeaders(page: Visited, name: string): void {
  const { headers } = page;
  assertEquals(headers.get("content-type"), "text/html; charset=utf-8", name);
  assertEquals(headers.get("x-frame-options"), "DENY", name);
  assertEquals(headers.get("referrer-policy"), "no-referrer", name);
  assertEquals(headers.get("x-content-type-options"), "nosniff", name);
  assertMatch(headers.get("cache-control")!, /no-store/, name);
  const policy = headers.get("content-security-policy")!;
  assertMatch(policy, /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /, name);
  assertMatch(policy, /; frame-ancestors 'none'; base-uri 'none'$/, name);
  assert(!/unsafe|\*|nonce/.test(policy), policy);
  assertMatch(page.text, /^<!DOCTYPE html>\n<html lang="en">/, name);
}

async function styleHashFits(page: Visited): Promise<boolean> {
  const [, style = ""] = /<style>([^]*)<\/style>/.exec(page.text)!;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return page.headers.get("content-security-policy")!.includes(`'sha256-${hash}'`);
}

test("hostile values are text on every page of a sign-in, and come back to the app unchanged", async () => {
  for (const [name, value] of HOSTILE) {
    const { browser } = signInScene();
    const state = value.replace("\uD800", "\uFFFD");
    const url = askingUrl({ state: value, login_hint: value, claims: MFA_CLAIMS, unknown: value });
    const pages = [await browser.open(url)];
    assertEquals(pages[0]!.form!.fields["username"], state, name);
    pages.push(await browser.submit({ username: value, password: value }));
    pages.push(await browser.submit(credentials(ADA)));
    pages.push(await browser.submit({ code: value }));
    pages.push(await browser.submit({ code: "000000" }));
    assertEquals(pages.map(({ heading }) => heading), [
      "Sign in",
      "Sign in",
      "Enter the code",
      "Enter the code",
      "Permissions requested",
    ], name);
    for (const page of pages) {
      assertClean(page, name);
      assertStrictHeaders(page, name);
      assertMatch(
        page.headers.get("content-security-policy")!,
        /; form-action 'self' https:\/\/asking\.example;/,
      );
    }
    assert(await styleHashFits(pages[0]!));
    const { location, headers } = await browser.submit();
    assertEquals(location!.searchParams.get("state"), state, name);
    assertEquals([headers.get("referrer-policy"), headers.get("cache-control")?.includes("no-store")], [
      "no-referrer",
      true,
    ]);
  }
});

test("hostile values are text on the pages of errors, of form_post, of devices and of signing out", async () => {
  for (const [name, value] of HOSTILE) {
    const { browser } = signInScene();
    const posted = authorizeUrl({ state: value, response_mode: "form_post", prompt: "none" });
    const pages = [
      await browser.open(authorizeUrl({ client_id: value })),
      await browser.open(authorizeUrl({ redirect_uri: value })),
      await browser.open(authorizeUrl({}, { tenant: encodeURIComponent(`t${value.replace("\uD800", "")}`) })),
      await browser.open(`${ORIGIN}/common/oauth2/v2.0/logout?${new URLSearchParams({ state: value })}`),
    ];
    for (const page of pages) {
      assertClean(page, name);
      assertStrictHeaders(page, name);
    }
    const post = await browser.open(posted);
    assertEquals(post.form!.fields["state"], value.replace("\uD800", "\uFFFD"), name);
    assertEquals(post.text.match(/<script>/g)?.length, 1, name);
    assertClean({ ...post, text: post.text.replace(/<script>[^<]*<\/script>/, "") }, name);
  }
});

test("hostile names of people, apps and tenants are text", async () => {
  const tenants = [{
    id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
    domains: ["x.example"],
    name: HOSTILE[1]![1],
  }];
  for (const [name, value] of HOSTILE) {
    const users = [{ ...ADA, name: value }, { ...GRACE, name: value }];
    const apps = [{ ...ASKING_APP, name: value }];
    const { browser } = signInScene({ tenants, users, apps });
    const url = authorizeUrl({
      client_id: ASKING_APP.clientId,
      redirect_uri: ASKING_APP.redirectUris[0],
      prompt: "select_account consent",
    }, { tenant: "x.example" });
    assertClean(await browser.open(url), name);
    assertClean(await browser.submit(credentials(ADA)), name);
    const picker = await browser.open(url);
    assertEquals(picker.heading, "Pick an account");
    assertClean(picker, name);
  }
});

test("an address that a browser would run is no way back, even if it is declared", async () => {
  const uris = [
    "javascript:alert(document.domain)//",
    "JAVASCRIPT:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://x.example/1",
    "file:///etc/passwd",
  ];
  for (const redirect_uri of uris) {
    for (const response_mode of ["query", "fragment", "form_post"]) {
      const authority = new LocalAuthority({ apps: [{ ...WEB_APP, redirectUris: [redirect_uri] }] });
      const browser = new FormBrowser(authority.handler);
      const page = await browser.open(authorizeUrl({ redirect_uri, response_mode, prompt: "none" }));
      assertEquals([page.status, page.location, page.form], [400, undefined, undefined], redirect_uri);
      assertClean(page, redirect_uri);
    }
  }
});

test("a form without its token, or with another's, changes nothing", async () => {
  const { browser, authority } = signInScene();
  await browser.open(authorizeUrl());
  const { fields } = browser.page.form!;
  const victim = new FormBrowser(authority.handler);
  await victim.open(authorizeUrl());
  const other = victim.page.form!.fields;
  const rows: [string, Record<string, string | undefined>][] = [
    ["no token", { form_token: undefined }],
    ["an empty token", { form_token: "" }],
    ["a token that is none", { form_token: "9999999999.%%%" }],
    ["another browser's token", { form_token: other["form_token"] }],
    ["a later expiry", { form_token: fields["form_token"]!.replace(/^\d+/, "9999999999") }],
    ["another request", { request: fields["request"]!.replace("the+state", "forged") }],
    ["a deed not done", { done: "signedIn picked consented" }],
    ["an account not chosen", { account: "00000000-0000-4000-8000-000000000000" }],
  ];
  for (const [name, changes] of rows) {
    assertNotEquals({ ...fields, ...changes }, fields);
    await browser.open(authorizeUrl());
    const page = await browser.submit({ ...credentials(ADA), ...changes });
    assertEquals([page.status, page.location, page.headers.getSetCookie()], [400, undefined, []], name);
    assertMatch(page.text, /AADSTS165000/, name);
  }
  await browser.open(authorizeUrl({ prompt: "none" }));
  assertEquals(browser.page.location!.searchParams.get("error"), "login_required");
});

test("a form posted without the browser's cookie is refused, as another site would post it", async () => {
  const { browser } = signInScene();
  await browser.open(authorizeUrl());
  browser.cookies.clear();
  const page = await browser.submit(credentials(ADA));
  assertEquals([page.status, page.headers.getSetCookie()], [400, []]);
  assertMatch(page.text, /Let the browser keep cookies/);
});

test("repeated fields of a form are refused", async () => {
  for (const name of ["form_token", "request", "account", "done"]) {
    const { browser } = signInScene();
    const { form } = await browser.open(authorizeUrl());
    const fields = new URLSearchParams({ ...form!.fields, ...credentials(ADA) });
    fields.append(name, form!.fields[name]!);
    const page = await browser.post(new URL(form!.action, ORIGIN), fields);
    assertEquals([page.status, page.location], [400, undefined], name);
  }
});

test("repeated parameters of a request are refused", async () => {
  for (const name of ["client_id", "redirect_uri", "state", "scope", "prompt"]) {
    const { browser } = signInScene();
    const url = authorizeUrl({ prompt: "login" });
    url.searchParams.append(name, url.searchParams.get(name)!);
    const page = await browser.open(url);
    const error = page.location?.searchParams.get("error");
    assert(page.status === 400 || error === "invalid_request", `${name}: ${page.status} ${error}`);
  }
});

test("a form of one page is of no use on another, nor after an hour", async () => {
  const clock = new FakeClock();
  const { browser } = signInScene({ clock });
  const { form } = await browser.open(authorizeUrl());
  const fields = new URLSearchParams({ ...form!.fields, step: "account", user: "" });
  assertEquals((await browser.post(`${ORIGIN}/common/oauth2/v2.0/logout`, fields)).status, 400);
  await browser.open(authorizeUrl());
  await clock.advance(3_600_000);
  assertEquals((await browser.submit({ ...credentials(ADA), password: "wrong" })).status, 200);
  await browser.open(authorizeUrl());
  await clock.advance(3_601_000);
  assertEquals((await browser.submit(credentials(ADA))).status, 400);
});

test("the request is checked again at each step", async () => {
  const users = [ADA];
  const { browser } = signInScene({ users });
  await browser.open(authorizeUrl());
  const { fields, action } = browser.page.form!;
  // The same form at another tenant, and where the client is not known.
  const elsewhere = action.replace("contoso.onmicrosoft.com", "nowhere.example");
  const body = new URLSearchParams({ ...fields, ...credentials(ADA) });
  const page = await browser.post(new URL(elsewhere, ORIGIN), body);
  assertEquals([page.status, page.location], [400, undefined]);
  assertMatch(page.text, /AADSTS90002/);
});

test("two slashes at the beginning of the path do not send a password to another host", async () => {
  const { browser } = signInScene();
  const url = authorizeUrl();
  const page = await browser.open(`${ORIGIN}//contoso.onmicrosoft.com/oauth2/v2.0/authorize${url.search}`);
  assertEquals(page.status, 200);
  assertEquals(new URL(page.form!.action, ORIGIN).origin, ORIGIN);
});

test("cookies are opaque, out of the reach of scripts, and Secure where the page is", async () => {
  const rows: [string, RegExp][] = [
    [ORIGIN, /^local-(form|sessions)=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/],
    [
      "https://login.microsoftonline.com",
      /^__Host-local-(form|sessions)=[\w.-]+; Path=\/; HttpOnly; SameSite=None; Secure$/,
    ],
  ];
  for (const [origin, pattern] of rows) {
    const { browser, authority } = signInScene();
    const first = await browser.open(authorizeUrl({}, { origin }));
    const second = await browser.submit(credentials(ADA));
    const lines = [...first.headers.getSetCookie(), ...second.headers.getSetCookie()];
    assertEquals(lines.length, 2);
    for (const line of lines) assertMatch(line, pattern);
    const [user] = [ADA.username.split("@")[0]!];
    assert(!lines.some((line) => line.includes(user)));
    // The ids in cookies are not on any page.
    const picker = await browser.open(authorizeUrl({ prompt: "select_account" }, { origin }));
    for (const [name, value] of browser.cookies) {
      if (name.endsWith("sessions")) assert(!picker.text.includes(value));
    }
    assert(!JSON.stringify(authority.requests).includes(ADA.password));
  }
});

test("a cookie that was made up signs nobody in", async () => {
  for (const value of ["", ".", "x", "a.b.c", `${"x.".repeat(5000)}`, "__proto__", "%00", '"'] as const) {
    const { browser } = signInScene();
    browser.cookies.set("local-sessions", value);
    browser.cookies.set("local-form", value);
    const page = await browser.open(authorizeUrl());
    assertEquals([page.status, page.heading], [200, "Sign in"]);
    assert(browser.cookies.get("local-form") !== value);
  }
});

test("signing in again replaces the session, and the old one is dead", async () => {
  const { browser } = signInScene();
  await browser.open(authorizeUrl());
  await browser.submit(credentials(ADA));
  const old = browser.cookies.get("local-sessions")!;
  await browser.open(authorizeUrl({ prompt: "login" }));
  await browser.submit(credentials(ADA));
  assertNotEquals(browser.cookies.get("local-sessions"), old);
  browser.cookies.set("local-sessions", old);
  assertEquals((await browser.open(authorizeUrl())).heading, "Sign in");
});

test("who may not sign in learns it only with the right password", async () => {
  const tenants = [
    { id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10", domains: ["contoso.onmicrosoft.com"] },
    { id: "8f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10", domains: ["other.example"] },
  ];
  const stranger = { username: "eve@other.example", password: "eve's own", tenant: "other.example" };
  const { browser } = signInScene({ tenants, users: [ADA, stranger] });
  await browser.open(authorizeUrl());
  assertMatch((await browser.submit({ username: stranger.username, password: "wrong" })).text, /AADSTS50126/);
  const page = await browser.submit({ username: stranger.username, password: stranger.password });
  assertMatch(page.text, /AADSTS50020/);
  assertEquals(browser.cookies.has("local-sessions"), false);
});

test("an app without redirect URIs cannot be signed in to", async () => {
  const { browser } = signInScene();
  const page = await browser.open(authorizeUrl({ client_id: DEVICE_APP.clientId }));
  assertEquals([page.status, page.location], [400, undefined]);
});
