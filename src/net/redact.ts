/**
 * Keeps what was sent out of what is said.
 *
 * @module
 */

const MAX_CHARS = 500;

/**
 * Replaces secrets in a text, in every spelling in which they can come back, and keeps its first line only.
 *
 * @param text The text of somebody else.
 * @param secrets What must not be in it; texts of less than 4 characters are passed over.
 * @returns At most 500 characters.
 */
export function redactText(text: string, secrets: readonly string[]): string {
  const spellings = secrets.filter((secret) => secret.length > 3).flatMap((secret) => [
    secret,
    // Half a surrogate pair has no encoding.
    encodeURIComponent(secret.replace(/[\ud800-\udfff]/g, "")),
    new URLSearchParams([["", secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
  ]);
  return spellings.reduce((clean, spelling) => clean.replaceAll(spelling, "[redacted]"), text)
    .replace(/[\r\n][^]*/, "").slice(0, MAX_CHARS);
}

/**
 * Tells of an error in one line.
 *
 * @param error What was thrown.
 * @param secrets What must not be in the line.
 * @returns The error's name and message, secrets removed.
 */
export function redact(error: unknown, secrets: readonly string[]): string {
  return redactText(
    error instanceof Error ? `${error.name}: ${error.message}` : "it threw no error",
    secrets,
  );
}
