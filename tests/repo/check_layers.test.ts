import { assertArrayIncludes, assertEquals, assertStringIncludes } from "@std/assert";
import { layerProblems } from "../../tools/check_layers.ts";
import { test } from "../support/suite.ts";

const problemsOf = (files: Record<string, string>) => layerProblems(new Map(Object.entries(files)));

function assertOneProblem(path: string, text: string, expected: string): void {
  const problems = problemsOf({ [path]: text });
  assertEquals(problems.length, 1, `${text}: ${problems.join("\n")}`);
  assertStringIncludes(problems[0]!, expected);
}

test("check_layers accepts imports that point down or stay in their folder", () => {
  assertEquals(
    problemsOf({
      "mod.ts": `export { Client } from "./src/client/client.ts";`,
      "src/client/client.ts": `import type { R } from "../result/result.ts"; export class Client { #r?: R; }`,
      "src/result/result.ts": `import { a } from "./more.ts"; export type R = typeof a;`,
      "src/result/more.ts": `import { jwtVerify } from "jose"; export const a = jwtVerify;`,
      "src/authority/rules.ts": `import "../request/scopes.ts"; import "../net/http.ts";`,
    }),
    [],
  );
});

test("check_layers finds an upward import in whatever form it is written", () => {
  const forms = [
    `import { a } from "../client/a.ts";`,
    `import type { A } from "../client/a.ts";`,
    `import "../client/a.ts";`,
    `export * from "../client/a.ts";`,
    `export { a } from "../client/a.ts";`,
    `export const a = () => import("../client/a.ts");`,
    `export type A = import("../client/a.ts").A;`,
  ];
  for (const form of forms) {
    assertOneProblem("src/token/b.ts", `\n${form}`, "src/token/b.ts:2 imports src/client/a.ts");
  }
});

test("check_layers keeps siblings of one layer apart", () => {
  const pairs = [
    ["token", "cache"],
    ["cache", "token"],
    ["authority", "credential"],
    ["crypto", "store"],
    ["errors", "runtime"],
    ["testing", "client"],
    ["testing", "net"],
    ["adapters", "cache"],
    ["net", "request"],
    ["request", "authority"],
  ];
  for (const [from, to] of pairs) {
    assertOneProblem(`src/${from}/a.ts`, `import "../${to}/b.ts";`, `${from} may import`);
  }
  assertOneProblem("mod.ts", `export * from "./src/testing/mod.ts";`, "mod.ts may import only from");
});

test("check_layers names a folder without a layer, an unpublished file and a foreign package", () => {
  assertOneProblem("src/misc/a.ts", ``, "add it to MAY_IMPORT");
  assertOneProblem("src/net/a.ts", `import "../../tests/support/suite.ts";`, "move it into src/");
  assertOneProblem("src/net/a.ts", `import "hono/jwt";`, "depends on jose and pkijs alone");
  assertOneProblem("src/net/a.ts", `import "node:fs";`, "web standards");
  assertOneProblem("src/net/a.ts", `export const a = (name: string) => import(name);`, "computed name");
  assertEquals(problemsOf({ "src/host/a.ts": `import "node:fs";` }), []);
});

test("check_layers keeps pkijs in ./pfx", () => {
  assertEquals(problemsOf({ "src/pfx/a.ts": `import { PFX } from "pkijs"; export const a = PFX;` }), []);
  for (const path of ["mod.ts", "src/credential/a.ts", "src/testing/a.ts"]) {
    assertOneProblem(path, `import { PFX } from "pkijs";`, "which src/pfx alone may");
    assertOneProblem(path, `import type { PFX } from "pkijs";`, "which src/pfx alone may");
  }
});

test("check_layers finds an import cycle, also one of types", () => {
  const problems = problemsOf({
    "src/net/a.ts": `import "./b.ts";`,
    "src/net/b.ts": `import type { C } from "./c.ts"; export type B = C;`,
    "src/net/c.ts": `export * from "./a.ts"; export type C = 1;`,
  });
  assertEquals(problems.length, 1);
  assertStringIncludes(problems[0]!, "src/net/a.ts -> src/net/b.ts -> src/net/c.ts -> src/net/a.ts");
});

test("check_layers finds what source files must not contain", () => {
  const cases: [source: string, expected: string][] = [
    [`export const a = Deno.env;`, "uses Deno"],
    [`export const a = Bun.env;`, "uses Bun"],
    [`export const a = globalThis.process.env;`, "uses process"],
    [`export const a = Buffer.from("");`, "uses Buffer"],
    [`console.log(1);`, "uses console"],
    [`export const a = Date.now();`, "reads the time"],
    [`export const a = new Date();`, "reads the time"],
    [`export class A { private a = 1; }`, "write #name"],
    [`export default class {}`, "default export"],
    [`const a = 1; export default a;`, "default export"],
    [`const a = 1; export { a as default };`, "default export"],
    [`export const a = (b: unknown) => b instanceof Request;`, "instanceof Request"],
    [`export const a = (b: unknown) => b instanceof globalThis.URL;`, "instanceof URL"],
  ];
  for (const [source, expected] of cases) assertOneProblem("src/net/a.ts", source, expected);
});

test("check_layers does not take comments, strings and members for code", () => {
  const source = `
    /** Like {@linkcode Deno.env}; \`import "../client/a.ts"\` and Date.now() in prose. */
    export const text = 'import "../client/a.ts"; console.log(Deno.env, process.env)';
    export const a = (options: { process: { env: string } }) => options.process.env;
    export const when = (ms: number) => new Date(ms);
    export const pick = (n: number) => { switch (n) { default: return n instanceof Object; } };
  `;
  assertEquals(problemsOf({ "src/net/a.ts": source }), []);
  assertEquals(problemsOf({ "src/runtime/clock.ts": `export const now = () => Date.now();` }), []);
});

test("check_layers reports every problem of every file", () => {
  const problems = problemsOf({
    "src/net/a.ts": `console.log(1);\nconsole.log(2);`,
    "src/net/b.ts": `import "x";`,
  });
  assertArrayIncludes(problems.map((problem) => problem.split(" ")[0]), [
    "src/net/a.ts:1",
    "src/net/a.ts:2",
    "src/net/b.ts:1",
  ]);
});
