/**
 * Reads and writes one value of a token store, beside everybody else who does.
 *
 * @module
 */

import { lengthPrefixed, sha256 } from "../crypto/digest.ts";
import { CacheError } from "../errors/errors.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { SetResult, StoredValue } from "../store/store.ts";
import { type MsalDocument, NOTHING, readDocument } from "./msal_document.ts";
import { TOMBSTONE } from "./tombstone.ts";

/** How often a write is tried again without anybody else getting ahead. */
const MAX_ATTEMPTS = 4;
/** How often it is tried again at all. */
const MAX_CONTENTION = 1_000;

/** What a partition is to hold. */
export interface PartitionValue {
  /** The JSON text. */
  readonly value: string;
  /** When the last of it ends. */
  readonly expiresAtMs: number;
  /** Whether somebody else's value will do, where others get ahead again and again. */
  readonly optional?: boolean;
  /** The name that MSAL's own caches would use. */
  readonly suggestedKey: string;
  /** Whether the tokens are the application's own. */
  readonly isApplicationCache: boolean;
  /** Whether there is anything left that could give a token. */
  readonly hasTokens: boolean;
}

/**
 * Names a partition: hashed, so that the name tells nothing and no text in it can forge another.
 *
 * @param parts What the partition is, and whose.
 * @returns The key in the store.
 */
export async function partitionKey(...parts: string[]): Promise<string> {
  return `msal-edge.tokens.v1.${await sha256(lengthPrefixed(parts))}`;
}

/**
 * Reads a partition.
 *
 * @param stored What the store holds.
 * @returns The entries, and the sections that are others'; nothing where it is not MSAL's JSON: a miss.
 */
export function readPartition(stored: StoredValue | undefined): MsalDocument {
  if (stored === undefined) return NOTHING;
  try {
    const document = readDocument(stored.value);
    // A partition has one owner: nobody else's entries live here.
    const known = ["AccessToken", "Account", "IdToken", "RefreshToken", "AppMetadata", TOMBSTONE];
    return {
      ...document,
      sections: new Map([...document.sections].filter(([name]) => !known.includes(name))),
    };
  } catch {
    return NOTHING;
  }
}

/**
 * Changes a partition; where the store can compare and set, until nobody else wrote in between.
 *
 * @param store The store.
 * @param key The partition's key.
 * @param change Makes the new value of the stored one; `undefined` leaves that.
 * @param version The version that is known to have been there.
 * @returns What came of the last write; `"gone"` where somebody else has removed what was there; `undefined` where nothing
 * was written.
 */
export async function updatePartition(
  store: GuardedStore,
  key: string,
  change: (stored: StoredValue | undefined) => PartitionValue | undefined,
  version?: string,
): Promise<SetResult | "gone" | undefined> {
  let seen = version;
  for (let attempt = 1; attempt <= MAX_CONTENTION; attempt++) {
    const stored = await store.read(key);
    // What was not read must neither be written over nor be taken for removed.
    if (stored === null && attempt === 1) continue;
    if (stored === null) return undefined;
    if (attempt > 1 && stored === undefined && seen !== undefined) return "gone";
    // Who is refused because others got ahead tries on; a store that refuses everything is left alone.
    if (attempt > MAX_ATTEMPTS && stored?.version === seen) return undefined;
    seen = stored?.version ?? seen;
    const next = change(stored);
    if (next === undefined || (next.optional && attempt > MAX_ATTEMPTS)) return undefined;
    const { value, expiresAtMs, suggestedKey, isApplicationCache, hasTokens } = next;
    const written = await store.set(key, value, {
      expiresAtMs,
      hints: { kind: "tokens", suggestedKey, isApplicationCache, hasTokens },
      ...(store.cas && { ifVersion: seen ?? null }),
    });
    if (written?.ok !== false) return written;
  }
  return undefined;
}

/** Says that a store did not delete. */
export function refuseRemoval(): never {
  const why = "the store did not delete them. Check its binding, and remove them again";
  throw new CacheError("cache_write_failed", `Cannot remove the tokens: ${why}`);
}
