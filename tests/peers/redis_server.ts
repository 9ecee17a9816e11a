/**
 * A Redis of a test's own: on a free port of this machine, in memory, gone with the test.
 *
 * @module
 */
import { freePort } from "./example_program.ts";

/** A running server. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/**
 * Starts a server that keeps nothing on disk.
 *
 * @param settings More of its settings, as on its command line.
 */
export async function startRedis(...settings: string[]): Promise<RedisServer> {
  const folder = await Deno.makeTempDir();
  const port = freePort();
  const child = new Deno.Command("redis-server", {
    args: [
      "--port",
      `${port}`,
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      "--dir",
      folder,
      ...settings,
    ],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const over = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const read = async () => {
    let log = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      log += text;
      if (log.includes("Ready to accept connections")) ready.resolve();
    }
    ready.reject(new Error(`redis-server ended: ${log}`));
    over.resolve();
  };
  read();
  await ready.promise;
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await Promise.all([child.status, over.promise]);
      await Deno.remove(folder, { recursive: true });
    },
  };
}
