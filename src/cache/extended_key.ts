/**
 * The hashes by which other MSALs know extra components.
 *
 * @module
 */

import { sha256 } from "../crypto/digest.ts";
import type { AppPartition } from "./cache_core.ts";

/**
 * Takes the text of extra components apart again.
 *
 * @param text Each name and value, preceded by its length in UTF-8 bytes.
 * @returns Names and values.
 */
export function componentsOf(text: string): [string, string][] {
  const bytes = new TextEncoder().encode(text);
  // A byte order mark is a part of the text like any other.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const colon = bytes.indexOf(58, at);
    const end = colon + 1 + Number(decoder.decode(bytes.subarray(at, colon)));
    parts.push(decoder.decode(bytes.subarray(colon + 1, end)));
    at = end;
  }
  return parts.flatMap((name, i): [string, string][] => i % 2 === 0 ? [[name, parts[i + 1] ?? ""]] : []);
}

/**
 * The hashes of a partition's extra components: as MSAL Python and Go make them, as MSAL.NET does, as MSAL Node does.
 *
 * @param partition The partition.
 * @returns Three hashes in lower case.
 */
export async function extendedKeyHashes({ ext, extHash }: AppPartition): Promise<string[]> {
  const components = componentsOf(ext.slice(1));
  const others = await Promise.all([
    sha256(components.flat().join("")),
    sha256(JSON.stringify(Object.fromEntries(components))),
  ]);
  return [extHash, ...others.map((hash) => hash.toLowerCase())];
}
