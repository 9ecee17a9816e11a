/** Guarded pages: who gets in, what others are told, and steps up. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ClientConfigurationError, InteractionRequiredAuthError } from "../mod.ts";
import { createWebAuth, type UserAuth } from "../src/web/mod.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, PEOPLE, SITE, WebScene } from "./support/web_scene.ts";

const C1 = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`;

function challenge(claims?: string): InteractionRequiredAuthError {
  const details = {
    status: 400,
    error: "interaction_required",
    errorCodes: [],
    retryable: false,
    throttledLocally: false,
    claims,
  };
  return new InteractionRequiredAuthError("interaction_required", "Step up", details, crypto.randomUUID());
}

test("a script without a session gets 401 as JSON and begins no sign-in (R-140)", async () => {
  const scene = new WebScene();
  const inits = [
    { script: true },
    { script: true, headers: { "sec-fetch-mode": "same-origin" } },
    { script: true, headers: { "sec-fetch-mode": "no-cors", accept: "text/html" } },
    { bare: true, headers: { accept: "application/json" } },
    { bare: true },
    { bare: true, headers: { accept: "text/html", "x-requested-with": "XMLHttpRequest" } },
    { script: true, method: "POST" },
  ];
  for (const init of inits) {
    const answer = await scene.visitor.visit("/api/orders", init);
    assertEquals([answer.status, answer.location], [401, ""]);
    assertEquals(JSON.parse(answer.text), {
      error: "login_required",
      signInUrl: "/auth/sign-in?return_to=%2F",
    });
    assertEquals(answer.headers.get("cache-control"), "private, no-store");
  }
  assertEquals(scene.visitor.names(), []);
  const referer = { referer: `${SITE}/orders?page=2` };
  const answer = await scene.visitor.visit("/api/orders", { script: true, headers: referer });
  assertEquals(JSON.parse(answer.text).signInUrl, "/auth/sign-in?return_to=%2Forders%3Fpage%3D2");
  const foreign = { referer: "https://evil.example/orders" };
  const other = await scene.visitor.visit("/api/orders", { script: true, headers: foreign });
  assertEquals(JSON.parse(other.text).signInUrl, "/auth/sign-in?return_to=%2F");
});

test("a form that is sent without a session is not lost without a word (R-140)", async () => {
  const scene = new WebScene();
  const answer = await scene.visitor.post("/orders", { headers: { referer: `${SITE}/orders/new` } });
  assertEquals([answer.status, answer.title, answer.location], [401, "Please sign in first", ""]);
  assertMatch(answer.text, /href="\/auth\/sign-in\?return_to=%2Forders%2Fnew"/);
  assertEquals(scene.visitor.names(), []);
});

test("a request for the headers alone is sent to sign in without beginning one", async () => {
  const scene = new WebScene();
  const answer = await scene.visitor.visit("/page", { method: "HEAD" });
  assertEquals([answer.status, answer.location], [303, "/auth/sign-in?return_to=%2Fpage"]);
  assertEquals(scene.visitor.names(), []);
});

test("a guarded handler does not run for a session that is forged, ended or of another secret (R-132, R-138)", async () => {
  let runs = 0;
  const scene = new WebScene({ handler: () => new Response(`${++runs}`) });
  await scene.signIn();
  await scene.visitor.visit("/page");
  assertEquals(runs, 1);
  const name = "__Host-auth.session";
  const cookie = scene.visitor.cookies.get(name)!;
  const other = new WebScene({ web: { cookieSecret: `${COOKIE_SECRET}-another-one` } });
  await other.signIn();
  const values = ["", "x", `${cookie.value}A`, cookie.value.slice(0, -1), "1.AAAAAAAA.AAAA", "null", "{}"];
  for (const value of [...values, other.visitor.cookies.get(name)!.value]) {
    scene.visitor.cookies.set(name, { ...cookie, value });
    assertEquals((await scene.visitor.visit("/page", { script: true })).status, 401);
  }
  scene.visitor.cookies.set(name, cookie);
  await scene.clock.advance(28_801_000);
  assertEquals((await scene.visitor.visit("/page", { script: true })).status, 401);
  assertEquals(runs, 1);
});

test("where sessions cannot be read nobody gets in, nobody is signed out, and nobody is a guest (R-113, R-138)", async () => {
  let runs = 0;
  const scene = new WebScene({ onServer: true, handler: () => new Response(`${++runs}`) });
  await scene.signIn();
  const { get } = scene.store;
  scene.store.get = () => Promise.reject(new Error("down"));
  const page = await scene.visitor.visit("/page");
  assertEquals([page.status, page.title, page.headers.getSetCookie()], [503, "Please wait a moment", []]);
  assertMatch(page.text, /<a href="\/page">Try again/);
  const script = await scene.visitor.visit("/page", { script: true });
  assertEquals([script.status, JSON.parse(script.text).error], [503, "cache_read_failed"]);
  assertEquals((await scene.visitor.visit("/open")).status, 503);
  await assertRejects(() => scene.auth.visit(new Request(`${SITE}/`, { headers: cookiesOf(scene) })));
  assertEquals(runs, 0);
  scene.store.get = get;
  assertEquals((await scene.visitor.visit("/page")).text, "1");
});

function cookiesOf({ visitor }: WebScene): HeadersInit {
  return { cookie: [...visitor.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ") };
}

test("options that are wrong, and bindings that are missing, let nobody in (R-138)", async () => {
  let runs = 0;
  const auth = createWebAuth((env: { SECRET: string }) => ({
    app: new WebScene().app,
    baseUrl: SITE,
    cookieSecret: env.SECRET,
  }));
  const handlers = [
    auth.signIn,
    auth.callback,
    auth.signOut,
    auth.requireUser(() => new Response(`${++runs}`)),
  ];
  for (const handler of [...handlers, auth.withUser(() => new Response(`${++runs}`))]) {
    for (const context of [undefined, {}, { env: { SECRET: "" } }, { env: { SECRET: "undefined" } }]) {
      await assertRejects(() => handler(new Request(`${SITE}/page`), context), ClientConfigurationError);
    }
  }
  assertEquals(runs, 0);
  const env = { SECRET: COOKIE_SECRET };
  assertEquals((await auth.signIn(new Request(`${SITE}/auth/sign-in`), { env })).status, 303);
});

test("what a handler throws and is none of ours is the application's own (R-138)", async () => {
  const own = new Error("mine");
  const scene = new WebScene({ handler: () => Promise.reject(own) });
  await scene.signIn();
  assertEquals(await assertRejects(() => scene.visitor.visit("/page")), own);
});

test("errors of the library that leave a handler become pages and JSON, without what they say", async () => {
  const scene = new WebScene({
    handler: (_, auth) => auth.acquireToken({ scopes: ["not a scope"] }).then(() => new Response()),
  });
  await scene.signIn();
  const page = await scene.visitor.visit("/page");
  assertEquals([page.status, page.title], [500, "Something went wrong"]);
  const script = await scene.visitor.visit("/page", { script: true });
  assertEquals([script.status, JSON.parse(script.text).error], [500, "invalid_scopes"]);
});

const SHARED_CACHES = [
  "cdn-cache-control",
  "Cloudflare-CDN-Cache-Control",
  "vercel-cdn-cache-control",
  "netlify-cdn-cache-control",
  "surrogate-control",
  "edge-control",
  "x-accel-expires",
  "x-litespeed-cache-control",
];

test("no header of a CDN makes an answer that depends on a session anybody else's (R-137)", async () => {
  const own = [...SHARED_CACHES.map((name) => [name, "public, max-age=60"]), ["x-own", "stays"]];
  const scene = new WebScene({ handler: () => new Response("x", { headers: own as [string, string][] }) });
  await scene.signIn();
  for (const _ of ["plain", "renewed"]) {
    const { headers } = await scene.visitor.visit("/page");
    assertEquals(SHARED_CACHES.filter((name) => headers.has(name)), []);
    assertEquals(headers.get("x-own"), "stays");
    await scene.clock.advance(3_000_000);
  }
});

test("answers that depend on a session are for its user alone, whatever the application says (R-137)", async () => {
  const rows: [string | null, string][] = [
    [null, "private, no-store"],
    ["public, max-age=3600", "private, no-store"],
    ["max-age=60, must-revalidate", "private, no-store, must-revalidate"],
    ["s-maxage=10", "private, no-store"],
    ["private, s-maxage=10", "private, no-store"],
    ["Public, no-transform", "private, no-store, no-transform"],
    ["private, max-age=60", "private, max-age=60"],
    ["no-store", "private, no-store"],
    ["", "private, no-store"],
  ];
  let own: string | null = null;
  const scene = new WebScene({
    handler: () =>
      new Response("x", {
        headers: {
          ...(own === null ? {} : { "cache-control": own }),
          "cdn-cache-control": "public, max-age=60",
          "surrogate-control": "max-age=60",
        },
      }),
  });
  await scene.signIn();
  for (const [given, expected] of rows) {
    own = given;
    const { headers } = await scene.visitor.visit("/page");
    assertEquals([given, headers.get("cache-control")], [given, expected]);
    assertEquals([headers.get("vary"), headers.get("cdn-cache-control")], ["Cookie", null]);
    assertEquals(headers.get("surrogate-control"), null);
  }
  // A renewed cookie must not be kept by anybody, also not for a minute.
  own = "private, max-age=60";
  await scene.clock.advance(3_000_000);
  const renewed = await scene.visitor.visit("/page");
  assertEquals(renewed.headers.get("cache-control"), "private, no-store");
  assertEquals(renewed.headers.getSetCookie().length, 1);
  const guest = await scene.another().visit("/open");
  assertEquals([guest.headers.get("cache-control"), guest.headers.get("vary")], [
    "private, no-store",
    "Cookie",
  ]);
});

test("Vary keeps what the application says (R-137)", async () => {
  const rows = [["Accept", "Accept, Cookie"], ["accept, cookie", "accept, cookie"], ["*", "*"], [
    "X-Cookie",
    "X-Cookie, Cookie",
  ]];
  let vary = "";
  const scene = new WebScene({ handler: () => new Response("x", { headers: { vary } }) });
  await scene.signIn();
  for (const [given = "", expected] of rows) {
    vary = given;
    assertEquals((await scene.visitor.visit("/page")).headers.get("vary"), expected);
  }
});

test("a response that is sent to several users carries nobody's cookie", async () => {
  const shared = new Response(null, { status: 204 });
  const scene = new WebScene({ handler: () => shared });
  await scene.signIn();
  await scene.clock.advance(3_000_000);
  assertEquals((await scene.visitor.send("/page")).headers.getSetCookie().length, 1);
  assertEquals(shared.headers.getSetCookie(), []);
});

test("immutable answers, streams and redirects pass", async () => {
  const answers = [
    () => Response.redirect(`${SITE}/elsewhere`, 302),
    () => new Response(new Blob(["streamed"]).stream()),
    () => new Response(null, { status: 304 }),
    () => fetch("data:text/plain,streamed"),
  ];
  let answer = answers[0]!;
  const scene = new WebScene({ handler: () => answer() });
  await scene.signIn();
  for (const next of answers.slice(0, 3)) {
    answer = next;
    const sent = await scene.visitor.send("/page");
    assertEquals(sent.headers.get("vary"), "Cookie");
    if (sent.body) assertEquals(await sent.text(), "streamed");
  }
});

test("a WebSocket's answer is left alone", async () => {
  const upgrade = { status: 101, headers: new Headers(), webSocket: {} } as unknown as Response;
  const scene = new WebScene();
  await scene.signIn();
  const visit = await scene.auth.visit(new Request(`${SITE}/page`, { headers: cookiesOf(scene) }));
  assert(visit.finish(upgrade) === upgrade);
});

test("a handler gets the user's tokens, and only at the origins that it names", async () => {
  const scene = new WebScene({
    handler: async (_, auth) => {
      const { account } = await auth.acquireToken({ scopes: ["User.Read"] });
      const graph = auth.fetch({ scopes: ["User.Read"], origins: ["https://graph.microsoft.com"] });
      const me = await (await graph("https://graph.microsoft.com/v1.0/me")).json();
      await assertRejects(() => graph("https://evil.example/"), ClientConfigurationError);
      return Response.json({ account: account?.username, me: me.userPrincipalName });
    },
  });
  await scene.signIn();
  const { text } = await scene.visitor.visit("/page");
  assertEquals(JSON.parse(text), { account: PEOPLE[0].username, me: PEOPLE[0].username });
});

test("nobody gets another user's token, whatever the handler asks for", async () => {
  const scene = new WebScene({
    handler: async (_, auth) => {
      const asked = { scopes: ["User.Read"], account: "somebody-else" } as Parameters<
        UserAuth["acquireToken"]
      >[0];
      return new Response((await auth.acquireToken(asked)).account?.username ?? "");
    },
  });
  await scene.signIn("/page", { username: PEOPLE[1].username });
  assertEquals((await scene.visitor.visit("/page")).text, PEOPLE[1].username);
});

/** A page that needs a token which the authority gives after a step-up alone. */
function steppingScene(): WebScene {
  return new WebScene({
    handler: async (request, auth) => {
      const { accessToken } = await auth.acquireToken({ scopes: ["Mail.Read"], claims: C1 });
      return new Response(`${request.method} ${accessToken.length > 0}`);
    },
  });
}

