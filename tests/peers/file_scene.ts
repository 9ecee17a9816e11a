/**
 * A file store in a directory of its own, and what lies in it.
 *
 * @module
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAuthError } from "../../mod.ts";
import { FileStore, type FileStoreOptions } from "../../src/host/mod.ts";

/** A store and where it is. */
export interface FileScene {
  /** Only this test's. */
  readonly parent: string;
  /** The store's, not made yet. */
  readonly directory: string;
  readonly store: FileStore;
}

/** An expiry that no test waits for. */
export function soon(): { readonly expiresAtMs: number } {
  return { expiresAtMs: Date.now() + 3_600_000 };
}

/** Makes a directory; `close` removes it. */
export async function openDirectory(
  options: FileStoreOptions = {},
): Promise<FileScene & { close(): Promise<void> }> {
  const parent = await mkdtemp(`${tmpdir()}/file-store-`);
  const directory = `${parent}/store`;
  const close = (): Promise<void> => rm(parent, { recursive: true, force: true });
  return { parent, directory, store: new FileStore(directory, options), close };
}

/** Makes a directory, and removes it after the body. */
export async function inDirectory<T>(
  body: (scene: FileScene) => Promise<T>,
  options: FileStoreOptions = {},
): Promise<T> {
  const scene = await openDirectory(options);
  try {
    return await body(scene);
  } finally {
    await scene.close();
  }
}

/** Everything below a directory, with its kind and mode: `d700 store/0a1b...`. */
export async function modesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return await Promise.all(["", ...names].map(async (name) => {
    const found = await stat(`${directory}/${name}`);
    return `${found.isDirectory() ? "d" : "f"}${(found.mode & 0o777).toString(8)}`;
  }));
}

/** The only value file of a store with one value, and the directory that it is in. */
export async function onlyFile(directory: string): Promise<{ file: string; cell: string }> {
  const [cell = ""] = (await readdir(directory)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const [file = ""] = (await readdir(`${directory}/${cell}`)).filter((name) => name.endsWith(".value"));
  return { cell: `${directory}/${cell}`, file: `${directory}/${cell}/${file}` };
}

/** The code and message of what a call throws. */
export async function faultOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
  } catch (error) {
    return isAuthError(error) ? `${error.code}: ${error.message}` : `a foreign error: ${error}`;
  }
  return "nothing was thrown";
}
