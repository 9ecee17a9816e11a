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

function decode(body: string, option: string): Uint8Array<ArrayBuffer> {
  try {
    const der = bytesOf(atob(body.replace(/\s/g, "")));
    const elements = readDer(der);
    if (elements.length === 1 && elements[0]!.tag === SEQUENCE) return der;
  } catch {
    // Not base64.
  }
  failCredential(`${option} is cut off, or no PEM: give the file's text, not its name`);
}

/**
 * Reads a text: PEM with anything around it, on one line with `\n` spelt out or with spaces in place of line breaks, or
 * base64 alone.
 *
 * @param text The text.
 * @param option Where it was given, for the error.
 * @returns Its parts, at least one.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readPem(text: unknown, option: string): PemBlock[] {
  if (typeof text !== "string") failCredential(`${option} must be PEM text`);
  if (text.length > MAX_CHARS) failCredential(`${option} is too long: give one key, and its own chain`);
  const plain = text.replace(/\\+[rn]/g, "\n");
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
  return blocks.length > 0 ? blocks : [{ label: "", der: decode(plain, option) }];
}
