/** Sign-in to a web application: how it begins, how it ends, and what is kept of it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { test } from "./support/suite.ts";
import { PEOPLE, SITE, TENANT, WEB_APP, WebScene } from "./support/web_scene.ts";

test("a visitor signs in and gets the page that they came for", async () => {
  const scene = new WebScene();
  const { visitor } = scene;
  const sent = await visitor.visit("/page?a=1");
  assertEquals(sent.status, 303);
  const url = new URL(sent.location);
  assertEquals(
    url.origin + url.pathname,
    `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/authorize`,
  );
  assertEquals(url.searchParams.get("redirect_uri"), `${SITE}/auth/callback`);
  assertEquals(url.searchParams.get("code_challenge_method"), "S256");
  const back = await scene.comeBack(sent);
  assertEquals([back.status, back.location], [303, "/page?a=1"]);
  assertEquals((await visitor.visit(back.location)).text, "Hello Ada Byron");
  assertEquals(visitor.names(), ["session", "trail"]);
});

test("the session says who the user is by ids, keeps the claims that were asked for, and no token (R-083, R-134)", async () => {
  const scene = new WebScene({
    web: { sessionClaims: ["preferred_username", "roles", "nonce"] },
    handler: (_, { user, session }) => Response.json({ user, session }),
  });
  await scene.signIn();
  const { user, session } = JSON.parse((await scene.visitor.visit("/page")).text);
  assertEquals(user.tenantId, TENANT);
  assertEquals(user.homeAccountId, `${user.localAccountId}.${TENANT}`);
  assertEquals(user.issuer, `https://login.microsoftonline.com/${TENANT}/v2.0`);
  assertEquals([user.username, user.name], [PEOPLE[0].username, "Ada Byron"]);
  assertEquals([typeof user.sid, typeof user.loginHint, typeof user.authTime], [
    "string",
    "string",
    "number",
  ]);
  assertEquals(Object.keys(user.claims), ["preferred_username", "nonce"]);
  assertEquals(Object.keys(session), ["issuedAt", "idleUntil", "expiresAt"]);
  const seen = JSON.stringify([...scene.visitor.cookies.values()]);
  assert(!seen.includes("eyJ") && !seen.includes("ada") && !seen.includes(user.localAccountId));
});

test("the redirect URI is that of the options, whatever Host and X-Forwarded-Host say (R-030)", async () => {
  const { auth } = new WebScene();
  const response = await auth.signIn(
    new Request("https://evil.example/auth/sign-in?redirect_uri=https://evil.example/", {
      headers: { "x-forwarded-host": "evil.example", host: "evil.example" },
    }),
  );
  const sent = new URL(response.headers.get("location")!).searchParams;
  assertEquals(sent.get("redirect_uri"), `${SITE}/auth/callback`);
});

test("nothing of the application is in the URL of a sign-in, and nothing in it counts (R-028)", async () => {
  const scene = new WebScene();
  const sent = await scene.visitor.visit(
    "/auth/sign-in?return_to=/secret-page&claims={}&scope=Mail.Read&prompt=consent&login_hint=eve&state=mine&nonce=mine",
  );
  assert(!sent.location.includes("secret-page"));
  const { searchParams } = new URL(sent.location);
  assertEquals(["claims", "prompt", "login_hint"].map((name) => searchParams.get(name)), [null, null, null]);
  assert(!searchParams.get("scope")!.includes("Mail"));
  assertNotEquals(searchParams.get("state"), "mine");
  assertEquals((await scene.comeBack(sent)).location, "/secret-page");
});

test("cookies of a sign-in and of a session are closed to scripts and to other sites (R-130)", async () => {
  const scene = new WebScene();
  const sent = await scene.visitor.visit("/page");
  const [flow] = sent.headers.getSetCookie();
  assertMatch(
    flow!,
    /^__Host-auth\.flow\.\w+\.[\w-]{22}=[\w.-]+; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  await scene.comeBack(sent);
  const session = scene.visitor.cookies.get("__Host-auth.session")!;
  assertMatch(session.line, /; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
});

test("every answer of a sign-in is for nobody to keep, and redirects are 303 (R-137, R-148)", async () => {
  const scene = new WebScene();
  const sent = await scene.visitor.visit("/auth/sign-in");
  const back = await scene.comeBack(sent);
  for (const { status, headers } of [sent, back]) {
    assertEquals(status, 303);
    assertEquals(headers.get("cache-control"), "private, no-store");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
  }
});

test("a sign-in begins a session anew, and the one before is worth nothing (R-135)", async () => {
  const scene = new WebScene({ onServer: true });
  const { visitor } = scene;
  visitor.cookies.set("__Host-auth.session", { value: "planted", sameSite: "Lax", line: "" });
  await scene.signIn();
  const first = visitor.cookies.get("__Host-auth.session")!;
  assertNotEquals(first.value, "planted");
  await scene.comeBack(await visitor.visit("/auth/sign-in"));
  assertNotEquals(visitor.cookies.get("__Host-auth.session")!.value, first.value);
  const thief = scene.another();
  thief.cookies.set("__Host-auth.session", first);
  assertEquals((await thief.visit("/open")).text, "nobody");
});

test("two tabs sign in at the same time, in whichever order they come back (R-033)", async () => {
  const scene = new WebScene();
  const one = await scene.visitor.visit("/one");
  const two = await scene.visitor.visit("/two");
  const three = await scene.visitor.visit("/three");
  assertEquals((await scene.comeBack(two)).location, "/two");
  assertEquals((await scene.comeBack(one)).location, "/one");
  assertEquals((await scene.comeBack(three)).location, "/three");
});

test("no more than five sign-ins are under way in a browser, and the newest are kept", async () => {
  const scene = new WebScene();
  const sent = [];
  for (let i = 0; i < 8; i++) {
    sent.push(await scene.visitor.visit(`/page${i}`));
    await scene.clock.advance(1000);
  }
  assertEquals(scene.visitor.names(), Array(5).fill("flow"));
  assertEquals((await scene.comeBack(sent[7]!)).location, "/page7");
  assertEquals((await scene.comeBack(sent[3]!)).location, "/page3");
  assertEquals((await scene.comeBack(sent[2]!)).location, "/");
  const other = scene.another();
  assertEquals((await scene.comeBack(sent[2]!, {}, other)).status, 400);
});

test("a sign-in that took longer than an hour is over", async () => {
  const scene = new WebScene();
  const sent = await scene.visitor.visit("/page");
  const url = await scene.answer(sent);
  await scene.clock.advance(3_600_000);
  const back = await scene.visitor.visit(url);
  assertEquals([back.status, back.title], [400, "This sign-in is over"]);
});

test("a script is told where to sign in, and begins nothing (R-140)", async () => {
  const { visitor } = new WebScene();
  const answer = await visitor.visit("/auth/sign-in?return_to=/page", { script: true });
  assertEquals(answer.status, 401);
  assertEquals(JSON.parse(answer.text), {
    error: "login_required",
    signInUrl: "/auth/sign-in?return_to=%2Fpage",
  });
  assertEquals(visitor.names(), []);
});

test("other methods than GET begin no sign-in, and say which do", async () => {
  const { visitor } = new WebScene();
  for (const method of ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
    const answer = await visitor.visit("/auth/sign-in", { method });
    assertEquals([answer.status, answer.headers.get("allow")], [405, "GET"]);
  }
  assertEquals(visitor.names(), []);
});

test("an authority that cannot be asked where to sign in makes the visitor wait", async () => {
  const scene = new WebScene({
    app: {
      authority: undefined,
      oidcAuthority: "https://issuer.example",
      fetch: () => Promise.reject(new TypeError("down")),
    },
  });
  const answer = await scene.visitor.visit("/auth/sign-in?return_to=/page");
  assertEquals([answer.status, answer.title], [503, "Please wait a moment"]);
  assertMatch(answer.headers.get("retry-after")!, /^\d+$/);
  assert(!answer.text.includes("issuer.example"));
});

test("switching accounts asks which, ends with another user's session, and is a POST of this site (R-140)", async () => {
  const scene = new WebScene();
  await scene.signIn();
  for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
    assertEquals((await scene.visitor.post("/auth/switch-account", { headers })).status, 403);
  }
  assertEquals((await scene.visitor.post("/auth/switch-account", { bare: true })).status, 403);
  assertEquals((await scene.visitor.visit("/auth/switch-account")).status, 405);
  const sent = await scene.visitor.post("/auth/switch-account", { headers: { referer: `${SITE}/orders` } });
  assertEquals(new URL(sent.location).searchParams.get("prompt"), "select_account");
  assertEquals((await scene.comeBack(sent, { username: PEOPLE[1].username })).location, "/orders");
  assertEquals((await scene.visitor.visit("/open")).text, PEOPLE[1].username);
});

test("a host name of one's own is asked for at the client's id alone", async () => {
  const sent = await new WebScene().visitor.visit("/page");
  assertEquals(new URL(sent.location).searchParams.get("client_id"), WEB_APP.clientId);
});

test("with Strict cookies a page of our own leads on, as redirects from elsewhere bring none", async () => {
  const scene = new WebScene({ web: { cookies: { sameSite: "Strict" } } });
  const back = await scene.signIn("/page?x=<y>");
  assertEquals([back.status, back.title], [200, "Signed in"]);
  assertEquals(back.headers.get("refresh"), "0;url=/page?x=%3Cy%3E");
  assertEquals((await scene.visitor.visit("/page")).text, "Hello Ada Byron");
  assertEquals((await scene.visitor.visit("/open", { crossSite: true })).text, "nobody");
});
