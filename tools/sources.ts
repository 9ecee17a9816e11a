/**
 * Reads the repository's TypeScript and takes it apart, for the tools beside this file.
 *
 * @module
 */
import ts from "typescript";

/** The repository's folder, with a slash at the end. */
export const root: string = new URL("../", import.meta.url).pathname;

/** Texts of files by their path from the repository's folder. */
export type Files = ReadonlyMap<string, string>;

/** One import of a file, whatever its form: import, re-export, type import, dynamic import. */
export interface Import {
  /** The module's name as written; undefined where a dynamic import computes it. */
  readonly specifier: string | undefined;
  readonly line: number;
}

/** Reads every `.ts` file in these files and folders; a path that is not there holds none. */
export function readFiles(...paths: readonly string[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const path of paths) {
    if (path.endsWith(".ts")) {
      const text = readText(path);
      if (text !== undefined) files.set(path, text);
    } else {
      for (const name of listFolder(path)) {
        for (const [file, text] of readFiles(`${path}/${name}`)) files.set(file, text);
      }
    }
  }
  return files;
}

/** Reads one text file; undefined where there is none. */
export function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(root + path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return undefined;
    throw error;
  }
}

/** Parses one file, with links from each node to the one around it. */
export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** The line of a node, counted from 1. */
export function lineOf(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** Calls `visit` for a node and for every node in it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Every import of a file; names in comments and strings are none. */
export function importsOf(file: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  walk(file, (node) => {
    const module = moduleOf(node);
    if (!module) return;
    const specifier = ts.isStringLiteralLike(module) ? module.text : undefined;
    imports.push({ specifier, line: lineOf(node) });
  });
  return imports;
}

/** The path from the repository's folder that a relative import of `from` means. */
export function resolveRelative(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** The files that `entries` reach by relative imports, themselves among them. */
export function reach(entries: readonly string[], files: Files): Set<string> {
  const seen = new Set<string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const text = files.get(path);
    if (seen.has(path) || text === undefined) continue;
    seen.add(path);
    for (const { specifier } of importsOf(parse(path, text))) {
      if (specifier?.startsWith(".")) queue.push(resolveRelative(path, specifier));
    }
  }
  return seen;
}

/** Prints the problems and ends the process: with 1 where there are any. */
export function finish(subject: string, problems: readonly string[]): never {
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? `${subject}: fine` : `${subject}: ${problems.length} problems`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}

function listFolder(path: string): string[] {
  try {
    return [...Deno.readDirSync(root + path)].map(({ name }) => name).sort();
  } catch (error) {
    // Neither a missing folder nor a file of another kind holds TypeScript.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

function moduleOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isExternalModuleReference(node)) return node.expression;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node;
  const dynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return dynamic ? node.arguments[0] : undefined;
}
