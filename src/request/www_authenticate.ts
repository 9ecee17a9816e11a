/**
 * Reads why an API refused a request, RFC 9110 section 11.6.1.
 *
 * @module
 */

import { decodeBase64Url } from "../crypto/base64url_decode.ts";
import { claimsText } from "./claims.ts";

/** One challenge of a `WWW-Authenticate` header. */
export interface AuthenticateChallenge {
  /** The scheme, as it was sent: `Bearer`, `DPoP`, `Basic`. Case does not matter. */
  readonly scheme: string;
  /** What stands instead of parameters, as with `Negotiate`. */
  readonly token68?: string | undefined;
  /**
   * The parameters by their names in lower case, the first of each; without a prototype. Entra's APIs send
   * `authorization_uri`, `error` and `claims`; RFC 9728 adds `resource_metadata`.
   */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}

/** The header's text, headers, or a response. */
export type ChallengeSource = string | Pick<Headers, "get"> | { readonly headers: Pick<Headers, "get"> };

function headerOf(source: ChallengeSource): string {
  if (typeof source === "string") return source;
  return ("headers" in source ? source.headers : source).get("www-authenticate") ?? "";
}

/**
 * Splits the header into its challenges. What is malformed is passed over; the time is linear, whatever was sent.
 *
 * @param source The header.
 * @returns The challenges, in the order in which they were sent.
 */
export function parseWwwAuthenticate(source: ChallengeSource): AuthenticateChallenge[] {
  const text = headerOf(source);
  const challenges: AuthenticateChallenge[] = [];
  let parameters: Record<string, string | undefined> = Object.create(null);
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const takeQuoted = (): string | undefined => {
    const start = at;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    return at++ < text.length ? text.slice(start, at - 1).replace(/\\([^])/g, "$1") : undefined;
  };
  // Every turn takes what it has looked at, so that nothing is looked at twice.
  while (at < text.length) {
    // A value may hold what no token does: base64 is often sent without quotes.
    const parameter = take(/([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"|([^\s,"=][^\s,"]*))/y);
    const scheme = parameter ? null : take(/([\w!#$%&'*+.^`|~-]+)(?:\s+|(?=,)|$)/y);
    if (parameter) {
      const name = (parameter[1] as string).toLowerCase();
      const value = parameter[2] ?? takeQuoted();
      if (value !== undefined) parameters[name] ??= value;
    } else if (scheme) {
      parameters = Object.create(null);
      const token68 = take(/([\w.~+/-]+=*)\s*(?=,|$)/y)?.[1];
      challenges.push({ scheme: scheme[1] as string, token68, parameters });
    } else take(/[\s,]+|[^\s,]+/y);
  }
  return challenges;
}

/**
 * Finds the claims that an API asks for: continuous access evaluation, or step-up authentication.
 *
 * @param source The response with the status 401, its headers, or the header.
 * @returns The claims as JSON text, for the `claims` of the next request; `undefined` where there are none to be had.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/claims-challenge | Claims challenges}
 */
export function claimsChallengeOf(source: ChallengeSource): string | undefined {
  for (const { scheme, parameters: { error = "", claims } } of parseWwwAuthenticate(source)) {
    if (
      !/^(?:bearer|d?pop)$/i.test(scheme) || !/^(?:insufficient_claims|interaction_required)$/.test(error)
    ) continue;
    const bytes = decodeBase64Url(
      (claims ?? "").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
    );
    try {
      return claimsText(new TextDecoder("utf-8", { fatal: true }).decode(bytes), "claims");
    } catch {
      // No claims; another challenge may have some.
    }
  }
  return undefined;
}
