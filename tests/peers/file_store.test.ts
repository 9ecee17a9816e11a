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
