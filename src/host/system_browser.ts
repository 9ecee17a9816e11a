/**
 * Opens an address in the system's browser.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { env, platform } from "node:process";
import { type BrowserCommand, browserCommands } from "./browser_command.ts";
import { isContainer } from "./container.ts";

/**
 * Opens an address in the first browser that can be started.
 *
 * @param url An http or https address, as `URL.href` has it.
 * @returns Whether one took it. A program that stays, as a browser itself does, leaves this pending until it ends.
 */
export async function openSystemBrowser(url: string): Promise<boolean> {
  const variable = (name: string): string | undefined => attempt(() => env[name]);
  for (const command of browserCommands(url, { platform, variable, container: inContainer() })) {
    if (await run(command)) return true;
  }
  return false;
}

function inContainer(): boolean {
  if (platform !== "linux") return false;
  const marked = ["/.dockerenv", "/run/.containerenv"].some((path) => attempt(() => existsSync(path)));
  return isContainer({ marked, cgroup: attempt(() => readFileSync("/proc/1/cgroup", "utf8")) });
}

function run([program, ...args]: BrowserCommand): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      // A group of its own, so that an interrupt of the program does not end the browser.
      const child = spawn(program, args, { stdio: "ignore", detached: true, windowsHide: true });
      child.once("error", () => resolve(false));
      child.once("exit", (code) => resolve(code === 0));
      child.unref();
    } catch {
      // Deno without the permission to run programs.
      resolve(false);
    }
  });
}

/** Deno refuses what it was not allowed to read. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
