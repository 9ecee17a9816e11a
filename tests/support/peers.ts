/**
 * Programs from outside that the peer tests talk to, and what happens where one is missing.
 *
 * A test that needs a missing program is not registered, and the run says so at its end. In CI a missing
 * program is a failure. `all.ts` reads the file named by {@linkcode NOT_RUN_VARIABLE}.
 *
 * ```ts ignore
 * const python = peer("MSAL Python");
 * python.test("MSAL Python signs in against the local authority", async () => {});
 * ```
 *
 * @module
 */
import type { Body } from "./suite.ts";

/** A program, what shows that it is there, and where it comes from. */
interface Program {
  readonly probe: readonly [command: string, ...args: string[]];
  readonly debian: string;
}

/** The name of a program that peer tests may ask for. */
export type PeerName = "Chromium" | "MSAL Python" | "OpenSSL" | "Redis";

/** Every program that a test uses; `.ci/run` installs the Debian packages of this table. */
const PROGRAMS: Readonly<Record<PeerName, Program>> = {
  Chromium: { probe: ["/usr/bin/chromium", "--version"], debian: "chromium" },
  // Debian's own Python: another one on the PATH does not see Debian's packages.
  Redis: { probe: ["redis-server", "--version"], debian: "redis-server" },
  OpenSSL: { probe: ["openssl", "version"], debian: "openssl" },
  "MSAL Python": { probe: ["/usr/bin/python3", "-c", "import msal"], debian: "python3-msal" },
};

/** The variable with the file that takes a line for each test that is not run. */
export const NOT_RUN_VARIABLE = "SUITE_NOT_RUN";

/** The file, in a run's scratch folder, that the variable names. */
export function notRunFile(scratch: string): string {
  return `${scratch}/not_run.jsonl`;
}

/** A test that was not registered, as a line of that file. */
export interface NotRun {
  readonly peer: PeerName;
  readonly test: string;
}

/** What a test may ask for: to do without Deno's sanitizers, as Miniflare must, or more time. */
export type PeerTestOptions = Pick<Deno.TestDefinition, "sanitizeOps" | "sanitizeResources" | "timeout">;

/** A program as a test file sees it. */
export interface Peer {
  /** Whether the program is there. */
  readonly found: boolean;
  /** Registers a test that needs the program. */
  test(name: string, body: Body, options?: PeerTestOptions): void;
}

const probes = new Map<PeerName, boolean>();

/** Looks for a program. */
export function peer(name: PeerName): Peer {
  const found = probes.get(name) ?? probe(PROGRAMS[name]);
  probes.set(name, found);
  return { found, test: (title, body, options) => register(name, found, title, body, options) };
}

/** The programs that are not here, with how to get them. */
export function missingPeers(): { readonly name: PeerName; readonly debian: string }[] {
  const names = Object.keys(PROGRAMS) as PeerName[];
  return names.filter((name) => !peer(name).found).map((name) => ({ name, debian: PROGRAMS[name].debian }));
}

/** How to get a program. */
export function howToGet(name: PeerName): string {
  return `install Debian's ${PROGRAMS[name].debian}`;
}

function register(
  name: PeerName,
  found: boolean,
  title: string,
  body: Body,
  options: PeerTestOptions = {},
): void {
  if (found) return Deno.test({ name: title, fn: body, timeout: PEER_TIMEOUT_MS, ...options });
  if (Deno.env.get("CI") === "true") {
    const missing = () => Promise.reject(new Error(`${name} is missing: ${howToGet(name)}`));
    return Deno.test({ name: title, fn: missing });
  }
  const line = JSON.stringify({ peer: name, test: title } satisfies NotRun);
  const file = Deno.env.get(NOT_RUN_VARIABLE);
  if (file) Deno.writeTextFileSync(file, `${line}\n`, { append: true });
  else console.warn(`not run: ${title} (${howToGet(name)})`);
}

/** A foreign process takes its time to start. */
const PEER_TIMEOUT_MS = 60_000;

function probe({ probe: [command, ...args] }: Program): boolean {
  try {
    return new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

if (import.meta.main) console.log(missingPeers().map(({ debian }) => debian).join(" "));
