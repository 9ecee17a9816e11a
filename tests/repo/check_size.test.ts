import { assertEquals, assertStringIncludes } from "@std/assert";
import { measure } from "../../tools/check_size.ts";
import { test } from "../support/suite.ts";

const lines = (count: number) => "// line\n".repeat(count);
const sized = (head: string, count: number) => `${head}\n${lines(count - 2)}}\n`;
const report = (text: string, path = "src/net/a.ts") => measure(new Map([[path, text]]));

test("check_size warns about a long file and fails on a longer one", () => {
  assertEquals(report(lines(250)), { problems: [], warnings: [] });
  assertEquals(report(lines(251)).warnings.length, 1);
  assertEquals(report(lines(300)).problems, []);
  assertStringIncludes(report(lines(301)).problems[0]!, "src/net/a.ts has 301 lines");
  assertEquals(report(lines(301), "tests/a.test.ts"), { problems: [], warnings: [] });
});

test("check_size warns about a long function and fails on a longer one, of every kind", () => {
  assertEquals(report(sized("function f() {", 40)), { problems: [], warnings: [] });
  assertEquals(report(sized("function f() {", 41)).warnings.length, 1);
  assertStringIncludes(
    report(`\n${sized("function f() {", 61)}`).problems[0]!,
    "src/net/a.ts:2 f has 61 lines",
  );
  assertStringIncludes(report(sized("const g = () => {", 61)).problems[0]!, " g has 61");
  assertStringIncludes(
    report(`class A {\n${sized("constructor() {", 61)}}`).problems[0]!,
    " constructor has 61",
  );
  assertStringIncludes(report(`class A {\n${sized("get a() {", 61)}}`).problems[0]!, " a has 61");
});

test("check_size lets named exceptions pass, and those alone", () => {
  const text = sized("function f() {", 61) + sized("function g() {", 61);
  const { problems } = measure(new Map([["src/a.ts", text]]), { "src/a.ts#f": "one table" });
  assertEquals(problems.length, 1);
  assertStringIncludes(problems[0]!, " g has 61");
});
