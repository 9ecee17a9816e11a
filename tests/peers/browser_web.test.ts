/** The web application and API of the examples, on each runtime, with a person in front of it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import type { Cookie, Page } from "playwright-core";
import { declareTenant } from "../../examples/shared/local_tenant.ts";
import type { LocalAuthority } from "../../src/testing/mod.ts";
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
  /** The tenant, which the test plays. */
  readonly authority: LocalAuthority;
  /** Where it is. */
  readonly tenant: string;
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
  { complaints, env = {} }: { readonly complaints?: RegExp; readonly env?: Record<string, string> } = {},
): Promise<void> {
  const port = freePort();
  const site = `http://localhost:${port}/`;
  const authority = declareTenant(site);
  const { origin: tenant, close } = await authority.serve(Deno);
  try {
    await using program = HOSTS[host]!({ PORT: String(port), LOCAL_TENANT: tenant, ...env });
    await program.printed(new RegExp(`Open ${site}`));
    await withPage(PHONE, async (page) => {
      await page.goto(site);
      await body({ page, site, authority, tenant });
    }, (said) => assertEquals(said.filter((one) => !complaints?.test(one)), []));
  } finally {
    await close();
  }
}

const heading = (page: Page, name: string) => page.getByRole("heading", { name }).waitFor();
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const follow = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();

async function signIn({ page }: Pick<Scene, "page">): Promise<void> {
  await follow(page, "Sign in");
  await typeIn(page);
  await press(page, "Accept");
  await heading(page, "Hello Alex Doe");
}

async function cookiesOf({ page, site }: Pick<Scene, "page" | "site">): Promise<Cookie[]> {
  return (await page.context().cookies(site)).filter(({ name }) => !name.startsWith("local-"));
}

async function sessionOf(scene: Pick<Scene, "page" | "site">): Promise<Cookie | undefined> {
  return (await cookiesOf(scene)).find(({ name }) => name.endsWith("session"));
}

