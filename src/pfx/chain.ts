/**
 * Which key of a PFX file to use, and which certificates are its own.
 *
 * @module
 */

import {
  type CertBag,
  Certificate,
  ECPrivateKey,
  ECPublicKey,
  type PrivateKeyInfo,
  RSAPrivateKey,
  RSAPublicKey,
} from "pkijs";
import { fail } from "./pfx_bytes.ts";
import type { Bag, Safes } from "./safes.ts";

/** A key and the certificates that belong to it. */
export interface KeyAndChain {
  /** The key. */
  readonly key: PrivateKeyInfo;
  /** The certificates as DER: the key's own, then its issuers as far as the file has them. */
  readonly chain: readonly Uint8Array<ArrayBuffer>[];
}

/** A certificate, read. */
interface Candidate {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly certificate: Certificate;
  readonly publicKey: string | undefined;
  readonly localKeyId: string | undefined;
}

/**
 * Chooses the key that has a certificate, and puts the certificates in order.
 *
 * @param safes What the file holds.
 * @returns The key and its chain.
 * @throws {ClientConfigurationError} `invalid_client_credential` where none or several could be meant.
 */
export function chooseKey({ keys, certificates }: Safes): KeyAndChain {
  if (keys.length === 0) fail("it holds no private key: export the certificate with its key");
  if (certificates.length === 0) fail("it holds no certificate: export the key with its certificate");
  const known = certificates.map(read);
  const pairs = new Map<string, readonly [PrivateKeyInfo, Candidate]>();
  for (const bag of keys) {
    const publicKey = publicKeyOf(bag.value.parsedKey);
    const leaf = publicKey && leafOf(bag, known.filter((one) => one.publicKey === publicKey));
    if (publicKey && leaf) pairs.set(publicKey, [bag.value, leaf]);
  }
  const [pair, another] = [...pairs.values()];
  if (another) fail("it holds several keys with certificates: export the one to use");
  if (!pair) failAsUnpaired(keys);
  const [key, leaf] = pair;
  return { key, chain: chainOf(leaf, known) };
}

function failAsUnpaired(keys: Safes["keys"]): never {
  const usable = keys.some(({ value }) => publicKeyOf(value.parsedKey));
  fail(
    usable
      ? "none of its certificates belongs to its private key: export both together"
      : "its private key is neither an RSA key nor one of an elliptic curve with the public key in it",
  );
}

function read({ value, localKeyId }: Bag<CertBag>): Candidate {
  const octets = value.certValue as { getValue(): ArrayBuffer };
  const der = new Uint8Array(octets.getValue());
  const certificate = Certificate.fromBER(der);
  return { der, certificate, publicKey: publicKeyOf(certificate.subjectPublicKeyInfo.parsedKey), localKeyId };
}

/** A key's public half, the same text for the private key and the certificate. */
function publicKeyOf(key: unknown): string | undefined {
  if (key instanceof RSAPrivateKey || key instanceof RSAPublicKey) {
    return [key.modulus, key.publicExponent].map(({ valueBlock }) =>
      // A number may have a zero in front, for its sign.
      valueBlock.valueHexView.join().replace(/^(?:0,)+/, "")
    ).join("/");
  }
  const point = key instanceof ECPrivateKey ? key.publicKey : key;
  if (!(point instanceof ECPublicKey)) return undefined;
  return [point.x, point.y].map((coordinate) => new Uint8Array(coordinate).join()).join("/");
}

/** Of the certificates of one key, which is what a renewal leaves, the one that the file links, else the last to end. */
function leafOf(bag: Bag<PrivateKeyInfo>, own: readonly Candidate[]): Candidate | undefined {
  const linked = own.filter(({ localKeyId }) => localKeyId !== undefined && localKeyId === bag.localKeyId);
  const [leaf] = (linked.length > 0 ? linked : [...own]).sort((a, b) => endOf(b) - endOf(a));
  return leaf;
}

function endOf({ certificate }: Candidate): number {
  return certificate.notAfter.value.getTime();
}

function chainOf(leaf: Candidate, known: readonly Candidate[]): Uint8Array<ArrayBuffer>[] {
  const chain = [leaf];
  for (let last: Candidate | undefined = leaf; last;) {
    const { issuer }: Certificate = last.certificate;
    const next: Candidate | undefined = known.find((one) =>
      !chain.includes(one) && one.certificate.subject.isEqual(issuer)
    );
    // One that has issued itself ends the chain.
    last = last.certificate.subject.isEqual(issuer) ? undefined : next;
    if (last) chain.push(last);
  }
  return chain.map(({ der }) => der);
}
