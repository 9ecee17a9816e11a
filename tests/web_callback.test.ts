/** The authority's answer to a sign-in: what is refused, and what is left of it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { test } from "./support/suite.ts";
import { SITE, type Visited, WebScene } from "./support/web_scene.ts";

const FORM = "application/x-www-form-urlencoded";

function tokenCalls({ authority }: WebScene): number {
  return authority.countRequests({ kind: "token" });
}

async function begun(scene: WebScene): Promise<URL> {
  return await scene.answer(await scene.visitor.visit("/page"));
}

function changed(url: URL, change: (parameters: URLSearchParams) => void): URL {
  const copy = new URL(url);
  change(copy.searchParams);
  return copy;
}

/** Refused, without a token call, a session or a redirect. */
async function assertRefused(scene: WebScene, answer: Visited, status = 400): Promise<void> {
  assertEquals([answer.status, answer.location], [status, ""]);
  assertEquals(scene.visitor.names().filter((name) => name !== "flow"), []);
  assertEquals((await scene.visitor.visit("/open")).text, "nobody");
}

test("an answer without its state, with another, an empty one, or two is refused before any token call (R-031, R-192)", async () => {
  const scene = new WebScene();
  const url = await begun(scene);
  const state = url.searchParams.get("state")!;
  const changes: ((parameters: URLSearchParams) => void)[] = [
    (parameters) => parameters.delete("state"),
    (parameters) => parameters.set("state", ""),
    (parameters) => parameters.set("state", state.replace(/^./, (first) => first === "A" ? "B" : "A")),
    (parameters) => parameters.set("state", `${state} `),
    (parameters) => parameters.append("state", state),
    (parameters) => parameters.append("state", "other"),
  ];
  for (const change of changes) await assertRefused(scene, await scene.visitor.visit(changed(url, change)));
  const asArray = changed(url, (parameters) => {
    parameters.delete("state");
    parameters.append("state[]", state);
  });
  await assertRefused(scene, await scene.visitor.visit(asArray));
  assertEquals(tokenCalls(scene), 0);
  // None of this was this sign-in's end.
  assertEquals((await scene.visitor.visit(url)).location, "/page");
});

test("an answer that this browser did not ask for is refused (R-032)", async () => {
  const scene = new WebScene();
  const url = await scene.answer(await scene.another().visit("/page"));
  const answer = await scene.visitor.visit(url, { crossSite: true });
  assertEquals(answer.title, "This sign-in is over");
  await assertRefused(scene, answer);
  assertEquals(tokenCalls(scene), 0);
});

test("an answer counts once: its cookie goes whatever comes of it (R-034)", async () => {
  const scene = new WebScene();
  const url = await begun(scene);
  const [name, cookie] = [...scene.visitor.cookies].find(([name]) => name.includes("flow"))!;
  const broken = changed(url, (parameters) => parameters.set("code", "wrong"));
  const failed = await scene.visitor.visit(broken);
  await assertRefused(scene, failed);
  assertEquals(scene.visitor.names(), []);
  assertMatch(failed.headers.getSetCookie()[0]!, /^__Host-auth\.flow\.[^=]+=; Max-Age=0; /);
  await assertRefused(scene, await scene.visitor.visit(url));
  // Who kept the cookie has a code that was used.
  const second = new WebScene();
  const good = await begun(second);
  const [keptName, kept] = [...second.visitor.cookies].find(([name]) => name.includes("flow"))!;
  assertEquals((await second.visitor.visit(good)).status, 303);
  const thief = second.another();
  thief.cookies.set(keptName, kept);
  assertEquals((await thief.visit(good)).status, 400);
  assertEquals((await thief.visit("/open")).text, "nobody");
  assert(name !== keptName && cookie.value !== kept.value);
});

test("an answer that comes once more to somebody who is signed in leads to their page", async () => {
  const scene = new WebScene();
  const url = await begun(scene);
  assertEquals((await scene.visitor.visit(url)).location, "/page");
  const calls = tokenCalls(scene);
  const again = await scene.visitor.visit(url);
  assertEquals([again.status, again.location], [303, "/page"]);
  await scene.clock.advance(700_000);
  scene.visitor.cookies.delete("__Host-auth.trail");
  assertEquals((await scene.visitor.visit(url)).location, "/");
  assertEquals(tokenCalls(scene), calls);
  // An error is no answer that was used before.
  const error = changed(url, (parameters) => {
    parameters.delete("code");
    parameters.set("error", "access_denied");
  });
  assertEquals((await scene.visitor.visit(error)).status, 400);
});

test("a cookie that was changed, or is another sign-in's, opens nothing (R-132)", async () => {
  const scene = new WebScene();
  const mine = await begun(scene);
  const [name, cookie] = [...scene.visitor.cookies][0]!;
  const value = cookie.value.replace(/.$/, (last) => last === "A" ? "Q" : "A");
  scene.visitor.cookies.set(name, { ...cookie, value });
  await assertRefused(scene, await scene.visitor.visit(mine));
  const other = await begun(scene);
  const thief = scene.another();
  await thief.visit("/page");
  const [own] = scene.visitor.cookies.keys();
  scene.visitor.cookies.set(own!, [...thief.cookies.values()][0]!);
  await assertRefused(scene, await scene.visitor.visit(other));
  assertEquals(tokenCalls(scene), 0);
});

