/**
 * A store in files, for programs that end and begin again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isAuthError } from "../errors/auth_error.ts";
import { CacheError, refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import {
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
  type StoreLock,
} from "../store/store.ts";
import { FileCell, newMark, type Sight } from "./file_cell.ts";
import { explained } from "./file_fault.ts";
import { sweep } from "./file_sweep.ts";
import { checkChosen, hasModes, makePrivate } from "./private_directory.ts";
import { userStateDirectory } from "./user_state.ts";

/** How a {@linkcode FileStore} is made. */
export interface FileStoreOptions {
  /**
   * Whether only this user can write to the directory. On Windows nobody checks it, so it counts as shared unless you say
   * so; elsewhere a directory that others can write to is refused. @default {true, but on Windows false}
   */
  readonly isPrivate?: boolean | undefined;
  /** Where the time is read. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

const SWEEP_MS = 60_000;
/** So many others in a row were first: then something else is wrong. */
const MAX_ATTEMPTS = 10_000;

/**
 * Keeps texts in files of the user's own, for as many processes as like to use them at the same time.
 *
 * Each key has a directory, named by the key's SHA-256, in the directory of the store: directories with mode 0700, files
 * with 0600. A write is done or not done, also where the process is killed in the middle of it; `set` compares and sets
 * across processes, and a lock is held by one of them. The directory has to be on a disk of this machine.
 *
 * ```ts
 * import { PublicClientApplication, TokenCache } from "@msal-edge/msal";
 * import { FileStore } from "@msal-edge/msal/host";
 *
 * const store = FileStore.inUserState("my-tool");
 *
 * const app = new PublicClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/organizations",
 *   tokenCache: new TokenCache({ store }),
 *   httpCache: store,
 * });
 * console.log(await app.getAccounts());
 * ```
 */
export class FileStore implements Store {
  /** `set` honours `ifVersion`, across processes. */
  readonly cas = true;
  /** Whether nobody else can write here. */
  readonly isPrivate: boolean;
  readonly #directory: string;
  readonly #clock: Clock;
  #sweptAtMs = -Infinity;

  /**
   * Names a directory; nothing is read or made before the first call.
   *
   * @param directory The directory, as a path or a `file:` URL. It is made at the first write.
   * @param options The options, all of them optional.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  constructor(directory: string | URL, options: FileStoreOptions = {}) {
    requireOptions(options);
    this.#directory = resolve(readPath(directory));
    this.#clock = options.clock ?? systemClock;
    this.isPrivate = options.isPrivate ?? hasModes();
  }

  /**
   * Names the directory that this system has for what a program remembers of its user: `$XDG_STATE_HOME/<name>/msal` or
   * `~/.local/state/<name>/msal`, on macOS `~/Library/Application Support/<name>/msal`, on Windows
   * `%LOCALAPPDATA%\<name>\msal`.
   *
   * @param name The program's name: letters, digits, `.`, `_` and `-`.
   * @param options The options, all of them optional.
   * @returns The store.
   * @throws {ClientConfigurationError} `invalid_option` for another name, or where the environment names no place.
   */
  static inUserState(name: string, options: FileStoreOptions = {}): FileStore {
    requireOptions(options);
    return new FileStore(userStateDirectory(name), { ...options, isPrivate: options.isPrivate ?? true });
  }

  /** Where the directory is; a path often holds the user's name. */
  get directory(): string {
    return this.#directory;
  }

