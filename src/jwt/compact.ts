/**
 * Reads a compact JWS, RFC 7515 section 7.1, more strictly than that asks: whatever two readers could understand
 * differently is refused.
 *
 * @module
 */

import { bytesOf, decodeBinary } from "../crypto/base64url_decode.ts";

/** Longer tokens are not looked at. */
const MAX_CHARS = 16_384;
/** The longest key id that counts. */
export const MAX_KID_CHARS = 256;

/** A JSON object, its members own properties whatever their names are; frozen to its depth. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Why a token was refused before anything in it counted. */
export type JwtFault =
  | "algorithm_refused"
  | "encrypted"
  | "header_refused"
  | "key_ambiguous"
  | "key_not_found"
  | "malformed"
  | "signature_invalid";

/** Refuses a token. */
export type JwtFail = (fault: JwtFault) => never;

/** A token, read and not yet believed. */
export interface CompactJws {
  /** What is signed: its first two parts, as they were. */
  readonly signed: string;
  /** The signature, one byte in each character. */
  readonly signature: string;
  /** The algorithm that it names. */
  readonly alg: string;
  /** The type that it says it has, whatever that is. */
  readonly typ: unknown;
  /** The key that it names. */
  readonly kid: string | undefined;
  /** The claims. */
  readonly claims: JsonObject;
}

/** Freezes a value to its depth, and tells how many members its objects have. */
function freeze(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner: unknown[] = Object.values(Object.freeze(value));
  let members = Array.isArray(value) ? 0 : inner.length;
  for (const one of inner) if (typeof one === "object") members += freeze(one);
  return members;
}

/** Whether no member comes twice in a JSON text of which an object with so many members was made. */
function isUnambiguous(json: string, members: number): boolean {
  // No member of a text without white space is without this, though a text inside may have it, too; telling them apart takes longer.
  let colons = 0;
  for (let at = json.indexOf('":'); at >= 0; at = json.indexOf('":', at + 2)) colons++;
  return (colons === members && !/[ \t\n\r]:/.test(json)) ||
    json.replace(/"(?:\\.|[^"\\])*"/g, "").split(":").length - 1 === members;
}

function decodeUtf8(binary: string): string {
  return /[\x80-\xff]/.test(binary)
    ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(binary))
    : binary;
}

/**
 * Decodes a part of a token.
 *
 * @param part Base64url of a JSON object in UTF-8.
 * @returns The object; `undefined` for anything else, and where a member comes twice.
 */
export function decodeJsonPart(part: string): JsonObject | undefined {
  try {
    // An invalid part decodes to no text, which is no JSON.
    const text = decodeUtf8(decodeBinary(part) ?? "");
    const value: unknown = JSON.parse(text);
    if (Object(value) !== value || Array.isArray(value)) return undefined;
    return isUnambiguous(text, freeze(value)) ? value as JsonObject : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a token. Nothing that its header names is ever looked up.
 *
 * @param text The token.
 * @param fail Refuses it.
 * @returns The token's parts.
 */
export function parseCompact(text: unknown, fail: JwtFail): CompactJws {
  const whole = typeof text === "string" && text.length <= MAX_CHARS ? text : "";
  const parts = whole.split(".", 6);
  if (parts.length === 5) fail("encrypted");
  const [header = "", payload = "", last = ""] = parts;
  const names = decodeJsonPart(header) ?? fail("malformed");
  const claims = decodeJsonPart(payload);
  const signature = decodeBinary(last);
  if (parts.length !== 3 || claims === undefined || !signature) return fail("malformed");
  const { alg, kid, typ } = names;
  if (typeof alg !== "string") return fail("algorithm_refused");
  // No extension is understood here, RFC 7515 section 4.1.11, and an unencoded payload or a compressed one is nobody's.
  const extended = ["crit", "b64", "zip"].some((name) => Object.hasOwn(names, name));
  if (extended || (kid !== undefined && (typeof kid !== "string" || kid.length > MAX_KID_CHARS))) {
    return fail("header_refused");
  }
  return { signed: whole.slice(0, -last.length - 1), signature, alg, typ, kid, claims };
}
