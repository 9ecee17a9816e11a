/**
 * Hashes for keys: of cache entries and of throttled requests.
 *
 * @module
 */

import { encodeBase64Url } from "./base64url.ts";

/**
 * Hashes text with SHA-256.
 *
 * @param text The text, hashed as UTF-8.
 * @returns The digest as base64url.
 */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return encodeBase64Url(new Uint8Array(digest));
}

/**
 * Makes a keyed hash, HMAC with SHA-256, RFC 2104.
 *
 * @param key The key, as text.
 * @param text The text.
 * @returns The tag as base64url.
 */
export async function hmacSha256(key: string, text: string): Promise<string> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, ["sign"]);
  return encodeBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text))));
}

/**
 * Joins texts so that no two lists give the same result, whatever the texts hold.
 *
 * @param parts The texts, each at most as long as a string can be.
 * @returns Every part, preceded by its length.
 */
export function lengthPrefixed(parts: readonly string[]): string {
  let joined = "";
  for (const part of parts) joined += `${part.length}:${part}`;
  return joined;
}
