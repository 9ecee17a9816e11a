/** A program that opens a browser for its user, and the browser. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Page } from "playwright-core";
import { allowInsecureLoopback, ClientAuthError, PublicClientApplication, ServerError } from "../../mod.ts";
import { LoopbackReceiver } from "../../src/host/mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { typeIn, withPage } from "../support/browser.ts";
import { pageProblems } from "../support/page_checks.ts";
import { peer } from "../support/peers.ts";
import { onDeno } from "./example_program.ts";

const chromium = peer("Chromium");
const PUBLIC_CLIENT = {
  clientId: "c41f7d83-0b5e-4a92-9e6d-71b8a2f05c3d",
  name: "Asking command line",
  publicClient: true,
  redirectUris: ["http://localhost"],
  requireConsent: true,
};

interface Scene {
  readonly page: Page;
  readonly authority: LocalAuthority;
  readonly app: PublicClientApplication;
}

async function inBrowser(body: (scene: Scene) => Promise<void>, complaints?: RegExp): Promise<void> {
  const authority = new LocalAuthority({ apps: [PUBLIC_CLIENT] });
  const server = await authority.serve(Deno);
  const app = new PublicClientApplication({
    clientId: PUBLIC_CLIENT.clientId,
    authority: `${server.origin}/${authority.defaults.tenantId}`,
    [allowInsecureLoopback]: true,
  });
  try {
    await withPage(
      {},
      (page) => body({ page, authority, app }),
      (said) => assertEquals(said.filter((one) => !complaints?.test(one)), []),
    );
  } finally {
    await server.close();
  }
}

async function look(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("SCREENSHOTS");
  if (folder) await page.screenshot({ path: `${folder}/loopback ${name}.png` });
  assertEquals(await pageProblems(page), [], name);
}

const press = (page: Page, name: string) => page.getByRole("button", { name }).click();

for (const responseMode of ["form_post", "query"] as const) {
  chromium.test(`Chromium signs in for a program that listens, and answers by ${responseMode}`, () =>
    inBrowser(async ({ page, app }) => {
      const openBrowser = async (url: string) => void await page.goto(url);
      const receiver = new LoopbackReceiver({ openBrowser, responseMode });
      const signedIn = app.acquireTokenInteractive({ scopes: ["User.Read"], receiver });
      await typeIn(page);
      const answer = page.waitForRequest((request) => request.url().startsWith("http://localhost:"));
      await press(page, "Accept");
      const isForm = responseMode === "form_post";
      assertEquals((await answer).method(), isForm ? "POST" : "GET");
      const { account } = await signedIn;
      assertEquals(account?.name, "Alex Doe");
      await page.getByRole("heading").waitFor();
      // With a form the code is not in the address, nor in the history.
      if (isForm) assert(!page.url().includes("code="), page.url());
      await look(page, `success ${responseMode}`);
    }));
}

chromium.test("Chromium brings a stranger's answer, is told so, and the program waits for its own", () =>
  inBrowser(async ({ page, app }) => {
    let address = "";
    const openBrowser = async (url: string) => void await page.goto(address = url);
    const receiver = new LoopbackReceiver({ openBrowser });
    const signedIn = app.acquireTokenInteractive({ scopes: ["User.Read"], receiver });
    await page.getByLabel("Password").waitFor();
    const stranger = await page.context().newPage();
    const redirectUri = new URL(address).searchParams.get("redirect_uri")!;
    await stranger.setContent(`<form method="post" action="${redirectUri}">
      <input name="code" value="theirs"><input name="state" value="theirs"><button>Send</button></form>`);
    const refused = stranger.waitForResponse((response) => response.url().startsWith(redirectUri));
    await press(stranger, "Send");
    assertEquals((await refused).status(), 400);
    await stranger.getByRole("heading").waitFor();
    await look(stranger, "mismatch");
    await typeIn(page);
    await press(page, "Accept");
    assertEquals((await signedIn).account?.name, "Alex Doe");
  }, /400/));

chromium.test("Chromium declines, and the page and the program both say so", () =>
  inBrowser(async ({ page, app }) => {
    const openBrowser = async (url: string) => void await page.goto(url);
    const receiver = new LoopbackReceiver({ openBrowser });
    const signedIn = app.acquireTokenInteractive({ scopes: ["User.Read"], receiver });
    const refusal = assertRejects(() => signedIn, ServerError);
    await typeIn(page);
    await press(page, "Cancel");
    assertEquals((await refusal).error, "access_denied");
    await page.getByRole("heading").waitFor();
    await look(page, "declined");
  }, /400/));

chromium.test("Chromium is closed in the middle of it, and the program stops waiting when told", () =>
  inBrowser(async ({ page, app }) => {
    const controller = new AbortController();
    const openBrowser = async (url: string) => void await page.goto(url);
    const receiver = new LoopbackReceiver({ openBrowser });
    const { signal } = controller;
    const signedIn = app.acquireTokenInteractive({ scopes: ["User.Read"], receiver, signal });
    const refusal = assertRejects(() => signedIn, ClientAuthError);
    await page.getByLabel("Password").waitFor();
    await page.close();
    controller.abort();
    assertEquals((await refusal).code, "request_aborted");
  }));

chromium.test("Chromium signs in to the interactive example, which greets its user and ends", async () => {
  await using program = onDeno("examples/deno/interactive_cli.ts");
  const [address] = await program.printed(/http:\/\/127\.0\.0\.1:\S+authorize\?\S+/);
  await withPage({}, async (page) => {
    await page.goto(address);
    await typeIn(page);
    await press(page, "Accept");
    await program.printed(/Hello Alex Doe, you are alex@contoso\.onmicrosoft\.com/);
    assertMatch(page.url(), /^http:\/\/localhost:\d+\/$/);
  });
  assertEquals([await program.ended(), program.output.includes("eyJ")], [0, false]);
});
