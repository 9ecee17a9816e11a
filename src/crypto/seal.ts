/**
 * Text that only the application can read and make: for cookies, and for caches that others can read.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { encodeBase64Url } from "./base64url.ts";
import { decodeBase64Url } from "./base64url_decode.ts";
import { sha256 } from "./digest.ts";

/** Seals and opens texts. */
export interface Sealer {
  /**
   * Seals a text with the first secret: AES-256-GCM with a key of the context's own, a random 96-bit IV for each. A context
   * is good for 2^32 texts.
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

/** A secret, to derive keys from. */
interface Secret {
  readonly id: string;
  readonly base: CryptoKey;
}

/** What stands where a secret was forgotten, or was copied from a page. */
const NO_SECRET =
  /^(?:(.{1,16}?)\1+)$|undefined|example|change.?me|placeholder|replace|password|your[-_ ]|0123456789|abcdefgh|\S\s+\S/i;
/** A part of this many bytes has no padding, and is not too long for a call. */
const PART_BYTES = 24_576;

/** What to derive, RFC 5869. */
function derivation(purpose: string, label: string, context = ""): HkdfParams {
  // With its length before it the label is taken for nothing else.
  const info = new TextEncoder().encode(`msal-edge seal 1 ${purpose} ${label.length}:${label}${context}`);
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
}

/** A secret's name is of the secret and the label alone: it is found before the context is tried. */
async function secretOf(text: string, label: string): Promise<Secret> {
  const { subtle } = crypto;
  const bytes = new TextEncoder().encode(text);
  const base = await subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);
  const id = await subtle.deriveBits(derivation("id", label), base, 48);
  return { id: encodeBase64Url(new Uint8Array(id)), base };
}

/** The key of one context: no key seals what is kept in two places. */
async function keyOf({ base }: Secret, label: string, context: string): Promise<CryptoKey> {
  // Hashed: not every runtime takes long ones.
  const algorithm = derivation("key", label, await sha256(context));
  const type = { name: "AES-GCM", length: 256 };
  return await crypto.subtle.deriveKey(algorithm, base, type, false, ["encrypt", "decrypt"]);
}

/** The format's version, the secret's name and the context are authenticated with the text. */
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
    "it must be at least 32 random bytes as text, and no example (openssl rand -base64 32), or a list of such, newest first",
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
  let secretsKept: readonly Secret[] | undefined;
  // What is kept is no promise: on Workers it would die with the request that made it.
  const keyring = async (): Promise<readonly Secret[]> =>
    secretsKept ??= await Promise.all(texts.map((text) => secretOf(text, label)));
  return {
    async seal(text: string, context: string): Promise<string> {
      const secret = (await keyring())[0] as Secret;
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const body = await crypto.subtle.encrypt(
        parametersOf(iv, secret.id, context),
        await keyOf(secret, label, context),
        new TextEncoder().encode(text),
      );
      const bytes = new Uint8Array(iv.length + body.byteLength);
      bytes.set(iv);
      bytes.set(new Uint8Array(body), iv.length);
      let sealed = `1.${secret.id}.`;
      for (let i = 0; i < bytes.length; i += PART_BYTES) {
        sealed += encodeBase64Url(bytes.subarray(i, i + PART_BYTES));
      }
      return sealed;
    },
    async open(sealed: unknown, context: string): Promise<string | undefined> {
      const [, id, text] = typeof sealed === "string" ? /^1\.([\w-]{8})\.([\w-]+)$/.exec(sealed) ?? [] : [];
      const found = text === undefined ? undefined : (await keyring()).find((secret) => secret.id === id);
      const bytes = found && decodeBase64Url(text as string);
      if (found === undefined || bytes === undefined) return undefined;
      try {
        const parameters = parametersOf(bytes.subarray(0, 12), found.id, context);
        const key = await keyOf(found, label, context);
        const text = await crypto.subtle.decrypt(parameters, key, bytes.subarray(12));
        return new TextDecoder("utf-8", { ignoreBOM: true }).decode(text);
      } catch {
        return undefined;
      }
    },
  };
}
