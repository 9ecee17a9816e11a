/** A session too large for cookies is a mistake in the program, and no outage. */
import { assert, assertEquals } from "@std/assert";
import { test } from "./support/suite.ts";
import { PEOPLE, WebScene } from "./support/web_scene.ts";

const LARGE = {
  web: { sessionClaims: ["name"] },
  authority: { users: [{ username: PEOPLE[0].username, name: "cAnArY7".repeat(1_500) }] },
};

test("a session too large for cookies is our fault, and an event names the options that mend it, as one does", async () => {
  const scene = new WebScene(LARGE);
  const { status, text, headers } = await scene.signIn();
  assertEquals([status, headers.get("retry-after")], [500, null]);
  assert(text.includes("value_too_large") && !text.includes("cAnArY7"));
  const told = scene.events.flatMap((event) => event.type === "request_failed" ? [event.error] : []);
  assertEquals(told.map(({ code }) => code), ["value_too_large"]);
  const { message } = told[0]!;
  assert(["sessionClaims", "sessionStore"].every((option) => message.includes(option)), message);
  assert(!message.includes("cAnArY7"));
  assertEquals((await scene.visitor.visit("/open")).text, "nobody");
  const mended = new WebScene({ ...LARGE, onServer: true });
  assertEquals((await mended.signIn()).status, 303);
  assertEquals((await mended.visitor.visit("/open")).text, PEOPLE[0].username);
});
