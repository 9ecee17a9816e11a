/**
 * A store whose values have MSAL's own names, so that others keep entries in them, too.
 *
 * @module
 */

import { GuardedStore } from "../store/guarded_store.ts";
import type { GetOptions, SetOptions, SetResult, StoredValue, StoreLock } from "../store/store.ts";
import { belongs } from "./app_partitions.ts";
import type { CachedToken } from "./cached_token.ts";
import type { CachedRefreshToken, UserKey } from "./cached_user.ts";
import { type MsalContent, type SplitDocument, splitDocument } from "./msal_document.ts";
import { epochSeconds, type JsonEntry } from "./msal_entry.ts";
import { partitionKey } from "./partition.ts";
import { ownerKey } from "./token_index.ts";
import { holderOf, ownerOf, withClient } from "./user_entries.ts";

/** How many values are remembered, and for how long what was written counts more than what is read. */
const MAX_SEEN = 64;
const OWN_WRITE_MS = 2_000;
/** How often a removal is tried. */
const MAX_ATTEMPTS = 4;
/** How long others' refresh tokens count. */
const REFRESH_TOKEN_MS = 90 * 86_400_000;

/** A partition in a value. */
interface Place {
  readonly key: string;
  /** Behind the name of a section that only this partition has. */
  readonly tag: string;
  readonly isApp: boolean;
  readonly isOwn: (member: keyof MsalContent, entry: never) => boolean;
}

/** What a name means; `undefined` where the value is not shared. */
function placeOf(name: string): Place | undefined {
  const [key = "", kind, environment = "", clientId = "", homeAccountId = "", extHash = "", ...bucket] = name
    .split("\n");
  if (kind === undefined) return undefined;
  const tag = name.slice(key.length);
  const isApp = kind === "app";
  const owner = [environment, clientId, homeAccountId].join("\n");
  const app = { owner, bucket: bucket.join("\n"), ext: bucket.slice(3).join("\n"), extHash };
  const person = ownerKey(environment, "", homeAccountId);
  const isOwn: Place["isOwn"] = (member, entry: UserKey) => {
    if (isApp) return member === "tokens" && belongs(entry as CachedToken, app);
    if (member === "accounts") return ownerOf(withClient(entry, "")) === person;
    if (member === "apps") return ownerOf({ ...entry, homeAccountId }) === owner;
    return ownerOf(member === "refreshTokens" ? holderOf(entry as CachedRefreshToken) : entry) === owner;
  };
  return { key, tag, isApp, isOwn };
}

/** What is remembered of a value. */
interface Seen {
  readonly stored: StoredValue | undefined;
  readonly wroteAtMs: number;
}

function entriesOf(sections: ReadonlyMap<string, unknown>, ...names: string[]): [string, JsonEntry][] {
  return names.flatMap((name) => Object.entries(Object(sections.get(name)) as Record<string, JsonEntry>));
}

/** Whether there is anything that gives a token. An account alone may be another client's. */
function hasTokens(sections: ReadonlyMap<string, unknown>): boolean {
  return entriesOf(sections, "AccessToken", "RefreshToken", "IdToken").length > 0;
}

/** Takes a value apart; a section with the partition's tag is its own. */
function split({ tag, isOwn }: Place, stored: StoredValue | undefined): SplitDocument & { isThere: boolean } {
  const { own, rest } = splitDocument(stored?.value ?? "", isOwn);
  let isThere = hasTokens(own);
  for (const [name, section] of rest) {
    if (!name.endsWith(tag)) continue;
    isThere = true;
    rest.delete(name);
    own.set(name.slice(0, -tag.length), section);
  }
  return { own, rest, isThere };
}

/** Puts a partition's new text among the others' entries. */
function join({ tag }: Place, { own, rest, isThere }: ReturnType<typeof split>, text: string): string {
  const joined = new Map(rest);
  // Accounts without our tokens are others', and may be in another spelling.
  if (!isThere) {
    for (const name of ["Account", "AppMetadata"]) {
      joined.set(name, Object.fromEntries([...entriesOf(rest, name), ...entriesOf(own, name)]));
    }
  }
  for (const [name, section] of Object.entries(JSON.parse(text))) {
    if (!KNOWN.includes(name)) {
      joined.set(name + tag, section);
      continue;
    }
    const entries = new Map(entriesOf(joined, name));
    const mine = new Set(isThere ? [] : entriesOf(own, name).map(([key]) => key));
    for (let [key, entry] of Object.entries(section as JsonEntry)) {
      while (entries.has(key) && !mine.has(key)) key += "-";
      entries.set(key, entry as JsonEntry);
    }
    joined.set(name, Object.fromEntries(entries));
  }
  return JSON.stringify(Object.fromEntries(joined));
}

