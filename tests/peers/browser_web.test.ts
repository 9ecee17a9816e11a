/** The web application of the examples, on each runtime, with a person in front of it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { ALEX, PHONE, typeIn, withPage } from "../support/browser.ts";
import { pageProblems } from "../support/page_checks.ts";
import { peer } from "../support/peers.ts";
import { type ExampleProgram, freePort, onBun, onDeno, onWorkerd } from "./example_program.ts";

const chromium = peer("Chromium");

const HOSTS: Readonly<Record<string, (env: Record<string, string>) => ExampleProgram>> = {
  Deno: (env) => onDeno("examples/deno/web.ts", env),
  Bun: (env) => onBun("examples/bun/web.ts", env),
  workerd: (env) => onWorkerd("examples/workers/local_web.ts", env),
};

interface Scene {
  readonly page: Page;
  readonly site: string;
}

async function look(page: Page, name: string): Promise<void> {
  assertEquals(await pageProblems(page), [], name);
  const folder = Deno.env.get("SCREENSHOTS");
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

/** Opens the web application's first page in a browser. */
async function atSite(
  host: string,
  body: (scene: Scene) => Promise<void>,
  complaints?: RegExp,
): Promise<void> {
  const port = freePort();
  const site = `http://localhost:${port}/`;
  await using program = HOSTS[host]!({ PORT: String(port) });
  await program.printed(new RegExp(`Open ${site}`));
  await withPage(PHONE, async (page) => {
    await page.goto(site);
    await body({ page, site });
  }, (said) => assertEquals(said.filter((one) => !complaints?.test(one)), []));
}

const heading = (page: Page, name: string) => page.getByRole("heading", { name }).waitFor();
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const follow = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();

for (const host of Object.keys(HOSTS)) {
  chromium.test(`Chromium signs in to the web example on ${host}, asks Graph, and signs out`, () =>
    atSite(host, async ({ page, site }) => {
      await look(page, `${host} welcome`);
      await follow(page, "Sign in");
      await typeIn(page, { ...ALEX, password: "not it" });
      await page.getByRole("alert").waitFor();
      await typeIn(page);
      await look(page, `${host} consent`);
      await press(page, "Accept");
      await heading(page, "Hello Alex Doe");
      assertEquals(page.url(), site);
      await look(page, `${host} hello`);
      const [session, ...others] = (await page.context().cookies(site)).filter(({ name }) =>
        !name.startsWith("local-")
      );
      // The cookie of the sign-in is gone; the session's is out of scripts' reach.
      assertEquals([session?.name, session?.httpOnly, session?.sameSite, others], [
        "session",
        true,
        "Lax",
        [],
      ]);
      assertEquals(await page.evaluate(() => document.cookie), "");
      await follow(page, "My profile");
      await heading(page, "My profile");
      await page.getByText(ALEX.username).first().waitFor();
      await look(page, `${host} profile`);
      await follow(page, "Back");
      await press(page, "Sign out");
      await heading(page, "Welcome");
      assertEquals(page.url(), site);
      // The old session is worth nothing, and at the authority nobody is signed in.
      await page.context().addCookies([session!]);
      await page.goto(`${site}me`);
      await page.getByLabel("Password").waitFor();
    }));

  chromium.test(`Chromium signs in to the web example on ${host} in two tabs, goes back, and cannot replay`, () =>
    atSite(host, async ({ page, site }) => {
      const answers: string[] = [];
      page.context().on("request", (request) => {
        if (request.url().startsWith(`${site}callback?`)) answers.push(request.url());
      });
      const other = await page.context().newPage();
      await other.goto(site);
      await follow(page, "Sign in");
      await follow(other, "Sign in");
      await typeIn(page);
      await press(page, "Accept");
      await heading(page, "Hello Alex Doe");
      const sessionOf = async () =>
        (await page.context().cookies(site)).find(({ name }) => name === "session")?.value;
      const first = await sessionOf();
      await typeIn(other);
      await heading(other, "Hello Alex Doe");
      // Each sign-in begins a session of its own.
      assertNotEquals(await sessionOf(), first);
      assertEquals(answers.length, 2);
      const replayed = await page.goto(answers[0]!);
      assertEquals(replayed?.status(), 400);
      await heading(page, "This sign-in is over");
      await look(page, `${host} replayed`);
      await follow(page, "Start page");
      await heading(page, "Hello Alex Doe");
      // Back to the authority's pages, whose second answer is refused like any other.
      await other.goBack();
      await other.goBack();
      await other.goto(site);
      await heading(other, "Hello Alex Doe");
      const forged = await page.goto(answers[1]!.replace(/state=[^&]*/, "state=somebody-elses"));
      assertEquals(forged?.status(), 400);
      await heading(page, "This sign-in is over");
    }, /400/));

  chromium.test(`Chromium declines to consent to the web example on ${host}, and is told so`, () =>
    atSite(host, async ({ page, site }) => {
      await follow(page, "Sign in");
      await typeIn(page);
      await press(page, "Cancel");
      await heading(page, "You are not signed in");
      assertMatch(page.url(), /^http:\/\/localhost:\d+\/callback\?/);
      await look(page, `${host} declined`);
      assertEquals((await page.context().cookies(site)).filter(({ name }) => !name.startsWith("local-")), []);
      await follow(page, "Start page");
      await heading(page, "Welcome");
      // Another site's form does not sign anybody out.
      const refused = await page.request.post(`${site}sign-out`, {
        headers: { origin: "http://evil.example" },
      });
      assertEquals(refused.status(), 403);
      assert(!(await refused.headersArray()).some(({ name }) => name === "set-cookie"));
    }, /403/));
}
