/**
 * The part of the Node run that is bundled with the tests and runs inside Node.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { attempt, load, type TestFile } from "./drain.ts";
import type { Outcome } from "./outcome.ts";

/** Runs every test, prints one line for each, and leaves the {@linkcode Outcome} in the file of `argv[2]`. */
export async function runInNode(files: readonly TestFile[]): Promise<void> {
  const outcome: Outcome = { passed: 0, failures: [], skipped: 0 };
  for (const { file, name, body } of await load(files)) {
    // Without a line end, so that a test that never ends has said its name.
    process.stdout.write(`${file}: ${name} ... `);
    const start = performance.now();
    const error = await attempt(body);
    const ms = Math.round(performance.now() - start);
    process.stdout.write(error === undefined ? `ok (${ms}ms)\n` : `FAILED (${ms}ms)\n${indent(error)}\n`);
    if (error === undefined) outcome.passed++;
    else outcome.failures.push(`${file}: ${name}`);
  }
  writeFileSync(process.argv[2]!, JSON.stringify(outcome));
  process.exit(outcome.failures.length === 0 ? 0 : 1);
}

function indent(text: string): string {
  return text.replace(/^/gm, "    ");
}
