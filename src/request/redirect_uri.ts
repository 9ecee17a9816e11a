/**
 * Where a sign-in may come back to.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/** Schemes that a browser or a shell would run or open by itself. */
const NOT_AN_APP = /^(?:https?|javascript|data|vbscript|file|blob|about|wss?|ftp):$/;

/**
 * Checks a `redirectUri`, RFC 6749 section 3.1.2 and RFC 8252 section 7. It is sent as it is spelled: Entra compares the
 * path's case.
 *
 * @param value What the caller gave: `https:`, or `http:` on loopback.
 * @param allowsScheme Whether it may have a scheme of its own, as the apps of a device do.
 * @param option The name of the member, for the error.
 * @returns The same.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function requireRedirectUri(
  value: unknown,
  allowsScheme: boolean,
  option = "redirectUri",
): string {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const repaired = /[\s\\#\u0000-\u001f\u007f]/;
  if (typeof value === "string" && !repaired.test(value) && URL.canParse(value)) {
    const { protocol, hostname, username, password } = new URL(value);
    const fits = protocol === "https:" ||
      (protocol === "http:" && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) ||
      (allowsScheme && !NOT_AN_APP.test(protocol));
    if (fits && username + password === "") return value;
  }
  refuse(
    "invalid_request",
    option,
    "it must be an https URL, or http on localhost, without fragment and user name",
  );
}