function needStepUp({ authority }: WebScene, times: number): void {
  authority.fault({
    on: "token",
    kind: "json",
    status: 400,
    body: { error: "interaction_required", claims: C1 },
    times,
  });
}

test("who has to step up is sent to sign in with claims, scopes and name, and comes back to the page (R-135)", async () => {
  const scene = steppingScene();
  await scene.comeBack(await scene.visitor.visit("/auth/sign-in"));
  const before = scene.visitor.cookies.get("__Host-auth.session")!.value;
  needStepUp(scene, 1);
  const sent = await scene.visitor.visit("/mail?folder=1");
  const { searchParams } = new URL(sent.location);
  assertEquals(JSON.parse(searchParams.get("claims")!), JSON.parse(C1));
  assertEquals(searchParams.get("login_hint"), `O.${btoa(PEOPLE[0].username).replaceAll("=", "")}`);
  assert(searchParams.get("scope")!.includes("Mail.Read"));
  const back = await scene.comeBack(sent);
  assertEquals(back.location, "/mail?folder=1");
  assertEquals((await scene.visitor.visit(back.location)).text, "GET true");
  assert(scene.visitor.cookies.get("__Host-auth.session")!.value !== before);
});

test("a script that has to step up is told where, by an address that tells nothing and cannot be made (R-140)", async () => {
  const scene = steppingScene();
  await scene.comeBack(await scene.visitor.visit("/auth/sign-in"));
  needStepUp(scene, 1);
  const answer = await scene.visitor.visit("/api/mail", {
    script: true,
    method: "POST",
    headers: { referer: `${SITE}/mail` },
  });
  const { error, signInUrl } = JSON.parse(answer.text);
  assertEquals([answer.status, error, answer.location], [401, "interaction_required", ""]);
  assertMatch(signInUrl, /^\/auth\/sign-in\?step=1\.[\w-]+\.[\w-]+$/);
  for (const [step, who] of [[`${signInUrl}A`, scene.visitor], [signInUrl, scene.another()]] as const) {
    const { searchParams } = new URL((await who.visit(step)).location);
    assertEquals([searchParams.get("claims"), searchParams.get("login_hint")], [null, null]);
  }
  const sent = await scene.visitor.visit(signInUrl);
  assertEquals(JSON.parse(new URL(sent.location).searchParams.get("claims")!), JSON.parse(C1));
  assertEquals((await scene.comeBack(sent)).location, "/mail");
  const other = await scene.visitor.visit(`${signInUrl}&return_to=/inbox`);
  assertEquals((await scene.comeBack(other)).location, "/inbox");
});

