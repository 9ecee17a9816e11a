/**
 * Runs a command, hands over its output line by line, and ends it when it falls silent.
 *
 * @module
 */
import { root } from "./bundle.ts";
import type { Say } from "./outcome.ts";

/** More than any one test may take, and than the first type check does. */
const SILENCE_MS = 75_000;

/** What to run. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs it to its end and returns what went wrong with the process, if anything. */
export async function runCommand(
  { command, args, env = {} }: Command,
  say: Say,
): Promise<string | undefined> {
  let child: Deno.ChildProcess;
  try {
    const io = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    child = new Deno.Command(command, { args: [...args], cwd: root, env: { ...env, NO_COLOR: "1" }, ...io })
      .spawn();
  } catch (error) {
    return `(${command} cannot be started: ${error instanceof Error ? error.message : error})`;
  }
  const guard = watchSilence(() => child.kill("SIGKILL"));
  await Promise.all([forward(child.stdout, guard, say), forward(child.stderr, guard, say)]);
  const status = await child.status;
  guard.stop();
  if (guard.expired()) return `(killed: silent for ${SILENCE_MS / 1000} s after "${guard.last()}")`;
  if (status.signal) return `(ended by ${status.signal} after "${guard.last()}")`;
  return status.success ? undefined : `(exited with ${status.code})`;
}

interface Guard {
  heard(text: string): void;
  stop(): void;
  expired(): boolean;
  last(): string;
}

function watchSilence(end: () => void): Guard {
  let expired = false;
  let last = "";
  const expire = () => {
    expired = true;
    end();
  };
  let timer = setTimeout(expire, SILENCE_MS);
  return {
    heard(text) {
      last = text.trimEnd().split("\n").at(-1) || last;
      clearTimeout(timer);
      timer = setTimeout(expire, SILENCE_MS);
    },
    stop: () => clearTimeout(timer),
    expired: () => expired,
    last: () => last,
  };
}

async function forward(stream: ReadableStream<Uint8Array>, guard: Guard, say: Say): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true });
    guard.heard(rest);
    const lines = rest.split(/\r?\n/);
    rest = lines.pop()!;
    for (const line of lines) say(line);
  }
  if (rest) say(rest);
}
