/**
 * The demo's table: it runs the steps, holds them against what they promise, and prints a line for each.
 *
 * @module
 */

import type { AuthError } from "@msal-edge/msal";

/** What a step found out. */
export interface Finding {
  /** What came of it, in a few words. */
  readonly outcome: string;
  /** Where the token or the answer came from. */
  readonly source: string;
  /** The error that the step is about, to be shown below the table. */
  readonly error?: AuthError;
}

/** One line of the demo. */
export interface Step {
  /** What is done. */
  readonly name: string;
  /** How many HTTP requests it may send, those in the background included. */
  readonly requests: number;
  /** Does it; throws where something is not as it should be. */
  readonly run: () => Promise<Finding>;
}

/** What the table has to be told of the world. */
export interface TableOptions {
  /** How many HTTP requests have arrived at the authority so far. */
  readonly countRequests: () => number;
  /** Waits for what a step left running in the background; the step's time does not count it. */
  readonly settle: () => Promise<unknown>;
  /** Whether the terminal shows colours. */
  readonly colours: boolean;
}

/** Stops a step that is not as it should be. */
export function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise);
}

const WIDTHS = [4, 29, 28, 17, 7, 4] as const;
const MAX_COLUMNS = 100;

/** Breaks a text into lines that fit. */
export function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > MAX_COLUMNS && line !== indent) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Runs steps and prints them. */
export class Table {
  readonly #options: TableOptions;
  readonly #failures: string[] = [];
  #requests = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#print(["", "step", "outcome", "source", "time", "HTTP"], "1");
    this.#print(WIDTHS.map((width) => "-".repeat(width)), "2");
  }

  /** What went wrong, a line for each step. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** How many requests all the steps have sent. */
  get requests(): number {
    return this.#requests;
  }

  /** Prints what the next steps are about. */
  title(text: string): void {
    this.#print([], "1");
    this.#print(["", text], "1");
  }

  /** Runs one step, prints its line and hands on what it found out. */
  async run({ name, requests, run }: Step): Promise<Finding> {
    const { countRequests, settle } = this.#options;
    const before = countRequests();
    const startedMs = performance.now();
    let finding: Finding = { outcome: "not as promised, see below", source: "" };
    const problems: string[] = [];
    try {
      finding = await run();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    const tookMs = performance.now() - startedMs;
    await settle();
    const sent = countRequests() - before;
    this.#requests += sent;
    if (sent !== requests) problems.push(`it sent ${sent} HTTP requests instead of ${requests}`);
    const cells = [name, finding.outcome, finding.source, `${tookMs.toFixed(1)} ms`, String(sent)];
    this.#print([problems.length === 0 ? "ok" : "FAIL", ...cells], problems.length === 0 ? "32" : "31");
    this.#failures.push(...problems.map((problem) => `${name}: ${problem}`));
    return finding;
  }

  /** Prints one line; the first cell, or the whole of a heading, is coloured. */
  #print(cells: readonly string[], style: string): void {
    const texts = cells.map((cell, at) => {
      const width = WIDTHS[at] ?? 0;
      return at < 4 ? cell.padEnd(width) : cell.padStart(width);
    });
    const paint = (text: string) => this.#options.colours ? `\x1b[${style}m${text}\x1b[0m` : text;
    const [first = "", ...rest] = texts;
    const isHeading = style === "1" || style === "2";
    console.log(isHeading ? paint(texts.join("  ")) : [paint(first), ...rest].join("  "));
  }
}
