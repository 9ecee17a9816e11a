/**
 * A text in a file of its own, with what tells whether it is whole.
 *
 * The first line says the version of the format and the SHA-256 of the rest, which is the text in UTF-8.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { unless } from "./file_fault.ts";
import { isOwn, isWide } from "./private_directory.ts";

/** Read and write, for the owner alone. */
const FILE_MODE = 0o600;
const HEADER = /^msal-edge 1 ([0-9a-f]{64})\n$/;
const HEADER_BYTES = 77;

/** Nobody's tokens are as large; what is was put there to fill the memory. */
const MAX_FILE_BYTES = 256 * 2 ** 20;

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Writes a file that is not there yet, to the disk.
 *
 * @param path The file; whatever has this name already, a link too, makes it fail.
 * @param text The text; an empty file where absent.
 */
export async function createFile(path: string, text?: string): Promise<void> {
  const file = await open(path, "wx", FILE_MODE);
  try {
    if (text === undefined) return;
    const bytes = new TextEncoder().encode(text);
    const header = new TextEncoder().encode(`msal-edge 1 ${digest(bytes)}\n`);
    const whole = new Uint8Array(header.length + bytes.length);
    whole.set(header);
    whole.set(bytes, header.length);
    await file.writeFile(whole);
    // Else a power cut could leave the new name with nothing behind it, and the old text is gone by then.
    await file.datasync();
  } finally {
    await file.close();
  }
}

/**
 * Reads a file.
 *
 * @param path The file.
 * @returns The text; `undefined` where there is no such file, `null` where it is torn, or not of this user's making.
 */
export async function readValue(path: string): Promise<string | null | undefined> {
  const file = await unless(open(path, "r"), "ENOENT");
  if (file === undefined) return undefined;
  try {
    return await readWhole(file);
  } finally {
    await file.close();
  }
}

async function readWhole(file: FileHandle): Promise<string | null> {
  const found = await file.stat();
  if (!found.isFile() || !isOwn(found) || found.size > MAX_FILE_BYTES) return null;
  if (isWide(found)) await file.chmod(FILE_MODE);
  const bytes = await file.readFile();
  const [, sum] = HEADER.exec(new TextDecoder().decode(bytes.subarray(0, HEADER_BYTES))) ?? [];
  const rest = bytes.subarray(HEADER_BYTES);
  return sum === digest(rest) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(rest) : null;
}
