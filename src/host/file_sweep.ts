/**
 * Removes what has expired from a directory of cells, a little at a time.
 *
 * @module
 */
import { lstat, opendir, rm } from "node:fs/promises";
import { systemClock } from "../runtime/clock.ts";
import { ABANDONED_MS, ASIDE, FileCell } from "./file_cell.ts";
import { unless } from "./file_fault.ts";

/** A cell of a store: the hash of a key, or a lock's. */
const CELL = /^[0-9a-f]{64}(?:\.lock)?$/;
/** More names than this are not read at once, and more cells not looked into. */
const MAX_NAMES = 10_000;
const MAX_CELLS = 32;

/**
 * Removes some of what has expired.
 *
 * @param directory The directory.
 * @param nowMs The time.
 */
export async function sweep(directory: string, nowMs: number): Promise<void> {
  for (const name of await someNames(directory)) {
    if (name.startsWith(ASIDE)) await removeAbandoned(`${directory}/${name}`);
    else await removeExpired(new FileCell(directory, name), nowMs);
  }
}

/** Some of the names, each as likely as the others, so that every one gets its turn. */
async function someNames(directory: string): Promise<string[]> {
  const chosen: string[] = [];
  let count = 0;
  for await (const { name } of await opendir(directory)) {
    if (++count > MAX_NAMES) break;
    if (!CELL.test(name) && !name.startsWith(ASIDE)) continue;
    const place = chosen.length < MAX_CELLS ? chosen.length : Math.floor(Math.random() * count);
    if (place < MAX_CELLS) chosen[place] = name;
  }
  return chosen;
}

async function removeExpired(cell: FileCell, nowMs: number): Promise<void> {
  const seen = await cell.look();
  if (seen.mark === undefined) await cell.clear(seen);
  else if (seen.mark.endsAtMs <= nowMs) await cell.remove(seen.mark);
}

async function removeAbandoned(path: string): Promise<void> {
  const found = await unless(lstat(path), "ENOENT");
  if (found === undefined || systemClock.now() - found.mtimeMs < ABANDONED_MS) return;
  await rm(path, { recursive: true, force: true });
}
