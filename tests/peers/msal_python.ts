/**
 * Runs an unmodified MSAL Python, in a process of its own, against a local authority on loopback.
 *
 * @module
 */
import type { LocalAuthority } from "../../src/testing/mod.ts";

/** A method of its application, and its arguments; an `account` is named by its user. */
export type Call = readonly [method: string, keywords: Readonly<Record<string, unknown>>];

/** What MSAL Python is to do; see `msal_python.py`. */
export interface Job {
  readonly scopes?: readonly string[];
  /** Whether a token may come from the cache. */
  readonly triesCache?: boolean;
  readonly cache?: string;
  readonly clientId?: string;
  /** Absent for a public client. */
  readonly clientSecret?: string | undefined;
  /** In place of a secret, as its documentation has it. */
  readonly clientCertificate?: Readonly<Record<string, string>>;
  readonly authority?: string;
  /** Whether it asks which hosts are one cloud's. */
  readonly instanceDiscovery?: boolean;
  /** A sign-in to remember. */
  readonly user?: unknown;
  /** What is called. */
  readonly calls?: readonly Call[];
}

/** What came of it. */
export interface Outcome {
  readonly version: string;
  readonly result: PythonResult;
  /** What the calls returned. */
  readonly results: readonly PythonResult[];
  readonly sent: readonly string[];
  readonly accounts: readonly string[];
  readonly refreshTokens: readonly string[];
  readonly appMetadata: readonly Readonly<Record<string, unknown>>[];
  readonly cache: string;
}

/** A dictionary; None where a cache has nothing. */
export type PythonResult = Readonly<Record<string, unknown>> | null;

const SCRIPT = new URL("msal_python.py", import.meta.url).pathname;

/** Runs it against an authority, which listens meanwhile. */
export async function runMsalPython(authority: LocalAuthority, job: Job): Promise<Outcome> {
  const server = await authority.serve(Deno);
  try {
    return await runMsalPythonAt(server.origin, job);
  } finally {
    await server.close();
  }
}

/** Runs it against an authority that listens. */
export async function runMsalPythonAt(origin: string, job: Job): Promise<Outcome> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-I", SCRIPT],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ origin, ...job })));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
