/**
 * Keeps what was sent out of what is said.
 *
 * @module
 */

const MAX_CHARS = 500;

/** Every spelling in which a secret can come back. */
function spellings(secret: string): string[] {
  const form = new URLSearchParams({ s: secret }).toString().slice(2);
  return [secret, encodeURIComponent(secret), form, JSON.stringify(secret).slice(1, -1)];
}

/**
 * Replaces secrets in a text, and keeps its first line only.
 *
 * @param text The text of somebody else.
 * @param secrets What must not be in it; texts of less than 4 characters are passed over.
 * @returns At most 500 characters.
 */
export function redactText(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length < 4) continue;
    for (const spelling of spellings(secret)) clean = clean.replaceAll(spelling, "[redacted]");
  }
  return (clean.split(/[\r\n]/, 1)[0] ?? "").slice(0, MAX_CHARS);
}

/**
 * Tells of an error in one line.
 *
 * @param error What was thrown.
 * @param secrets What must not be in the line.
 * @returns The error's name and message, secrets removed.
 */
export function redact(error: unknown, secrets: readonly string[]): string {
  const { name, message } = error instanceof Error ? error : new Error("it threw something that is no error");
  return redactText(`${name}: ${message}`, secrets);
}