test("the address of a step-up ends after ten minutes, and is of one user alone", async () => {
  const scene = steppingScene();
  await scene.comeBack(await scene.visitor.visit("/auth/sign-in"));
  needStepUp(scene, 1);
  const { signInUrl } = JSON.parse((await scene.visitor.visit("/api", { script: true })).text);
  const eve = scene.another();
  await scene.comeBack(await eve.visit("/auth/sign-in"), { username: PEOPLE[1].username }, eve);
  assertEquals(new URL((await eve.visit(signInUrl)).location).searchParams.get("login_hint"), null);
  await scene.clock.advance(600_000);
  assertEquals(new URL((await scene.visitor.visit(signInUrl)).location).searchParams.get("claims"), null);
});

test("a form that needs a step-up is not sent on, and is not lost without a word", async () => {
  const scene = steppingScene();
  await scene.comeBack(await scene.visitor.visit("/auth/sign-in"));
  needStepUp(scene, 1);
  const answer = await scene.visitor.post("/mail", { headers: { referer: `${SITE}/mail/new` } });
  assertEquals([answer.status, answer.title, answer.location], [401, "Please confirm who you are", ""]);
  const href = /<a href="([^"]+)">Sign in/.exec(answer.text)![1]!;
  assertEquals((await scene.comeBack(await scene.visitor.visit(href))).location, "/mail/new");
});

