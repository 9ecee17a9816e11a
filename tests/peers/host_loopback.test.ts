/** The loopback receiver of `./host` on Deno, with its sanitizers, and on Bun and Node as they are. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import { test } from "../support/suite.ts";
import { onBun, onNode, runElsewhere } from "./elsewhere.ts";
import { hostCases } from "./host_suite.ts";

for (const [name, body] of hostCases) test(`loopback receiver: ${name}`, body);

const CHILD = "tests/peers/host_child.ts";

Deno.test("the loopback receiver on Bun", (t) => runElsewhere(t, onBun(CHILD), hostCases));

Deno.test("the loopback receiver on Node", async (t) => {
  await onNode(CHILD, (program) => runElsewhere(t, program, hostCases));
});

/** What a Deno with these permissions prints. */
async function printedWith(...permissions: string[]): Promise<string[]> {
  const lines: string[] = [];
  const args = ["run", "--no-prompt", ...permissions, `${root}tests/peers/host_unpermitted.ts`];
  const trouble = await runCommand({ command: Deno.execPath(), args }, (line) => void lines.push(line));
  assertEquals(trouble, undefined, lines.join("\n"));
  return lines.filter((line) => !line.startsWith("Check "));
}

test("without --allow-net on Deno a port is refused by a typed error, and the process lives", async () => {
  const [line, ...rest] = await printedWith();
  assertEquals(rest, []);
  assertStringIncludes(line!, "invalid_option: Cannot use port: Deno may not listen on 127.0.0.1:0");
});

test("with --allow-net alone on Deno no browser is looked for, and the address is printed", async () => {
  const [first, second] = await printedWith("--allow-net=127.0.0.1");
  assertEquals(first, "printed");
  assertStringIncludes(second!, "interaction_timeout: ");
});
