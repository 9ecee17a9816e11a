/** Sign-out: here first, then at the authority, and by nobody else. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { test } from "./support/suite.ts";
import { PEOPLE, SITE, TENANT, WebScene } from "./support/web_scene.ts";

async function signedIn(options: ConstructorParameters<typeof WebScene>[0] = {}): Promise<WebScene> {
  const scene = new WebScene(options);
  await scene.signIn();
  return scene;
}

async function homeOf({ auth, visitor }: WebScene): Promise<string> {
  const cookie = [...visitor.cookies].map(([name, { value }]) => `${name}=${value}`).join("; ");
  return (await auth.visit(new Request(`${SITE}/`, { headers: { cookie } }))).auth!.user.homeAccountId;
}

test("a sign-out ends the session and the tokens here, then sends the browser to the authority's (R-143, R-144)", async () => {
  const scene = await signedIn();
  const home = await homeOf(scene);
  assert(await scene.app.getAccount(home) !== null);
  const sent = await scene.visitor.post("/auth/sign-out");
  assertEquals(sent.status, 303);
  const { origin, pathname, searchParams } = new URL(sent.location);
  assertEquals(origin + pathname, `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/logout`);
  assertEquals(searchParams.get("post_logout_redirect_uri"), `${SITE}/auth/signed-out`);
  assertEquals(searchParams.get("logout_hint"), `O.${btoa(PEOPLE[0].username).replaceAll("=", "")}`);
  assertMatch(searchParams.get("state")!, /^[\w-]{22}$/);
  assertEquals(scene.visitor.names(), ["out"]);
  assertEquals(await scene.app.getAccount(home), null);
  const back = await scene.visitor.visit(`/auth/signed-out?state=${searchParams.get("state")}`, {
    crossSite: true,
  });
  assertEquals([back.status, back.title], [200, "You are signed out"]);
  assertMatch(back.text, /of the sign-in service/);
  assertEquals(scene.visitor.names(), []);
});

test("a sign-out that did not come from our pages does nothing (R-140)", async () => {
  const scene = await signedIn();
  const foreign: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: SITE },
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
  ];
  for (const headers of foreign) {
    const answer = await scene.visitor.post("/auth/sign-out", { headers });
    assertEquals([answer.status, answer.headers.getSetCookie()], [403, []]);
  }
  const old: (string | undefined)[] = [
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    `${SITE}:444`,
    undefined,
  ];
  for (const origin of [...old, "http://app.example"]) {
    const headers: Record<string, string> = origin === undefined ? {} : { origin };
    assertEquals((await scene.visitor.post("/auth/sign-out", { bare: true, headers })).status, 403);
  }
  assertEquals((await scene.visitor.visit("/page")).text, "Hello Ada Byron");
  assertEquals(
    (await scene.visitor.post("/auth/sign-out", { bare: true, headers: { origin: SITE } })).status,
    303,
  );
});

test("a GET asks first, and ends nothing (R-140)", async () => {
  const scene = await signedIn();
  const page = await scene.visitor.visit("/auth/sign-out");
  assertEquals([page.status, page.title], [200, "Sign out?"]);
  assertMatch(page.text, /<form method="post" action="\/auth\/sign-out"><button>Sign out<\/button><\/form>/);
  assertMatch(page.headers.get("content-security-policy")!, /form-action 'self' https: /);
  const head = await scene.visitor.visit("/auth/sign-out", { method: "HEAD" });
  assertEquals([head.status, head.text], [200, ""]);
  assertEquals(
    (await scene.visitor.visit("/auth/sign-out", { method: "DELETE" })).headers.get("allow"),
    "GET, HEAD, POST",
  );
  assertEquals((await scene.visitor.visit("/page")).text, "Hello Ada Byron");
});

test("an authority that cannot sign out, or a cache that cannot forget, keeps nobody signed in (R-144)", async () => {
  const scene = await signedIn({ onServer: true });
  const kept = scene.visitor.cookies.get("__Host-auth.session")!;
  scene.app.getSignOutUrl = () => Promise.reject(new Error("down"));
  scene.app.removeAccount = () => Promise.reject(new Error("down"));
  const sent = await scene.visitor.post("/auth/sign-out");
  assertEquals([sent.status, sent.location], [303, "/auth/signed-out"]);
  assertEquals(scene.visitor.names(), []);
  scene.visitor.cookies.set("__Host-auth.session", kept);
  assertEquals((await scene.visitor.visit("/open")).text, "nobody");
  assertEquals(scene.events.filter(({ type }) => type === "request_failed").length, 2);
});

test("a store of sessions that fails deletes the cookies all the same (R-144)", async () => {
  const scene = await signedIn({ onServer: true });
  scene.store.get = () => Promise.reject(new Error("down"));
  scene.store.delete = () => Promise.reject(new Error("down"));
  const sent = await scene.visitor.post("/auth/sign-out");
  assertEquals(sent.status, 303);
  assertEquals(scene.visitor.names(), ["out"]);
});

test("who comes back with another state, or none, is signed out, and is led nowhere (R-143)", async () => {
  const scene = await signedIn();
  await scene.visitor.post("/auth/sign-out");
  for (
    const query of [
      "",
      "?state=",
      "?state=other",
      "?state=a&state=b",
      "?post_logout_redirect_uri=https://evil.example",
    ]
  ) {
    const page = await scene.visitor.visit(`/auth/signed-out${query}`);
    assertEquals([page.status, page.title, page.location], [200, "You are signed out", ""]);
    assert(!page.text.includes("sign-in service") && !page.text.includes("evil"));
  }
  assertEquals((await scene.visitor.visit("/open")).text, "nobody");
});

test("a link to the page of signed-out users signs nobody out, and tells nobody what is not so (R-140)", async () => {
  const scene = await signedIn();
  const answer = await scene.visitor.visit("/auth/signed-out?state=x", { crossSite: true });
  assertEquals([answer.status, answer.location], [303, "/"]);
  assertEquals((await scene.visitor.visit("/page")).text, "Hello Ada Byron");
});

test("a sign-out without a session goes to the authority's, and each has a state of its own", async () => {
  const scene = new WebScene();
  const [one, two] = [await scene.visitor.post("/auth/sign-out"), await scene.visitor.post("/auth/sign-out")];
  const states = [one, two].map(({ location }) => new URL(location).searchParams.get("state"));
  assertNotEquals(states[0], states[1]);
  assertEquals(new URL(one.location).searchParams.get("logout_hint"), null);
});

test("what one browser signs out of, another keeps, but for the tokens", async () => {
  const scene = new WebScene({
    handler: async (_, auth) =>
      new Response(`${(await auth.acquireToken({ scopes: ["User.Read"] })).tokenType}`),
  });
  await scene.signIn();
  const other = scene.another();
  await scene.signIn("/page", {}, other);
  await scene.visitor.post("/auth/sign-out");
  assertEquals((await other.visit("/open")).text, PEOPLE[0].username);
  const sent = await other.visit("/page");
  assertEquals(sent.status, 303);
  assertEquals((await scene.comeBack(sent, {}, other)).location, "/page");
  assertEquals((await other.visit("/page")).text, "Bearer");
});
