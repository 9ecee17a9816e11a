/**
 * MSAL's cache document: one JSON object with a section for each kind of entry.
 *
 * @module
 */

import { CacheError } from "../errors/errors.ts";
import type { CachedToken, EntryOrigin } from "./cached_token.ts";
import type { CachedAccount, CachedApp, CachedIdToken, CachedRefreshToken } from "./cached_user.ts";
import {
  type Dialect,
  type JsonEntry,
  type KeyedEntry,
  readTokenEntry,
  UNKNOWN_EXT,
  writeTokenEntry,
} from "./msal_entry.ts";
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
import { writeNodeAccounts } from "./node_account.ts";
import { bucketOf, identityOf, ownerKey } from "./token_index.ts";

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
  write: (entry: never, dialect: Dialect) => KeyedEntry[],
];

const SECTIONS: readonly Section[] = [
  ["AccessToken", "tokens", readTokenEntry, writeTokenEntry],
  ["Account", "accounts", readAccount, (account: CachedAccount) => [writeAccount(account)]],
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
    return [member, inOrder(member, usable)];
  });
  return { ...Object.fromEntries(content), sections };
}

/** Access tokens without duplicates; of the ID tokens of a realm the last one is to be the newest. */
function inOrder(member: keyof MsalContent, usable: object[]): object[] {
  if (member === "tokens") return unite(usable as CachedToken[]);
  return member === "idTokens"
    ? (usable as CachedIdToken[]).sort((a, b) => a.claims.iat - b.claims.iat)
    : usable;
}

/** Of several entries of one token the newest counts, and remembers where the others are. */
function unite(tokens: readonly CachedToken[]): CachedToken[] {
  const named = new Map<string, CachedToken>();
  for (const token of tokens) {
    const { environment, clientId, homeAccountId, ext, extHash } = token;
    const isHashed = extHash !== "" && ext !== UNKNOWN_EXT;
    const bucket = bucketOf({ ...token, ext: isHashed ? `#${extHash}` : ext });
    const name = [ownerKey(environment, clientId, homeAccountId), bucket, identityOf(token)].join("\n\n");
    const old = named.get(name);
    named.set(
      name,
      old === undefined ? token : old.cachedAt >= token.cachedAt ? join(old, token) : join(token, old),
    );
  }
  return [...named.values()];
}

function join(token: CachedToken, other: CachedToken): CachedToken {
  const [origin, second] = [token.origin, other.origin] as [EntryOrigin, EntryOrigin];
  const twins = [...origin.twins ?? [], second, ...second.twins ?? []];
  const ext = other.ext.startsWith("=") ? other.ext : token.ext;
  return { ...token, ext, origin: { ...origin, bytes: origin.bytes + second.bytes, twins } };
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

/** A document's sections, taken apart. */
export interface SplitDocument {
  /** The entries of somebody. */
  readonly own: Map<string, unknown>;
  /** Everybody else's, and the sections of other kinds. */
  readonly rest: Map<string, unknown>;
}

/**
 * Takes a document apart without changing an entry.
 *
 * @param text The JSON text; what is none is empty.
 * @param isOwn Whose entries are looked for.
 * @returns Two parts.
 */
export function splitDocument(
  text: string,
  isOwn: (member: keyof MsalContent, entry: never) => boolean,
): SplitDocument {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Nobody's.
  }
  const own = new Map<string, unknown>();
  const rest = new Map<string, unknown>();
  for (const [name, section] of Object.entries(isObject(parsed) ? parsed : {})) {
    const [, member, read] = SECTIONS.find(([known]) => known === name) ?? [];
    if (member === undefined || read === undefined) {
      if (fits(section)) rest.set(name, section);
      continue;
    }
    if (!isObject(section)) continue;
    const entries = Object.entries(section).filter(([, entry]) => isObject(entry) && fits(entry));
    const isMine = ([key, entry]: [string, unknown]): boolean => {
      const found = read(key, entry as JsonEntry);
      return typeof found === "object" && isOwn(member, found as never);
    };
    own.set(name, Object.fromEntries(entries.filter(isMine)));
    rest.set(name, Object.fromEntries(entries.filter((entry) => !isMine(entry))));
  }
  return { own, rest };
}

/**
 * Writes a document.
 *
 * @param content The entries.
 * @param sections The other sections, and in the known ones the entries that are others' alone.
 * @param dialect Whose spelling new entries get.
 * @returns The JSON text.
 */
export function writeDocument(
  content: MsalContent,
  sections: ReadonlyMap<string, unknown>,
  dialect: Dialect = "python",
): string {
  const written = new Map(sections);
  for (const [name, member, , write] of SECTIONS) {
    const foreign = sections.get(name);
    const entries = new Map(Object.entries(isObject(foreign) ? foreign : {}));
    const spelled = member === "accounts" && dialect === "node"
      ? writeNodeAccounts(content.accounts)
      : content[member].flatMap((one) => write(one as never, dialect));
    for (let [key, entry] of spelled) {
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
