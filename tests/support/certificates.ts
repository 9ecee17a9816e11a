/**
 * Keys and self-signed certificates in all the shapes that people have them in, made by Web Crypto on every runtime.
 *
 * @module
 */
import { bits, concat, der, integer, NULL, octets, oid, OIDS, sequence, time } from "./der_writer.ts";

/** A key pair, and its shapes. */
export interface TestKeys {
  readonly kind: "RSA" | "EC";
  /** Extractable; of RSA for RSASSA-PKCS1-v1_5. */
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** The private key, and nothing but its numbers. */
  readonly jwk: JsonWebKey;
  /** The public key, and nothing but its numbers. */
  readonly publicJwk: JsonWebKey;
  readonly pkcs8: Uint8Array<ArrayBuffer>;
  /** PKCS#1 or SEC 1: what a PKCS#8 key has inside. */
  readonly traditional: Uint8Array<ArrayBuffer>;
  readonly spki: Uint8Array<ArrayBuffer>;
}

/** What a certificate says. */
export interface CertificateOptions {
  readonly commonName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Who signs; the subject itself where absent. */
  readonly issuer?: { readonly keys: TestKeys; readonly commonName: string };
  /** What stands in place of the subject's public key. */
  readonly spki?: Uint8Array;
  /** Whether it says that it may, or may not, sign others; it says nothing where absent. */
  readonly authority?: boolean;
}

/** A certificate. */
export interface TestCertificate {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly pem: string;
  /** As `x5c` has it. */
  readonly base64: string;
  /** In hex, upper case. */
  readonly thumbprint: string;
  readonly thumbprintSha256: string;
}

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const made = new Map<string, Promise<TestKeys>>();

/** Gives a key pair; the same one for the same name, as making one takes long. */
export function testKeys(kind: "RSA" | "EC" = "RSA", name: string = "own"): Promise<TestKeys> {
  const id = `${kind} ${name}`;
  let keys = made.get(id);
  if (keys === undefined) made.set(id, keys = makeKeys(kind));
  return keys;
}

/** Makes a key pair; of RSA with so many bits. */
export async function makeKeys(kind: "RSA" | "EC", modulusLength: number = 2048): Promise<TestKeys> {
  const publicExponent = Uint8Array.of(1, 0, 1);
  const algorithm = kind === "RSA" ? { ...RSA, modulusLength, publicExponent } : EC;
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    algorithm,
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  const numbers = async (key: CryptoKey): Promise<JsonWebKey> => {
    const { kty, crv, n, e, d, p, q, dp, dq, qi, x, y } = await crypto.subtle.exportKey("jwk", key);
    return JSON.parse(JSON.stringify({ kty, crv, n, e, d, p, q, dp, dq, qi, x, y }));
  };
  const bytes = async (format: "pkcs8" | "spki", key: CryptoKey) =>
    new Uint8Array(await crypto.subtle.exportKey(format, key) as ArrayBuffer);
  const jwk = await numbers(privateKey);
  return {
    kind,
    privateKey,
    publicKey,
    jwk,
    publicJwk: await numbers(publicKey),
    pkcs8: await bytes("pkcs8", privateKey),
    traditional: kind === "RSA" ? pkcs1(jwk) : sec1(jwk),
    spki: await bytes("spki", publicKey),
  };
}

/** The bytes of base64url text. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    atob(text.replaceAll("-", "+").replaceAll("_", "/")),
    (character) => character.charCodeAt(0),
  );
}

/** Writes `RSAPrivateKey`, RFC 8017 appendix A.1.2; numbers that a JWK lacks are 1. */
export function pkcs1({ n, e, d, p, q, dp, dq, qi }: JsonWebKey): Uint8Array<ArrayBuffer> {
  const numbers = [n, e, d, p, q, dp, dq, qi].map((number = "AQ") => integer(fromBase64Url(number)));
  return sequence(integer(0), ...numbers);
}

/** Writes `ECPrivateKey`, RFC 5915, as openssl does: with the curve and the public key. */
export function sec1({ d = "", x = "", y = "" }: JsonWebKey): Uint8Array<ArrayBuffer> {
  const point = concat(Uint8Array.of(4), fromBase64Url(x), fromBase64Url(y));
  return sequence(
    integer(1),
    octets(fromBase64Url(d)),
    der(0xa0, oid(OIDS.p256)),
    der(0xa1, bits(point)),
  );
}

/** Wraps a traditional key into PKCS#8, RFC 5958. */
export function pkcs8(kind: "RSA" | "EC", traditional: Uint8Array, curve: string = OIDS.p256): Uint8Array<
  ArrayBuffer
> {
  const algorithm = kind === "RSA" ? sequence(oid(OIDS.rsa), NULL) : sequence(oid(OIDS.ec), oid(curve));
  return sequence(integer(0), algorithm, octets(traditional));
}

