/**
 * Text as bytes again, RFC 4648 section 5.
 *
 * @module
 */

import { encodeBase64Url } from "./base64url.ts";

/**
 * Decodes base64url without padding, and only the one spelling that the bytes have.
 *
 * @param text The text.
 * @returns The bytes; `undefined` for a text that no bytes encode to.
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  // Bits that are left over must be zero, else many texts would stand for the same bytes.
  const rest = bytes.length % 3;
  return rest === 0 || text.endsWith(encodeBase64Url(bytes.subarray(-rest))) ? bytes : undefined;
}
