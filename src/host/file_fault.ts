/**
 * What the file system has against it, in words without a path: a path names the user.
 *
 * @module
 */
import type { CacheErrorCode } from "../errors/error_codes.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { CacheError, nameOf, refuse } from "../errors/errors.ts";

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "this user may not",
  EDQUOT: "the user's quota is used up",
  EFBIG: "a file may not be as large",
  EIO: "the disk fails",
  EMFILE: "too many files are open",
  ENOSPC: "no space is left on the disk",
  ENOTDIR: "a part of its path is no directory",
  EPERM: "the system does not allow it",
  EROFS: "the disk is read-only",
};

/** The system's code of a failure, such as `ENOENT`; empty for anything else. */
export function codeOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" && /^E[A-Z0-9]{2,20}$/.test(code) ? code : "";
}

/**
 * Does something with files, and says why it failed.
 *
 * @param code The code of the error.
 * @param verb What is done to the store.
 * @param operation What is done.
 * @throws {CacheError} With that code.
 * @throws {ClientConfigurationError} `invalid_option` where Deno was not given the permission.
 */
export async function explained<T>(
  code: CacheErrorCode,
  verb: string,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (isAuthError(error)) throw error;
    const system = codeOf(error);
    if (system === "") refuseOther(error, code, verb);
    throw new CacheError(
      code,
      `Cannot ${verb} the files: ${WORDS[system] ?? "the system refused"} (${system})`,
    );
  }
}

/** Deno's own errors have a name for a missing permission, and no code. */
function refuseOther(error: unknown, code: CacheErrorCode, verb: string): never {
  const { name } = Object(error) as { readonly name?: unknown };
  if (name === "NotCapable" || name === "PermissionDenied") {
    const flags = "--allow-read and --allow-write for the directory, and --allow-sys=uid";
    refuse("invalid_option", "directory", `Deno may not ${verb} it. Allow ${flags}`);
  }
  throw new CacheError(code, `Cannot ${verb} the files: the runtime threw ${nameOf(error)}`);
}

/**
 * Waits for what may be gone already.
 *
 * @param work What is done.
 * @param codes The failures that mean so.
 * @returns Its value; `undefined` where it failed with one of the codes.
 */
export async function unless<T>(work: Promise<T>, ...codes: string[]): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codes.includes(codeOf(error))) return undefined;
    throw error;
  }
}
