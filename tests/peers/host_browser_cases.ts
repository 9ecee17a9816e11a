/**
 * How a loopback receiver sends the user to the browser. Run on Deno, Bun and Node.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { env, stderr } from "node:process";
import { ClientAuthError } from "../../src/errors/errors.ts";
import { LoopbackReceiver, type LoopbackReceiverOptions } from "../../src/host/mod.ts";
import { openSystemBrowser } from "../../src/host/system_browser.ts";
import { type HostCase, post } from "./host_http.ts";

const ADDRESS = "https://login.example/authorize?a=$(id)&b=%60id%60;c|d&e='f'&state=s";
const LINE = `To sign in, open this address in a browser on this machine: ${new URL(ADDRESS).href}`;
const VARIABLES = ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];

/** Runs the body where the only browser is a shell script, which writes its arguments to a file. */
async function withBrowser(
  exitCode: number,
  body: (argumentsOf: () => string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/host_browser_`);
  const script = `${folder}/browser.sh`;
  writeFileSync(script, `#!/bin/sh\nprintf '%s\\n' "$@" > "$0.txt"\nexit ${exitCode}\n`);
  chmodSync(script, 0o755);
  try {
    await withVariables({ BROWSER: script }, () => body(() => readFileSync(`${script}.txt`, "utf8")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the body with these variables, and without the others that name a browser. */
async function withVariables(variables: Record<string, string>, body: () => Promise<void>): Promise<void> {
  const before = VARIABLES.map((name) => [name, env[name]] as const);
  for (const name of VARIABLES) delete env[name];
  Object.assign(env, variables);
  try {
    await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete env[name];
      else env[name] = value;
    }
  }
}

/** Opens; a browser that runs does not keep a process alive, so something else has to. */
async function opened(url: string): Promise<boolean> {
  const alive = setInterval(() => {}, 60_000);
  try {
    return await openSystemBrowser(url);
  } finally {
    clearInterval(alive);
  }
}

/** What a receiver prints until the answer comes; the answer waits for a line where one has to come. */
async function printed(options: LoopbackReceiverOptions, lineComes: boolean): Promise<string[]> {
  const lines: string[] = [];
  let told: () => void = () => {};
  const line = new Promise<void>((resolve) => told = resolve);
  const print = (text: string) => {
    lines.push(text);
    told();
  };
  const listener = await new LoopbackReceiver({ print, ...options }).open();
  const received = listener.receive({ authUri: ADDRESS, state: "s" });
  if (lineComes) await line;
  await post(listener, "code=the+code&state=s");
  await received;
  await listener.close();
  return lines;
}

/** The cases, in order. */
export const browserCases: readonly HostCase[] = [
  [
    "the system's browser gets the address as one argument, through no shell",
    () =>
      withBrowser(0, async (argumentsOf) => {
        assertEquals(await opened(new URL(ADDRESS).href), true);
        assertEquals(argumentsOf(), `${new URL(ADDRESS).href}\n`);
      }),
  ],
  ["a browser that fails, or is not there, is told", async () => {
    await withBrowser(3, async (argumentsOf) => {
      assertEquals(await opened(ADDRESS), false);
      assert(argumentsOf().length > 0);
    });
    for (const BROWSER of ["/nowhere/browser", "/tmp", "none"]) {
      await withVariables({ BROWSER }, async () => assertEquals(await opened(ADDRESS), false));
    }
  }],
  ["the address is printed where no browser opens, and only there", async () => {
    await withBrowser(3, async () => assertEquals(await printed({}, true), [LINE]));
    await withVariables({}, async () => assertEquals(await printed({}, true), [LINE]));
    assertEquals(await printed({ openBrowser: false }, true), [LINE]);
    assertEquals(await printed({ openBrowser: () => {} }, false), []);
    await withBrowser(0, async (argumentsOf) => {
      const lines: string[] = [];
      const listener = await new LoopbackReceiver({ print: (line) => void lines.push(line) }).open();
      const received = listener.receive({ authUri: ADDRESS, state: "s" });
      for (let turn = 0; !existsSync(`${env.BROWSER}.txt`) && turn < 500; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      // Long enough for its exit to be heard.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await post(listener, "code=c&state=s");
      await received;
      await listener.close();
      assertEquals([argumentsOf(), ...lines], [`${new URL(ADDRESS).href}\n`]);
    });
  }],
  ["a function opens the address; where it fails the address is printed", async () => {
    const urls: string[] = [];
    assertEquals(await printed({ openBrowser: (url) => void urls.push(url) }, false), []);
    assertEquals(urls, [new URL(ADDRESS).href]);
    const failures = [
      () => {
        throw new Error("no browser");
      },
      () => Promise.reject(new Error("no browser")),
    ];
    for (const openBrowser of failures) assertEquals(await printed({ openBrowser }, true), [LINE]);
  }],
  [
    "a browser that never returns does not hold up the answer, and one that fails late prints nothing",
    async () => {
      assertEquals(await printed({ openBrowser: () => new Promise<void>(() => {}) }, false), []);
      let fail: (error: Error) => void = () => {};
      const late = () => new Promise<void>((_, reject) => fail = reject);
      const lines = await printed({ openBrowser: late }, false);
      fail(new Error("closed"));
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEquals(lines, []);
    },
  ],
  ["a line goes to standard error by default, and holds neither code nor answer", async () => {
    const { write } = stderr;
    const texts: string[] = [];
    stderr.write = ((text: string) => texts.push(text) > 0) as typeof write;
    try {
      const listener = await new LoopbackReceiver({ openBrowser: false }).open();
      const received = listener.receive({ authUri: ADDRESS, state: "s" });
      await post(listener, "code=the+code&state=s");
      await received;
      await listener.close();
    } finally {
      stderr.write = write;
    }
    assertEquals(texts, [`${LINE}\n`]);
  }],
  ["a print that throws ends the wait: the user would never know", async () => {
    const print = () => {
      throw new TypeError("secret");
    };
    const listener = await new LoopbackReceiver({ openBrowser: false, print }).open();
    const receive = () => listener.receive({ authUri: ADDRESS, state: "s" });
    const error = await assertRejects(receive, ClientAuthError, "print threw TypeError");
    assertEquals([error.code, error.message.includes("secret")], ["unexpected_error", false]);
  }],
];
