/**
 * Runs test files with the runners that Deno and Bun bring along.
 *
 * @module
 */
import { root } from "./bundle.ts";
import { type Command, runCommand } from "./child.ts";
import { emptyOutcome, type Outcome, parseJunit, type Run, type Say } from "./outcome.ts";
import { NOT_RUN_VARIABLE, notRunFile } from "./peers.ts";

/** Runs test files by `deno test` with these options, permissions among them. */
export function denoTest(options: readonly string[]): Run {
  return (files, scratch, say) => {
    const report = `${scratch}/deno.xml`;
    const args = ["test", "--no-prompt", ...options, `--junit-path=${report}`, ...files];
    const env = { [NOT_RUN_VARIABLE]: notRunFile(scratch) };
    return runReported({ command: Deno.execPath(), args, env }, report, say);
  };
}

/** Runs test files by `bun test`. */
export const bunTest: Run = (files, scratch, say) => {
  const report = `${scratch}/bun.xml`;
  const paths = files.map((file) => `./${file}`);
  const args = ["test", ...paths, "--reporter=junit", `--reporter-outfile=${report}`];
  return runReported(
    { command: `${root}node_modules/.bin/bun`, args, env: { SUITE_ANNOUNCE: "1" } },
    report,
    say,
  );
};

async function runReported(command: Command, report: string, say: Say): Promise<Outcome> {
  // Left by an earlier target, it would count for this one.
  await Deno.remove(report).catch(() => {});
  const reader = readOutput();
  const trouble = await runCommand(command, (line) => {
    reader.read(line);
    say(line);
  });
  const xml = await Deno.readTextFile(report).catch(() => undefined);
  const outcome = xml === undefined ? emptyOutcome() : parseJunit(xml, reader.fileOf);
  // What no report tells: a file that throws on load, or a process that died.
  outcome.failures.push(...reader.unloadable);
  if (trouble && outcome.failures.length === 0) outcome.failures.push(trouble);
  return outcome;
}

/** Takes from Deno's output what its report lacks: the files of the tests. */
function readOutput() {
  let current: string | undefined;
  const files = new Map<string, string>();
  const unloadable: string[] = [];
  return {
    unloadable,
    fileOf: (test: string) => files.get(test),
    read(line: string) {
      current = line.match(/^running \d+ tests? from \.\/(\S+)/)?.[1] ?? current;
      const test = line.match(/^(.*?) \.\.\./)?.[1];
      if (test && current) files.set(test, current);
      const broken = line.match(/^Uncaught error from \.\/(\S+)/)?.[1];
      if (broken) unloadable.push(`${broken}: (uncaught error)`);
    },
  };
}
