/**
 * Uses a file store on Deno with the permissions that this process was given, and prints what came of it.
 *
 * @module
 */
import { FileStore } from "../../src/host/mod.ts";

const [directory] = Deno.args;

async function attempt(name: string, what: () => Promise<unknown>): Promise<void> {
  try {
    console.log(`${name}: ${JSON.stringify(await what())}`);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    console.log(`${name}: ${code}: ${message}`);
  }
}

const open = () => directory ? new FileStore(directory) : FileStore.inUserState("my-tool");
await attempt("check", async () => void await open().check());
await attempt("set", async () => (await open().set("key", "text", { expiresAtMs: Date.now() + 60_000 })).ok);
await attempt("get", async () => (await open().get("key"))?.value);
await attempt("lock", async () => void await (await open().lock("key", 1_000))?.release());
