import { assertEquals } from "@std/assert";
import { parseJunit } from "../support/outcome.ts";
import { filesOf, findTestFiles, targets } from "../support/targets.ts";
import { test } from "../support/suite.ts";

const target = (name: string) => targets.find((target) => target.name === name)!;

test("parseJunit() counts every kind of case and names the failures", () => {
  const xml = `<testsuites><testsuite name="x">
    <testcase name="open" time="1">
    </testcase>
    <testcase name="closed" file="tests/a.test.ts" assertions="0" />
    <testcase name="a > b &quot;c&quot; &amp;lt;" file="tests/a.test.ts"><failure message="&gt;">no</failure></testcase>
    <testcase name="cancelled"><error message="Cancelled"/></testcase>
    <testcase name="later"><skipped/></testcase>
  </testsuite></testsuites>`;
  assertEquals(parseJunit(xml, (name) => name === "cancelled" ? "tests/b.test.ts" : undefined), {
    passed: 2,
    failures: [`tests/a.test.ts: a > b "c" &lt;`, "tests/b.test.ts: cancelled"],
    skipped: 1,
  });
});

test("every target takes the files of its own folders", () => {
  const files = [
    "tests/a.test.ts",
    "tests/support/b.test.ts",
    "tests/repo/c.test.ts",
    "tests/peers/d.test.ts",
  ];
  for (const name of ["deno", "bun", "node", "workerd", "workerd-nodejs"]) {
    assertEquals(filesOf(target(name), files), files.slice(0, 2), name);
  }
  assertEquals(filesOf(target("repo"), files), ["tests/repo/c.test.ts"]);
  assertEquals(filesOf(target("peers"), files), ["tests/peers/d.test.ts"]);
});

test("no test file lies where no target looks", () => {
  const lost = findTestFiles().filter((file) =>
    targets.every((target) => filesOf(target, [file]).length === 0)
  );
  assertEquals(lost, []);
});
