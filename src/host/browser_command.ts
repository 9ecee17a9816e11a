/**
 * The programs that open an address in the user's browser.
 *
 * Each is an argument list for a spawn without a shell: an address is data, whatever characters it has.
 *
 * @module
 */

/** A program and its arguments. */
export type BrowserCommand = readonly [program: string, ...args: string[]];

/** What a machine says about itself. */
export interface Surroundings {
  /** As `process.platform` has it. */
  readonly platform: string;
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  /** Whether this is a container, which has no browser of its own. */
  readonly container: boolean;
}

/** One word, so no options, no list and no shell. */
const PLAIN = /^[\w./+][\w./+-]*$/;

/** Windows' own, by its full path: a bare name is looked for in the working directory first. */
const URL_HANDLER = ["url.dll,FileProtocolHandler"] as const;

/**
 * Lists the commands to try, in order; none where nobody would see a browser.
 *
 * @param url The address, percent-encoded as `URL.href` is.
 * @param surroundings The machine.
 */
export function browserCommands(url: string, surroundings: Surroundings): BrowserCommand[] {
  const { platform, variable, container } = surroundings;
  const chosen = platform === "win32" ? undefined : variable("BROWSER");
  if (chosen === "none") return [];
  const own: BrowserCommand[] = chosen && PLAIN.test(chosen) ? [[chosen, url]] : [];
  return container ? own : [...own, ...systemCommands(url, platform, variable)];
}

function systemCommands(
  url: string,
  platform: string,
  variable: Surroundings["variable"],
): BrowserCommand[] {
  if (platform === "win32") {
    const windows = variable("SystemRoot") ?? "C:\\Windows";
    return [[`${windows}\\System32\\rundll32.exe`, ...URL_HANDLER, url]];
  }
  if (platform === "darwin") return [["/usr/bin/open", url]];
  const commands: BrowserCommand[] = [];
  if (variable("WSL_DISTRO_NAME")) {
    commands.push(["wslview", url], ["/mnt/c/Windows/System32/rundll32.exe", ...URL_HANDLER, url]);
  }
  // Without a screen it would start a text browser, in the terminal of the program that asked.
  if (variable("DISPLAY") || variable("WAYLAND_DISPLAY")) commands.push(["xdg-open", url]);
  return commands;
}
