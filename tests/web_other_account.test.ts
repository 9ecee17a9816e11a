/** The way out of a sign-in with an account that may not be used. */
import { assertEquals } from "@std/assert";
import { unescaped } from "./support/form_browser.ts";
import { test } from "./support/suite.ts";
import { SITE, WebScene } from "./support/web_scene.ts";

for (const responseMode of ["query", "form_post"] as const) {
  test(`who is signed in and declines can choose another account: ${responseMode}`, async () => {
    const scene = new WebScene({ web: { responseMode } });
    await scene.signIn();
    const sent = await scene.visitor.post("/auth/switch-account?return_to=/page", {
      headers: { origin: SITE },
    });
    const page = await scene.comeBack(sent, { decline: true });
    assertEquals(page.status, 403);
    const href = unescaped(/<a href="([^"]*)">Use another account/.exec(page.text)?.[1] ?? "");
    const { location } = await scene.visitor.visit(href);
    assertEquals(new URL(location).searchParams.get("prompt"), "select_account");
  });
}