const KNOWN: readonly string[] = ["AccessToken", "Account", "IdToken", "RefreshToken", "AppMetadata"];

/** When the last of others' tokens ends. */
function endOf(rest: ReadonlyMap<string, unknown>, nowMs: number): number {
  const ends = entriesOf(rest, "AccessToken").map(([, entry]) =>
    (epochSeconds(entry.expires_on) ?? 0) * 1000
  );
  return Math.max(0, ...ends, entriesOf(rest, "RefreshToken").length > 0 ? nowMs + REFRESH_TOKEN_MS : 0);
}

/** Shows every partition of a value as if it were alone; what is others' stays there whatever happens. */
export class SharedStore extends GuardedStore {
  readonly #seen = new Map<string, Seen>();

  /** Names are MSAL's. */
  override get isShared(): boolean {
    return true;
  }

  /** Reads a partition. */
  override async read(name: string, options?: GetOptions): Promise<StoredValue | undefined | null> {
    const place = placeOf(name);
    if (place === undefined) return await super.read(name, options);
    const stored = await this.#load(place.key, options);
    if (!stored) return stored;
    const { own, isThere } = split(place, stored);
    return isThere ? { ...stored, value: JSON.stringify(Object.fromEntries(own)) } : undefined;
  }

  /** Writes a partition beside the others of its value. */
  override async set(name: string, value: string, options: SetOptions): Promise<SetResult | undefined> {
    const place = placeOf(name);
    if (place === undefined) return await super.set(name, value, options);
    const seen = this.#seen.get(place.key);
    const stored = seen === undefined ? await this.#load(place.key) : seen.stored;
    if (stored === null) return undefined;
    const parts = split(place, stored);
    const { ifVersion } = options;
    const isRefused = ifVersion === null
      ? parts.isThere
      : ifVersion !== undefined && ifVersion !== stored?.version;
    if (isRefused) {
      this.#seen.delete(place.key);
      return { ok: false };
    }
    return await this.#put(place, parts.rest, join(place, parts, value), stored, options);
  }

  /** Removes a partition; the value only where nobody else has tokens there. */
  override async delete(name: string): Promise<boolean> {
    const place = placeOf(name);
    if (place === undefined) return await super.delete(name);
    const { key, isApp } = place;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.#load(key);
      if (stored === null) return false;
      const { own, rest } = split(place, stored);
      if (!hasTokens(rest)) {
        this.#seen.delete(key);
        return await super.delete(key);
      }
      // The account is the others' as well.
      rest.set(
        "Account",
        Object.fromEntries(
          entriesOf(new Map([["a", rest.get("Account")], ["b", own.get("Account")]]), "a", "b"),
        ),
      );
      const hints = { kind: "tokens", suggestedKey: key, isApplicationCache: isApp } as const;
      const text = JSON.stringify(Object.fromEntries(rest));
      const written = await this.#put(place, rest, text, stored, { expiresAtMs: 0, hints });
      if (written?.ok !== false) return written !== undefined;
    }
    return false;
  }

  /** Takes a lease on a partition. */
  override async lock(name: string, leaseMs: number): Promise<StoreLock | undefined | null> {
    return await super.lock(placeOf(name) ? await partitionKey(...name.split("\n").slice(1)) : name, leaseMs);
  }

  async #load(key: string, options?: GetOptions): Promise<StoredValue | undefined | null> {
    const seen = this.#seen.get(key);
    // A store without versions may show late what was written a moment ago.
    if (seen && !this.cas && this.nowMs - seen.wroteAtMs < OWN_WRITE_MS) return seen.stored;
    const stored = await super.read(key, options);
    if (stored !== null) this.#note(key, { stored, wroteAtMs: -Infinity });
    return stored;
  }

  async #put(
    { key }: Place,
    rest: ReadonlyMap<string, unknown>,
    value: string,
    stored: StoredValue | undefined,
    options: SetOptions,
  ): Promise<SetResult | undefined> {
    const written = await super.set(key, value, {
      ...options,
      expiresAtMs: Math.max(options.expiresAtMs, endOf(rest, this.nowMs)),
      hints: { kind: "tokens", ...options.hints, ...(hasTokens(rest) && { hasTokens: true }) },
      ...(this.cas && { ifVersion: stored?.version ?? null }),
    });
    if (!written?.ok) this.#seen.delete(key);
    else {this.#note(key, {
        stored: { value, version: written.version } as StoredValue,
        wroteAtMs: this.nowMs,
      });}
    return written;
  }

  #note(key: string, seen: Seen): void {
    this.#seen.delete(key);
    this.#seen.set(key, seen);
    for (const [oldest] of this.#seen) {
      if (this.#seen.size <= MAX_SEEN) break;
      this.#seen.delete(oldest);
    }
  }
}
