/** A person signs in at the local authority with a real browser. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { BrowserContextOptions, Page } from "playwright-core";
import { type LoopbackApp, PHONE, startApp, typeIn, withPage } from "../support/browser.ts";
import { peer } from "../support/peers.ts";
import {
  ADA,
  ASKING_APP,
  authorizeUrl,
  GRACE,
  MFA_CLAIMS,
  signInAuthority,
} from "../support/sign_in_scene.ts";

const chromium = peer("Chromium");

interface Scene {
  readonly page: Page;
  readonly app: LoopbackApp;
  /** The address of an authorization request that comes back to the app. */
  readonly url: (changes?: Readonly<Record<string, string>>) => string;
}

/** An authority and an app on loopback, and a browser. */
async function inBrowser(
  options: BrowserContextOptions,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const server = await signInAuthority().serve(Deno);
  const app = startApp();
  const { origin } = server;
  try {
    await withPage(options, (page) => {
      const url = (changes = {}) =>
        authorizeUrl({ redirect_uri: app.redirectUri, ...changes }, { origin }).href;
      return body({ page, app, url });
    });
  } finally {
    await app.close();
    await server.close();
  }
}

async function assertWelcome({ page, app }: Scene): Promise<URLSearchParams> {
  await page.getByRole("heading", { name: "Welcome" }).waitFor();
  assert(page.url().startsWith(app.redirectUri), page.url());
  return app.arrivals.at(-1)!.parameters;
}

chromium.test("Chromium signs in on a phone, and the app gets a code and its state", () =>
  inBrowser(PHONE, async (scene) => {
    const { page, url } = scene;
    await page.goto(url({ state: "päge & co" }));
    await typeIn(page, ADA);
    const parameters = await assertWelcome(scene);
    assertEquals(parameters.get("state"), "päge & co");
    assert(parameters.get("code")!.length > 20);
    // Signed in already: there and back without a page.
    await page.goto(url({ state: "2" }));
    assertEquals((await assertWelcome(scene)).get("state"), "2");
  }));

chromium.test("Chromium shows a wrong password as an error of both fields, then signs in", () =>
  inBrowser({}, async (scene) => {
    const { page, url } = scene;
    await page.goto(url());
    await typeIn(page, { ...ADA, password: "wrong" });
    const alert = page.getByRole("alert");
    assertMatch((await alert.textContent())!, /AADSTS50126/);
    const password = page.getByLabel("Password");
    assertEquals(await password.getAttribute("aria-describedby"), await alert.getAttribute("id"));
    assertEquals(await page.getByLabel("User name").inputValue(), ADA.username);
    // The password is where the cursor is.
    await page.locator("#password:focus").waitFor();
    await page.keyboard.type(ADA.password);
    assertEquals(await password.inputValue(), ADA.password);
    await page.keyboard.press("Enter");
    assert((await assertWelcome(scene)).get("code"));
  }));

chromium.test("Chromium signs in, picks an account and consents with the keyboard alone", () =>
  inBrowser({}, async (scene) => {
    const { page, url } = scene;
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.goto(url({ client_id: ASKING_APP.clientId, scope: "openid User.Read" }));
    // The cursor is in the first field without anybody having put it there.
    await page.locator("#username:focus").waitFor();
    await page.keyboard.type(ADA.username);
    await press("Tab");
    await page.keyboard.type(ADA.password);
    await press("Enter");
    await page.getByRole("heading", { name: "Permissions requested" }).waitFor();
    await press("Tab", "Enter");
    assert((await assertWelcome(scene)).get("code"));
    await page.goto(url({ prompt: "select_account" }));
    await press("Tab");
    const focused = page.locator(":focus");
    assertMatch((await focused.textContent())!, /ada@contoso/);
    // Whoever uses the keyboard sees where they are.
    assertEquals(await focused.evaluate((element) => getComputedStyle(element).outlineStyle), "solid");
    await press("Enter");
    assert((await assertWelcome(scene)).get("code"));
  }));

chromium.test("Chromium passes the second factor, and declines to consent", () =>
  inBrowser(PHONE, async (scene) => {
    const { page, url } = scene;
    await page.goto(url({ claims: MFA_CLAIMS }));
    await typeIn(page, ADA);
    await page.getByLabel("Code").fill("111111");
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Code").fill("000000");
    await page.getByRole("button", { name: "Verify" }).click();
    assert((await assertWelcome(scene)).get("code"));
    await page.goto(url({ client_id: ASKING_APP.clientId, scope: "openid User.Read" }));
    await page.getByRole("button", { name: "Cancel" }).click();
    const refused = await assertWelcome(scene);
    assertEquals([refused.get("error"), refused.get("state")], ["access_denied", "the state"]);
  }));

chromium.test("Chromium chooses between two accounts", () =>
  inBrowser(PHONE, async (scene) => {
    const { page, url } = scene;
    await page.goto(url());
    await typeIn(page, ADA);
    await assertWelcome(scene);
    await page.goto(url({ prompt: "select_account" }));
    await page.getByRole("button", { name: "Use another account" }).click();
    await typeIn(page, GRACE);
    await assertWelcome(scene);
    await page.goto(url());
    await page.getByRole("heading", { name: "Pick an account" }).waitFor();
    // The hostile name of this account is text.
    await page.getByRole("button", { name: ADA.name }).click();
    assert((await assertWelcome(scene)).get("code"));
  }));

chromium.test("Chromium posts the answer by itself, and by a button where scripts do not run", async () => {
  for (const javaScriptEnabled of [true, false]) {
    await inBrowser({ javaScriptEnabled }, async (scene) => {
      const { page, app, url } = scene;
      await page.goto(url({ response_mode: "form_post" }));
      await typeIn(page, ADA);
      if (!javaScriptEnabled) await page.getByRole("button", { name: "Continue" }).click();
      const parameters = await assertWelcome(scene);
      assertEquals([app.arrivals.length, app.arrivals[0]!.method], [1, "POST"]);
      assertEquals(parameters.get("state"), "the state");
      assert(parameters.get("code"));
    });
  }
});
