/** The sign-out page of the local authority. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { FormBrowser } from "./support/form_browser.ts";
import { ADA, authorizeUrl, GRACE, ORIGIN, signInScene, WEB_APP } from "./support/sign_in_scene.ts";
import { test } from "./support/suite.ts";

const credentials = ({ username, password }: typeof ADA) => ({ username, password });
const BACK = "https://orders.example/callback";

function logoutUrl(parameters: Record<string, string> = {}): string {
  return `${ORIGIN}/contoso.onmicrosoft.com/oauth2/v2.0/logout?${new URLSearchParams(parameters)}`;
}

async function signIn(browser: FormBrowser, user = ADA): Promise<void> {
  await browser.open(authorizeUrl({ prompt: "login", scope: "openid" }));
  await browser.submit(credentials(user));
  assertEquals(browser.page.status, 302);
}

async function isSignedIn(browser: FormBrowser, user = ADA): Promise<boolean> {
  const { location } = await browser.open(authorizeUrl({ prompt: "none", login_hint: user.username }));
  return location!.searchParams.has("code");
}

test("signing out ends the session and its cookie, and says so", async () => {
  const { browser } = signInScene({ apps: [{ ...WEB_APP, logoutUris: [] }] });
  await signIn(browser);
  const stolen = browser.cookies.get("local-sessions")!;
  const page = await browser.open(logoutUrl());
  assertEquals([page.status, page.heading], [200, "You signed out"]);
  assertEquals(browser.cookies.has("local-sessions"), false);
  assertEquals(await isSignedIn(browser), false);
  browser.cookies.set("local-sessions", stolen);
  assertEquals(await isSignedIn(browser), false);
});

test("a browser goes back to a declared address only, with the state", async () => {
  const { browser } = signInScene({ apps: [{ ...WEB_APP, logoutUris: [] }] });
  const client_id = WEB_APP.clientId;
  const back = { client_id, post_logout_redirect_uri: BACK, state: "a&b\r\n" };
  await signIn(browser);
  const { status, location } = await browser.open(logoutUrl(back));
  assertEquals([status, location!.searchParams.get("state")], [302, "a&b\r\n"]);
  assertEquals(`${location!.origin}${location!.pathname}`, BACK);
  assertEquals(await isSignedIn(browser), false);
  const bad = [
    "https://evil.example/",
    "https://orders.example.evil.example/callback",
    "javascript:alert(1)",
    "//evil.example",
    "",
    "x",
  ];
  for (const post_logout_redirect_uri of bad) {
    await signIn(browser);
    const page = await browser.open(logoutUrl({ ...back, post_logout_redirect_uri }));
    assertEquals([page.status, page.heading, page.location], [200, "You signed out", undefined]);
    assert(!page.text.includes("evil.example") && !page.text.includes("javascript:"));
    assertEquals(await isSignedIn(browser), false);
  }
});

test("apps are told in hidden frames, which the policy allows and nothing else", async () => {
  const { browser } = signInScene();
  await signIn(browser);
  const page = await browser.open(logoutUrl({ client_id: WEB_APP.clientId, post_logout_redirect_uri: BACK }));
  assertEquals(page.status, 200);
  assertMatch(page.text, /<iframe src="https:\/\/orders\.example\/signed-out[^"]*" title="[^"]+" sandbox=/);
  assertMatch(page.headers.get("content-security-policy")!, /; frame-src https:\/\/orders\.example; /);
  assertMatch(page.text, /<meta http-equiv="refresh" content="2;url=https:\/\/orders\.example\/callback">/);
  assertMatch(page.text, /<a href="https:\/\/orders\.example\/callback">/);
});

test("a sign-out address that is none is left out", async () => {
  const { browser } = signInScene({
    apps: [{ ...WEB_APP, logoutUris: ["x", "", "https://ok.example/out"] }],
  });
  await signIn(browser);
  const page = await browser.open(logoutUrl());
  assertEquals([page.status, page.text.match(/<iframe /g)?.length], [200, 1]);
  assertMatch(page.headers.get("content-security-policy")!, /; frame-src https:\/\/ok\.example; /);
});

test("of two accounts a person chooses one, or all", async () => {
  const { browser } = signInScene();
  const both = async () => [await isSignedIn(browser, ADA), await isSignedIn(browser, GRACE)];
  await signIn(browser, ADA);
  await signIn(browser, GRACE);
  const picker = await browser.open(logoutUrl());
  assertEquals([picker.heading, picker.form!.buttons.length], ["Sign out", 3]);
  assertEquals(await both(), [true, true]);
  await browser.open(logoutUrl());
  const { value: grace } = browser.page.form!.buttons.find(({ text }) => text.includes("grace"))!;
  assertEquals((await browser.submit({ user: grace })).heading, "You signed out");
  assertEquals(await both(), [true, false]);
  await signIn(browser, GRACE);
  await browser.open(logoutUrl());
  await browser.submit({ user: "" });
  assertEquals(await both(), [false, false]);
});

test("logout_hint names the account; the other one stays", async () => {
  const { browser } = signInScene();
  await signIn(browser, ADA);
  await signIn(browser, GRACE);
  assertEquals((await browser.open(logoutUrl({ logout_hint: ADA.username }))).heading, "You signed out");
  assertEquals([await isSignedIn(browser, ADA), await isSignedIn(browser, GRACE)], [false, true]);
  // It means somebody who is not here.
  assertEquals((await browser.open(logoutUrl({ logout_hint: ADA.username }))).heading, "Sign out");
  assertEquals(await isSignedIn(browser, GRACE), true);
});

test("a forged choice signs nobody out", async () => {
  const { browser } = signInScene();
  await signIn(browser, ADA);
  await signIn(browser, GRACE);
  await browser.open(logoutUrl());
  assertEquals((await browser.submit({ user: "", form_token: "" })).status, 400);
  assertEquals(await isSignedIn(browser, ADA), true);
});

test("signing out by POST, and when nobody is signed in, is no error", async () => {
  const { browser } = signInScene();
  const empty = await browser.post(logoutUrl(), new URLSearchParams());
  assertEquals([empty.status, empty.heading], [200, "You signed out"]);
  await signIn(browser);
  await browser.post(logoutUrl(), new URLSearchParams({ logout_hint: ADA.username }));
  assertEquals(await isSignedIn(browser), false);
  assertEquals((await browser.open(logoutUrl(), { method: "DELETE" })).status, 405);
});
