/** What an answer leaves behind of another session, another application, or another sign-in. */
import { assert, assertEquals } from "@std/assert";
import { ConfidentialClientApplication } from "../mod.ts";
import { createWebAuth } from "../src/web/mod.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, SITE, TENANT, Visitor, WEB_APP, WebScene } from "./support/web_scene.ts";

const EMPLOYEES = { ...WEB_APP, clientId: "9f1e2d3c-4b5a-4968-8776-655443322111", name: "Employees" };
const ADA = "ada@contoso.onmicrosoft.com";
const BOB = "bob@contoso.onmicrosoft.com";
const BIG = "r".repeat(3_000);

for (const responseMode of ["query", "form_post"] as const) {
  for (const sameSite of ["Lax", "Strict"] as const) {
    test(`a session too large for one cookie takes the place of a small one: ${responseMode}, ${sameSite} (R-133, R-135)`, async () => {
      const scene = new WebScene({
        web: { responseMode, cookies: { sameSite } },
        authority: { users: [{ username: ADA, name: "Ada" }, { username: BOB, name: BIG }] },
      });
      await scene.signIn("/page", { username: ADA });
      assertEquals((await scene.visitor.visit("/open")).text, ADA);
      const sent = await scene.visitor.post("/auth/switch-account", { headers: { origin: SITE } });
      await scene.comeBack(sent, { username: BOB });
      assertEquals((await scene.visitor.visit("/open")).text, BOB);
    });
  }
}

test("a session is good for the application that began it alone, whoever has its secret", async () => {
  for (const onServer of [false, true]) {
    const scene = new WebScene({ onServer, authority: { apps: [WEB_APP, EMPLOYEES] } });
    const app = new ConfidentialClientApplication({
      clientId: EMPLOYEES.clientId,
      clientCredential: EMPLOYEES.secrets[0],
      authority: `https://login.microsoftonline.com/${TENANT}`,
      fetch: (url, init) => scene.authority.fetch(url, init),
      clock: scene.clock,
    });
    const other = createWebAuth({
      app,
      baseUrl: SITE,
      cookieSecret: COOKIE_SECRET,
      ...(onServer && { sessionStore: scene.store }),
    });
    await scene.signIn();
    const employees = new Visitor((request) =>
      other.withUser((_, auth) => new Response(auth?.user.username ?? "nobody"))(request)
    );
    for (const [name, cookie] of scene.visitor.cookies) employees.cookies.set(name, cookie);
    assertEquals((await employees.visit("/employees")).text, "nobody");
  }
});

test("a renewed session does not undo a sign-out or a sign-in that a handler answers with", async () => {
  const scene = new WebScene();
  await scene.signIn("/page", { username: ADA });
  await scene.clock.advance(3_600_000);
  const site = new Visitor((request) => scene.auth.requireUser((one) => scene.auth.signOut(one))(request));
  for (const [name, cookie] of scene.visitor.cookies) site.cookies.set(name, cookie);
  const answer = await site.post("/leave", { headers: { origin: SITE } });
  assertEquals(answer.status, 303);
  assertEquals(site.names().includes("session"), false);
});

test("sign-ins that others begin do not fill up a browser's requests", async () => {
  const scene = new WebScene();
  await scene.signIn();
  for (let i = 0; i < 8; i++) {
    await scene.clock.advance(1_000);
    await scene.visitor.visit(`/auth/sign-in?return_to=/${"x".repeat(2_040)}`, { crossSite: true });
  }
  const bytes = [...scene.visitor.cookies].reduce(
    (sum, [name, { value }]) => sum + name.length + value.length + 3,
    0,
  );
  assert(bytes < 12_288);
});
