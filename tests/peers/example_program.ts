/**
 * An example as a process of its own: what it prints, and its end.
 *
 * @module
 */
import { root } from "../support/bundle.ts";

const BUN = `${root}node_modules/.bin/bun`;
const DENO_FLAGS = ["run", "--no-prompt", "--unstable-kv", "--allow-env", "--allow-net=127.0.0.1,localhost"];
/** A command line keeps who is signed in. */
const FILE_FLAGS = ["--allow-read", "--allow-write", "--allow-sys=uid"];
/** A program that says nothing is a failure, not a wait. */
const PATIENCE_MS = 20_000;

/** A running example. */
export interface ExampleProgram extends AsyncDisposable {
  /** Waits until it has printed this, and returns the match. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Presses Ctrl+C. */
  interrupt(): void;
  /** Waits for its end; gives its exit code. */
  ended(): Promise<number>;
  /** All that it has printed so far, errors too. */
  readonly output: string;
}

/** Starts an example on Deno, with the permissions that its README gives it. */
export function onDeno(file: string, env: Record<string, string> = {}, ...args: string[]): ExampleProgram {
  const flags = file.endsWith("_cli.ts") ? [...DENO_FLAGS, ...FILE_FLAGS] : DENO_FLAGS;
  return start(Deno.execPath(), [...flags, root + file, ...args], env);
}

/** Starts an example on Bun. */
export function onBun(file: string, env: Record<string, string> = {}, ...args: string[]): ExampleProgram {
  return start(BUN, [root + file, ...args], env);
}

/** Starts a Worker of the examples in workerd. */
export function onWorkerd(file: string, env: Record<string, string>): ExampleProgram {
  return start(Deno.execPath(), ["run", "-A", `${root}tests/peers/example_worker.ts`, root + file], env);
}

/** A port of this machine that is free. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function start(command: string, args: string[], env: Record<string, string>): ExampleProgram {
  const state = Deno.makeTempDirSync();
  const child = new Deno.Command(command, {
    args,
    cwd: root,
    // Whatever this machine has, no browser opens, no tenant is meant, and nobody is signed in.
    env: { BROWSER: "none", NO_COLOR: "1", XDG_STATE_HOME: state, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  let wake = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  const over = Promise.all([read(child.stdout), read(child.stderr), child.status]);
  over.then(() => wake.resolve(), () => wake.resolve());
  let isOver = false;
  child.status.then(() => isOver = true);
  return {
    async printed(pattern) {
      const timer = setTimeout(() => child.kill(), PATIENCE_MS);
      try {
        while (true) {
          const match = pattern.exec(output);
          if (match) return match;
          if (isOver) {
            // It may have printed more than has been read.
            await over;
            const last = pattern.exec(output);
            if (last) return last;
            throw new Error(`it ended without printing ${pattern}: ${output}`);
          }
          await wake.promise;
        }
      } finally {
        clearTimeout(timer);
      }
    },
    interrupt: () => child.kill("SIGINT"),
    ended: async () => (await over)[2].code,
    get output() {
      return output;
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close().catch(() => {});
      // A Worker ends with its input, and takes workerd along.
      if (!isOver && !args.some((arg) => arg.includes("example_worker"))) child.kill();
      await over;
      await Deno.remove(state, { recursive: true });
    },
  };
}
