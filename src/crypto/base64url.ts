/**
 * Bytes as text that fits a URL, RFC 4648 section 5, without padding.
 *
 * @module
 */

/**
 * Encodes bytes.
 *
 * @param bytes At most some thousand bytes: hashes, keys, nonces.
 * @returns The base64url text, unpadded.
 */
export function encodeBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
