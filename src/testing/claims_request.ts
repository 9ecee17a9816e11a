/**
 * The `claims` parameter.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter | OpenID Connect Core section 5.5}
 */
import { malformedRequest } from "./entra_error.ts";
import type { Json } from "./token_parts.ts";

/** A `claims` parameter that asks for nothing. */
export const NO_CLAIMS: Json = {};

function objectOf(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Json : undefined;
}

function strings(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((item): item is string => typeof item === "string");
}

/** Reads the parameter. Throws AADSTS9002313 if it is no JSON object. */
export function readClaims(claims: string | undefined): Json {
  if (claims === undefined) return NO_CLAIMS;
  let parsed: unknown;
  try {
    parsed = JSON.parse(claims);
  } catch {
    throw malformedRequest();
  }
  const requested = objectOf(parsed);
  if (!requested) throw malformedRequest();
  return requested;
}

function requestOf(claims: Json, token: string, name: string): Json | undefined {
  return objectOf(objectOf(claims[token])?.[name]);
}

/** Whether a claim of the ID token is asked for, if only by naming it. */
export function asksForIdClaim(claims: Json, name: string): boolean {
  return name in (objectOf(claims["id_token"]) ?? {});
}

/** The client capabilities that are to be written into the access token. */
export function capabilitiesOf(claims: Json): readonly string[] {
  const values = requestOf(claims, "access_token", "xms_cc")?.["values"];
  return Array.isArray(values) ? strings(values) : [];
}

/** The policies of conditional access that are asked for; `polids` is what they were called before. */
export function policiesOf(claims: Json): readonly string[] {
  return ["capolids", "polids"].flatMap((name) => {
    const { value, values } = requestOf(claims, "access_token", name) ?? {};
    return [...strings(value), ...strings(values)];
  });
}

/** The authentication contexts that are asked for, by either token. */
export function contextsOf(claims: Json, options: { readonly essential?: boolean } = {}): readonly string[] {
  const found = ["access_token", "id_token"].flatMap((token) => {
    const asked = requestOf(claims, token, "acrs");
    if (!asked || (options.essential && asked["essential"] !== true)) return [];
    return [...strings(asked["value"]), ...strings(asked["values"])];
  });
  return [...new Set(found)];
}
