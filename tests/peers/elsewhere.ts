/**
 * Programs of the tests, as processes on Deno, Bun and Node.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { bundleTests, root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import type { HostCase } from "./host_http.ts";

/** A program and its first arguments. */
export type Started = readonly [command: string, ...args: string[]];

/** Makes a module run on Node, gives it to a body, and cleans up. */
export async function onNode<T>(file: string, body: (program: Started) => Promise<T>): Promise<T> {
  const script = await Deno.makeTempFile({ suffix: ".mjs" });
  try {
    const contents = `import "./${file}";`;
    await Deno.writeTextFile(script, await bundleTests([], contents, { platform: "node", target: "node20" }));
    return await body(["node", "--enable-source-maps", script]);
  } finally {
    await Deno.remove(script);
  }
}

/** A module on Bun. */
export function onBun(file: string): Started {
  return [`${root}node_modules/.bin/bun`, "run", root + file];
}

/** A module on Deno. */
export function onDeno(file: string): Started {
  return [Deno.execPath(), "run", "-A", "--no-check", root + file];
}

/** Runs every case in another runtime; a process that something keeps alive never ends, and fails. */
export async function runElsewhere(
  t: Deno.TestContext,
  [command, ...args]: Started,
  cases: readonly HostCase[],
): Promise<void> {
  const errors = new Map<string, string | undefined>();
  const rest: string[] = [];
  const trouble = await runCommand({ command, args }, (line) => {
    if (!line.startsWith("{")) return void rest.push(line);
    const { name, error } = JSON.parse(line);
    errors.set(name, error);
  });
  assertEquals([trouble, rest], [undefined, []]);
  assertEquals([...errors.keys()], cases.map(([name]) => name));
  for (const [name, error] of errors) {
    await t.step(name, () => {
      if (error !== undefined) throw new Error(error);
    });
  }
}
