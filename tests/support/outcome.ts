/**
 * What one run of the suite on one target came to.
 *
 * @module
 */

/** The counts of a run, its failures by name. */
export interface Outcome {
  passed: number;
  readonly failures: string[];
  skipped: number;
}

/** Takes one line of a target's output. */
export type Say = (line: string) => void;

/** Runs these test files on a target; `scratch` is a folder for its own files. */
export type Run = (files: readonly string[], scratch: string, say: Say) => Promise<Outcome>;

/** An outcome with nothing in it yet. */
export function emptyOutcome(): Outcome {
  return { passed: 0, failures: [], skipped: 0 };
}

/**
 * Reads a JUnit report, as `deno test` and `bun test` write it.
 *
 * @param fileOf Finds the file of a test; Deno's report names the one that called `Deno.test`.
 */
export function parseJunit(
  xml: string,
  fileOf: (test: string) => string | undefined = () => undefined,
): Outcome {
  const outcome = emptyOutcome();
  for (const [, attributes = "", closed, inside = ""] of xml.matchAll(TEST_CASE)) {
    if (closed === undefined && /<(failure|error)\b/.test(inside)) {
      outcome.failures.push(label(attributes, fileOf));
    } else if (closed === undefined && /<skipped\b/.test(inside)) outcome.skipped++;
    else outcome.passed++;
  }
  return outcome;
}

const TEST_CASE = /<testcase\b((?:[^>"]|"[^"]*")*?)(?:(\/)>|>([\s\S]*?)<\/testcase>)/g;

function label(attributes: string, fileOf: (test: string) => string | undefined): string {
  const of = (name: string) => unescape(attributes.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? "");
  const name = of("name");
  const file = fileOf(name) ?? of("file");
  return file ? `${file}: ${name}` : name;
}

function unescape(text: string): string {
  const entities: Record<string, string> = { quot: '"', apos: "'", "#39": "'", lt: "<", gt: ">", amp: "&" };
  return text.replace(/&(quot|apos|#39|lt|gt|amp);/g, (_, name) => entities[name]!);
}
