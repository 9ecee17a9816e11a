/**
 * Fails on a file or a function that has grown too long to read, and warns before that.
 *
 * @module
 */
import ts from "typescript";
import { type Files, finish, lineOf, parse, readFiles, walk } from "./sources.ts";

interface Limits {
  readonly warn: number;
  readonly fail: number;
}

const FILE: Limits = { warn: 250, fail: 300 };
const TEST_FILE: Limits = { warn: 400, fail: 700 };
const FUNCTION: Limits = { warn: 40, fail: 60 };

/** What may be longer, by path or `path#function`, with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

/** What is too long, and what nearly is. */
export interface SizeReport {
  readonly problems: string[];
  readonly warnings: string[];
}

/** Measures these files and every function in them, blank lines and comments included. */
export function measure(files: Files, exceptions: Readonly<Record<string, string>> = EXCEPTIONS): SizeReport {
  const report: SizeReport = { problems: [], warnings: [] };
  const judge = (id: string, place: string, lines: number, limits: Limits, advice: string) => {
    if (Object.hasOwn(exceptions, id)) return;
    const text = `${place} has ${lines} lines, the limit is ${limits.fail}: ${advice}`;
    if (lines > limits.fail) report.problems.push(text);
    else if (lines > limits.warn) report.warnings.push(text);
  };
  for (const [path, text] of files) {
    const limits = path.endsWith(".test.ts") ? TEST_FILE : FILE;
    judge(path, path, text.trimEnd().split("\n").length, limits, "give each subject a file of its own");
    for (const { name, line, lines } of functionsOf(parse(path, text))) {
      judge(`${path}#${name}`, `${path}:${line} ${name}`, lines, FUNCTION, "split it by what it does");
    }
  }
  return report;
}

interface Measured {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

function functionsOf(file: ts.SourceFile): Measured[] {
  const found: Measured[] = [];
  walk(file, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || !node.body) return;
    const line = lineOf(node);
    const last = file.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
    found.push({ name: nameOf(node), line, lines: last - line + 1 });
  });
  return found;
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name) return node.name.getText();
  if (ts.isConstructorDeclaration(node)) return "constructor";
  const { parent } = node;
  const named = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) ||
    ts.isPropertyDeclaration(parent);
  return named ? parent.name.getText() : "(anonymous)";
}

if (import.meta.main) {
  const { problems, warnings } = measure(readFiles("mod.ts", "src", "tools", "tests", "examples", "bench"));
  for (const warning of warnings) console.warn(`warning: ${warning}`);
  finish("sizes", problems);
}
