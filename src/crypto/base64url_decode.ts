/**
 * Text as bytes again, RFC 4648 section 5.
 *
 * @module
 */

/**
 * Decodes base64url without padding, and only the one spelling that the bytes have.
 *
 * @param text The text.
 * @returns The bytes, one in each character; `undefined` for a text that no bytes encode to.
 */
export function decodeBinary(text: string): string | undefined {
  const rest = text.length % 4;
  if (rest === 1 || text.includes("+") || text.includes("/")) return undefined;
  // Bits that are left over must be zero, else many texts would stand for the same bytes.
  const last = rest === 2 ? "AQgw" : "AEIMQUYcgkosw048";
  if (rest !== 0 && !last.includes(text.at(-1)!)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    // White space and padding are passed over, and give fewer bytes than the text is long.
    return binary.length === text.length * 3 >> 2 ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes bytes of a text that has one in each character.
 *
 * @param binary What {@linkcode decodeBinary} gave.
 * @returns The bytes.
 */
export function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/**
 * Decodes base64url without padding, and only the one spelling that the bytes have.
 *
 * @param text The text.
 * @returns The bytes; `undefined` for a text that no bytes encode to.
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const binary = decodeBinary(text);
  return binary === undefined ? undefined : bytesOf(binary);
}
