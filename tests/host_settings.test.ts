/** The options of the loopback receiver. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ClientConfigurationError } from "../src/errors/errors.ts";
import { type LoopbackReceiverOptions, readSettings } from "../src/host/receiver_settings.ts";
import { test } from "./support/suite.ts";

const print = () => {};

test("the defaults are a free port of localhost, form_post, the system's browser and five minutes", () => {
  const { clock: _clock, ...rest } = readSettings({}, print);
  assertEquals(rest, {
    port: 0,
    redirectHost: "localhost",
    path: "",
    responseMode: "form_post",
    timeoutMs: 300_000,
    openBrowser: true,
    print,
    templates: { success: undefined, error: undefined, mismatch: undefined },
  });
});

test("an option that cannot be meant is refused by name", () => {
  const rows: readonly [option: string, ...values: unknown[]][] = [
    ["port", -1, 65_536, 1.5, NaN, "8400", null, Infinity],
    ["host", "0.0.0.0", "::", "localhost", "::1", "", null, "192.168.0.1"],
    ["redirectHost", "evil.example", "", "127.0.0.2", "0.0.0.0", "LOCALHOST", null],
    ["responseMode", "fragment", "", null, "FORM_POST"],
    [
      "path",
      "callback",
      "@evil.example/",
      ":80/",
      ".evil.example/",
      "/a?b",
      "/a#b",
      "/a b",
      "/a/../b",
      "/ä",
      "\\evil",
      "/a\\b",
      null,
    ],
    ["timeoutMs", 0, -1, NaN, 2 ** 31, "60000", null, -Infinity],
    ["openBrowser", "firefox", null, {}],
    ["print", "stdout", null, {}],
  ];
  for (const [option, ...values] of rows) {
    for (const value of values) {
      const options = { [option]: value } as LoopbackReceiverOptions;
      const row = `${option}: ${String(value)}`;
      const error = assertThrows(() => readSettings(options, print), ClientConfigurationError, "", row);
      assertEquals([error.code, error.option], ["invalid_option", option], row);
    }
  }
  for (const name of ["success", "error", "mismatch"]) {
    const options = { templates: { [name]: 1 } } as LoopbackReceiverOptions;
    const error = assertThrows(() => readSettings(options, print), ClientConfigurationError);
    assertStringIncludes(error.message, `templates.${name}`);
  }
});

test("options that are meant are kept", () => {
  const rows: readonly LoopbackReceiverOptions[] = [
    { port: 1 },
    { port: 65_535, host: "127.0.0.1", redirectHost: "127.0.0.1" },
    { path: "/" },
    { path: "/auth/callback", responseMode: "query" },
    { path: "/%C3%A4" },
    { timeoutMs: Infinity },
    { timeoutMs: 2 ** 31 - 1 },
    { openBrowser: false, print: () => {} },
    { openBrowser: () => {} },
  ];
  for (const { host: _host, ...options } of rows) {
    const settings = readSettings(options, print);
    for (const [name, value] of Object.entries(options)) {
      assertEquals(settings[name as keyof typeof settings], value as never, name);
    }
  }
  assertEquals(
    readSettings({ port: undefined, path: undefined, timeoutMs: undefined }, print).timeoutMs,
    300_000,
  );
});

test("only the three templates are taken, as they were given", () => {
  const given = { success: "a", error: "", waiting: "b", tooLarge: "c" };
  const { templates } = readSettings({ templates: given }, print);
  given.success = "changed";
  assertEquals(templates, { success: "a", error: "", mismatch: undefined });
});
