/**
 * PFX files written by hand, RFC 7292, so that no parser checks itself.
 *
 * @module
 */
import { encryptedPkcs8 } from "./certificates.ts";
import { concat, der, integer, NULL, octets, oid, OIDS, sequence } from "./der_writer.ts";

/** A bag, and the id that links it with others. */
export interface BagOptions {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly localKeyId?: number;
}

/** What a file is made of. */
export interface PfxOptions {
  /** PKCS#8. */
  readonly keys?: readonly BagOptions[];
  readonly certificates?: readonly BagOptions[];
  /** What encrypts and authenticates; nothing is encrypted where it is absent. */
  readonly passphrase?: string | undefined;
  readonly mac?: "SHA-256" | "PBMAC1" | "none" | { readonly oid: string };
  readonly iterations?: number;
  /** What the file says of its MAC, whatever the MAC is made with. */
  readonly macIterations?: number;
  /** What the encryption is said to be. */
  readonly scheme?: Uint8Array;
  /** What the passphrase of the contents is, where it is not the MAC's. */
  readonly innerPassphrase?: string;
}

const DATA = oid("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA = oid("1.2.840.113549.1.7.6");
const BAG = "1.2.840.113549.1.12.10.1";
const PBMAC1 = "1.2.840.113549.1.5.14";
const SHA256 = "2.16.840.1.101.3.4.2.1";

/** Any other way to encrypt than PBES2, such as Windows' and old OpenSSL's. */
export function legacyScheme(algorithm: string): Uint8Array {
  return sequence(oid(algorithm), sequence(octets(new Uint8Array(8)), integer(2048)));
}

/** AES, and a key of so many iterations. */
export function costlyScheme(iterations: number): Uint8Array {
  const kdf = sequence(octets(new Uint8Array(8)), integer(iterations), sequence(oid(OIDS["SHA-256"]), NULL));
  const aes = sequence(oid(OIDS.aes256), octets(new Uint8Array(16)));
  return sequence(oid(OIDS.pbes2), sequence(sequence(oid(OIDS.pbkdf2), kdf), aes));
}

/** Makes a file. */
export async function makePfx(options: PfxOptions): Promise<Uint8Array<ArrayBuffer>> {
  const keyBags = await Promise.all((options.keys ?? []).map((key) => keyBag(key, options)));
  const certificateBags = (options.certificates ?? []).map((one) =>
    bag(`${BAG}.3`, sequence(oid("1.2.840.113549.1.9.22.1"), der(0xa0, octets(one.der))), one)
  );
  const safe = sequence(
    ...keyBags.length > 0 ? [contentInfo(DATA, octets(sequence(...keyBags)))] : [],
    ...certificateBags.length > 0 ? [await certificateInfo(sequence(...certificateBags), options)] : [],
  );
  const mac = options.mac === "none" ? [] : [await macData(safe, options)];
  return sequence(integer(3), contentInfo(DATA, octets(safe)), ...mac);
}

async function certificateInfo(bags: Uint8Array<ArrayBuffer>, options: PfxOptions): Promise<Uint8Array> {
  return options.passphrase === undefined
    ? contentInfo(DATA, octets(bags))
    : contentInfo(ENCRYPTED_DATA, await encryptedData(bags, options));
}

function contentInfo(type: Uint8Array, content: Uint8Array): Uint8Array {
  return sequence(type, der(0xa0, content));
}

function bag(type: string, value: Uint8Array, { localKeyId }: BagOptions): Uint8Array {
  const attributes = localKeyId === undefined
    ? []
    : [der(0x31, sequence(oid("1.2.840.113549.1.9.21"), der(0x31, octets(Uint8Array.of(localKeyId)))))];
  return sequence(oid(type), der(0xa0, value), ...attributes);
}

async function keyBag(key: BagOptions, options: PfxOptions): Promise<Uint8Array> {
  if (options.passphrase === undefined) return bag(`${BAG}.1`, key.der, key);
  const [algorithm, encrypted] = await encrypt(key.der, options);
  return bag(`${BAG}.2`, sequence(algorithm, octets(encrypted)), key);
}

async function encryptedData(content: Uint8Array<ArrayBuffer>, options: PfxOptions): Promise<Uint8Array> {
  const [algorithm, encrypted] = await encrypt(content, options);
  return sequence(integer(0), sequence(DATA, algorithm, der(0x80, encrypted)));
}

/** The algorithm and the bytes. */
async function encrypt(
  content: Uint8Array<ArrayBuffer>,
  { passphrase = "", innerPassphrase = passphrase, iterations = 3, scheme }: PfxOptions,
): Promise<readonly [Uint8Array, Uint8Array]> {
  const [algorithm, encrypted] = childrenOf(await encryptedPkcs8(content, innerPassphrase, { iterations }));
  return [scheme ?? algorithm!, childrenOf(encrypted!, true)[0]!];
}

/** The elements in an element, or what it holds. */
function childrenOf(element: Uint8Array, whole = false): Uint8Array[] {
  const bodyOf = (bytes: Uint8Array): readonly [start: number, end: number] => {
    const form = bytes[1]!;
    const start = form < 128 ? 2 : 2 + (form & 127);
    const length = form < 128 ? form : bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    return [start, start + length];
  };
  let body = element.subarray(...bodyOf(element));
  if (whole) return [body];
  const children: Uint8Array[] = [];
  for (; body.length > 0; body = body.subarray(children.at(-1)!.length)) {
    children.push(body.subarray(0, bodyOf(body)[1]));
  }
  return children;
}

async function macData(safe: Uint8Array<ArrayBuffer>, options: PfxOptions): Promise<Uint8Array> {
  const { mac = "SHA-256", passphrase = "", iterations = 3, macIterations = iterations } = options;
  const salt = crypto.getRandomValues(new Uint8Array(8));
  const key = mac === "PBMAC1"
    ? await pbkdf2(passphrase, salt, iterations)
    : await pkcs12Key(passphrase, salt, iterations);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, hmac, false, ["sign"]);
  const digest = new Uint8Array(await crypto.subtle.sign("HMAC", imported, safe));
  const kdf = sequence(
    octets(salt),
    integer(macIterations),
    integer(32),
    sequence(oid(OIDS["SHA-256"]), NULL),
  );
  const pbmac1 = sequence(sequence(oid(OIDS.pbkdf2), kdf), sequence(oid(OIDS["SHA-256"]), NULL));
  const algorithm = mac === "PBMAC1"
    ? sequence(oid(PBMAC1), pbmac1)
    : sequence(oid(typeof mac === "object" ? mac.oid : SHA256), NULL);
  return sequence(sequence(algorithm, octets(digest)), octets(salt), integer(macIterations));
}

