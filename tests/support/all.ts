/**
 * Runs the tests on every target and sums up; what `deno task test` does.
 *
 * ```sh
 * deno task test                          # everything
 * deno task test token_cache              # the files whose path has that in it
 * deno task test --on deno,bun scopes     # on some targets only
 * deno task test --verbose                # a line for each passing test, as in CI
 * ```
 *
 * @module
 */
import { emptyOutcome, type Outcome, type Say } from "./outcome.ts";
import { howToGet, missingPeers, type NotRun, notRunFile } from "./peers.ts";
import { filesOf, findTestFiles, type Target, targets } from "./targets.ts";

interface Plan {
  readonly filters: readonly string[];
  readonly chosen: readonly Target[];
  readonly verbose: boolean;
}

interface Result {
  readonly target: Target;
  readonly outcome: Outcome;
  readonly notRun: readonly NotRun[];
  readonly seconds: number;
}

const PROGRESS_EVERY_MS = 5_000;

function parseArguments(args: readonly string[]): Plan {
  const filters: string[] = [];
  let chosen = targets;
  let verbose = Deno.env.get("CI") === "true";
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--on") chosen = chooseTargets(rest.shift() ?? "");
    else if (word === "--verbose") verbose = true;
    else if (word.startsWith("-")) refuse(`unknown option ${word}: there are --on and --verbose`);
    else filters.push(word);
  }
  return { filters, chosen, verbose };
}

function chooseTargets(list: string): readonly Target[] {
  const names = list.split(",");
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  const known = targets.map(({ name }) => name).join(",");
  if (unknown !== undefined) refuse(`unknown target "${unknown}": --on takes some of ${known}`);
  return targets.filter(({ name }) => names.includes(name));
}

function chooseFiles({ filters }: Plan): string[] {
  const all = findTestFiles();
  const lost = all.find((file) => !targets.some((target) => filesOf(target, [file]).length > 0));
  if (lost) refuse(`${lost} would never run: put it into tests/, tests/repo/ or tests/peers/`);
  return filters.length === 0 ? all : all.filter((file) => filters.some((part) => file.includes(part)));
}

function refuse(why: string): never {
  console.error(why);
  console.log("0 passed, 1 failed, 0 skipped");
  Deno.exit(1);
}

/** Prints what is worth reading at once: all of it when verbose, else all but the passing tests. */
function reporter(verbose: boolean): { say: Say; stop(): void } {
  let passed = 0;
  let shown = 0;
  const tick = setInterval(() => {
    if (!verbose && passed > shown) console.log(`   ... ${shown = passed} passed so far`);
  }, PROGRESS_EVERY_MS);
  const say: Say = (line) => {
    const passing = / \.\.\. ok \(|^\(pass\) /.test(line);
    if (passing) passed++;
    const noise = passing || line === "" ||
      /^> |^running \d+ tests? from |^bun test v|^tests\/\S+:$/.test(line);
    if (verbose ? !line.startsWith("> ") : !noise) console.log(`   ${line}`);
  };
  return { say, stop: () => clearInterval(tick) };
}

async function runTarget(target: Target, files: string[], scratch: string, plan: Plan): Promise<Result> {
  console.log(`-- ${target.name}: ${files.length} files`);
  const { say, stop } = reporter(plan.verbose);
  const start = performance.now();
  let outcome: Outcome;
  try {
    outcome = await target.run(files, scratch, say);
  } catch (error) {
    // Such as an import that the bundler cannot resolve: this target is lost, the others are not.
    const message = error instanceof Error ? error.message : String(error);
    outcome = { ...emptyOutcome(), failures: [`(${message})`] };
  } finally {
    stop();
  }
  const notRun = (await readNotRun(scratch)).filter(() => target.name === "peers");
  const count = outcome.passed + outcome.failures.length + outcome.skipped + notRun.length;
  // Files picked by name may hold nothing for a target; all of them together may not.
  if (count === 0 && plan.filters.length === 0) outcome.failures.push("(ran no test)");
  outcome.skipped += notRun.length;
  return { target, outcome, notRun, seconds: (performance.now() - start) / 1000 };
}

async function readNotRun(scratch: string): Promise<NotRun[]> {
  const text = await Deno.readTextFile(notRunFile(scratch)).catch(() => "");
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** Prints the failures, the table and the closing line. */
function summarise(results: readonly Result[]): boolean {
  for (const { target, outcome } of results) {
    for (const failure of outcome.failures) console.log(`FAILED on ${target.name}: ${failure}`);
  }
  for (const [name, tests] of Map.groupBy(results.flatMap(({ notRun }) => notRun), ({ peer }) => peer)) {
    console.log(`not run: ${tests.length} tests with ${name} (${howToGet(name)})`);
  }
  console.log("\ntarget          passed  failed  skipped  seconds");
  for (const { target, outcome, seconds } of results) {
    const numbers = [outcome.passed, outcome.failures.length, outcome.skipped, seconds.toFixed(1)];
    const cells = numbers.map((number, i) => String(number).padStart([8, 8, 9, 9][i]!));
    console.log(target.name.padEnd(14) + cells.join(""));
  }
  const sum = (of: (outcome: Outcome) => number) => results.reduce((n, { outcome }) => n + of(outcome), 0);
  const passed = sum((outcome) => outcome.passed);
  // A run of nothing proves nothing.
  const failed = sum((outcome) => outcome.failures.length) || (passed === 0 ? 1 : 0);
  console.log(`${passed} passed, ${failed} failed, ${sum((outcome) => outcome.skipped)} skipped`);
  return failed === 0;
}

async function main(): Promise<boolean> {
  const plan = parseArguments(Deno.args);
  const files = chooseFiles(plan);
  if (files.length === 0) refuse(`no test file has ${plan.filters.join(" or ")} in its path`);
  for (const { name } of missingPeers()) console.log(`${name} is missing (${howToGet(name)})`);
  const scratch = await Deno.makeTempDir({ prefix: "msal_edge_" });
  try {
    const results: Result[] = [];
    for (const target of plan.chosen) {
      const own = filesOf(target, files);
      if (own.length > 0) results.push(await runTarget(target, own, scratch, plan));
    }
    return summarise(results);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main() ? 0 : 1);
