/**
 * Fails where the configuration files disagree with each other or with the code.
 *
 * `deno publish` reads `deno.json` and ignores `jsr.json` silently, so the two have to say the same.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import { leakProblems } from "./leaks.ts";
import { type Files, finish, importsOf, parse, reach, readFiles, readText, root } from "./sources.ts";

/** Where the code knows its own version. */
const VERSION_FILE = "src/runtime/version.ts";

/** What of `deno.json` and `jsr.json` matters here. */
export interface PackageConfig {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly imports?: Readonly<Record<string, string>>;
  readonly publish?: { readonly include?: readonly string[] };
  readonly tasks?: Readonly<Record<string, unknown>>;
}

/** Everything the rules look at. */
export interface Repository {
  readonly deno: PackageConfig;
  readonly jsr: PackageConfig;
  /** `compilerOptions.paths` of tsconfig.json, by which Bun, esbuild and wrangler find the package. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  readonly changelog: string;
  /** The published sources. */
  readonly sources: Files;
}

/** What is wrong, each problem with what to do. */
export function configProblems(repository: Repository): string[] {
  return [
    ...twinProblems(repository),
    ...exportProblems(repository),
    ...importProblems(repository),
    ...versionProblems(repository),
  ];
}

function twinProblems({ deno, jsr }: Repository): string[] {
  const problems: string[] = [];
  for (const member of ["name", "version", "license", "exports"] as const) {
    if (deno[member] === undefined) problems.push(`deno.json has no ${member}`);
    if (isDeepStrictEqual(deno[member], jsr[member])) continue;
    problems.push(`${member} differs between deno.json and jsr.json: write the same into both`);
  }
  const others = (config: PackageConfig, own: string) =>
    config.publish?.include?.filter((path) => path !== own);
  if (!isDeepStrictEqual(others(deno, "deno.json"), others(jsr, "jsr.json"))) {
    problems.push("publish.include differs between deno.json and jsr.json beside their own names");
  }
  return problems;
}

function exportProblems({ deno, paths, sources }: Repository): string[] {
  const problems: string[] = [];
  for (const [key, file] of Object.entries(deno.exports ?? {})) {
    const path = file.replace(/^\.\//, "");
    const text = sources.get(path);
    if (text === undefined) problems.push(`deno.json exports "${key}" from ${path}, which does not exist`);
    else if (!/^\/\*\*(?:(?!\*\/)[\s\S])*@module\b/.test(text)) {
      problems.push(`${path} is the entry "${key}" and has no module doc: begin it with /** ... @module */`);
    }
    const name = deno.name + key.slice(1);
    if (paths[name]?.[0] !== file) problems.push(`tsconfig.json: add to paths "${name}": ["${file}"]`);
    if (!String(deno.tasks?.["check:docs"]).split(" ").includes(path)) {
      problems.push(`deno.json: the task check:docs leaves out ${path}`);
    }
  }
  return problems;
}

function importProblems({ deno, jsr, sources }: Repository): string[] {
  const entries = Object.values(deno.exports ?? {}).map((file) => file.replace(/^\.\//, ""));
  const used = new Set<string>();
  for (const path of reach(entries, sources)) {
    for (const { specifier } of importsOf(parse(path, sources.get(path)!))) {
      if (specifier && !/^(\.|node:)/.test(specifier)) used.add(packageOf(specifier));
    }
  }
  const problems: string[] = [];
  const declared = jsr.imports ?? {};
  for (const name of used) {
    if (!declared[name]) problems.push(`jsr.json: add ${name} to imports, published code uses it`);
  }
  for (const [name, target] of Object.entries(declared)) {
    if (!used.has(name)) problems.push(`jsr.json: remove ${name} from imports, no entry reaches it`);
    if (deno.imports?.[name] !== target) {
      problems.push(`imports.${name} differs between deno.json and jsr.json`);
    }
  }
  return problems;
}

function versionProblems({ deno, changelog, sources }: Repository): string[] {
  const problems: string[] = [];
  const headings = changelog.split("\n").filter((line) => line.startsWith("## "));
  if (!headings.some((line) => line.match(/\d+\.\d+\.\d+[\w.+-]*/)?.[0] === deno.version)) {
    problems.push(`CHANGELOG.md: add a heading "## ${deno.version}" that says what changed for users`);
  }
  if (!sources.get(VERSION_FILE)?.includes(`VERSION = "${deno.version}"`)) {
    problems.push(`${VERSION_FILE}: set VERSION to "${deno.version}", the version of deno.json`);
  }
  return problems;
}

function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function readRepository(): Repository {
  const json = (path: string) => JSON.parse(readText(path) ?? "{}");
  return {
    deno: json("deno.json"),
    jsr: json("jsr.json"),
    paths: json("tsconfig.json").compilerOptions?.paths ?? {},
    changelog: readText("CHANGELOG.md") ?? "",
    sources: readFiles("mod.ts", "src"),
  };
}

/** The texts that are in git or would be added to it. */
function readCommitted(): Files {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const { success, stdout } = new Deno.Command("git", { args, cwd: root }).outputSync();
  if (!success) throw new Error("git cannot list the files: run this inside the repository");
  const paths = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  return new Map(paths.map((path) => [path, readText(path) ?? ""]));
}

if (import.meta.main) {
  finish("configuration", [...configProblems(readRepository()), ...leakProblems(readCommitted())]);
}
