/** Workload identity of `./host` on Deno, Bun and Node. */
import { assertEquals } from "@std/assert";
import { root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import { test } from "../support/suite.ts";
import { onBun, onNode, runElsewhere } from "./elsewhere.ts";
import { workloadCases } from "./workload_cases.ts";

const CHILD = "tests/peers/workload_child.ts";

for (const [name, body] of workloadCases) test(`workload identity: ${name}`, body);

Deno.test("workload identity on Bun", (t) => runElsewhere(t, onBun(CHILD), workloadCases));

Deno.test("workload identity on Node", async (t) => {
  await onNode(CHILD, (program) => runElsewhere(t, program, workloadCases));
});

/** What a Deno with these permissions prints. */
async function printedWith(permissions: string[], ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const file = `${root}tests/peers/workload_unpermitted.ts`;
  const command = {
    command: Deno.execPath(),
    args: ["run", "--no-prompt", "--no-check", ...permissions, file, ...args],
  };
  assertEquals(await runCommand(command, (line) => void lines.push(line)), undefined, lines.join("\n"));
  return lines;
}

test("on Deno a permission that is missing is a typed error that names the variable", async () => {
  assertEquals(await printedWith([]), [
    "invalid_option: Cannot use environment: Deno may not read AZURE_CLIENT_ID. Allow --allow-env=AZURE_CLIENT_ID",
  ]);
  const why = "Cannot get an assertion: the file of AZURE_FEDERATED_TOKEN_FILE cannot be read";
  assertEquals(await printedWith([], "/var/run/secrets/token"), [
    `client_credential_failed: ${why}: Deno needs --allow-read for it`,
  ]);
});
