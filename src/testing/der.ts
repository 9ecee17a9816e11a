/**
 * As much of DER as a certificate takes.
 *
 * @module
 * @see {@link https://www.itu.int/rec/T-REC-X.690 | ITU-T X.690}
 */

/** One value. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array<ArrayBuffer>;
  /** With its tag and length. */
  readonly whole: Uint8Array<ArrayBuffer>;
}

/** The largest length that is read: four bytes of it. */
const MAX_LENGTH_BYTES = 4;

function malformed(): TypeError {
  return new TypeError("Cannot read DER: it is malformed");
}

/** Where the content begins and ends of the value at an offset. */
function boundsAt(bytes: Uint8Array, offset: number): readonly [start: number, end: number] {
  const first = bytes[offset + 1];
  if (first === undefined) throw malformed();
  if (first < 0x80) return [offset + 2, offset + 2 + first];
  const count = first & 0x7f;
  if (count === 0 || count > MAX_LENGTH_BYTES) throw malformed();
  const start = offset + 2 + count;
  const length = bytes.subarray(offset + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return [start, start + length];
}

/** The values that follow each other in some bytes. Throws a `TypeError` if these are no DER. */
export function derValues(bytes: Uint8Array<ArrayBuffer>): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const [start, end] = boundsAt(bytes, offset);
    if (end > bytes.length) throw malformed();
    const [content, whole] = [bytes.subarray(start, end), bytes.subarray(offset, end)];
    values.push({ tag: bytes[offset] ?? 0, content, whole });
    offset = end;
  }
  return values;
}

/** Bytes in hex. */
export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
