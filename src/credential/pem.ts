/**
 * Reads PEM, RFC 7468, in the shapes in which people have it.
 *
 * @module
 */

import { bytesOf } from "../crypto/base64url_decode.ts";
import { CONVERT, failCredential } from "./credential_fault.ts";
import { readDer, SEQUENCE } from "./der.ts";

/** No key with its chain is longer, and a bundle of all authorities' certificates is. */
const MAX_CHARS = 48_000;

/** One part of a PEM text. */
export interface PemBlock {
  /** What it says it is; empty for base64 without armour. */
  readonly label: string;
  /** What it holds. */
  readonly der: Uint8Array<ArrayBuffer>;
}

/** Nothing comes of what is no base64. */
function binaryOf(text: string): string {
  try {
    return atob(text.replace(/\s/g, ""));
  } catch {
    return "";
  }
}

function decode(body: string, option: string): Uint8Array<ArrayBuffer> {
  const der = bytesOf(binaryOf(body));
  const elements = readDer(der);
  if (elements.length === 1 && elements[0]!.tag === SEQUENCE) return der;
  if (body.trim()[0] === "{") failCredential(`${option} is JSON text: give what JSON.parse makes of it`);
  failCredential(`${option} is cut off, or no PEM: give the file's text, not its name`);
}

/**
 * Reads a text: PEM with anything around it, on one line with `\n` spelt out or with spaces in place of line breaks, or
 * base64 alone, of the DER or of the PEM; in quotes, too, and escaped as JSON has it.
 *
 * @param text The text.
 * @param option Where it was given, for the error.
 * @returns Its parts, at least one.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readPem(text: unknown, option: string): PemBlock[] {
  if (typeof text !== "string") failCredential(`${option} must be PEM text`);
  if (text.length > MAX_CHARS) failCredential(`${option} is too long: give one key, and its own chain`);
  const plain = text.replace(/\\+[rn]|["'\\]/g, "\n");
  const blocks: PemBlock[] = [];
  const rest = plain.replace(
    /-----BEGIN ([A-Z0-9 ]+)-----([^-]*(?:-[^-]+)*)-----END \1-----/g,
    (_, label: string, body: string) => {
      if (body.includes("ENCRYPTED")) failCredential(`${option} is encrypted in an old way: ${CONVERT}`);
      if (label.startsWith("OPENSSH")) failCredential(`${option} is for SSH: ssh-keygen -p -m PKCS8 -f key`);
      // openssl writes those of a curve before the key.
      if (!label.endsWith("PARAMETERS")) blocks.push({ label, der: decode(body, option) });
      return "";
    },
  );
  if (/-----(?:BEGIN|END)/.test(rest)) failCredential(`${option} lacks a BEGIN or END line`);
  if (blocks.length > 0) return blocks;
  const inner = binaryOf(plain);
  return inner.includes("-----BEGIN ") ? readPem(inner, option) : [{ label: "", der: decode(plain, option) }];
}