test("a step-up that does not help ends on a page, and not in circles (R-147)", async () => {
  const scene = steppingScene();
  await scene.comeBack(await scene.visitor.visit("/auth/sign-in"));
  needStepUp(scene, 1);
  const back = await scene.comeBack(await scene.visitor.visit("/mail"));
  needStepUp(scene, 2);
  const page = await scene.visitor.visit(back.location);
  assertEquals([page.status, page.title, page.location], [403, "You may not do this yet", ""]);
  const script = await scene.visitor.visit("/mail", { script: true });
  assertEquals([script.status, JSON.parse(script.text).error], [403, "interaction_required"]);
  scene.authority.clearFaults();
  await scene.clock.advance(121_000);
  needStepUp(scene, 1);
  assertEquals((await scene.visitor.visit("/mail")).status, 303);
});

test("an error of a user's token that was made elsewhere steps up, too", async () => {
  let thrown = challenge(C1);
  const scene = new WebScene({ handler: () => Promise.reject(thrown) });
  await scene.comeBack(await scene.visitor.visit("/auth/sign-in"));
  const { searchParams } = new URL((await scene.visitor.visit("/page")).location);
  assertEquals(JSON.parse(searchParams.get("claims")!), JSON.parse(C1));
  thrown = challenge("no json");
  assertEquals((await scene.visitor.visit("/page")).status, 500);
});

test("an application that asks for a sign-in of its own says how, and its scripts get a sealed address", async () => {
  const scene = new WebScene();
  const ask = {
    scopes: ["User.Read"],
    extraScopesToConsent: ["Mail.Read"],
    loginHint: "ada@contoso.onmicrosoft.com",
    prompt: "login",
    returnTo: "/welcome",
  } as const;
  const page = await scene.auth.visit(new Request(`${SITE}/page`, { headers: { accept: "text/html" } }));
  const { searchParams } = new URL((await page.challenge(ask)).headers.get("location")!);
  assertEquals([searchParams.get("prompt"), searchParams.get("login_hint")], ["login", ask.loginHint]);
  assert(searchParams.get("scope")!.includes("Mail.Read"));
  const script = await scene.auth.visit(new Request(`${SITE}/api`));
  const { signInUrl } = await (await script.challenge(ask)).json();
  assert(!signInUrl.includes("Mail") && !signInUrl.includes("welcome"));
  const sent = await scene.visitor.visit(signInUrl);
  assertEquals(new URL(sent.location).searchParams.get("prompt"), "login");
  assertEquals((await scene.comeBack(sent)).location, "/welcome");
});
