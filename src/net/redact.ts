/**
 * Keeps what was sent out of what is said.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";

const MAX_CHARS = 500;
/** More of a text is not looked at. */
const MAX_READ = 16_384;
/** Longer secrets are found in their own spelling alone. */
const MAX_SECRET = 8_192;

/** Every spelling in which a secret can come back, as one pattern. */
function spellings(secret: string): RegExp {
  const form = new URLSearchParams([["", secret]]).toString().slice(1);
  const base64 = encodeBase64Url(new TextEncoder().encode(secret.slice(0, MAX_SECRET)));
  const texts = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    form,
    // Half a surrogate pair has no encoding.
    encodeURIComponent(secret.replace(/[\ud800-\udfff]/g, "")),
    base64,
    base64.replaceAll("-", "+").replaceAll("_", "/"),
  ];
  return new RegExp(texts.map((text) => text.replace(/[^\w\s]/g, "\\$&")).join("|"), "gi");
}

/**
 * Replaces secrets in a text, and keeps its first line only.
 *
 * @param text The text of somebody else.
 * @param secrets What must not be in it; texts of less than 4 characters are passed over.
 * @returns At most 500 characters.
 */
export function redactText(text: string, secrets: readonly unknown[]): string {
  const clean = [...new Set(secrets)].reduce<string>(
    (left, secret) =>
      typeof secret === "string" && secret.length > 3 ? left.replace(spellings(secret), "[redacted]") : left,
    text.slice(0, MAX_READ),
  );
  // Where the text was cut, a part of a secret may be left at its end.
  const whole = text.length > MAX_READ ? clean.slice(0, -MAX_SECRET) : clean;
  return whole.replace(/[\r\n][^]*/, "").slice(0, MAX_CHARS);
}

/**
 * Tells of an error in one line.
 *
 * @param error What was thrown.
 * @param secrets What must not be in the line.
 * @returns The error's name and message, secrets removed.
 */
export function redact(error: unknown, secrets: readonly unknown[]): string {
  if (!(error instanceof Error)) return "it threw no error";
  // On Node the reason is the cause's code, on Deno what its message says after the URL.
  const { code, message } = Object(error.cause) as { code?: unknown; message?: unknown };
  const reason = typeof code === "string" ? code : /\): (.{1,200})/.exec(`${message}`)?.[1];
  return redactText(`${error.name}: ${error.message}${reason ? ` (${reason})` : ""}`, secrets);
}
