import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configProblems, type PackageConfig, type Repository } from "../../tools/check_config.ts";
import { leakProblems } from "../../tools/leaks.ts";
import { test } from "../support/suite.ts";

const shared: PackageConfig = {
  name: "@a/b",
  version: "1.2.0",
  license: "MIT",
  exports: { ".": "./mod.ts", "./c": "./src/c/mod.ts" },
};
const good: Repository = {
  deno: {
    ...shared,
    imports: { jose: "npm:jose@^6", esbuild: "npm:esbuild@1" },
    publish: { include: ["mod.ts", "src", "deno.json"] },
    tasks: { "check:docs": "deno doc --lint mod.ts src/c/mod.ts" },
  },
  jsr: { ...shared, imports: { jose: "npm:jose@^6" }, publish: { include: ["mod.ts", "src", "jsr.json"] } },
  paths: { "@a/b": ["./mod.ts"], "@a/b/c": ["./src/c/mod.ts"] },
  changelog: "# Changes\n\n## 1.2.0 (2026-01-01)\n\n## [1.1.0]\n",
  sources: new Map([
    ["mod.ts", `/**\n * A.\n *\n * @module\n */\nexport * from "./src/d.ts";`],
    ["src/d.ts", `import type { JWK } from "jose"; export type D = JWK;`],
    ["src/c/mod.ts", `/** C. @module */\nexport const c = 1;`],
    ["src/runtime/version.ts", `export const VERSION = "1.2.0";`],
    ["src/unreached.ts", `import "hono";`],
  ]),
};

function assertOneProblem(change: Partial<Repository>, expected: string): void {
  const problems = configProblems({ ...good, ...change });
  assertEquals(problems.length, 1, problems.join("\n"));
  assertStringIncludes(problems[0]!, expected);
}

test("check_config accepts files that agree", () => {
  assertEquals(configProblems(good), []);
});

test("check_config finds each difference between deno.json and jsr.json", () => {
  const { jsr } = good;
  assertOneProblem({ jsr: { ...jsr, name: "@a/c" } }, "name differs");
  assertOneProblem({ jsr: { ...jsr, version: "1.2.1" } }, "version differs");
  assertOneProblem({ jsr: { ...jsr, license: "ISC" } }, "license differs");
  assertOneProblem({ jsr: { ...jsr, exports: { ".": "./mod.ts" } } }, "exports differs");
  assertOneProblem({ jsr: { ...jsr, publish: { include: ["src", "jsr.json"] } } }, "publish.include differs");
  assertOneProblem({ jsr: { ...jsr, imports: { jose: "npm:jose@^5" } } }, "imports.jose differs");
});

test("check_config finds runtime imports that are missing or superfluous in jsr.json", () => {
  assertOneProblem({ jsr: { ...good.jsr, imports: {} } }, "add jose to imports");
  const imports = { jose: "npm:jose@^6", esbuild: "npm:esbuild@1" };
  assertOneProblem({ jsr: { ...good.jsr, imports } }, "remove esbuild from imports");
});

test("check_config finds exports that lack their file, their module doc, their path or their docs check", () => {
  const without = new Map([...good.sources].filter(([path]) => path !== "src/c/mod.ts"));
  assertOneProblem({ sources: without }, "src/c/mod.ts, which does not exist");
  const bare = new Map([...good.sources, ["src/c/mod.ts", `/** C. */\nexport const c = 1; /* @module */`]]);
  assertOneProblem({ sources: bare }, "has no module doc");
  assertOneProblem({ paths: { "@a/b": ["./mod.ts"] } }, `"@a/b/c": ["./src/c/mod.ts"]`);
  const tasks = { "check:docs": "deno doc --lint mod.ts" };
  assertOneProblem({ deno: { ...good.deno, tasks } }, "check:docs leaves out src/c/mod.ts");
});

test("check_config wants the version in the changelog and in the code", () => {
  assertOneProblem({ changelog: "# Changes\n\n1.2.0 is near\n\n## 1.2.0-rc.1\n" }, `"## 1.2.0"`);
  const sources = new Map([...good.sources, ["src/runtime/version.ts", `export const VERSION = "1.1.0";`]]);
  assertOneProblem({ sources }, `set VERSION to "1.2.0"`);
});

test("check_config finds folders of a machine and hosts of registries, and leaves paths of URLs alone", () => {
  const leaks = (text: string) => leakProblems(new Map([["a.md", text]]), ["registry.example"]);
  for (const folder of ["work", "root", "home/me", "Users/me"]) {
    assertEquals(leaks(`fine\nsee /${folder}/x`).length, 1, folder);
    assert(leaks(`fine\nsee /${folder}/x`)[0]!.startsWith("a.md:2 names"));
  }
  assertEquals(leaks(`"resolved": "https://registry.example/a"`).length, 1);
  assertEquals(leaks("https://a.example/work/b, ./root/c, docs/home/d, /homework/e"), []);
});