for (const host of Object.keys(HOSTS)) {
  chromium.test(`Chromium signs in on ${host}, calls the API, steps up for a claims challenge, and signs out`, () =>
    atSite(host, async (scene) => {
      const { page, site } = scene;
      await look(page, `${host} welcome`);
      await follow(page, "Sign in");
      await typeIn(page, { ...ALEX, password: "not it" });
      await page.getByRole("alert").waitFor();
      await typeIn(page);
      await press(page, "Accept");
      await heading(page, "Hello Alex Doe");
      assertEquals(page.url(), site);
      await look(page, `${host} hello`);
      // The cookie of the sign-in is gone; the session's is out of scripts' reach.
      const session = await sessionOf(scene);
      assertEquals([session?.httpOnly, session?.sameSite], [true, "Lax"]);
      assertEquals((await cookiesOf(scene)).filter(({ name }) => /flow/.test(name)), []);
      assertEquals(await page.evaluate(() => document.cookie), "");
      // The API answers for the user, whom it asks Graph about.
      await follow(page, "Orders");
      await heading(page, "Orders");
      await page.getByText("For Alex Doe").waitFor();
      await look(page, `${host} orders`);
      await follow(page, "Back");
      // What the API asks for besides, the user proves, and comes back to the page.
      await follow(page, "Invoices");
      await page.getByLabel(/code/i).fill("000000");
      await look(page, `${host} second proof`);
      await page.getByRole("button", { name: /verify|sign in|next|continue/i }).click();
      await heading(page, "Invoices");
      assertEquals(new URL(page.url()).pathname, "/invoices");
      // A new session: what was known of the old one is worth nothing.
      assertNotEquals((await sessionOf(scene))?.value, session?.value);
      await follow(page, "Back");
      // Graph's own scope was not asked for at first: the user is asked now.
      await follow(page, "My profile");
      await Promise.race([heading(page, "My profile"), press(page, "Accept")]);
      await heading(page, "My profile");
      await page.getByText(ALEX.username).first().waitFor();
      await follow(page, "Back");
      const last = await sessionOf(scene);
      await press(page, "Sign out");
      await heading(page, "You are signed out");
      await look(page, `${host} signed out`);
      // No page of who was signed in comes out of the browser's memory.
      await page.goBack().catch(() => {});
      assertEquals(await page.getByRole("heading", { name: "Hello Alex Doe" }).count(), 0);
      // The old session is worth nothing, and at the authority nobody is signed in.
      await page.context().addCookies([last!]);
      await page.goto(`${site}orders`);
      await page.getByLabel("Password").waitFor();
    }));

  chromium.test(`Chromium signs in on ${host} in two tabs, goes back, and cannot replay`, () =>
    atSite(host, async (scene) => {
      const { page, site } = scene;
      const answers: string[] = [];
      page.context().on("request", (request) => {
        if (request.url().startsWith(`${site}auth/callback?`)) answers.push(request.url());
      });
      const other = await page.context().newPage();
      await other.goto(site);
      await follow(page, "Sign in");
      await follow(other, "Sign in");
      await typeIn(page);
      await press(page, "Accept");
      await heading(page, "Hello Alex Doe");
      const first = (await sessionOf(scene))?.value;
      await typeIn(other);
      await heading(other, "Hello Alex Doe");
      // Each sign-in begins a session of its own.
      assertNotEquals((await sessionOf(scene))?.value, first);
      assertEquals(answers.length, 2);
      await follow(page, "Orders");
      await heading(page, "Orders");
      await page.goBack();
      await heading(page, "Hello Alex Doe");
      // An answer that comes again does no harm: who is signed in stays so.
      await page.goto(answers[0]!);
      assertEquals(new URL(page.url()).searchParams.has("code"), page.url() === answers[0]);
      await page.goto(site);
      await heading(page, "Hello Alex Doe");
      const forged = await page.goto(answers[1]!.replace(/state=[^&]*/, "state=somebody-elses"));
      assert((forged?.status() ?? 0) < 500);
      await page.goto(site);
      await heading(page, "Hello Alex Doe");
      // In another browser the answer is worth nothing.
      const stranger = await page.context().browser()!.newContext();
      const tab = await stranger.newPage();
      assertEquals((await tab.goto(answers[0]!))?.status(), 400);
      await heading(tab, "This sign-in is over");
      await look(tab, `${host} replayed`);
      await stranger.close();
    }, { complaints: /400/ }));

  chromium.test(`Chromium declines to consent on ${host}, and is told so`, () =>
    atSite(host, async (scene) => {
      const { page, site } = scene;
      await follow(page, "Sign in");
      await typeIn(page);
      await press(page, "Cancel");
      await heading(page, "You are not signed in");
      assertMatch(page.url(), /^http:\/\/localhost:\d+\/auth\/callback\?/);
      await look(page, `${host} declined`);
      assertEquals((await cookiesOf(scene)).filter(({ name }) => /flow|session/.test(name)), []);
      await page.goto(site);
      await heading(page, "Welcome");
      // Another site's form does not sign anybody out.
      const refused = await page.request.post(`${site}auth/sign-out`, {
        headers: { origin: "http://evil.example", "sec-fetch-site": "cross-site" },
      });
      assertEquals(refused.status(), 403);
      assert(!(await refused.headersArray()).some(({ name }) => name === "set-cookie"));
    }, { complaints: /403/ }));

  chromium.test(`Chromium is signed out on ${host} by a hidden frame of the authority (R-141)`, () =>
    atSite(host, async (scene) => {
      const { page, site, tenant, authority } = scene;
      await signIn(scene);
      const framed = page.context().waitForEvent(
        "request",
        (request) => request.url().startsWith(`${site}auth/front-channel-logout?`),
      );
      // Another application's sign-out, or the authority's own.
      await page.goto(`${tenant}/${authority.defaults.tenantId}/oauth2/v2.0/logout`);
      const notice = await framed;
      assertEquals((await notice.response())?.status(), 200);
      // The frame is of another site: the browser kept the cookie to itself.
      assertEquals((await notice.allHeaders())["cookie"], undefined);
      assert(await sessionOf(scene));
      await page.goto(site);
      await heading(page, "Welcome");
    }));

  chromium.test(`Chromium keeps a session of more than 4 kB on ${host}, and begins a new one where it has ended`, () =>
    atSite(host, async (scene) => {
      const { page, site, authority } = scene;
      const roles = Array.from({ length: 200 }, (_, i) => `Department.${i}.Reader`);
      authority.fault({ on: "token", kind: "id_token", claims: { roles } });
      await signIn(scene);
      assert(JSON.stringify(roles).length > 4_096);
      for (const { name, value } of await cookiesOf(scene)) assert(name.length + value.length <= 4_096, name);
      await page.goto(site);
      await heading(page, "Hello Alex Doe");
      await page.waitForTimeout(4_000);
      await page.goto(site);
      await heading(page, "Welcome");
      // At the authority the person is still signed in: the way back is short.
      await page.goto(`${site}orders`);
      await heading(page, "Orders");
    }, { env: { SESSION_SECONDS: "3" } }));

  chromium.test(`Chromium is asked to wait on ${host} while the authority is down, and nobody is signed out (R-184)`, () =>
    atSite(host, async (scene) => {
      const { page, site, authority } = scene;
      await signIn(scene);
      await follow(page, "Orders");
      await heading(page, "Orders");
      authority.fault({ on: "any", kind: "server_error", status: 503, times: Infinity });
      // Who is signed in goes on with what is at hand; Graph is down, too.
      await page.goto(site);
      await heading(page, "Hello Alex Doe");
      const other = await page.context().browser()!.newContext();
      const stranger = await other.newPage();
      await stranger.goto(site);
      authority.clearFaults();
      await stranger.getByRole("link", { name: "Sign in" }).click();
      authority.fault({ on: "token", kind: "server_error", status: 503, times: Infinity });
      await typeIn(stranger);
      await heading(stranger, "Please wait a moment");
      await look(stranger, `${host} down`);
      authority.clearFaults();
      await stranger.goto(site);
      await heading(stranger, "Welcome");
      await other.close();
    }, { complaints: /503|502/ }));
}
