/**
 * Makes one module of the test files, for the runtimes that cannot load TypeScript.
 *
 * @module
 */
import { SourceMap } from "node:module";
import { build, type BuildOptions, stop } from "esbuild";

/** The repository's folder, with a slash at the end. */
export const root: string = new URL("../../", import.meta.url).pathname;

/**
 * Bundles `files` behind an entry that hands them to a host.
 *
 * @param host The statements after the imports; the files stand in `files`.
 */
export async function bundleTests(
  files: readonly string[],
  host: string,
  options: BuildOptions,
): Promise<string> {
  // Imported dynamically, so that a file that throws fails alone, and inside a request on workerd.
  const entries = files.map((file) => `[${JSON.stringify(file)}, () => import("./${file}")]`);
  const contents = `const files = [${entries.join(",\n")}];\n${host}`;
  try {
    const result = await build({
      stdin: { contents, resolveDir: root, sourcefile: "suite_entry.ts", loader: "ts" },
      absWorkingDir: root,
      tsconfig: `${root}tsconfig.json`,
      bundle: true,
      write: false,
      format: "esm",
      logLevel: "silent",
      sourcemap: "inline",
      sourcesContent: false,
      sourceRoot: `file://${root}`,
      ...options,
    });
    return result.outputFiles![0]!.text;
  } finally {
    // esbuild's service keeps Deno alive otherwise.
    await stop();
  }
}

/** Makes a function that puts the places of the sources into a stack of the bundle `name`. */
export function stackMapper(bundle: string, name: string): (stack: string) => string {
  const [, encoded = ""] = bundle.match(/sourceMappingURL=data:application\/json;base64,(\S+)\s*$/) ?? [];
  const map = new SourceMap(JSON.parse(atob(encoded)));
  const place = new RegExp(`[^\\s(]*\\b${name.replaceAll(".", "\\.")}:(\\d+):(\\d+)`, "g");
  return (stack) =>
    stack.replace(place, (bundled, line, column) => {
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
      if (!("originalSource" in entry)) return bundled;
      const path = entry.originalSource.replace(`file://${root}`, "");
      return `${path}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    });
}