  /**
   * Checks whether the directory is safe. An application reports a directory that it cannot use as an event and goes on
   * without it; call this at the start of a program to tell its user instead. What is only broken, such as a full disk, is
   * not told.
   *
   * @throws {ClientConfigurationError} `invalid_option`: others could put files there, or Deno was not given the permissions.
   */
  async check(): Promise<void> {
    try {
      await explained("cache_read_failed", "read", () => this.#isThere());
    } catch (error) {
      if (!isAuthError(error) || error.code !== "cache_read_failed") throw error;
    }
  }

  /** Reads a value that has not expired. What is torn, or not of this store's making, is none. */
  get(key: string): Promise<StoredValue | undefined> {
    return explained("cache_read_failed", "read", async () => {
      return await this.#isThere() ? (await this.#read(this.#cell(key))).value : undefined;
    });
  }

  /** Writes a value; one that has expired already is not kept. */
  set(key: string, value: string, options: SetOptions): Promise<SetResult> {
    return explained("cache_write_failed", "write", async () => {
      await this.#make();
      const result = await this.#set(this.#cell(key), value, options);
      await this.#sweep();
      return result;
    });
  }

  /** Forgets a value. */
  delete(key: string): Promise<void> {
    return explained("cache_write_failed", "delete from", async () => {
      if (!await this.#isThere()) return;
      const cell = this.#cell(key);
      await attempts(async () => {
        const { mark } = await cell.look();
        return mark === undefined || await cell.remove(mark) || undefined;
      });
    });
  }

  /** Takes a lease; it is known to every process that uses the directory. */
  lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
    return explained("cache_lock_failed", "lock", async () => {
      await this.#make();
      const cell = this.#cell(key, ".lock");
      return await attempts(async () => {
        const seen = await cell.look();
        const nowMs = this.#clock.now();
        if (seen.mark !== undefined && seen.mark.endsAtMs > nowMs) return { lease: undefined };
        const mark = newMark(nowMs + leaseMs);
        if (!await cell.replace(seen, mark)) return undefined;
        const release = (): Promise<void> =>
          explained("cache_lock_failed", "unlock", async () => void await cell.remove(mark));
        return { lease: { release } };
      }).then(({ lease }) => lease);
    });
  }

  #cell(key: string, ending: string = ""): FileCell {
    return new FileCell(this.#directory, createHash("sha256").update(key).digest("hex") + ending);
  }

  /** What is there, and the value, if it is any good. */
  #read(cell: FileCell): Promise<{ seen: Sight; value: StoredValue | undefined }> {
    let last: string | undefined;
    return attempts(async () => {
      const seen = await cell.look();
      const { mark, rest } = seen;
      // Not every file system lists a name that is being changed.
      if (mark === undefined && rest.length > 0 && last === undefined) return void (last = "");
      if (mark === undefined || mark.endsAtMs <= this.#clock.now()) return { seen, value: undefined };
      const value = await cell.value(mark);
      if (typeof value === "string") return { seen, value: { value, version: mark.id } };
      // It was replaced in the meantime, unless the same mark is still there.
      if (value === null || mark.id === last) return { seen, value: undefined };
      last = mark.id;
      return undefined;
    });
  }

  #set(cell: FileCell, value: string, { expiresAtMs, ifVersion }: SetOptions): Promise<SetResult> {
    return attempts(async () => {
      // Only what would be overwritten without having been seen has to be read.
      const { seen, version } = ifVersion === null ? await this.#readVersion(cell) : await this.#look(cell);
      if (ifVersion !== undefined && ifVersion !== version) return { ok: false };
      const mark = newMark(expiresAtMs);
      const isLate = mark.endsAtMs <= this.#clock.now();
      const done = !isLate
        ? await cell.replace(seen, mark, value)
        : seen.mark === undefined || await cell.remove(seen.mark);
      return done ? { ok: true, version: mark.id } : undefined;
    });
  }

  async #readVersion(cell: FileCell): Promise<{ seen: Sight; version: string | null }> {
    const { seen, value } = await this.#read(cell);
    return { seen, version: value?.version ?? null };
  }

  async #look(cell: FileCell): Promise<{ seen: Sight; version: string | null }> {
    const seen = await cell.look();
    const isLive = seen.mark !== undefined && seen.mark.endsAtMs > this.#clock.now();
    return { seen, version: isLive ? seen.mark.id : null };
  }

  /** Asked each time: somebody may have changed it, or removed it. */
  #isThere(): Promise<boolean> {
    return checkChosen(this.#directory);
  }

  async #make(): Promise<void> {
    if (await this.#isThere()) return;
    await makePrivate(this.#directory, true);
    await this.#isThere();
  }

  async #sweep(): Promise<void> {
    const nowMs = this.#clock.now();
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = nowMs;
    // What was set is set, whatever becomes of the rest.
    await sweep(this.#directory, nowMs).catch(() => {});
  }
}

function readPath(directory: string | URL): string {
  const { href, protocol } = Object(directory) as Partial<URL>;
  // Another host is a network drive, and Windows' alone.
  if (protocol === "file:" && /^file:\/\/\//.test(href ?? "")) return fileURLToPath(href ?? "");
  if (typeof directory === "string" && directory !== "" && !directory.includes("\0")) return directory;
  return refuse("invalid_option", "directory", "give a path or a file: URL");
}

/** Does something until it is not `undefined`: whenever it is, somebody else has got further. */
async function attempts<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let n = 0; n < MAX_ATTEMPTS; n++) {
    const done = await attempt();
    if (done !== undefined) return done;
  }
  throw new CacheError("cache_write_failed", "Cannot use the files: they never stop changing");
}
