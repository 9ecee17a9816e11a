/**
 * Object ids that are always the same for the same name.
 *
 * @module
 */

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a string has the shape of a GUID. */
export function isGuid(value: string): boolean {
  return GUID.test(value);
}

/** Sixteen bytes in hex, as a GUID of version 4. */
export function guidOfHex(hex: string): string {
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-a$4-$5");
}

/** A 32-bit FNV-1a hash, in hex. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

/** A GUID for a name; declarations are read without awaiting anything, so no digest can be used. */
export function guidFor(name: string): string {
  return guidOfHex([0, 1, 2, 3].map((index) => fnv1a(`${index}:${name}:${index}`)).join(""));
}

/** The object id of a Microsoft account, which has only sixteen significant digits. */
export function personalIdFor(name: string): string {
  return guidFor(name).replace(/^.{8}-.{4}-.{4}/, "00000000-0000-0000");
}
