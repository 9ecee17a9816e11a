/**
 * Opens a PFX file and takes out its bags, RFC 7292 section 4.
 *
 * @module
 */

import {
  AuthenticatedSafe,
  CertBag,
  ContentInfo,
  CryptoEngine,
  EncryptedData,
  PFX,
  PKCS8ShroudedKeyBag,
  PrivateKeyInfo,
  type SafeBag,
  SafeContents,
} from "pkijs";
import { ClientConfigurationError } from "../errors/errors.ts";
import { macHolds } from "./mac.ts";
import { fail } from "./pfx_bytes.ts";
import { requireModern, Rounds } from "./protection.ts";

/** A key or a certificate with the id that links them. */
export interface Bag<T> {
  /** What is in it. */
  readonly value: T;
  /** Its `localKeyID`, a byte in each character. */
  readonly localKeyId: string | undefined;
}

/** What a file holds. */
export interface Safes {
  /** The private keys. */
  readonly keys: readonly Bag<PrivateKeyInfo>[];
  /** The certificates. */
  readonly certificates: readonly Bag<CertBag>[];
}

/** What opens a part. */
interface Opener {
  readonly password: ArrayBuffer;
  readonly engine: CryptoEngine;
  readonly rounds: Rounds;
  /** What a part that does not open is blamed on. */
  readonly blame: () => never;
}

/** `localKeyID`, RFC 2985 section 5.5.2. */
const LOCAL_KEY_ID = "1.2.840.113549.1.9.21";

/**
 * Opens a file.
 *
 * @param bytes The file.
 * @param passphrase What it is encrypted with.
 * @param take Takes what is needed of its keys and certificates.
 * @returns What was taken.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export async function openSafes<T>(
  bytes: Uint8Array<ArrayBuffer>,
  passphrase: string | undefined,
  take: (safes: Safes) => T,
): Promise<T> {
  try {
    return take(await open(bytes, passphrase));
  } catch (error) {
    if (error instanceof ClientConfigurationError) throw error;
    // What the parser says may quote what it read.
    fail("it is no PFX (PKCS#12) file, or it is damaged");
  }
}

async function open(bytes: Uint8Array<ArrayBuffer>, passphrase: string | undefined): Promise<Safes> {
  const { authSafe, macData } = PFX.fromBER(bytes);
  if (authSafe.contentType !== ContentInfo.DATA) {
    fail("it is secured by a public key: export it again with a passphrase");
  }
  const content: ArrayBuffer = authSafe.content.getValue();
  const infos = AuthenticatedSafe.fromBER(content).safeContents;
  const rounds = new Rounds();
  const parts = infos.map((info) => readPart(info, rounds));
  const password = new TextEncoder().encode(passphrase ?? "").buffer;
  // Not the engine that pkijs keeps for the whole process, which others can replace.
  const engine = new CryptoEngine({ name: "", crypto });
  const holds = macData && await macHolds(macData, content, password, engine, rounds);
  // Without a passphrase there are two ways to make a MAC, and it proves nothing: what opens, opens.
  if (holds === false && passphrase) failAsWrong(passphrase);
  const opener: Opener = {
    password,
    engine,
    rounds,
    blame: () => holds ? failAsUnreadable() : failAsWrong(passphrase),
  };
  return await sortBags(parts, opener);
}

function failAsWrong(passphrase: string | undefined): never {
  if (!passphrase) fail("the PFX file has one: give it", "passphrase");
  fail("it does not open the PFX file, or the file is damaged", "passphrase");
}

function failAsUnreadable(): never {
  fail(
    "a part does not open: it has a passphrase of its own, or more than the 100000 iterations that Workers take. " +
      "Export it again",
  );
}

/** One part of the file: in the clear, or still encrypted. */
function readPart(info: ContentInfo, rounds: Rounds): SafeContents | EncryptedData {
  if (info.contentType === ContentInfo.DATA) {
    const contents = SafeContents.fromBER(info.content.getValue());
    for (const bag of flatten(contents)) {
      if (bag.bagValue instanceof PKCS8ShroudedKeyBag) {
        requireModern(bag.bagValue.encryptionAlgorithm, rounds);
      }
    }
    return contents;
  }
  if (info.contentType !== ContentInfo.ENCRYPTED_DATA) {
    fail("a part is encrypted to a public key: export it again with a passphrase");
  }
  const encrypted = new EncryptedData({ schema: info.content });
  requireModern(encrypted.encryptedContentInfo.contentEncryptionAlgorithm, rounds);
  return encrypted;
}

function flatten({ safeBags }: SafeContents): SafeBag[] {
  return safeBags.flatMap((bag) => bag.bagValue instanceof SafeContents ? flatten(bag.bagValue) : [bag]);
}

async function sortBags(parts: readonly (SafeContents | EncryptedData)[], opener: Opener): Promise<Safes> {
  const keys: Bag<PrivateKeyInfo>[] = [];
  const certificates: Bag<CertBag>[] = [];
  for (const part of parts) {
    const known = part instanceof SafeContents;
    const contents = known ? part : await decrypt(part, opener, (raw) => SafeContents.fromBER(raw));
    for (const bag of flatten(contents)) {
      const { bagValue: value } = bag;
      const localKeyId = localKeyIdOf(bag);
      if (value instanceof CertBag) certificates.push({ value, localKeyId });
      else if (value instanceof PrivateKeyInfo) keys.push({ value, localKeyId });
      else if (value instanceof PKCS8ShroudedKeyBag) {
        // Those in the clear were checked before the MAC.
        if (!known) requireModern(value.encryptionAlgorithm, opener.rounds);
        keys.push({ value: await decryptKey(value, opener), localKeyId });
      }
    }
  }
  return { keys, certificates };
}

function decryptKey(bag: PKCS8ShroudedKeyBag, opener: Opener): Promise<PrivateKeyInfo> {
  const data = new EncryptedData();
  data.encryptedContentInfo.contentEncryptionAlgorithm = bag.encryptionAlgorithm;
  data.encryptedContentInfo.encryptedContent = bag.encryptedData;
  return decrypt(data, opener, (raw) => PrivateKeyInfo.fromBER(raw));
}

async function decrypt<T>(
  data: EncryptedData,
  { password, engine, blame }: Opener,
  parse: (raw: ArrayBuffer) => T,
): Promise<T> {
  try {
    // Where there is no MAC, a wrong key shows in the padding or in what comes out.
    return parse(await data.decrypt({ password }, engine));
  } catch {
    return blame();
  }
}

function localKeyIdOf({ bagAttributes = [] }: SafeBag): string | undefined {
  const [value] = bagAttributes.find(({ type }) => type === LOCAL_KEY_ID)?.values ?? [];
  const bytes: Uint8Array | undefined = value?.valueBlock?.valueHexView;
  return bytes && bytes.join();
}
