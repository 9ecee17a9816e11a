/**
 * Certificates, RFC 5280: whose they are, and until when.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import { bytesOf } from "../crypto/base64url_decode.ts";
import { isSoundRsa } from "../jwt/key_set.ts";
import { failCredential } from "./credential_fault.ts";
import { type DerElement, elementsOf, readDer } from "./der.ts";
import { requireSound } from "./jwk_key.ts";
import { publicNumbers } from "./key_der.ts";
import type { PemBlock } from "./pem.ts";

const MAX_CERTIFICATES = 10;

/** A client's certificate. */
export interface Certificate {
  /** Its own bytes. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** It and the chain behind it, as `x5c` has them. */
  readonly chain: readonly string[];
  /** Its public key. */
  readonly publicKey: JsonWebKey;
  /** Its end, in milliseconds since the epoch. */
  readonly endsAtMs: number;
}

/** Of two digits of the year, those below 50 are of this century. */
function timeOf(element: DerElement | undefined): number {
  const text = String.fromCharCode(...element?.value ?? []);
  const full = text.length === 13 ? `${text < "5" ? 20 : 19}${text}` : text;
  return Date.parse(full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}

/**
 * Reads a certificate and its chain.
 *
 * @param blocks The parts of a PEM text.
 * @returns The first certificate; `undefined` where there is none.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readCertificate(blocks: readonly PemBlock[]): Certificate | undefined {
  const all = blocks.filter(({ label }) => label === "" || label === "CERTIFICATE");
  const [first] = all;
  if (first === undefined) return undefined;
  const fields = elementsOf(elementsOf(readDer(first.der)[0])[0]);
  // A version stands before the serial number in all but the oldest.
  if (fields[0]?.tag === 0xa0) fields.shift();
  const [, , , validity, , info] = fields;
  const endsAtMs = timeOf(elementsOf(validity)[1]);
  const publicKey = publicNumbers(info);
  if (publicKey === undefined || Number.isNaN(endsAtMs) || all.length > MAX_CERTIFICATES) {
    failCredential(
      "publicCertificate must be the certificate of an RSA or P-256 key, and the chain behind it",
    );
  }
  if (publicKey.kty === "RSA") requireSound(isSoundRsa(publicKey.n, publicKey.e), "publicCertificate");
  const chain = all.map(({ der }) => btoa(der.reduce((text, byte) => text + String.fromCharCode(byte), "")));
  return { der: first.der, chain, publicKey, endsAtMs };
}

/** A certificate's thumbprints, in base64url without padding; MSAL Python writes padding. */
export interface Thumbprints {
  /** SHA-1. */
  readonly x5t: string | undefined;
  /** SHA-256. */
  readonly x5tS256: string | undefined;
}

/**
 * Reads a thumbprint in hex, as certificate tools show it.
 *
 * @param given The text; empty is as good as absent.
 * @param option Where it was given.
 * @param bytes How long it must be.
 * @returns The same in base64url.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function readThumbprint(given: unknown, option: string, bytes: number): string | undefined {
  if (given === undefined || given === "") return undefined;
  // Windows shows a mark before it that nobody sees.
  const hex = String(given).replace(/[\s:\u200e]/g, "");
  if (hex.length !== 2 * bytes || /[^0-9a-f]/i.test(hex)) {
    failCredential(`${option} must be ${2 * bytes} digits in hex`);
  }
  return encodeBase64Url(bytesOf(hex.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)))));
}

/**
 * Computes a certificate's thumbprints.
 *
 * @param der The certificate.
 */
export async function thumbprintsOf(der: Uint8Array<ArrayBuffer>): Promise<Thumbprints> {
  const digest = async (hash: string): Promise<string> =>
    encodeBase64Url(new Uint8Array(await crypto.subtle.digest(hash, der)));
  return { x5t: await digest("SHA-1"), x5tS256: await digest("SHA-256") };
}
