/** The loopback receiver of `./host` on Deno, with its sanitizers, and on Bun and Node as they are. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { bundleTests, root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import { test } from "../support/suite.ts";
import { hostCases } from "./host_suite.ts";

for (const [name, body] of hostCases) test(`loopback receiver: ${name}`, body);

/** Runs every case in another runtime; a process that something keeps alive never ends, and fails. */
async function runElsewhere(
  t: Deno.TestContext,
  command: string,
  args: readonly string[],
): Promise<void> {
  const errors = new Map<string, string | undefined>();
  const rest: string[] = [];
  const trouble = await runCommand({ command, args }, (line) => {
    if (!line.startsWith("{")) return void rest.push(line);
    const { name, error } = JSON.parse(line);
    errors.set(name, error);
  });
  assertEquals([trouble, rest], [undefined, []]);
  assertEquals([...errors.keys()], hostCases.map(([name]) => name));
  for (const [name, error] of errors) {
    await t.step(name, () => {
      if (error !== undefined) throw new Error(error);
    });
  }
}

Deno.test("the loopback receiver on Bun", async (t) => {
  await runElsewhere(t, `${root}node_modules/.bin/bun`, ["run", `${root}tests/peers/host_child.ts`]);
});

Deno.test("the loopback receiver on Node", async (t) => {
  const script = await Deno.makeTempFile({ suffix: ".mjs" });
  try {
    const contents = `import "./tests/peers/host_child.ts";`;
    await Deno.writeTextFile(script, await bundleTests([], contents, { platform: "node", target: "node20" }));
    await runElsewhere(t, "node", ["--enable-source-maps", script]);
  } finally {
    await Deno.remove(script);
  }
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
