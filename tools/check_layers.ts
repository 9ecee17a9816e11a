/**
 * Fails on an import in `src/` that points up, on a cycle, and on what source files must not contain.
 *
 * `client -> result -> token, cache -> request, authority, credential, jwt -> net -> store, crypto, runtime, errors`:
 * an import stays in its folder or points down, and folders of one layer do not know each other.
 *
 * @module
 */
import { findCycles } from "./cycles.ts";
import { type Files, finish, importsOf, parse, readFiles, resolveRelative } from "./sources.ts";
import { sourceProblems } from "./source_rules.ts";

const BASE = ["errors", "runtime", "crypto", "store"];
const ENDPOINTS = [...BASE, "net", "request", "authority", "credential", "jwt"];
const CORE = [...ENDPOINTS, "token", "cache", "result", "client"];

/** Each folder of `src/`, and the other folders that its files may import from. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  runtime: ["errors"],
  crypto: ["errors", "runtime"],
  store: ["errors", "runtime"],
  net: BASE,
  request: BASE,
  authority: [...BASE, "net", "request"],
  credential: [...BASE, "net", "request", "authority", "jwt"],
  jwt: [...BASE, "net"],
  token: ENDPOINTS,
  cache: ENDPOINTS,
  result: [...ENDPOINTS, "token", "cache"],
  client: [...ENDPOINTS, "token", "cache", "result"],
  // The local authority must be able to contradict the client, so it shares none of its logic.
  testing: ["errors", "runtime", "crypto"],
  adapters: ["errors", "runtime", "store"],
  managed_identity: CORE,
  username_password: CORE,
  validate: CORE,
  web: [...CORE, "validate"],
  hono: [...CORE, "validate", "web"],
  azure: CORE,
  pfx: [...BASE, "credential"],
  client_assertions: [...BASE, "net", "credential"],
  proof_of_possession: [...ENDPOINTS, "token", "client"],
  token_operations: CORE,
  host: [...CORE, "client_assertions"],
  cli: CORE,
};

/** The npm packages that published code may import, and the only folder that may, where there is one. */
const PACKAGES: Readonly<Record<string, string | undefined>> = { jose: undefined, pkijs: "pfx" };

/** The only folders that run on Deno, Bun and Node alone, and may use `node:` modules. */
const NODE_FOLDERS = ["host", "cli"];

/** What is wrong with these source files, each problem with its place and what to do. */
export function layerProblems(files: Files): string[] {
  const problems: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const file = parse(path, text);
    const targets: string[] = [];
    for (const { specifier, line } of importsOf(file)) {
      if (specifier?.startsWith(".")) targets.push(resolveRelative(path, specifier));
      const problem = importProblem(path, specifier);
      if (problem) problems.push(`${path}:${line} ${problem}`);
    }
    graph.set(path, targets);
    if (folderOf(path) !== undefined && !MAY_IMPORT[folderOf(path)!]) problems.push(unknownFolder(path));
    problems.push(...sourceProblems(file));
  }
  for (const cycle of findCycles(graph)) {
    problems.push(
      `${cycle[0]}: import cycle ${cycle.join(" -> ")}; move what they share into a file of its own`,
    );
  }
  return problems;
}

function importProblem(path: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined) {
    return "imports a computed name; write the name out, so that it can be checked";
  }
  if (specifier.startsWith(".")) return directionProblem(path, resolveRelative(path, specifier));
  if (specifier.startsWith("node:")) {
    if (NODE_FOLDERS.includes(folderOf(path) ?? "")) return undefined;
    return `imports ${specifier}; only src/${
      NODE_FOLDERS.join(" and src/")
    } may, the rest uses web standards`;
  }
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  if (!Object.hasOwn(PACKAGES, name)) {
    return `imports ${specifier}; published code depends on ${Object.keys(PACKAGES).join(" and ")} alone`;
  }
  const owner = PACKAGES[name];
  if (owner === undefined || owner === folderOf(path)) return undefined;
  return `imports ${specifier}, which src/${owner} alone may: everybody else would carry it along`;
}

function directionProblem(path: string, target: string): string | undefined {
  const from = folderOf(path);
  const to = folderOf(target);
  if (!target.startsWith("src/")) return `imports ${target}, which is not published; move it into src/`;
  if (to === undefined || to === from) return undefined;
  const allowed = from === undefined ? CORE : MAY_IMPORT[from];
  if (!allowed || allowed.includes(to)) return undefined;
  const choice = allowed.length > 0 ? `only from ${allowed.join(", ")}` : "nothing";
  return `imports ${target}; ${
    from ?? path
  } may import ${choice}: move the code down or pass it in as an argument`;
}

function unknownFolder(path: string): string {
  return `${path}: src/${folderOf(path)} has no layer; add it to MAY_IMPORT in tools/check_layers.ts`;
}

/** The folder right under `src/`; undefined for the root module. */
function folderOf(path: string): string | undefined {
  return path.match(/^src\/([^/]+)\//)?.[1];
}

if (import.meta.main) finish("layers", layerProblems(readFiles("mod.ts", "src")));
