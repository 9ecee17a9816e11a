/** The sign-in pages of the local authority, walked by posting their forms. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeClock } from "./support/fake_clock.ts";
import type { FormBrowser, Visited } from "./support/form_browser.ts";
import {
  ADA,
  askingUrl,
  authorizeUrl,
  GRACE,
  MFA_CLAIMS,
  ORIGIN,
  signInScene,
} from "./support/sign_in_scene.ts";
import { test } from "./support/suite.ts";

const credentials = ({ username, password }: typeof ADA) => ({ username, password });

/** The parameters that reached the app. */
function arrived({ status, location }: Visited): Record<string, string> {
  assertEquals(status, 302);
  const { searchParams, hash } = location!;
  const parameters = hash === "" ? searchParams : new URLSearchParams(hash.slice(1));
  return Object.fromEntries(parameters);
}

async function signIn(browser: FormBrowser, user: typeof ADA = ADA, url = authorizeUrl()): Promise<Visited> {
  await browser.open(url);
  return await browser.submit(credentials(user));
}

/** Signs in two people, the second one by "Use another account". */
async function signInTwo(browser: FormBrowser): Promise<void> {
  await signIn(browser, ADA);
  await browser.open(authorizeUrl({ prompt: "select_account" }));
  await browser.submit({ user: "" });
  assert(arrived(await browser.submit(credentials(GRACE)))["code"]);
}

test("a password brings a code and the state to the app", async () => {
  const { browser } = signInScene();
  const page = await browser.open(authorizeUrl({ state: "a=b&c #1 ü" }));
  assertEquals([page.status, page.heading, page.form!.fields["username"]], [200, "Sign in", ""]);
  const answer = await browser.submit(credentials(ADA));
  const { code, state } = arrived(answer);
  assertEquals([state, answer.location!.origin, answer.location!.pathname], [
    "a=b&c #1 ü",
    "https://orders.example",
    "/callback",
  ]);
  assert(code!.length > 20);
});

test("an answer keeps the query of the redirect URI, and travels in the fragment where asked to", async () => {
  const { browser } = signInScene();
  const redirect_uri = "https://orders.example/other?kept=1";
  const { location } = await signIn(browser, ADA, authorizeUrl({ redirect_uri }));
  assertMatch(location!.href, /^https:\/\/orders\.example\/other\?kept=1&code=/);
  const fragment = await browser.open(authorizeUrl({ response_mode: "fragment" }));
  assertEquals([fragment.location!.search, arrived(fragment)["state"]], ["", "the state"]);
});

test("form_post is a page whose form has the answer, with one script and a button for those without", async () => {
  const { browser } = signInScene();
  const page = await signIn(browser, ADA, authorizeUrl({ response_mode: "form_post" }));
  assertEquals([page.status, page.form!.action], [200, "https://orders.example/callback"]);
  assertEquals(page.form!.fields["state"], "the state");
  assert(page.form!.fields["code"]!.length > 20);
  assertMatch(page.text, /<button class="main">Continue<\/button>/);
  const policy = page.headers.get("content-security-policy")!;
  assertMatch(policy, /form-action 'self' https:\/\/orders\.example;/);
  const [, script = ""] = /<script>([^]*)<\/script>/.exec(page.text)!;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  assert(policy.includes(`script-src 'sha256-${hash}'`));
});

