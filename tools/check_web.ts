/**
 * Type-checks published code against web standards alone: no `Deno`, no Node types, nothing newer than Node 20.
 *
 * `deno check` knows Deno's own names, so a stray `Deno.env` in `src/` compiles there. Here it does not.
 *
 * @module
 */
import ts from "typescript";
import { type Files, finish, readFiles, root } from "./sources.ts";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  // Node 20 is the floor: it has all of ES2023, and of ES2024 only parts.
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  isolatedDeclarations: true,
  declaration: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
};

/** What does not compile in these files; they may import each other and files on disk. */
export function webProblems(files: Files): string[] {
  const overlay = new Map([...files].map(([path, text]) => [root + path, text]));
  const host = ts.createCompilerHost(OPTIONS);
  const { readFile, fileExists, getSourceFile } = host;
  host.getCurrentDirectory = () => root;
  host.readFile = (path) => overlay.get(path) ?? readFile(path);
  host.fileExists = (path) => overlay.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = overlay.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...overlay.keys()], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(describe);
}

function describe({ file, start, messageText }: ts.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(messageText, " ");
  if (!file || start === undefined) return message;
  const line = file.getLineAndCharacterOfPosition(start).line + 1;
  return `${file.fileName.replace(root, "")}:${line} ${message} (only web standards that Node 20 has)`;
}

if (import.meta.main) {
  // These two run on Deno, Bun and Node alone.
  const hosted = /^src\/(host|cli)\//;
  const files = [...readFiles("mod.ts", "src")].filter(([path]) => !hosted.test(path));
  finish("web standards only", webProblems(new Map(files)));
}
