/**
 * Writes DER, X.690: what keys and certificates of tests are made of.
 *
 * @module
 */

/** An object identifier in dots. */
export const OIDS = {
  rsa: "1.2.840.113549.1.1.1",
  rsaPss: "1.2.840.113549.1.1.10",
  sha256WithRsa: "1.2.840.113549.1.1.11",
  ec: "1.2.840.10045.2.1",
  p256: "1.2.840.10045.3.1.7",
  p384: "1.3.132.0.34",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  scrypt: "1.3.6.1.4.1.11591.4.11",
  pbeSha1TripleDes: "1.2.840.113549.1.12.1.3",
  tripleDes: "1.2.840.113549.3.7",
  "SHA-1": "1.2.840.113549.2.7",
  "SHA-224": "1.2.840.113549.2.8",
  "SHA-256": "1.2.840.113549.2.9",
  "SHA-384": "1.2.840.113549.2.10",
  "SHA-512": "1.2.840.113549.2.11",
  aes128: "2.16.840.1.101.3.4.1.2",
  aes192: "2.16.840.1.101.3.4.1.22",
  aes256: "2.16.840.1.101.3.4.1.42",
} as const;

/** Joins bytes. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** One element: tag, length, and what it holds. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(...parts);
  const { length } = body;
  const head = length < 128
    ? [length]
    : length < 256
    ? [0x81, length]
    : length < 65_536
    ? [0x82, length >> 8, length & 255]
    : [0x83, length >> 16, length >> 8 & 255, length & 255];
  return concat(Uint8Array.of(tag, ...head), body);
}

/** A sequence. */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return der(0x30, ...parts);
}

/** An integer that is not negative. */
export function integer(value: number | Uint8Array): Uint8Array<ArrayBuffer> {
  let bytes = typeof value === "number"
    ? Uint8Array.of(value >>> 24, value >> 16 & 255, value >> 8 & 255, value & 255)
    : value;
  while (bytes.length > 1 && bytes[0] === 0) bytes = bytes.subarray(1);
  return der(0x02, ...(bytes[0]! > 127 ? [Uint8Array.of(0)] : []), bytes);
}

/** An object identifier. */
export function oid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 127];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift(left & 127 | 128);
    bytes.push(...groups);
  }
  return der(0x06, Uint8Array.from(bytes));
}

/** An octet string. */
export function octets(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return der(0x04, bytes);
}

/** A bit string of whole bytes. */
export function bits(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return der(0x03, Uint8Array.of(0), bytes);
}

/** The value without content. */
export const NULL: Uint8Array<ArrayBuffer> = der(0x05);

/** A time: `UTCTime` until 2049, `GeneralizedTime` from 2050 on, as RFC 5280 section 4.1.2.5 has it. */
export function time(date: Date): Uint8Array<ArrayBuffer> {
  const text = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  const utc = date.getUTCFullYear() < 2050;
  return der(utc ? 0x17 : 0x18, new TextEncoder().encode(utc ? text.slice(2) : text));
}
