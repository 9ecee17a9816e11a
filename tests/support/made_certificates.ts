/**
 * Certificates made in the test run, with WebCrypto and a little DER; no program is needed.
 *
 * @module
 */
import { base64url } from "jose";

/** What a certificate says; all has defaults. */
export interface CertificateOptions {
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Whether it may sign others. */
  readonly authority?: boolean;
  /** Who signs it; itself, if absent. */
  readonly issuer?: MadeCertificate;
  /** The size of its key, in bits. */
  readonly bits?: number;
}

/** A certificate and its key. */
export interface MadeCertificate {
  readonly commonName: string;
  readonly keys: CryptoKeyPair;
  readonly der: Uint8Array<ArrayBuffer>;
  readonly pem: string;
  /** The DER in base64, as `x5c` has it. */
  readonly base64: string;
  /** The thumbprints, base64url. */
  readonly x5t: string;
  readonly x5tS256: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

function joined(parts: readonly Bytes[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function der(tag: number, ...parts: readonly Bytes[]): Bytes {
  const content = joined(parts);
  const { length } = content;
  const lengthBytes = length < 128
    ? [length]
    : length < 256
    ? [0x81, length]
    : [0x82, length >> 8, length & 255];
  return joined([Uint8Array.from([tag, ...lengthBytes]), content]);
}

function oid(hex: string): Bytes {
  return der(6, Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
}

const SEQUENCE = 0x30;
const SHA256_WITH_RSA = der(SEQUENCE, oid("2a864886f70d01010b"), der(5));

function nameOf(commonName: string): Bytes {
  const text = new TextEncoder().encode(commonName);
  return der(SEQUENCE, der(0x31, der(SEQUENCE, oid("550403"), der(0x0c, text))));
}

/** Years from 2050 on are written with four digits. */
function timeOf(date: Date): Bytes {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const late = date.getUTCFullYear() >= 2050;
  return der(late ? 0x18 : 0x17, new TextEncoder().encode(`${late ? digits : digits.slice(2)}Z`));
}

function extensionsOf(authority: boolean): Bytes {
  const constraints = authority ? der(SEQUENCE, der(1, Uint8Array.of(0xff))) : der(SEQUENCE);
  const extension = der(SEQUENCE, oid("551d13"), der(1, Uint8Array.of(0xff)), der(4, constraints));
  return der(0xa3, der(SEQUENCE, extension));
}

function base64Of(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes));
}

async function digest(algorithm: string, bytes: Bytes): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest(algorithm, bytes)));
}

/** Makes a certificate. */
export async function makeCertificate(options: CertificateOptions = {}): Promise<MadeCertificate> {
  const { commonName = "app.example", issuer, bits = 2048, authority = false } = options;
  const { notBefore = new Date("2020-01-01"), notAfter = new Date("2060-01-01") } = options;
  const publicExponent = Uint8Array.of(1, 0, 1);
  const generation = { ...RS256, modulusLength: bits, publicExponent };
  const keys = await crypto.subtle.generateKey(generation, true, ["sign", "verify"]) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey) as ArrayBuffer);
  const serial = crypto.getRandomValues(new Uint8Array(8)).map((byte) => byte & 0x7f | 1);
  const signed = der(
    SEQUENCE,
    der(0xa0, der(2, Uint8Array.of(2))),
    der(2, serial),
    SHA256_WITH_RSA,
    nameOf(issuer?.commonName ?? commonName),
    der(SEQUENCE, timeOf(notBefore), timeOf(notAfter)),
    nameOf(commonName),
    publicKey,
    extensionsOf(authority),
  );
  const signingKey = (issuer?.keys ?? keys).privateKey;
  const signature = new Uint8Array(await crypto.subtle.sign(RS256, signingKey, signed));
  const bytes = der(SEQUENCE, signed, SHA256_WITH_RSA, der(3, Uint8Array.of(0), signature));
  const base64 = base64Of(bytes);
  return {
    commonName,
    keys,
    der: bytes,
    pem: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
    base64,
    x5t: await digest("SHA-1", bytes),
    x5tS256: await digest("SHA-256", bytes),
  };
}

/** The private key of a certificate, to sign with an algorithm of JOSE. */
export async function signingKeyOf({ keys }: MadeCertificate, alg: string): Promise<CryptoKey> {
  if (alg === "RS256") return keys.privateKey;
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey) as ArrayBuffer;
  return await crypto.subtle.importKey("pkcs8", pkcs8, { name: "RSA-PSS", hash: "SHA-256" }, false, ["sign"]);
}
