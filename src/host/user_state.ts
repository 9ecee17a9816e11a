/**
 * Where programs keep what they have to remember of a user on this machine.
 *
 * @module
 * @see {@link https://specifications.freedesktop.org/basedir-spec/latest/ | XDG Base Directory Specification}
 */
import { env, platform as thisPlatform } from "node:process";
import { refuse } from "../errors/errors.ts";
import type { Surroundings } from "./browser_command.ts";

/** A name that every file system can have, and that is one name. */
const NAME = /^[A-Za-z0-9](?:[\w.-]{0,62}[\w-])?$/;
/** Windows has devices of these names, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const HELP = "Give a directory to new FileStore";

/**
 * Names the directory of a program for what it has to remember. Tokens are that: no cache, which may be emptied by
 * anybody who needs room, and nothing that a user takes along to other machines.
 *
 * @param name The program's name.
 * @param surroundings The machine.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function userStateDirectory(
  name: string,
  { platform, variable }: Omit<Surroundings, "container"> = {
    platform: thisPlatform,
    variable: readVariable,
  },
): string {
  if (typeof name !== "string" || !NAME.test(name) || DEVICE.test(name)) {
    refuse("invalid_option", "name", `give the program's name in letters, digits, ".", "_" and "-"`);
  }
  if (platform === "win32") {
    // Not the roaming one, which goes to a server.
    return `${absolute("LOCALAPPDATA", variable, /^[A-Za-z]:[\\/]/)}\\${name}\\msal`;
  }
  if (platform === "darwin") return `${home(variable)}/Library/Application Support/${name}/msal`;
  const state = variable("XDG_STATE_HOME");
  // The specification has relative paths ignored.
  return `${state?.startsWith("/") ? state : `${home(variable)}/.local/state`}/${name}/msal`;
}

function home(variable: Surroundings["variable"]): string {
  return absolute("HOME", variable, /^\//);
}

function absolute(name: string, variable: Surroundings["variable"], start: RegExp): string {
  const value = variable(name);
  if (value !== undefined && start.test(value)) return value;
  return refuse("invalid_option", "name", `${name} is not set to a full path, so no place is known. ${HELP}`);
}

function readVariable(name: string): string | undefined {
  try {
    return env[name];
  } catch {
    const flag = "--allow-env=XDG_STATE_HOME,HOME,LOCALAPPDATA";
    return refuse("invalid_option", "name", `Deno may not read ${name}. Allow ${flag}`);
  }
}