test("a wrong password and an unknown user look the same, and the page comes back with both fields marked", async () => {
  const { browser } = signInScene();
  const pages: string[] = [];
  const tries = [
    { username: ADA.username, password: GRACE.password },
    { username: "nobody@contoso.onmicrosoft.com", password: ADA.password },
    // Somebody else's password, which a lookup by position would accept.
    { username: "nobody@elsewhere.example", password: GRACE.password },
    { username: "", password: "" },
  ];
  await browser.open(authorizeUrl());
  for (const wrong of tries) {
    const page = await browser.submit(wrong);
    assertEquals([page.status, page.form!.fields["username"], page.form!.fields["password"]], [
      200,
      wrong.username,
      "",
    ]);
    assertMatch(page.text, /<p class="error" id="error" role="alert">[^<]*<span>\(AADSTS50126\)/);
    assertEquals(page.text.match(/aria-invalid="true" aria-describedby="error"/g)?.length, 2);
    pages.push(page.text.replace(/value="[^"]*"| autofocus/g, ""));
  }
  assertEquals(new Set(pages).size, 1);
  assert(arrived(await browser.submit(credentials(ADA)))["code"]);
});

test("a session signs in silently, and prompt=none works with it alone", async () => {
  const { browser } = signInScene();
  const nobody = arrived(await browser.open(authorizeUrl({ prompt: "none" })));
  assertEquals([nobody["error"], nobody["state"], nobody["code"]], [
    "login_required",
    "the state",
    undefined,
  ]);
  assertMatch(nobody["error_description"]!, /^AADSTS50058: /);
  await signIn(browser);
  assert(arrived(await browser.open(authorizeUrl()))["code"]);
  assert(arrived(await browser.open(authorizeUrl({ prompt: "none" })))["code"]);
  assert(arrived(await browser.open(authorizeUrl({ prompt: "none", login_hint: ADA.username })))["code"]);
  const other = arrived(await browser.open(authorizeUrl({ prompt: "none", login_hint: GRACE.username })));
  assertEquals(other["code"], undefined);
  assert(other["error"]);
});

test("with two accounts the picker asks; prompt=none does not guess", async () => {
  const { browser } = signInScene();
  await signInTwo(browser);
  const picker = await browser.open(authorizeUrl());
  assertEquals(picker.heading, "Pick an account");
  assertEquals(picker.form!.buttons.length, 3);
  const [latest] = picker.form!.buttons;
  assertMatch(latest!.text, /Grace Hopper grace@contoso/);
  assert(arrived(await browser.submit({ user: latest!.value }))["code"]);
  const silent = arrived(await browser.open(authorizeUrl({ prompt: "none" })));
  assertEquals(silent["error"], "interaction_required");
  assertMatch(silent["error_description"]!, /^AADSTS16000: /);
  assert(arrived(await browser.open(authorizeUrl({ login_hint: ADA.username })))["code"]);
});

test("a domain hint tells accounts apart, and changes nothing where it fits none", async () => {
  const users = [ADA, { ...GRACE, username: "grace@live.example", personal: true }];
  const { browser } = signInScene({ users });
  const visit = (changes = {}) => browser.open(authorizeUrl(changes, { tenant: "common" }));
  await visit();
  await browser.submit(credentials(ADA));
  await visit({ prompt: "select_account" });
  await browser.submit({ user: "" });
  await browser.submit({ username: "grace@live.example", password: GRACE.password });
  for (const domain_hint of ["consumers", "organizations", "LIVE.example", "contoso.onmicrosoft.com"]) {
    assert(arrived(await visit({ domain_hint, prompt: "none" }))["code"], domain_hint);
  }
  for (const domain_hint of ["nowhere.example", "ample", ""]) {
    assertEquals((await visit({ domain_hint })).heading, "Pick an account", domain_hint);
  }
});

test("an account that is not signed in here cannot be picked", async () => {
  const { browser } = signInScene();
  await signInTwo(browser);
  await browser.open(authorizeUrl());
  const page = await browser.submit({ user: "00000000-0000-4000-8000-000000000000" });
  assertEquals([page.status, page.heading], [200, "Sign in"]);
});

test("prompt=login and a password that is too old ask again, even with a session", async () => {
  const clock = new FakeClock();
  const { browser } = signInScene({ clock });
  await signIn(browser);
  for (let n = 0; n < 2; n++) {
    const page = await browser.open(authorizeUrl({ prompt: "login" }));
    assertEquals([page.heading, page.form!.fields["username"]], ["Sign in", ADA.username]);
    assert(arrived(await browser.submit(credentials(ADA)))["code"]);
  }
  await clock.advance(100_000);
  assertEquals((await browser.open(authorizeUrl({ max_age: "99" }))).heading, "Sign in");
  assert(arrived(await browser.open(authorizeUrl({ max_age: "101" })))["code"]);
  const silent = arrived(await browser.open(authorizeUrl({ max_age: "99", prompt: "none" })));
  assertEquals(silent["error"], "login_required");
});

test("claims that need a second factor ask for it once", async () => {
  const { browser } = signInScene();
  const url = authorizeUrl({ claims: MFA_CLAIMS });
  const page = await signIn(browser, ADA, url);
  assertEquals([page.status, page.heading], [200, "Enter the code"]);
  const wrong = await browser.submit({ code: "123456" });
  assertMatch(wrong.text, /AADSTS500121/);
  assertMatch(wrong.text, /id="code"[^>]* aria-invalid="true" aria-describedby="error hint"/);
  assert(arrived(await browser.submit({ code: "000 000" }))["code"]);
  assert(arrived(await browser.open(url))["code"]);
});

test("the second factor cannot be skipped by posting another step", async () => {
  const { browser } = signInScene();
  for (const step of ["consent", "confirm", "account", "code", "approve", ""]) {
    await browser.open(authorizeUrl({ claims: MFA_CLAIMS, prompt: "login" }));
    await browser.submit(credentials(ADA));
    const user = browser.page.form!.fields["account"];
    const page = await browser.submit({ step, user });
    assertEquals([page.status, page.heading], [200, "Enter the code"], step);
  }
});

test("a person accepts or declines what an app asks for", async () => {
  const { browser } = signInScene();
  const page = await signIn(browser, ADA, askingUrl());
  assertEquals(page.heading, "Permissions requested");
  assertMatch(page.text, /<bdi>Read your profile<\/bdi><code>User\.Read<\/code>/);
  const declined = arrived(await browser.submit({ decision: "cancel" }));
  assertEquals([declined["error"], declined["state"]], ["access_denied", "the state"]);
  assertMatch(declined["error_description"]!, /^AADSTS65004: /);
  const silent = arrived(await browser.open(askingUrl({ prompt: "none" })));
  assertEquals(silent["error"], "consent_required");
  await browser.open(askingUrl());
  assert(arrived(await browser.submit())["code"]);
  assert(arrived(await browser.open(askingUrl()))["code"]);
  const again = await browser.open(askingUrl({ prompt: "consent" }));
  assertEquals(again.heading, "Permissions requested");
  assert(arrived(await browser.submit())["code"]);
});

test("whoever cancels the sign-in is sent back", async () => {
  const { browser } = signInScene();
  await browser.open(authorizeUrl());
  const answer = arrived(await browser.submit({ decision: "cancel" }));
  assertEquals([answer["error"], answer["error_subcode"], answer["state"]], [
    "access_denied",
    "cancel",
    "the state",
  ]);
});

test("a request by POST is read like one by GET", async () => {
  const { browser } = signInScene();
  const url = authorizeUrl();
  const page = await browser.post(`${url.origin}${url.pathname}`, url.searchParams);
  assertEquals([page.status, page.heading], [200, "Sign in"]);
  assert(arrived(await browser.submit(credentials(ADA)))["code"]);
});

test("what cannot go back to an app is an error page with the AADSTS code and the ids", async () => {
  const { browser } = signInScene();
  const id = "11111111-2222-4333-8444-555555555555";
  const rows: [string, URL, string][] = [
    ["unknown client", authorizeUrl({ client_id: id, "client-request-id": id }), "700016"],
    ["unknown redirect URI", authorizeUrl({ redirect_uri: "https://evil.example/" }), "50011"],
    ["unknown tenant", authorizeUrl({}, { tenant: "nowhere.example" }), "90002"],
  ];
  for (const [name, url, code] of rows) {
    const page = await browser.open(url);
    assertEquals([page.status, page.location, page.heading], [400, undefined, "Cannot go on"], name);
    assertMatch(page.text, new RegExp(`AADSTS${code}: `), name);
    assertMatch(page.text, /<dt>Timestamp<\/dt><dd>\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ<\/dd>/);
  }
  await browser.open(rows[0]![1]);
  assertMatch(browser.page.text, new RegExp(`<dt>Correlation ID</dt><dd>${id}</dd>`));
});

test("other methods and bodies are refused by a page", async () => {
  const { browser } = signInScene();
  const url = `${ORIGIN}/common/oauth2/v2.0/authorize`;
  const put = await browser.open(url, { method: "PUT", body: "x" });
  assertEquals([put.status, put.headers.get("allow")], [405, "GET, POST"]);
  assertEquals((await browser.open(url, { method: "POST", body: "{}" })).status, 400);
  const large = await browser.post(url, new URLSearchParams({ state: "x".repeat(70_000) }));
  assertEquals([large.status, large.heading], [413, "Cannot go on"]);
});
