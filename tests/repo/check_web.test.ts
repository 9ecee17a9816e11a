import { assertEquals, assertStringIncludes } from "@std/assert";
import { webProblems } from "../../tools/check_web.ts";
import { test } from "../support/suite.ts";

test("check_web refuses names of one runtime and what Node 20 does not have, and nothing else", () => {
  const cases: [source: string, expected?: string][] = [
    [`export const a: string | undefined = Deno.env.get("A");`, "Deno"],
    [`export const a: unknown = Bun.env;`, "Bun"],
    [`export const a: unknown = process.env;`, "process"],
    [`export const a: unknown = Buffer.from("");`, "Buffer"],
    [`export const a: unknown = Promise.withResolvers();`, "withResolvers"],
    [`export const a: unknown = new Uint8Array().toBase64();`, "toBase64"],
    [`export const a: unknown = Object.groupBy([1], String);`, "groupBy"],
    [`export const a: AbortSignal = AbortSignal.any([AbortSignal.timeout(1)]);`],
    [`export const a: readonly number[] = [1].toSorted();`],
    [`export { jwtVerify } from "jose";`],
  ];
  const path = (i: number) => `src/trial_${i}.ts`;
  const problems = webProblems(new Map(cases.map(([source], i) => [path(i), source])));
  for (const [i, [source, expected]] of cases.entries()) {
    const own = problems.filter((problem) => problem.startsWith(path(i)));
    assertEquals(own.length, expected === undefined ? 0 : 1, `${source}\n${own.join("\n")}`);
    if (expected !== undefined) assertStringIncludes(own[0]!, expected);
  }
});
