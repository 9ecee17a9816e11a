/**
 * A store whose values have MSAL's own names, so that others keep entries in them, too.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import { GuardedStore, type OnStoreFailure } from "../store/guarded_store.ts";
import type { GetOptions, SetOptions, SetResult, Store, StoredValue, StoreLock } from "../store/store.ts";
import { belongs } from "./app_partitions.ts";
import type { CachedToken } from "./cached_token.ts";
import type { CachedRefreshToken, UserKey } from "./cached_user.ts";
import { type MsalContent, type SplitDocument, splitDocument } from "./msal_document.ts";
import { epochSeconds, type JsonEntry } from "./msal_entry.ts";
import { partitionKey } from "./partition.ts";
import { ownerKey } from "./token_index.ts";
import { holderOf, ownerOf, withClient } from "./user_entries.ts";

/** How many values are remembered, and for how long they are what is there. */
const MAX_SEEN = 64;
const SEEN_MS = 2_000;
/** How often a removal is tried. */
const MAX_ATTEMPTS = 4;
/** How often a write is, while others get ahead. */
const MAX_CONTENTION = 1_000;
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
export interface Seen {
  readonly stored: StoredValue | undefined;
  readonly atMs: number;
  readonly isWritten: boolean;
}

function entriesOf(sections: ReadonlyMap<string, unknown>, ...names: string[]): [string, JsonEntry][] {
  return names.flatMap((name) => Object.entries(Object(sections.get(name)) as Record<string, JsonEntry>));
}

/** Whether there is anything that gives a token. An account alone may be another client's. */
function hasTokens(sections: ReadonlyMap<string, unknown>): boolean {
  return entriesOf(sections, "AccessToken", "RefreshToken", "IdToken").length > 0;
}

/** A value, taken apart. */
interface Parts extends SplitDocument {
  /** Whether the partition is there. */
  readonly isThere: boolean;
}

