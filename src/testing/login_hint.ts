/**
 * Whom a hint means: the `login_hint` claim of an ID token, or a user name.
 *
 * @module
 */
import { base64url } from "jose";

/**
 * Reads a `login_hint` or `logout_hint`.
 *
 * @param hint What was sent.
 * @returns The user name; `undefined` where it means nobody.
 */
export function userOfHint(hint: string | null | undefined): string | undefined {
  if (!hint?.startsWith("O.")) return hint || undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(base64url.decode(hint.slice(2)));
  } catch {
    return undefined;
  }
}
