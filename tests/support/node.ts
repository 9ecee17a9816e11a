/**
 * Runs the shared suite in the plain `node` of the PATH, as one bundle in one process.
 *
 * @module
 */
import { bundleTests } from "./bundle.ts";
import { runCommand } from "./child.ts";
import { emptyOutcome, type Outcome, type Say } from "./outcome.ts";

/** The oldest Node that the library promises to run on. */
const NODE_FLOOR = "node20";

/** Runs these test files in Node. */
export async function runNode(files: readonly string[], scratch: string, say: Say): Promise<Outcome> {
  const script = `${scratch}/suite.mjs`;
  const report = `${scratch}/node.json`;
  const host = `import { runInNode } from "./tests/support/node_host.ts";\nawait runInNode(files);`;
  await Deno.writeTextFile(
    script,
    await bundleTests(files, host, { platform: "node", target: NODE_FLOOR }),
  );
  const trouble = await runCommand({ command: "node", args: ["--enable-source-maps", script, report] }, say);
  const outcome = await readOutcome(report);
  if (trouble && outcome.failures.length === 0) outcome.failures.push(trouble);
  return outcome;
}

async function readOutcome(path: string): Promise<Outcome> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    return emptyOutcome();
  }
}
