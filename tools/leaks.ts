/**
 * Finds what a machine has left in files that others get: its folders, its package registry.
 *
 * @module
 */
import type { Files } from "./sources.ts";

// Put together here, so that this file does not find itself.
const HOSTS = [["registry", "npmjs", "org"], ["npm", "jsr", "io"], ["registry", "yarnpkg", "com"]]
  .map((labels) => labels.join("."));
const FOLDERS = ["work", "root", "home/\\w+", "Users/\\w+"];
const FOLDER = new RegExp(`(?<![\\w.~*}-])/(${FOLDERS.join("|")})/`);

/** The variables by which a machine names its own registry. */
const REGISTRY_VARIABLES = ["NPM_CONFIG_REGISTRY", "npm_config_registry", "JSR_URL"];

/** Each file that names a folder of one machine or the host of a package registry. */
export function leakProblems(
  files: Files,
  hosts: readonly string[] = [...HOSTS, ...ownRegistries()],
): string[] {
  const problems: string[] = [];
  for (const [path, text] of files) {
    for (const [i, line] of text.split("\n").entries()) {
      const folder = line.match(FOLDER)?.[0];
      if (folder) {
        problems.push(`${path}:${i + 1} names ${folder}, a folder of one machine: write a relative path`);
      }
      const host = hosts.find((host) => line.includes(host));
      if (host) {
        problems.push(`${path}:${i + 1} names ${host}: leave the registry to each machine's settings`);
      }
    }
  }
  return problems;
}

function ownRegistries(): string[] {
  const urls = REGISTRY_VARIABLES.map((name) => Deno.env.get(name) ?? "");
  return urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).hostname);
}
