/** Browsers that are sent round and round are stopped; tabs and people are not. */
import { assertEquals, assertMatch } from "@std/assert";
import { test } from "./support/suite.ts";
import { type Visited, type Visitor, WebScene } from "./support/web_scene.ts";

/** Visits a page whose session is lost each time. */
async function round(scene: WebScene, visitor: Visitor = scene.visitor): Promise<Visited> {
  const sent = await visitor.visit("/page");
  if (sent.status !== 303) return sent;
  const back = await scene.comeBack(sent, {}, visitor);
  visitor.cookies.delete("__Host-auth.session");
  return back;
}

test("the fourth sign-in in a minute is a page that says what may be wrong (R-147)", async () => {
  const scene = new WebScene();
  for (let i = 0; i < 3; i++) assertEquals((await round(scene)).status, 303);
  const page = await round(scene);
  assertEquals([page.status, page.location], [429, ""]);
  assertEquals(page.title, "The sign-in goes round in circles");
  for (const hint of [/cookies/, /clock/, /https/, /baseUrl/, /cookieSecret/]) assertMatch(page.text, hint);
  assertEquals(page.headers.get("retry-after"), "60");
  // By whichever address.
  assertEquals((await scene.visitor.visit("/auth/sign-in")).status, 429);
  const script = await scene.visitor.visit("/page", { script: true });
  assertEquals(script.status, 401);
});

test("a minute later it is tried again (R-147)", async () => {
  const scene = new WebScene();
  for (let i = 0; i < 3; i++) await round(scene);
  assertEquals((await round(scene)).status, 429);
  await scene.clock.advance(60_000);
  assertEquals((await round(scene)).status, 303);
});

test("ten tabs at once are no circle, in whichever order they come back (R-147)", async () => {
  const scene = new WebScene();
  for (let restarts = 0; restarts < 3; restarts++) {
    const sent: Visited[] = [];
    for (let i = 0; i < 10; i++) sent.push(await scene.visitor.visit(`/page${i}`));
    assertEquals(sent.map(({ status }) => status), Array(10).fill(303));
    for (const tab of sent.slice(-5).reverse()) assertEquals((await scene.comeBack(tab)).status, 303);
    assertEquals((await scene.visitor.visit("/page")).status, 200);
    scene.visitor.cookies.delete("__Host-auth.session");
  }
});

test("who signs out and in again goes in no circle, nor does who switches accounts (R-147)", async () => {
  const scene = new WebScene();
  for (let i = 0; i < 6; i++) {
    assertEquals((await scene.signIn()).status, 303);
    await scene.visitor.post("/auth/sign-out");
  }
  for (let i = 0; i < 6; i++) {
    assertEquals((await scene.comeBack(await scene.visitor.post("/auth/switch-account"))).status, 303);
  }
});

test("one browser's circle is nobody else's (R-147)", async () => {
  const scene = new WebScene();
  for (let i = 0; i < 4; i++) await round(scene);
  assertEquals((await round(scene, scene.another())).status, 303);
});

test("a trail that somebody made counts for nothing (R-132)", async () => {
  const scene = new WebScene();
  for (const value of ["x", "1.AAAAAAAA.AAAA", "%00", JSON.stringify({ rounds: [1, 2, 3, 4] })]) {
    scene.visitor.cookies.set("__Host-auth.trail", { value, sameSite: "Lax", line: "" });
    assertEquals((await scene.visitor.visit("/page")).status, 303);
  }
});

test("with form_post circles are noticed, too (R-129, R-147)", async () => {
  const scene = new WebScene({ web: { responseMode: "form_post" } });
  for (let i = 0; i < 3; i++) assertEquals((await round(scene)).status, 303);
  assertEquals((await round(scene)).status, 429);
});
