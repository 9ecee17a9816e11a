/**
 * What no published source file may contain, found in its syntax tree: comments do not count.
 *
 * @module
 */
import ts from "typescript";
import { lineOf, walk } from "./sources.ts";

/** The one file that reads the runtime's own clock. */
const CLOCK_FILE = "src/runtime/clock.ts";

const RUNTIME_NAMES: Readonly<Record<string, string>> = {
  Deno: "take what you need as an option",
  Bun: "take what you need as an option",
  process: "take what you need as an option",
  Buffer: "use Uint8Array, and crypto/base64url.ts",
  console: "use the injected logger",
};

// Another realm's object (a polyfill's, a mock's, a framework's) is no instance of ours.
const WEB_CLASSES = new Set(
  "Request Response Headers URL URLSearchParams FormData Blob File ReadableStream WritableStream AbortSignal AbortController CryptoKey DOMException"
    .split(" "),
);

type Rule = (node: ts.Node, path: string) => string | undefined;

const rules: readonly Rule[] = [runtimeName, ownClock, privateMember, defaultExport, webInstance];

/** The problems of one file. */
export function sourceProblems(file: ts.SourceFile): string[] {
  const problems: string[] = [];
  walk(file, (node) => {
    for (const rule of rules) {
      const problem = rule(node, file.fileName);
      if (problem) problems.push(`${file.fileName}:${lineOf(node)} ${problem}`);
    }
  });
  return problems;
}

function runtimeName(node: ts.Node): string | undefined {
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return undefined;
  const name = globalName(node.expression);
  const instead = name && Object.hasOwn(RUNTIME_NAMES, name) ? RUNTIME_NAMES[name] : undefined;
  return instead && `uses ${name}; ${instead}`;
}

function ownClock(node: ts.Node, path: string): string | undefined {
  if (path === CLOCK_FILE) return undefined;
  const now = ts.isPropertyAccessExpression(node) && globalName(node.expression) === "Date" &&
    node.name.text === "now";
  const today = ts.isNewExpression(node) && globalName(node.expression) === "Date" && !node.arguments?.length;
  return now || today ? "reads the time; ask the injected clock, so that tests own it" : undefined;
}

function privateMember(node: ts.Node): string | undefined {
  return node.kind === ts.SyntaxKind.PrivateKeyword
    ? "has a private member; write #name, which holds at run time"
    : undefined;
}

function defaultExport(node: ts.Node): string | undefined {
  const found = node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent) ||
    ts.isExportAssignment(node) || ts.isExportSpecifier(node) && node.name.text === "default";
  return found ? "has a default export; export it by name" : undefined;
}

function webInstance(node: ts.Node): string | undefined {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.InstanceOfKeyword) {
    return undefined;
  }
  const name = globalName(node.right);
  return name && WEB_CLASSES.has(name)
    ? `asks for instanceof ${name}; another realm's is none, so ask for its members`
    : undefined;
}

/** `X` of `X` and of `globalThis.X`. */
function globalName(node: ts.Expression): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  const member = ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression);
  return member && node.expression.getText() === "globalThis" ? node.name.text : undefined;
}
