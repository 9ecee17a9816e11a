/** `azureRegion()` of `./host` reads the environment of its process, on Deno, Bun and Node (rows G3-G13). */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import { test } from "../support/suite.ts";
import { onBun, onDeno, onNode, type Started } from "./elsewhere.ts";

const FILE = "tests/peers/host_region.ts";

/** What a program prints with these variables, for a setting that is absent, `true`, `false` and a region. */
async function printed([command, ...args]: Started, env: Record<string, string>): Promise<string[]> {
  const lines: string[] = [];
  const trouble = await runCommand({ command, args, env }, (line) => void lines.push(line));
  assertEquals(trouble, undefined, lines.join("\n"));
  return lines;
}

async function checkRows(program: Started): Promise<void> {
  assertEquals(await printed(program, {}), ["undefined", "true", "false", "westus"]);
  const both = { MSAL_FORCE_REGION: "eastus", REGION_NAME: "westus2" };
  assertEquals(await printed(program, both), ["eastus", "westus2", "false", "westus"]);
  const [first, ...rest] = await printed(program, { MSAL_FORCE_REGION: "East US", REGION_NAME: "East US" });
  assertStringIncludes(first!, "invalid_option: Cannot use MSAL_FORCE_REGION");
  assertEquals(rest, ["true", "false", "westus"]);
}

test("G3-G13 the variables of the process count on Deno", () => checkRows(onDeno(FILE)));
test("G3-G13 the variables of the process count on Bun", () => checkRows(onBun(FILE)));
test("G3-G13 the variables of the process count on Node", () => onNode(FILE, checkRows));

test("without --allow-env on Deno a variable is refused by a typed error that names the flag", async () => {
  const program: Started = [Deno.execPath(), "run", "--no-prompt", "--no-check", root + FILE];
  const [absent, detected, ...rest] = await printed(program, { MSAL_FORCE_REGION: "eastus" });
  assertStringIncludes(absent!, "invalid_option: Cannot use MSAL_FORCE_REGION: Deno may not read it");
  assertStringIncludes(detected!, "--allow-env=REGION_NAME");
  assertEquals(rest, ["false", "westus"]);
});
