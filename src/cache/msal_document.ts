/**
 * MSAL's cache document: one JSON object with a section for each kind of entry.
 *
 * @module
 */

import { CacheError } from "../errors/errors.ts";
import type { CachedToken } from "./cached_token.ts";
import type { CachedAccount, CachedApp, CachedIdToken, CachedRefreshToken } from "./cached_user.ts";
import { type JsonEntry, readTokenEntry, writeTokenEntry } from "./msal_entry.ts";
import {
  readAccount,
  readApp,
  readIdToken,
  readRefreshToken,
  writeAccount,
  writeApp,
  writeIdToken,
  writeRefreshToken,
} from "./msal_user_entry.ts";

/** The entries of a document that can be used. */
export interface MsalContent {
  /** The access tokens. */
  readonly tokens: readonly CachedToken[];
  /** The accounts. */
  readonly accounts: readonly CachedAccount[];
  /** The ID tokens. */
  readonly idTokens: readonly CachedIdToken[];
  /** The refresh tokens. */
  readonly refreshTokens: readonly CachedRefreshToken[];
  /** What is known of clients. */
  readonly apps: readonly CachedApp[];
}

/** What a document holds. */
export interface MsalDocument extends MsalContent {
  /** The other sections, as they were, and in the known ones the entries that only others understand. */
  readonly sections: ReadonlyMap<string, unknown>;
}

/** A section: its name, its entries here, and how one is read and written. */
type Section = readonly [
  name: string,
  member: keyof MsalContent,
  read: (key: string, entry: JsonEntry) => object | "foreign" | undefined,
  write: (entry: never) => [string, JsonEntry],
];

const SECTIONS: readonly Section[] = [
  ["AccessToken", "tokens", readTokenEntry, writeTokenEntry],
  ["Account", "accounts", readAccount, writeAccount],
  ["IdToken", "idTokens", readIdToken, writeIdToken],
  ["RefreshToken", "refreshTokens", readRefreshToken, writeRefreshToken],
  ["AppMetadata", "apps", readApp, writeApp],
];

/** Nothing at all. */
export const NOTHING: MsalDocument = {
  tokens: [],
  accounts: [],
  idTokens: [],
  refreshTokens: [],
  apps: [],
  sections: new Map(),
};

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
      "Cannot read the cache: the text is not a JSON object",
    );
  }
  const sections = new Map(Object.entries(parsed).filter(([, section]) => fits(section)));
  const content = SECTIONS.map(([name, member, read]) => {
    const found = Object.hasOwn(parsed, name) ? parsed[name] : undefined;
    const { usable, foreign } = readSection(isObject(found) ? found : {}, read);
    if (isObject(found)) sections.set(name, foreign);
    return [member, usable];
  });
  return { ...Object.fromEntries(content), sections };
}

/** Entry by entry: what is deep or no entry goes, what others may understand stays. */
function readSection(section: JsonEntry, read: Section[2]): { usable: object[]; foreign: JsonEntry } {
  const usable: object[] = [];
  const foreign: [string, JsonEntry][] = [];
  for (const [key, entry] of Object.entries(section)) {
    if (!isObject(entry) || !fits(entry)) continue;
    const found = read(key, entry);
    if (found === "foreign") foreign.push([key, entry]);
    else if (found !== undefined) usable.push(found);
  }
  return { usable, foreign: Object.fromEntries(foreign) };
}

/**
 * Writes a document.
 *
 * @param content The entries.
 * @param sections The other sections, and in the known ones the entries that are others' alone.
 * @returns The JSON text.
 */
export function writeDocument(content: MsalContent, sections: ReadonlyMap<string, unknown>): string {
  const written = new Map(sections);
  for (const [name, member, , write] of SECTIONS) {
    const foreign = sections.get(name);
    const entries = new Map(Object.entries(isObject(foreign) ? foreign : {}));
    for (const one of content[member]) {
      let [key, entry] = write(one as never);
      // Nobody else's entry is overwritten.
      while (entries.has(key)) key += "-";
      entries.set(key, entry);
    }
    // fromEntries defines properties, so a section or key called __proto__ stays one.
    if (entries.size > 0 || isObject(foreign) || member === "tokens") {
      written.set(name, Object.fromEntries(entries));
    }
  }
  return JSON.stringify(Object.fromEntries(written));
}
