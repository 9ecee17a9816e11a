/**
 * Reads a compact JWS, RFC 7515 section 7.1, more strictly than that asks: whatever two readers could understand
 * differently is refused.
 *
 * @module
 */

import { decodeBase64Url } from "../crypto/base64url_decode.ts";

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
  /** Its three parts, as they were. */
  readonly parts: readonly [header: string, payload: string, signature: string];
  /** The algorithm that it names. */
  readonly alg: string;
  /** The key that it names. */
  readonly kid: string | undefined;
  /** The claims. */
  readonly claims: JsonObject;
}

/** How many members the objects of a JSON text have. */
function countMembers(json: string): number {
  return json.replace(/"(?:\\.|[^"\\])*"/g, "").split(":").length;
}

/**
 * Decodes a part of a token.
 *
 * @param part Base64url of a JSON object in UTF-8.
 * @returns The object; `undefined` for anything else, and where a member comes twice.
 */
export function decodeJsonPart(part: string): JsonObject | undefined {
  try {
    // An invalid part decodes to no bytes, which are no JSON.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(decodeBase64Url(part));
    const value: unknown = JSON.parse(text, (_, inner) => Object.freeze(inner));
    const again = JSON.stringify(value);
    return again.startsWith("{") && countMembers(again) === countMembers(text)
      ? value as JsonObject
      : undefined;
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
  const parts = typeof text === "string" && text.length <= MAX_CHARS ? text.split(".", 6) : [];
  if (parts.length === 5) fail("encrypted");
  const [header = "", payload = "", signature = ""] = parts;
  const { alg, kid, ...rest } = decodeJsonPart(header) ?? fail("malformed");
  const claims = decodeJsonPart(payload);
  if (parts.length !== 3 || claims === undefined || !decodeBase64Url(signature)?.length) {
    return fail("malformed");
  }
  if (typeof alg !== "string") return fail("algorithm_refused");
  // No extension is understood here, RFC 7515 section 4.1.11, and an unencoded payload or a compressed one is nobody's.
  const extended = ["crit", "b64", "zip"].some((name) => Object.hasOwn(rest, name));
  if (extended || (kid !== undefined && (typeof kid !== "string" || kid.length > MAX_KID_CHARS))) {
    return fail("header_refused");
  }
  return { parts: [header, payload, signature], alg, kid, claims };
}
