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

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_CHARS = 32_768;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Merges objects deeply; where both sides have a value that is no object, `over` wins. */
function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const names = new Set([...Object.keys(base), ...Object.keys(over)]);
  // fromEntries defines properties: a claim called __proto__ stays a claim.
  return Object.fromEntries([...names].map((name) => {
    if (!Object.hasOwn(over, name)) return [name, base[name]];
    return [name, Object.hasOwn(base, name) ? merge(base[name], over[name]) : over[name]];
  }));
}

/**
 * Reads claims that a caller gave.
 *
 * @param claims JSON text or an object.
 * @param option The request member's name, for the error.
 * @returns The text as it will be sent, and the object in it.
 * @throws {ClientConfigurationError} `invalid_claims`; the claims are not in the message.
 */
function parse(claims: ClaimsRequest, option: string): { text: string; object: JsonObject } {
  try {
    const text = typeof claims === "string" ? claims : JSON.stringify(claims);
    const object: unknown = text.length <= MAX_CHARS ? JSON.parse(text) : undefined;
    if (isObject(object) && (typeof claims === "string" || isObject(claims))) return { text, object };
  } catch {
    // The parser's message quotes the claims.
  }
  refuse(
    "invalid_claims",
    option,
    `it must be a JSON object, or its text of at most ${MAX_CHARS} characters`,
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
  const challenge = claims === undefined ? undefined : parse(claims, "claims");
  const own = forwarded === undefined ? undefined : parse(forwarded, "forwardedClientClaims");
  if (capabilities.length === 0 && own === undefined) return challenge?.text;
  const declared = capabilities.length > 0 ? { access_token: { xms_cc: { values: capabilities } } } : {};
  try {
    return JSON.stringify(merge(merge(challenge?.object ?? {}, declared), own?.object ?? {}));
  } catch {
    refuse("invalid_claims", "claims", "they are nested too deeply");
  }
}

/**
 * The text of forwarded claims, as it counts for the cache.
 *
 * @param forwarded JSON text or an object.
 * @returns The text.
 * @throws {ClientConfigurationError} `invalid_claims`.
 */
export function claimsText(forwarded: ClaimsRequest): string {
  return parse(forwarded, "forwardedClientClaims").text;
}