test("an answer from another issuer is refused before any token call (R-035)", async () => {
  const scene = new WebScene();
  const url = changed(await begun(scene), (parameters) => parameters.set("iss", "https://evil.example"));
  await assertRefused(scene, await scene.visitor.visit(url));
  assertEquals(tokenCalls(scene), 0);
  assertEquals(scene.visitor.names(), []);
});

test("a sign-in that was begun for another application, authority, redirect URI or response mode is refused (R-036)", async () => {
  const changes = [
    { web: { responseMode: "form_post" } },
    { web: { paths: { callback: "/auth/other" } } },
    { app: { clientId: "0f1e2d3c-4b5a-4968-8776-655443322111" } },
    { app: { authority: "https://login.microsoftonline.com/consumers" } },
  ] as const;
  for (const change of changes) {
    const scene = new WebScene();
    const url = await begun(scene);
    const other = new WebScene(change);
    const visitor = other.visitor;
    for (const [name, cookie] of scene.visitor.cookies) visitor.cookies.set(name, cookie);
    const path = other.auth && "web" in change && "paths" in change.web ? "/auth/other" : url.pathname;
    const answer = await visitor.visit(path + url.search);
    assertEquals([answer.status, answer.location], [400, ""]);
    assertEquals(tokenCalls(other), 0);
  }
});

test("an error of the authority ends the sign-in on a page with its code, and not in circles (R-038)", async () => {
  const scene = new WebScene();
  const sent = await scene.visitor.visit("/page");
  const answer = await scene.comeBack(sent, { decline: true });
  assertEquals([answer.status, answer.title], [403, "You are not signed in"]);
  assertEquals(scene.visitor.names(), []);
  assertMatch(answer.text, /Reference: \w+, [\w-]{36}/);
  assertEquals(answer.headers.get("cache-control"), "private, no-store");
});

test("nothing of the authority's own words is on the page, in the log, or in an event (R-038, R-173)", async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const scene = new WebScene({ app: { logger: { debug: write, info: write, warn: write, error: write } } });
  const url = changed(await begun(scene), (parameters) => {
    parameters.delete("code");
    parameters.set("error", "server_error");
    parameters.set("error_description", `AADSTS50020: <script>alert(1)</script> ada@contoso.example`);
    parameters.set("error_uri", "https://evil.example/");
  });
  const answer = await scene.visitor.visit(url);
  assert(answer.status >= 400 && answer.status < 600);
  for (const secret of ["<script>alert", "alert(1)", "ada@", "evil.example"]) {
    assert(!answer.text.includes(secret), secret);
    assert(!lines.join().includes(secret), secret);
    assert(!JSON.stringify(scene.events).includes(secret), secret);
  }
});

test("an error without a sign-in of this browser changes nothing and says nothing (R-039)", async () => {
  const scene = new WebScene();
  await scene.signIn();
  const before = [...scene.visitor.cookies];
  scene.events.length = 0;
  const answer = await scene.visitor.visit(
    "/auth/callback?error=access_denied&error_description=boo&state=AAAAAAAAAAAAAAAAAAAAAA",
  );
  assertEquals([answer.status, answer.title], [400, "This sign-in is over"]);
  assert(!answer.text.includes("boo") && !answer.text.includes("access_denied"));
  assertEquals([...scene.visitor.cookies], before);
  assertEquals(scene.events, []);
});

test("tokens in an answer to a request for a code are refused (R-040)", async () => {
  for (const name of ["id_token", "access_token", "token", "response"]) {
    const scene = new WebScene();
    const url = changed(await begun(scene), (parameters) => parameters.set(name, "eyJ"));
    await assertRefused(scene, await scene.visitor.visit(url));
    assertEquals([tokenCalls(scene), scene.visitor.names()], [0, []]);
  }
});

test("parameters that come twice are refused (R-192)", async () => {
  for (const name of ["code", "iss", "session_state", "whatever"]) {
    const scene = new WebScene();
    const url = changed(await begun(scene), (parameters) => {
      parameters.append(name, "1");
      parameters.append(name, "2");
    });
    await assertRefused(scene, await scene.visitor.visit(url));
    assertEquals(tokenCalls(scene), 0);
  }
});

test("an ID token that is refused begins no session, and the page says so without it", async () => {
  const scene = new WebScene();
  scene.authority.fault({ on: "token", kind: "id_token", signature: "broken" });
  const url = await begun(scene);
  const answer = await scene.visitor.visit(url);
  await assertRefused(scene, answer);
  assertMatch(answer.text, /id_token_signature_invalid/);
  assert(!answer.text.includes(url.searchParams.get("code")!));
});