async function pbkdf2(passphrase: string, salt: BufferSource, iterations: number): Promise<ArrayBuffer> {
  const raw = new TextEncoder().encode(passphrase);
  const base = await crypto.subtle.importKey("raw", raw, "PBKDF2", false, ["deriveBits"]);
  return await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, base, 256);
}

/** RFC 7292 appendix B.2 for a MAC with SHA-256: its key is one hash long, so a single round of the outer loop makes it. */
async function pkcs12Key(passphrase: string, salt: Uint8Array, iterations: number): Promise<ArrayBuffer> {
  const text = new Uint8Array(passphrase.length * 2 + 2);
  for (let i = 0; i < passphrase.length; i++) {
    text.set([passphrase.charCodeAt(i) >> 8, passphrase.charCodeAt(i) & 255], i * 2);
  }
  let hashed: ArrayBuffer = concat(new Uint8Array(64).fill(3), filled(salt), filled(text)).buffer;
  for (let i = 0; i < iterations; i++) hashed = await crypto.subtle.digest("SHA-256", hashed);
  return hashed;
}

/** Repeats bytes up to a whole number of blocks. */
function filled(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(
    { length: Math.ceil(bytes.length / 64) * 64 },
    (_, at) => bytes[at % bytes.length]!,
  );
}
