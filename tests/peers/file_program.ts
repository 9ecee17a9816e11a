/**
 * Does one job with a file store, beside other processes: `<directory> <job> <argument>`.
 *
 * @module
 */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { isAuthError, type Store } from "../../mod.ts";
import { FileStore } from "../../src/host/mod.ts";

const [directory = "", job = "", argument = ""] = argv.slice(2);
const store: Store = new FileStore(directory);
const soon = (): { expiresAtMs: number } => ({ expiresAtMs: Date.now() + 3_600_000 });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function add(): Promise<void> {
  for (;;) {
    const held = await store.get("counter", { consistency: "strong" });
    const next = `${Number(held?.value ?? 0) + 1}`;
    if ((await store.set("counter", next, { ...soon(), ifVersion: held?.version ?? null })).ok) return;
    await pause(Math.random() * 20);
  }
}

/** Adds to a plain file, which loses what two do at once. */
async function addLocked(): Promise<void> {
  const file = `${directory}/plain`;
  for (;;) {
    const lease = await store.lock?.("plain", 60_000);
    if (lease === undefined) {
      await pause(Math.random() * 10);
      continue;
    }
    const count = Number(await readFile(file, "utf8").catch(() => "0"));
    await pause(1);
    await writeFile(file, `${count + 1}`);
    return await lease.release();
  }
}

const JOBS: Record<string, () => Promise<void>> = {
  add: async () => {
    for (let n = 0; n < Number(argument); n++) await add();
  },
  addLocked: async () => {
    for (let n = 0; n < Number(argument); n++) await addLocked();
  },
  /** Tries to get each of the leases, all of which somebody left behind; begins with the others at a full second. */
  steal: async () => {
    await pause(1_000 - Date.now() % 1_000);
    for (let n = 0; n < Number(argument); n++) {
      if (await store.lock?.(`left.${n}`, 60_000)) await appendFile(`${directory}/stolen`, `${n}\n`);
    }
  },
  /** Writes larger and larger texts until it is killed. */
  write: async () => {
    for (let n = Number(argument);; n++) {
      await store.set("text", `${n}:${"x".repeat(2 ** 20 + n)}`, soon());
      console.log(`written ${n}`);
    }
  },
  set: async () => {
    try {
      await store.set("text", argument, soon());
      console.log("set");
    } catch (error) {
      console.log(isAuthError(error) ? `${error.code}: ${error.message}` : `${error}`);
    }
    console.log((await store.get("text"))?.value ?? "nothing");
  },
};

await JOBS[job]?.();
