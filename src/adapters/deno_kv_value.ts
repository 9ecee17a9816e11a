/**
 * How a text is kept in Deno KV: a head, and parts where it is too large for one value.
 *
 * @module
 */

/** The most bytes in one value: 64 KiB without what Deno KV and the head's other members need. */
export const PART_BYTES = 64_000;
/** The most values for one text, the head included: one commit takes 800 KiB, keys and deleted keys included. */
export const PARTS = 12;

/** The value at the key itself. */
export interface DenoKvHead {
  /** When the text expires, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** How many parts there are beyond the head. */
  readonly parts: number;
  /** The text's first bytes. Bytes, because what text takes in Deno KV depends on its letters. */
  readonly bytes: Uint8Array;
  /** The commit that wrote it. */
  readonly versionstamp: string;
}

/** What a version tells of the value that it belongs to. */
export type DenoKvVersion = Omit<DenoKvHead, "bytes">;

/**
 * Makes a version. Versionstamps only grow, so that none comes back when a key is deleted and set again; the rest saves
 * reading what is replaced.
 *
 * @param head What was written or read.
 */
export function versionOf({ versionstamp, parts, expiresAtMs }: DenoKvVersion): string {
  return `${versionstamp}.${parts}.${expiresAtMs}`;
}

/**
 * Reads a version; `undefined` for one that no store gave out.
 *
 * @param version What the caller has.
 */
export function parseVersion(version: string): DenoKvVersion | undefined {
  const [, versionstamp, parts, expiresAtMs] = /^([0-9a-f]{20})\.(\d{1,2})\.(\d{1,16})$/.exec(version) ?? [];
  if (versionstamp === undefined) return undefined;
  return { versionstamp, parts: Math.min(Number(parts), PARTS - 1), expiresAtMs: Number(expiresAtMs) };
}

/**
 * Reads a head; `undefined` where there is none, or something else.
 *
 * @param entry What Deno KV found.
 */
export function parseHead(
  { value, versionstamp }: { readonly value: unknown; readonly versionstamp: string | null },
): DenoKvHead | undefined {
  const { expiresAtMs, parts, bytes } = Object(value) as Partial<DenoKvHead>;
  if (versionstamp === null || typeof expiresAtMs !== "number" || !(bytes instanceof Uint8Array)) {
    return undefined;
  }
  if (!Number.isInteger(parts) || (parts as number) < 0 || (parts as number) >= PARTS) return undefined;
  return { expiresAtMs, parts: parts as number, bytes, versionstamp };
}

/**
 * Cuts bytes into the head's and the parts'.
 *
 * @param bytes Any number of bytes.
 * @returns One piece at least.
 */
export function splitBytes(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  // Copies, because of a view Deno KV would keep the whole buffer.
  for (let at = 0; at === 0 || at < bytes.length; at += PART_BYTES) {
    pieces.push(bytes.slice(at, at + PART_BYTES));
  }
  return pieces;
}
