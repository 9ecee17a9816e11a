/**
 * MSAL's cache document: one JSON object with a section for each kind of entry.
 *
 * @module
 */

import { CacheError } from "../errors/errors.ts";
import type { CachedToken } from "./cached_token.ts";
import { type JsonEntry, readTokenEntry, writeTokenEntry } from "./msal_entry.ts";

/** What a document holds. */
export interface MsalDocument {
  /** The access tokens that can be used. */
  readonly tokens: readonly CachedToken[];
  /** The other sections, as they were, and under `AccessToken` the entries that only others understand. */
  readonly sections: ReadonlyMap<string, unknown>;
}

/** Deeper values are nobody's tokens, and would break the writer. */
const MAX_DEPTH = 32;

function isObject(value: unknown): value is JsonEntry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fits(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth < MAX_DEPTH && Object.values(value).every((inner) => fits(inner, depth + 1));
}

/**
 * Reads a document.
 *
 * @param text The JSON text.
 * @returns What can be used of it.
 * @throws {CacheError} `invalid_cache`; the text is not in the message.
 */
export function readDocument(text: string): MsalDocument {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which holds tokens.
  }
  if (!isObject(parsed)) {
    throw new CacheError(
      "invalid_cache",
      "Cannot read the cache: the text is not a JSON object as MSAL writes it",
    );
  }
  const sections = new Map(
    Object.entries(parsed).filter(([name, section]) => name !== "AccessToken" && fits(section)),
  );
  // Section by section and entry by entry: what is deep or no entry goes, what others may understand stays.
  const found = Object.hasOwn(parsed, "AccessToken") ? parsed.AccessToken : undefined;
  const entries = Object.entries(isObject(found) ? found : {})
    .filter((pair): pair is [string, JsonEntry] => isObject(pair[1]) && fits(pair[1]));
  const read = entries.map(([key, entry]) => [key, entry, readTokenEntry(key, entry)] as const);
  const tokens = read.map(([, , token]) => token).filter((token) => typeof token === "object");
  sections.set(
    "AccessToken",
    Object.fromEntries(read.filter(([, , token]) => token === "foreign").map(([key, entry]) => [key, entry])),
  );
  return { tokens, sections };
}

/**
 * Writes a document.
 *
 * @param tokens The access tokens.
 * @param sections The other sections, and the access tokens that are others' alone.
 * @returns The JSON text.
 */
export function writeDocument(
  tokens: readonly CachedToken[],
  sections: ReadonlyMap<string, unknown>,
): string {
  const entries = new Map(Object.entries(sections.get("AccessToken") ?? {}));
  for (const token of tokens) {
    let [key, entry] = writeTokenEntry(token);
    // Nobody else's entry is overwritten.
    while (entries.has(key)) key += "-";
    entries.set(key, entry);
  }
  // fromEntries defines properties, so a section or key called __proto__ stays one.
  return JSON.stringify(Object.fromEntries([...sections, ["AccessToken", Object.fromEntries(entries)]]));
}