/** Writes bytes as base64. */
export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Writes bytes as PEM, RFC 7468. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines = base64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The private key as `PRIVATE KEY`. */
export function keyPem(keys: TestKeys): string {
  return pem("PRIVATE KEY", keys.pkcs8);
}

/** The private key as `RSA PRIVATE KEY` or `EC PRIVATE KEY`. */
export function traditionalPem({ kind, traditional }: TestKeys): string {
  return pem(`${kind} PRIVATE KEY`, traditional);
}

/** How a key is encrypted. */
export interface EncryptionOptions {
  readonly prf?: "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
  readonly keyBits?: 128 | 192 | 256;
  readonly iterations?: number;
}

/** Writes `EncryptedPrivateKeyInfo` with PBES2, RFC 8018. */
export async function encryptedPkcs8(
  key: Uint8Array<ArrayBuffer>,
  passphrase: string,
  { prf = "SHA-256", keyBits = 256, iterations = 2048 }: EncryptionOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const [salt, iv] = [16, 16].map((length) => crypto.getRandomValues(new Uint8Array(length))) as [
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>,
  ];
  const raw = new TextEncoder().encode(passphrase);
  const base = await crypto.subtle.importKey("raw", raw, "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", hash: prf, salt, iterations };
  const aes = { name: "AES-CBC", length: keyBits };
  const derived = await crypto.subtle.deriveKey(derivation, base, aes, false, ["encrypt"]);
  const encrypted = await crypto.subtle.encrypt({ name: "AES-CBC", iv }, derived, key);
  // SHA-1 is the default, which DER leaves out.
  const named = prf === "SHA-1" ? [] : [sequence(oid(OIDS[prf]), NULL)];
  const kdf = sequence(oid(OIDS.pbkdf2), sequence(octets(salt), integer(iterations), ...named));
  const scheme = sequence(oid(OIDS[`aes${keyBits}`]), octets(iv));
  return encryptedKeyInfo(sequence(oid(OIDS.pbes2), sequence(kdf, scheme)), new Uint8Array(encrypted));
}

/** Writes `EncryptedPrivateKeyInfo` with an algorithm as it is given. */
export function encryptedKeyInfo(algorithm: Uint8Array, encrypted: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(algorithm, octets(encrypted));
}

function nameOf(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(oid(OIDS.commonName), der(0x0c, new TextEncoder().encode(commonName)))));
}

/** Basic constraints, RFC 5280 section 4.2.1.9. */
function extensionsOf(authority: boolean | undefined): Uint8Array[] {
  if (authority === undefined) return [];
  const yes = der(1, Uint8Array.of(0xff));
  const constraints = authority ? sequence(yes) : sequence();
  return [der(0xa3, sequence(sequence(oid("2.5.29.19"), yes, octets(constraints))))];
}

async function hex(hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(hash, bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

/** The two numbers of a signature as X.509 has them. */
function derSignature(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
}

/** Signs as JWS has it: by `RS256` or `ES256`, whichever the key is for. */
export async function rawSignature(keys: TestKeys, data: Uint8Array<ArrayBuffer>): Promise<
  Uint8Array<ArrayBuffer>
> {
  return new Uint8Array(await crypto.subtle.sign(keys.kind === "RSA" ? RSA : EC, keys.privateKey, data));
}

/** Makes a certificate, RFC 5280, valid in 2020 to 2049 unless it is told otherwise. */
export async function certificate(keys: TestKeys, options: CertificateOptions = {}): Promise<
  TestCertificate
> {
  const { commonName = "Test", issuer = { keys, commonName } } = options;
  const { notBefore = new Date("2020-01-01T00:00:00Z"), notAfter = new Date("2049-12-31T23:59:59Z") } =
    options;
  const signer = issuer.keys;
  const algorithm = signer.kind === "RSA"
    ? sequence(oid(OIDS.sha256WithRsa), NULL)
    : sequence(oid(OIDS.ecdsaWithSha256));
  const serial = crypto.getRandomValues(new Uint8Array(16));
  const body = sequence(
    der(0xa0, integer(2)),
    integer(serial),
    algorithm,
    nameOf(issuer.commonName),
    sequence(time(notBefore), time(notAfter)),
    nameOf(commonName),
    options.spki ?? keys.spki,
    ...extensionsOf(options.authority),
  );
  const raw = await rawSignature(signer, body);
  const bytes = sequence(body, algorithm, bits(signer.kind === "RSA" ? raw : derSignature(raw)));
  return {
    der: bytes,
    pem: pem("CERTIFICATE", bytes),
    base64: base64(bytes),
    thumbprint: await hex("SHA-1", bytes),
    thumbprintSha256: await hex("SHA-256", bytes),
  };
}
