/**
 * The bytes of a PFX file, in whichever form they are given.
 *
 * @module
 */

import { bytesOf } from "../crypto/base64url_decode.ts";
import { refuse } from "../errors/errors.ts";

/** The largest file that is read. A key with a chain of ten certificates has some 20 kB. */
const MAX_BYTES = 1_048_576;

/**
 * Refuses a PFX file, or its passphrase.
 *
 * @param why What is wrong and how to mend it.
 * @param option Which of the two.
 */
export function fail(why: string, option: "pfx" | "passphrase" = "pfx"): never {
  refuse("invalid_client_credential", option, why);
}

/**
 * Reads the option; nothing is decrypted.
 *
 * @param pfx The bytes, or base64 text of them.
 * @returns A copy of the bytes that looks like a whole file.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function pfxBytes(pfx: Uint8Array | ArrayBuffer | string): Uint8Array<ArrayBuffer> {
  const size = sizeOf(pfx);
  if (size === 0) fail("it is empty: check where it comes from");
  // Base64 has four characters for three bytes, and perhaps line ends.
  if (size > MAX_BYTES * (typeof pfx === "string" ? 1.5 : 1)) {
    fail("it is larger than 1 MiB: is it the file?");
  }
  const bytes = typeof pfx === "string" ? decode(pfx) : copy(pfx);
  return requireWhole(bytes);
}

function sizeOf(pfx: unknown): number {
  if (typeof pfx === "string") return pfx.length;
  // A buffer of another realm is no instance of ours.
  const size = Object(pfx) === pfx ? (pfx as ArrayBuffer).byteLength : undefined;
  return typeof size === "number" ? size : fail("it must be the file's bytes, or base64 text of them");
}

function copy(bytes: Uint8Array | ArrayBuffer): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice()
    : new Uint8Array(bytes).slice();
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("-----BEGIN ")) failAsPem();
  let binary: string;
  try {
    // Environments and JSON leave quotes, and escape line breaks and slashes.
    const plain = text.replace(/\\+[rn]|[\s"'\\]/g, "");
    binary = atob(plain.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    fail("the text is no base64: encode the file with `base64 -w0 file.pfx`");
  }
  return bytesOf(binary);
}

function failAsPem(): never {
  fail("it is PEM: give it as privateKey and publicCertificate, without ./pfx");
}

/** Sees to it that the file is one element of DER or BER, and all of it. */
function requireWhole(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const start = String.fromCharCode(...bytes.subarray(0, 64)).replace(/^\xef\xbb\xbf/, "");
  if (start.includes("-----BEGIN ")) failAsPem();
  if (/^MI[IAE]/.test(start)) fail("these are the bytes of base64 text: give the text, or decode it");
  if (bytes[0] !== 0x30) fail("it is no PFX (PKCS#12) file");
  const form = bytes[1] ?? 0;
  let length = form & 0x7f;
  // The length of an element that is open-ended, 0x80, stands nowhere.
  if (form === 0x80) return bytes;
  const header = form > 0x80 ? 2 + length : 2;
  if (form > 0x80) length = bytes.subarray(2, header).reduce((sum, byte) => sum * 256 + byte, 0);
  if (header + length > bytes.length) {
    fail(`it is cut off: ${bytes.length} of ${header + length} bytes are here`);
  }
  return bytes;
}
