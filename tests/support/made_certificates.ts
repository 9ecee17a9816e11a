/**
 * Certificates with keys of their own, and the chains that they make: what an authority is given in its tests.
 *
 * @module
 */
import { base64url } from "jose";
import { certificate, makeKeys, type TestKeys } from "./certificates.ts";

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
  readonly keys: TestKeys;
  readonly der: Uint8Array<ArrayBuffer>;
  readonly pem: string;
  /** The DER in base64, as `x5c` has it. */
  readonly base64: string;
  /** The thumbprints, base64url. */
  readonly x5t: string;
  readonly x5tS256: string;
}

function base64urlOf(hex: string): string {
  return base64url.encode(Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
}

/** Makes a certificate, with keys of its own. */
export async function makeCertificate(options: CertificateOptions = {}): Promise<MadeCertificate> {
  const { commonName = "app.example", issuer, bits = 2048, authority = false } = options;
  const { notBefore = new Date("2020-01-01"), notAfter = new Date("2060-01-01") } = options;
  const keys = await makeKeys("RSA", bits);
  const made = await certificate(keys, {
    commonName,
    notBefore,
    notAfter,
    authority,
    ...issuer && { issuer: { keys: issuer.keys, commonName: issuer.commonName } },
  });
  const { der, pem, base64, thumbprint, thumbprintSha256 } = made;
  return {
    commonName,
    keys,
    der,
    pem,
    base64,
    x5t: base64urlOf(thumbprint),
    x5tS256: base64urlOf(thumbprintSha256),
  };
}

/** The private key of a certificate, to sign with an algorithm of JOSE. */
export async function signingKeyOf({ keys }: MadeCertificate, alg: string): Promise<CryptoKey> {
  if (alg === "RS256") return keys.privateKey;
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey) as ArrayBuffer;
  return await crypto.subtle.importKey("pkcs8", pkcs8, { name: "RSA-PSS", hash: "SHA-256" }, false, ["sign"]);
}
