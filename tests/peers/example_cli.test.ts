/** The command lines of the examples, as processes of their own. */
import { assertEquals, assertMatch } from "@std/assert";
import { withPage } from "../support/browser.ts";
import { peer } from "../support/peers.ts";
import { test } from "../support/suite.ts";
import { onBun, onDeno } from "./example_program.ts";

const chromium = peer("Chromium");
const START = {
  Deno: (env = {}) => onDeno("examples/deno/device_cli.ts", env),
  Bun: (env = {}) => onBun("examples/bun/device_cli.ts", env),
};

for (const [host, start] of Object.entries(START)) {
  chromium.test(`the device example on ${host} greets whoever types its code in Chromium`, async () => {
    await using program = start();
    const [, address = "", code = ""] = await program.printed(/open the page (\S+) and enter the code (\S+)/);
    await withPage({}, async (page) => {
      const press = (name: string) => page.getByRole("button", { name }).click();
      await page.goto(address);
      await page.getByLabel("Code").fill(code);
      await press("Next");
      await page.getByLabel("User name").fill("alex@contoso.onmicrosoft.com");
      await page.getByLabel("Password").fill("local-password");
      await press("Sign in");
      await press("Continue");
      await press("Accept");
      await page.getByRole("heading", { name: "You are signed in" }).waitFor();
    });
    await program.printed(/Hello Alex Doe, you are alex@contoso\.onmicrosoft\.com/);
    // Nothing keeps it alive, and no token was printed.
    assertEquals([await program.ended(), program.output.includes("eyJ")], [0, false]);
  });

  test(`the device example on ${host} stops at Ctrl+C`, async () => {
    await using program = start();
    await program.printed(/enter the code/);
    program.interrupt();
    assertEquals(await program.ended(), 1);
    assertMatch(program.output, /Stopped\n$/);
  });

  test(`the device example on ${host} says which setting is wrong`, async () => {
    const TENANT_ID = "contoso.onmicrosoft.com";
    await using program = start({ TENANT_ID, CLIENT_ID: "" });
    assertEquals(await program.ended(), 1);
    assertMatch(program.output, /invalid_client_id: .*clientId.* \[nothing was sent\]\n$/);
  });
}
