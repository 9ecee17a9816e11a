/**
 * Text that only the application can read and make: for cookies, and for caches that others can read.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { encodeBase64Url } from "./base64url.ts";
import { decodeBase64Url } from "./base64url_decode.ts";

/** Seals and opens texts. */
export interface Sealer {
  /**
   * Seals a text with the first secret: AES-256-GCM, a random 96-bit IV for each. One secret is good for 2^32 texts.
   *
   * @param text The text.
   * @param context Where it will be, such as a store key: it opens nowhere else.
   * @returns Letters, digits, `-`, `_` and `.`; a third longer than the text, and 48 characters.
   */
  seal(text: string, context: string): Promise<string>;
  /**
   * Opens a sealed text with whichever secret it was sealed.
   *
   * @param sealed What may be one.
   * @param context Where it was found.
   * @returns The text; `undefined` for anything that {@linkcode Sealer.seal} did not make for this context.
   */
  open(sealed: unknown, context: string): Promise<string | undefined>;
}

interface SealKey {
  readonly id: string;
  readonly key: CryptoKey;
}

/** What stands where a secret was forgotten, or was copied from a page. */
const NO_SECRET =
  /^(?:(.{1,16}?)\1+)$|undefined|example|change.?me|placeholder|replace|password|your[-_ ]|0123456789|abcdefgh|\S\s+\S/i;
/** A part of this many bytes has no padding, and is not too long for a call. */
const PART_BYTES = 24_576;

/** Derives a key and its name from a secret, RFC 5869; another label gives another key. */
async function deriveKey(secret: string, label: string): Promise<SealKey> {
  const { subtle } = crypto;
  const encoder = new TextEncoder();
  const info = encoder.encode(`msal-edge seal 1 ${label}`);
  const base = await subtle.importKey("raw", encoder.encode(secret), "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  const bits = new Uint8Array(await subtle.deriveBits(algorithm, base, 304));
  const key = await subtle.importKey("raw", bits.subarray(0, 32), "AES-GCM", false, ["encrypt", "decrypt"]);
  return { id: encodeBase64Url(bits.subarray(32)), key };
}

/** The format's version, the key's name and the context are authenticated with the text. */
function parametersOf(iv: Uint8Array<ArrayBuffer>, id: string, context: string): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(`1.${id}.${context}`) };
}

/** Checks that these are secrets: texts of at least 32 bytes that nobody would guess. */
function requireSecrets(secrets: unknown, option: string): string[] {
  const list: readonly unknown[] = Array.isArray(secrets) ? secrets : [secrets];
  const texts = list.filter((secret): secret is string =>
    typeof secret === "string" && new TextEncoder().encode(secret.trim()).length >= 32 &&
    new Set(secret).size > 7 && !NO_SECRET.test(secret)
  );
  if (texts.length > 0 && texts.length === list.length) return texts;
  refuse(
    "invalid_option",
    option,
    "it must be at least 32 random bytes as text, or a list of such, newest first",
  );
}

/**
 * Makes a sealer.
 *
 * @param secrets One secret, or several: the first seals, any opens, so that secrets can be replaced.
 * @param label What is sealed, such as `session`: a text that was sealed under another label does not open.
 * @param option The option's name, for the error.
 * @returns The sealer; keys are derived at the first use.
 * @throws {ClientConfigurationError} `invalid_option` for a secret that is missing, short or an example.
 */
export function createSealer(secrets: string | readonly string[], label: string, option: string): Sealer {
  const texts = requireSecrets(secrets, option);
  let keys: readonly SealKey[] | undefined;
  // The keys are kept and not the promise: on Workers it would die with the request that made it.
  const keyring = async (): Promise<readonly SealKey[]> =>
    keys ??= await Promise.all(texts.map((secret) => deriveKey(secret, label)));
  return {
    async seal(text: string, context: string): Promise<string> {
      const { id, key } = (await keyring())[0] as SealKey;
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const body = await crypto.subtle.encrypt(
        parametersOf(iv, id, context),
        key,
        new TextEncoder().encode(text),
      );
      const bytes = new Uint8Array(iv.length + body.byteLength);
      bytes.set(iv);
      bytes.set(new Uint8Array(body), iv.length);
      let sealed = `1.${id}.`;
      for (let i = 0; i < bytes.length; i += PART_BYTES) {
        sealed += encodeBase64Url(bytes.subarray(i, i + PART_BYTES));
      }
      return sealed;
    },
    async open(sealed: unknown, context: string): Promise<string | undefined> {
      const [, id, text] = typeof sealed === "string" ? /^1\.([\w-]{8})\.([\w-]+)$/.exec(sealed) ?? [] : [];
      const found = text === undefined ? undefined : (await keyring()).find((key) => key.id === id);
      const bytes = found && decodeBase64Url(text as string);
      if (found === undefined || bytes === undefined) return undefined;
      try {
        const parameters = parametersOf(bytes.subarray(0, 12), found.id, context);
        const text = await crypto.subtle.decrypt(parameters, found.key, bytes.subarray(12));
        return new TextDecoder("utf-8", { ignoreBOM: true }).decode(text);
      } catch {
        return undefined;
      }
    },
  };
}
