/**
 * The targets of a whole run: which test files each takes, and how it runs them.
 *
 * @module
 */
import { root } from "./bundle.ts";
import { bunTest, denoTest } from "./native.ts";
import { runNode } from "./node.ts";
import type { Run } from "./outcome.ts";
import { runWorkerd } from "./workers.ts";

/** One way to run some of the test files. */
export interface Target {
  readonly name: string;
  /** The folders whose files it takes, without the folders in them. */
  readonly folders: readonly string[];
  readonly run: Run;
}

/** The suite that every runtime runs, with the tests of its own fixtures. */
const SHARED = ["tests", "tests/support"];

/** Every target, in the order in which they run. */
export const targets: readonly Target[] = [
  // No permission at all: the library needs no environment, file or network that it was not given.
  {
    name: "deno",
    folders: SHARED,
    run: denoTest(["--unstable-kv", "--sanitize-ops", "--sanitize-resources"]),
  },
  { name: "repo", folders: ["tests/repo"], run: denoTest(["--allow-read", "--allow-env"]) },
  {
    name: "peers",
    folders: ["tests/peers"],
    run: denoTest(["-A", "--unstable-kv", "--sanitize-ops", "--sanitize-resources"]),
  },
  { name: "bun", folders: SHARED, run: bunTest },
  { name: "node", folders: SHARED, run: runNode },
  { name: "workerd", folders: SHARED, run: (files, _, say) => runWorkerd("workerd", files, say) },
  {
    name: "workerd-nodejs",
    folders: SHARED,
    run: (files, _, say) => runWorkerd("workerd-nodejs", files, say),
  },
];

/** The test files under `tests/`, sorted. */
export function findTestFiles(folder = "tests"): string[] {
  const found = [...Deno.readDirSync(root + folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return findTestFiles(path);
    return path.endsWith(".test.ts") ? [path] : [];
  });
  return found.sort();
}

/** The files of `files` that a target takes. */
export function filesOf(target: Target, files: readonly string[]): string[] {
  return files.filter((file) => target.folders.includes(file.slice(0, file.lastIndexOf("/"))));
}
