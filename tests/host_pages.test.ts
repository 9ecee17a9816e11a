/** The pages of the loopback receiver: templates, escapes, headers. */
import { assert, assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import { type PageName, type ReceiverTemplates, renderPage } from "../src/host/pages.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const NAMES: readonly PageName[] = [
  "success",
  "error",
  "mismatch",
  "waiting",
  "unsupported",
  "invalid",
  "tooLarge",
  "misdirected",
];

function errorPage(template: string, values: Record<string, string>): string {
  return renderPage("error", { error: template }, values).body;
}

test("R4, R5, R10: values are escaped in an HTML template", () => {
  const rows: Record<string, string> = {
    "<tag>foo</tag>": "&lt;tag&gt;foo&lt;/tag&gt;",
    "<script>alert('xss')</script>": "&lt;script&gt;alert(&#x27;xss&#x27;)&lt;/script&gt;",
    [`"&'`]: "&quot;&amp;&#x27;",
    "&lt;": "&amp;lt;",
    "$error": "$error",
    "$&$1$$": "$&amp;$1$$",
  };
  for (const [value, escaped] of Object.entries(rows)) {
    assertEquals(errorPage("<html>$error</html>", { error: value }), `<html>${escaped}</html>`);
    assertEquals(errorPage("\n <p>${error}", { error: value }), `\n <p>${escaped}`);
    assertStringIncludes(renderPage("error", {}, { error_description: value }).body, `<p>${escaped}</p>`);
  }
});

test("a plain template takes values as they are, and is sent as plain text", () => {
  const { body, headers } = renderPage("error", { error: "Failed: $error" }, { error: "<b>" });
  assertEquals(body, "Failed: <b>");
  assertEquals(headers["content-type"], "text/plain; charset=utf-8");
  assertEquals(headers["x-content-type-options"], "nosniff");
});

test("placeholders are filled once, and unknown ones stay", () => {
  const values = { error: "$error_description", error_description: "secret" };
  assertEquals(errorPage("$error", values), "$error_description");
  const text = "$code $state ${code} $$error $ $5 ${} $constructor $__proto__ ${toString} $errors";
  assertEquals(errorPage(text, { error: "e" }), text.replace("$$", "$"));
});

test("every template of the application's own is used, also an empty one", () => {
  for (const name of ["success", "error", "mismatch"] as const) {
    const templates: ReceiverTemplates = { [name]: `<i>${name}</i>` };
    assertEquals(renderPage(name, templates).body, `<i>${name}</i>`);
    assertEquals(renderPage(name, { [name]: "" }).body, "");
  }
});

test("property: no value gets markup or a quote into a page", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
    const body = errorPage(`<a title="$error">\${error}</a>`, { error: value });
    assertEquals(body.match(/[<>"']/g)?.join(""), `<"">` + "<>");
  }));
});

test("every page forbids scripts, framing, forms, referrers and caching", () => {
  for (const name of NAMES) {
    const { headers, body } = renderPage(name, {}, { error: "e", error_description: "d", error_uri: "u" });
    const csp = headers["content-security-policy"]!;
    for (
      const rule of ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    ) {
      assertStringIncludes(csp, rule);
    }
    assertNotMatch(csp, /script-src|unsafe-eval|https?:|\*/);
    assertEquals(headers["cache-control"], "no-store");
    assertEquals(headers["referrer-policy"], "no-referrer");
    assertEquals(headers["connection"], "close");
    assertNotMatch(body, /<script|<form|<a |href|src=|https?:/i);
    assert(!body.includes("$"), name);
    if (body.startsWith("<")) assertStringIncludes(body, `name="viewport"`);
  }
});

test("a code in the address is told to be not supported, and a wrong POST to be invalid", () => {
  assertStringIncludes(renderPage("unsupported", {}).body, "not supported");
  assertStringIncludes(renderPage("invalid", {}).body, "Invalid POST request");
});
