/**
 * X.509 certificates, as far as a token endpoint looks at them.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc5280#section-4.1 | RFC 5280 section 4.1}
 */
import { base64url, type CryptoKey, importX509 } from "jose";
import { type DerValue, derValues, hexOf } from "./der.ts";

/** A certificate, read. */
export interface Certificate {
  readonly der: Uint8Array<ArrayBuffer>;
  /** The names, as DER in hex. */
  readonly subject: string;
  readonly issuer: string;
  /** The common name of the subject, if it has one. */
  readonly commonName: string | undefined;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whether it may sign others. */
  readonly isAuthority: boolean;
  /** What is signed, the object identifier of how, and the signature. */
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly algorithm: string;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** The two thumbprints of a certificate, in hex. */
export interface Thumbprints {
  readonly sha1: string;
  readonly sha256: string;
}

const ARMOUR = /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/;
const EXPLICIT_VERSION = 0xa0;
const EXPLICIT_EXTENSIONS = 0xa3;
const UTC_TIME = 0x17;
const COMMON_NAME = "550403";
const BASIC_CONSTRAINTS = "551d13";

/** The JOSE names of how certificates are signed with RSA. */
const RSA_ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ["2a864886f70d01010b", "RS256"],
  ["2a864886f70d01010c", "RS384"],
  ["2a864886f70d01010d", "RS512"],
]);

function required(value: DerValue | undefined): DerValue {
  if (!value) throw new TypeError("Cannot read a certificate: a part is missing");
  return value;
}

function timeOf({ tag, content }: DerValue): number {
  const text = new TextDecoder().decode(content);
  // RFC 5280 section 4.1.2.5.1: two digits below 50 are of this century.
  const century = tag !== UTC_TIME ? "" : Number(text.slice(0, 2)) < 50 ? "20" : "19";
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text) ?? [];
  const [year = NaN, month = 1, ...rest] = parts.map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

function commonNameOf(name: DerValue): string | undefined {
  const pairs = derValues(name.content).flatMap((set) => derValues(set.content)).map((pair) =>
    derValues(pair.content)
  );
  const value = pairs.find(([type]) => type && hexOf(type.content) === COMMON_NAME)?.[1];
  return value && new TextDecoder().decode(value.content);
}

function isAuthority(extensions: DerValue | undefined): boolean {
  const list = extensions ? derValues(required(derValues(extensions.content)[0]).content) : [];
  const found = list.map(({ content }) => derValues(content)).find(([id]) =>
    id && hexOf(id.content) === BASIC_CONSTRAINTS
  );
  const value = found?.at(-1);
  const [constraints] = value ? derValues(value.content) : [];
  const [flag] = constraints ? derValues(constraints.content) : [];
  return flag?.tag === 1 && flag.content[0] !== 0;
}

function partsOf(der: Uint8Array<ArrayBuffer>): Certificate {
  const [signed, algorithm, signature] = derValues(required(derValues(der)[0]).content);
  const fields = derValues(required(signed).content);
  const [, , issuer, validity, subject] = fields[0]?.tag === EXPLICIT_VERSION ? fields.slice(1) : fields;
  const [notBefore, notAfter] = derValues(required(validity).content).map(timeOf);
  return {
    der,
    subject: hexOf(required(subject).content),
    issuer: hexOf(required(issuer).content),
    commonName: commonNameOf(required(subject)),
    notBeforeMs: notBefore ?? NaN,
    notAfterMs: notAfter ?? NaN,
    isAuthority: isAuthority(fields.find(({ tag }) => tag === EXPLICIT_EXTENSIONS)),
    signed: required(signed).whole,
    algorithm: hexOf(required(derValues(required(algorithm).content)[0]).content),
    // A bit string says first how many bits of its last byte do not count: none do here.
    signature: required(signature).content.subarray(1),
  };
}

/** Reads a certificate: PEM, of which the first one counts, or base64 of its DER. Throws a `TypeError`. */
export function readCertificate(text: string): Certificate {
  const base64 = (ARMOUR.exec(text)?.[1] ?? text).replace(/\s/g, "");
  let der: Uint8Array<ArrayBuffer>;
  try {
    der = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw new TypeError("Cannot read a certificate: it must be PEM, or base64 of its DER");
  }
  return partsOf(der);
}

async function digest(algorithm: "SHA-1" | "SHA-256", bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hexOf(new Uint8Array(await crypto.subtle.digest(algorithm, bytes)));
}

/** Computes the thumbprints. */
export async function thumbprintsOf({ der }: Certificate): Promise<Thumbprints> {
  const [sha1, sha256] = await Promise.all([digest("SHA-1", der), digest("SHA-256", der)]);
  return { sha1, sha256 };
}

/** The public key, for one algorithm. */
export async function publicKeyOf({ der }: Certificate, algorithm: string): Promise<CryptoKey> {
  const base64 = base64url.encode(der).replaceAll("-", "+").replaceAll("_", "/");
  const lines = base64.replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----`;
  return await importX509(pem, algorithm);
}

/** Whether one certificate was issued by another: named so, and signed so with RSA. */
export async function isIssuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const algorithm = RSA_ALGORITHMS.get(certificate.algorithm);
  if (certificate.issuer !== issuer.subject || !issuer.isAuthority || algorithm === undefined) return false;
  try {
    const key = await publicKeyOf(issuer, algorithm);
    return await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, certificate.signature, certificate.signed);
  } catch {
    return false;
  }
}

/** Whether it is valid at a time. */
export function isValidAt({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): boolean {
  return nowMs >= notBeforeMs && nowMs <= notAfterMs;
}
