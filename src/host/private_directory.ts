/**
 * Directories that only this user can write to.
 *
 * @module
 */
import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, stat } from "node:fs/promises";
import * as system from "node:process";
import { refuse } from "../errors/errors.ts";
import { unless } from "./file_fault.ts";

/** Read, write and search, for the owner alone. */
const DIRECTORY_MODE = 0o700;
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const ROOT = 0;

/** Whether file modes say who may do what. */
export function hasModes(): boolean {
  return system.platform !== "win32";
}

/** Whether this user owns a file; its creator may change its mode whenever he likes. */
export function isOwn({ uid }: Stats): boolean {
  return !hasModes() || uid === system.geteuid?.();
}

/** Whether others have any right in a file or directory. */
export function isWide({ mode }: Stats): boolean {
  return hasModes() && (mode & OTHERS) !== 0;
}

/** Makes a directory for the owner alone, and the directories above it that are missing. */
export async function makePrivate(path: string, recursive = false): Promise<void> {
  await mkdir(path, { recursive, mode: DIRECTORY_MODE });
}

/**
 * Checks a directory that the application has chosen. What others can only read is well: what is made in it is private.
 *
 * @param path The directory.
 * @returns Whether there is one.
 * @throws {ClientConfigurationError} `invalid_option` where others could put files there.
 */
export async function checkChosen(path: string): Promise<boolean> {
  const entry = await unless(lstat(path), "ENOENT");
  if (entry === undefined) return false;
  const target = entry.isSymbolicLink() ? await stat(path) : entry;
  if (!target.isDirectory()) refuse("invalid_option", "directory", "it is a file. Give another path");
  // A link of somebody else's leads wherever they like.
  const isLed = !isOwn(entry) && !(entry.isSymbolicLink() && entry.uid === ROOT);
  if (isLed || !isOwn(target)) {
    refuse("invalid_option", "directory", "it belongs to another user. Give one of this user's own");
  }
  if (hasModes() && (target.mode & OTHERS_WRITE) !== 0) {
    refuse("invalid_option", "directory", "others can write to it. Run chmod 700 on it");
  }
  return true;
}

/**
 * Looks at a directory in the chosen one, and takes away from others what they may do there.
 *
 * @param path The directory.
 * @returns `undefined` where there is nothing; `false` for what is no directory of this user's.
 */
export async function checkInner(path: string): Promise<boolean | undefined> {
  const entry = await unless(lstat(path), "ENOENT");
  if (entry === undefined) return undefined;
  if (!entry.isDirectory() || !isOwn(entry)) return false;
  if (isWide(entry)) await chmod(path, DIRECTORY_MODE);
  return true;
}