/** Takes a value apart; a section with the partition's tag is its own. */
function split({ tag, isOwn }: Place, stored: StoredValue | undefined): Parts {
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

const KNOWN: readonly string[] = ["AccessToken", "Account", "IdToken", "RefreshToken", "AppMetadata"];

/** Puts a partition's new text among the others' entries. */
function join({ tag }: Place, { own, rest, isThere }: Parts, text: string): string {
  const joined = new Map(rest);
  const added = new Map(Object.entries(JSON.parse(text)));
  for (const [name, section] of added) if (!KNOWN.includes(name)) joined.set(name + tag, section);
  for (const name of KNOWN) {
    // An account is others' as well, whether or not our tokens are there.
    const isKept = name.startsWith("A") && name !== "AccessToken" && (!isThere || hasTokens(rest));
    const mine = new Map(isKept ? entriesOf(own, name) : []);
    for (const [key, entry] of entriesOf(added, name)) mine.set(key, entry);
    const entries = new Map(entriesOf(rest, name));
    for (let [key, entry] of mine) {
      // Nobody else's entry is overwritten.
      while (entries.has(key)) key += "-";
      entries.set(key, entry);
    }
    if (entries.size > 0 || joined.has(name) || added.has(name)) {
      joined.set(name, Object.fromEntries(entries));
    }
  }
  return JSON.stringify(Object.fromEntries(joined));
}

/** When the last of others' tokens ends. */
function endOf(rest: ReadonlyMap<string, unknown>, nowMs: number): number {
  const ends = entriesOf(rest, "AccessToken").map(([, entry]) =>
    (epochSeconds(entry.expires_on) ?? 0) * 1000
  );
  return Math.max(0, ...ends, entriesOf(rest, "RefreshToken").length > 0 ? nowMs + REFRESH_TOKEN_MS : 0);
}

/** Shows every partition of a value as if it were alone; what is others' stays there whatever happens. */
export class SharedStore extends GuardedStore {
  readonly #seen: Map<string, Seen>;

  /**
   * Wraps a store.
   *
   * @param store The store.
   * @param option The option it came from, for error messages.
   * @param clock Whose timer bounds it.
   * @param onFailure Told of every failure.
   * @param seen What is remembered of its values: the same for all applications of a cache, or each would undo the others'
   * writes of the last moments.
   */
  constructor(
    store: Store,
    option: string,
    clock: Clock,
    onFailure: OnStoreFailure,
    seen: Map<string, Seen> = new Map(),
  ) {
    super(store, option, clock, onFailure);
    this.#seen = seen;
  }

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
    const { ifVersion } = options;
    const seen = this.#recent(place.key);
    let stored = seen ? seen.stored : await this.#load(place.key);
    for (let attempt = 1;; attempt++) {
      if (stored === null) return undefined;
      const parts = split(place, stored);
      const isRefused = ifVersion === null ? parts.isThere : ifVersion && ifVersion !== stored?.version;
      if (isRefused) break;
      const written = await this.#put(place, parts.rest, join(place, parts, value), stored, options);
      // Of what others write, who begins here sees nothing: tried again for as long as they do.
      if (written?.ok !== false || ifVersion !== null) return written;
      const again = await this.#load(place.key);
      if (attempt >= (again?.version === stored?.version ? MAX_ATTEMPTS : MAX_CONTENTION)) break;
      stored = again;
    }
    this.#seen.delete(place.key);
    return { ok: false };
  }

  /** Removes a partition; the value only where nobody else has tokens there. */
  override async delete(name: string): Promise<boolean> {
    const place = placeOf(name);
    if (place === undefined) return await super.delete(name);
    const { key, isApp } = place;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.#load(key);
      if (stored === null) return false;
      const parts = split(place, stored);
      const { rest } = parts;
      const hints = { kind: "tokens", suggestedKey: key, isApplicationCache: isApp } as const;
      const isLast = !hasTokens(rest);
      if (isLast && (!this.cas || stored === undefined)) {
        this.#seen.delete(key);
        return await super.delete(key);
      }
      // What has expired is not kept: so the last one deletes, unless somebody else has written meanwhile.
      const written = await this.#put(place, rest, isLast ? "{}" : join(place, parts, "{}"), stored, {
        expiresAtMs: 0,
        hints: isLast ? { ...hints, hasTokens: false } : hints,
      });
      if (isLast) this.#seen.delete(key);
      if (written?.ok !== false) return written !== undefined;
    }
    return false;
  }

  /** Takes a lease on a partition. */
  override async lock(name: string, leaseMs: number): Promise<StoreLock | undefined | null> {
    return await super.lock(placeOf(name) ? await partitionKey(...name.split("\n").slice(1)) : name, leaseMs);
  }

  async #load(key: string, options?: GetOptions): Promise<StoredValue | undefined | null> {
    const seen = this.#recent(key);
    // A store without versions may show late what was written a moment ago.
    if (seen?.isWritten && !this.cas) return seen.stored;
    const stored = await super.read(key, options);
    // What may be old is nothing to write upon.
    if (stored !== null && options?.consistency !== "eventual") this.#note(key, stored, false);
    return stored;
  }

  async #put(
    { key }: Place,
    rest: ReadonlyMap<string, unknown>,
    value: string,
    stored: StoredValue | undefined,
    options: SetOptions,
  ): Promise<SetResult | undefined> {
    // Whoever writes next does not know yet what came of this.
    if (!this.cas) this.#note(key, { value }, true);
    const written = await super.set(key, value, {
      ...options,
      expiresAtMs: Math.max(options.expiresAtMs, endOf(rest, this.nowMs)),
      hints: { kind: "tokens", ...options.hints, ...(hasTokens(rest) && { hasTokens: true }) },
      ...(this.cas && { ifVersion: stored?.version ?? null }),
    });
    if (!written?.ok) this.#seen.delete(key);
    else if (this.cas) this.#note(key, { value, version: written.version } as StoredValue, true);
    return written;
  }

  #recent(key: string): Seen | undefined {
    const seen = this.#seen.get(key);
    return seen && this.nowMs - seen.atMs < SEEN_MS ? seen : undefined;
  }

  #note(key: string, stored: StoredValue | undefined, isWritten: boolean): void {
    this.#seen.delete(key);
    this.#seen.set(key, { stored, atMs: this.nowMs, isWritten });
    for (const [oldest] of this.#seen) {
      if (this.#seen.size <= MAX_SEEN) break;
      this.#seen.delete(oldest);
    }
  }
}
