/**
 * Reads DER, X.690: as much of it as keys and certificates need.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";

/** One element. */
export interface DerElement {
  /** What it is. */
  readonly tag: number;
  /** What it holds. */
  readonly value: Uint8Array<ArrayBuffer>;
}

/** The tags of what is looked for. */
export const INTEGER = 0x02;
/** A text of bits, one byte before which tells how many are left over. */
export const BIT_STRING = 0x03;
/** A text of bytes. */
export const OCTETS = 0x04;
/** Elements in order. */
export const SEQUENCE = 0x30;

/**
 * Reads elements that stand one behind the other.
 *
 * @param bytes The bytes.
 * @returns The elements; none at all where anything of it is not DER.
 */
export function readDer(bytes: Uint8Array<ArrayBuffer>): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++]!;
    let length = bytes[at++] ?? NaN;
    if (length > 0x7f) {
      let count = length - 0x80;
      // Of no length that is written in more than three bytes is there as much; an unknown length is BER.
      if (count === 0 || count > 3) return [];
      for (length = 0; count > 0; count--) length = length * 256 + (bytes[at++] ?? NaN);
    }
    // Not so for NaN, either.
    if (!(at + length <= bytes.length)) return [];
    elements.push({ tag, value: bytes.subarray(at, at += length) });
  }
  return elements;
}

/**
 * Reads what a sequence holds.
 *
 * @param element The sequence.
 * @returns Its elements; none for anything else.
 */
export function elementsOf(element: DerElement | undefined): DerElement[] {
  return element?.tag === SEQUENCE ? readDer(element.value) : [];
}

/**
 * Writes an object identifier, or anything else, in hex.
 *
 * @param element The element.
 * @returns What it holds, in lower case.
 */
export function hexOf(element: DerElement | undefined): string {
  return Array.from(element?.value ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Writes a number as a JWK has it.
 *
 * @param element The integer.
 * @returns It in base64url, without zeros before it; `undefined` for one that is negative, or anything else.
 */
export function numberOf(element: DerElement | undefined): string | undefined {
  if (element?.tag !== INTEGER || !(element.value[0]! < 0x80)) return undefined;
  const start = element.value.findIndex((byte) => byte !== 0);
  return encodeBase64Url(element.value.subarray(start));
}
