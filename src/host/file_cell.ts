/**
 * A place in the file system that processes change one after the other, without waiting for each other.
 *
 * A cell is a directory with one empty file, the mark. The mark's name says who set it and when it ends, and a value lies
 * beside it under the name of the mark's id. To change the cell is to rename the mark: of all who saw the same mark one
 * succeeds, because for the others it is gone. Ids are random and never come again, so nobody changes what he has not
 * seen, however long he slept; and a process may be killed between any two steps, because the mark is renamed in one.
 *
 * @module
 */
import { lstat, readdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import { platform } from "node:process";
import { systemClock } from "../runtime/clock.ts";
import { codeOf, unless } from "./file_fault.ts";
import { checkInner, makePrivate } from "./private_directory.ts";
import { createFile, readValue } from "./value_file.ts";

/** Who holds a cell, and until when. */
export interface Mark {
  /** Random, 32 hexadecimal digits. */
  readonly id: string;
  /** In milliseconds since the epoch. */
  readonly endsAtMs: number;
}

/** What is in a cell. */
export interface Sight {
  /** Absent where nobody holds it. */
  readonly mark?: Mark | undefined;
  /** The names of everything else. */
  readonly rest: readonly string[];
}

const MARK = /^([0-9a-f]{32})-(\d{1,16})$/;
/** What begins like this is of no use to anybody who did not make it, a minute later. */
export const ASIDE = "aside-";
/** After this time a value without a mark is nobody's work any more. */
export const ABANDONED_MS = 60_000;
/** A writer who was stopped for longer begins again: somebody may have tidied up. */
const PATIENCE_MS = ABANDONED_MS / 2;
/** What a directory that is moved to a name in use fails with. */
const TAKEN = ["ENOTEMPTY", "EEXIST", "ENOTDIR"];
/** What Windows says for a moment while another process has its hand on a file. */
const BUSY = ["EPERM", "EACCES", "EBUSY"];

/** Makes a mark. */
export function newMark(endsAtMs: number): Mark {
  const end = Math.max(0, Math.min(Math.trunc(endsAtMs) || 0, Number.MAX_SAFE_INTEGER));
  return { id: crypto.randomUUID().replaceAll("-", ""), endsAtMs: end };
}

/** What it means that a name is gone, or that somebody holds it just now. */
function gone(): string[] {
  return platform === "win32" ? ["ENOENT", ...BUSY] : ["ENOENT"];
}

/** One cell. */
export class FileCell {
  readonly #directory: string;
  readonly #path: string;

  /**
   * Names a cell; nothing is read or made.
   *
   * @param directory The directory of all cells.
   * @param name The cell's name there.
   */
  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#path = `${directory}/${name}`;
  }

  /** Looks into the cell. */
  async look(): Promise<Sight> {
    if (!await checkInner(this.#path)) return { rest: [] };
    const names = await unless(readdir(this.#path), "ENOENT", "ENOTDIR") ?? [];
    const [name, ...others] = names.filter((one) => MARK.test(one));
    const [, id, end] = MARK.exec(name ?? "") ?? [];
    // Nobody makes a second mark here, so where there is one none can be trusted.
    if (id === undefined || others.length > 0) return { rest: names };
    return { mark: { id, endsAtMs: Number(end) }, rest: names.filter((one) => one !== name) };
  }

  /** Reads the value of a mark; `undefined` where there is none, `null` where it is damaged. */
  value({ id }: Mark): Promise<string | null | undefined> {
    return readValue(`${this.#path}/${id}.value`);
  }

  /**
   * Puts a mark, and a value, in the place of what was seen.
   *
   * @param seen What was seen.
   * @param next The mark.
   * @param value The value.
   * @returns `false` where somebody else was first.
   */
  async replace(seen: Sight, next: Mark, value?: string): Promise<boolean> {
    if (seen.mark === undefined) return await this.#create(seen, next, value);
    const begunAtMs = systemClock.now();
    const file = `${this.#path}/${next.id}.value`;
    try {
      if (value !== undefined) await createFile(file, value);
      const isLate = systemClock.now() - begunAtMs > PATIENCE_MS;
      if (isLate || !await this.#rename(seen.mark, next)) return await this.#drop(file);
    } catch (error) {
      await this.#drop(file).catch(() => {});
      if (gone().includes(codeOf(error))) return false;
      throw error;
    }
    // What was to be done is done; what cannot be tidied up now is left to others.
    await this.#drop(`${this.#path}/${seen.mark.id}.value`).catch(() => {});
    await this.#tidy(seen.rest.filter((name) => name !== `${seen.mark?.id}.value`)).catch(() => {});
    return true;
  }

  /**
   * Empties the cell, if the mark is still there.
   *
   * @param mark The mark.
   * @returns `false` where it was not.
   */
  async remove(mark: Mark): Promise<boolean> {
    const done = await unless(unlink(this.#nameOf(mark)).then(() => true), ...gone());
    if (done === undefined) return false;
    await this.#drop(`${this.#path}/${mark.id}.value`).catch(() => {});
    await rmdir(this.#path).catch(() => {});
    return true;
  }

  /** Makes room where something lies that is no cell, or the rest of one. */
  async clear({ rest }: Sight): Promise<void> {
    if (await checkInner(this.#path) === false) await this.#setAside("");
    const again = await this.look();
    if (again.mark !== undefined) return;
    for (const name of rest) if (again.rest.includes(name)) await this.#setAside(`/${name}`);
    await rmdir(this.#path).catch(() => {});
  }

  async #create(seen: Sight, next: Mark, value: string | undefined): Promise<boolean> {
    await this.clear(seen);
    const fresh = this.#aside();
    await makePrivate(fresh);
    try {
      if (value !== undefined) await createFile(`${fresh}/${next.id}.value`, value);
      await createFile(`${fresh}/${next.id}-${next.endsAtMs}`);
      // Fails where there is a directory with anything in it.
      await rename(fresh, this.#path);
      return true;
    } catch (error) {
      await rm(fresh, { recursive: true, force: true }).catch(() => {});
      // Somebody else's is there, or this one was thought to be abandoned.
      if ([...TAKEN, ...gone()].includes(codeOf(error))) return false;
      throw error;
    }
  }

  async #rename(from: Mark, to: Mark): Promise<boolean> {
    const done = rename(this.#nameOf(from), this.#nameOf(to)).then(() => true);
    return await unless(done, ...gone()) ?? false;
  }

  async #drop(path: string): Promise<false> {
    await rm(path, { force: true });
    return false;
  }

  /** Removes the values of those who were killed, or lost, or have been replaced a moment ago and not been removed. */
  async #tidy(names: readonly string[]): Promise<void> {
    for (const path of names.map((name) => `${this.#path}/${name}`)) {
      const found = await unless(lstat(path), "ENOENT");
      if (found && systemClock.now() - found.mtimeMs > ABANDONED_MS) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }

  async #setAside(name: string): Promise<void> {
    await unless(rename(this.#path + name, this.#aside()), ...gone());
  }

  #aside(): string {
    return `${this.#directory}/${ASIDE}${crypto.randomUUID()}`;
  }

  #nameOf({ id, endsAtMs }: Mark): string {
    return `${this.#path}/${id}-${endsAtMs}`;
  }
}
