/**
 * The `claims` parameter: a challenge, the client's capabilities and forwarded claims in one object.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/**
 * A claims request, as JSON text or as an object.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/claims-challenge | Claims challenges}
 */
export type ClaimsRequest = string | Readonly<Record<string, unknown>>;

const MAX_CHARS = 32_768;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Merges objects deeply; where both sides have a value that is no object, `over` wins. */
function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  // fromEntries defines properties: a claim called __proto__ stays a claim.
  return Object.fromEntries(
    Object.keys({ ...base, ...over }).map((name) => {
      if (!Object.hasOwn(over, name)) return [name, base[name]];
      return [name, Object.hasOwn(base, name) ? merge(base[name], over[name]) : over[name]];
    }),
  );
}

/**
 * Checks claims that a caller gave.
 *
 * @param claims JSON text or an object.
 * @param option The request member's name, for the error.
 * @returns The text as it will be sent.
 * @throws {ClientConfigurationError} `invalid_claims`; the claims are not in the message.
 */
export function claimsText(claims: ClaimsRequest, option: string): string {
  try {
    const text = typeof claims === "string" ? claims : JSON.stringify(claims);
    // Merged with itself, so that what is nested too deeply for that is found here.
    if (text.length <= MAX_CHARS && isObject(merge(JSON.parse(text), JSON.parse(text)))) return text;
  } catch {
    // The parser's message quotes the claims.
  }
  refuse(
    "invalid_claims",
    option,
    `it must be a JSON object of at most ${MAX_CHARS} characters`,
  );
}

/**
 * Makes the `claims` parameter of a request.
 *
 * @param claims The challenge; sent verbatim where nothing is added to it.
 * @param capabilities The `clientCapabilities` option: become `access_token.xms_cc`.
 * @param forwarded Claims of the application's own, merged last.
 * @returns The JSON text, or `undefined` where there is nothing to send.
 * @throws {ClientConfigurationError} `invalid_claims`.
 */
export function mergeClaims(
  claims: ClaimsRequest | undefined,
  capabilities: readonly string[] = [],
  forwarded?: ClaimsRequest,
): string | undefined {
  const parts = [
    claims === undefined ? undefined : claimsText(claims, "claims"),
    capabilities.length === 0
      ? undefined
      : JSON.stringify({ access_token: { xms_cc: { values: capabilities } } }),
    forwarded === undefined ? undefined : claimsText(forwarded, "forwardedClientClaims"),
  ].filter((part) => part !== undefined);
  return parts.length < 2 ? parts[0] : JSON.stringify(parts.map((part) => JSON.parse(part)).reduce(merge));
}

/** Claims that were merged may be longer than those that are taken from a caller. */
function parsed(claims: string): unknown {
  try {
    return JSON.parse(claims);
  } catch {
    refuse("invalid_claims", "claims", "they must be the text of a JSON object");
  }
}

/** A claim that an ID token must have. */
export interface EssentialClaim {
  /** Its name: `acr`, `acrs` or `auth_time`. */
  readonly name: string;
  /** One of these it must be; any where there are none. */
  readonly values: readonly unknown[];
}

/**
 * What an ID token must tell of the authentication, OpenID Connect Core sections 2 and 5.5.1.
 *
 * @param claims The claims that were asked for, as JSON text.
 * @returns The essential ones among `acr`, `acrs` and `auth_time` of `id_token`.
 * @throws {ClientConfigurationError} `invalid_claims`.
 */
export function essentialClaimsOf(claims: string | undefined): readonly EssentialClaim[] {
  if (claims === undefined) return [];
  const asked = Object(Object(parsed(claims)).id_token);
  return ["acr", "acrs", "auth_time"].filter((name) => Object(asked[name]).essential === true)
    .map((name) => ({ name, values: [asked[name].values ?? asked[name].value ?? []].flat() }));
}
