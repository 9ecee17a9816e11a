import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Bundle, bundleProblems, formatReport, heaviest } from "../../tools/bundle_report.ts";
import { test } from "../support/suite.ts";

const exports = {
  ".": "./mod.ts",
  "./testing": "./src/testing/mod.ts",
  "./cache/kv": "./src/adapters/kv.ts",
};
const bundle = (change: Partial<Bundle>): Bundle => ({
  name: ".",
  minified: 30_000,
  gzipped: 10_000,
  inputs: { "mod.ts": 0, "src/client/client.ts": 20_000, "node_modules/jose/index.js": 10_000 },
  ...change,
});

test("bundle_report accepts a bundle at its budget and fails on one byte more", () => {
  assertEquals(bundleProblems([bundle({ budget: 10_000 })], exports), []);
  const [problem] = bundleProblems([bundle({ gzipped: 10_001, budget: 10_000 })], exports);
  assertStringIncludes(problem!, "weighs 10001 bytes gzipped, the budget is 10000");
});

test('bundle_report finds what "." pulls in of another entry', () => {
  const inputs = {
    "mod.ts": 9,
    "src/testing/keys.ts": 0,
    "src/adapters/kv.ts": 9,
    "src/adapters/shared.ts": 9,
  };
  const problems = bundleProblems([bundle({ inputs })], exports);
  assertEquals(problems.length, 2);
  assertStringIncludes(problems[0]!, `src/testing/keys.ts of "./testing"`);
  assertStringIncludes(problems[1]!, `src/adapters/kv.ts of "./cache/kv"`);
  assertEquals(bundleProblems([bundle({ name: "./testing", inputs })], exports), []);
});

test("bundle_report sets every bundle against the last one", () => {
  const table = formatReport([bundle({ budget: 13_000 }), bundle({ name: "other", gzipped: 40_000 })]);
  assertStringIncludes(table, "25 %");
  assertStringIncludes(table, "13.0");
});

test("bundle_report lists the heaviest files first", () => {
  assertEquals(heaviest(bundle({}), 2), "   20.0  src/client/client.ts\n   10.0  node_modules/jose/index.js");
});
