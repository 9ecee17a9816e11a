/**
 * Measures what the package adds to a bundle, beside MSAL Node, and guards the budget.
 *
 * ```sh
 * deno task check:bundle     # fails above the budget, and where an entry pulls in another one
 * ```
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { build, type BuildOptions, stop } from "esbuild";
import { readText, root } from "./sources.ts";

/**
 * The most that a Worker with one confidential client may weigh, minified and gzipped, sign-in of users included. The aim is
 * 20 000: whoever makes it lighter lowers this, and raises it only for a feature.
 */
const WORKER_BUDGET_BYTES = 46_500;

/** One bundle. */
export interface Bundle {
  readonly name: string;
  readonly minified: number;
  readonly gzipped: number;
  /** The files in it, from the repository's folder, with what each is minified. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly budget?: number;
}

/** What is wrong with the bundles. */
export function bundleProblems(
  bundles: readonly Bundle[],
  exports: Readonly<Record<string, string>>,
): string[] {
  const heavy = bundles.filter(isHeavy)
    .map(({ name, gzipped, budget }) =>
      `${name} weighs ${gzipped} bytes gzipped, the budget is ${budget}: find what it can do without`
    );
  const main = bundles.find(({ name }) => name === ".");
  const bleeds = Object.keys(main?.inputs ?? {}).flatMap((input) => {
    const key = ownerOf(input, exports);
    return key === undefined ? [] : [`"." pulls in ${input} of "${key}": it belongs to that entry alone`];
  });
  return [...heavy, ...bleeds];
}

function isHeavy({ gzipped, budget }: Bundle): boolean {
  return budget !== undefined && gzipped > budget;
}

/** The other entry whose file, or whose folder of its own, holds `input`. */
function ownerOf(input: string, exports: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(exports).find(([key, file]) => {
    const path = file.replace(/^\.\//, "");
    const owned = path.endsWith("/mod.ts")
      ? input.startsWith(path.slice(0, -"mod.ts".length))
      : input === path;
    return key !== "." && owned;
  })?.[0];
}

/** The table that is printed. */
export function formatReport(bundles: readonly Bundle[]): string {
  const reference = bundles.at(-1)!;
  const rows = bundles.map(({ name, minified, gzipped, budget }) => [
    name,
    kilobytes(minified),
    kilobytes(gzipped),
    `${(gzipped / reference.gzipped * 100).toFixed(0)} %`,
    budget === undefined ? "" : kilobytes(budget),
  ]);
  const table = [["kB (1000 bytes)", "minified", "gzip", "of MSAL Node", "budget"], ...rows];
  return table.map(([name, ...cells]) => name!.padEnd(46) + cells.map((cell) => cell.padStart(13)).join(""))
    .join("\n");
}

/** The heaviest files of a bundle, for whoever has to make it lighter. */
export function heaviest({ inputs }: Bundle, count = 15): string {
  const rows = Object.entries(inputs).sort(([, a], [, b]) => b - a).slice(0, count);
  return rows.map(([path, bytes]) => `  ${kilobytes(bytes).padStart(5)}  ${path}`).join("\n");
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

const ours = "@msal-edge/msal";
const worker = `import { ConfidentialClientApplication } from "${ours}";
export default {
  async fetch(_request, env) {
    const app = new ConfidentialClientApplication(env);
    const { accessToken } = await app.acquireTokenForClient({ scopes: ["https://graph.microsoft.com/.default"] });
    return new Response(accessToken);
  },
};`;
const msalNode = `import { ConfidentialClientApplication } from "@azure/msal-node";
export default (options) => new ConfidentialClientApplication(options);`;

// With the platform "neutral" an import of a Node module does not resolve, so a bundle proves there is none.
const WEB: BuildOptions = {
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker"],
};

async function bundle(
  name: string,
  contents: string,
  options: BuildOptions,
  budget?: number,
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    tsconfig: `${root}tsconfig.json`,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    ...options,
  });
  const bytes = outputFiles![0]!.contents;
  const output = Object.values(metafile!.outputs)[0]!;
  // All that was read, not only what was kept: an entry must not even name what it does not need.
  const inputs = Object.fromEntries(
    Object.keys(metafile!.inputs).map((input) => [input, output.inputs[input]?.bytesInOutput ?? 0]),
  );
  const gzipped = gzipSync(bytes, { level: 9 }).byteLength;
  return { name, minified: bytes.byteLength, gzipped, inputs, ...(budget !== undefined && { budget }) };
}

/** Makes the bundles: ours, and MSAL Node last. */
export async function makeBundles(): Promise<Bundle[]> {
  try {
    return [
      await bundle(".", `export * from "${ours}";`, WEB),
      await bundle("a Worker with ConfidentialClientApplication", worker, WEB, WORKER_BUDGET_BYTES),
      await bundle("./validate", `export * from "${ours}/validate";`, WEB),
      await bundle("./web", `export * from "${ours}/web";`, WEB),
      await bundle("./hono", `export * from "${ours}/hono";`, WEB),
      await bundle("./azure", `export * from "${ours}/azure";`, WEB),
      await bundle("./pfx", `export * from "${ours}/pfx";`, WEB),
      await bundle("./client-assertions", `export * from "${ours}/client-assertions";`, WEB),
      await bundle("./proof-of-possession", `export * from "${ours}/proof-of-possession";`, WEB),
      await bundle("./token-operations", `export * from "${ours}/token-operations";`, WEB),
      await bundle("./host", `export * from "${ours}/host";`, { platform: "node" }),
      await bundle("./testing", `export * from "${ours}/testing";`, WEB),
      await bundle("@azure/msal-node ConfidentialClientApplication", msalNode, { platform: "node" }),
    ];
  } finally {
    await stop();
  }
}

async function report(): Promise<string[]> {
  try {
    const bundles = await makeBundles();
    console.log(formatReport(bundles));
    for (const bundle of bundles.filter(isHeavy)) {
      console.log(`\n${bundle.name}, minified:\n${heaviest(bundle)}`);
    }
    return bundleProblems(bundles, JSON.parse(readText("deno.json")!).exports);
  } catch (error) {
    // Most often an import of a Node module, which the Web does not have.
    return [
      `esbuild cannot bundle the package for the Web: ${error instanceof Error ? error.message : error}`,
    ];
  }
}

if (import.meta.main) {
  const problems = await report();
  for (const problem of problems) console.error(problem);
  if (Deno.args.includes("--check") && problems.length > 0) Deno.exit(1);
}
