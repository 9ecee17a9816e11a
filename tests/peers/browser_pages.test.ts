/** The device page and the sign-out page of the local authority in a real browser, and how all pages look. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { LocalAuthority } from "../../src/testing/mod.ts";
import { type LoopbackApp, PHONE, startApp, typeIn, withPage } from "../support/browser.ts";
import { pageProblems } from "../support/page_checks.ts";
import { peer } from "../support/peers.ts";
import {
  ADA,
  ASKING_APP,
  authorizeUrl,
  DEVICE_APP,
  GRACE,
  MFA_CLAIMS,
  signInAuthority,
  WEB_APP,
} from "../support/sign_in_scene.ts";

const chromium = peer("Chromium");

interface Scene {
  readonly page: Page;
  readonly app: LoopbackApp;
  readonly origin: string;
}

async function inBrowser(
  options: BrowserContextOptions,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const app = startApp();
  const web = { ...WEB_APP, redirectUris: [`${app.origin}/*`], logoutUris: [`${app.origin}/signed-out`] };
  const authority: LocalAuthority = signInAuthority({ apps: [web, ASKING_APP, DEVICE_APP] });
  const server = await authority.serve(Deno);
  try {
    await withPage(options, (page) => body({ page, app, origin: server.origin }));
  } finally {
    await app.close();
    await server.close();
  }
}

async function post(
  origin: string,
  path: string,
  form: Record<string, string>,
): Promise<Record<string, string>> {
  const body = new URLSearchParams({ client_id: DEVICE_APP.clientId, ...form });
  const response = await fetch(`${origin}/contoso.onmicrosoft.com/oauth2/v2.0/${path}`, {
    method: "POST",
    body,
  });
  return await response.json();
}

chromium.test("Chromium signs a television in by the code that it shows", () =>
  inBrowser(PHONE, async ({ page, origin }) => {
    const device = await post(origin, "devicecode", { scope: "openid User.Read" });
    await page.goto(device["verification_uri"]!);
    await page.getByLabel("Code").fill("nonsense");
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Code").fill(device["user_code"]!.toLowerCase());
    await page.getByRole("button", { name: "Next" }).click();
    await typeIn(page, ADA);
    await page.getByRole("heading", { name: `Are you trying to sign in to ${DEVICE_APP.name}?` }).waitFor();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    const token = await post(origin, "token", {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: device["device_code"]!,
    });
    assert(token["access_token"], token["error"]);
  }));

chromium.test("Chromium signs out, tells the app in a hidden frame, and goes back to it by itself", () =>
  inBrowser({}, async ({ page, app, origin }) => {
    const redirect_uri = app.redirectUri;
    await page.goto(authorizeUrl({ redirect_uri }, { origin }).href);
    await typeIn(page, ADA);
    await page.getByRole("heading", { name: "Welcome" }).waitFor();
    const back = { client_id: WEB_APP.clientId, post_logout_redirect_uri: `${app.origin}/bye` };
    await page.goto(`${origin}/common/oauth2/v2.0/logout?${new URLSearchParams(back)}`);
    await page.waitForURL(`${app.origin}/bye`);
    assertEquals(app.arrivals.map(({ path }) => path), ["/callback", "/signed-out", "/bye"]);
    const [answer, told] = app.arrivals.map(({ parameters }) => parameters);
    assertEquals(told!.get("sid"), answer!.get("session_state"));
    assertEquals(new URL(told!.get("iss")!).origin, origin);
    await page.goto(authorizeUrl({ redirect_uri, prompt: "none" }, { origin }).href);
    assertEquals(app.arrivals.at(-1)!.parameters.get("error"), "login_required");
  }));

chromium.test("Chromium does not show the sign-in page in a frame", async () => {
  const server = await signInAuthority().serve(Deno);
  try {
    await withPage({}, async (page) => {
      const blocked = page.waitForEvent("console");
      const { href } = authorizeUrl({}, { origin: server.origin });
      await page.setContent(`<iframe src="${href.replaceAll("&", "&amp;")}"></iframe>`);
      await blocked;
    }, (complaints) => assertMatch(complaints.join(), /frame-ancestors/));
  } finally {
    await server.close();
  }
});

/** Visits every kind of page, and hands each over by name. */
async function visitAll({ page, app, origin }: Scene, look: (name: string) => Promise<void>): Promise<void> {
  const to = async (name: string, changes: Readonly<Record<string, string>>) => {
    await page.goto(authorizeUrl({ redirect_uri: app.redirectUri, ...changes }, { origin }).href);
    await look(name);
  };
  const press = async (name: string, button: string) => {
    await page.getByRole("button", { name: button }).click();
    await look(name);
  };
  await to("sign in", {});
  await page.getByLabel("User name").fill("nobody");
  await page.getByLabel("Password").fill("x");
  await press("sign in, wrong", "Sign in");
  await to("sign in for more", {
    claims: MFA_CLAIMS,
    client_id: ASKING_APP.clientId,
    scope: "openid User.Read",
  });
  await typeIn(page, ADA);
  await look("second factor");
  await page.getByLabel("Code").fill("1");
  await press("second factor, wrong", "Verify");
  await page.getByLabel("Code").fill("000000");
  await press("consent", "Verify");
  await to("accounts", { prompt: "select_account" });
  await press("sign in as another", "Use another account");
  await typeIn(page, GRACE);
  const device = await post(origin, "devicecode", { scope: "openid User.Read" });
  await page.goto(`${device["verification_uri"]}?otc=wrong`);
  await look("device code");
  await press("device code, wrong", "Next");
  await page.getByLabel("Code").fill(device["user_code"]!);
  await press("accounts for the device", "Next");
  await press("device confirmation", "Ada");
  await press("device done", "Continue");
  await page.goto(`${origin}/common/oauth2/v2.0/logout`);
  await look("sign out");
  await press("signed out", "All of them");
}

for (const colorScheme of ["light", "dark"] as const) {
  chromium.test(`Chromium finds every page readable, labelled and large enough to touch, in ${colorScheme}`, () =>
    inBrowser({ ...PHONE, viewport: { width: 320, height: 568 }, colorScheme }, async (scene) => {
      const found: Record<string, string[]> = {};
      let visited = 0;
      await visitAll(scene, async (name) => {
        visited++;
        const problems = await pageProblems(scene.page);
        if (problems.length > 0) found[name] = problems;
      });
      assertEquals([found, visited], [{}, 15]);
    }));
}