test("a user of another tenant than those that are allowed gets a page of their own (R-079)", async () => {
  const scene = new WebScene({
    app: {
      authority: "https://login.microsoftonline.com/organizations",
      allowedTenants: ["1d2c3b4a-5e6f-4708-9a1b-2c3d4e5f6071"],
    },
  });
  const answer = await scene.signIn();
  assertEquals([answer.status, answer.title], [403, "This account cannot be used here"]);
  const href = /<a href="([^"]+)">Use another account/.exec(answer.text)![1]!;
  const sent = await scene.visitor.visit(href);
  assertEquals(new URL(sent.location).searchParams.get("prompt"), "select_account");
  assertEquals((await scene.visitor.visit("/open")).text, "nobody");
});

test("an outage asks the visitor to wait, and another sign-in then works", async () => {
  const scene = new WebScene();
  const url = await begun(scene);
  scene.authority.fault({ on: "token", kind: "server_error", status: 503, times: 4 });
  const visit = scene.visitor.visit(url);
  await scene.clock.advance(20_000);
  const answer = await visit;
  assertEquals([answer.status, answer.title], [503, "Please wait a moment"]);
  assertMatch(answer.headers.get("retry-after")!, /^\d+$/);
  const href = /<a href="([^"]+)">Try again/.exec(answer.text)![1]!;
  assertEquals(href, "/auth/sign-in?return_to=%2Fpage");
  scene.authority.clearFaults();
  await scene.clock.advance(120_000);
  assertEquals((await scene.comeBack(await scene.visitor.visit(href))).location, "/page");
});

test("a fault of the application's own is told as such, and its secret is not", async () => {
  const scene = new WebScene({ app: { clientCredential: "wrong-secret-of-the-app" } });
  const answer = await scene.signIn();
  assertEquals([answer.status, answer.title], [500, "Something went wrong"]);
  assert(!answer.text.includes("wrong-secret"));
});

test("other methods than GET are refused, and leave the sign-in alone", async () => {
  const scene = new WebScene();
  const url = await begun(scene);
  for (const method of ["HEAD", "POST", "PUT"]) {
    const answer = await scene.visitor.visit(url, { method });
    assertEquals([answer.status, answer.headers.get("allow")], [405, "GET"]);
  }
  assertEquals((await scene.visitor.visit(url)).status, 303);
});

test("with form_post the sign-in's cookie alone comes along from another site (R-129)", async () => {
  const scene = new WebScene({ web: { responseMode: "form_post" } });
  const sent = await scene.visitor.visit("/page");
  assertEquals(new URL(sent.location).searchParams.get("response_mode"), "form_post");
  assertMatch(sent.headers.getSetCookie()[0]!, /; Secure; SameSite=None$/);
  await scene.clock.advance(180_000);
  const back = await scene.comeBack(sent);
  assertEquals([back.status, back.location], [303, "/page"]);
  const lines = back.headers.getSetCookie().filter((line) => !line.includes("flow"));
  assert(lines.length >= 2 && lines.every((line) => line.endsWith("; Secure; SameSite=Lax")));
  assertEquals((await scene.visitor.visit("/page")).text, "Hello Ada Byron");
});

test("a form that is no form, or too large, is refused (R-193)", async () => {
  const scene = new WebScene({ web: { responseMode: "form_post" } });
  const answer = await scene.authority.signIn((await scene.visitor.visit("/page")).location);
  const body = `${answer.parameters}`;
  const multipart = new FormData();
  for (const [name, value] of answer.parameters) multipart.set(name, value);
  const bodies: [BodyInit, string?][] = [
    [body, "text/plain"],
    [body, "application/xml"],
    [JSON.stringify(Object.fromEntries(answer.parameters)), "application/json"],
    [multipart],
    [`${body}&filler=${"x".repeat(65_536)}`, FORM],
    [`${body}&code=again`, FORM],
    [`${body}&state=again`, FORM],
    ["", FORM],
  ];
  for (const [sent, type] of bodies) {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    const refused = await scene.visitor.post("/auth/callback", { body: sent, headers, crossSite: true });
    assertEquals([refused.status, refused.location], [400, ""]);
  }
  assertEquals(tokenCalls(scene), 0);
  const good = await scene.visitor.post("/auth/callback", {
    body,
    headers: { "content-type": `${FORM}; charset=utf-8` },
    crossSite: true,
  });
  assertEquals(good.location, "/page");
});

test("a code that was asked for as a form and comes in a link is refused (R-129)", async () => {
  const scene = new WebScene({ web: { responseMode: "form_post" } });
  const { parameters } = await scene.authority.signIn((await scene.visitor.visit("/page")).location);
  const answer = await scene.visitor.visit(`${SITE}/auth/callback?${parameters}`, { crossSite: true });
  await assertRefused(scene, answer);
  assertEquals(tokenCalls(scene), 0);
});

test("a store of sessions that fails begins none, and says that it will pass", async () => {
  const scene = new WebScene({ onServer: true });
  const url = await begun(scene);
  scene.store.set = () => Promise.reject(new Error("down"));
  const answer = await scene.visitor.visit(url);
  assertEquals(answer.status, 503);
  await assertRefused(scene, answer, 503);
});
