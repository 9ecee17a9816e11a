/** The file store of `./host` on Deno, Bun and Node. */
import { assertEquals } from "@std/assert";
import { root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import { test } from "../support/suite.ts";
import { onBun, onNode, runElsewhere } from "./elsewhere.ts";
import { fileCases } from "./file_cases.ts";
import { inDirectory } from "./file_scene.ts";

const CHILD = "tests/peers/file_child.ts";

for (const [name, body] of fileCases) test(`file store: ${name}`, body);

Deno.test("the file store on Bun", (t) => runElsewhere(t, onBun(CHILD), fileCases));

Deno.test("the file store on Node", async (t) => {
  await onNode(CHILD, (program) => runElsewhere(t, program, fileCases));
});

/** What a Deno with these permissions prints. */
async function printedWith(permissions: string[], ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const file = `${root}tests/peers/file_unpermitted.ts`;
  const command = {
    command: Deno.execPath(),
    args: ["run", "--no-prompt", "--no-check", ...permissions, file, ...args],
  };
  assertEquals(await runCommand(command, (line) => void lines.push(line)), undefined, lines.join("\n"));
  return lines;
}

const WORKS = ["check: undefined", "set: true", 'get: "text"', "lock: undefined"];

test("on Deno the file store works with the permissions that its documentation names", () =>
  inDirectory(async ({ parent, directory }) => {
    const files = [`--allow-read=${directory}`, `--allow-write=${directory}`, "--allow-sys=uid"];
    assertEquals(await printedWith(files, directory), WORKS);
    const [read, write, sys] = [`--allow-read=${parent}`, `--allow-write=${parent}`, "--allow-sys=uid"];
    const env = "--allow-env=XDG_STATE_HOME,HOME,LOCALAPPDATA";
    Deno.env.set("XDG_STATE_HOME", parent);
    try {
      assertEquals(await printedWith([read, write, sys, env]), WORKS);
    } finally {
      Deno.env.delete("XDG_STATE_HOME");
    }
  }));

test("on Deno each permission that is missing is a typed error that names the flags", () =>
  inDirectory(async ({ directory }) => {
    const flags = "--allow-read and --allow-write for the directory, and --allow-sys=uid";
    const refused = (verb: string) =>
      `invalid_option: Cannot use directory: Deno may not ${verb} it. Allow ${flags}`;
    const [read, write, sys] = [`--allow-read=${directory}`, `--allow-write=${directory}`, "--allow-sys=uid"];
    const all = [
      `check: ${refused("read")}`,
      `set: ${refused("write")}`,
      `get: ${refused("read")}`,
      `lock: ${refused("lock")}`,
    ];
    assertEquals(await printedWith([], directory), all);
    const unwritable = await printedWith([read, sys], directory);
    assertEquals(unwritable, ["check: undefined", all[1]!, "get: undefined", all[3]!]);
    await Deno.mkdir(directory, { mode: 0o700 });
    assertEquals(await printedWith([read, write], directory), all);
    const flag = "--allow-env=XDG_STATE_HOME,HOME,LOCALAPPDATA";
    const [first] = await printedWith([]);
    assertEquals(
      first,
      `check: invalid_option: Cannot use name: Deno may not read XDG_STATE_HOME. Allow ${flag}`,
    );
  }));
